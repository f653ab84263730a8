"""Files of a run that a kill, a full disk or a faulty disk has left unreadable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from qdcomp.errors import QdcompError
from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS, PlannedJob
from qdcomp.recipes.jobs.run_record import RECORD_NAME, read_run_record
from qdcomp.recipes.runs.run_directory import TRAJECTORY_NAME, RunDirectory
from qdcomp.structures import read_structure
from qdcomp.trajectory import open_trajectory


@dataclass(frozen=True)
class DamagedFile:
    """A file that cannot be read, the job that makes it, and what the reader said."""

    path: Path
    job: PlannedJob
    reason: str


def find_damaged_files(run: RunDirectory) -> Iterator[DamagedFile]:
    """Find the files of a run that are there and cannot be read."""
    for job in run.jobs:
        for path in _list_files(run, job):
            reason = _try_to_read(path)
            if reason:
                yield DamagedFile(path, job, reason)


def set_aside(path: Path) -> Path:
    """Move a damaged file aside, within its folder; return its new place."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    target = path.with_name(f"{path.name}.damaged-{stamp}")
    path.replace(target)
    return target


def _list_files(run: RunDirectory, job: PlannedJob) -> list[Path]:
    directory = run.job_directory(job)
    made = [directory / RECORD_NAME] if job.kind in ENGINE_KINDS else []
    if job.kind == "collect":
        made.append(directory / TRAJECTORY_NAME)
    if job.kind == "relax":
        made.append(run.relaxed_path(job.piece))
    if job.kind == "build":
        made += [run.built_path(piece) for piece in run.built_pieces]
    return [path for path in made if path.is_file()]


def _try_to_read(path: Path) -> str:
    try:
        if path.name == RECORD_NAME:
            read_run_record(path.parent)
        elif path.name == TRAJECTORY_NAME:
            with open_trajectory(path):
                pass
        else:
            read_structure(path)
    except (QdcompError, OSError) as error:
        return str(error)
    return ""
