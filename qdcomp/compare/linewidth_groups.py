"""Linewidths sorted into groups that have one origin, seeds of one calculation pooled.

Groups are: own calculations (one group a source, since engines differ), published calculations,
published measurements, own measurements; each split into dots with and without a shell of another
material. A group has its points and its trend against edge and against energy.

Seeds of one dot, n widths Γ_i with errors e_i, become their mean with

    var = (ē² + t² max(0, s² − ē²)) / n

ē² the mean of e_i², s² the variance of the Γ_i, t Student's factor of n: the error within each
seed, and what the seeds differ by beyond it. Without errors it is t² s² / n.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from qdcomp.compare.linewidth_trend import Axis, LinewidthTrend, fit_linewidth_trend
from qdcomp.compare.observable import Observable, Origin, convert_observable
from qdcomp.compare.sizes import is_core_shell, place_dot
from qdcomp.errors import InputError
from qdcomp.experiment import Estimate
from qdcomp.experiment.straight_line import ONE_SIGMA


@dataclass(frozen=True)
class LinewidthSeries:
    """Points of a group on one axis, and their trend.

    Attributes
    ----------
    axis
        ``"edge"`` [nm] or ``"energy"`` [eV].
    labels
        Dots in order of x.
    x, x_low, x_high
        Edge or energy and the ends of its error bar, shape ``(n_points,)``; the three are one where
        it has none.
    center, low, high
        Width and the ends of its error bar [meV], shape ``(n_points,)``; likewise.
    has_error
        Whether the width has an error; mark those without, shape ``(n_points,)``.
    not_shown
        Dots without this coordinate, each with the reason.
    trend
        None with fewer than three dots.
    trend_reason
        Why there is no trend; empty where there is one.
    """

    axis: Axis
    labels: tuple[str, ...]
    x: NDArray[np.float64]
    x_low: NDArray[np.float64]
    x_high: NDArray[np.float64]
    center: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    has_error: NDArray[np.bool_]
    not_shown: tuple[str, ...]
    trend: LinewidthTrend | None
    trend_reason: str


@dataclass(frozen=True)
class LinewidthGroup:
    """Dots of one origin.

    Attributes
    ----------
    name
        What to call it: ``"calculated, cp2k"``, ``"published, measured"``.
    origin, published, core_shell
        What its dots have in common.
    points
        Observables in meV, seeds pooled, each with edge and peak as far as known, by rising edge.
    by_edge, by_energy
        The same against either, with the trend.
    """

    name: str
    origin: Origin
    published: bool
    core_shell: bool
    points: tuple[Observable, ...]
    by_edge: LinewidthSeries
    by_energy: LinewidthSeries


def group_linewidths(points: Sequence[Observable], curve: str) -> tuple[LinewidthGroup, ...]:
    """Sort widths into groups, pool seeds and fit trends.

    Parameters
    ----------
    points
        Linewidths at one temperature. Own calculations of one source and one label are seeds of
        one dot.
    curve
        Sizing curve that gives the edge or the peak that a dot lacks.

    Raises
    ------
    InputError
        If a width is not an energy or not positive, seeds of one dot differ in edge, or there is
        no such curve.
    """
    sorted_points: dict[tuple[str, Origin, bool, bool], list[Observable]] = {}
    for point in points:
        converted = convert_observable(point, "meV")
        if converted.value <= 0.0:
            raise InputError(
                f"{point.label}: the linewidth of {point.source} is {point.value:g} {point.unit}; "
                "expected a positive one"
            )
        key = (_name_group(point), point.origin, point.published, is_core_shell(point))
        sorted_points.setdefault(key, []).append(converted)
    return tuple(_make_group(*key, members, curve) for key, members in sorted_points.items())


def pool_seeds(seeds: Sequence[Observable]) -> Observable:
    """Give the mean of several seeds of one dot, with the error within and across them.

    Parameters
    ----------
    seeds
        One or more, of one dot and one unit; one is returned as it is.

    Raises
    ------
    InputError
        If there is none, or their edges differ.
    """
    if not seeds:
        raise InputError("no seeds to pool")
    first = seeds[0]
    if len(seeds) == 1:
        return first
    edges = {None if seed.edge_nm is None else seed.edge_nm.value for seed in seeds}
    if len(edges) > 1:
        raise InputError(
            f"{len(seeds)} calculations of {first.source} are all called {first.label!r} and have "
            f"edges {sorted(map(str, edges))}; give each dot a label of its own"
        )
    n_seeds = len(seeds)
    values = np.array([seed.value for seed in seeds])
    own = [seed.error for seed in seeds if seed.error is not None]
    within = float(np.mean(np.square(own))) if len(own) == n_seeds else 0.0
    student = float(stdtrit(n_seeds - 1, ONE_SIGMA))
    across = max(0.0, float(values.var(ddof=1)) - within)
    error = math.sqrt((within + student**2 * across) / n_seeds)
    note = (
        f"mean of {n_seeds} seeds, {math.sqrt(within / n_seeds):.2g} {first.unit} of error within "
        f"and {student * math.sqrt(across / n_seeds):.2g} across them"
    )
    notes = dict.fromkeys(text for seed in seeds for text in seed.assumptions)
    return replace(
        first,
        value=float(values.mean()),
        error=error if error > 0.0 else None,
        assumptions=(*notes, note),
    )


def _name_group(point: Observable) -> str:
    shell = ", core/shell" if is_core_shell(point) else ""
    if point.published:
        return f"published, {point.origin}{shell}"
    return (
        f"{point.origin}, {point.source}{shell}"
        if point.origin == "calculated"
        else (f"measured here{shell}")
    )


def _make_group(
    name: str,
    origin: Origin,
    published: bool,
    core_shell: bool,
    members: Sequence[Observable],
    curve: str,
) -> LinewidthGroup:
    pooled = list(members)
    if origin == "calculated" and not published:
        by_label: dict[str, list[Observable]] = {}
        for point in members:
            by_label.setdefault(point.label, []).append(point)
        pooled = [pool_seeds(seeds) for seeds in by_label.values()]
    placed = [place_dot(point, curve) for point in pooled]
    placed.sort(key=lambda one: _sort_key(one.observable))
    points = tuple(one.observable for one in placed)
    reasons = tuple(one.reason for one in placed)
    return LinewidthGroup(
        name=name,
        origin=origin,
        published=published,
        core_shell=core_shell,
        points=points,
        by_edge=_make_series("edge", points, reasons),
        by_energy=_make_series("energy", points, reasons),
    )


def _sort_key(point: Observable) -> tuple[bool, float]:
    return point.edge_nm is None, point.edge_nm.value if point.edge_nm else 0.0


def _make_series(
    axis: Axis, points: Sequence[Observable], reasons: Sequence[str]
) -> LinewidthSeries:
    rows: list[tuple[Estimate, Observable]] = []
    not_shown = []
    for point, reason in zip(points, reasons, strict=True):
        where = point.edge_nm if axis == "edge" else point.peak_ev
        if where is None:
            not_shown.append(f"{point.label} ({point.source}): {reason}")
        else:
            rows.append((where, point))
    rows.sort(key=lambda row: row[0].value)
    x = np.array([where.value for where, _ in rows])
    x_errors = np.array([_known_error(where.error) for where, _ in rows])
    widths = np.array([point.value for _, point in rows])
    errors = np.array([_known_error(point.error) for _, point in rows])
    trend, reason = None, ""
    try:
        trend = fit_linewidth_trend(axis, x, x_errors, widths, errors)
    except InputError as error:
        reason = str(error)
    return LinewidthSeries(
        axis=axis,
        labels=tuple(point.label for _, point in rows),
        x=x,
        x_low=x - x_errors,
        x_high=x + x_errors,
        center=widths,
        low=widths - errors,
        high=widths + errors,
        has_error=errors > 0.0,
        not_shown=tuple(not_shown),
        trend=trend,
        trend_reason=reason,
    )


def _known_error(error: float | None) -> float:
    return error if error is not None and math.isfinite(error) else 0.0
