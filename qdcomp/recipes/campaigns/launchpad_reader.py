"""How the jobs of one run after another stand; runs on one launchpad open it once."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from qdcomp.recipes.jobs.job_state import JobState
from qdcomp.recipes.launchpads import ClosingLaunchPad, open_launchpad
from qdcomp.recipes.runs.run_directory import RunDirectory
from qdcomp.recipes.workflows.run_launching import find_launchpad, read_job_states


class LaunchpadReader:
    """Reads launchpads, and keeps the last one open; use it in a ``with`` statement.

    Parameters
    ----------
    location
        URI of the launchpad server; None takes each run's own.
    """

    def __init__(self, location: str | None) -> None:
        self._location = location
        self._open: tuple[str | Path, ClosingLaunchPad] | None = None

    def read_states(self, run: RunDirectory) -> tuple[JobState, ...]:
        """Read how the jobs of a run stand.

        Raises
        ------
        InputError, StoreError
            The launchpad cannot be read, or does not have the run.
        """
        place = find_launchpad(run, self._location)
        if self._open is None or self._open[0] != place:
            self._close()
            self._open = (place, open_launchpad(place, read_only=True))
        return read_job_states(run, self._open[1])

    def _close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()
