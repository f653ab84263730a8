"""Run one job directory of the engine ``model``: ``python -m qdcomp.engines.model DIRECTORY``."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from qdcomp.engines.model.runner import run_job
from qdcomp.errors import QdcompError

REPORT_INTERVAL_S = 0.5
"""Least time between two lines about the progress [s]."""


class _Progress:
    """Writes lines to the standard output, no more than a few a second, the last one always."""

    def __init__(self) -> None:
        self._next = 0.0
        self._held = ""

    def __call__(self, line: str) -> None:
        self._held = line
        if time.monotonic() >= self._next:
            self.flush()

    def flush(self) -> None:
        if self._held:
            sys.stdout.write(self._held + "\n")
            sys.stdout.flush()
            self._held = ""
            self._next = time.monotonic() + REPORT_INTERVAL_S


def main(arguments: Sequence[str]) -> int:
    """Run the job in the directory given; exit code 2 where an error stops it."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m qdcomp.engines.model DIRECTORY\n")
        return 2
    progress = _Progress()
    try:
        run_job(Path(arguments[0]), progress)
    except QdcompError as error:
        progress.flush()
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 2
    progress.flush()
    sys.stdout.write("done\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
