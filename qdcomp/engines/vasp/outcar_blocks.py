"""The tables of an OUTCAR: eigenvalues, positions with forces, cell vectors, frequencies."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines.vasp.eigenvalues import Bands
from qdcomp.engines.vasp.text_files import Where, read_finite, read_number, require_volume
from qdcomp.errors import ParseError

_VECTOR = re.compile(r"-?\d+\.\d{9}")
_FREQUENCY = re.compile(r"\s*\d+ f(/i| ) *= *\S+ THz +\S+ 2PiTHz +(\S+) cm-1")


class BandBlock:
    """The eigenvalues after ``E-fermi``, k-point by k-point, spin by spin."""

    def __init__(self) -> None:
        self.bands: Bands | None = None
        self._levels: list[list[list[tuple[float, float]]]] = [[]]

    def take(self, line: str, where: Where) -> bool:
        """Take a line; return whether the block goes on.

        Raises
        ------
        ParseError
            A level is no number, or its occupation not a finite one.
        """
        words = line.split()
        if not words:
            return True
        if len(words) == 3 and words[0].isdecimal():
            if self._levels[-1]:
                level = (read_number(words[1], where), read_finite(words[2], where))
                self._levels[-1][-1].append(level)
        elif words[0] == "k-point":
            self._levels[-1].append([])
        elif words[0] == "spin":
            if self._levels[-1]:
                self._levels.append([])
        elif words[0].startswith("-----"):
            self._close()
            return False
        return True

    def _close(self) -> None:
        try:
            table = np.array(self._levels, dtype=np.float64)
        except ValueError:
            return  # lists of different lengths: lines were lost
        if table.ndim == 4 and table.size:
            full = 2.0 if len(table) == 1 else 1.0
            self.bands = Bands(table[..., 0], table[..., 1] / full)


class ForceTable:
    """The table ``POSITION … TOTAL-FORCE``, between its rules.

    Parameters
    ----------
    n_atoms
        Number of rows that it has to have; 0 where it is not known.
    """

    def __init__(self, n_atoms: int) -> None:
        self._n_atoms = n_atoms
        self.positions: NDArray[np.float64] | None = None
        self.forces: NDArray[np.float64] | None = None
        self._rows: list[list[float]] = []
        self._rules = 0

    def take(self, line: str, where: Where) -> bool:
        """Take a line; return whether the table goes on.

        Raises
        ------
        ParseError
            A row has no six numbers, or there is not a row for each atom.
        """
        if line.startswith(" -----"):
            self._rules += 1
            if self._rules == 1:
                return True
            if self._n_atoms and len(self._rows) != self._n_atoms:
                raise ParseError(
                    f"the table of forces has {len(self._rows)} rows for {self._n_atoms} atoms; "
                    "lines were lost",
                    *where,
                )
            table = np.array(self._rows, dtype=np.float64).reshape(-1, 6)
            self.positions, self.forces = table[:, :3].copy(), table[:, 3:].copy()
            return False
        self._rows.append(_read_row(line, where))
        return True


class CellTable:
    """The cell vectors, three lines of direct and reciprocal ones."""

    def __init__(self) -> None:
        self.cell: NDArray[np.float64] | None = None
        self._rows: list[list[float]] = []

    def take(self, line: str, where: Where) -> bool:
        """Take a line; return whether the table goes on.

        Raises
        ------
        ParseError
            The vectors span no volume.
        """
        found = _VECTOR.findall(line)
        if len(found) != 6:
            return False
        self._rows.append([float(word) for word in found[:3]])
        if len(self._rows) < 3:
            return True
        self.cell = np.array(self._rows)
        require_volume(self.cell, where)
        return False


def read_frequency(line: str, where: Where) -> float | None:
    """Frequency [1/cm] of a line of the table of modes, negative where imaginary; else None.

    Raises
    ------
    ParseError
        It is no number.
    """
    match = _FREQUENCY.match(line)
    if match is None:
        return None
    value = read_finite(match[2], where)
    return -value if match[1] == "/i" else value


def _read_row(line: str, where: Where) -> list[float]:
    words = line.split()
    try:
        row = [float(word) for word in words]
    except ValueError:
        row = []
    if len(row) != 6 or not np.isfinite(row).all():
        raise ParseError(
            f"expected a position and a force, found {' '.join(words)[:80]!r}; stars are numbers "
            "too large for their columns, as when atoms are on top of each other",
            *where,
        )
    return row
