"""Does the more stable, better packed shell blink less? Ligands ranked by shell and by dots.

For each pair of ligands whose order is known in both quantities the pair is concordant or
discordant, and

    γ = (C − D) / (C + D)

(Goodman and Kruskal, J. Am. Stat. Assoc. 49, 732 (1954); Kendall's τ where no pair is tied). Limits
take part where they decide the order, and numbers within their combined error have none. The
p-value, two-sided, is the share of the permutations of the ligands with as large an excess of
concordant or discordant pairs. Two ligands have a direction and no correlation.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qdcomp.compare.ligand_entries import (
    BINDING,
    CARBONS,
    COVERAGE,
    LAST_STEP,
    MANDEL_Q,
    ON_FRACTION,
    PAIR,
    PER_SITE,
    PHOTOSTABILITY,
    T70,
    Bound,
    Entry,
    LigandRow,
)
from qdcomp.compare.observable import Observable

SHELL = {COVERAGE: 1, LAST_STEP: -1, PER_SITE: -1, BINDING: 1, CARBONS: 1, PAIR: -1}
"""Measures of a good shell: 1 where more is better, −1 where less is."""

CARBONS_NOTE = (
    "carbons farther apart count as better packed: nearer than 4 Å tails repel each other (Mi et "
    "al. 2025, SI Note 5); it holds at full coverage only"
)
"""Why more is better of `CARBONS`."""

DOTS = {ON_FRACTION: 1, MANDEL_Q: -1, T70: 1, PHOTOSTABILITY: 1}
"""Measures of a steady dot, likewise."""

FEWEST_LIGANDS = 3
"""Ligands from which on there is a rank correlation."""

ALL_PERMUTATIONS = 7
"""Ligands up to which all permutations are gone through; beyond, `DRAWN_PERMUTATIONS` are drawn."""

DRAWN_PERMUTATIONS = 10_000

QUESTION = "Does the more stable, better packed shell blink less?"

Side = Literal["own", "published"]

_SIDES: tuple[tuple[Side, Side], ...] = (
    ("own", "own"),
    ("own", "published"),
    ("published", "own"),
    ("published", "published"),
)

_DRAWS = range(DRAWN_PERMUTATIONS)
_NEVER_SIGNIFICANT = 5
"""Ligands below which the two-sided p is always above 0.05."""


@dataclass(frozen=True)
class RankAnswer:
    """Whether ligands with a better shell have steadier dots, by one measure of each.

    Attributes
    ----------
    shell, dots
        The two measures.
    ligands
        Ligands that have both, in the order of the rows.
    shell_entries, dot_entries
        Their numbers or limits.
    shell_side, dot_side
        Whose: ``own`` or ``published``; never mixed within a measure.
    concordant, discordant
        Pairs of ligands in which the better shell has the steadier dots, and the less steady.
    correlation
        γ, 1 where better shells always have steadier dots; None below three ligands, or where the
        order of no pair is known.
    p_value
        Two-sided; None with it.
    sentence
        The answer in words.
    notes
        What it rests on.
    """

    shell: str
    dots: str
    ligands: tuple[str, ...]
    shell_entries: tuple[Entry, ...]
    dot_entries: tuple[Entry, ...]
    shell_side: Side
    dot_side: Side
    concordant: int
    discordant: int
    correlation: float | None
    p_value: float | None
    sentence: str
    notes: tuple[str, ...]


def rank_ligands(rows: Sequence[LigandRow]) -> tuple[RankAnswer, ...]:
    """Answer for each measure of a shell and of dots that two ligands or more have."""
    answers = (_rank(rows, shell, dots) for shell in SHELL for dots in DOTS)
    return tuple(answer for answer in answers if answer is not None)


def write_verdict(answers: Sequence[RankAnswer]) -> str:
    """Answer the question of blinking in a sentence or two, over all measures of the shell."""
    blinking = [answer for answer in answers if answer.dots in (ON_FRACTION, MANDEL_Q)]
    if not blinking:
        return f"{QUESTION} It cannot be asked: no two ligands have a shell and dots to compare."
    parts = [QUESTION]
    pairs = [answer for answer in blinking if len(answer.ligands) < FEWEST_LIGANDS]
    series = [answer for answer in blinking if len(answer.ligands) >= FEWEST_LIGANDS]
    if pairs:
        names = dict.fromkeys(" and ".join(answer.ligands) for answer in pairs)
        parts.append(
            f"Two ligands ({'; '.join(names)}) cannot decide it; the direction is "
            f"{_join_directions(pairs)}."
        )
    if series:
        parts.append(f"From three ligands and more: {_join_directions(series)}.")
    return " ".join(parts)


def _join_directions(answers: Sequence[RankAnswer]) -> str:
    """Say which way each measure of the shell points, and γ where there is one."""
    found: dict[str, list[str]] = {}
    for shell in dict.fromkeys(answer.shell for answer in answers):
        group = [answer for answer in answers if answer.shell == shell]
        directions = {_find_direction(answer) for answer in group}
        direction = directions.pop() if len(directions) == 1 else "both ways"
        numbers = [
            f"{answer.dots}: γ = {answer.correlation:+.2f}, p = {answer.p_value:.2g}, "
            f"{len(answer.ligands)} ligands"
            for answer in group
            if answer.correlation is not None
        ]
        found.setdefault(direction, []).append(
            shell + (f" ({'; '.join(numbers)})" if numbers else "")
        )
    return "; ".join(f"{direction} by {', '.join(names)}" for direction, names in found.items())


def _find_direction(answer: RankAnswer) -> str:
    if answer.concordant == answer.discordant:
        return "open"
    return "yes" if answer.concordant > answer.discordant else "no"


def _rank(rows: Sequence[LigandRow], shell: str, dots: str) -> RankAnswer | None:
    """Answer by one measure of each; None below two ligands."""
    found, sides = _collect(rows, shell, dots)
    if len(found) < 2:
        return None
    shells = tuple(one for _, one, _ in found)
    outcomes = tuple(one for _, _, one in found)
    left, right = SHELL[shell] * _order(shells), DOTS[dots] * _order(outcomes)
    agreement = left * right
    concordant, discordant = int((agreement > 0).sum()) // 2, int((agreement < 0).sum()) // 2
    correlation = p_value = None
    if len(found) >= FEWEST_LIGANDS and concordant + discordant:
        correlation = (concordant - discordant) / (concordant + discordant)
        p_value = _permute(left, right)
    answer = RankAnswer(
        shell=shell,
        dots=dots,
        ligands=tuple(ligand for ligand, _, _ in found),
        shell_entries=shells,
        dot_entries=outcomes,
        shell_side=sides[0],
        dot_side=sides[1],
        concordant=concordant,
        discordant=discordant,
        correlation=correlation,
        p_value=p_value,
        sentence="",
        notes=_list_notes(shells, outcomes),
    )
    return replace(answer, sentence=_write_sentence(answer))


def _collect(
    rows: Sequence[LigandRow], shell: str, dots: str
) -> tuple[list[tuple[str, Entry, Entry]], tuple[Side, Side]]:
    """Take both entries of each ligand, from the sides that give most ligands; own ones first."""
    best: list[tuple[str, Entry, Entry]] = []
    sides: tuple[Side, Side] = ("own", "own")
    for shell_side, dot_side in _SIDES:
        entries = [
            (row.ligand, of_shell, of_dots)
            for row in rows
            if (of_shell := _first(row, shell, shell_side)) is not None
            and (of_dots := _first(row, dots, dot_side)) is not None
        ]
        if len(entries) > len(best):
            best, sides = entries, (shell_side, dot_side)
    return best, sides


def _first(row: LigandRow, quantity: str, side: Side) -> Entry | None:
    cell = row.find(quantity)
    entries = cell.own if side == "own" else cell.published
    return entries[0] if entries else None


def _order(entries: Sequence[Entry]) -> NDArray[np.int64]:
    """Order of each pair, shape ``(n, n)``: 1 where row over column, 0 where not known."""
    return np.array([[_compare(one, other) for other in entries] for one in entries], np.int64)


def _compare(first: Entry, second: Entry) -> int:
    if isinstance(first, Observable) and isinstance(second, Observable):
        difference = first.value - second.value
        error = math.hypot(first.error or 0.0, second.error or 0.0)
        return 0 if abs(difference) <= error else (1 if difference > 0.0 else -1)
    (low, high), (other_low, other_high) = _span(first), _span(second)
    if low >= other_high:
        return 1
    return -1 if high <= other_low else 0


def _span(entry: Entry) -> tuple[float, float]:
    """All that an entry may be: value ± error, or what a limit allows."""
    if isinstance(entry, Observable):
        error = entry.error or 0.0
        return entry.value - error, entry.value + error
    return (-math.inf, entry.limit) if entry.relation == "<" else (entry.limit, math.inf)


def _permute(left: NDArray[np.int64], right: NDArray[np.int64]) -> float:
    """Share of the permutations with as large an excess of either kind of pairs."""
    size = len(left)
    if size <= ALL_PERMUTATIONS:
        orders = np.array(list(itertools.permutations(range(size))))
    else:
        draw = np.random.default_rng(0)
        orders = np.array([np.arange(size), *(draw.permutation(size) for _ in _DRAWS)])
    shuffled = right[orders[:, :, None], orders[:, None, :]]
    excess = np.abs((left * shuffled).sum(axis=(1, 2)))
    return float((excess >= abs(int((left * right).sum()))).mean())


def _write_sentence(answer: RankAnswer) -> str:
    size = len(answer.ligands)
    names = ", ".join(answer.ligands)
    steadier = f"{'larger' if DOTS[answer.dots] > 0 else 'smaller'} {answer.dots}"
    better = f"{'larger' if SHELL[answer.shell] > 0 else 'smaller'} {answer.shell}"
    if not answer.concordant + answer.discordant:
        return (
            f"Whether a {better} goes with a {steadier} is open: the order of no two of {names} is "
            "known in both."
        )
    if answer.correlation is not None and answer.p_value is not None:
        least = f"; of {size} it is never below {2 / math.factorial(size):.2g}"
        return (
            f"Over {size} ligands ({names}) a {better} goes with a {steadier} in "
            f"{answer.concordant} pairs and not in {answer.discordant}: "
            f"γ = {answer.correlation:+.2f}, p = {answer.p_value:.2g}"
            + (least if size < _NEVER_SIGNIFICANT else "")
            + "."
        )
    verb = "goes" if answer.concordant else "does not go"
    values = "; ".join(
        f"{name}: {_write(left)} and {_write(right)}"
        for name, left, right in zip(
            answer.ligands, answer.shell_entries, answer.dot_entries, strict=True
        )
    )
    return f"Two ligands cannot decide it; in these a {better} {verb} with a {steadier} ({values})."


def _write(entry: Entry) -> str:
    unit = "" if entry.unit == "1" else f" {entry.unit}"
    if isinstance(entry, Bound):
        return f"{entry.relation} {entry.limit:g}{unit}"
    return f"{entry.value:.3g}{unit}"


def _list_notes(shells: Sequence[Entry], outcomes: Sequence[Entry]) -> tuple[str, ...]:
    """Where the entries are from, if not all from one place, and what was assumed of each."""
    notes = [CARBONS_NOTE] if shells[0].quantity == CARBONS else []
    for entries in (shells, outcomes):
        sources = list(dict.fromkeys(entry.source for entry in entries))
        if len(sources) > 1:
            notes.append(f"{entries[0].quantity} is from different sources: {'; '.join(sources)}")
        notes += [f"{entry.label}: {text}" for entry in entries for text in entry.assumptions]
    return tuple(dict.fromkeys(notes))
