"""Which process launched a FireWork, and whether it is still there.

Kept in the ``env`` of the worker that FireWorks stores with each launch.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from fireworks import FWorker

_KEY = "qdcomp_process"
_START_TIME_FIELD = 19
"""Place of the start time in ``/proc/PID/stat`` after the name of the command (proc(5))."""


def label_worker(worker: FWorker) -> FWorker:
    """Return the same worker, saying in its ``env`` which process it is."""
    identity = _identify(os.getpid())
    if identity is None:
        return worker
    return FWorker(worker.name, worker.category, worker._query, {**worker.env, _KEY: identity})


def has_ended(launch: dict[str, Any]) -> bool:
    """Whether the process of a launch ran on this machine and is gone; False where unknown."""
    identity = ((launch.get("fworker") or {}).get("env") or {}).get(_KEY)
    if not identity:
        return False
    here = _identify(os.getpid())
    if here is None or any(here[part] != identity.get(part) for part in ("host", "boot", "space")):
        return False
    now = _identify(identity["pid"])
    return now is None or now["started"] != identity["started"]


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
