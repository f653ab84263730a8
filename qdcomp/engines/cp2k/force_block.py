"""Forces in the main output, in the form up to 2024 and in that of 2025."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import ParseError
from qdcomp.units import BOHR_ANGSTROM, HARTREE_EV

_UNITS = {
    "a.u.": HARTREE_EV / BOHR_ANGSTROM,
    "hartree/bohr": HARTREE_EV / BOHR_ANGSTROM,
    "ev/angstrom": 1.0,
}
"""Units that CP2K prints forces in, in eV/Å."""

_OLD_ROW = re.compile(r"\s*(\d+)\s+\d+\s+\S+\s+(\S+)\s+(\S+)\s+(\S+)\s*$")
_NEW_ROW = re.compile(r"\s*FORCES\|\s+(\d+)\s+(\S+)\s+(\S+)\s+(\S+)\s+\S+\s*$")
_END = re.compile(r"\s*(SUM OF ATOMIC FORCES|FORCES\| (Sum|Total))")
_HEADING = re.compile(r"\s*(#.*|FORCES\|\s+Atom\s.*)?$")


class ForceBlock:
    """Takes the lines of one block of forces."""

    def __init__(self) -> None:
        self.is_reading = False
        self._factor = 1.0
        self._rows: list[list[float]] = []

    def open(self, line: str, where: tuple[Path, int]) -> None:
        """Begin a block with its heading, which names the unit.

        Raises
        ------
        ParseError
            The unit is not known.
        """
        unit = re.search(r"\[(.*?)\]", line)
        if unit is None or unit[1].lower() not in _UNITS:
            raise ParseError(
                f"forces in an unknown unit ({line.strip()}); expected {', '.join(_UNITS)}", *where
            )
        self._factor = _UNITS[unit[1].lower()]
        self._rows = []
        self.is_reading = True

    def take(self, line: str, where: tuple[Path, int]) -> bool:
        """Take a line; return whether it belonged to the block.

        Raises
        ------
        ParseError
            A force is no number, or the force on an atom is not there.
        """
        row = _OLD_ROW.match(line) or _NEW_ROW.match(line)
        if row is not None and not _END.match(line):
            if row[1] != str(len(self._rows) + 1):
                raise ParseError(
                    f"expected the force on atom {len(self._rows) + 1}, found that on atom "
                    f"{row[1]}; lines were lost",
                    *where,
                )
            self._rows.append([_read(word, where) for word in row.groups()[1:]])
            return True
        if _HEADING.match(line):
            return True
        self.is_reading = False
        return bool(_END.match(line))

    def forces_ev_per_angstrom(self) -> NDArray[np.float64] | None:
        """Give the forces [eV/Å], shape ``(n_atoms, 3)``; None where none were printed."""
        if not self._rows or self.is_reading:
            return None
        return np.array(self._rows) * self._factor


def _read(word: str, where: tuple[Path, int]) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ParseError(
            f"a force is no number: {word!r}; the run has broken down or the file is damaged",
            *where,
        )
    return value
