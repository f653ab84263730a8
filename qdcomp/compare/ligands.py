"""Ligands: the calculated shell beside the dots that were measured under it.

ΔG(N), binding, packing and entropy of each ligand (PHYSICS.md section 6) beside ON fraction,
Mandel Q and T70 (section 7), the user's own and those of Mi et al. 2025 and D'Amato et al. 2023.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from qdcomp.compare.ligand_calculations import LigandCalculation, read_calculation
from qdcomp.compare.ligand_entries import (
    BINDING,
    BOUND_AT_MINIMUM,
    CALCULATED,
    CARBONS,
    COVERAGE,
    ENTROPY,
    MEASURED,
    PAIR,
    TAILS,
    Bound,
    Entry,
    LigandCell,
    LigandRow,
    describe_truncation,
    find_base_name,
)
from qdcomp.compare.ligand_measurements import LigandMeasurement, read_measurement
from qdcomp.compare.ligand_published import Published, collect_published, collect_unnamed
from qdcomp.compare.ligand_ranking import RankAnswer, rank_ligands, write_verdict
from qdcomp.compare.observable import Difference, Observable, compare_observables
from qdcomp.errors import InputError

Found = Mapping[str, Observable | str] | Mapping[str, Entry | str]
"""Numbers or limits of one calculation or measurement; a text says why there is none."""

COMPARED = (BOUND_AT_MINIMUM, COVERAGE, BINDING, ENTROPY, CARBONS, TAILS, PAIR)
"""Calculated quantities that are one thing here and in the paper."""

SAME_BASIS = (BOUND_AT_MINIMUM, BINDING)
"""Quantities that mean something only on the paper's slab, or from the paper's reference."""

NOT_PRINTED = "the collection of published numbers has none of {ligand}"
"""Why a published cell is empty."""


@dataclass(frozen=True)
class LimitCheck:
    """A number of one's own beside a published limit.

    Attributes
    ----------
    own
        The number.
    published
        The limit.
    holds
        Whether the number keeps it.
    """

    own: Observable
    published: Bound
    holds: bool


@dataclass(frozen=True)
class LigandComparison:
    """Shells and dots of all ligands.

    Attributes
    ----------
    rows
        One for each ligand: those calculated first, then those measured, then the papers' others.
    unnamed
        Published dots of which no ligand is named.
    differences
        Own numbers less the paper's, where they are one thing (`COMPARED`).
    limits
        Own numbers beside published limits.
    not_compared
        Why a number was not held against the paper's.
    answers
        Ligands ranked by a measure of the shell and one of the dots.
    verdict
        The answer to whether the more stable, better packed shell blinks less.
    """

    rows: tuple[LigandRow, ...]
    unnamed: tuple[LigandRow, ...]
    differences: tuple[Difference, ...]
    limits: tuple[LimitCheck, ...]
    not_compared: tuple[str, ...]
    answers: tuple[RankAnswer, ...]
    verdict: str


def compare_ligands(
    calculated: Sequence[LigandCalculation],
    measured: Sequence[LigandMeasurement],
    published: bool = True,
) -> LigandComparison:
    """Put calculated shells and measured dots side by side, a row a ligand.

    Ligands are matched by their base name: ``DDA_C8`` stands in the row of DDA, with a note.
    Several calculations or measurements of a ligand stand beside each other in a cell; the first
    is ranked.

    Parameters
    ----------
    calculated
        What was calculated, one or more a ligand.
    measured
        What was measured, one or more a ligand.
    published
        Whether the papers' numbers stand beside.

    Raises
    ------
    InputError
        If a ligand has no name, a measurement no dot, or a number is not finite.
    """
    collected: Published = collect_published() if published else {}
    calculations = [(_match(one.ligand, collected), one) for one in calculated]
    measurements = [(_match(one.ligand, collected), one) for one in measured]
    names = dict.fromkeys(
        [name for name, _ in calculations] + [name for name, _ in measurements] + list(collected)
    )
    rows = tuple(
        _make_row(
            ligand,
            [one for name, one in calculations if name == ligand],
            [one for name, one in measurements if name == ligand],
            collected.get(ligand, {}),
            published,
        )
        for ligand in names
    )
    differences, limits, refused = _compare_rows(rows)
    answers = rank_ligands(rows)
    return LigandComparison(
        rows=rows,
        unnamed=_make_unnamed() if published else (),
        differences=differences,
        limits=limits,
        not_compared=refused,
        answers=answers,
        verdict=write_verdict(answers),
    )


def _match(ligand: str, collected: Published) -> str:
    """Find the base name of a ligand, spelled as in the papers where they have it."""
    base = find_base_name(ligand)
    return next((name for name in collected if name.casefold() == base.casefold()), base)


def _make_row(
    ligand: str,
    calculations: Sequence[LigandCalculation],
    measurements: Sequence[LigandMeasurement],
    printed: Mapping[str, Sequence[Entry]],
    published: bool,
) -> LigandRow:
    shells: Sequence[Found] = [read_calculation(one) for one in calculations]
    dots: Sequence[Found] = [read_measurement(one) for one in measurements]
    lacking = NOT_PRINTED.format(ligand=ligand) if published else "published numbers were left out"
    cells = [
        _make_cell(quantity, found, f"{ligand} was not {verb}", printed, lacking)
        for quantities, found, verb in (
            (CALCULATED, shells, "calculated"),
            (MEASURED, dots, "measured"),
        )
        for quantity in quantities
    ]
    dotted = [one.ligand for one in measurements]
    if any(entry.origin == "measured" for entries in printed.values() for entry in entries):
        dotted.append(ligand)
    notes = describe_truncation([one.ligand for one in calculations], dotted)
    return LigandRow(ligand, tuple(cells), notes)


def _make_cell(
    quantity: str,
    found: Sequence[Found],
    nothing: str,
    printed: Mapping[str, Sequence[Entry]],
    lacking: str,
) -> LigandCell:
    results = [one[quantity] for one in found]
    own = tuple(one for one in results if not isinstance(one, str))
    reasons = dict.fromkeys(one for one in results if isinstance(one, str))
    entries = tuple(printed.get(quantity, ()))
    return LigandCell(
        quantity=quantity,
        own=own,
        own_reason="" if own else "; ".join(reasons) or nothing,
        published=entries,
        published_reason="" if entries else lacking,
    )


def _make_unnamed() -> tuple[LigandRow, ...]:
    rows = []
    for label, entries in collect_unnamed().items():
        cells = []
        for quantity in MEASURED:
            mine = tuple(entry for entry in entries if entry.quantity == quantity)
            reason = "" if mine else "not printed"
            cells.append(LigandCell(quantity, (), "these are dots of others", mine, reason))
        rows.append(LigandRow(label, tuple(cells), ("no ligand is named in the collection",)))
    return tuple(rows)


def _compare_rows(
    rows: Sequence[LigandRow],
) -> tuple[tuple[Difference, ...], tuple[LimitCheck, ...], tuple[str, ...]]:
    """Hold each own number against the first that the paper prints of the same thing."""
    differences, limits, refused = [], [], []
    for row in rows:
        for quantity in COMPARED:
            cell = row.find(quantity)
            for own in cell.own:
                if not cell.published or isinstance(own, Bound):
                    continue
                theirs = cell.published[0]
                if isinstance(theirs, Bound):
                    limits.append(LimitCheck(own, theirs, theirs.holds(own.value)))
                    continue
                try:
                    differences.append(_compare(own, theirs))
                except InputError as error:
                    refused.append(str(error))
    return tuple(differences), tuple(limits), tuple(refused)


def _compare(own: Observable, theirs: Observable) -> Difference:
    """Hold a number against the paper's.

    Raises
    ------
    InputError
        If they are of different slabs, references or temperatures.
    """
    if own.quantity in SAME_BASIS:
        for basis in theirs.assumptions:
            if basis not in own.assumptions:
                mine = ", ".join(own.assumptions)
                raise InputError(
                    f"{own.quantity} of {own.label} ({mine}) is not held against that of "
                    f"{theirs.source} ({basis}): they are not one thing"
                )
    difference = compare_observables(own, theirs)
    names = describe_truncation([own.label], [theirs.label])
    return replace(difference, notes=(*difference.notes, *names))
