"""A process that is asked, when it ends, how much memory it took."""

from __future__ import annotations

import itertools
import os
import subprocess
import time
from collections.abc import Mapping, Sequence

_TASK_OPTIONS = frozenset({"-n", "-np", "--np", "--ntasks", "-ntasks"})
"""Options by which mpirun, mpiexec, srun and jsrun are told the number of processes."""

_LAUNCHERS = frozenset({"mpirun", "mpiexec", "mpiexec.hydra", "orterun", "srun", "aprun", "prun"})
_WAIT_S = 0.05


class MeasuredProcess(subprocess.Popen[bytes]):
    """A child that is waited for with its use of resources.

    Attributes
    ----------
    peak_memory_gib
        Largest resident memory [GiB] of the process, or of the largest of those that it waited
        for; 0 until it has ended. Not less than this process itself had at its start, which Linux
        counts in. Processes on other nodes are not seen.
    """

    peak_memory_gib: float = 0.0

    def poll(self) -> int | None:
        """Give the exit status if the process has ended."""
        if self.returncode is None:
            self._wait4(os.WNOHANG)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the process; give its exit status."""
        end = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            self._wait4(0 if end is None else os.WNOHANG)
            if self.returncode is None and end is not None:
                if time.monotonic() > end:
                    raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
                time.sleep(_WAIT_S)
        return self.returncode

    def _wait4(self, options: int) -> None:
        try:
            pid, status, usage = os.wait4(self.pid, options)
        except ChildProcessError:  # somebody else has waited for it
            self.returncode = 0
            return
        if pid == self.pid:
            self.returncode = os.waitstatus_to_exitcode(status)
            self.peak_memory_gib = usage.ru_maxrss / 2**20  # Linux counts KiB


def count_cores(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Cores that a command uses: its processes, as its launcher is told, times its threads.

    Parameters
    ----------
    command
        The words of the command, ``["srun", "-n", "16", "vasp_std"]``.
    environment
        What it is started with: ``OMP_NUM_THREADS``, and ``SLURM_NTASKS`` for a launcher that is
        not told.
    """
    threads = _first_number(environment.get("OMP_NUM_THREADS", "")) or 1
    return threads * _count_processes(command, environment)


def _count_processes(command: Sequence[str], environment: Mapping[str, str]) -> int:
    if not command or command[0].rpartition("/")[2] not in _LAUNCHERS:
        return 1
    words = [part for word in command for part in word.split("=", 1)]
    for option, value in itertools.pairwise(words):
        if option in _TASK_OPTIONS and (number := _first_number(value)):
            return number
    return _first_number(environment.get("SLURM_NTASKS", "")) or 1


def _first_number(text: str) -> int:
    first = text.partition(",")[0].strip()
    return int(first) if first.isdecimal() else 0
