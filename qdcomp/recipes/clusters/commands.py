"""Commands of the machine, called without a shell, with an end to waiting."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from qdcomp.errors import BatchError

PATIENCE_S = 30.0
"""How long a command of a batch system may take [s]."""


def call(
    command: Sequence[str],
    *,
    patience_s: float = PATIENCE_S,
    text: str | None = None,
    folder: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Call a command; `text` goes to its standard input.

    Raises
    ------
    BatchError
        It is not on this machine, or has not ended in time.
    """
    require(command[0])
    try:
        return subprocess.run(
            list(command),
            input=text or "",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=patience_s,
            cwd=folder,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BatchError(
            f"{' '.join(command)} has not answered within {patience_s:g} s; try again when it does"
        ) from None


def require(name: str) -> None:
    """Say so where a command is not on this machine.

    Raises
    ------
    BatchError
        It is not.
    """
    if shutil.which(name) is None:
        raise BatchError(
            f"{name} is not on this machine; call this on a login node of the cluster, or correct "
            "the cluster profile"
        )
