"""A progress bar over the steps of a run, from the files its engine writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from qdcomp.cli.console import notes

if TYPE_CHECKING:
    from qdcomp.recipes.jobs.planned_job import PlannedJob
    from qdcomp.recipes.runs.run_directory import RunDirectory

_POLL_S = 0.5


class RunProgress:
    """Follows the job that runs."""

    def __init__(self, run: RunDirectory, progress: Progress) -> None:
        self._run = run
        self._progress = progress
        self._current: tuple[PlannedJob, TaskID] | None = None

    def follow(self, job: PlannedJob) -> None:
        """Show the steps of `job` from now on."""
        self.finish()
        if not notes.is_terminal:
            notes.print(job.name)
        self._current = (job, self._progress.add_task(job.name, total=job.steps or None))

    def update(self) -> None:
        """Read how far the job is."""
        if self._current is not None:
            job, task = self._current
            self._progress.update(task, completed=self._count_steps(job))

    def finish(self) -> None:
        """Close the bar of the job before."""
        if self._current is not None:
            job, task = self._current
            done = self._count_steps(job) or 1
            self._progress.update(task, completed=done, total=done)
            self._current = None

    def _count_steps(self, job: PlannedJob) -> int:
        from qdcomp.recipes.workflows.run_launching import count_steps

        return count_steps(self._run, job)


@contextmanager
def show_progress(run: RunDirectory) -> Iterator[RunProgress]:
    """Show how far the jobs of `run` are while the body runs them."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    stopped = Event()
    with Progress(*columns, console=notes, disable=not notes.is_terminal) as progress:
        shown = RunProgress(run, progress)
        thread = Thread(target=_poll, args=(shown, stopped), daemon=True)
        thread.start()
        try:
            yield shown
        finally:
            stopped.set()
            thread.join()
            shown.finish()


def _poll(shown: RunProgress, stopped: Event) -> None:
    while not stopped.wait(_POLL_S):
        shown.update()
