"""Results of jobs that are to run again, moved into a folder of their run: nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS, PlannedJob
from qdcomp.recipes.runs.job_index import forget_job
from qdcomp.recipes.runs.run_directory import (
    ANALYSIS_NAME,
    RESULT_NAME,
    TRAJECTORY_NAME,
    RunDirectory,
)
from qdcomp.recipes.stages.stages import SUMMARY_NAME

SET_ASIDE = "set_aside"
"""Folder in a run that holds earlier results."""


def set_aside_results(run: RunDirectory, jobs: Sequence[PlannedJob]) -> Path | None:
    """Move what jobs have left for others away, and take them out of the index of jobs.

    Parameters
    ----------
    run
        The run.
    jobs
        Some of its jobs, with all that follow them.

    Returns
    -------
    Path or None
        Folder that holds the results, at the places that they had in the run; None where there
        were none.
    """
    for job in jobs:
        if job.kind in ENGINE_KINDS:
            forget_job(run, run.job_directory(job))
    paths = [path for job in jobs for path in list_results(run, job, jobs) if path.exists()]
    if not paths:
        return None
    folder = _name_folder(run.root / SET_ASIDE)
    for path in dict.fromkeys(paths):
        target = folder / path.relative_to(run.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
    return folder


def list_results(
    run: RunDirectory, job: PlannedJob, following: Sequence[PlannedJob]
) -> tuple[Path, ...]:
    """Files and folders that a job leaves for others.

    Parameters
    ----------
    run, job
        The run and one of its jobs.
    following
        The jobs that follow it, and maybe others.
    """
    directory = run.job_directory(job)
    if job.kind == "build":
        return tuple(run.built_path(piece) for piece in run.built_pieces)
    if job.kind == "cut":
        pieces = {other.piece for other in following if job.name in other.parents}
        return tuple(run.built_path(piece) for piece in sorted(pieces))
    if job.kind == "relax":
        return (directory, run.relaxed_path(job.piece))
    if job.kind in ENGINE_KINDS or job.kind == "modes":
        return (directory,)
    names = {
        "collect": TRAJECTORY_NAME,
        "analyse": ANALYSIS_NAME,
        "summarise": SUMMARY_NAME,
        "combine": RESULT_NAME,
    }
    return (directory / names[job.kind],)


def _name_folder(parent: Path) -> Path:
    """Name of a new folder after the time, UTC; numbered where one second has two."""
    stem = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S")
    number, folder = 1, parent / stem
    while folder.exists():
        number += 1
        folder = parent / f"{stem}-{number}"
    return folder
