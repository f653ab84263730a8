"""What a comparison of linewidths says, in a few plain sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qdcomp.compare.explained_share import ExplainedShare
from qdcomp.compare.linewidths import LinewidthComparison, LinewidthRow
from qdcomp.compare.observable import Difference, Observable
from qdcomp.compare.sizes import SAME_SIZE_NM
from qdcomp.errors import InputError
from qdcomp.experiment import Estimate

AGREEMENT = 2.0
"""Combined errors up to which two widths are said to agree: 95 of 100 that are one do."""

CLEAR_DIFFERENCE = 3.0
"""Combined errors from which they are said to differ, not only to be apart."""

SURROGATE = "surrogate"
"""Word that is in an assumption or the source where the calculation is of a surrogate."""


def state_verdict(comparison: LinewidthComparison, group: str | None = None) -> str:
    """State whether the calculated linewidths are those that were measured.

    One sentence on the largest calculated dot that has a measured width to stand beside (own
    measurements before published ones, a trend before a single dot), one on the others of its
    group, one on the share explained, one on what was assumed. Published calculations are judged
    only where there are no own ones. Where no calculated dot has a measured one of its size, it
    says so, how far apart the sizes are, and how own calculations lie to published ones.

    Parameters
    ----------
    comparison
        Result of `compare_linewidths`.
    group
        Name of the calculated group to judge, where there are several engines; all own ones if
        absent.

    Raises
    ------
    InputError
        If there is no calculated group of this name.
    """
    known = [one.name for one in comparison.groups if one.origin == "calculated"]
    if group is not None and group not in known:
        raise InputError(f"no calculated group {group!r}; there are: {', '.join(known) or 'none'}")
    own = {one.name for one in comparison.groups if not one.published}
    own = own if group is None else {group}
    rows = [row for row in comparison.rows if row.group in own]
    if group is None and not rows:
        rows = list(comparison.rows)
    usable = [row for row in rows if _is_measured(comparison, row) and _is_one_size(row)]
    if not usable:
        return _state_nothing_to_compare(comparison, rows)
    origins = {one.name: one.published for one in comparison.groups}
    best = min(
        usable,
        key=lambda row: (
            row.against != "trend",
            origins[row.reference_group],
            -_edge(row.calculated),
        ),
    )
    others = [
        row
        for row in usable
        if (row.group, row.reference_group, row.against)
        == (best.group, best.reference_group, best.against)
    ]
    sentences = [state_row(best)]
    if len(others) > 1:
        sentences.append(_state_others(others))
    if best.share is not None:
        sentences.append(state_share(best.share))
    sentences.extend(_state_assumptions(best))
    return " ".join(sentences)


def state_row(row: LinewidthRow) -> str:
    """State how far one calculated dot is from the width that it is held against."""
    if row.difference is None or row.reference is None:
        return f"The calculated {_name(row.calculated)} has nothing to stand beside: {row.reason}."
    calculated, reference = row.difference.first, row.difference.second
    here = f"The calculated {_name(calculated)} is {_format_width(calculated)}"
    kind = reference.origin
    distance = row.size_distance_nm or 0.0
    if row.against == "trend":
        there = f"the {kind} trend ({row.reference_group}) at that size {_format_width(reference)}"
    else:
        there = (
            f"the nearest {kind} dot ({reference.label}; {reference.source}) "
            f"{_format_width(reference)}"
        )
    if not _is_one_size(row):
        word = "larger" if distance > 0.0 else "smaller"
        return (
            f"{here}, {there}, which is {abs(distance):.2g} nm {word}: "
            f"{abs(row.difference.value):.0f} meV apart, of which their sizes have a part."
        )
    return f"{here}, {there}: {_state_distance(row.difference)}."


def state_share(share: ExplainedShare) -> str:
    """State the share of the measured width that the calculated one explains, both ways."""
    linear = _format_share(share.linear, share.linear_error)
    quadrature = _format_share(share.quadrature, share.quadrature_error)
    if share.remainder is None:
        return (
            f"The calculated width is {linear} of the measured one: the coupling leaves nothing "
            "to be explained."
        )
    return (
        f"The calculated width is {linear} of the measured one (linear, as the 70 % of Rainò et "
        f"al. 2022, whose whole is calculated), {quadrature} of its variance (in quadrature); "
        f"{share.remainder:.3g} meV would have to be added in quadrature."
    )


def _is_measured(comparison: LinewidthComparison, row: LinewidthRow) -> bool:
    origins = {group.name: group.origin for group in comparison.groups}
    return origins[row.reference_group] == "measured"


def _is_one_size(row: LinewidthRow) -> bool:
    return (
        row.difference is not None
        and row.size_distance_nm is not None
        and abs(row.size_distance_nm) <= SAME_SIZE_NM + 1e-9
    )


def _edge(point: Observable) -> float:
    return point.edge_nm.value if point.edge_nm is not None else 0.0


def _name(point: Observable) -> str:
    """Name a dot by its label, with its size where that does not say it."""
    if point.edge_nm is None or "nm" in point.label:
        return f"{point.label} dot" if "dot" not in point.label else point.label
    return f"{point.edge_nm.value:.3g} nm dot ({point.label})"


def _format_width(point: Observable) -> str:
    if point.error is None:
        return f"{point.value:.0f} meV (no error known)"
    return f"{_round(point.value, point.error)} meV"


def _round(value: float, error: float) -> str:
    """Two digits of the error below 2 meV, whole meV above."""
    return f"{value:.0f} ± {error:.0f}" if error >= 2.0 else str(Estimate(value, error))


def _format_share(share: float, error: float | None) -> str:
    return f"{100 * share:.0f} %" if error is None else f"{100 * share:.0f} ± {100 * error:.0f} %"


def _state_distance(difference: Difference) -> str:
    sigmas = difference.sigmas
    if sigmas is None:
        return (
            f"they are {abs(difference.value):.0f} meV apart, and neither has an error to say "
            "whether that is much"
        )
    unit = "combined errors"
    limit = ""
    if difference.one_sided:
        silent = difference.first if difference.first.error is None else difference.second
        unit = "errors of the one that has one"
        limit = f", at most, since {silent.label} has none"
    if sigmas <= AGREEMENT:
        return f"they agree within {math.ceil(10 * sigmas - 1e-9) / 10:.1f} {unit}{limit}"
    if sigmas < CLEAR_DIFFERENCE:
        return f"they are {sigmas:.1f} {unit} apart{limit}, too few to say that they differ"
    return f"they differ by {sigmas:.1f} {unit}{limit}"


def _state_others(rows: Sequence[LinewidthRow]) -> str:
    known = [row.difference.sigmas for row in rows if row.difference is not None]
    sigmas = [one for one in known if one is not None]
    edges = [_edge(row.calculated) for row in rows]
    where = f"Of the {len(rows)} calculated dots from {min(edges):.3g} to {max(edges):.3g} nm"
    if not sigmas:
        return f"{where} none can be judged: there is no error on either side."
    agreeing = sum(one <= AGREEMENT for one in sigmas)
    return (
        f"{where} {agreeing} agree within {AGREEMENT:g} errors; the farthest is {max(sigmas):.1f} "
        "away."
    )


def _state_assumptions(row: LinewidthRow) -> list[str]:
    if row.difference is None:
        return []
    sentences = []
    notes = dict.fromkeys(row.difference.notes)
    texts = [row.calculated.source, *row.calculated.assumptions]
    if any(SURROGATE in text.lower() for text in texts):
        sentences.append(
            "The calculation is of a surrogate, not of DFT: agreement or not, it tests the method "
            "and not the material."
        )
        notes = {text: None for text in notes if SURROGATE not in text.lower()}
    if notes:
        sentences.append(f"Assumed: {'; '.join(notes)}.")
    return sentences


def _state_nothing_to_compare(comparison: LinewidthComparison, rows: Sequence[LinewidthRow]) -> str:
    measured = [row for row in rows if _is_measured(comparison, row)]
    if not measured:
        return _state_missing(comparison)
    sized = [row for row in measured if row.size_distance_nm is not None]
    if not sized:
        return f"No verdict: {measured[0].reason}."
    nearest = min(sized, key=lambda row: abs(row.size_distance_nm or 0.0))
    calculated = sorted({_edge(row.calculated) for row in sized})
    sizes = (
        f"the calculated dot is {calculated[0]:.3g} nm"
        if len(calculated) == 1
        else f"the calculated dots are {calculated[0]:.3g} to {calculated[-1]:.3g} nm"
    )
    sentences = [
        f"No overlap: {sizes}, and no measured trend or dot is of that size; the nearest is "
        f"{abs(nearest.size_distance_nm or 0.0):.2g} nm away. Nothing is extrapolated.",
        state_row(nearest),
    ]
    beside_published = [
        row for row in rows if row not in measured and row.against == "trend" and _is_one_size(row)
    ]
    if beside_published:
        sentences.append(state_row(max(beside_published, key=lambda row: _edge(row.calculated))))
    return " ".join([*sentences, *_state_assumptions(nearest)])


def _state_missing(comparison: LinewidthComparison) -> str:
    origins = {group.origin for group in comparison.groups}
    if len(origins) == 2:
        return (
            "No verdict: of the calculated and the measured dots, one kind has a shell and the "
            "other has none."
        )
    missing = "calculated" if "calculated" not in origins else "measured"
    return f"No verdict: there are no {missing} linewidths."
