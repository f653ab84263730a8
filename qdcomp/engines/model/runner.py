"""Run what a job directory of the engine ``model`` asks for."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

import qdcomp
from qdcomp.engines.base import EngineJob, FrontierOrbitals
from qdcomp.engines.model.calculator import ModelCalculator
from qdcomp.engines.model.dynamics import run_dynamics
from qdcomp.engines.model.jobs import (
    CHECKPOINT_NAME,
    FAILURE_NAME,
    FINAL_NAME,
    PARAMETERS_NAME,
    RESULT_NAME,
    TRAJECTORY_NAME,
    StopRequested,
    format_structure,
    read_continuation,
    read_job,
    read_structure,
    replace_file,
    write_json,
)
from qdcomp.engines.model.parameters import read_parameters
from qdcomp.engines.model.relaxation import relax_structure
from qdcomp.engines.model.settings import ModelSettings, read_settings
from qdcomp.errors import EngineError, QdcompError
from qdcomp.trajectory import open_trajectory

CLOSED_GAP_EV = 0.1
"""Gap below which a study is told that its gap has closed [eV]."""


def warn_of_closed_gap(gap_ev: NDArray[np.float64]) -> tuple[str, ...]:
    """Say so where the gap has closed; `gap_ev` [eV] of any number of frames."""
    closed = int(np.count_nonzero(gap_ev < CLOSED_GAP_EV))
    if not closed:
        return ()
    return (
        f"the gap is closed (below {CLOSED_GAP_EV} eV, smallest {np.min(gap_ev):.3f} eV) in "
        f"{closed} of {len(gap_ev)} frames: HOMO and LUMO there are not the band edges of an "
        "insulator. Check the charge policy (formal or neutral) and the structure",
    )


def _relax(
    job: EngineJob,
    settings: ModelSettings,
    calculator: ModelCalculator,
    directory: Path,
    report: Callable[[str], None],
) -> tuple[Atoms, int, tuple[str, ...]]:
    checkpoint = directory / CHECKPOINT_NAME
    steps = 0
    if checkpoint.is_file():
        start = read_structure(checkpoint)
        steps = int(start.info.pop("steps", 0))
    else:
        start = job.atoms.copy()
        start.set_momenta(np.zeros((len(start), 3)))
        del start.arrays["momenta"]
        shake = np.random.default_rng(job.seed).normal(size=(len(start), 3))
        shake[job.frozen] = 0.0
        start.set_positions(start.get_positions() + settings.rattle_angstrom * shake)
    relaxed = relax_structure(start, job, settings, calculator, directory, report, steps)
    return relaxed.atoms, relaxed.steps, relaxed.warnings


def _write_results(
    directory: Path,
    job: EngineJob,
    atoms: Atoms,
    frontier: FrontierOrbitals,
    steps: int,
    walltime_s: float,
    warnings: tuple[str, ...],
) -> None:
    energy = float(atoms.get_potential_energy())
    homo, lumo = frontier.homo_population, frontier.lumo_population
    columns: dict[str, NDArray[np.float64]] = {"forces": atoms.get_forces()}
    if homo is not None and lumo is not None:
        columns |= {"homo_population": homo, "lumo_population": lumo}
    replace_file(directory / FINAL_NAME, format_structure(atoms, energy, columns))
    content: dict[str, Any] = {
        "engine": "model",
        "version": qdcomp.__version__,
        "task": job.task,
        "charge": int(job.charge),
        "energy_ev": energy,
        "homo_ev": frontier.homo_ev,
        "lumo_ev": frontier.lumo_ev,
        "steps": steps,
        "walltime_s": walltime_s,
        "warnings": list(warnings),
    }
    write_json(directory / RESULT_NAME, content)
    (directory / CHECKPOINT_NAME).unlink(missing_ok=True)


def _run(directory: Path, report: Callable[[str], None]) -> None:
    began = time.monotonic()
    job = read_job(directory)
    settings = read_settings(job.settings)
    parameters = read_parameters(str(directory / PARAMETERS_NAME))
    calculator = ModelCalculator(job.charge, parameters)
    atoms = job.atoms.copy()
    atoms.calc = calculator
    steps = 0
    warnings: tuple[str, ...] = ()
    if job.task == "relax":
        atoms, steps, warnings = _relax(job, settings, calculator, directory, report)
    elif job.task == "dynamics":
        run_dynamics(
            atoms, job, settings, calculator, read_continuation(directory), directory, report
        )
    frontier = calculator.frontier_orbitals(atoms)
    gaps = np.array([frontier.gap_ev])
    if job.task == "dynamics":
        with open_trajectory(directory / TRAJECTORY_NAME) as trajectory:
            steps = trajectory.n_frames
            if trajectory.gap_ev is not None:
                gaps = trajectory.gap_ev
    warnings += warn_of_closed_gap(gaps)
    _write_results(directory, job, atoms, frontier, steps, time.monotonic() - began, warnings)


def _reason(failure: EngineError) -> str:
    """Give the message without the directory, which is added again when the failure is read."""
    return str(failure).removesuffix(f" (job directory: {failure.directory})")


def run_job(directory: Path, report: Callable[[str], None]) -> None:
    """Run the job in `directory`, or go on with it where it was cut off.

    A finished job is left as it is; one that is asked to end leaves what it can go on from. An
    error is recorded in ``failure.json`` before it is raised.

    Parameters
    ----------
    directory
        A directory that `ModelEngine.write_inputs` prepared.
    report
        Takes lines about the progress, ``step i/N``.

    Raises
    ------
    QdcompError
        What stopped the job; a file that could not be written stops it as `EngineError`.
    """
    if (directory / RESULT_NAME).is_file():
        report("the job is done already")
        return
    (directory / FAILURE_NAME).unlink(missing_ok=True)
    try:
        _run(directory, report)
    except StopRequested:
        report("ended as requested; the same command goes on with it")
    except (QdcompError, OSError) as error:
        failure = error if isinstance(error, EngineError) else EngineError(str(error), directory)
        with contextlib.suppress(OSError):  # a full disk must not hide what it was full for
            write_json(
                directory / FAILURE_NAME,
                {"kind": type(failure).__name__, "message": _reason(failure)},
            )
        if isinstance(error, QdcompError):
            raise
        raise failure from error
