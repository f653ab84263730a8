"""Put a run's jobs on a launchpad, launch them, and say how they stand."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fireworks import FWorker, LaunchPad

from qdcomp.errors import InputError
from qdcomp.recipes.dot_linewidth import make_workflow
from qdcomp.recipes.execution import read_run_record
from qdcomp.recipes.job_state import JobState
from qdcomp.recipes.launchpad import launch_all, open_launchpad, reset_lost_runs
from qdcomp.recipes.plan import ENGINE_KINDS, PlannedJob
from qdcomp.recipes.run_directory import EMBEDDED_LAUNCHPAD_NAME, RunDirectory

LAUNCHPAD_VARIABLE = "QDCOMP_LAUNCHPAD"
"""Environment variable with the URI of the launchpad server, password included."""

_RAISED = re.compile(r"^(?:[\w.]+\.)?\w+(?:Error|Exception|Interrupt|Exit)(?:: |$)", re.MULTILINE)


def find_launchpad(run: RunDirectory, location: str | None = None) -> str | Path:
    """Where the launchpad of a run is: as given, else the environment's, else the run's own."""
    return location or os.environ.get(LAUNCHPAD_VARIABLE) or run.root / EMBEDDED_LAUNCHPAD_NAME


def submit_run(run: RunDirectory, launchpad: LaunchPad) -> None:
    """Put the jobs of a run on a launchpad, unless they are there.

    Raises
    ------
    InputError
        The engine cannot do what the study asks for.
    """
    if not _list_fireworks(run, launchpad):
        launchpad.add_wf(make_workflow(run))


def execute_run(
    run: RunDirectory,
    location: str | Path,
    on_launch: Callable[[PlannedJob], None] = lambda job: None,
) -> tuple[JobState, ...]:
    """Run every job of a run that is not complete, in this process; return how each stands.

    Jobs that an earlier process left running are put back, and so are failed ones.
    """
    with open_launchpad(location) as launchpad:
        reset_lost_runs(launchpad)
        submit_run(run, launchpad)
        for document in _list_fireworks(run, launchpad):
            if document["state"] == "FIZZLED":
                launchpad.rerun_fw(document["fw_id"])
        launch_all(
            launchpad,
            FWorker(query={"spec.run_directory": str(run.root)}),
            run.root,
            on_launch=lambda name: on_launch(run.find_job(name)),
        )
        return read_job_states(run, launchpad)


def read_job_states(run: RunDirectory, launchpad: LaunchPad) -> tuple[JobState, ...]:
    """How the jobs of a run stand, in the order of the plan.

    Raises
    ------
    InputError
        The launchpad does not have the run.
    """
    documents = {document["name"]: document for document in _list_fireworks(run, launchpad)}
    if not documents:
        raise InputError(f"the launchpad has no jobs of {run.root}; start it with: qdcomp run")
    return tuple(
        _describe_job(run, launchpad, job, documents[job.name])
        for job in run.jobs
        if job.name in documents
    )


def count_steps(run: RunDirectory, job: PlannedJob) -> int:
    """Count the steps that the engine has done in a job; 0 before it has begun."""
    directory = run.job_directory(job)
    if job.kind not in ENGINE_KINDS or not directory.is_dir():
        return 0
    return run.engine.count_steps(directory)


def _list_fireworks(run: RunDirectory, launchpad: LaunchPad) -> list[dict[str, Any]]:
    return list(
        launchpad.fireworks.find(
            {"spec.run_directory": str(run.root)},
            {"name": 1, "state": 1, "fw_id": 1, "launches": 1, "archived_launches": 1},
        )
    )


def _describe_job(
    run: RunDirectory, launchpad: LaunchPad, job: PlannedJob, document: dict[str, Any]
) -> JobState:
    record = read_run_record(run.job_directory(job))
    return JobState(
        job=job,
        state=document["state"],
        steps_done=count_steps(run, job),
        walltime_s=record.walltime_s if record else None,
        corrections=tuple(record.corrections) if record else (),
        failure=_find_failure(launchpad, document) if document["state"] == "FIZZLED" else "",
    )


def _find_failure(launchpad: LaunchPad, document: dict[str, Any]) -> str:
    """Find the message of the exception that ended a job, without its traceback."""
    launch = launchpad.launches.find_one({"launch_id": document["launches"][-1]}) or {}
    stored = ((launch.get("action") or {}).get("stored_data")) or {}
    trace = (stored.get("_exception") or {}).get("_stacktrace", "")
    raised = list(_RAISED.finditer(trace))
    if not raised:
        return "stopped without saying why; see the job's directory"
    message = trace[raised[-1].end() :].strip()
    return message or raised[-1].group().rsplit(".", 1)[-1]
