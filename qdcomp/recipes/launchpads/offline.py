"""A job without a route to the database, as FireWorks' ``rlaunch singleshot --offline`` runs it.

FireWorks' queue launcher puts ``FW.json`` and ``FW_offline.json`` into the folder of the batch job;
its ``lpad recover_offline`` reads from the second how the job went.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from fireworks import FWorker
from fireworks.core import rocket
from fireworks.core.rocket_launcher import launch_rocket

from qdcomp.errors import InputError
from qdcomp.recipes.launchpads.closing_launchpad import QUIET
from qdcomp.recipes.launchpads.launching import end_pings, keep_quiet
from qdcomp.recipes.launchpads.process_identity import label_worker

_JOB_NAME = "FW.json"
_RECORD_NAME = "FW_offline.json"


def run_offline(directory: Path) -> str:
    """Run the job whose files are in `directory`; return the state in which it ended.

    Raises
    ------
    InputError
        The files are not there, or damaged.
    """
    record = directory / _RECORD_NAME
    for path in (directory / _JOB_NAME, record):
        _check_json(path)
    before = Path.cwd()
    os.chdir(directory)
    try:
        with keep_quiet(), _open_as_asked(), end_pings():
            launch_rocket(None, label_worker(FWorker()), strm_lvl=QUIET, err_file=io.StringIO())
    finally:
        os.chdir(before)
    state: str = json.loads(record.read_text(encoding="utf-8")).get("state", "RUNNING")
    return state


@contextmanager
def _open_as_asked() -> Iterator[None]:
    """Let FireWorks open files without saying how, on which monty's ``zopen`` insists."""

    def open_file(path: str, mode: str = "rt") -> IO[Any]:
        return Path(path).open(mode, encoding=None if "b" in mode else "utf-8")

    original, rocket.zopen = rocket.zopen, open_file
    try:
        yield
    finally:
        rocket.zopen = original


def _check_json(path: Path) -> None:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{path} is not there; without a database the worker is started in the folder that "
            "FireWorks' queue launcher made for the job"
        ) from None
    except ValueError as error:
        raise InputError(
            f"{path}: damaged ({error}); make the job ready again with lpad rerun_fws and submit "
            "it once more: what it computed is kept"
        ) from error
