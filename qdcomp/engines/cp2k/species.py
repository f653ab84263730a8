"""Valence electrons and basis functions per element, from CP2K's data files where they are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from qdcomp.engines.cp2k.settings import FUNCTIONALS, Cp2kSettings
from qdcomp.errors import InputError

_VALENCE = {
    "H": 1, "C": 4, "N": 5, "O": 6, "F": 7, "P": 5, "S": 6, "Cl": 7, "Ca": 10, "Br": 7,
    "Sn": 4, "I": 7, "Cs": 9, "Pb": 4,
}  # fmt: skip
"""Electrons of the GTH pseudopotential used for each element (``GTH_POTENTIALS`` of CP2K)."""

_DZVP_FUNCTIONS = {
    "H": 5, "C": 13, "N": 13, "O": 13, "F": 13, "P": 13, "S": 13, "Cl": 13, "Ca": 14, "Br": 13,
    "Sn": 13, "I": 13, "Cs": 14, "Pb": 13,
}  # fmt: skip
"""Functions of DZVP-MOLOPT-SR-GTH, for estimates where CP2K's data files are not at hand."""


@dataclass(frozen=True)
class Species:
    """One element of a job.

    Attributes
    ----------
    symbol
        Chemical symbol.
    basis, potential
        Names in CP2K's data files.
    electrons
        Valence electrons.
    basis_functions
        Basis functions per atom.
    """

    symbol: str
    basis: str
    potential: str
    electrons: int
    basis_functions: int


def choose_species(
    symbols: Iterable[str], settings: Cp2kSettings, data_dir: Path | None
) -> tuple[Species, ...]:
    """Basis set and pseudopotential of each element, in order of first appearance.

    Raises
    ------
    InputError
        An element without pseudopotential or basis set.
    """
    return tuple(_choose(symbol, settings, data_dir) for symbol in dict.fromkeys(symbols))


def _choose(symbol: str, settings: Cp2kSettings, data_dir: Path | None) -> Species:
    potential = (settings.potential or {}).get(symbol) or _default_potential(symbol, settings)
    basis = settings.basis if isinstance(settings.basis, str) else settings.basis.get(symbol)
    if basis is None:
        raise InputError(f"cp2k setting 'basis' names no basis set for {symbol}")
    functions = _DZVP_FUNCTIONS.get(symbol, 13)
    if data_dir is not None:
        functions = _count_functions(_find_entry(data_dir / settings.basis_file, symbol, basis))
        _find_entry(data_dir / settings.potential_file, symbol, potential)
    electrons = re.search(r"-q(\d+)$", potential)
    if electrons is None:
        raise InputError(
            f"cp2k setting 'potential': {potential!r} does not say how many electrons {symbol} "
            f"has; give the full name, for example GTH-PBE-q{_VALENCE.get(symbol, 4)}"
        )
    return Species(symbol, basis, potential, int(electrons[1]), functions)


def _default_potential(symbol: str, settings: Cp2kSettings) -> str:
    if symbol not in _VALENCE:
        raise InputError(
            f"no pseudopotential is chosen for {symbol}; name one in the study: "
            f"engines: cp2k: potential: {{{symbol}: GTH-PBE-q…}}"
        )
    return f"GTH-{FUNCTIONALS[settings.functional]}-q{_VALENCE[symbol]}"


def _find_entry(path: Path, symbol: str, name: str) -> list[str]:
    """Lines that follow the heading of an entry of a CP2K data file."""
    if not path.is_file():
        raise InputError(f"CP2K's data folder {path.parent} has no file {path.name}")
    with path.open(errors="replace") as stream:
        for line in stream:
            words = line.split()
            if words[:1] == [symbol] and name in words[1:]:
                return [text for _, text in zip(range(60), stream, strict=False)]
    raise InputError(
        f"{path.name} in {path.parent} has no {name!r} for {symbol}; choose another in the study "
        "(engines: cp2k: basis or potential)"
    )


def _count_functions(entry: list[str]) -> int:
    sets, line, total = int(entry[0]), 1, 0
    for _ in range(sets):
        numbers = [int(word) for word in entry[line].split()]
        lowest, exponents = numbers[1], numbers[3]
        total += sum(
            shells * (2 * (lowest + index) + 1) for index, shells in enumerate(numbers[4:])
        )
        line += 1 + exponents
    return total
