"""Shares of the atoms in chosen levels, from PROCAR."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines.vasp.text_files import iterate_lines
from qdcomp.errors import ParseError

PROCAR = "PROCAR"
"""Name of the file."""

Level = tuple[int, int, int]
"""Numbers of spin, k-point and band, from zero."""

_COUNTS = re.compile(r"#\s*of k-points:\s*(\d+)\s*# of bands:\s*(\d+)\s*# of ions:\s*(\d+)")
_KPOINT = re.compile(r"\s*k-point\s+(\d+)\s*:")
_BAND = re.compile(r"\s*band\s+(\d+)\s*#")


def read_populations(path: Path, levels: Collection[Level]) -> dict[Level, NDArray[np.float64]]:
    """Share of each atom in each of the levels, in the order of POSCAR.

    The projections on spheres around the atoms do not add up to one electron; they are scaled to
    do so.

    Returns
    -------
    Shares of shape ``(n_atoms,)`` that sum to one, for each level that the file has.

    Raises
    ------
    ParseError
        The file is missing, no PROCAR, or damaged.
    """
    reader = _Reader(path, frozenset(levels))
    for number, line in enumerate(iterate_lines(path), start=1):
        reader.take(line, number)
        if len(reader.found) == len(reader.wanted):
            break
    if reader.n_atoms == 0:
        raise ParseError("no PROCAR: it does not say its numbers of k-points, bands, ions", path, 1)
    return reader.found


class _Reader:
    def __init__(self, path: Path, wanted: frozenset[Level]) -> None:
        self.wanted = wanted
        self.found: dict[Level, NDArray[np.float64]] = {}
        self.n_atoms = 0
        self._path = path
        self._spin = -1
        self._kpoint = -1
        self._level: Level | None = None
        self._rows: list[float] | None = None

    def take(self, line: str, number: int) -> None:
        if self._rows is not None:
            self._take_row(line, number)
        elif line.startswith("#") and (match := _COUNTS.match(line)) is not None:
            self._spin += 1
            self.n_atoms = int(match[3])
        elif (match := _KPOINT.match(line)) is not None:
            self._kpoint = int(match[1]) - 1
        elif (match := _BAND.match(line)) is not None:
            level = (self._spin, self._kpoint, int(match[1]) - 1)
            self._level = level if level in self.wanted and level not in self.found else None
        elif self._level is not None and line.startswith("ion "):
            self._rows = []

    def _take_row(self, line: str, number: int) -> None:
        assert self._rows is not None and self._level is not None
        words = line.split()
        try:
            self._rows.append(float(words[-1]))
        except (IndexError, ValueError):
            raise ParseError(
                f"expected the share of atom {len(self._rows) + 1}, found {line.strip()[:60]!r}",
                self._path,
                number,
            ) from None
        if len(self._rows) == self.n_atoms:
            shares = np.array(self._rows)
            if shares.sum() > 0:
                self.found[self._level] = shares / shares.sum()
            self._rows = self._level = None
