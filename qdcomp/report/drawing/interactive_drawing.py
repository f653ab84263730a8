"""Panels as plotly figures, in the JSON that plotly.js reads."""

from __future__ import annotations

import html
import textwrap
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdcomp.report.drawing import style
from qdcomp.report.drawing.panel import (
    Bars,
    Guide,
    Heat,
    Line,
    Mark,
    Panel,
    Points,
    SideHistogram,
    Span,
    Steps,
    Sticks,
)

NOTE_WIDTH = 48
"""Characters in a line of notes: what a telephone shows."""

LEFT_MARGIN_PX = 62
"""Room for the labels of the y axis [px]; notes begin at its left end."""

NOTE_GAP_PX = 7
"""Between the notes and the top of the axes, where a tick label may stand [px]."""

NOTE_LINE_PX = 14
"""Height of a line of notes [px]."""

SIGNIFICANT_DIGITS = 6
"""Digits of numbers in the page; more are in the files beside it."""


SPAN_OPACITY = 0.55
"""Opacity of a shaded range of full strength."""

GUIDE_TOP = 0.92
"""Where dashed lines across end under the names of shaded ranges."""

SIDE_WIDTH, SIDE_GAP = 0.2, 0.02
"""Width of a histogram at the side and the gap before it, of the whole width."""

FAINT_OPACITY = 0.4
"""Opacity of faint markers."""

UNSEEN_ON_THE_RIGHT = {
    "type": "scatter",
    "x": [None],
    "y": [None],
    "yaxis": "y2",
    "showlegend": False,
    "hoverinfo": "skip",
}
"""Trace that keeps a right axis without marks of its own: plotly draws no empty axis."""


def describe_plot(panel: Panel) -> dict[str, Any]:
    """Return ``{"data": …, "layout": …}`` of plotly: plain lists and numbers, for JSON.

    Texts are escaped: plotly reads its labels as a kind of HTML.
    """
    several = len(panel.marks) + sum(bool(guide.label) for guide in panel.guides) > 1
    notes = textwrap.wrap(" · ".join(panel.notes), NOTE_WIDTH)
    layout: dict[str, Any] = {
        "xaxis": _axis(panel.x_label, panel.x_range, logarithmic=panel.x_log),
        "yaxis": _axis(panel.y_label, panel.y_range, logarithmic=panel.y_log),
        "showlegend": several,
        "legend": {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
        "margin": {
            "l": LEFT_MARGIN_PX,
            "r": 14,
            "t": 10 + NOTE_GAP_PX + NOTE_LINE_PX * len(notes),
            "b": 48,
        },
        "barmode": "group",
        "shapes": [
            *map(_span_shape, panel.spans),
            *(_guide_shape(guide, bool(panel.spans)) for guide in panel.guides),
        ],
        "annotations": [
            _span_label(span.lower, span.upper, span.label) for span in panel.spans if span.label
        ],
        "hovermode": "closest",
    }
    if panel.x_ticks:
        layout["xaxis"] |= {"tickmode": "array", "tickvals": list(panel.x_ticks)}
    if panel.right_axis is not None:
        right = _axis(panel.right_axis.label, panel.right_axis.limits)
        layout["yaxis2"] = right | {"overlaying": "y", "side": "right"}
        layout["yaxis2"] |= {"showgrid": False, "zeroline": False, "tickmode": "auto"}
    if panel.side is not None:
        layout["xaxis"]["domain"] = [0.0, 1.0 - SIDE_WIDTH - SIDE_GAP]
        beside = _axis(panel.side.label, None) | {"rangemode": "tozero"}
        layout["xaxis2"] = beside | {"domain": [1.0 - SIDE_WIDTH, 1.0], "anchor": "y"}
    if panel.stands_on_zero:
        layout["yaxis"]["rangemode"] = "tozero"
    if any(isinstance(mark, Bars) for mark in panel.marks):
        layout["xaxis"]["type"] = "category"
    if notes:
        layout["annotations"].append(_note(notes))
    data = [trace for mark in panel.marks for trace in _traces(mark)]
    if panel.side is not None:
        data += _describe_side(panel.side)
    if panel.right_axis is not None:
        data.append(UNSEEN_ON_THE_RIGHT)
    return {"data": data, "layout": layout}


def _axis(
    label: str, limits: tuple[float, float] | None, *, logarithmic: bool = False
) -> dict[str, Any]:
    axis: dict[str, Any] = {"title": {"text": _text(label), "standoff": 6}, "automargin": True}
    if logarithmic:
        axis |= {"type": "log", "exponentformat": "power"}
    if limits is not None:
        axis["range"] = [float(np.log10(limit) if logarithmic else limit) for limit in limits]
    return axis


def _describe_side(side: SideHistogram) -> list[dict[str, Any]]:
    """Traces of a histogram on the second x axis, which shares y with the panel."""
    on_side = {"xaxis": "x2", "yaxis": "y", "showlegend": False}
    bars = {
        "type": "bar",
        "orientation": "h",
        "name": _text(side.label),
        "y": _numbers(0.5 * (side.edges[1:] + side.edges[:-1])),
        "x": _numbers(side.heights),
        "width": _numbers(np.diff(side.edges)),
        "marker": {"color": _translucent(side.color, 0.55)},
    }
    curves = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": _text(curve.label),
            "x": _numbers(curve.y),
            "y": _numbers(curve.x),
            "line": {"color": curve.color, "dash": curve.dash, "width": 2},
        }
        for curve in side.curves
    ]
    return [trace | on_side for trace in (bars, *curves)]


def _span_shape(span: Span) -> dict[str, Any]:
    return {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "x0": span.lower,
        "x1": span.upper,
        "y0": 0,
        "y1": 1,
        "fillcolor": span.color,
        "opacity": SPAN_OPACITY * span.strength,
        "line": {"width": 0},
        "layer": "below",
    }


def _guide_shape(guide: Guide, under_names: bool) -> dict[str, Any]:
    across: dict[str, Any] = {
        "xref": "x",
        "yref": "paper",
        "x0": guide.value,
        "x1": guide.value,
        "y0": 0,
        "y1": GUIDE_TOP if under_names else 1,
    }
    if guide.axis == "y":
        across = {
            "xref": "paper",
            "yref": "y",
            "x0": 0,
            "x1": 1,
            "y0": guide.value,
            "y1": guide.value,
        }
    return {
        "type": "line",
        **across,
        "line": {"color": style.GUIDE, "width": 1.2, "dash": "dash"},
        "name": _text(guide.label),
        "showlegend": bool(guide.label),
    }


def _span_label(lower: float, upper: float, label: str) -> dict[str, Any]:
    """Name of a band without its unit, which the axis has: on a telephone there is no room."""
    return {
        "x": 0.5 * (lower + upper),
        "y": 1,
        "xref": "x",
        "yref": "paper",
        "yanchor": "top",
        "text": _text(label.removesuffix(" meV")),
        "showarrow": False,
        "font": {"size": 11},
    }


def _note(lines: list[str]) -> dict[str, Any]:
    return {
        "x": 0,
        "y": 1,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "align": "left",
        "xshift": -LEFT_MARGIN_PX,
        "yshift": NOTE_GAP_PX,
        "text": "<br>".join(map(_text, lines)),
        "showarrow": False,
        "font": {"size": 11, "color": style.SURROGATE},
        "name": "note",
    }


def _text(text: str) -> str:
    return html.escape(text, quote=False)


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    """Round to significant digits; what is not finite becomes null."""
    return [
        float(f"{value:.{SIGNIFICANT_DIGITS}g}") if np.isfinite(value) else None
        for value in values.tolist()
    ]


@singledispatch
def _traces(mark: Mark) -> list[dict[str, Any]]:
    raise TypeError(f"no way to draw {type(mark).__name__}")


@_traces.register
def _(mark: Line) -> list[dict[str, Any]]:
    x = _numbers(mark.x)
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines",
        "name": _text(mark.label),
        "x": x,
        "y": _numbers(mark.y),
        "line": {"color": mark.color, "dash": mark.dash, "width": 2},
        "showlegend": mark.listed,
    }
    if mark.fill:
        trace |= {"fill": "tozeroy", "fillcolor": _translucent(mark.color, 0.25)}
    if mark.error is None:
        return [trace]
    edge = {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "line": {"width": 0},
        "showlegend": False,
        "hoverinfo": "skip",
        "legendgroup": trace["name"],
    }
    lower = edge | {"y": _numbers(mark.y - mark.error)}
    upper = edge | {
        "y": _numbers(mark.y + mark.error),
        "fill": "tonexty",
        "fillcolor": _translucent(mark.color, 0.18),
    }
    return [lower, upper, trace | {"legendgroup": trace["name"]}]


@_traces.register
def _(mark: Points) -> list[dict[str, Any]]:
    marker: dict[str, Any] = {"color": mark.color, "symbol": mark.symbol, "size": 8}
    if mark.hollow:
        marker |= {"symbol": f"{mark.symbol}-open", "size": 9, "line": {"width": 2}}
    if mark.faint:
        marker |= {"opacity": FAINT_OPACITY, "size": 6}
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines+markers" if mark.joined else "markers",
        "name": _text(mark.label),
        "x": _numbers(mark.x),
        "y": _numbers(mark.y),
        "marker": marker,
    }
    if mark.joined:
        dash = "dash" if mark.hollow else "solid"
        trace |= {
            "line": {"color": mark.color, "width": 1.2, "dash": dash},
            "connectgaps": False,
        }
    if mark.right:
        trace |= {"yaxis": "y2"}
    return [trace | _error_bars(mark.error)]


@_traces.register
def _(mark: Steps) -> list[dict[str, Any]]:
    return [
        {
            "type": "bar",
            "name": _text(mark.label),
            "x": _numbers(0.5 * (mark.edges[1:] + mark.edges[:-1])),
            "y": _numbers(mark.heights),
            "width": _numbers(np.diff(mark.edges)),
            "marker": {"color": _translucent(mark.color, 0.55)},
        }
    ]


@_traces.register
def _(mark: Bars) -> list[dict[str, Any]]:
    trace: dict[str, Any] = {
        "type": "bar",
        "name": _text(mark.label),
        "x": [_text(category) for category in mark.categories],
        "y": _numbers(mark.heights),
        "marker": {"color": mark.color},
    }
    return [trace | _error_bars(mark.error)]


@_traces.register
def _(mark: Sticks) -> list[dict[str, Any]]:
    x: list[float | None] = []
    y: list[float | None] = []
    for position, height in zip(_numbers(mark.x), _numbers(mark.y), strict=True):
        x += [position, position, None]
        y += [0.0, height, None]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": _text(mark.label),
            "x": x,
            "y": y,
            "line": {"color": mark.color, "width": 1.5},
        }
    ]


@_traces.register
def _(mark: Heat) -> list[dict[str, Any]]:
    return [
        {
            "type": "heatmap",
            "name": _text(mark.label),
            "x": _numbers(mark.x_edges),
            "y": _numbers(mark.y_edges),
            "z": [_numbers(row) for row in mark.values.T],
            "colorscale": [[0.0, "rgba(8,48,107,0)"], [1.0, "rgb(8,48,107)"]],
            "showscale": False,
        }
    ]


def _error_bars(error: NDArray[np.float64] | None) -> dict[str, Any]:
    if error is None:
        return {}
    return {"error_y": {"type": "data", "array": _numbers(error), "thickness": 1.3, "width": 3}}


def _translucent(color: str, opacity: float) -> str:
    red, green, blue = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
