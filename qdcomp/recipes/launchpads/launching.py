"""Launch what is ready on a launchpad, in this process, by FireWorks' own launcher."""

from __future__ import annotations

import io
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from fireworks import FWorker, LaunchPad
from fireworks.core import rocket
from fireworks.core.rocket_launcher import launch_rocket
from fireworks.utilities.fw_utilities import create_datestamp_dir
from pymongo.errors import PyMongoError

from qdcomp.errors import StoreError
from qdcomp.recipes.launchpads.closing_launchpad import QUIET
from qdcomp.recipes.launchpads.process_identity import label_worker
from qdcomp.recipes.launchpads.time_left import has_time_to_launch

_ROCKET_LOG = "rocket.launcher"


def launch_all(
    launchpad: LaunchPad,
    query: Mapping[str, Any],
    directory: str | Path,
    on_launch: Callable[[str], None] = lambda name: None,
) -> tuple[int, ...]:
    """Launch one FireWork after another until none is ready; it neither waits nor polls.

    Near the end of the batch job that this process runs in, it launches no other.

    A FireWork runs in its ``_launch_dir``, or else in a folder of its own in `directory`. One that
    fails is FIZZLED, as FireWorks has it, and the others go on.

    Parameters
    ----------
    launchpad
        Where the FireWorks are.
    query
        Which of them, as a MongoDB filter.
    directory
        Folder to launch from.
    on_launch
        Called with the name of each FireWork before it is launched.

    Returns
    -------
    tuple[int, ...]
        ``fw_id`` of each FireWork launched, in order.

    Raises
    ------
    KeyboardInterrupt
        The user ended it; the FireWork that was running is ready again.
    StoreError
        The launchpad could not be written.
    """
    directory = Path(directory).resolve()
    worker = label_worker(FWorker(query=dict(query)))
    launched: list[int] = []
    with _keep_quiet(), _end_pings(), _keep_folder():
        while (
            has_time_to_launch(launchpad, launched)
            and (ready := launchpad._get_a_fw_to_run(query=worker.query, checkout=False))
            is not None
        ):
            on_launch(ready.name)
            if _launch(launchpad, worker, ready.fw_id, directory):
                launched.append(ready.fw_id)
                _pass_on_interrupt(launchpad, ready.fw_id)
    return tuple(launched)


def find_failure(launchpad: LaunchPad, fw_id: int) -> tuple[str, str]:
    """Find the exception that ended a FireWork: its type and its message, empty if none did."""
    document = launchpad.fireworks.find_one({"fw_id": fw_id}, {"launches": 1, "state": 1})
    if document is None or document["state"] != "FIZZLED" or not document["launches"]:
        return "", ""
    action = launchpad.get_launch_by_id(document["launches"][-1]).action
    stored: dict[str, Any] = action.stored_data if action else {}
    trace = (stored.get("_exception") or {}).get("_stacktrace") or ""
    lines = trace.rsplit("Traceback (most recent call last):\n", 1)[-1].splitlines()
    first = next((index for index, line in enumerate(lines) if line[:1].strip()), len(lines))
    kind, _, message = "\n".join(lines[first:]).partition(": ")
    return kind.strip().rpartition(".")[2], message.strip()


def _launch(launchpad: LaunchPad, worker: FWorker, fw_id: int, directory: Path) -> bool:
    logger = logging.getLogger(_ROCKET_LOG)
    folder = Path(create_datestamp_dir(str(directory), logger, prefix="launcher_"))
    os.chdir(folder)
    try:
        ran: bool = launch_rocket(
            launchpad, worker, fw_id=fw_id, strm_lvl=QUIET, err_file=io.StringIO()
        )
    finally:
        os.chdir(directory)
        with suppress(OSError):  # it holds what the FireWork wrote, or FireWorks has removed it
            folder.rmdir()
    return ran


def _pass_on_interrupt(launchpad: LaunchPad, fw_id: int) -> None:
    """Raise the `KeyboardInterrupt` that FireWorks took for a failure of the FireWork."""
    if find_failure(launchpad, fw_id)[0] == "KeyboardInterrupt":
        launchpad.rerun_fw(fw_id)
        raise KeyboardInterrupt


@contextmanager
def _keep_quiet() -> Iterator[None]:
    """Keep off stdout what FireWorks says of each rocket, at a level that cannot be set."""
    logger = logging.getLogger(_ROCKET_LOG)
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


@contextmanager
def _keep_folder() -> Iterator[None]:
    before = Path.cwd()
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _end_pings() -> Iterator[None]:
    """End FireWorks' ping threads with the launches, also when one was interrupted.

    FireWorks' own outlive an interrupt by up to an hour and hold the process for so long.
    """
    pings: list[tuple[threading.Event, threading.Thread]] = []

    def start(launchpad: LaunchPad, launch_id: int) -> threading.Event:
        stop = threading.Event()
        thread = threading.Thread(
            target=_ping, args=(launchpad, launch_id, stop, threading.current_thread()), daemon=True
        )
        thread.start()
        pings.append((stop, thread))
        return stop

    original, rocket.start_ping_launch = rocket.start_ping_launch, start
    try:
        yield
    finally:
        rocket.start_ping_launch = original
        for stop, thread in pings:
            stop.set()
            thread.join()


def _ping(launchpad: LaunchPad, launch_id: int, stop: threading.Event, main: Any) -> None:
    # The launch itself will meet the same trouble; a ValueError says that there is no such launch,
    # as when it ended before its first ping, and then there is nothing to ping.
    with suppress(StoreError, PyMongoError, ValueError):
        rocket.ping_launch(launchpad, launch_id, stop, main)
