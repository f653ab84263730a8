"""Frontier orbitals from the eigenvalues that CP2K prints, whichever printer wrote them.

Three printers are understood, per spin:

- ``&MO_CUBES`` (and ``&PDOS``): ``Eigenvalues of the occupied subspace``, then
  ``Lowest eigenvalues of the unoccupied subspace``;
- ``&MO`` from 8.2 on: lines that start with ``MO|``;
- ``&MO`` before: ``MO EIGENVALUES AND MO OCCUPATION NUMBERS``.

With k-points ``&MO`` prints a list for each: the HOMO is the highest of all, the LUMO the lowest.

Traps that are looked for: a list of occupied orbitals only has no LUMO, and its last two entries
are no gap; with smearing the Fermi energy is not the HOMO, which is the last orbital more than half
full; from 8.2 to 2024.1 ``&MO`` with OT and ``MO_INDEX_RANGE`` printed wrong empty orbitals (cp2k
issue 3217, repaired by pull request 3230).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from qdcomp.engines.base import FrontierOrbitals
from qdcomp.units import HARTREE_EV

_MO_HEADING = re.compile(
    r"(?:MO\| )?\s*(ALPHA |BETA )?(?:MO )?EIGENVALUES,? AND (?:MO )?OCCUPATION NUMBERS"
    r"(?: FOR K POINT +(\d+))?"
)
_MO_ROW = re.compile(r"(?:MO\|)?\s*(\d+)\s+(-?\d+\.\d+)(?:\s+(-?\d+\.\d+))?\s+(\d+\.\d+)\s*$")
_MO_RULE = re.compile(r"(?:MO\||#)?\s*(?:MO index.*|Index.*)?$")
_MO_END = re.compile(r"Sum|E\(Fermi\)|Band gap|Fermi energy|HOMO-LUMO gap", re.IGNORECASE)
_OCCUPIED = re.compile(r"Eigenvalues of the occupied subspace spin\s+(\d)")
_EMPTY = re.compile(r"Lowest eigenvalues of the unoccupied subspace spin\s+(\d)", re.IGNORECASE)
_NUMBERS = re.compile(r"(?:\s+-?\d+\.\d+)+\s*$")

_FIRST_WRONG_RANGE = (8, 2)
_LAST_WRONG_RANGE = (2024, 1)


@dataclass
class _Channel:
    occupied: list[float] = field(default_factory=list)
    empty: list[float] = field(default_factory=list)
    listed: list[list[tuple[float, float]]] = field(default_factory=list)


@dataclass(frozen=True)
class FrontierReading:
    """Frontier orbitals of one geometry and what was noticed about them.

    Attributes
    ----------
    channels
        One entry per spin with a HOMO and a LUMO.
    warnings
        Why there are fewer than expected, or why one is in doubt.
    """

    channels: tuple[FrontierOrbitals, ...]
    warnings: tuple[str, ...]


class OrbitalCollector:
    """Takes the lines of an output one after another and keeps the eigenvalues among them."""

    def __init__(self) -> None:
        self._channels: dict[int, _Channel] = {}
        self._target: list[float] | None = None
        self._listing: list[tuple[float, float]] | None = None

    @property
    def is_reading(self) -> bool:
        """Whether the next line may belong to a list that has begun."""
        return self._target is not None or self._listing is not None

    def take(self, line: str) -> bool:
        """Take a line; return whether it is part of, or opens, a list of eigenvalues."""
        if self._target is not None and self._take_values(line):
            return True
        if self._listing is not None and self._take_row(line):
            return True
        return self._open(line)

    def read(self, *, uses_ot: bool, version: tuple[int, int] | None) -> FrontierReading:
        """Frontier orbitals of what was taken so far."""
        channels: list[FrontierOrbitals] = []
        warnings: list[str] = []
        distrusted = uses_ot and version is not None and _is_wrong_range(version)
        for spin in sorted(self._channels):
            found, warning = _find_frontier(self._channels[spin], distrusted)
            if found is not None:
                channels.append(found)
            if warning and warning not in warnings:
                warnings.append(warning)
        if 0 < len(channels) < len(self._channels):
            channels.clear()
            warnings.append("one spin has no LUMO; no gap is taken from the other alone")
        return FrontierReading(tuple(channels), tuple(warnings))

    def _open(self, line: str) -> bool:
        if (match := _OCCUPIED.search(line)) is not None:
            channel = self._channels.setdefault(int(match[1]), _Channel())
            channel.occupied = self._target = []
        elif (match := _EMPTY.search(line)) is not None:
            channel = self._channels.setdefault(int(match[1]), _Channel())
            channel.empty = self._target = []
        elif "EIGENVALUES" in line and (match := _MO_HEADING.search(line)) is not None:
            spin = 2 if (match[1] or "").startswith("BETA") else 1
            channel = self._channels.setdefault(spin, _Channel())
            self._listing = []
            if match[2] is None or match[2] == "1":
                channel.listed = []
            channel.listed.append(self._listing)
        else:
            return False
        return True

    def _take_values(self, line: str) -> bool:
        assert self._target is not None
        if _NUMBERS.match(line):
            self._target.extend(float(word) for word in line.split())
            return True
        opens = _OCCUPIED.search(line) or _EMPTY.search(line)
        if not self._target and not opens:
            return True  # rules, convergence of the eigensolver, words of a GPU library
        self._target = None
        return "Fermi Energy" in line

    def _take_row(self, line: str) -> bool:
        assert self._listing is not None
        stripped = line.strip()
        if (match := _MO_ROW.match(stripped)) is not None:
            self._listing.append((float(match[2]), float(match[4])))
            return True
        if _MO_RULE.match(stripped) and not (self._listing and not stripped):
            return True
        ended = bool(_MO_END.search(stripped))
        if not ended:
            self._listing = None
        return ended


def _find_frontier(
    channel: _Channel, distrusted: bool
) -> tuple[FrontierOrbitals | None, str | None]:
    if channel.occupied and channel.empty:
        return _frontier(channel.occupied[-1], channel.empty[0]), None
    if channel.listed:
        return join_kpoints(
            [
                select_frontier(
                    [energy for energy, _ in orbitals],
                    [occupation for _, occupation in orbitals],
                    distrust_empty=distrusted,
                )
                for orbitals in channel.listed
                if orbitals
            ]
        )
    if channel.occupied:
        return None, "only occupied orbitals are printed, so there is no LUMO and no gap"
    return None, None


def select_frontier(
    energies: Sequence[float], occupations: Sequence[float], *, distrust_empty: bool = False
) -> tuple[FrontierOrbitals | None, str | None]:
    """HOMO and LUMO of a list of orbitals of one spin.

    Parameters
    ----------
    energies
        Orbital energies [Ha], ascending.
    occupations
        Electrons in each.
    distrust_empty
        Whether the empty ones may be wrong, and are not to be used.

    Returns
    -------
    The frontier orbitals, None where they are not in the list, and what is to be said about them.
    """
    full = 2.0 if max(occupations) > 1.5 else 1.0
    filled = [index for index, electrons in enumerate(occupations) if electrons > full / 2]
    if not filled:
        return None, "only empty orbitals are printed, so there is no HOMO and no gap"
    if filled[-1] + 1 == len(energies):
        return None, "only occupied orbitals are printed, so there is no LUMO and no gap"
    if distrust_empty:
        return None, (
            "the empty orbitals of &MO with OT are wrong in CP2K 8.2 to 2024.1 (cp2k issue 3217) "
            "and were not used; print &MO_CUBES with WRITE_CUBE F, NHOMO 1, NLUMO 1 instead"
        )
    smeared = any(1e-6 < electrons < full - 1e-6 for electrons in occupations)
    warning = (
        "occupations are fractional (smearing): HOMO is the last orbital more than half full"
        if smeared
        else None
    )
    return _frontier(energies[filled[-1]], energies[filled[-1] + 1]), warning


def join_kpoints(
    found: Sequence[tuple[FrontierOrbitals | None, str | None]],
) -> tuple[FrontierOrbitals | None, str | None]:
    """HOMO and LUMO over all k-points, from those of each and what is to be said about each."""
    said = next((warning for _, warning in found if warning is not None), None)
    orbitals = [frontier for frontier, _ in found if frontier is not None]
    if not orbitals or len(orbitals) < len(found):
        return None, said
    homo = max(frontier.homo_ev for frontier in orbitals)
    return FrontierOrbitals(homo, min(frontier.lumo_ev for frontier in orbitals)), said


def _frontier(homo: float, lumo: float) -> FrontierOrbitals:
    return FrontierOrbitals(homo * HARTREE_EV, lumo * HARTREE_EV)


def _is_wrong_range(version: tuple[int, int]) -> bool:
    return _FIRST_WRONG_RANGE <= version <= _LAST_WRONG_RANGE
