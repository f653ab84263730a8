"""A figure as data: what is drawn, on which axes, under which assumptions.

A `Panel` is drawn twice, by matplotlib for the PNG and SVG files and by plotly for the page, so
the two cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

Symbol = Literal["circle", "square", "diamond", "triangle-up"]

MAXIMUM_POINTS = 2000
"""Points of a line beyond which it is thinned; a screen has fewer columns."""


@dataclass(frozen=True)
class Line:
    """A curve; ``x`` and ``y`` have shape ``(n_points,)``.

    ``error`` shades y ± error, same shape. ``fill`` shades down to zero. A line that is not
    ``listed`` is not in the legend: its colour is that of points which are.
    """

    label: str
    x: FloatArray
    y: FloatArray
    color: str
    dash: str = "solid"
    error: FloatArray | None = None
    fill: bool = False
    listed: bool = True


@dataclass(frozen=True)
class Points:
    """Markers with error bars; NaN in ``error`` draws none.

    ``hollow`` markers are outlines, ``faint`` ones small and pale. ``joined`` draws a thin line
    from each to the next, broken where ``y`` is NaN. ``right`` puts them on the panel's right axis.
    """

    label: str
    x: FloatArray
    y: FloatArray
    color: str
    error: FloatArray | None = None
    symbol: Symbol = "circle"
    hollow: bool = False
    faint: bool = False
    joined: bool = False
    right: bool = False


@dataclass(frozen=True)
class Steps:
    """A histogram: ``edges`` of shape ``(n_bins + 1,)``, ``heights`` of shape ``(n_bins,)``."""

    label: str
    edges: FloatArray
    heights: FloatArray
    color: str


@dataclass(frozen=True)
class Bars:
    """Bars over named categories, side by side with the other bars of the panel."""

    label: str
    categories: tuple[str, ...]
    heights: FloatArray
    color: str
    error: FloatArray | None = None


@dataclass(frozen=True)
class Sticks:
    """Vertical lines from zero, one for each discrete mode."""

    label: str
    x: FloatArray
    y: FloatArray
    color: str


@dataclass(frozen=True)
class Heat:
    """A map: ``values`` of shape ``(n_x, n_y)`` between edges of one more each.

    Drawn in shades of one colour from nothing, for zero, to dark, for the largest value.
    """

    label: str
    x_edges: FloatArray
    y_edges: FloatArray
    values: FloatArray


Mark = Line | Points | Steps | Bars | Sticks | Heat


@dataclass(frozen=True)
class SideHistogram:
    """A histogram on the right of the panel that shares its y axis.

    ``edges`` lie along y, shape ``(n_bins + 1,)``; ``heights`` have shape ``(n_bins,)``. Each
    curve has its heights as ``y`` and the panel's y as ``x``.
    """

    label: str
    edges: FloatArray
    heights: FloatArray
    color: str
    curves: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Span:
    """A shaded range of x with a name at its top; ``strength`` is 1 for the full colour."""

    label: str
    lower: float
    upper: float
    color: str
    strength: float = 1.0


@dataclass(frozen=True)
class Guide:
    """A dashed line across the panel at one x, or at one y, with its label if it has one."""

    label: str
    value: float
    axis: Literal["x", "y"] = "x"


@dataclass(frozen=True)
class RightAxis:
    """A second axis of y, on the right: its name with the unit, and its limits."""

    label: str
    limits: tuple[float, float]


@dataclass(frozen=True)
class Panel:
    """One figure.

    Attributes
    ----------
    name
        Stem of its files, ``phonon_dos_element``.
    title
        What is shown, in a few words.
    x_label, y_label
        Names of the axes with units.
    marks
        What is drawn, in order.
    description
        What a reader who does not see it needs: one or two sentences with the main numbers.
    spans, guides
        Shaded ranges and dashed lines.
    x_range, y_range
        Limits of the axes; None lets the data decide.
    notes
        Surrogate and assumptions, written on the figure.
    right_axis
        Second axis of y; it needs ``y_range`` too, so that both can share their zero.
    x_ticks
        Where x has its ticks; empty lets the drawing decide.
    x_log, y_log
        Whether an axis is logarithmic; its limits stay plain numbers.
    side
        Histogram on the right that shares the y axis.
    conditions
        Engine, level of theory, temperature, a line each: written on the files, and on the page
        below the figure.
    """

    name: str
    title: str
    x_label: str
    y_label: str
    marks: tuple[Mark, ...]
    description: str
    spans: tuple[Span, ...] = ()
    guides: tuple[Guide, ...] = ()
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    right_axis: RightAxis | None = None
    x_ticks: tuple[float, ...] = ()
    x_log: bool = False
    y_log: bool = False
    side: SideHistogram | None = None
    conditions: tuple[str, ...] = ()

    @property
    def stands_on_zero(self) -> bool:
        """Whether something is drawn as a height above zero, which the y axis must then show."""
        heights = [_heights(mark) for mark in self.marks]
        raised = any(height is not None for height in heights)
        return raised and not self.y_log and not self.reaches_below_zero

    @property
    def reaches_below_zero(self) -> bool:
        """Whether a bar, a step or a stick goes down from zero."""
        heights = [_heights(mark) for mark in self.marks]
        return any(height is not None and bool((height < 0.0).any()) for height in heights)

    def with_notes(self, notes: tuple[str, ...], prefix: str = "") -> Panel:
        """Return the same panel with notes in front of its own and a prefix to its file name."""
        return replace(self, name=prefix + self.name, notes=(*notes, *self.notes))


def _heights(mark: Mark) -> FloatArray | None:
    """Heights above zero that a mark draws; None where it draws none."""
    if isinstance(mark, Bars | Steps):
        return mark.heights
    return mark.y if isinstance(mark, Sticks) else None


def share_zero(
    left: tuple[float, float], within: tuple[float, float], values: FloatArray
) -> tuple[float, float]:
    """Limits of a right axis on which zero stands where it does on the left one.

    Parameters
    ----------
    left
        Limits of the left axis, one on each side of zero.
    within
        Heights on the left axis between which the values are to lie.
    values
        What the right axis shows; NaN is left out.
    """
    lower, upper = within
    known = values[np.isfinite(values)]
    share = np.where(known < 0.0, known / lower, known / upper)
    scale = float(share.max(initial=0.0)) or 1.0
    return scale * left[0], scale * left[1]


def cut_to_range(
    x: FloatArray, y: FloatArray, upper: float, lower: float = -np.inf
) -> tuple[FloatArray, FloatArray]:
    """Points with lower ≤ x ≤ upper, and the one after, so that a line reaches the edge."""
    first = int(np.searchsorted(x, lower))
    last = min(int(np.searchsorted(x, upper, side="right")) + 1, len(x))
    return x[first:last], y[first:last]


def thin_out(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Keep the lowest and the highest of each stretch of points, so that no spike is lost.

    Parameters
    ----------
    x, y
        A curve, each of shape ``(n_points,)``.

    Returns
    -------
    tuple of NDArray
        The same where it is short, else at most `MAXIMUM_POINTS` of its points, in order.
    """
    if len(x) <= MAXIMUM_POINTS:
        return x, y
    stretches = np.array_split(np.arange(len(x)), MAXIMUM_POINTS // 2)
    kept = [
        index
        for stretch in stretches
        for index in (stretch[np.argmin(y[stretch])], stretch[np.argmax(y[stretch])])
    ]
    chosen = np.unique(kept)
    return x[chosen], y[chosen]
