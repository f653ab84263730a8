"""Eigenvalues of a run, its frontier orbitals, and the file EIGENVAL.

The HOMO is the highest level, over all k-points, that is more than half full; the LUMO the lowest
of the others. With ``ISPIN`` 2 each spin channel has its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines.base import FrontierOrbitals
from qdcomp.engines.vasp.text_files import iterate_lines, read_finite, read_number
from qdcomp.errors import ParseError

_FRACTIONAL = 1e-3
"""Distance of an occupation from 0 and 1 above which smearing is said to matter."""


@dataclass(frozen=True)
class Bands:
    """Eigenvalues of one geometry.

    Attributes
    ----------
    energies_ev
        Shape ``(n_spins, n_kpoints, n_bands)`` [eV]; NaN where VASP wrote stars.
    occupations
        Filling of each level, from 0 to 1, same shape.
    """

    energies_ev: NDArray[np.float64]
    occupations: NDArray[np.float64]


@dataclass(frozen=True)
class FrontierLevels:
    """Frontier orbitals of one spin channel, and where they are in the bands.

    Attributes
    ----------
    orbitals
        Their energies.
    homo, lumo
        Numbers of k-point and band, from zero.
    """

    orbitals: FrontierOrbitals
    homo: tuple[int, int]
    lumo: tuple[int, int]


def find_frontier(bands: Bands) -> tuple[tuple[FrontierLevels, ...], tuple[str, ...]]:
    """Frontier orbitals of each spin channel.

    Returns
    -------
    One entry for each channel; none where a channel has no full or no empty level. What is to be
    said about them.
    """
    found = [
        _find_in_channel(energies, filling)
        for energies, filling in zip(bands.energies_ev, bands.occupations, strict=True)
    ]
    levels = tuple(channel for channel in found if channel is not None)
    if len(levels) < len(found):
        return (), (
            "a spin channel has no full or no empty level among the bands of the run, so no gap "
            "follows; compute more bands (nbands)",
        )
    filling = bands.occupations
    said = []
    if bool(((filling > _FRACTIONAL) & (filling < 1 - _FRACTIONAL)).any()):
        said.append(
            "occupations are fractional (smearing, or an odd number of electrons without spin): "
            "HOMO is the highest level more than half full"
        )
    overlap = min((channel.orbitals.gap_ev for channel in levels), default=0.0)
    if overlap < 0:
        said.append(
            f"full and empty levels overlap by {-overlap:.3f} eV over the k-points: a metal, "
            "without a gap"
        )
    return levels, tuple(said)


def read_eigenval(path: Path) -> Bands:
    """Read the file EIGENVAL.

    Raises
    ------
    ParseError
        It is missing, cut off, or of a VASP before 5.2.12, which wrote no occupations.
    """
    lines = _Lines(path)
    spins = lines.counts(4)[3]
    if spins not in (1, 2):
        raise lines.error(f"{spins} spins make no sense; expected 1 or 2")
    for _ in range(4):
        lines.next()
    _, n_kpoints, n_bands = lines.counts(3)
    if n_kpoints < 1 or n_bands < 1:
        raise lines.error(f"{n_kpoints} k-points and {n_bands} bands make no sense")
    table: list[list[list[float]]] = []
    for _ in range(n_kpoints):
        lines.next_with_text()
        table.append([lines.levels(spins) for _ in range(n_bands)])
    levels = np.moveaxis(np.array(table), 2, 0)
    return Bands(levels[:spins].copy(), levels[spins:].copy())


def _find_in_channel(
    energies: NDArray[np.float64], filling: NDArray[np.float64]
) -> FrontierLevels | None:
    full = filling > 0.5
    known = np.isfinite(energies)
    if not (full & known).any() or not (~full & known).any():
        return None
    homo = _locate(np.where(full & known, energies, -np.inf).argmax(), energies.shape)
    lumo = _locate(np.where(~full & known, energies, np.inf).argmin(), energies.shape)
    return FrontierLevels(
        FrontierOrbitals(float(energies[homo]), float(energies[lumo])), homo, lumo
    )


def _locate(index: np.intp, shape: tuple[int, ...]) -> tuple[int, int]:
    kpoint, band = np.unravel_index(index, shape)
    return int(kpoint), int(band)


class _Lines:
    """The lines of a file, with the number of the one at hand."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: Iterator[str] = iterate_lines(path)
        self._number = 0

    def next(self) -> str:
        self._number += 1
        line = next(self._lines, None)
        if line is None:
            raise self.error("ends before all k-points and bands are there; was VASP killed?")
        return line

    def next_with_text(self) -> str:
        while not (line := self.next()).strip():
            pass
        return line

    def counts(self, count: int) -> list[int]:
        """Whole numbers of the next line."""
        words = self._words(count)
        if not all(word.removeprefix("-").isdecimal() for word in words):
            raise self.error(f"expected {count} whole numbers, found {' '.join(words)[:60]!r}")
        return [int(word) for word in words]

    def levels(self, spins: int) -> list[float]:
        """Energies and occupations of the next line, without the number of the band."""
        words, where = self._words(1 + 2 * spins), (self._path, self._number)
        energies = [read_number(word, where) for word in words[1 : 1 + spins]]
        return energies + [read_finite(word, where) for word in words[1 + spins :]]

    def _words(self, count: int) -> list[str]:
        words = self.next().split()
        if len(words) != count:
            raise self.error(f"expected {count} numbers, found {' '.join(words)[:60]!r}")
        return words

    def error(self, message: str) -> ParseError:
        return ParseError(message, self._path, self._number)
