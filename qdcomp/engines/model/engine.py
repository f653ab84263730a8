"""The engine ``model``, as the rest of qdcomp sees it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms, units

from qdcomp.engines.base import CostEstimate, EngineJob, EngineResult, FrontierOrbitals
from qdcomp.engines.model.damage import set_damaged_aside
from qdcomp.engines.model.jobs import (
    CHECKPOINT_NAME,
    FINAL_NAME,
    RESULT_NAME,
    START_NAME,
    STOP_NAME,
    TRAJECTORY_NAME,
    Continuation,
    format_structure,
    raise_recorded_failure,
    read_job,
    read_json,
    read_structure,
    replace_file,
    write_continuation,
    write_job,
)
from qdcomp.engines.model.parameters import find_parameter_file, read_parameters
from qdcomp.engines.model.response import HarmonicResponse, compute_harmonic_response
from qdcomp.engines.model.settings import read_settings
from qdcomp.engines.model.tight_binding import count_occupied_orbitals
from qdcomp.errors import InputError, ParseError
from qdcomp.trajectory import Frame, open_trajectory

FORCE_SECONDS_PER_PAIR = 5.0e-9
"""Wall time of one force evaluation over the square of the number of atoms [s]."""

FRONTIER_SECONDS = 4.0e-11
"""Wall time of one search for the frontier orbitals over the cube of the number of cation
orbitals [s]: three factorisations."""

FRONTIER_OVERHEAD_SECONDS = 6.0e-3
"""Wall time of a search that does not depend on size [s]."""

PROGRESS_LINE = re.compile(rb"^step (\d+)\b", re.MULTILINE)
"""A line of the standard output that reports a step."""

PROGRESS_TAIL_BYTES = 4096
"""Enough of the end of the standard output to hold such a line [bytes]."""

LARGEST_CATIONS = 3400
"""Cations whose Schur complement is factorised as a dense matrix: 1.5 GB, a minute a time."""

ERROR_FACTOR = 2.0
"""How far the time on other cores lies from that on the one that was measured on."""

USUAL_RELAXATION_STEPS = 300
"""Force evaluations of a relaxation: 80 to 350 were seen for dots of 3 to 6 cells."""


class ModelEngine:
    """Rigid-ion force field and sp³ tight binding: a surrogate that needs no other code.

    `EngineJob.box_angstrom` is ignored: the system is isolated. `EngineJob.charge` fills the
    orbitals; the ions' charges are fixed by the parameters.
    """

    name = "model"
    is_surrogate = True

    def request_stop(self, directory: Path) -> None:
        """Ask the run to end after the step at hand."""
        (directory / STOP_NAME).touch()

    @property
    def output_name(self) -> str:
        """Name of the file that takes the standard output."""
        return "model.out"

    def check(self, job: EngineJob) -> None:
        """Refuse what this engine cannot compute.

        Raises
        ------
        InputError
            Unknown setting or task, element without parameters, odd number of electrons,
            periodic structure, impossible temperature or time step, or nothing left to move.
        """
        settings = read_settings(job.settings)
        parameters = read_parameters(settings.parameters)
        symbols = job.atoms.get_chemical_symbols()
        count_occupied_orbitals(symbols, job.charge, parameters)
        cations = sum(parameters.elements[symbol].role == "cation" for symbol in symbols)
        if cations > LARGEST_CATIONS:
            raise InputError(
                f"{cations} cations with orbitals, more than the {LARGEST_CATIONS} (dots of 15 "
                "cells, 9 nm) for which the engine 'model' finds frontier orbitals; build a "
                "smaller dot"
            )
        if np.any(job.atoms.pbc):
            raise InputError(
                "the engine 'model' computes isolated dots; the structure is periodic "
                f"(pbc {job.atoms.pbc.tolist()}). Use the engine 'cp2k' for slabs and crystals"
            )
        if len(job.frozen) != len(job.atoms):
            raise InputError(
                f"'frozen' has {len(job.frozen)} entries for {len(job.atoms)} atoms; give one each"
            )
        if job.task not in {"energy", "relax", "dynamics"}:
            raise InputError(f"unknown task {job.task!r}; tasks: energy, relax, dynamics")
        if job.task != "energy" and np.all(job.frozen):
            raise InputError(f"every atom is frozen, there is nothing for the task {job.task!r}")
        if job.task == "dynamics":
            self._check_dynamics(job)

    def _check_dynamics(self, job: EngineJob) -> None:
        dynamics = job.dynamics
        if dynamics is None:
            raise InputError("the task 'dynamics' needs dynamics settings, got none")
        if len(job.atoms) < 2:
            raise InputError("dynamics needs at least two atoms")
        positive = {
            "temperature_k": dynamics.temperature_k,
            "timestep_fs": dynamics.timestep_fs,
            "thermostat_time_fs": dynamics.thermostat_time_fs,
        }
        for name, value in positive.items():
            if value is not None and not (np.isfinite(value) and value > 0):
                raise InputError(f"{name!r} must be positive, got {value!r}")
        if dynamics.steps < 0 or dynamics.first_step < 0:
            raise InputError(
                "'steps' and 'first_step' must not be negative, "
                f"got {dynamics.steps} and {dynamics.first_step}"
            )

    def write_inputs(self, directory: Path, job: EngineJob) -> None:
        """Write the inputs of `job` into `directory`, with a copy of the parameters.

        Raises
        ------
        InputError
            As `check`.
        """
        self.check(job)
        settings = read_settings(job.settings)
        text = find_parameter_file(settings.parameters).read_text(encoding="utf-8")
        write_job(directory, job, text)

    def restart_from(self, directory: Path, previous: Path) -> tuple[str, ...]:
        """Let the run in `directory` go on from the run in `previous`.

        In the same directory a run goes on from its last stored frame or geometry by itself; one
        that is damaged is set aside, and the run begins again: it repeats the same numbers.
        From another one, the last frame of its dynamics (with velocities, the energy given by
        the thermostat and the frontier energies), or else its last structure, becomes the start.

        Returns
        -------
        What was damaged and set aside.

        Raises
        ------
        ParseError
            If `previous` holds neither frames nor a structure, or has other atoms.
        """
        if directory.resolve() == previous.resolve():
            (directory / STOP_NAME).unlink(missing_ok=True)
            return set_damaged_aside(directory)
        job = read_job(directory)
        atoms = job.atoms.copy()
        continuation = Continuation(str(previous))
        if (previous / TRAJECTORY_NAME).is_file():
            frame = _last_frame(previous)
            _check_atoms(len(frame.positions), job, directory, previous)
            atoms.set_positions(frame.positions)
            if frame.velocities is not None:
                atoms.set_velocities(frame.velocities / units.fs)
            total = (frame.potential_energy_ev or 0.0) + (frame.kinetic_energy_ev or 0.0)
            conserved = frame.conserved_energy_ev
            continuation = Continuation(
                str(previous),
                0.0 if conserved is None else total - conserved,
                frame.homo_ev,
                frame.lumo_ev,
            )
        else:
            reached = _last_structure(previous)
            _check_atoms(len(reached), job, directory, previous)
            atoms.set_positions(reached.get_positions())
        replace_file(directory / START_NAME, format_structure(atoms))
        write_continuation(directory, continuation)
        return ()

    def command(self, directory: Path) -> list[str]:
        """Command to run in `directory`."""
        return [sys.executable, "-m", "qdcomp.engines.model", "."]

    def environment(self, directory: Path) -> dict[str, str]:
        """One thread: the matrices of a dot are too small to share."""
        return {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

    def count_steps(self, directory: Path) -> int:
        """Count the steps that the run in `directory` has reported so far."""
        path = directory / self.output_name
        if not path.is_file():
            return 0
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - PROGRESS_TAIL_BYTES))
            reported = PROGRESS_LINE.findall(stream.read())
        return int(reported[-1]) if reported else 0

    def is_complete(self, directory: Path) -> bool:
        """Whether the run in `directory` has done all its steps."""
        return (directory / RESULT_NAME).is_file()

    def parse(self, directory: Path) -> EngineResult:
        """Read what the run in `directory` computed.

        Raises
        ------
        ParseError
            An output is missing or damaged.
        EngineError
            The run stopped with an error.
        """
        raise_recorded_failure(directory)
        path = directory / RESULT_NAME
        content = read_json(path)
        atoms = read_structure(directory / FINAL_NAME)
        forces = atoms.get_forces() if atoms.calc is not None else None
        atoms.calc = None
        populations = [atoms.arrays.pop(f"{name}_population", None) for name in ("homo", "lumo")]
        atoms.info.update(read_job(directory).atoms.info)
        try:
            return EngineResult(
                engine=self.name,
                version=content["version"],
                task=content["task"],
                atoms=atoms,
                charge=content["charge"],
                energy_ev=content["energy_ev"],
                forces_ev_per_angstrom=forces,
                frontier=(FrontierOrbitals(content["homo_ev"], content["lumo_ev"], *populations),),
                steps=content["steps"],
                walltime_s=content["walltime_s"],
                warnings=tuple(content["warnings"]),
            )
        except KeyError as error:
            raise ParseError(f"the key {error} is missing", path) from error

    def read_frames(self, directory: Path) -> Iterator[Frame]:
        """Frames of the dynamics in `directory`, each step once, in order.

        Raises
        ------
        ParseError
            If there is no trajectory.
        """
        path = directory / TRAJECTORY_NAME
        if not path.is_file():
            raise ParseError("missing; the dynamics has not started", path)
        with open_trajectory(path) as trajectory:
            yield from trajectory.frames()

    def compute_harmonic_response(self, directory: Path) -> HarmonicResponse:
        """Compute the response of the structure that the relaxation in `directory` ended with."""
        return compute_harmonic_response(directory)

    def handlers(self, directory: Path) -> Sequence[Any]:
        """No handlers: a failed run of this engine would fail again in the same way."""
        return []

    def estimate_cost(self, job: EngineJob) -> CostEstimate:
        """Predict what `job` takes, from wall times measured on one core.

        Raises
        ------
        InputError
            If an element has no parameters, or the number of electrons is odd.
        """
        parameters = read_parameters(read_settings(job.settings).parameters)
        symbols = job.atoms.get_chemical_symbols()
        occupied = count_occupied_orbitals(symbols, job.charge, parameters)
        cations = sum(parameters.elements[s].role == "cation" for s in symbols)
        forces_s = FORCE_SECONDS_PER_PAIR * len(symbols) ** 2
        frontier_s = FRONTIER_OVERHEAD_SECONDS + FRONTIER_SECONDS * (4 * cations) ** 3 * 3
        seconds = {
            "energy": forces_s + frontier_s,
            "relax": USUAL_RELAXATION_STEPS * forces_s + frontier_s,
            "dynamics": 0.0,
        }[job.task]
        if job.task == "dynamics" and job.dynamics is not None:
            step_s = forces_s + (frontier_s if job.dynamics.frontier_orbitals else 0.0)
            seconds = job.dynamics.steps * step_s
        hessian = job.task != "energy"
        bytes_used = 3e8 + 8 * 4 * (4 * cations) ** 2 + hessian * 8 * 3 * (3 * len(symbols)) ** 2
        return CostEstimate(
            electrons=2 * occupied,
            memory_gib=bytes_used / 2**30,
            core_hours=seconds / 3600.0,
            basis="wall times measured on one core for dots of 3 to 6 cells: forces as the square "
            "of the number of atoms, frontier orbitals as the cube of the number of cations",
            error_factor=ERROR_FACTOR,
        )


def _check_atoms(n_atoms: int, job: EngineJob, directory: Path, previous: Path) -> None:
    if n_atoms != len(job.atoms):
        raise ParseError(
            f"{n_atoms} atoms, but the job in {directory} has {len(job.atoms)}; "
            "a run goes on from one of the same structure",
            previous,
        )


def _last_frame(directory: Path) -> Frame:
    with open_trajectory(directory / TRAJECTORY_NAME) as trajectory:
        if not trajectory.n_frames:
            raise ParseError("holds no frame to go on from", directory / TRAJECTORY_NAME)
        return trajectory.frame(trajectory.n_frames - 1)


def _last_structure(directory: Path) -> Atoms:
    for name in (FINAL_NAME, CHECKPOINT_NAME):
        if (directory / name).is_file():
            atoms = read_structure(directory / name)
            atoms.calc = None
            return atoms
    raise ParseError(
        f"neither {FINAL_NAME} nor {TRAJECTORY_NAME}; the run has not started", directory
    )
