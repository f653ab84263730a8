"""Basis set and pseudopotential of each element, from CP2K's data files where they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from qdcomp.engines.cp2k.basis_files import (
    DEFAULT_BASIS_FILES,
    count_functions,
    find_basis,
    find_entry,
)
from qdcomp.engines.cp2k.settings import FUNCTIONALS, Cp2kSettings
from qdcomp.errors import InputError

GHOST_SUFFIX = "_ghost"
"""What the kind of an atom without nucleus is called, after its element."""

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


_HARD = frozenset({"H", "C", "N", "O", "F"})
"""Elements with pseudopotentials so hard that they need a finer grid than Cs, Pb and Br."""

_HARD_CUTOFF_RY = 200.0
"""Cutoff [Ry] from which on their forces are right: those on methylammonium on a 1×1 slab sum up
to 8 eV/Å at 120 Ry, 1.5 at 160, 0.15 at 200 and 0.08 at 300."""


@dataclass(frozen=True)
class Species:
    """One kind of atom of a job.

    Attributes
    ----------
    symbol
        Chemical symbol.
    basis, potential
        Names in CP2K's data files.
    electrons
        Valence electrons; 0 of a ghost.
    basis_functions
        Basis functions per atom.
    basis_file
        File of the CP2K data folder that the basis set is in; empty in descriptions of jobs that
        name one file for all.
    ghost
        Whether it is basis functions without a nucleus.
    """

    symbol: str
    basis: str
    potential: str
    electrons: int
    basis_functions: int
    basis_file: str = ""
    ghost: bool = False

    @property
    def kind(self) -> str:
        """Name of the kind in the input."""
        return name_kind(self.symbol, ghost=self.ghost)


def name_kind(symbol: str, *, ghost: bool) -> str:
    """Name of a kind of atom in the input."""
    return symbol + GHOST_SUFFIX if ghost else symbol


def choose_species(
    atoms: Iterable[tuple[str, bool]], settings: Cp2kSettings, data_dir: Path | None
) -> tuple[tuple[Species, ...], tuple[str, ...]]:
    """Basis set and pseudopotential of each kind of atom, in order of first appearance.

    Parameters
    ----------
    atoms
        Chemical symbol of each atom, and whether it is a ghost.
    settings
        Settings of the job.
    data_dir
        CP2K's data folder; None where it is not known, so that names are taken as they are given.

    Returns
    -------
    The kinds, and what the user should know of their basis sets.

    Raises
    ------
    InputError
        An element without pseudopotential or basis set.
    """
    species = tuple(
        _choose(symbol, settings, data_dir, ghost=ghost) for symbol, ghost in dict.fromkeys(atoms)
    )
    return species, _name_replaced(species, settings)


def count_basis_functions(
    symbols: Sequence[str], ghost: Sequence[bool], species: Iterable[Species]
) -> int:
    """Count the basis functions of all atoms, ghosts among them."""
    functions = {(kind.symbol, kind.ghost): kind.basis_functions for kind in species}
    return sum(functions[atom] for atom in zip(symbols, ghost, strict=True))


def judge_basis(
    symbols: Iterable[str], settings: Cp2kSettings, *, has_lumo: bool
) -> tuple[str, ...]:
    """Say where the grid is too coarse for an element, or the basis has no empty orbital."""
    found = []
    hard = sorted(_HARD & set(symbols))
    if hard and settings.cutoff_ry < _HARD_CUTOFF_RY:
        found.append(
            f"a cutoff of {settings.cutoff_ry:g} Ry is too low for {', '.join(hard)}: forces are "
            f"wrong by more than 1 eV/Å; take {_HARD_CUTOFF_RY:g} Ry at the least, better 300"
        )
    if not has_lumo:
        found.append("the basis set has no orbital beyond the occupied ones: no LUMO and no gap")
    return tuple(found)


def _choose(symbol: str, settings: Cp2kSettings, data_dir: Path | None, *, ghost: bool) -> Species:
    potential = (settings.potential or {}).get(symbol) or _default_potential(symbol, settings)
    basis = settings.basis if isinstance(settings.basis, str) else settings.basis.get(symbol)
    if basis is None:
        raise InputError(f"cp2k setting 'basis' names no basis set for {symbol}")
    functions = _DZVP_FUNCTIONS.get(symbol, 13)
    automatic = settings.basis_file == "auto"
    file_name = DEFAULT_BASIS_FILES[0] if automatic else settings.basis_file
    if data_dir is not None:
        candidates = DEFAULT_BASIS_FILES if automatic else (file_name,)
        found = find_basis(data_dir, candidates, symbol, basis, other_range=automatic)
        basis, file_name, functions = found.name, found.file_name, count_functions(found.entry)
        find_entry(data_dir / settings.potential_file, symbol, potential)
    electrons = re.search(r"-q(\d+)$", potential)
    if electrons is None:
        raise InputError(
            f"cp2k setting 'potential': {potential!r} does not say how many electrons {symbol} "
            f"has; give the full name, for example GTH-PBE-q{_VALENCE.get(symbol, 4)}"
        )
    valence = 0 if ghost else int(electrons[1])
    return Species(symbol, basis, potential, valence, functions, file_name, ghost)


def _default_potential(symbol: str, settings: Cp2kSettings) -> str:
    if symbol not in _VALENCE:
        raise InputError(
            f"no pseudopotential is chosen for {symbol}; name one in the study: "
            f"engines: cp2k: potential: {{{symbol}: GTH-PBE-q…}}"
        )
    return f"GTH-{FUNCTIONALS[settings.functional]}-q{_VALENCE[symbol]}"


def _name_replaced(species: tuple[Species, ...], settings: Cp2kSettings) -> tuple[str, ...]:
    if not isinstance(settings.basis, str):
        return ()
    taken: dict[str, list[str]] = {}
    for kind in species:
        if kind.basis != settings.basis and kind.symbol not in taken.setdefault(kind.basis, []):
            taken[kind.basis].append(kind.symbol)
    return tuple(
        f"CP2K has no {settings.basis} for {', '.join(symbols)}, which take {name}"
        for name, symbols in taken.items()
    )
