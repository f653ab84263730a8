"""Run a command that dies with the process that started it.

``python -m qdcomp.recipes.jobs.supervised PARENT COMMAND...`` replaces itself by the command
after it has asked the kernel (Linux) to end it when process PARENT ends. Without that, a worker
killed with SIGKILL leaves its engine behind, writing into a directory that the resumed study writes
too.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def wrap_command(command: list[str]) -> list[str]:
    """`command` in the form that ends with this process."""
    return [sys.executable, "-m", "qdcomp.recipes.jobs.supervised", str(os.getpid()), *command]


def _follow_parent(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit("the process that started this command has ended")


if __name__ == "__main__":
    _follow_parent(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
