"""Which jobs are in the queue of a batch system, asked once for all.

A job that has left the queue has no process any more: what it was running is lost. A queue that
does not answer says nothing, and is an error.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from typing import Literal

from qdcomp.errors import InputError

BatchSystem = Literal["slurm", "pbs", "lsf"]

COMMANDS: dict[BatchSystem, tuple[str, ...]] = {
    "slurm": ("squeue", "--noheader", "--all", "--format=%A %T"),
    "pbs": ("qstat",),
    "lsf": ("bjobs", "-u", "all", "-w"),
}
"""What lists the jobs of all users that wait or run."""

_PATIENCE_S = 60.0
_NUMBER = re.compile(r"\d+(?:\[\d*\])?")
_ENDED_OF_PBS = frozenset("CFX")
_EMPTY_OF_LSF = "No unfinished job found"


def make_queue_check(system: BatchSystem) -> Callable[[str], bool]:
    """Return what says of a batch job whether it is still in the queue.

    The queue is asked when a job is asked for that was not there before: a batch job may have been
    handed over since. The answer raises an `InputError` where the batch system is not here, or does
    not answer.
    """
    seen: set[str] = set()

    def is_queued(job: str) -> bool:
        if _find_number(job) not in seen:
            seen.clear()
            seen.update(list_queued_jobs(system))
        return _find_number(job) in seen

    return is_queued


def list_queued_jobs(system: BatchSystem) -> frozenset[str]:
    """Numbers of the jobs that wait or run, of all users.

    Raises
    ------
    InputError
        The batch system is not here, or does not answer.
    """
    return _READERS[system](_ask(COMMANDS[system]))


def read_squeue(text: str) -> frozenset[str]:
    """Read the jobs from what ``squeue --noheader --format='%A %T'`` prints."""
    return frozenset(line.split()[0] for line in text.splitlines() if line.split())


def read_qstat(text: str) -> frozenset[str]:
    """Read the jobs that have not ended from what ``qstat`` of PBS or Torque prints."""
    found = set()
    for line in text.splitlines():
        words = line.split()
        if len(words) < 5 or not _NUMBER.match(words[0]):
            continue
        if words[-2] not in _ENDED_OF_PBS:
            found.add(_find_number(words[0]))
    return frozenset(found)


def read_bjobs(text: str) -> frozenset[str]:
    """Read the jobs from what ``bjobs -w`` of LSF prints."""
    words = (line.split() for line in text.splitlines())
    return frozenset(line[0] for line in words if line and line[0].isdigit())


_READERS: dict[BatchSystem, Callable[[str], frozenset[str]]] = {
    "slurm": read_squeue,
    "pbs": read_qstat,
    "lsf": read_bjobs,
}


def _find_number(job: str) -> str:
    """Find the number in the name of a job; PBS adds its server, in more or fewer letters."""
    found = _NUMBER.match(job.strip())
    return found.group() if found else job.strip()


def _ask(command: tuple[str, ...]) -> str:
    path = shutil.which(command[0])
    if path is None:
        raise InputError(
            f"{command[0]} is not here; expected the commands of the batch system. Call it on a "
            "login node, or load their module"
        )
    try:
        answer = subprocess.run(
            [path, *command[1:]],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise InputError(
            f"{command[0]} did not answer within {_PATIENCE_S:g} s; try again when the batch "
            "system does"
        ) from None
    if answer.returncode != 0 and _EMPTY_OF_LSF not in answer.stderr:
        raise InputError(
            f"{' '.join(command)} failed: {answer.stderr.strip() or answer.returncode}; try again "
            "when the batch system answers"
        )
    return answer.stdout
