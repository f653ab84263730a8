"""One time step of a trajectory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Frame:
    """One time step of a trajectory; what was not computed is None.

    Attributes
    ----------
    step
        Step number, one-based within a production run; step 0 is the starting structure.
    time_fs
        Time [fs].
    positions
        Cartesian coordinates [Å], shape ``(n_atoms, 3)``.
    velocities
        Velocities [Å/fs], shape ``(n_atoms, 3)``.
    forces
        Forces [eV/Å], shape ``(n_atoms, 3)``.
    potential_energy_ev, kinetic_energy_ev, conserved_energy_ev
        Energies [eV].
    temperature_k
        Instantaneous temperature [K].
    homo_ev, lumo_ev
        Frontier orbital energies [eV]; the smallest gap of the spin channels.
    homo_population, lumo_population
        Share of each atom in the orbital, shape ``(n_atoms,)``.
    """

    step: int
    time_fs: float
    positions: NDArray[np.float64]
    velocities: NDArray[np.float64] | None = None
    forces: NDArray[np.float64] | None = None
    potential_energy_ev: float | None = None
    kinetic_energy_ev: float | None = None
    conserved_energy_ev: float | None = None
    temperature_k: float | None = None
    homo_ev: float | None = None
    lumo_ev: float | None = None
    homo_population: NDArray[np.float64] | None = None
    lumo_population: NDArray[np.float64] | None = None
