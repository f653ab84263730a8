"""Figures of calculated linewidths beside measured ones: against edge, energy and temperature."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from qdcomp.compare.linewidth_groups import LinewidthGroup, LinewidthSeries
from qdcomp.compare.linewidth_trend import Axis
from qdcomp.compare.linewidths import LinewidthComparison
from qdcomp.compare.observable import Observable
from qdcomp.compare.surface_entries import SurfaceShare
from qdcomp.compare.surface_share import SurfaceShares
from qdcomp.compare.temperature import TemperatureDependence, WidthCurve
from qdcomp.compare.verdict import SURROGATE
from qdcomp.report.drawing import style
from qdcomp.report.drawing.panel import Bars, FloatArray, Line, Mark, Panel, Points, Symbol

AXIS_LABELS: dict[Axis, str] = {"edge": "edge of the dot [nm]", "energy": "emission energy [eV]"}

SYMBOLS: tuple[Symbol, ...] = ("circle", "square", "diamond", "triangle-up")


def draw_linewidths(comparison: LinewidthComparison, axis: Axis) -> Panel:
    """Draw all groups with their trends and 68 % bands; hollow points have no error."""
    marks: list[Mark] = []
    for index, group in enumerate(comparison.groups):
        series = _find_series(group, axis)
        if len(series.x):
            color = style.SERIES[index % len(style.SERIES)]
            marks.extend(_draw_series(group.name, series, color, SYMBOLS[index % len(SYMBOLS)]))
    missing = len(list_hidden_dots(comparison, axis))
    hidden = f"; {missing} dots have no {axis} and are not shown" if missing else ""
    return Panel(
        name=f"linewidth_{axis}",
        title=f"Linewidth against {axis}",
        x_label=AXIS_LABELS[axis],
        y_label="linewidth, FWHM [meV]",
        marks=tuple(marks),
        notes=_list_cautions(comparison),
        conditions=(f"at {comparison.temperature_k:g} K; hollow: no error is known{hidden}",),
        description=_describe_groups(comparison.groups, axis),
    )


def list_hidden_dots(comparison: LinewidthComparison, axis: Axis) -> list[str]:
    """Dots that the figure against this axis cannot show, each with the reason."""
    return [text for group in comparison.groups for text in _find_series(group, axis).not_shown]


def _find_series(group: LinewidthGroup, axis: Axis) -> LinewidthSeries:
    return group.by_edge if axis == "edge" else group.by_energy


def _draw_series(name: str, series: LinewidthSeries, color: str, symbol: Symbol) -> list[Mark]:
    marks: list[Mark] = []
    sure = series.has_error
    if np.any(sure):
        error = 0.5 * (series.high - series.low)
        marks.append(
            Points(name, series.x[sure], series.center[sure], color, error[sure], symbol=symbol)
        )
    if not np.all(sure):
        label = f"{name}, no error" if np.any(sure) else name
        marks.append(
            Points(label, series.x[~sure], series.center[~sure], color, symbol=symbol, hollow=True)
        )
    if series.trend is not None:
        band = series.trend.band
        half = 0.5 * (band.high - band.low)
        marks.append(Line(f"trend, {name}", band.x, band.center, color, error=half, listed=False))
    return marks


def _list_cautions(comparison: LinewidthComparison) -> tuple[str, ...]:
    sources = {
        point.source
        for group in comparison.groups
        for point in group.points
        if _is_surrogate(point)
    }
    return tuple(f"{source}: no DFT; absolute values are not those of PBE" for source in sources)


def _is_surrogate(point: Observable) -> bool:
    return SURROGATE in point.source


def _describe_groups(groups: Sequence[LinewidthGroup], axis: Axis) -> str:
    parts = []
    for group in groups:
        widths = [point.value for point in group.points]
        noun = "dot" if len(widths) == 1 else "dots"
        parts.append(
            f"{group.name}: {len(widths)} {noun}, {min(widths):.0f} to {max(widths):.0f} meV"
        )
    return f"Full width at half maximum against the {axis} of the dot. " + "; ".join(parts) + "."


def draw_temperatures(
    curves: Sequence[TemperatureDependence], points: Sequence[Observable]
) -> Panel:
    """Draw Γ(T), classical and quantum, with the measured widths at their temperatures.

    Parameters
    ----------
    curves
        One or more dots.
    points
        Measured widths in meV, whatever the size of their dots.
    """
    marks: list[Mark] = []
    for index, curve in enumerate(curves):
        color = style.SERIES[index % len(style.SERIES)]
        forms = (("quantum", curve.quantum, "solid"), ("classical", curve.classical, "dash"))
        for form, width, dash in forms:
            quantum = form == "quantum"
            label = f"{curve.label}, {_name_origin(curve)}" + ("" if quantum else f", {form}")
            error = _find_half_width(width) if quantum else None
            marks.append(
                Line(label, curve.temperatures_k, width.center, color, dash, error, listed=quantum)
            )
    marks.extend(_draw_measured(points))
    surrogates = {curve.source for curve in curves if SURROGATE in curve.source}
    return Panel(
        name="linewidth_temperature",
        title="Linewidth against temperature",
        x_label="temperature [K]",
        y_label="linewidth, FWHM [meV]",
        marks=tuple(marks),
        notes=tuple(f"{source}: no DFT" for source in sorted(surrogates)),
        conditions=("solid: quantum phonons; dashed: classical; harmonic coupling",),
        description=(
            "Full width at half maximum from the coupling of "
            + ", ".join(f"{curve.label} ({_name_origin(curve)})" for curve in curves)
            + "; the quantum form stays finite at 0 K, the classical one falls as the root of T."
        ),
    )


def _name_origin(curve: TemperatureDependence) -> str:
    return "published" if curve.published else curve.source.removeprefix("engine ")


def _find_half_width(width: WidthCurve) -> FloatArray | None:
    if width.low is None or width.high is None:
        return None
    return 0.5 * (width.high - width.low)


def _draw_measured(points: Sequence[Observable]) -> list[Mark]:
    known = [point for point in points if point.temperature_k is not None]
    if not known:
        return []
    return [
        Points(
            "measured, dots of other sizes",
            np.array([point.temperature_k for point in known], dtype=np.float64),
            np.array([point.value for point in known]),
            style.TOTAL,
            symbol="diamond",
            hollow=True,
        )
    ]


def draw_surface_shares(shares: SurfaceShares) -> Panel | None:
    """Draw the surface's share of the linewidth by route; None where no route has one."""
    every = [entry for entry in (*shares.own, *shares.published) if entry.of_linewidth]
    if not every:
        return None
    routes = tuple(dict.fromkeys(map(_name_route, every)))
    marks = [
        _draw_shares(label, entries, routes, color)
        for label, entries, color in (
            ("calculated here", shares.own, style.SERIES[0]),
            ("published", shares.published, style.SERIES[1]),
        )
        if any(entry.of_linewidth for entry in entries)
    ]
    return Panel(
        name="surface_share",
        title="The surface's share of the linewidth",
        x_label="route, and outer unit cells that are the surface",
        y_label="share of the linewidth",
        marks=tuple(marks),
        description=shares.agreement.sentence,
        conditions=("bars without an error bar: no error is known",),
    )


def _name_route(entry: SurfaceShare) -> str:
    return entry.route if entry.cells is None else f"{entry.route}, {entry.cells:g}"


def _draw_shares(
    label: str, entries: Sequence[SurfaceShare], routes: tuple[str, ...], color: str
) -> Bars:
    found = {_name_route(entry): entry.of_linewidth for entry in entries}
    shown = [found.get(route) for route in routes]
    errors = [math.nan if one is None or one.error is None else one.error for one in shown]
    return Bars(
        label,
        routes,
        np.array([math.nan if one is None else one.value for one in shown]),
        color,
        None if all(map(math.isnan, errors)) else np.array(errors),
    )
