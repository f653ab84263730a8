"""The one handler of engines that have none of their own: a run that hangs is started again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from custodian.custodian import ErrorHandler

from qdcomp.engines import Engine
from qdcomp.engines.deadline import is_stop_noted
from qdcomp.settings import read_stall_time

STALL_SECONDS = 1800.0
"""Time without output after which a run counts as hung, where ``QDCOMP_STALL_TIME`` does not say;
the engine ``model`` looks at the Hessian of 2500 atoms for half a minute."""


class Stalled(ErrorHandler):
    """No output for a long time: the run goes on from what it has written, in a new process.

    Parameters
    ----------
    engine, directory
        What runs, and where.
    """

    is_monitor = True
    raises_runtime_error = False
    max_num_corrections = 2
    raise_on_max = True

    def __init__(self, engine: Engine, directory: Path) -> None:
        self.engine = engine
        self.directory = directory
        self.output = directory / engine.output_name
        self.seconds = read_stall_time(STALL_SECONDS)

    def as_dict(self) -> dict[str, Any]:
        """Describe the handler for custodian's log."""
        return {"handler": type(self).__name__, "output": str(self.output)}

    def check(self, directory: str = "./") -> bool:
        """Whether the output has not grown for so long; not once the run was asked to end."""
        if is_stop_noted(self.directory) or not self.output.is_file():
            return False
        silent_s = time.time() - self.output.stat().st_mtime
        return silent_s > self.seconds and not self.engine.is_complete(self.directory)

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Let the run begin anew; it goes on by itself where it stopped."""
        self.output.touch()
        error = f"no output for {self.seconds:.0f} s"
        return {"errors": [error], "actions": ["started again where it stopped"]}
