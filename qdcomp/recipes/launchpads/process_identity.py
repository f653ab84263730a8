"""Which process launched a FireWork, in which batch job, and whether it is still there.

Kept in the ``env`` of the worker that FireWorks stores with each launch. None of it is a time: the
clocks of the machines may differ.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from fireworks import FWorker

BATCH_JOB_VARIABLES = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID")
"""Environment variables in which Slurm, PBS and LSF name the job that a process runs in."""

_PROCESS = "qdcomp_process"
_BATCH_JOB = "qdcomp_batch_job"
_START_TIME_FIELD = 19
"""Place of the start time in ``/proc/PID/stat`` after the name of the command (proc(5))."""


def label_worker(worker: FWorker) -> FWorker:
    """Return the same worker, saying in its ``env`` which process and which batch job it is."""
    label = {_PROCESS: _identify(os.getpid()), _BATCH_JOB: find_own_batch_job()}
    known = {key: value for key, value in label.items() if value}
    return FWorker(worker.name, worker.category, worker._query, {**worker.env, **known})


def has_ended(launch: dict[str, Any]) -> bool:
    """Whether the process of a launch ran on this machine and is gone; False where unknown."""
    return _is_there(launch) is False


def is_alive(launch: dict[str, Any]) -> bool:
    """Whether the process of a launch runs on this machine; False where unknown."""
    return _is_there(launch) is True


def _is_there(launch: dict[str, Any]) -> bool | None:
    """Whether the process of a launch is there; None where it is another machine's, or unknown."""
    identity = _read_label(launch).get(_PROCESS)
    here = _identify(os.getpid())
    if not identity or here is None:
        return None
    if any(here[part] != identity.get(part) for part in ("host", "boot", "space")):
        return None
    now = _identify(identity["pid"])
    return now is not None and now["started"] == identity["started"]


def is_own(launch: dict[str, Any]) -> bool:
    """Whether this process launched it; False where unknown."""
    identity = _read_label(launch).get(_PROCESS)
    return bool(identity) and identity == _identify(os.getpid())


def find_batch_job(launch: dict[str, Any]) -> str | None:
    """Batch job that a launch runs in, or else waits for; None where there is none."""
    return find_labelled_batch_job(launch) or find_reservation(launch)


def find_labelled_batch_job(launch: dict[str, Any]) -> str | None:
    """Batch job of the process that took or reserved a launch; None where unknown."""
    job = _read_label(launch).get(_BATCH_JOB)
    return str(job) if job else None


def find_reservation(launch: dict[str, Any]) -> str | None:
    """Batch job that a launch was handed over with; None where there is none."""
    reservations = [entry.get("reservation_id") for entry in launch.get("state_history") or ()]
    return next((str(job) for job in reversed(reservations) if job), None)


def find_own_batch_job() -> str | None:
    """Batch job that this process runs in; None outside a batch system."""
    return next((os.environ[name] for name in BATCH_JOB_VARIABLES if os.environ.get(name)), None)


def _read_label(launch: dict[str, Any]) -> dict[str, Any]:
    return (launch.get("fworker") or {}).get("env") or {}


def _identify(pid: int) -> dict[str, Any] | None:
    """Describe a process so that no other is ever the same; None if it is not there.

    Systems without ``/proc`` have no such description.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        return {
            "pid": pid,
            "host": platform.node(),
            "boot": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
            "space": os.readlink("/proc/self/ns/pid"),  # noqa: PTH115
            "started": stat.rpartition(")")[2].split()[_START_TIME_FIELD],
        }
    except OSError:
        return None
