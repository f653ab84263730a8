"""Pause, continue, cancel and rerun some of the jobs of runs, by FireWorks' own operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from fireworks import LaunchPad

from qdcomp.errors import InputError
from qdcomp.recipes.campaigns.set_aside import set_aside_results
from qdcomp.recipes.launchpads import EmbeddedLaunchPad
from qdcomp.recipes.launchpads.process_identity import find_reservation
from qdcomp.recipes.runs.next_command import suggest_next_command
from qdcomp.recipes.runs.pieces import find_current_jobs
from qdcomp.recipes.runs.run_directory import RunDirectory

ALL_JOBS = "*"

PAUSABLE = ("WAITING", "READY", "RESERVED")
CANCELLABLE = (*PAUSABLE, "PAUSED", "FIZZLED")
CONTINUABLE = ("PAUSED", "DEFUSED")
RERUNNABLE = ("COMPLETED", "FIZZLED", "PAUSED", "DEFUSED")
"""States of FireWorks in which a job can be paused, cancelled, continued and run again."""

ACTIVE = ("RUNNING", "RESERVED")
"""States in which a worker or a batch system has a job."""

_NAMED = 5


@dataclass(frozen=True)
class JobOnLaunchpad:
    """A job of a run as the launchpad has it: its name, its number there, and its state."""

    run: RunDirectory
    name: str
    fw_id: int
    state: str

    @property
    def short_name(self) -> str:
        """Name without that of the study."""
        return self.name.removeprefix(f"{self.run.study.name}: ")


@dataclass(frozen=True)
class ControlResult:
    """What was done with jobs.

    Attributes
    ----------
    changed
        Names of the jobs that were changed.
    left
        Number of the jobs that match and were left, by their state.
    set_aside
        Folders that hold the results which were moved away.
    batch_jobs
        Numbers of the batch jobs that jobs were handed over with and that have no job any more.
    """

    changed: tuple[str, ...]
    left: dict[str, int]
    set_aside: tuple[str, ...] = ()
    batch_jobs: tuple[str, ...] = ()


def pause_jobs(
    runs: Sequence[RunDirectory], launchpad: LaunchPad, pattern: str = ALL_JOBS
) -> ControlResult:
    """Hold jobs that have not begun; what runs goes on.

    Parameters
    ----------
    runs, launchpad
        The runs, and where their jobs are.
    pattern
        Which jobs: shell wildcards for the name, with or without that of the study.

    Raises
    ------
    InputError
        No job matches, or the launchpad does not have the runs.
    """

    def hold(job: JobOnLaunchpad) -> None:
        launchpad.pause_fw(job.fw_id)

    return _change(select_jobs(runs, launchpad, pattern), launchpad, PAUSABLE, hold)


def continue_jobs(
    runs: Sequence[RunDirectory], launchpad: LaunchPad, pattern: str = ALL_JOBS
) -> ControlResult:
    """Let jobs go on that were paused or cancelled; parameters and errors as `pause_jobs`."""

    def go_on(job: JobOnLaunchpad) -> None:
        _let_go(job, launchpad)

    return _change(select_jobs(runs, launchpad, pattern), launchpad, CONTINUABLE, go_on)


def cancel_jobs(
    runs: Sequence[RunDirectory], launchpad: LaunchPad, pattern: str = ALL_JOBS
) -> ControlResult:
    """Give up jobs that are not done and not running; parameters and errors as `pause_jobs`.

    What follows them waits. `continue_jobs` takes it back. The batch system is not told: a batch
    job that waits for a cancelled job stays in its queue.
    """
    batch_jobs: list[str] = []

    def give_up(job: JobOnLaunchpad) -> None:
        reserved = {"fw_id": job.fw_id, "state": "RESERVED"}
        for launch in launchpad.launches.find(reserved, {"launch_id": 1, "state_history": 1}):
            launchpad.cancel_reservation(launch["launch_id"])
            number = find_reservation(launch)
            batch_jobs.extend([number] if number else [])
        launchpad.defuse_fw(job.fw_id)

    done = _change(select_jobs(runs, launchpad, pattern), launchpad, CANCELLABLE, give_up)
    return replace(done, batch_jobs=tuple(batch_jobs))


def rerun_jobs(
    runs: Sequence[RunDirectory], launchpad: LaunchPad, pattern: str = ALL_JOBS
) -> ControlResult:
    """Put back jobs that have run, and all that follows them; parameters as `pause_jobs`.

    Their results are moved into a folder of the run, ``set_aside/TIME``; nothing is lost. Nor are
    they taken over from another run that has done the same.

    Raises
    ------
    InputError
        No job matches, or one of those that would be put back is running; nothing is changed.
    """
    chosen = select_jobs(runs, launchpad, pattern)
    begun = [job for job in chosen if job.state in RERUNNABLE or job.state in ACTIVE]
    affected: list[tuple[RunDirectory, list[JobOnLaunchpad]]] = []
    for run in runs:
        own = {job.name for job in begun if job.run is run}
        if own:
            names = _add_descendants(run, own)
            everything = select_jobs([run], launchpad, ALL_JOBS)
            affected.append((run, [job for job in everything if job.name in names]))
    _refuse_active([job for _, jobs in affected for job in jobs])
    folders, changed = [], []
    for run, jobs in affected:
        names = {job.name for job in jobs}
        folder = set_aside_results(run, [job for job in run.jobs if job.name in names])
        folders += [str(folder)] if folder else []
        with _as_one(launchpad):
            for job in begun:
                if job.run is run:
                    _put_back(job, launchpad)
        changed += [job.name for job in jobs]
    return ControlResult(tuple(changed), _count_left(chosen, RERUNNABLE), tuple(folders))


def select_jobs(
    runs: Sequence[RunDirectory], launchpad: LaunchPad, pattern: str
) -> list[JobOnLaunchpad]:
    """Find the jobs of runs whose name matches, parents first; of pieces, the current one.

    Raises
    ------
    InputError
        There is none.
    """
    query = {"spec.run_directory": {"$in": [str(run.root) for run in runs]}}
    current = find_current_jobs(query, launchpad)
    in_order = [
        JobOnLaunchpad(run, job.name, found[job.name]["fw_id"], found[job.name]["state"])
        for run in runs
        for found in [current.get(str(run.root), {})]
        for job in run.jobs
        if job.name in found
    ]
    if not in_order:
        raise InputError(
            f"the launchpad has no jobs of {runs[0].root}: it was not started there; start it with "
            f"qdcomp resume {runs[0].root}, or name its server with --launchpad"
        )
    chosen = [job for job in in_order if _matches(job, pattern)]
    if not chosen:
        names = list(dict.fromkeys(job.short_name for job in in_order))
        more = ", …" if len(names) > _NAMED else ""
        raise InputError(
            f"no job matches {pattern!r}; write a name with wildcards, '*sample*'. Jobs are called "
            f"{', '.join(names[:_NAMED])}{more}"
        )
    return chosen


def _matches(job: JobOnLaunchpad, pattern: str) -> bool:
    return fnmatchcase(job.name, pattern) or fnmatchcase(job.short_name, pattern)


def _change(
    chosen: Sequence[JobOnLaunchpad],
    launchpad: LaunchPad,
    states: tuple[str, ...],
    operation: Callable[[JobOnLaunchpad], None],
) -> ControlResult:
    """Do an operation on the jobs that are in one of `states`."""
    due = [job for job in chosen if job.state in states]
    with _as_one(launchpad):
        for job in due:
            operation(job)
    return ControlResult(tuple(job.name for job in due), _count_left(chosen, states))


def _as_one(launchpad: LaunchPad) -> AbstractContextManager[None]:
    """Let an embedded launchpad write once; a server has other workers that look meanwhile."""
    return launchpad.as_one() if isinstance(launchpad, EmbeddedLaunchPad) else nullcontext()


def _count_left(chosen: Sequence[JobOnLaunchpad], states: tuple[str, ...]) -> dict[str, int]:
    left = [job.state for job in chosen if job.state not in states]
    return {state: left.count(state) for state in dict.fromkeys(left)}


def _add_descendants(run: RunDirectory, names: set[str]) -> set[str]:
    """Add the jobs that follow any of `names`; the plan has parents before children."""
    found = set(names)
    for job in run.jobs:
        if found.intersection(job.parents):
            found.add(job.name)
    return found


def _refuse_active(jobs: Sequence[JobOnLaunchpad]) -> None:
    active = [job for job in jobs if job.state in ACTIVE]
    if active:
        first = active[0]
        command = suggest_next_command(first.run.root, [first.state])
        raise InputError(
            f"{first.name} is {first.state}, and what runs is not run again: wait for it, or end "
            f"its process or batch job; if it was killed, {command} puts it back. Nothing was "
            "changed"
        )


def _let_go(job: JobOnLaunchpad, launchpad: LaunchPad) -> None:
    """Let a job go on that a user holds."""
    if job.state == "PAUSED":
        launchpad.resume_fw(job.fw_id)
    if job.state == "DEFUSED":
        launchpad.reignite_fw(job.fw_id)


def _put_back(job: JobOnLaunchpad, launchpad: LaunchPad) -> None:
    """Make a job ready to run, and what follows it wait for it."""
    _let_go(job, launchpad)
    now = launchpad.fireworks.find_one({"fw_id": job.fw_id}, {"state": 1})
    if now["state"] not in ("WAITING", "READY"):  # put back with one that it follows
        launchpad.rerun_fw(job.fw_id)
