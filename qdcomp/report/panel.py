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

MAXIMUM_POINTS = 2000
"""Points of a line beyond which it is thinned; a screen has fewer columns."""


@dataclass(frozen=True)
class Line:
    """A curve; ``x`` and ``y`` have shape ``(n_points,)``.

    ``error`` shades y ± error, same shape. ``fill`` shades down to zero.
    """

    label: str
    x: FloatArray
    y: FloatArray
    color: str
    dash: str = "solid"
    error: FloatArray | None = None
    fill: bool = False


@dataclass(frozen=True)
class Points:
    """Markers with error bars; NaN in ``error`` draws none."""

    label: str
    x: FloatArray
    y: FloatArray
    color: str
    error: FloatArray | None = None
    symbol: Literal["circle", "square", "diamond", "triangle-up"] = "circle"


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


Mark = Line | Points | Steps | Bars | Sticks


@dataclass(frozen=True)
class Span:
    """A shaded range of x with a name at its top."""

    label: str
    lower: float
    upper: float
    color: str


@dataclass(frozen=True)
class Guide:
    """A dashed line across the panel at one x, or at one y, with its label."""

    label: str
    value: float
    axis: Literal["x", "y"] = "x"


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

    @property
    def stands_on_zero(self) -> bool:
        """Whether something is drawn as a height above zero, which the y axis must then show."""
        return any(isinstance(mark, Bars | Steps | Sticks) for mark in self.marks)

    def with_notes(self, notes: tuple[str, ...], prefix: str = "") -> Panel:
        """Return the same panel with notes in front of its own and a prefix to its file name."""
        return replace(self, name=prefix + self.name, notes=(*notes, *self.notes))


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
