"""Arrangements of ligands drawn as in Mi et al. 2025, SI Figs 5 and 6.

Each is a pair of cells seen from above, the upper side left and the lower one right: a full circle
is a ligand on its site, a dashed one a vacant site. A row holds those of one number of ligands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon, Rectangle
from numpy.typing import NDArray

from qdcomp.report.drawing import style
from qdcomp.report.pages.number_text import format_plain
from qdcomp.report.surfaces.coverage_overview import (
    CoverageOverview,
    ShownConfiguration,
    centre_sites,
)
from qdcomp.structures import CoverageScheme

PER_LINE = 8
"""Arrangements beside each other."""

CIRCLE_SHARE = 0.3
"""Radius of a circle over the distance of neighbouring sites."""

GAP_SHARE = 0.12
"""Gap between the two sides over the width of the cell."""

ENTRY_INCHES = (0.98, 1.02)
"""Width and height that an arrangement takes in the figure."""

SIDE_COLORS = {True: style.SERIES[0], False: style.SERIES[1]}
"""Colours of the ligands on the upper side and on the lower one."""

CHOSEN_PAPER, FAILED_PAPER = "#e4f0f9", "#fbe3d2"
"""Behind the chosen arrangements, and those of them that failed."""


@dataclass(frozen=True)
class SiteMark:
    """A circle: place and radius [Å], whether a ligand is there, on which side, and its site."""

    x: float
    y: float
    radius: float
    occupied: bool
    top: bool
    label: str


@dataclass(frozen=True)
class SchemeDrawing:
    """What is drawn of one arrangement.

    Attributes
    ----------
    name
        Name of the arrangement.
    marks
        Circles [Å]; y upwards.
    outlines
        Corners of the cell, once for each side that has sites [Å].
    width, height
        Size of the drawing [Å].
    chosen
        Whether the study computes it.
    failure
        Why it has no energy; empty where it has, or is not computed.
    caption
        How many arrangements are equal to it, and its electrostatic energy above the lowest.
    """

    name: str
    marks: tuple[SiteMark, ...]
    outlines: tuple[tuple[tuple[float, float], ...], ...]
    width: float
    height: float
    chosen: bool
    failure: str
    caption: tuple[str, ...]


def describe_schemes(
    overview: CoverageOverview, failures: Mapping[str, str]
) -> tuple[tuple[int, tuple[SchemeDrawing, ...]], ...]:
    """Give what is drawn of every arrangement, by the number of ligands.

    Parameters
    ----------
    overview
        The arrangements.
    failures
        Why an arrangement has no energy, by its name.
    """
    return tuple(
        (number, tuple(_describe(entry, entries[0], failures) for entry in entries))
        for number, entries in overview.rows
    )


def _describe(
    entry: ShownConfiguration, lowest: ShownConfiguration, failures: Mapping[str, str]
) -> SchemeDrawing:
    scheme, configuration = entry.scheme, entry.configuration
    cell = scheme.cell
    corners = np.array([[0.0, 0.0], cell[0], cell[0] + cell[1], cell[1]])
    low, high = corners.min(axis=0), corners.max(axis=0)
    step = (1.0 + GAP_SHARE) * float(high[0] - low[0])
    sides = [side for side in (True, False) if (scheme.top == side).any()]
    shift = {side: np.array([place * step, 0.0]) - low for place, side in enumerate(sides)}
    centred, radius = centre_sites(scheme), CIRCLE_SHARE * _find_spacing(scheme)
    places = centred + np.array([shift[bool(side)] for side in scheme.top])
    marks = tuple(
        SiteMark(float(x), float(y), radius, bool(occupied), bool(top), label)
        for (x, y), occupied, top, label in zip(
            places, scheme.occupied, scheme.top, scheme.labels, strict=True
        )
    )
    above = configuration.ewald_ev - lowest.configuration.ewald_ev
    return SchemeDrawing(
        name=configuration.name,
        marks=marks,
        outlines=tuple(
            tuple((float(x), float(y)) for x, y in corners + shift[side]) for side in sides
        ),
        width=float(high[0] - low[0]) + step * (len(sides) - 1),
        height=float(high[1] - low[1]),
        chosen=entry.chosen,
        failure=failures.get(configuration.name, "") if entry.chosen else "",
        caption=(
            f"×{configuration.degeneracy}",
            "lowest" if entry is lowest else f"+{format_plain(above, 2)} eV",
        ),
    )


def _find_spacing(scheme: CoverageScheme) -> float:
    """Distance of the nearest two sites of one side, images included [Å]."""
    shifts = [
        first * scheme.cell[0] + second * scheme.cell[1]
        for first in (-1, 0, 1)
        for second in (-1, 0, 1)
    ]
    distances: list[float] = []
    for side in (True, False):
        places: NDArray[np.float64] = scheme.positions[scheme.top == side]
        for shift in shifts:
            lengths = np.linalg.norm(places[:, None] - places[None] + shift, axis=2).ravel()
            distances += lengths[lengths > 0.1].tolist()
    return min(distances)


def save_schemes(
    rows: tuple[tuple[int, tuple[SchemeDrawing, ...]], ...],
    directory: Path,
    *,
    title: str,
    name: str = "coverage",
) -> tuple[Path, ...]:
    """Draw every arrangement to ``NAME.png`` and ``NAME.svg``.

    Parameters
    ----------
    rows
        From `describe_schemes`.
    directory
        Where; it must exist.
    title
        Above the figure.
    name
        Stem of the files.
    """
    lines = [
        (number if start == 0 else None, drawings[start : start + PER_LINE])
        for number, drawings in rows
        for start in range(0, len(drawings), PER_LINE)
    ]
    n_columns = max(len(drawings) for _, drawings in lines)
    width, height = ENTRY_INCHES
    with mpl.rc_context(style.RC_PARAMS):
        size = (max(0.6 + n_columns * width, 5.0), 0.75 + len(lines) * height)
        figure = Figure(figsize=size)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(0.0, size[0])
        axes.set_ylim(size[1], 0.0)
        axes.set_axis_off()
        _write_heading(axes, title, size[0])
        for line, (number, drawings) in enumerate(lines):
            top = 0.72 + line * height
            if number is not None:
                axes.text(0.1, top + 0.4 * height, f"N = {number}", va="center", fontweight="bold")
            for column, drawing in enumerate(drawings):
                _draw(axes, drawing, 0.6 + column * width, top)
        paths = tuple(directory / f"{name}.{kind}" for kind in ("png", "svg"))
        figure.savefig(paths[0], metadata={"Title": title})
        figure.savefig(paths[1], metadata={"Title": title, "Date": None})
    return paths


def _write_heading(axes: Any, title: str, width: float) -> None:
    axes.text(0.1, 0.08, title.replace("$", r"\$"), va="top", fontsize=style.FONT_SIZE + 1,
              fontweight="bold")  # fmt: skip
    entries = ((True, True, "ligand above"), (False, True, "ligand below"), (True, False, "vacant"))
    left = 0.16
    for top, occupied, text in entries:
        axes.add_patch(Circle((left, 0.45), 0.06, **_look(top, occupied)))
        axes.text(left + 0.1, 0.45, text, va="center", fontsize=style.SMALL_FONT_SIZE)
        left += 1.1
    axes.add_patch(Rectangle((left - 0.06, 0.39), 0.12, 0.12, fc=CHOSEN_PAPER, ec=style.INK, lw=1))
    axes.text(left + 0.12, 0.45, "chosen", va="center", fontsize=style.SMALL_FONT_SIZE)


def _draw(axes: Any, drawing: SchemeDrawing, left: float, top: float) -> None:
    """Draw one arrangement in its place [inch]; y of the figure runs downwards."""
    width, height = ENTRY_INCHES
    room = (0.88 * width, 0.5 * height)
    scale = min(room[0] / drawing.width, room[1] / drawing.height)
    x0 = left + 0.5 * (width - scale * drawing.width)
    y0 = top + 0.06 + scale * drawing.height
    if drawing.chosen:
        axes.add_patch(
            Rectangle(
                (left + 0.01, top),
                width - 0.02,
                height - 0.06,
                fc=FAILED_PAPER if drawing.failure else CHOSEN_PAPER,
                ec=style.INK,
                lw=1.0,
            )
        )
    for outline in drawing.outlines:
        corners = [(x0 + scale * x, y0 - scale * y) for x, y in outline]
        axes.add_patch(Polygon(corners, fc="white", ec=style.MUTED, lw=0.8))
    for mark in drawing.marks:
        place = (x0 + scale * mark.x, y0 - scale * mark.y)
        axes.add_patch(Circle(place, scale * mark.radius, **_look(mark.top, mark.occupied)))
    words = [drawing.name + (" failed" if drawing.failure else ""), "  ".join(drawing.caption)]
    for line, text in enumerate(words):
        axes.text(
            left + 0.5 * width,
            top + 0.62 * height + 0.15 * line,
            text,
            ha="center",
            va="top",
            fontsize=style.SMALL_FONT_SIZE,
            color=style.SURROGATE if drawing.failure and not line else style.INK,
            fontweight="bold" if drawing.chosen and not line else "normal",
        )


def _look(top: bool, occupied: bool) -> dict[str, Any]:
    if occupied:
        return {"fc": SIDE_COLORS[top], "ec": SIDE_COLORS[top], "lw": 0.8}
    return {"fc": "none", "ec": style.MUTED, "lw": 0.8, "ls": (0, (2, 1.5))}
