"""Whether a job that failed is worth another try as it is."""

from __future__ import annotations

import shutil
from pathlib import Path

from qdcomp.errors import ParseError
from qdcomp.recipes.jobs.run_record import read_run_record

_FOR_THE_USER = ("ConvergenceError", "InputError", "ParseError")
"""Errors that come again until the study, or a file, is another."""

_TOO_SHORT = "walltime is too short"
_FULL = "disk is full"

LEAST_ROOM_BYTES = 2**30
"""Free disk below which a job is not begun again, and the user is told."""

MOST_FRUITLESS = 3
"""Runs of an engine in a row that failed without a further step, after which it is given up."""


def explain_hopeless(directory: Path, kind: str, message: str) -> str:
    """Say why another try would fail, too; empty where it may succeed.

    Parameters
    ----------
    directory
        Job directory.
    kind, message
        Type and message of the exception that ended the job.
    """
    if kind in _FOR_THE_USER:
        return "change the study or the file that the error names"
    if _TOO_SHORT in message:
        return "ask for a longer walltime, or more cores, in the cluster profile"
    if _FULL in message and measure_room(directory) < LEAST_ROOM_BYTES:
        return "make room on the disk"
    if _count_fruitless(directory) >= MOST_FRUITLESS:
        return f"look into {directory}: it failed {MOST_FRUITLESS} times at the same step"
    return ""


def measure_room(directory: Path) -> int:
    """Free disk space where `directory` is, or will be [bytes]."""
    there = next(path for path in (directory, *directory.parents) if path.is_dir())
    return shutil.disk_usage(there).free


def _count_fruitless(directory: Path) -> int:
    """Count the last runs of the engine that failed at the same step."""
    try:
        record = read_run_record(directory)
    except ParseError:
        return 0
    pieces = record.pieces if record else []
    count = 0
    for piece in reversed(pieces):
        if piece.end != "failed" or piece.steps != pieces[-1].steps:
            break
        count += 1
    return count
