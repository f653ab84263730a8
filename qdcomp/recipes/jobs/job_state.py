"""How one job of a run stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qdcomp.engines.deadline import read_deadline
from qdcomp.recipes.jobs.planned_job import PlannedJob


@dataclass(frozen=True)
class JobState:
    """How one job stands.

    Attributes
    ----------
    job
        The job.
    state
        FireWorks' state: WAITING, READY, RUNNING, COMPLETED, FIZZLED, …
    steps_done
        Steps that its engine has done; 0 for jobs without engine.
    walltime_s
        Wall time of the engine [s]; None before it has run.
    corrections
        What custodian's handlers changed.
    failure
        Why it failed; empty if it did not.
    reused_from
        Folder of the job whose outputs it has; empty where its engine ran.
    """

    job: PlannedJob
    state: str
    steps_done: int
    walltime_s: float | None
    corrections: tuple[str, ...]
    failure: str
    reused_from: str = ""


def is_out_of_time(states: Sequence[JobState]) -> bool:
    """Whether jobs were left that could have been launched, because the batch job ends."""
    return read_deadline() is not None and any(state.state == "READY" for state in states)
