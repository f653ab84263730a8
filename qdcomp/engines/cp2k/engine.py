"""The engine ``cp2k``, as the rest of qdcomp sees it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms, units
from numpy.typing import NDArray

from qdcomp.engines.base import CostEstimate, EngineJob, EngineResult
from qdcomp.engines.cp2k.continuation import (
    EXIT_NAME,
    continue_other_run,
    continue_same_run,
    count_geometry_steps,
)
from qdcomp.engines.cp2k.corrections import read_corrections
from qdcomp.engines.cp2k.cost import estimate_cost
from qdcomp.engines.cp2k.inputs import prepare_job, write_input
from qdcomp.engines.cp2k.job_file import (
    INPUT_NAME,
    OUTPUT_NAME,
    PROJECT,
    JobFile,
    read_job_file,
)
from qdcomp.engines.cp2k.last_line import read_last_step
from qdcomp.engines.cp2k.level import describe_level
from qdcomp.engines.cp2k.outputs import (
    Cp2kOutput,
    iterate_steps,
    name_steps,
    read_output,
    refuse_aborted,
)
from qdcomp.engines.cp2k.trajectory_files import (
    collect_frontier,
    find_trajectory_files,
    join_frames,
)
from qdcomp.engines.cp2k.vibrations import judge_structure, refuse_unusable
from qdcomp.errors import ConvergenceError, EngineError, ParseError
from qdcomp.settings import MachineSettings, read_machine_settings
from qdcomp.trajectory import Frame, iterate_xyz

INSTALL_HINT = (
    "install it (Debian: apt-get install cp2k cp2k-data) or name it in QDCOMP_CP2K_COMMAND, "
    "for example QDCOMP_CP2K_COMMAND='srun cp2k.psmp'"
)


class Cp2kEngine:
    """DFT with CP2K's Quickstep, installed on the machine that runs the job."""

    name = "cp2k"
    is_surrogate = False

    def check(self, job: EngineJob) -> None:
        """Refuse what cannot be computed, and a machine without CP2K.

        Raises
        ------
        InputError
            Unknown setting, element without basis set, box smaller than the dot, …
        EngineError
            CP2K or its data files are not installed.
        """
        prepare_job(job, read_machine_settings().cp2k_data_dir)
        _require_installation(Path.cwd())

    def write_inputs(self, directory: Path, job: EngineJob) -> None:
        """Write ``cp2k.inp`` and the job file it is rendered from.

        Raises
        ------
        InputError
            As `check`.
        """
        write_input(directory, prepare_job(job, read_machine_settings().cp2k_data_dir))

    def restart_from(self, directory: Path, previous: Path) -> tuple[str, ...]:
        """Let the run in `directory` go on from that in `previous`, or from its own remains.

        Returns
        -------
        Restart files and wavefunctions that were damaged, and what was taken instead.

        Raises
        ------
        EngineError
            `previous` has no whole restart file.
        ParseError
            The description of one of the jobs is missing or damaged.
        """
        if directory.resolve() == previous.resolve():
            return continue_same_run(directory)
        return continue_other_run(directory, previous)

    def command(self, directory: Path) -> list[str]:
        """Command to run in `directory`.

        Raises
        ------
        EngineError
            CP2K is not installed.
        """
        return [*_require_installation(directory).cp2k_command, "-i", INPUT_NAME]

    def environment(self, directory: Path) -> dict[str, str]:
        """CP2K's data folder and its threads, which wait without spinning on a shared machine."""
        machine = read_machine_settings()
        found = {"OMP_NUM_THREADS": str(machine.threads), "OMP_WAIT_POLICY": "PASSIVE"}
        if machine.cp2k_data_dir is not None:
            found["CP2K_DATA_DIR"] = str(machine.cp2k_data_dir)
        return found

    def request_stop(self, directory: Path) -> None:
        """Ask CP2K to end: it leaves the step under way and keeps restart and wavefunction.

        Frequencies cannot go on later, and what CP2K makes of displaced geometries whose SCF it
        has left would look like frequencies: they are left alone.

        Raises
        ------
        ParseError
            The description of the job is missing or damaged.
        """
        if read_job_file(directory).task != "vibrations":
            (directory / EXIT_NAME).touch()

    @property
    def output_name(self) -> str:
        """Name of the file that takes the standard output."""
        return OUTPUT_NAME

    def count_steps(self, directory: Path) -> int:
        """Count the steps done so far, from the end of the energies or from the output.

        Raises
        ------
        ParseError
            The description of the job is missing or damaged.
        """
        job = read_job_file(directory)
        if job.dynamics is not None:
            last = read_last_step(directory / f"{PROJECT}-1.ener")
            return max(0, (last or 0) - job.dynamics.first_step)
        return count_geometry_steps(directory) if job.task == "relax" else 0

    def is_complete(self, directory: Path) -> bool:
        """Whether the run has ended regularly with all its steps, or a converged relaxation."""
        try:
            job = read_job_file(directory)
            output = read_output(directory / OUTPUT_NAME)
        except ParseError:
            return False
        if not output.ended or output.stopped or output.abort:
            return False
        if job.task == "dynamics":
            return any(step.number == job.last_step for step in output.steps)
        if job.task == "relax":
            return output.geometry_converged is True
        if job.task == "vibrations":
            return output.frequencies_per_cm is not None
        return output.energy_ev is not None

    def parse(self, directory: Path) -> EngineResult:
        """Read what the run computed.

        Raises
        ------
        ParseError
            An output is missing or is not what it should be.
        EngineError
            CP2K stopped with an error.
        ConvergenceError
            The relaxation did not reach its criterion, or the SCF of a single point or of a
            displacement did not converge.
        """
        job = read_job_file(directory)
        output = read_output(directory / OUTPUT_NAME)
        refuse_aborted(output, directory)
        _refuse_unconverged(output, job, directory)
        said: tuple[str, ...] = ()
        if job.task == "vibrations":
            refuse_unusable(directory, output)
            said = judge_structure(job, output)
        atoms, steps, forces = _last_structure(directory, job)
        if forces is None and not (job.task == "vibrations" and job.frozen):
            forces = output.forces_ev_per_angstrom
        return EngineResult(
            engine=self.name,
            version=output.version,
            task=job.task,
            atoms=atoms,
            charge=job.charge,
            energy_ev=output.energy_ev,
            forces_ev_per_angstrom=forces,
            frontier=output.frontier,
            steps=steps,
            walltime_s=output.walltime_s,
            unconverged_steps=output.unconverged_steps,
            corrections=read_corrections(directory),
            warnings=(*job.warnings, *output.warnings, *said),
            frequencies_per_cm=output.frequencies_per_cm,
            level=describe_level(job),
        )

    def read_frames(self, directory: Path) -> Iterator[Frame]:
        """Frames of the dynamics, each step once, in order, from ``first_step + 1``.

        Raises
        ------
        EngineError
            A step is missing, or has no frontier orbitals though they were asked for.
        ParseError
            A file is missing or damaged.
        """
        job = read_job_file(directory)
        if job.dynamics is None:
            raise EngineError(f"the job is of the kind {job.task!r} and has no frames", directory)
        frontier = collect_frontier(iterate_steps(directory / OUTPUT_NAME))
        files = find_trajectory_files(directory / f"{PROJECT}-pos-1.xyz")
        expected = job.dynamics.first_step + 1
        for frame in join_frames(files, frontier, origin=np.array(job.origin)):
            if frame.step < expected or frame.step > job.last_step:
                continue
            if frame.step != expected:
                raise EngineError(f"step {expected} is missing in the trajectory", directory)
            if job.dynamics.frontier_orbitals and frame.homo_ev is None:
                raise EngineError(
                    f"step {frame.step} has no frontier orbitals in {OUTPUT_NAME}", directory
                )
            expected += 1
            yield frame

    def handlers(self, directory: Path) -> Sequence[Any]:
        """Custodian handlers of this run; none changes the physics."""
        from qdcomp.engines.cp2k.handlers import make_handlers

        return make_handlers(directory)

    def estimate_cost(self, job: EngineJob) -> CostEstimate:
        """Predict electrons, memory and core-hours of a job.

        Raises
        ------
        InputError
            The job cannot be computed.
        """
        return estimate_cost(prepare_job(job, read_machine_settings().cp2k_data_dir))


def _require_installation(directory: Path) -> MachineSettings:
    machine = read_machine_settings()
    if not machine.cp2k_command or shutil.which(machine.cp2k_command[0]) is None:
        named = " ".join(machine.cp2k_command) or "cp2k.psmp"
        raise EngineError(f"CP2K ({named}) is not on this machine: {INSTALL_HINT}", directory)
    if machine.cp2k_data_dir is None:
        raise EngineError(
            "CP2K's basis sets and pseudopotentials are not on this machine: set CP2K_DATA_DIR to "
            "their folder, or install them (Debian: apt-get install cp2k-data)",
            directory,
        )
    return machine


def _refuse_unconverged(output: Cp2kOutput, job: JobFile, directory: Path) -> None:
    if _ended_unrelaxed(job, output):
        worst = next(
            (s.max_force_ev_per_angstrom for s in reversed(output.steps)
             if s.max_force_ev_per_angstrom is not None),
            None,
        )  # fmt: skip
        left = "" if worst is None else f", largest force left {worst:.3g} eV/Å"
        raise ConvergenceError(
            f"the relaxation did not reach {job.relaxation.max_force_ev_per_angstrom:g} eV/Å in "
            f"{job.relaxation.max_steps} steps{left}; allow more (max_steps) or accept larger "
            "forces",
            directory,
        )
    if job.task != "dynamics" and output.steps and output.steps[-1].scf_converged is False:
        tried = read_corrections(directory)
        after = f" after {len(tried)} corrections, the last {tried[-1]}" if tried else ""
        raise ConvergenceError(
            f"the self-consistent field did not converge in "
            f"{name_steps(list(output.unconverged_steps))}{after}; allow more outer_scf_steps, or "
            "check charge and structure",
            directory,
        )


def _ended_unrelaxed(job: JobFile, output: Cp2kOutput) -> bool:
    came_to_its_end = output.ended and not output.stopped
    return job.task == "relax" and came_to_its_end and output.geometry_converged is not True


def _last_structure(directory: Path, job: JobFile) -> tuple[Atoms, int, NDArray[np.float64] | None]:
    """Last structure, steps done and, after dynamics, the forces on it."""
    positions, velocities, forces, step = job.positions, None, None, 0
    files = find_trajectory_files(directory / f"{PROJECT}-pos-1.xyz")
    if job.task == "dynamics":
        for frame in join_frames(files, {}):
            positions, velocities, forces = frame.positions, frame.velocities, frame.forces
            step = frame.step
        if job.dynamics is not None:
            step -= job.dynamics.first_step
    elif job.task == "relax":
        for geometry in iterate_xyz(files.positions, on_restart="keep_last"):
            positions = geometry.values
        step = count_geometry_steps(directory)
    atoms = Atoms(list(job.symbols), positions=positions - np.array(job.origin))
    if job.is_slab:
        atoms.set_cell(np.array(job.cell))
        atoms.set_pbc((True, True, False))
    if velocities is not None:
        atoms.set_velocities(velocities / units.fs)
    return atoms, step, forces
