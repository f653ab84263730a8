"""The time at which the batch system will end the job that runs here."""

from __future__ import annotations

import os

DEADLINE_VARIABLES = ("QDCOMP_DEADLINE", "SLURM_JOB_END_TIME")
"""Environment variables with the time (seconds since 1970) at which the job will be ended."""


def read_deadline() -> float | None:
    """Time at which the batch job will be ended [s since 1970]; None where nobody says so."""
    for name in DEADLINE_VARIABLES:
        value = os.environ.get(name, "")
        if value.replace(".", "", 1).isdigit():
            return float(value)
    return None
