"""Panels drawn with matplotlib, for PNG, SVG and print."""

from __future__ import annotations

import csv
import math
import textwrap
from collections.abc import Sequence
from functools import singledispatch
from itertools import zip_longest
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from qdcomp.report import style
from qdcomp.report.panel import Bars, Line, Mark, Panel, Points, Steps, Sticks

FIGURE_INCHES = (6.0, 4.1)
"""Width and height of a figure."""

SHEET_COLUMNS = 2
"""Panels in a row of a sheet."""

NOTE_WIDTH = 100
"""Characters in a line of notes."""

LEGEND_WIDTH = 66
"""Characters of labels in a row of the legend."""

LINE_STYLES = {"solid": "-", "dash": "--", "dot": ":", "dashdot": "-."}
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
        figure = Figure(figsize=FIGURE_INCHES, layout="constrained")
        FigureCanvasAgg(figure)
        draw_panel(figure.add_subplot(), panel)
        figure.savefig(png, metadata={"Title": panel.title, "Description": panel.description})
        figure.savefig(svg, metadata={"Title": panel.title, "Date": None})
    write_table(panel, table)
    return png, svg, table


def save_sheet(panels: Sequence[Panel], path: Path) -> None:
    """Write several panels on one picture, two in a row."""
    rows = math.ceil(len(panels) / SHEET_COLUMNS)
    width, height = FIGURE_INCHES
    with mpl.rc_context(style.RC_PARAMS):
        figure = Figure(figsize=(SHEET_COLUMNS * width, rows * height), layout="constrained")
        FigureCanvasAgg(figure)
        for index, panel in enumerate(panels, start=1):
            draw_panel(figure.add_subplot(rows, SHEET_COLUMNS, index), panel)
        figure.savefig(path)


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
        axes.axvspan(span.lower, span.upper, color=span.color, lw=0, zorder=0)
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
    n_bars = sum(isinstance(mark, Bars) for mark in panel.marks)
    bar_index = 0
    for mark in panel.marks:
        if isinstance(mark, Bars):
            _draw_bars(axes, mark, bar_index, n_bars)
            bar_index += 1
        else:
            _draw(mark, axes)
    for guide in panel.guides:
        line = axes.axvline if guide.axis == "x" else axes.axhline
        line(guide.value, color=style.MUTED, ls="--", lw=1.0, label=_plain(guide.label))
    _label(axes, panel)


def write_table(panel: Panel, path: Path) -> None:
    """Write the numbers that a panel draws, a column each, as comma-separated values."""
    columns: list[tuple[str, Any]] = []
    for mark in panel.marks:
        columns += _columns(mark, panel)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([name for name, _ in columns])
        writer.writerows(zip_longest(*(values for _, values in columns), fillvalue=""))


def _columns(mark: Mark, panel: Panel) -> list[tuple[str, Any]]:
    x_name, y_name = f"{mark.label}: {panel.x_label}", f"{mark.label}: {panel.y_label}"
    if isinstance(mark, Steps):
        return [
            (f"{x_name}, lower edge", mark.edges[:-1]),
            (f"{x_name}, upper edge", mark.edges[1:]),
            (y_name, mark.heights),
        ]
    x, y = (mark.categories, mark.heights) if isinstance(mark, Bars) else (mark.x, mark.y)
    columns: list[tuple[str, Any]] = [(x_name, x), (y_name, y)]
    if not isinstance(mark, Sticks) and mark.error is not None:
        columns.append((f"{y_name}, standard error", mark.error))
    return columns


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
    axes.plot(mark.x, mark.y, color=mark.color, ls=LINE_STYLES[mark.dash], label=_plain(mark.label))


@_draw.register
def _(mark: Points, axes: Any) -> None:
    axes.errorbar(
        mark.x,
        mark.y,
        yerr=mark.error,
        color=mark.color,
        fmt=MARKERS[mark.symbol],
        ms=5,
        capsize=3,
        lw=1.2,
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


def _label(axes: Any, panel: Panel) -> None:
    axes.set_xlabel(_plain(panel.x_label))
    axes.set_ylabel(_plain(panel.y_label))
    if panel.x_range is not None:
        axes.set_xlim(panel.x_range)
    if panel.y_range is not None:
        axes.set_ylim(panel.y_range)
    elif panel.stands_on_zero:
        axes.set_ylim(bottom=0.0)
    notes = textwrap.wrap(" · ".join(panel.notes), NOTE_WIDTH)
    line_height = 1.3 * style.SMALL_FONT_SIZE
    axes.set_title(_plain(panel.title), loc="left", pad=6.0 + line_height * len(notes))
    if notes:
        axes.annotate(
            _plain("\n".join(notes)),
            (0.0, 1.0),
            xycoords="axes fraction",
            xytext=(0, 4),
            textcoords="offset points",
            va="bottom",
            fontsize=style.SMALL_FONT_SIZE,
            color=style.SURROGATE,
        )
    handles, labels = axes.get_legend_handles_labels()
    if len(handles) > 1:
        longest = max(len(label) for label in labels) + 6
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(0.0, -0.16 if not _is_crowded(panel) else -0.42),
            borderaxespad=0.0,
            ncols=max(1, min(len(handles), LEGEND_WIDTH // longest)),
        )


def _is_crowded(panel: Panel) -> bool:
    return any(
        isinstance(mark, Bars) and sum(len(name) for name in mark.categories) > LEGEND_WIDTH
        for mark in panel.marks
    )
