"""Put a run's jobs on a launchpad, launch them, and say how they stand."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fireworks import LaunchPad

from qdcomp.errors import InputError
from qdcomp.recipes.jobs.job_execution import read_run_record
from qdcomp.recipes.jobs.job_state import JobState
from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS, PlannedJob
from qdcomp.recipes.launchpads import (
    LAUNCHPAD_VARIABLE,
    check_server,
    describe_location,
    find_failures,
    is_server,
    launch_all,
    only_own_tasks,
    open_launchpad,
    read_launchpad_file,
    reset_lost_runs,
)
from qdcomp.recipes.runs.pieces import CurrentJobs, select_current
from qdcomp.recipes.runs.run_directory import (
    ACCESS_NAME,
    EMBEDDED_LAUNCHPAD_NAME,
    SERVER_LAUNCHPAD_NAME,
    RunDirectory,
)
from qdcomp.recipes.stages.stages import INPUTS_NAME
from qdcomp.recipes.workflows.submission import submit_runs

DATABASE_PATIENCE_S = 300.0
"""How long a process that runs jobs waits for a launchpad server that is away [s]."""

_HIDDEN_SECRET = "***"  # as `describe_location` writes it, for a password or an option


def find_server(location: str | None = None) -> str | None:
    """URI of the launchpad server as given, else the environment's; None where neither is there.

    Raises
    ------
    InputError
        It is not the URI of a server.
    """
    given = location or os.environ.get(LAUNCHPAD_VARIABLE)
    if given:
        check_server(given)
    return given or None


def find_launchpad(run: RunDirectory, location: str | None = None) -> str | Path:
    """Where the launchpad of a run is: as given, else the environment's, else the run's own.

    The member of a campaign has that of the campaign.

    Raises
    ------
    InputError
        As `find_launchpad_of`.
    """
    return find_launchpad_of(run.launchpad_folder, location)


def find_launchpad_of(folder: Path, location: str | None = None) -> str | Path:
    """Where the launchpad of the folder of a run or campaign is, as `find_launchpad`.

    Raises
    ------
    InputError
        What is given is not the URI of a server, or the run was started on a server whose URI has
        a password, which qdcomp does not keep.
    """
    server = find_server(location)
    if server is not None:
        return server
    noted = folder / SERVER_LAUNCHPAD_NAME
    if not noted.is_file():
        return folder / EMBEDDED_LAUNCHPAD_NAME
    uri = noted.read_text().strip()
    if (folder / ACCESS_NAME).is_file():
        return read_launchpad_file(folder / ACCESS_NAME)
    if _HIDDEN_SECRET in uri:
        raise InputError(
            f"the launchpad of {folder} is the server {uri}; "
            f"give its URI with the password in {LAUNCHPAD_VARIABLE}"
        )
    return uri


def note_launchpad(run: RunDirectory, location: str | Path) -> None:
    """Write down which server a run is on, without the password, for `find_launchpad`."""
    if is_server(location):
        noted = run.launchpad_folder / SERVER_LAUNCHPAD_NAME
        noted.write_text(f"{describe_location(location)}\n")


def execute_run(
    run: RunDirectory,
    location: str | Path,
    on_launch: Callable[[PlannedJob], None] = lambda job: None,
) -> tuple[JobState, ...]:
    """Run every job of a run that is not complete, in this process; return how each stands.

    Jobs that an earlier process left running are put back, and so are failed ones and those whose
    result was removed. Where the batch job that this process runs in ends before, the jobs that are
    left stay READY or WAITING.
    """
    note_launchpad(run, location)
    with open_launchpad(location, patience_s=DATABASE_PATIENCE_S) as launchpad, only_own_tasks():
        submit_runs([run], launchpad)
        return launch_run(run, launchpad, on_launch)


def launch_run(
    run: RunDirectory, launchpad: LaunchPad, on_launch: Callable[[PlannedJob], None]
) -> tuple[JobState, ...]:
    """Do what `execute_run` does for a run that is on an open launchpad."""
    query = {"spec.run_directory": str(run.root)}
    reset_lost_runs(launchpad, query)
    _put_back_removed(run, launchpad)
    for document in launchpad.fireworks.find(query | {"state": "FIZZLED"}, {"fw_id": 1}):
        launchpad.rerun_fw(document["fw_id"])
    launch_all(launchpad, query, run.root, lambda name: on_launch(run.find_job(name)))
    return read_job_states(run, launchpad)


def _put_back_removed(run: RunDirectory, launchpad: LaunchPad) -> None:
    """Put back complete jobs whose result was removed, and what follows them."""
    removed = [job.name for job in run.jobs if not run.has_result(job)]
    if not removed:
        return
    current = _find_fireworks(run, launchpad)
    for name in removed:
        if name in current and current[name]["state"] == "COMPLETED":
            launchpad.rerun_fw(current[name]["fw_id"])


def _find_fireworks(run: RunDirectory, launchpad: LaunchPad) -> CurrentJobs:
    """Find the Firework of each job of a run that says how the job stands."""
    query = {"spec.run_directory": str(run.root)}
    return select_current(launchpad.fireworks.find(query, {"name": 1, "state": 1, "fw_id": 1}))


def read_job_states(run: RunDirectory, launchpad: LaunchPad) -> tuple[JobState, ...]:
    """How the jobs of a run stand, in the order of the plan.

    Raises
    ------
    InputError
        The launchpad does not have the run.
    """
    documents = _find_fireworks(run, launchpad)
    if not documents:
        raise InputError(
            f"the launchpad has no jobs of {run.root}: it was not started there, or the folder was "
            f"moved or copied; take it up with: qdcomp resume {run.root} (finished jobs are not "
            "run again)"
        )
    failed = any(document["state"] == "FIZZLED" for document in documents.values())
    query = {"spec.run_directory": str(run.root)}
    failures = find_failures(launchpad, query) if failed else {}
    return tuple(
        _describe_job(run, job, documents[job.name], failures)
        for job in run.jobs
        if job.name in documents
    )


def count_steps(run: RunDirectory, job: PlannedJob) -> int:
    """Count the steps that the engine has done in a job; 0 before it has begun."""
    directory = run.job_directory(job)
    if job.kind not in ENGINE_KINDS or not (directory / INPUTS_NAME).is_file():
        return 0
    return run.engine.count_steps(directory)


def _describe_job(
    run: RunDirectory,
    job: PlannedJob,
    document: Mapping[str, Any],
    failures: dict[int, tuple[str, str]],
) -> JobState:
    record = read_run_record(run.job_directory(job))
    kind, message = failures.get(document["fw_id"], ("", ""))
    return JobState(
        job=job,
        state=document["state"],
        steps_done=count_steps(run, job),
        walltime_s=record.walltime_s if record else None,
        corrections=tuple(record.corrections) if record else (),
        failure=message or kind,
        reused_from=record.reused_from if record else "",
    )
