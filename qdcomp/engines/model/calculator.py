"""The surrogate as an ASE calculator, and what the trajectory-free route needs of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from numpy.typing import NDArray

from qdcomp.engines.base import FrontierOrbitals
from qdcomp.engines.model.force_field import (
    ForceField,
    build_force_field,
    compute_energy_and_forces,
    compute_hessian,
)
from qdcomp.engines.model.frontier import FrontierLevels, count_levels, find_frontier
from qdcomp.engines.model.parameters import DEFAULT_PARAMETERS, ModelParameters, read_parameters
from qdcomp.engines.model.tight_binding import (
    Hamiltonian,
    OrbitalLayout,
    build_hamiltonian,
    build_layout,
    compute_atom_populations,
    compute_level_gradient,
)

DEGENERACY_EV = 1e-3
"""Spacing of levels below which a gradient of the gap is called ill defined [eV]."""


@dataclass(frozen=True)
class GapGradient:
    """Gap and its derivative with respect to the positions.

    Attributes
    ----------
    gap_ev
        LUMO − HOMO [eV].
    gradient
        ∂U/∂r [eV/Å], shape ``(n_atoms, 3)``.
    homo_degeneracy, lumo_degeneracy
        Levels within 1 meV of HOMO and LUMO, themselves included.
    warnings
        Says where a level is degenerate and the gradient therefore ill defined.
    """

    gap_ev: float
    gradient: NDArray[np.float64]
    homo_degeneracy: int
    lumo_degeneracy: int
    warnings: tuple[str, ...]


class ModelCalculator(Calculator):
    """Rigid-ion force field with sp³ tight binding for non-periodic dots.

    Parameters
    ----------
    charge
        Total charge [e]: decides how many orbitals are filled. The ions' own charges are fixed
        by the parameters, so forces do not depend on it.
    parameters
        A parameter set, or its name or path.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "forces"]

    def __init__(
        self, charge: int, parameters: ModelParameters | str = DEFAULT_PARAMETERS, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.charge = charge
        self.model_parameters = (
            read_parameters(parameters) if isinstance(parameters, str) else parameters
        )
        self._symbols: tuple[str, ...] = ()
        self._force_field: ForceField | None = None
        self._layout: OrbitalLayout | None = None
        self._last_levels: tuple[float, float] | None = None

    def _set_symbols(self, symbols: Sequence[str]) -> None:
        if self._symbols != tuple(symbols):
            self._symbols = tuple(symbols)
            self._force_field = None
            self._layout = None
            self._last_levels = None

    def force_field(self, atoms: Atoms) -> ForceField:
        """Force field of these atoms.

        Raises
        ------
        InputError
            If an element has no parameters.
        """
        self._set_symbols(atoms.get_chemical_symbols())
        if self._force_field is None:
            self._force_field = build_force_field(self._symbols, self.model_parameters)
        return self._force_field

    def hamiltonian(self, atoms: Atoms) -> Hamiltonian:
        """Tight-binding Hamiltonian of these atoms.

        Raises
        ------
        InputError
            If an element has no parameters, or the number of electrons is odd.
        """
        self._set_symbols(atoms.get_chemical_symbols())
        if self._layout is None:
            self._layout = build_layout(self._symbols, self.charge, self.model_parameters)
        return build_hamiltonian(self._layout, atoms.get_positions())

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """Fill ``results`` with energy [eV] and forces [eV/Å]; called by ASE.

        Raises
        ------
        InputError
            If an element has no parameters.
        """
        super().calculate(atoms, properties, system_changes)
        energy, forces = compute_energy_and_forces(
            self.force_field(self.atoms), self.atoms.get_positions()
        )
        self.results = {"energy": energy, "free_energy": energy, "forces": forces}

    def remember_levels(self, homo_ev: float, lumo_ev: float) -> None:
        """Start the next search for the gap between these energies [eV]."""
        self._last_levels = (homo_ev, lumo_ev)

    def frontier_levels(self, atoms: Atoms) -> tuple[Hamiltonian, FrontierLevels]:
        """Hamiltonian, and its HOMO and LUMO with their vectors.

        Raises
        ------
        InputError
            If an element has no parameters, or the number of electrons is odd.
        """
        hamiltonian = self.hamiltonian(atoms)
        levels = find_frontier(hamiltonian, self._last_levels)
        self._last_levels = (levels.homo_ev, levels.lumo_ev)
        return hamiltonian, levels

    def frontier_orbitals(self, atoms: Atoms) -> FrontierOrbitals:
        """HOMO and LUMO with their share on each atom.

        The shares are those of one eigenvector; within a degenerate level (exact cubic symmetry)
        which one is arbitrary.

        Raises
        ------
        InputError
            If an element has no parameters, or the number of electrons is odd.
        """
        hamiltonian, levels = self.frontier_levels(atoms)
        return FrontierOrbitals(
            homo_ev=levels.homo_ev,
            lumo_ev=levels.lumo_ev,
            homo_population=compute_atom_populations(hamiltonian.layout, levels.homo_vector),
            lumo_population=compute_atom_populations(hamiltonian.layout, levels.lumo_vector),
        )

    def gap_gradient(self, atoms: Atoms) -> NDArray[np.float64]:
        """Compute the derivative of the gap with respect to positions [eV/Å], ``(n_atoms, 3)``."""
        return compute_gap_gradient(atoms, self).gradient


def compute_gap_gradient(atoms: Atoms, calculator: ModelCalculator) -> GapGradient:
    """Gap gradient by the Hellmann–Feynman theorem, with a warning where it is ill defined.

    At cubic symmetry the LUMO (Pb p) is threefold degenerate: any displacement splits it, the
    lowest branch has a kink, and no gradient exists.

    Raises
    ------
    InputError
        If an element has no parameters, or the number of electrons is odd.
    """
    hamiltonian, levels = calculator.frontier_levels(atoms)
    gradient = compute_level_gradient(hamiltonian, levels.lumo_vector) - compute_level_gradient(
        hamiltonian, levels.homo_vector
    )
    degeneracy = {
        name: count_levels(hamiltonian, energy - DEGENERACY_EV, energy + DEGENERACY_EV)
        for name, energy in (("HOMO", levels.homo_ev), ("LUMO", levels.lumo_ev))
    }
    warnings = tuple(
        f"{count} orbitals lie within 1 meV of the {name}: the gap has a kink here and its "
        "gradient, taken for one of them, is ill defined; relax the structure from a rattled "
        "start so that it leaves the symmetric geometry"
        for name, count in degeneracy.items()
        if count > 1
    )
    return GapGradient(
        gap_ev=levels.lumo_ev - levels.homo_ev,
        gradient=gradient,
        homo_degeneracy=degeneracy["HOMO"],
        lumo_degeneracy=degeneracy["LUMO"],
        warnings=warnings,
    )


def compute_model_hessian(
    atoms: Atoms, parameters: ModelParameters | str = DEFAULT_PARAMETERS
) -> NDArray[np.float64]:
    """Second derivatives of the energy [eV/Å²], shape ``(3 n_atoms, 3 n_atoms)``, analytic.

    Raises
    ------
    InputError
        If an element has no parameters.
    """
    if isinstance(parameters, str):
        parameters = read_parameters(parameters)
    field = build_force_field(atoms.get_chemical_symbols(), parameters)
    return compute_hessian(field, atoms.get_positions())
