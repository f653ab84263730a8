"""Look at runs, on disk and on their launchpad, and name everything that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from shlex import quote

from fireworks import LaunchPad

from qdcomp.recipes.campaigns.run_set import RunSet
from qdcomp.recipes.doctor.damaged_files import find_damaged_files
from qdcomp.recipes.doctor.second_try import LEAST_ROOM_BYTES, explain_hopeless, measure_room
from qdcomp.recipes.doctor.trouble import Trouble
from qdcomp.recipes.launchpads import ServerLaunchPad, find_failures, find_lost_runs
from qdcomp.recipes.launchpads.lost_runs import QueueCheck
from qdcomp.recipes.runs.pieces import CurrentJobs, find_current_jobs
from qdcomp.recipes.runs.run_directory import RunDirectory

_LARGEST_SKEW = timedelta(minutes=1)


def examine_runs(
    runs: RunSet, launchpad: LaunchPad, is_queued: QueueCheck | None = None
) -> tuple[Trouble, ...]:
    """Name what is wrong with runs; nothing is changed.

    Parameters
    ----------
    runs
        The runs.
    launchpad
        Where their jobs are.
    is_queued
        Says of a batch job whether it is still in the queue; None where that cannot be asked.
    """
    jobs = find_current_jobs(runs.query, launchpad)
    failures = find_failures(launchpad, runs.query)
    lost = set(find_lost_runs(launchpad, runs.query, is_queued))
    found = [*_check_clock(launchpad), *_check_disk(runs)]
    for run in runs.runs:
        current = jobs.get(str(run.root), {})
        found += _check_presence(run, current)
        found += _check_lost(run, current, lost)
        found += _check_failed(run, current, failures)
        found += _check_results(run, current)
        found += _check_files(run, current)
    return tuple(found)


def _check_clock(launchpad: LaunchPad) -> list[Trouble]:
    skew = launchpad.clock_offset if isinstance(launchpad, ServerLaunchPad) else timedelta()
    if abs(skew) < _LARGEST_SKEW:
        return []
    seconds = skew.total_seconds()
    return [
        Trouble(
            "clock",
            "launchpad server",
            f"its clock is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} this "
            "machine's",
            "set both by NTP; jobs are judged by the server's clock meanwhile",
        )
    ]


def _check_disk(runs: RunSet) -> list[Trouble]:
    room = measure_room(runs.root)
    if room >= LEAST_ROOM_BYTES:
        return []
    return [
        Trouble(
            "disk",
            str(runs.root),
            f"only {room / 2**20:.0f} MiB of the disk are free",
            "make room; jobs that wrote into a full disk go on from their last whole step",
        )
    ]


def _check_presence(run: RunDirectory, current: CurrentJobs) -> list[Trouble]:
    if current:
        return []
    return [
        Trouble(
            "absent",
            run.study.name,
            "the launchpad has no jobs of it: it was started on another one, or its folder moved",
            "its jobs are put there; finished ones are not run again",
            root=run.root,
        )
    ]


def _check_lost(run: RunDirectory, current: CurrentJobs, lost: set[int]) -> list[Trouble]:
    return [
        Trouble(
            "lost",
            name,
            f"it is said to be {job['state']}, and its process or batch job has ended",
            "it is ready again, and goes on from what is on disk",
            root=run.root,
            fw_id=job["fw_id"],
        )
        for name, job in current.items()
        if job["fw_id"] in lost
    ]


def _check_failed(
    run: RunDirectory, current: CurrentJobs, failures: Mapping[int, tuple[str, str]]
) -> list[Trouble]:
    found = []
    for job in run.jobs:
        document = current.get(job.name)
        if document is None or document["state"] != "FIZZLED":
            continue
        kind, message = failures.get(document["fw_id"], ("", ""))
        why = explain_hopeless(run.job_directory(job), kind, message)
        said = (message or kind or "nobody knows why").splitlines()[0]
        found.append(
            Trouble(
                "hopeless" if why else "failed",
                job.name,
                f"it failed: {said}",
                _advise(run, job.name, why)
                or "it is ready again, and goes on from what is on disk",
                root=run.root,
                fw_id=document["fw_id"],
            )
        )
    return found


def _advise(run: RunDirectory, name: str, why: str) -> str:
    """Say what to do about a job that would fail again, with the command for when it is done."""
    if not why:
        return ""
    short = name.removeprefix(f"{run.study.name}: ")
    return f"{why}; then: qdcomp jobs rerun {quote(str(run.root))} --match {quote(short)}"


def _check_results(run: RunDirectory, current: CurrentJobs) -> list[Trouble]:
    return [
        Trouble(
            "removed",
            job.name,
            "it is complete, and its result is not on disk",
            "it is ready again, and what follows it waits for it",
            root=run.root,
            fw_id=current[job.name]["fw_id"],
        )
        for job in run.jobs
        if job.name in current
        and current[job.name]["state"] == "COMPLETED"
        and not run.has_result(job)
    ]


def _check_files(run: RunDirectory, current: CurrentJobs) -> list[Trouble]:
    return [
        Trouble(
            "damaged",
            file.job.name,
            file.reason,
            "the file is moved aside, and made again from what is on disk",
            root=run.root,
            fw_id=current[file.job.name]["fw_id"] if file.job.name in current else None,
            file=file.path,
        )
        for file in find_damaged_files(run)
    ]
