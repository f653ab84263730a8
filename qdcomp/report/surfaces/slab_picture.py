"""Pictures of slabs and molecules from the side and from above, as built beside as relaxed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from qdcomp.report.drawing import style
from qdcomp.report.drawing.structure_picture import find_window, list_legend, render_structure
from qdcomp.report.surfaces.surface_content import StructurePair
from qdcomp.structures import Structure

FloatArray = NDArray[np.float64]

VIEWS: dict[str, FloatArray] = {
    "side": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]),
    "top": np.eye(3),
}
"""Rotations to the screen: along y with the surface normal upwards, and against the normal."""

PICTURE_PIXELS = 520
"""Width of one view [px]."""

WIDTH_INCHES, HEADING_INCHES, LEGEND_INCHES = 6.4, 0.75, 0.45
"""Width of the picture, and heights of what stands above and below the views."""

BAR_ANGSTROM = 5.0
"""Length of the scale bar [Å]."""


def draw_views(pair: StructurePair, path: Path, *, title: str, notes: Sequence[str] = ()) -> Path:
    """Draw a structure from the side and from above, in a column each where it was relaxed.

    Parameters
    ----------
    pair
        As built, and as relaxed if it was; both are drawn on one scale.
    path
        Ends in ``.png`` or ``.svg``; its folder is there.
    title
        Above the picture.
    notes
        Cautions, written below the title.

    Returns
    -------
    Path
        The file.
    """
    columns = {"as built": pair.built}
    if pair.relaxed is not None:
        columns["relaxed"] = pair.relaxed
    grid = [(view, name) for view in VIEWS for name in columns]
    windows = {view: _find_common_window(list(columns.values()), view) for view in VIEWS}
    with mpl.rc_context(style.RC_PARAMS):
        figure = _open_figure(windows, len(columns))
        FigureCanvasAgg(figure)
        axes = _place_axes(figure, windows, len(columns))
        for (view, name), each in zip(grid, axes, strict=True):
            _draw_view(each, columns[name], view, windows[view])
            each.set_title(f"{view}, {name}", fontsize=style.FONT_SIZE, fontweight="normal", pad=3)
        _write_heading(figure, title, _describe_cell(pair.last), notes)
        entries = list_legend(pair.last)
        figure.legend(
            handles=entries,
            loc="lower center",
            ncols=len(entries),
            handletextpad=0.1,
            columnspacing=1.0,
        )
        metadata = {"Title": title} | ({"Date": None} if path.suffix == ".svg" else {})
        figure.savefig(path, metadata=metadata)
    return path


def _find_common_window(
    structures: Sequence[Structure], view: str
) -> tuple[FloatArray, FloatArray]:
    """Window that holds every atom, and across the surface the cell."""
    corners = []
    for structure in structures:
        turned = structure.atoms.positions @ VIEWS[view].T
        symbols = set(structure.atoms.get_chemical_symbols())
        corners.append(find_window(turned, max(map(style.element_radius, symbols))))
        outline = _outline_cell(structure) @ VIEWS[view].T
        if len(outline):
            across = outline[:, :2]
            low, high = corners[-1]
            kept = slice(0, 1 if view == "side" else 2)
            low[kept] = np.minimum(low[kept], across.min(axis=0)[kept] - 0.5)
            high[kept] = np.maximum(high[kept], across.max(axis=0)[kept] + 0.5)
    lows, highs = zip(*corners, strict=True)
    return np.min(lows, axis=0), np.max(highs, axis=0)


def _outline_cell(structure: Structure) -> FloatArray:
    """Corners of the cell in the plane of the surface [Å], ``(4, 3)``; none without one."""
    if not structure.atoms.pbc.any():
        return np.zeros((0, 3))
    first, second = structure.atoms.cell.array[:2]
    return np.array([np.zeros(3), first, first + second, second])


def _open_figure(windows: dict[str, tuple[FloatArray, FloatArray]], n_columns: int) -> Figure:
    if n_columns == 1:
        return Figure(figsize=(WIDTH_INCHES, _sum_heights(windows, 0.5 * WIDTH_INCHES, rows=False)))
    return Figure(figsize=(WIDTH_INCHES, _sum_heights(windows, 0.5 * WIDTH_INCHES, rows=True)))


def _sum_heights(
    windows: dict[str, tuple[FloatArray, FloatArray]], column: float, *, rows: bool
) -> float:
    heights = [column * _find_aspect(window) + 0.3 for window in windows.values()]
    return HEADING_INCHES + LEGEND_INCHES + (sum(heights) if rows else max(heights))


def _find_aspect(window: tuple[FloatArray, FloatArray]) -> float:
    """Height over width."""
    low, high = window
    return float((high[1] - low[1]) / (high[0] - low[0]))


def _place_axes(
    figure: Figure, windows: dict[str, tuple[FloatArray, FloatArray]], n_columns: int
) -> list[Any]:
    """One axes per view and column: rows are views where there are two columns."""
    height = float(figure.get_figheight())
    shape = (2, 2) if n_columns == 2 else (1, 2)
    ratios = [_find_aspect(window) for window in windows.values()] if n_columns == 2 else [1.0]
    grid = figure.subplots(
        *shape,
        height_ratios=ratios,
        gridspec_kw={
            "left": 0.02,
            "right": 0.98,
            "top": 1.0 - HEADING_INCHES / height,
            "bottom": LEGEND_INCHES / height,
            "hspace": 0.12,
            "wspace": 0.04,
        },
        squeeze=False,
    )
    return list(grid.ravel())


def _draw_view(
    axes: Any, structure: Structure, view: str, window: tuple[FloatArray, FloatArray]
) -> None:
    turn = VIEWS[view]
    rendering = render_structure(structure, PICTURE_PIXELS, turn=turn, window=window)
    left, right, lower, upper = rendering.extent
    axes.imshow(
        np.clip(rendering.image, 0.0, 1.0), extent=(left, right, lower, upper), zorder=2,
        interpolation="antialiased",
    )  # fmt: skip
    _draw_cell(axes, structure, view)
    axes.set_axis_off()
    bar = [left + 0.4, left + 0.4 + BAR_ANGSTROM]
    axes.plot(bar, [lower + 0.4] * 2, color=style.INK, lw=2.5, solid_capstyle="butt", zorder=3)
    axes.annotate(
        f"{BAR_ANGSTROM:g} Å",
        (bar[0], lower + 0.4),
        xytext=(0, 3),
        textcoords="offset points",
        fontsize=style.SMALL_FONT_SIZE,
        zorder=3,
    )
    axes.set_xlim(left, right)
    axes.set_ylim(lower, upper)


def _draw_cell(axes: Any, structure: Structure, view: str) -> None:
    """Dashed outline: all of it from above, the edges along the normal from the side."""
    outline = _outline_cell(structure) @ VIEWS[view].T
    if not len(outline):
        return
    look = {"color": style.MUTED, "ls": (0, (4, 3)), "lw": 1.0, "zorder": 1}
    if view == "top":
        closed = np.vstack([outline, outline[:1]])
        axes.plot(closed[:, 0], closed[:, 1], **look)
        return
    for edge in np.unique(np.round(outline[:, 0], 6)):
        axes.axvline(float(edge), **look)


def _describe_cell(structure: Structure) -> str:
    count = f"{len(structure.atoms)} atoms"
    if not structure.atoms.pbc.any():
        return f"{count}, not periodic"
    first, second, height = structure.atoms.cell.lengths()
    empty = height - float(np.ptp(structure.atoms.positions[:, 2]))
    return (
        f"{count}, cell {first:.2f} × {second:.2f} Å (dashed), repeats along x and y; "
        f"{empty:.1f} Å of vacuum along z"
    )


def _write_heading(figure: Figure, title: str, subtitle: str, notes: Sequence[str]) -> None:
    line = 0.165 / float(figure.get_figheight())
    texts: list[tuple[str, dict[str, Any]]] = [
        (title, {"fontsize": style.FONT_SIZE + 1, "fontweight": "bold"}),
        (subtitle, {"fontsize": style.SMALL_FONT_SIZE, "color": style.MUTED}),
        (" · ".join(notes), {"fontsize": style.SMALL_FONT_SIZE, "color": style.SURROGATE}),
    ]
    for place, (text, look) in enumerate(texts):
        height = 1.0 - (0.3 + place) * line
        figure.text(0.02, height, text.replace("$", r"\$"), va="top", **look)
