"""Vibrational frequencies in the main output: lines that start with ``VIB|``."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import ParseError
from qdcomp.units import BOHR_ANGSTROM, HARTREE_EV

MINIMUM_HEADING = "Minimum Structure - Energy and Forces"
"""Heading of the undisplaced structure, which comes after the displaced ones."""

_FREQUENCIES = "VIB|Frequency (cm^-1)"
_FORCE = re.compile(r"\s*VIB\|\s+[A-Z][A-Za-z_]*\s+(\S+)\s+(\S+)\s+(\S+)\s*$")


class VibrationBlock:
    """Takes the ``VIB|`` lines of one run."""

    def __init__(self) -> None:
        self.energy_hartree: float | None = None
        self._in_minimum = False
        self._forces: list[list[float]] = []
        self._frequencies: list[float] = []

    def open_minimum(self) -> None:
        """Begin with the undisplaced structure."""
        self._in_minimum = True

    def take(self, line: str, where: tuple[Path, int]) -> None:
        """Take a line that starts with ``VIB|``.

        Raises
        ------
        ParseError
            A number is none.
        """
        text = line.strip()
        if text.startswith(_FREQUENCIES):
            words = text.removeprefix(_FREQUENCIES).split()
            self._frequencies.extend(_read(word, where) for word in words)
        elif not self._in_minimum:
            return
        elif "Hessian" in text:
            self._in_minimum = False
        elif "Total energy:" in text:
            self.energy_hartree = _read(text.split()[-1], where)
        elif (row := _FORCE.match(line)) is not None and "ATOM" not in text:
            self._forces.append([_read(word, where) for word in row.groups()])

    def frequencies_per_cm(self) -> NDArray[np.float64] | None:
        """Give the frequencies [1/cm], imaginary ones negative; None where none were printed."""
        return np.array(self._frequencies) if self._frequencies else None

    def forces_ev_per_angstrom(self) -> NDArray[np.float64] | None:
        """Give the forces on the free atoms of the undisplaced structure [eV/Å], one a row."""
        if not self._forces:
            return None
        return np.array(self._forces) * HARTREE_EV / BOHR_ANGSTROM


def _read(word: str, where: tuple[Path, int]) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ParseError(
            f"expected a number, got {word!r}; the run has broken down or the file is damaged",
            *where,
        )
    return value
