"""A worker: takes ready jobs from a launchpad and runs them in this process, one after another.

It waits for no job and asks again for none: without one that is ready it ends. What it leaves
behind when it is ended from outside is ready again, or lost, and then freed by the next worker.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fireworks import Firework, LaunchPad

from qdcomp.engines.deadline import read_deadline
from qdcomp.recipes.launchpads.launching import Launcher
from qdcomp.recipes.launchpads.lost_runs import QueueCheck, reset_lost_runs, reset_own_runs
from qdcomp.recipes.launchpads.process_identity import find_own_batch_job
from qdcomp.recipes.launchpads.time_left import goes_on_later

DEADLINE_MARGIN_S = 60.0
"""Time before the end of the batch job from which no further job is taken [s]."""


@dataclass(frozen=True)
class WorkerLimits:
    """When a worker takes no further job.

    Attributes
    ----------
    launches
        After that many jobs; None for no such limit.
    timeout_s
        That long after its start [s]; None for no such limit.
    margin_s
        That long before the batch system ends it, where it says when [s].
    """

    launches: int | None = None
    timeout_s: float | None = None
    margin_s: float = DEADLINE_MARGIN_S


@dataclass(frozen=True)
class WorkerReport:
    """What a worker did.

    Attributes
    ----------
    freed
        ``fw_id`` of the lost runs that it made ready again before it took a job.
    launched
        ``fw_id`` of the jobs that it ran, in order.
    failed
        ``fw_id`` of those that failed.
    put_back
        ``fw_id`` of the job that it was running when it was ended, ready again.
    ended
        Why it ended.
    """

    freed: tuple[int, ...]
    launched: tuple[int, ...]
    failed: tuple[int, ...]
    put_back: tuple[int, ...]
    ended: str


@dataclass
class _Shift:
    """What a worker has done so far, and when it stops."""

    limits: WorkerLimits
    started_s: float = field(default_factory=time.monotonic)
    launched: list[int] = field(default_factory=list)

    def find_end(self) -> str:
        """Why no further job is to be taken; empty where one may be."""
        if self.limits.launches is not None and len(self.launched) >= self.limits.launches:
            return "it has run as many as it was told"
        timeout = self.limits.timeout_s
        if timeout is not None and time.monotonic() - self.started_s >= timeout:
            return f"its {timeout:g} s are over"
        deadline = read_deadline()
        if deadline is not None and time.time() + self.limits.margin_s >= deadline:
            return "the batch job ends soon"
        return ""


class _Termination:
    """SIGTERM interrupts the task that runs; between tasks it only ends the worker.

    Raised while FireWorks writes, an interrupt would leave a workflow half written.
    """

    def __init__(self) -> None:
        self.asked = False
        self._within_task = False

    @contextmanager
    def listen(self) -> Iterator[None]:
        """Take SIGTERM while the body runs."""
        before = signal.signal(signal.SIGTERM, self._receive)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)

    def guard(self, firework: Firework) -> None:
        """Let the tasks of a FireWork be interrupted."""
        for task in firework.tasks:
            task.run_task = self._guard(task.run_task)

    def _guard(self, run_task: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        def run(fw_spec: dict[str, Any]) -> Any:
            if self.asked:
                raise KeyboardInterrupt
            self._within_task = True
            try:
                return run_task(fw_spec)
            except Exception:
                if self.asked:  # the engine was ended by the same signal
                    raise KeyboardInterrupt from None
                raise
            finally:
                self._within_task = False

        return run

    def _receive(self, number: int, frame: object) -> None:
        self.asked = True
        if self._within_task:
            self._within_task = False
            raise KeyboardInterrupt


def run_jobs(
    launchpad: LaunchPad,
    query: Mapping[str, Any],
    directory: str | Path,
    *,
    limits: WorkerLimits | None = None,
    on_launch: Callable[[str], None] = lambda name: None,
    is_queued: QueueCheck | None = None,
) -> WorkerReport:
    """Run one ready job after another, until none is ready or a limit is reached.

    Parameters
    ----------
    launchpad
        Where the jobs are.
    query
        Which of them, as a MongoDB filter.
    directory
        Folder to launch from.
    limits
        When to take no further job.
    on_launch
        Called with the name of each job before it runs.
    is_queued
        Asked of the batch jobs of other machines whether they are still there.

    Returns
    -------
    WorkerReport
        What was done; jobs that failed are among those launched.

    Raises
    ------
    StoreError
        The launchpad went away for too long, or could not be written.
    """
    return _work(launchpad, query, directory, None, limits, on_launch, is_queued)


def run_job_of_number(
    launchpad: LaunchPad,
    fw_id: int,
    directory: str | Path,
    *,
    on_launch: Callable[[str], None] = lambda name: None,
) -> WorkerReport:
    """Run the job with that ``fw_id``, if it is ready or reserved.

    A batch system that lost a node starts a batch job again under the same number: what it was
    running then is lost.

    Raises
    ------
    StoreError
        The launchpad went away for too long, or could not be written.
    """
    query, own_job = {"fw_id": fw_id}, find_own_batch_job()
    runs = launchpad.fireworks.find_one({**query, "state": "RUNNING"}, {"_id": 1}) is not None
    is_queued = (lambda job: job != own_job) if runs and own_job else None
    once = WorkerLimits(launches=1, margin_s=0.0)
    return _work(launchpad, query, directory, fw_id, once, on_launch, is_queued)


def select_categories(query: Mapping[str, Any], categories: Sequence[str]) -> dict[str, Any]:
    """Narrow a filter to jobs of some categories; none named are all."""
    if not categories:
        return dict(query)
    return {**query, "spec._category": {"$in": list(categories)}}


def _work(
    launchpad: LaunchPad,
    query: Mapping[str, Any],
    directory: str | Path,
    fw_id: int | None,
    limits: WorkerLimits | None,
    on_launch: Callable[[str], None],
    is_queued: QueueCheck | None,
) -> WorkerReport:
    shift, termination = _Shift(limits or WorkerLimits()), _Termination()
    put_back: tuple[int, ...] = ()

    def begin(job: Firework) -> None:
        shift.launched.append(job.fw_id)
        termination.guard(job)
        on_launch(job.name)

    with termination.listen():
        freed = reset_lost_runs(launchpad, query, is_queued)
        try:
            ended = _launch_until_end(
                launchpad, Launcher(launchpad, query, directory), shift, termination, begin, fw_id
            )
        except KeyboardInterrupt:
            ended = "it was told to end" if termination.asked else "it was interrupted"
            reset_own_runs(launchpad)
            put_back = _select(launchpad, shift.launched[-1:], "READY")
        failed = _select(launchpad, shift.launched, "FIZZLED")
    return WorkerReport(tuple(freed), tuple(shift.launched), failed, put_back, ended)


def _select(launchpad: LaunchPad, fw_ids: Sequence[int], state: str) -> tuple[int, ...]:
    """Select those in a state."""
    found = launchpad.fireworks.find({"fw_id": {"$in": list(fw_ids)}, "state": state}, {"fw_id": 1})
    return tuple(sorted(job["fw_id"] for job in found))


def _launch_until_end(
    launchpad: LaunchPad,
    launcher: Launcher,
    shift: _Shift,
    termination: _Termination,
    begin: Callable[[Firework], None],
    fw_id: int | None,
) -> str:
    with launcher:
        while not (ended := shift.find_end()):
            if termination.asked:
                return "it was told to end"
            if launcher.launch_next(begin, fw_id) is None:
                return f"job {fw_id} is not ready" if fw_id else "no job is ready"
            if goes_on_later(launchpad, shift.launched[-1]):
                return "the batch job ends soon, and its job goes on in another"
    return ended
