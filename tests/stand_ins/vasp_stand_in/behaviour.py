"""What the stand-in is told to do wrong: ``VASP_STAND_IN``, JSON or the name of a file with it.

::

    {"failure": "text", "file": "handler_texts/vasp.brmix", "starts": 1, "at_step": 2}

``failure``: ``text`` (emits a real text of ``shared/data/vasp/failed`` and stops), ``warning`` (the
same, and goes on), ``hang`` (writes nothing more for ``seconds``, and the
output looks ``idle`` seconds older), ``kill`` (SIGKILL in the middle
of a step; ``torn`` leaves half a CONTCAR), ``truncate`` (vasprun.xml lacks its end),
``unconverged`` (the self-consistent field stops at NELM; from ``at_step`` on), ``positive_energy``,
``jump`` (the energy leaps up, as with too large a POTIM), ``no_output`` (stops at once).
``starts``: how many starts in one directory fail, the later ones do not; ``always`` for all.
``only``: name of the directory that fails, any if absent. ``version``: the version to claim.
A list of such is gone through for the first whose ``only`` is the directory at hand.
``replay``: a directory whose files are copied in place of computing any.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

VARIABLE = "VASP_STAND_IN"
STARTS_NAME = "vasp_stand_in_starts"


class Behaviour:
    """What this start is to do."""

    def __init__(self, directory):
        told = _read(directory)
        counter = directory / STARTS_NAME
        self.start = 1 + (int(counter.read_text()) if counter.is_file() else 0)
        counter.write_text(str(self.start))
        fails = told.get("failure") is not None
        limit = told.get("starts", "always")
        if limit != "always":
            fails = fails and self.start <= limit
        self.failure = told["failure"] if fails else None
        self.at_step = told.get("at_step", 1)
        self.version = told.get("version", "5.4.4")
        self.replay = told.get("replay")
        self._told = told

    def fails_at(self, kind, step):
        return self.failure == kind and step == self.at_step

    def emit_text(self, directory):
        """Emit the real text of a failure where VASP would have written it."""
        name = self._told["file"]
        text = _read_text(name)
        base = Path(name).name
        if base.startswith("OSZICAR"):
            with (directory / "OSZICAR").open("a") as stream:
                stream.write(text)
        elif base.startswith("std_err"):
            sys.stderr.write(text)
            sys.stderr.flush()
        else:
            sys.stdout.write(text)
            sys.stdout.flush()

    def hang(self):
        """Write nothing more, and look as if that had been so for ``idle`` seconds."""
        sys.stdout.flush()
        old = time.time() - self._told.get("idle", 0)
        os.utime(sys.stdout.fileno(), (old, old))
        time.sleep(self._told.get("seconds", 3600))

    def die(self, directory):
        contcar = directory / "CONTCAR"
        if self._told.get("torn") and contcar.is_file():
            text = contcar.read_text()
            contcar.write_text(text[: len(text) // 2])
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)


def _read(directory):
    told = os.environ.get(VARIABLE, "")
    beside = directory / VARIABLE
    if not told and beside.is_file():
        told = beside.read_text()
    if told and not told.lstrip().startswith(("{", "[")):
        told = Path(told).read_text()
    found = json.loads(told) if told else {}
    entries = found if isinstance(found, list) else [found]
    fits = (entry for entry in entries if entry.get("only", directory.name) == directory.name)
    return next(fits, {})


def _read_text(name):
    root = Path(os.environ["QDCOMP_SHARED"]) / "data/vasp/failed"
    return (root / name).read_text(errors="replace")
