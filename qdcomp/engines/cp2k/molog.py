"""MOLog files: orbital energies and occupations that CP2K's ``&MO`` printer writes to a file.

Read in the form before 8.2 (``MO EIGENVALUES, MO OCCUPATION NUMBERS, …``) and after (lines that
start with ``MO|``). Coefficients are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines.base import FrontierOrbitals
from qdcomp.engines.cp2k.orbitals import join_kpoints, select_frontier
from qdcomp.errors import ParseError
from qdcomp.units import HARTREE_EV

_HEADING = re.compile(
    r"^(?:MO\|)?\s*(ALPHA |BETA )?(?:MO )?EIGENVALUES,? (?:AND )?(?:MO )?OCCUPATION NUMBERS"
    r"(?:.*FOR K POINT +(\d+))?"
)
_GAP = re.compile(r"HOMO-LUMO gap:\s+(-?\d+\.\d+)|Band gap:\s+(-?\d+\.\d+) a\.u\.")


@dataclass(frozen=True)
class OrbitalList:
    """Orbitals of one spin, and of one k-point where there are several.

    Attributes
    ----------
    spin
        ``""`` for doubly occupied orbitals, ``"ALPHA"`` or ``"BETA"``.
    indices
        Numbers of the orbitals, from 1.
    energies_ev
        Their energies [eV].
    occupations
        Electrons in each.
    gap_ev
        Gap that CP2K printed below the list [eV]; None where it did not.
    kpoint
        Number of the k-point, from 1.
    """

    spin: str
    indices: NDArray[np.int64]
    energies_ev: NDArray[np.float64]
    occupations: NDArray[np.float64]
    gap_ev: float | None
    kpoint: int = 1


@dataclass
class _Draft:
    spin: str
    kpoint: int
    indices: list[int] = field(default_factory=list)
    energies: list[float] = field(default_factory=list)
    occupations: list[float] = field(default_factory=list)
    gap: float | None = None

    @property
    def is_even(self) -> bool:
        return len(self.indices) == len(self.energies) == len(self.occupations) > 0


def read_molog(path: Path) -> tuple[OrbitalList, ...]:
    """Orbitals of the last geometry in a MOLog file, one list per spin and k-point.

    Raises
    ------
    ParseError
        No such file, no list in it, a list cut short, or one spin without the other.
    """
    lists: dict[tuple[str, int], _Draft] = {}
    for draft in _split(path):
        if not draft.is_even:
            raise ParseError(
                f"a list of orbitals is cut off ({len(draft.indices)} numbers, "
                f"{len(draft.energies)} energies, {len(draft.occupations)} occupations); "
                "was the run stopped while it wrote?",
                path,
            )
        lists[draft.spin, draft.kpoint] = draft
    if not lists:
        raise ParseError("holds no list of orbitals with a heading of CP2K's &MO printer", path)
    spins = {spin for spin, _ in lists}
    if ("ALPHA" in spins) != ("BETA" in spins):
        present, absent = ("ALPHA", "BETA") if "ALPHA" in spins else ("BETA", "ALPHA")
        raise ParseError(f"has a list for {present} and none for {absent}; it is cut off", path)
    return tuple(_build(lists[place]) for place in sorted(lists))


def read_molog_frontier(path: Path) -> tuple[tuple[FrontierOrbitals, ...], tuple[str, ...]]:
    """Frontier orbitals of a MOLog file, one per spin, and what is to be said about them.

    Raises
    ------
    ParseError
        As `read_molog`.
    """
    channels: list[FrontierOrbitals] = []
    warnings: list[str] = []
    lists = read_molog(path)
    for spin in dict.fromkeys(orbitals.spin for orbitals in lists):
        found, warning = join_kpoints(
            [_find_frontier(orbitals) for orbitals in lists if orbitals.spin == spin]
        )
        if found is not None:
            channels.append(found)
        if warning is not None:
            warnings.append(f"{path.name}: {warning}")
    return tuple(channels), tuple(dict.fromkeys(warnings))


def _find_frontier(orbitals: OrbitalList) -> tuple[FrontierOrbitals | None, str | None]:
    energies, gap = orbitals.energies_ev, orbitals.gap_ev
    if gap is not None and not orbitals.occupations.any():
        return FrontierOrbitals(float(energies[0]) - gap, float(energies[0])), None
    return select_frontier((energies / HARTREE_EV).tolist(), orbitals.occupations.tolist())


def _split(path: Path) -> Iterator[_Draft]:
    """Split a file into its lists; one repeated for the next geometry comes again."""
    draft: _Draft | None = None
    for line in _read_lines(path):
        heading = _HEADING.match(line)
        if heading is not None:
            if draft is not None:
                yield draft
            draft = _Draft((heading[1] or "").strip(), int(heading[2] or 1))
        elif draft is not None:
            _take(draft, line)
    if draft is not None:
        yield draft


def _take(draft: _Draft, line: str) -> None:
    gap = _GAP.search(line)
    if gap is not None:
        draft.gap = float(gap[1] or gap[2]) * HARTREE_EV
        return
    words = line.removeprefix("MO|").split()
    if words and all(word.isdecimal() for word in words):
        draft.indices.extend(int(word) for word in words)
    elif len(draft.occupations) < len(draft.indices):
        numbers = _read_numbers(words)
        if len(draft.energies) < len(draft.indices):
            draft.energies.extend(numbers)
        else:
            draft.occupations.extend(numbers)


def _read_numbers(words: list[str]) -> list[float]:
    try:
        return [float(word) for word in words]
    except ValueError:
        return []


def _read_lines(path: Path) -> Iterator[str]:
    if not path.is_file():
        raise ParseError("not there", path)
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            yield line.strip()


def _build(draft: _Draft) -> OrbitalList:
    return OrbitalList(
        spin=draft.spin,
        indices=np.array(draft.indices, dtype=np.int64),
        energies_ev=np.array(draft.energies) * HARTREE_EV,
        occupations=np.array(draft.occupations),
        gap_ev=draft.gap,
        kpoint=draft.kpoint,
    )
