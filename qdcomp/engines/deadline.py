"""The time at which the batch system will end the job that runs here, and being asked to end by it.

Whoever runs an engine asks it to end (`Engine.request_stop`) and notes that in the job directory.
From then on no handler corrects anything there: what looks like an error may be the stop.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

DEADLINE_VARIABLES = ("QDCOMP_DEADLINE", "SLURM_JOB_END_TIME")
"""Environment variables with the time (seconds since 1970) at which the job will be ended."""

LEAST_MARGIN_S = 40.0
"""Time before the deadline from which on nothing is begun any more [s]. CP2K looks whether it is to
end every 20 s, and is given two thirds of this."""

STOP_NOTE = "stop_requested"
"""File in a job directory whose engine was asked to end."""


def read_deadline() -> float | None:
    """Time at which the batch job will be ended [s since 1970]; None where nobody says so."""
    for name in DEADLINE_VARIABLES:
        value = os.environ.get(name, "")
        if value.replace(".", "", 1).isdigit():
            return float(value)
    return None


def measure_time_left() -> float | None:
    """Time until the batch job will be ended [s], negative after it; None where nobody says so."""
    deadline = read_deadline()
    return None if deadline is None else deadline - time.time()


def note_stop(directory: Path) -> None:
    """Note that the engine in `directory` was asked to end."""
    (directory / STOP_NOTE).touch()


def is_stop_noted(directory: Path) -> bool:
    """Whether the engine in `directory` was asked to end."""
    return (directory / STOP_NOTE).exists()


def forget_stop(directory: Path) -> None:
    """Forget that the engine in `directory` was asked to end, as it starts again."""
    (directory / STOP_NOTE).unlink(missing_ok=True)
