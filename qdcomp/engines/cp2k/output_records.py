"""What is read from the main output of CP2K: one record per geometry, one for the run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines.base import FrontierOrbitals


@dataclass(frozen=True)
class OutputStep:
    """One geometry in the main output.

    Attributes
    ----------
    number
        Number of the time or geometry step; 0 for the starting structure or a single point.
    energy_ev
        Ground-state energy [eV]; None where the run stopped before.
    scf_converged
        Whether every self-consistent field of the step converged; None where it does not say.
    scf_steps
        Iterations of its last self-consistent field.
    frontier
        Frontier orbitals, one entry per spin; empty where not printed.
    forces
        Forces [eV/Å], shape ``(n_atoms, 3)``; None where not printed.
    max_force_ev_per_angstrom
        Largest force component that a relaxation reports [eV/Å].
    time_fs, temperature_k
        Time [fs] and instantaneous temperature [K] of a step of dynamics.
    potential_energy_ev, kinetic_energy_ev, conserved_energy_ev
        Energies of a step of dynamics [eV].
    excited_energy_ev
        Energy of the excited state [eV], where that is what CP2K calls the total energy.
    run
        Number of the run in the file, from 1.
    warnings
        What the user should know about this geometry.
    """

    number: int
    energy_ev: float | None = None
    scf_converged: bool | None = None
    scf_steps: int | None = None
    frontier: tuple[FrontierOrbitals, ...] = ()
    forces: NDArray[np.float64] | None = None
    max_force_ev_per_angstrom: float | None = None
    time_fs: float | None = None
    temperature_k: float | None = None
    potential_energy_ev: float | None = None
    kinetic_energy_ev: float | None = None
    conserved_energy_ev: float | None = None
    excited_energy_ev: float | None = None
    run: int = 1
    warnings: tuple[str, ...] = ()

    def without_forces(self) -> OutputStep:
        """Return the same record without its largest part."""
        return replace(self, forces=None)


@dataclass
class OutputHeader:
    """What the head of an output says about the run.

    Attributes
    ----------
    version
        Version of CP2K.
    run_type
        What was asked of it.
    n_atoms
        Number of atoms.
    uses_ot
        Whether orbitals are found by orbital transformation.
    warnings
        What the user should know.
    """

    version: str = "unknown"
    run_type: str = ""
    n_atoms: int | None = None
    uses_ot: bool = False
    warnings: list[str] = field(default_factory=list)

    @property
    def version_numbers(self) -> tuple[int, int] | None:
        """Version as numbers, (2023, 1)."""
        words = self.version.split(".")
        if len(words) < 2 or not (words[0].isdigit() and words[1].isdigit()):
            return None
        return int(words[0]), int(words[1])
