"""What an engine is: a code that takes a job directory from inputs to results.

Every engine, whatever it computes with, is used in the same five steps: `Engine.write_inputs`,
`Engine.restart_from` where a run goes on from another, `Engine.command` run in the job directory,
`Engine.parse`, and for dynamics `Engine.read_frames`. A job directory is self-contained: it can
be copied to another machine, run there and copied back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from qdcomp.trajectory import Frame

Task = Literal["energy", "relax", "dynamics", "vibrations"]
"""``vibrations``: harmonic frequencies of the free atoms, from finite displacements."""


@dataclass(frozen=True)
class RelaxationSettings:
    """How far a geometry is relaxed.

    Attributes
    ----------
    max_force_ev_per_angstrom
        Largest force component left on a free atom [eV/Å].
    max_steps
        Steps after which the relaxation counts as not converged.
    max_energy_change_ev
        Change of the energy between two steps below which the relaxation is converged [eV], in
        place of the force; None goes by the force. Not every engine offers it.
    """

    max_force_ev_per_angstrom: float = 0.024
    max_steps: int = 500
    max_energy_change_ev: float | None = None


@dataclass(frozen=True)
class DynamicsSettings:
    """One stretch of molecular dynamics.

    Attributes
    ----------
    temperature_k
        Temperature of the thermostat [K].
    timestep_fs
        Time step [fs].
    steps
        Number of steps.
    thermostat_time_fs
        Time constant of the CSVR (Bussi) thermostat [fs]; None runs without a thermostat.
    frontier_orbitals
        Whether HOMO and LUMO are computed at every step. Off while equilibrating.
    first_step
        Number of the step this stretch starts from; its frames carry
        ``first_step + 1 … first_step + steps``, so that segments join without a seam.
    """

    temperature_k: float
    timestep_fs: float
    steps: int
    thermostat_time_fs: float | None = 1000.0
    frontier_orbitals: bool = True
    first_step: int = 0


@dataclass(frozen=True)
class EngineJob:
    """One calculation, in the words of physics, before any code's input format.

    Attributes
    ----------
    task
        ``energy``, ``relax``, ``dynamics`` or ``vibrations``.
    atoms
        The structure; velocities, where it has them, start the dynamics. A dot or a molecule is
        not periodic and has no cell; a slab has one and repeats along x and y.
    charge
        Total charge [e].
    frozen
        Atoms held fixed, boolean array of shape ``(n_atoms,)``.
    box_angstrom
        Edge of the cubic box of a non-periodic system [Å]; None leaves the choice (edge of the
        dot + vacuum) to the engine, which reports it.
    settings
        The engine's own settings from the study, by name; each engine checks them itself.
    relaxation, dynamics
        What the task needs of them.
    seed
        Seed of initial velocities and of a stochastic thermostat.
    kpoints
        Monkhorst–Pack grid; ``(1, 1, 1)`` is the zone centre alone, as for all that is not
        periodic.
    ghost
        Atoms of which only the basis functions are there, for the counterpoise correction,
        boolean array of shape ``(n_atoms,)``; None where all atoms are real.
    dipole_correction
        Whether the field of a slab's dipole along z is compensated in the vacuum.
    """

    task: Task
    atoms: Atoms
    charge: int
    frozen: NDArray[np.bool_]
    box_angstrom: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    relaxation: RelaxationSettings | None = None
    dynamics: DynamicsSettings | None = None
    seed: int = 1
    kpoints: tuple[int, int, int] = (1, 1, 1)
    ghost: NDArray[np.bool_] | None = None
    dipole_correction: bool = False


@dataclass(frozen=True)
class FrontierOrbitals:
    """Energies of the highest occupied and lowest unoccupied orbital of one spin channel.

    Attributes
    ----------
    homo_ev, lumo_ev
        Orbital energies [eV].
    homo_population, lumo_population
        Share of each atom, shape ``(n_atoms,)``, summing to one; None where not computed.
    """

    homo_ev: float
    lumo_ev: float
    homo_population: NDArray[np.float64] | None = None
    lumo_population: NDArray[np.float64] | None = None

    @property
    def gap_ev(self) -> float:
        """LUMO − HOMO [eV]."""
        return self.lumo_ev - self.homo_ev


@dataclass(frozen=True)
class EngineResult:
    """What a job directory holds once a code has run in it.

    Attributes
    ----------
    engine, version
        Name of the engine and version of the code that ran.
    task
        The task the directory was written for.
    atoms
        Last structure, with velocities after dynamics.
    charge
        Total charge [e].
    energy_ev
        Potential energy of the last structure [eV]; None where not computed.
    forces_ev_per_angstrom
        Forces on it, shape ``(n_atoms, 3)`` [eV/Å]; None where not computed.
    frontier
        Frontier orbitals of the last structure, one entry per spin channel; empty where not
        computed.
    steps
        Geometry or time steps done.
    walltime_s
        Wall time of the code [s]; None where it does not say.
    unconverged_steps
        Steps whose self-consistent field did not converge.
    corrections
        What custodian's handlers changed, oldest first.
    warnings
        What the user should know.
    frequencies_per_cm
        Harmonic frequencies [1/cm] of a ``vibrations`` job, shape ``(n_modes,)``; an imaginary
        one is negative. None where not computed.
    level
        Level of theory: functional, dispersion, basis or cutoff, k-points, … by name. Energies
        of different levels do not go into one difference.
    """

    engine: str
    version: str
    task: Task
    atoms: Atoms
    charge: int
    energy_ev: float | None = None
    forces_ev_per_angstrom: NDArray[np.float64] | None = None
    frontier: tuple[FrontierOrbitals, ...] = ()
    steps: int = 0
    walltime_s: float | None = None
    unconverged_steps: tuple[int, ...] = ()
    corrections: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    frequencies_per_cm: NDArray[np.float64] | None = None
    level: Mapping[str, str] = field(default_factory=dict)

    @property
    def ends_unconverged(self) -> bool:
        """Whether the self-consistent field of the last step did not converge."""
        return bool(self.unconverged_steps) and self.unconverged_steps[-1] == self.steps


@dataclass(frozen=True)
class CostEstimate:
    """What a job is expected to take.

    Attributes
    ----------
    electrons
        Number of electrons the engine treats explicitly.
    memory_gib
        Peak memory [GiB].
    core_hours
        Core-hours of the whole job.
    basis
        What the numbers rest on, one sentence.
    error_factor
        How well the core-hours are known: about two in three jobs take between the core-hours
        divided by it and times it. 1 where nobody knows.
    """

    electrons: int
    memory_gib: float
    core_hours: float
    basis: str
    error_factor: float = 1.0

    @property
    def core_hours_range(self) -> tuple[float, float]:
        """Core-hours divided by the error factor, and times it."""
        return self.core_hours / self.error_factor, self.core_hours * self.error_factor


@runtime_checkable
class Engine(Protocol):
    """A code that computes energies, forces and frontier orbitals."""

    name: str
    """Name in studies and reports."""

    is_surrogate: bool
    """True where its numbers stand in for DFT's; reports then say so on every figure."""

    def check(self, job: EngineJob) -> None:
        """Refuse what this engine cannot compute, before any job starts.

        Raises
        ------
        InputError
            Unknown setting, element without parameters, box smaller than the dot, …
        EngineError
            The code is not installed.
        """

    def write_inputs(self, directory: Path, job: EngineJob) -> None:
        """Write the inputs of `job` into `directory` (which exists)."""

    def restart_from(self, directory: Path, previous: Path) -> tuple[str, ...]:
        """Let the run in `directory` go on from the finished or cut-off run in `previous`.

        Positions, velocities, thermostat state and wavefunction are taken over. `previous` may
        be `directory` itself: a run that was killed goes on where it stopped. A file that is
        damaged gives way to the one before it.

        Returns
        -------
        What was damaged and what was taken instead, a sentence each.
        """

    def command(self, directory: Path) -> list[str]:
        """Command to run in `directory`; its standard output goes to `output_name`."""

    def environment(self, directory: Path) -> dict[str, str]:
        """Environment variables that the command needs beside those of this process."""

    def request_stop(self, directory: Path) -> None:
        """Ask the run in `directory` to end soon, so that it can go on later.

        Steps that are done are kept. One under way is finished or left, as the code has it; a run
        that cannot go on later is left alone.
        """

    @property
    def output_name(self) -> str:
        """Name of the file that takes the standard output."""

    def count_steps(self, directory: Path) -> int:
        """Count the steps that the run in `directory` has done; cheap, for progress bars."""

    def is_complete(self, directory: Path) -> bool:
        """Whether the run in `directory` has done all its steps."""

    def parse(self, directory: Path) -> EngineResult:
        """Read what the run in `directory` computed.

        Raises
        ------
        ParseError
            An output is missing or is not what it should be.
        EngineError
            The code stopped with an error.
        """

    def read_frames(self, directory: Path) -> Iterator[Frame]:
        """Frames of the dynamics in `directory`, each step once, in order."""

    def handlers(self, directory: Path) -> Sequence[Any]:
        """Custodian handlers that may restart the run in `directory`."""

    def estimate_cost(self, job: EngineJob) -> CostEstimate:
        """Predict what `job` takes."""


class HarmonicResponse(Protocol):
    """Stiffness of a relaxed structure, and what its gap does when atoms move a little."""

    @property
    def atoms(self) -> Atoms:
        """The relaxed structure."""

    @property
    def frozen(self) -> NDArray[np.bool_]:
        """Atoms held fixed, shape ``(n_atoms,)``."""

    @property
    def hessian(self) -> NDArray[np.float64]:
        """Second derivatives of the energy [eV/Å²], shape ``(3 n_atoms, 3 n_atoms)``."""

    @property
    def smooth_gap_gradient(self) -> NDArray[np.float64] | None:
        """∂U/∂r [eV/Å], shape ``(n_atoms, 3)``; None where a level at the gap is degenerate."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know."""

    def sample_gap(
        self, temperature_k: float, timestep_fs: float, steps: int, seed: int
    ) -> NDArray[np.float64]:
        """Gap [eV] along the exact harmonic motion from a canonical draw, shape ``(steps,)``."""


@runtime_checkable
class HarmonicEngine(Protocol):
    """An engine that offers the route to the coupling without a trajectory."""

    def compute_harmonic_response(self, directory: Path) -> HarmonicResponse:
        """Response of the structure that the relaxation in `directory` ended with."""
