"""Panels drawn with matplotlib, for PNG, SVG and print."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from functools import singledispatch
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.image import imread, imsave
from matplotlib.transforms import ScaledTranslation
from mpl_toolkits.axes_grid1 import make_axes_locatable
from numpy.typing import NDArray

from qdcomp.report.drawing import style
from qdcomp.report.drawing.panel import (
    Bars,
    Heat,
    Line,
    Mark,
    Panel,
    Points,
    RightAxis,
    SideHistogram,
    Steps,
    Sticks,
)
from qdcomp.report.drawing.panel_table import write_table

FIGURE_INCHES = (6.0, 4.1)
"""Width and height of a figure."""

SHEET_COLUMNS = 2
"""Panels in a row of a sheet."""

NOTE_WIDTH = 84
"""Characters in a line of notes."""

LINE_INCHES = 1.3 * style.SMALL_FONT_SIZE / 72
"""Height of a line of notes; figures grow by what stands above and below them."""

LEGEND_POINTS, CROWDED_LEGEND = 34.0, -0.42
"""Legend below the axes [pt], and under slanted names as a part of the axes."""

GUIDE_TOP = 0.91
"""Where dashed lines across end under the names of shaded ranges."""

LEGEND_WIDTH = 66
"""Characters of labels in a row of the legend."""

SIDE_WIDTH, SIDE_GAP = "24%", 0.06
"""Width of a histogram at the side, of the panel's, and the gap before it [inch]."""

LINE_STYLES = {"solid": "-", "dash": "--", "dot": ":", "dashdot": "-."}
FAINT_OPACITY = 0.4
"""Opacity of faint markers."""

MARKERS = {"circle": "o", "square": "s", "diamond": "D", "triangle-up": "^"}


def save_panel(panel: Panel, directory: Path) -> tuple[Path, ...]:
    """Write ``NAME.png``, ``NAME.svg`` and, with the numbers drawn, ``NAME.csv``.

    Parameters
    ----------
    panel
        What to draw.
    directory
        Where; it must exist.

    Returns
    -------
    tuple of Path
        The files.
    """
    png, svg, table = (directory / f"{panel.name}.{kind}" for kind in ("png", "svg", "csv"))
    with mpl.rc_context(style.RC_PARAMS):
        width, height = FIGURE_INCHES
        height += LINE_INCHES * (len(_wrap_notes(panel)) + 1.3 * max(0, _count_rows(panel) - 2))
        figure = Figure(
            figsize=(width, height), dpi=style.RC_PARAMS["savefig.dpi"], layout="constrained"
        )
        draw_panel(figure.add_subplot(), panel)
        # A canvas draws once, where `savefig` draws each file twice.
        FigureCanvasAgg(figure).print_png(
            png, metadata={"Title": panel.title, "Description": panel.description}
        )
        # The layout that was found for the first file holds for the second.
        figure.set_layout_engine("none")
        FigureCanvasSVG(figure).print_svg(svg, metadata={"Title": panel.title, "Date": None})
    write_table(panel, table)
    return png, svg, table


def save_sheet(pictures: Sequence[Path], path: Path) -> None:
    """Write pictures of panels of one width on one, two in a row."""
    # Bytes: what `imread` gives takes four times the memory.
    drawn = [np.rint(255.0 * imread(picture)).astype(np.uint8) for picture in pictures]
    width = max(picture.shape[1] for picture in drawn)
    rows = [
        _join_row(drawn[first : first + SHEET_COLUMNS], width)
        for first in range(0, len(drawn), SHEET_COLUMNS)
    ]
    imsave(path, np.vstack(rows), pil_kwargs={"compress_level": 1})


def _join_row(pictures: Sequence[NDArray[np.uint8]], width: int) -> NDArray[np.uint8]:
    height = max(picture.shape[0] for picture in pictures)
    row = np.full((height, SHEET_COLUMNS * width, pictures[0].shape[2]), 255, np.uint8)
    for column, picture in enumerate(pictures):
        left = column * width
        row[: picture.shape[0], left : left + picture.shape[1]] = picture
    return row


def draw_panel(axes: Any, panel: Panel) -> None:
    """Draw a panel on axes of matplotlib: labels, notes, marks, legend below.

    Parameters
    ----------
    axes
        Empty axes.
    panel
        What to draw.
    """
    for span in panel.spans:
        axes.axvspan(span.lower, span.upper, color=span.color, alpha=span.strength, lw=0, zorder=0)
        axes.annotate(
            _plain(span.label),
            (0.5 * (span.lower + span.upper), 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, -4),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=style.SMALL_FONT_SIZE,
            color=style.MUTED,
        )
    right = None if panel.right_axis is None else _add_right_axis(axes, panel.right_axis)
    n_bars = sum(isinstance(mark, Bars) for mark in panel.marks)
    bar_index = 0
    for mark in panel.marks:
        if isinstance(mark, Bars):
            _draw_bars(axes, mark, bar_index, n_bars)
            bar_index += 1
        elif right is not None and isinstance(mark, Points) and mark.right:
            _draw(mark, right)
        else:
            _draw(mark, axes)
    for guide in panel.guides:
        look = {"color": style.MUTED, "ls": "--", "lw": 1.0, "label": _plain(guide.label)}
        if guide.axis == "x":
            axes.axvline(guide.value, ymax=GUIDE_TOP if panel.spans else 1.0, **look)
        else:
            axes.axhline(guide.value, **look)
    if panel.reaches_below_zero:
        axes.axhline(0.0, color=style.INK, lw=0.8)
    if panel.x_log:
        axes.set_xscale("log")
    if panel.y_log:
        axes.set_yscale("log", nonpositive="clip")
    _label(axes, panel, right)
    if panel.side is not None:
        _draw_side(axes, panel.side)


def _draw_side(axes: Any, side: SideHistogram) -> None:
    beside = make_axes_locatable(axes).append_axes("right", SIDE_WIDTH, SIDE_GAP, sharey=axes)
    beside.stairs(
        side.heights, side.edges, orientation="horizontal", fill=True, color=side.color, alpha=0.55
    )
    for curve in side.curves:
        beside.plot(curve.y, curve.x, color=curve.color, ls=LINE_STYLES[curve.dash])
    beside.set_xlim(left=0.0)
    beside.set_xlabel(_plain(side.label))
    beside.tick_params(labelleft=False)


def _add_right_axis(axes: Any, right: RightAxis) -> Any:
    twin = axes.twinx()
    twin.set_ylabel(_plain(right.label))
    twin.set_ylim(right.limits)
    twin.spines["right"].set_visible(True)
    twin.grid(visible=False)
    return twin


def _plain(text: str) -> str:
    """Text that matplotlib does not take for mathematics."""
    return text.replace("$", r"\$")


@singledispatch
def _draw(mark: Mark, axes: Any) -> None:
    raise TypeError(f"no way to draw {type(mark).__name__}")


@_draw.register
def _(mark: Line, axes: Any) -> None:
    if mark.error is not None:
        axes.fill_between(
            mark.x, mark.y - mark.error, mark.y + mark.error, color=mark.color, alpha=0.18, lw=0
        )
    if mark.fill:
        axes.fill_between(mark.x, 0.0, mark.y, color=mark.color, alpha=0.25, lw=0)
    label = _plain(mark.label) if mark.listed else "_not in the legend"
    axes.plot(mark.x, mark.y, color=mark.color, ls=LINE_STYLES[mark.dash], label=label)


@_draw.register
def _(mark: Points, axes: Any) -> None:
    axes.errorbar(
        mark.x,
        mark.y,
        yerr=mark.error,
        color=mark.color,
        fmt=MARKERS[mark.symbol],
        ls=("--" if mark.hollow else "-") if mark.joined else "",
        ms=3.5 if mark.faint else 5.5 if mark.hollow else 5,
        mfc="white" if mark.hollow else mark.color,
        alpha=FAINT_OPACITY if mark.faint else 1.0,
        capsize=3,
        lw=1.0 if mark.joined else 1.2,
        elinewidth=1.2,
        label=_plain(mark.label),
    )


@_draw.register
def _(mark: Steps, axes: Any) -> None:
    axes.stairs(
        mark.heights, mark.edges, color=mark.color, alpha=0.55, fill=True, label=_plain(mark.label)
    )


@_draw.register
def _(mark: Sticks, axes: Any) -> None:
    axes.vlines(mark.x, 0.0, mark.y, color=mark.color, lw=1.2, label=_plain(mark.label))
    axes.plot(mark.x, mark.y, ls="", marker=".", ms=3, color=mark.color)


@_draw.register
def _(mark: Heat, axes: Any) -> None:
    axes.pcolormesh(
        mark.x_edges, mark.y_edges, mark.values.T, cmap=style.HEAT_MAP, vmin=0.0, rasterized=True
    )
    axes.grid(visible=False)


def _draw_bars(axes: Any, mark: Bars, index: int, n_bars: int) -> None:
    width = 0.8 / n_bars
    positions = np.arange(len(mark.categories)) + width * (index - 0.5 * (n_bars - 1))
    axes.bar(
        positions,
        mark.heights,
        width=0.92 * width,
        yerr=mark.error,
        color=mark.color,
        ecolor=style.INK,
        capsize=3,
        label=_plain(mark.label),
    )
    crowded = sum(len(name) for name in mark.categories) > LEGEND_WIDTH
    axes.set_xticks(
        np.arange(len(mark.categories)),
        [_plain(textwrap.shorten(name, 40, placeholder="…")) for name in mark.categories],
        rotation=30 if crowded else 0,
        ha="right" if crowded else "center",
    )
    axes.grid(visible=False, axis="x")


def _label(axes: Any, panel: Panel, right: Any = None) -> None:
    axes.set_xlabel(_plain(panel.x_label))
    axes.set_ylabel(_plain(panel.y_label))
    if panel.x_range is not None:
        axes.set_xlim(panel.x_range)
    if panel.x_ticks:
        axes.set_xticks(panel.x_ticks)
    if panel.y_range is not None:
        axes.set_ylim(panel.y_range)
    elif panel.stands_on_zero:
        axes.set_ylim(bottom=0.0)
    line_height = 72.0 * LINE_INCHES
    lines = _wrap_notes(panel)
    axes.set_title(_plain(panel.title), loc="left", pad=6.0 + line_height * len(lines))
    for place, (line, color) in enumerate(reversed(lines)):
        axes.annotate(
            _plain(line),
            (0.0, 1.0),
            xycoords="axes fraction",
            xytext=(0, 4.0 + line_height * place),
            textcoords="offset points",
            va="bottom",
            fontsize=style.SMALL_FONT_SIZE,
            color=color,
        )
    _add_legend(axes, panel, right)


def _wrap_notes(panel: Panel) -> list[tuple[str, str]]:
    """Lines above the axes with their colours: conditions, then notes."""
    conditions = [line for text in panel.conditions for line in textwrap.wrap(text, NOTE_WIDTH)]
    notes = textwrap.wrap(" · ".join(panel.notes), NOTE_WIDTH)
    return [(line, style.MUTED) for line in conditions] + [
        (line, style.SURROGATE) for line in notes
    ]


def _add_legend(axes: Any, panel: Panel, right: Any) -> None:
    """Name marks and guides below the axes, in the order in which the panel has them."""
    found: dict[str, Any] = {}
    for each in (axes, right):
        if each is not None:
            handles, labels = each.get_legend_handles_labels()
            found |= dict(zip(labels, handles, strict=True))
    labels = [label for label in map(_plain, _list_labels(panel)) if label in found]
    if len(labels) < 2:
        return
    below = ScaledTranslation(0.0, -LEGEND_POINTS / 72.0, axes.figure.dpi_scale_trans)
    crowded = _is_crowded(panel)
    axes.legend(
        [found[label] for label in labels],
        labels,
        loc="upper left",
        bbox_to_anchor=(0.0, CROWDED_LEGEND if crowded else 0.0),
        bbox_transform=axes.transAxes if crowded else axes.transAxes + below,
        borderaxespad=0.0,
        ncols=_count_columns(labels),
    )


def _list_labels(panel: Panel) -> list[str]:
    marks = [mark for mark in panel.marks if not isinstance(mark, Line) or mark.listed]
    named = [*(mark.label for mark in marks), *(guide.label for guide in panel.guides)]
    return [label for label in dict.fromkeys(named) if label]


def _count_columns(labels: Sequence[str]) -> int:
    longest = max(map(len, labels), default=0) + 6
    return max(1, min(len(labels), LEGEND_WIDTH // longest))


def _count_rows(panel: Panel) -> int:
    labels = _list_labels(panel)
    return math.ceil(len(labels) / _count_columns(labels))


def _is_crowded(panel: Panel) -> bool:
    return any(
        isinstance(mark, Bars) and sum(len(name) for name in mark.categories) > LEGEND_WIDTH
        for mark in panel.marks
    )
