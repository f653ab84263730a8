"""Several workers side by side on one machine: job packing within one allocation."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from qdcomp.errors import InputError
from qdcomp.recipes.launchpads.server_launchpad import is_server


def run_in_parallel(
    location: str | Path, count: int, arguments: Sequence[str], variable: str
) -> int:
    """Run several workers, each a process of its own, until all have ended.

    SIGTERM is passed on to them. Each may use its share of the cores, unless ``OMP_NUM_THREADS``
    says otherwise.

    Parameters
    ----------
    location
        Launchpad; an embedded one is for one process.
    count
        Number of workers.
    arguments
        Of the command line ``qdcomp`` of each.
    variable
        Environment variable that tells them the launchpad, where no other process reads it.

    Returns
    -------
    int
        Highest exit code of them.

    Raises
    ------
    InputError
        The launchpad is embedded.
    """
    if not is_server(location):
        raise InputError(
            f"{location} is an embedded launchpad, which is for one process at a time; expected a "
            "launchpad server (mongodb://…) for workers side by side. Leave --parallel away"
        )
    environment = {**_share_threads(count), variable: str(location)}
    command = [sys.executable, "-m", "qdcomp", *arguments]
    workers = [subprocess.Popen(command, env=environment) for _ in range(count)]

    def pass_on(number: int, frame: object) -> None:
        for worker in workers:
            if worker.poll() is None:
                worker.send_signal(number)

    before = signal.signal(signal.SIGTERM, pass_on)
    try:
        return max(abs(worker.wait()) for worker in workers)
    finally:
        signal.signal(signal.SIGTERM, before)
        pass_on(signal.SIGTERM, None)


def _share_threads(workers: int) -> dict[str, str]:
    if "OMP_NUM_THREADS" in os.environ:
        return dict(os.environ)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {**os.environ, "OMP_NUM_THREADS": str(max(1, (cores or 1) // workers))}
