"""Molecular dynamics: ASE's velocity Verlet with the CSVR thermostat, every frame stored.

CSVR: G. Bussi, D. Donadio, M. Parrinello, J. Chem. Phys. 126, 014101 (2007). The thermostat's
noise at a step depends on seed and step number only, and each step starts from the numbers that
were stored, so that a run that was killed repeats exactly the run that was not.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.constraints import FixAtoms
from ase.md.bussi import Bussi
from ase.md.verlet import VelocityVerlet

from qdcomp.engines.base import DynamicsSettings, EngineJob
from qdcomp.engines.model.calculator import ModelCalculator
from qdcomp.engines.model.jobs import TRAJECTORY_NAME, Continuation, heed_stop
from qdcomp.engines.model.settings import ModelSettings
from qdcomp.engines.model.thermal import count_degrees_of_freedom
from qdcomp.engines.model.thermal_start import prepare_thermal_start
from qdcomp.errors import EngineError, QdcompError
from qdcomp.trajectory import Frame, TrajectoryWriter
from qdcomp.units import BOLTZMANN_EV_PER_K

EXPLOSION_FACTOR = 100.0
"""Multiple of the wanted temperature above which the dynamics has exploded."""


class Integrator:
    """One step of dynamics after another, from numbers that can be stored.

    Parameters
    ----------
    atoms
        Structure with velocities, calculator and constraints.
    dynamics
        Temperature, time step, thermostat.
    degrees_of_freedom
        Degrees of freedom that the temperature is shared among.
    seed
        Seed of the thermostat.
    transferred_energy_ev
        Energy that the thermostat has given before [eV].
    """

    def __init__(
        self,
        atoms: Atoms,
        dynamics: DynamicsSettings,
        degrees_of_freedom: int,
        seed: int,
        transferred_energy_ev: float,
    ) -> None:
        self.atoms = atoms
        self.dynamics = dynamics
        self.degrees_of_freedom = degrees_of_freedom
        self.transferred_energy_ev = transferred_energy_ev
        self._seed = seed
        timestep = dynamics.timestep_fs * units.fs
        if dynamics.thermostat_time_fs is None:
            self._integrator = VelocityVerlet(atoms, timestep)
        else:
            self._integrator = Bussi(
                atoms, timestep, dynamics.temperature_k, dynamics.thermostat_time_fs * units.fs
            )
            # ASE counts three degrees for every free atom; a free dot has six fewer, and its
            # temperature would come out 3N/(3N−6) too high.
            self._integrator.ndof = degrees_of_freedom
            self._integrator.target_kinetic_energy = (
                0.5 * degrees_of_freedom * self._integrator.temp
            )

    def advance(self, step: int) -> Frame:
        """Make step number `step` and return its frame, without frontier orbitals."""
        thermostat_time = self.dynamics.thermostat_time_fs
        if thermostat_time is not None:
            self._integrator.rng = np.random.default_rng(
                [self._seed, step, round(1e3 * thermostat_time)]
            )
            self._integrator.transferred_energy = self.transferred_energy_ev
        self._integrator.step()
        velocities = self.atoms.get_velocities() * units.fs
        self.atoms.set_velocities(velocities / units.fs)
        potential = float(self.atoms.get_potential_energy())
        kinetic = float(self.atoms.get_kinetic_energy())
        if thermostat_time is not None:
            self.transferred_energy_ev = float(self._integrator.transferred_energy)
        conserved = potential + kinetic - self.transferred_energy_ev
        self.transferred_energy_ev = potential + kinetic - conserved
        return Frame(
            step=step,
            time_fs=step * self.dynamics.timestep_fs,
            positions=self.atoms.get_positions(),
            velocities=velocities,
            potential_energy_ev=potential,
            kinetic_energy_ev=kinetic,
            conserved_energy_ev=conserved,
            temperature_k=2.0 * kinetic / (self.degrees_of_freedom * BOLTZMANN_EV_PER_K),
        )


def _check_intact(frame: Frame, dynamics: DynamicsSettings, directory: Path) -> None:
    temperature = frame.temperature_k
    assert temperature is not None
    limit = EXPLOSION_FACTOR * max(dynamics.temperature_k, 100.0)
    if not np.all(np.isfinite(frame.positions)) or not temperature < limit:
        raise EngineError(
            f"the dynamics exploded at step {frame.step}: the temperature is {temperature:.3g} K, "
            f"{dynamics.temperature_k:g} K was asked for. Use a smaller time step than "
            f"{dynamics.timestep_fs:g} fs, or relax the starting structure",
            directory,
        )


def _add_frontier(
    frame: Frame, atoms: Atoms, calculator: ModelCalculator, directory: Path
) -> Frame:
    try:
        frontier = calculator.frontier_orbitals(atoms)
    except QdcompError as error:
        raise EngineError(f"step {frame.step}: {error}", directory) from error
    return Frame(
        **{
            **vars(frame),
            "homo_ev": frontier.homo_ev,
            "lumo_ev": frontier.lumo_ev,
            "homo_population": frontier.homo_population,
            "lumo_population": frontier.lumo_population,
        }
    )


def _open_store(
    directory: Path, atoms: Atoms, job: EngineJob, parameters_name: str
) -> tuple[TrajectoryWriter, Frame | None]:
    """Store to append to, and its last frame if the run goes on."""
    path = directory / TRAJECTORY_NAME
    assert job.dynamics is not None
    if path.exists():
        writer = TrajectoryWriter.reopen(path)
        return writer, writer.last_frame() if writer.n_frames else None
    writer = TrajectoryWriter(
        path,
        atoms.get_chemical_symbols(),
        atoms.get_masses(),
        job.dynamics.timestep_fs,
        metadata={
            "engine": "model",
            "parameters": parameters_name,
            "charge": int(job.charge),
            "seed": int(job.seed),
            "target_temperature_k": float(job.dynamics.temperature_k),
        },
    )
    return writer, None


def _resume(atoms: Atoms, frame: Frame) -> Continuation:
    """Put `atoms`, in place, where the stored frame left them."""
    if frame.velocities is None or None in (
        frame.potential_energy_ev, frame.kinetic_energy_ev, frame.conserved_energy_ev
    ):  # fmt: skip
        raise ValueError("frame without velocities or energies")
    atoms.set_positions(frame.positions, apply_constraint=False)
    atoms.set_velocities(frame.velocities / units.fs)
    total = (frame.potential_energy_ev or 0.0) + (frame.kinetic_energy_ev or 0.0)
    return Continuation(
        previous=".",
        transferred_energy_ev=total - (frame.conserved_energy_ev or 0.0),
        homo_ev=frame.homo_ev,
        lumo_ev=frame.lumo_ev,
    )


def run_dynamics(
    atoms: Atoms,
    job: EngineJob,
    settings: ModelSettings,
    calculator: ModelCalculator,
    continuation: Continuation | None,
    directory: Path,
    report: Callable[[str], None],
) -> None:
    """Run, or go on with, the dynamics of `job`; `atoms` is moved in place.

    Parameters
    ----------
    atoms
        Starting structure.
    job, settings, calculator
        What to run.
    continuation
        What it takes over from a stretch in another directory.
    directory
        The job directory; frames go to its ``trajectory.h5``.
    report
        Takes lines about the progress.

    Raises
    ------
    EngineError
        If the dynamics explodes, naming the step.
    StoreError
        If the trajectory cannot be opened.
    StopRequested
        If it was asked to end; the frames are stored.
    """
    dynamics = job.dynamics
    assert dynamics is not None
    atoms.calc = calculator
    atoms.set_constraint(FixAtoms(mask=job.frozen) if np.any(job.frozen) else None)
    degrees = count_degrees_of_freedom(atoms.get_positions(), job.frozen)
    writer, last = _open_store(directory, atoms, job, calculator.model_parameters.name)
    with writer:
        if last is not None:
            continuation = _resume(atoms, last)
        else:
            prepare_thermal_start(atoms, job, settings, calculator, report)
        if continuation and continuation.homo_ev is not None and continuation.lumo_ev is not None:
            calculator.remember_levels(continuation.homo_ev, continuation.lumo_ev)
        integrator = Integrator(
            atoms,
            dynamics,
            degrees,
            job.seed,
            continuation.transferred_energy_ev if continuation else 0.0,
        )
        end = dynamics.first_step + dynamics.steps
        for step in range((last.step if last else dynamics.first_step) + 1, end + 1):
            heed_stop(directory)
            frame = integrator.advance(step)
            _check_intact(frame, dynamics, directory)
            if dynamics.frontier_orbitals:
                frame = _add_frontier(frame, atoms, calculator, directory)
            writer.append(frame)
            report(f"step {step - dynamics.first_step}/{dynamics.steps}")
