"""Calculated linewidths beside measured ones, against edge and against energy.

Each calculated dot is held against the trend of the measured dots at its size, where that trend
reaches, and against the measured dot nearest in size, with the distance in units of the combined
error. Two trends are compared over the sizes that both cover; where they have none in common, that
is said and nothing is extrapolated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

from qdcomp.compare.explained_share import ExplainedShare, compute_explained_share
from qdcomp.compare.linewidth_groups import LinewidthGroup, group_linewidths
from qdcomp.compare.linewidth_trend import (
    AXIS_UNITS,
    Axis,
    ConfidenceBand,
    LinewidthTrend,
    interpolate_trend,
)
from qdcomp.compare.observable import (
    TEMPERATURE_TOLERANCE_K,
    Difference,
    Observable,
    compare_observables,
)
from qdcomp.compare.published_linewidths import LINEWIDTH, ROOM_TEMPERATURE_K
from qdcomp.compare.sizes import DEFAULT_CURVE, PEAK_BY_CURVE, SAME_SIZE_NM
from qdcomp.errors import InputError
from qdcomp.experiment import Estimate

N_OVERLAP_POINTS = 40

Against = Literal["trend", "nearest dot"]


@dataclass(frozen=True)
class LeftOutWidth:
    """A width that takes no part, and why."""

    observable: Observable
    reason: str


@dataclass(frozen=True)
class LinewidthRow:
    """One calculated dot beside another width at its size.

    Attributes
    ----------
    group, reference_group
        Names of the two groups.
    calculated
        The calculated dot.
    against
        Whether the other width is that of a trend or of the nearest dot.
    reference
        The other width, measured or published; None where there is none to hold against.
    difference
        Calculated less reference [meV]; None likewise.
    share
        What share of a measured width the calculated one is; None likewise, and where the
        reference is calculated.
    size_distance_nm
        Edge of the reference less that of the calculated dot [nm], zero on a trend; None likewise.
    reason
        Why there is nothing to hold against; empty where there is.
    """

    group: str
    reference_group: str
    calculated: Observable
    against: Against
    reference: Observable | None
    difference: Difference | None
    share: ExplainedShare | None
    size_distance_nm: float | None
    reason: str


@dataclass(frozen=True)
class TrendDifference:
    """Two trends over the sizes or energies that both cover.

    Attributes
    ----------
    first, second
        Names of the groups.
    axis
        ``"edge"`` [nm] or ``"energy"`` [eV].
    overlap
        From, to; None where they have no range in common.
    band
        First less second [meV] with its 68 % band; None likewise.
    reason
        Why there is none; empty where there is.
    """

    first: str
    second: str
    axis: Axis
    overlap: tuple[float, float] | None
    band: ConfidenceBand | None
    reason: str


@dataclass(frozen=True)
class LinewidthComparison:
    """Linewidths of all origins side by side.

    Attributes
    ----------
    temperature_k
        Temperature of all widths [K].
    groups
        The groups with their points and trends.
    rows
        Table of differences, by trend and by nearest dot: each calculated dot against each group of
        measured ones, each own calculation also against the published calculations.
    trends
        Each two groups of dots of one kind, on either axis.
    left_out
        Widths that take no part.
    notes
        What was assumed, once each.
    """

    temperature_k: float
    groups: tuple[LinewidthGroup, ...]
    rows: tuple[LinewidthRow, ...]
    trends: tuple[TrendDifference, ...]
    left_out: tuple[LeftOutWidth, ...]
    notes: tuple[str, ...]


def compare_linewidths(
    points: Sequence[Observable],
    *,
    temperature_k: float = ROOM_TEMPERATURE_K,
    curve: str = DEFAULT_CURVE,
) -> LinewidthComparison:
    """Compare linewidths of all origins.

    Parameters
    ----------
    points
        Linewidths: own calculations (every seed for itself, under the label of the dot), published
        and own measured ones.
    temperature_k
        Temperature to compare at [K]; widths of another are left out with the reason, and
        `convert_linewidth` of `qdcomp.compare.temperature` brings them there.
    curve
        Sizing curve that gives the edge or the peak that a dot lacks.

    Raises
    ------
    InputError
        If there is no linewidth at this temperature, a point is no linewidth, is no energy or not
        positive, or there is no such curve.
    """
    kept, left_out = _choose_temperature(points, temperature_k)
    if not kept:
        raise InputError(
            f"none of {len(points)} linewidths is at {temperature_k:g} K; convert them first, or "
            "compare at their temperature"
        )
    groups = group_linewidths(kept, curve)
    rows = [
        row
        for group in groups
        for reference in groups
        if _is_reference(group, reference)
        for point in group.points
        for row in (
            _hold_against_trend(point, group, reference),
            _hold_against_nearest(point, group, reference),
        )
    ]
    trends = [
        _compare_trends(first, second, axis)
        for first, second in combinations(groups, 2)
        if first.core_shell == second.core_shell
        for axis in AXIS_UNITS
    ]
    return LinewidthComparison(
        temperature_k=temperature_k,
        groups=groups,
        rows=tuple(rows),
        trends=tuple(trends),
        left_out=left_out,
        notes=_collect_notes(groups),
    )


def _choose_temperature(
    points: Sequence[Observable], temperature_k: float
) -> tuple[list[Observable], tuple[LeftOutWidth, ...]]:
    kept, left_out = [], []
    for point in points:
        if point.quantity != LINEWIDTH:
            raise InputError(
                f"{point.label} ({point.source}) is a {point.quantity}; expected a {LINEWIDTH}"
            )
        if point.temperature_k is None:
            note = f"no temperature was given: taken to be {temperature_k:g} K"
            kept.append(
                replace(point, temperature_k=temperature_k, assumptions=(*point.assumptions, note))
            )
        elif abs(point.temperature_k - temperature_k) > TEMPERATURE_TOLERANCE_K:
            reason = f"at {point.temperature_k:g} K, and not converted to {temperature_k:g} K"
            left_out.append(LeftOutWidth(point, reason))
        else:
            kept.append(point)
    return kept, tuple(left_out)


def _is_reference(group: LinewidthGroup, reference: LinewidthGroup) -> bool:
    """Whether dots of a calculated group are held against those of another."""
    if group.origin != "calculated" or group.core_shell != reference.core_shell:
        return False
    return reference.origin == "measured" or (reference.published and not group.published)


def _hold_against_trend(
    point: Observable, group: LinewidthGroup, reference: LinewidthGroup
) -> LinewidthRow:
    """Hold a calculated dot against the trend at its edge."""
    row = LinewidthRow(group.name, reference.name, point, "trend", None, None, None, None, "")
    trend = reference.by_edge.trend
    if trend is None:
        return replace(
            row, reason=f"no trend of {reference.name}: {reference.by_edge.trend_reason}"
        )
    if point.edge_nm is None:
        return replace(row, reason=f"the edge of {point.label} is not known")
    found = interpolate_trend(trend, point.edge_nm)
    if found is None:
        low, high = trend.x_range
        return replace(
            row,
            reason=f"no overlap: {point.edge_nm.value:.3g} nm lies outside the {low:.3g}–"
            f"{high:.3g} nm of {reference.name}; nothing is extrapolated",
        )
    on_trend = Observable(
        quantity=point.quantity,
        value=found.value,
        error=found.error if found.error > 0.0 else None,
        unit="meV",
        origin=reference.origin,
        source=reference.name,
        label=f"trend at {point.edge_nm.value:.3g} nm",
        published=reference.published,
        temperature_k=point.temperature_k,
        edge_nm=Estimate(point.edge_nm.value, math.nan),
        assumptions=(
            f"trend {trend.form} of {trend.n_points} dots",
            *trend.notes,
            *dict.fromkeys(
                note for dot in reference.points if dot.edge_nm for note in dot.assumptions
            ),
        ),
    )
    return _complete_row(row, on_trend, 0.0)


def _hold_against_nearest(
    point: Observable, group: LinewidthGroup, reference: LinewidthGroup
) -> LinewidthRow:
    """Hold a calculated dot against the dot of the other group that is nearest in edge."""
    row = LinewidthRow(group.name, reference.name, point, "nearest dot", None, None, None, None, "")
    if point.edge_nm is None:
        return replace(row, reason=f"the edge of {point.label} is not known")
    edge = point.edge_nm.value
    sized = [(dot.edge_nm.value - edge, dot) for dot in reference.points if dot.edge_nm]
    if not sized:
        return replace(row, reason=f"no dot of {reference.name} has a known edge")
    distance, nearest = min(sized, key=lambda pair: abs(pair[0]))
    return _complete_row(row, nearest, distance)


def _complete_row(row: LinewidthRow, reference: Observable, distance: float) -> LinewidthRow:
    difference = compare_observables(row.calculated, reference)
    notes = tuple(note for note in difference.notes if not note.startswith(PEAK_BY_CURVE))
    difference = replace(difference, notes=notes)
    if abs(distance) > SAME_SIZE_NM:
        word = "larger" if distance > 0.0 else "smaller"
        note = f"{reference.label} is {abs(distance):.2g} nm {word}: part of this is their size"
        difference = replace(difference, notes=(*difference.notes, note))
    measured = reference.origin == "measured"
    return replace(
        row,
        reference=reference,
        difference=difference,
        share=compute_explained_share(row.calculated, reference) if measured else None,
        size_distance_nm=distance,
    )


def _compare_trends(first: LinewidthGroup, second: LinewidthGroup, axis: Axis) -> TrendDifference:
    trends: list[LinewidthTrend] = []
    for group in (first, second):
        series = group.by_edge if axis == "edge" else group.by_energy
        if series.trend is None:
            reason = f"no trend of {group.name}: {series.trend_reason}"
            return TrendDifference(first.name, second.name, axis, None, None, reason)
        trends.append(series.trend)
    low = max(trend.x_range[0] for trend in trends)
    high = min(trend.x_range[1] for trend in trends)
    if low >= high:
        ranges = " and ".join(
            f"{trend.x_range[0]:.3g}–{trend.x_range[1]:.3g} {AXIS_UNITS[axis]}" for trend in trends
        )
        reason = f"no overlap: {first.name} and {second.name} cover {ranges}"
        return TrendDifference(first.name, second.name, axis, None, None, reason)
    grid = np.linspace(low, high, N_OVERLAP_POINTS)
    lines = [
        [interpolate_trend(trend, Estimate(float(x), math.nan)) for x in grid] for trend in trends
    ]
    pairs = [(one, two) for one, two in zip(*lines, strict=True) if one and two]
    center = np.array([one.value - two.value for one, two in pairs])
    half = np.array([math.hypot(one.error, two.error) for one, two in pairs])
    band = ConfidenceBand(grid, center, center - half, center + half)
    return TrendDifference(first.name, second.name, axis, (low, high), band, "")


def _collect_notes(groups: Sequence[LinewidthGroup]) -> tuple[str, ...]:
    notes = [note for group in groups for point in group.points for note in point.assumptions]
    for group in groups:
        for series in (group.by_edge, group.by_energy):
            if series.trend is not None:
                notes.extend(f"{group.name}: {note}" for note in series.trend.notes)
    return tuple(dict.fromkeys(notes))
