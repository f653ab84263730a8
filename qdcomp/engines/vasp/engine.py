"""The engine ``vasp``, as the rest of qdcomp sees it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from qdcomp.engines.base import CostEstimate, EngineJob, EngineResult
from qdcomp.engines.vasp.continuation import (
    STOP_NAME,
    continue_other_run,
    continue_same_run,
    count_part_steps,
)
from qdcomp.engines.vasp.corrections import forget_refusal, read_corrections, read_refusal
from qdcomp.engines.vasp.cost import estimate_cost
from qdcomp.engines.vasp.input_check import require_own_inputs
from qdcomp.engines.vasp.inputs import describe_level, prepare_job, write_inputs
from qdcomp.engines.vasp.job_file import OUTPUT_NAME, read_job_file
from qdcomp.engines.vasp.outputs import is_finished, iterate_frames, read_result
from qdcomp.engines.vasp.potcar import find_potcar_folder, require_folder
from qdcomp.engines.vasp.settings import read_settings
from qdcomp.errors import EngineError, ParseError
from qdcomp.settings import find_vasp_command
from qdcomp.trajectory import Frame

INSTALL_HINT = (
    "it is licensed and not part of qdcomp. Put vasp_std (and vasp_gam) on the path, or name the "
    "command in QDCOMP_VASP, for example QDCOMP_VASP='srun vasp_std'"
)


class VaspEngine:
    """DFT with VASP, installed on the machine that runs the job."""

    name = "vasp"
    is_surrogate = False

    def check(self, job: EngineJob) -> None:
        """Refuse what cannot be computed, and a machine without VASP or its data sets.

        Raises
        ------
        InputError
            Unknown setting, element or folder without data sets, thermostat that is not there, …
        EngineError
            VASP is not installed.
        """
        prepared = prepare_job(job, require_folder(read_settings(job.settings)))
        _require_command(Path.cwd(), gamma_only=prepared.gamma_only)

    def write_inputs(self, directory: Path, job: EngineJob) -> None:
        """Write INCAR, KPOINTS, POSCAR and POTCAR, and the job file they are rendered from.

        Raises
        ------
        InputError
            As `check`.
        """
        folder = require_folder(read_settings(job.settings))
        write_inputs(directory, prepare_job(job, folder))

    def restart_from(self, directory: Path, previous: Path) -> tuple[str, ...]:
        """Let the run in `directory` go on from that in `previous`, or from its own remains.

        What an earlier part of the same run wrote is kept under a numbered name.

        Returns
        -------
        Structures and wavefunctions that were damaged, and what was taken instead.

        Raises
        ------
        EngineError
            `previous` has no whole CONTCAR.
        ParseError
            The description of one of the jobs is missing or damaged.
        InputError
            A data set of the job is missing, or another one than when the job was written.
        """
        if directory.resolve() == previous.resolve():
            forget_refusal(directory)
            return continue_same_run(directory)
        return continue_other_run(directory, previous)

    def command(self, directory: Path) -> list[str]:
        """Command to run in `directory`, once its inputs are seen to be those of its job.

        Raises
        ------
        EngineError
            VASP is not installed, or an input is missing or not the job's: POTCAR in another
            order than POSCAR, an INCAR that was edited.
        ParseError
            The description of the job is missing or damaged.
        """
        job = read_job_file(directory)
        require_own_inputs(directory, job)
        return list(_require_command(directory, gamma_only=job.gamma_only))

    def environment(self, directory: Path) -> dict[str, str]:
        """One thread for each MPI process of VASP, where nobody says otherwise."""
        return {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}

    def request_stop(self, directory: Path) -> None:
        """Ask VASP to end: after the ionic step, or after the electronic one where there is one.

        Raises
        ------
        ParseError
            The description of the job is missing or damaged.
        """
        moves = read_job_file(directory).task in {"relax", "dynamics"}
        (directory / STOP_NAME).write_text(f"{'LSTOP' if moves else 'LABORT'} = .TRUE.\n")

    @property
    def output_name(self) -> str:
        """Name of the file that takes the standard output."""
        return OUTPUT_NAME

    def count_steps(self, directory: Path) -> int:
        """Count the steps done so far, over all parts of the run.

        Raises
        ------
        ParseError
            The description of the job is missing or damaged.
        """
        job = read_job_file(directory)
        return job.steps_before + count_part_steps(directory, job)

    def is_complete(self, directory: Path) -> bool:
        """Whether the run has done all its steps, or its relaxation has converged."""
        try:
            job = read_job_file(directory)
            return read_refusal(directory) is None and is_finished(directory, job)
        except ParseError:
            return False

    def parse(self, directory: Path) -> EngineResult:
        """Read what the run computed.

        Raises
        ------
        ParseError
            An output is missing or is not what it should be.
        EngineError
            VASP stopped with an error, or a correction was refused; the message says which.
        ConvergenceError
            The relaxation did not reach its criterion, or the self-consistent field of a single
            point did not converge.
        """
        job = read_job_file(directory)
        refusal = read_refusal(directory)
        if refusal is not None:
            tried = read_corrections(directory)
            before = f" after {len(tried)} corrections, the last {tried[-1]}" if tried else ""
            raise EngineError(f"stopped{before}: {refusal}", directory)
        result = read_result(directory, job)
        return replace(
            result,
            engine=self.name,
            corrections=read_corrections(directory),
            warnings=(*job.warnings, *result.warnings),
            level=describe_level(job),
        )

    def read_frames(self, directory: Path) -> Iterator[Frame]:
        """Frames of the dynamics, each step once, in order, from ``first_step + 1``.

        Raises
        ------
        EngineError
            A step is missing.
        ParseError
            A file is missing or damaged.
        """
        job = read_job_file(directory)
        if job.dynamics is None:
            raise EngineError(f"the job is of the kind {job.task!r} and has no frames", directory)
        yield from iterate_frames(directory, job)

    def handlers(self, directory: Path) -> Sequence[Any]:
        """Custodian handlers of this run; none changes the physics.

        Raises
        ------
        ParseError
            The description of the job is missing or damaged.
        """
        from qdcomp.engines.vasp.handlers import make_handlers

        return make_handlers(directory)

    def estimate_cost(self, job: EngineJob) -> CostEstimate:
        """Predict electrons, memory and core-hours of a job, also without the data sets.

        Raises
        ------
        InputError
            The job cannot be computed.
        """
        folder = find_potcar_folder(read_settings(job.settings))
        return estimate_cost(prepare_job(job, folder))


def _require_command(directory: Path, *, gamma_only: bool) -> tuple[str, ...]:
    command = find_vasp_command(gamma_only=gamma_only)
    if not command or shutil.which(command[0]) is None:
        named = " ".join(command) or "vasp_std"
        raise EngineError(f"VASP ({named}) is not on this machine: {INSTALL_HINT}", directory)
    return command
