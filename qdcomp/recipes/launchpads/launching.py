"""Launch what is ready on a launchpad, in this process, by FireWorks' own launcher."""

from __future__ import annotations

import io
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fireworks import Firework, FWorker, LaunchPad
from fireworks.core import rocket
from fireworks.core.launchpad import get_action_from_gridfs
from fireworks.core.rocket_launcher import launch_rocket
from fireworks.utilities.fw_utilities import create_datestamp_dir
from pymongo import DESCENDING
from pymongo.errors import PyMongoError

from qdcomp.errors import StoreError
from qdcomp.recipes.launchpads.closing_launchpad import QUIET
from qdcomp.recipes.launchpads.lost_runs import reset_own_runs
from qdcomp.recipes.launchpads.process_identity import label_worker
from qdcomp.recipes.launchpads.retrying_collection import DatabaseAwayError
from qdcomp.recipes.launchpads.server_launchpad import ServerLaunchPad
from qdcomp.recipes.launchpads.time_left import has_time_to_launch
from qdcomp.recipes.launchpads.trusted_tasks import check_specification, only_own_tasks

_ROCKET_LOG = "rocket.launcher"
_LISTED_AT_ONCE = 20
"""How many ready jobs a worker looks up on a server at once; it takes them one by one."""

_FOLDER_PREFIX = "launcher_"
_LEFT_AFTER_S = 600.0
"""Age from which an empty folder of a launch is that of a worker that was killed [s]."""


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
        Called with the name of each FireWork before it runs.

    Returns
    -------
    tuple[int, ...]
        ``fw_id`` of each FireWork launched, in order.

    Raises
    ------
    KeyboardInterrupt
        The user ended it; the FireWork that was running is ready again.
    StoreError
        The launchpad could not be written, or asks for what is no job of qdcomp.
    """
    launched: list[int] = []
    with Launcher(launchpad, query, directory) as launcher:
        while (
            has_time_to_launch(launchpad, launched)
            and (fw_id := launcher.launch_next(lambda job: on_launch(job.name))) is not None
        ):
            launched.append(fw_id)
    return tuple(launched)


class Launcher:
    """Launches FireWorks one by one from a folder; use it in a ``with`` statement.

    Parameters
    ----------
    launchpad
        Where the FireWorks are.
    query
        Which of them it may take, as a MongoDB filter.
    directory
        Folder to launch from.
    """

    def __init__(
        self, launchpad: LaunchPad, query: Mapping[str, Any], directory: str | Path
    ) -> None:
        self._launchpad = launchpad
        self._query = dict(query)
        self._listed: list[int] = []
        self._directory = Path(directory).resolve()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        _remove_leftovers(self._directory)
        for context in (only_own_tasks(), keep_quiet(), end_pings(), _keep_folder()):
            self._open.enter_context(context)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def launch_next(
        self, on_launch: Callable[[Firework], None] = lambda job: None, fw_id: int | None = None
    ) -> int | None:
        """Launch the next FireWork that is ready, or one that is reserved.

        The launchpad chooses and takes it in one step, so that no two workers take the same.

        Parameters
        ----------
        on_launch
            Called with the FireWork after it was taken, before it runs.
        fw_id
            Take that one, ready or reserved; None for any that is ready.

        Returns
        -------
        int | None
            Its ``fw_id``; None if there was none to launch.

        Raises
        ------
        KeyboardInterrupt
            The user ended it; the FireWork is ready again.
        """
        if fw_id is not None or not isinstance(self._launchpad, ServerLaunchPad):
            return self._take(on_launch, self._query, fw_id)
        while True:
            self._listed = self._listed or self._list_ready()
            if not self._listed:
                return None
            listed = {**self._query, "fw_id": self._listed.pop(0)}
            if (taken := self._take(on_launch, listed, None)) is not None:
                return taken

    def _list_ready(self) -> list[int]:
        """List some that are ready: a search among thousands is not made for each of them."""
        found = self._launchpad.fireworks.find(
            {**FWorker(query=self._query).query, "state": "READY"},
            {"fw_id": 1},
            sort=[("spec._priority", DESCENDING)],
            limit=_LISTED_AT_ONCE,
        )
        return [job["fw_id"] for job in found]

    def _take(
        self,
        on_launch: Callable[[Firework], None],
        query: dict[str, Any],
        fw_id: int | None,
    ) -> int | None:
        taken: list[int] = []

        def take(firework: Firework) -> None:
            _refuse_foreign(self._launchpad, firework)
            taken.append(firework.fw_id)
            on_launch(firework)

        with _follow_checkout(self._launchpad, take):
            complaint = self._launch(label_worker(FWorker(query=query)), fw_id)
        if taken and complaint:
            _pass_on_interrupt(self._launchpad, taken[0])
        return taken[0] if taken else None

    def _launch(self, worker: FWorker, fw_id: int | None) -> str:
        """Launch from a folder that is new; return what the FireWork said when it failed."""
        logger = logging.getLogger(_ROCKET_LOG)
        folder = Path(create_datestamp_dir(str(self._directory), logger, prefix=_FOLDER_PREFIX))
        os.chdir(folder)
        complaint = io.StringIO()
        try:
            launch_rocket(self._launchpad, worker, fw_id=fw_id, strm_lvl=QUIET, err_file=complaint)
        finally:
            os.chdir(self._directory)
            with suppress(OSError):  # it holds what the FireWork wrote, or FireWorks removed it
                folder.rmdir()
        return complaint.getvalue()


def _remove_leftovers(directory: Path) -> None:
    """Remove the empty folders that killed workers left behind."""
    for folder in directory.glob(f"{_FOLDER_PREFIX}*"):
        with suppress(OSError):  # it holds something, or another worker removed it
            if time.time() - folder.stat().st_mtime > _LEFT_AFTER_S:
                folder.rmdir()


def find_failure(launchpad: LaunchPad, fw_id: int) -> tuple[str, str]:
    """Find the exception that ended a FireWork: its type and its message, empty if none did."""
    return find_failures(launchpad, {"fw_id": fw_id}).get(fw_id, ("", ""))


def find_failures(launchpad: LaunchPad, query: Mapping[str, Any]) -> dict[int, tuple[str, str]]:
    """Find the exceptions that ended FireWorks, by ``fw_id``: the type and the message of each.

    Parameters
    ----------
    launchpad
        Where the FireWorks are.
    query
        Which of them, as a MongoDB filter.
    """
    failed = launchpad.fireworks.find({**query, "state": "FIZZLED"}, {"fw_id": 1, "launches": 1})
    last = {each["launches"][-1]: each["fw_id"] for each in failed if each["launches"]}
    if not last:
        return {}
    found = launchpad.launches.find(
        {"launch_id": {"$in": list(last)}}, {"launch_id": 1, "action": 1}
    )
    actions = (
        (each["launch_id"], get_action_from_gridfs(each.get("action"), launchpad.gridfs_fallback))
        for each in found
    )
    return {last[launch_id]: _read_failure(action or {}) for launch_id, action in actions}


def _read_failure(action: Mapping[str, Any]) -> tuple[str, str]:
    exception = (action.get("stored_data") or {}).get("_exception") or {}
    trace = exception.get("_stacktrace") or ""
    lines = trace.rsplit("Traceback (most recent call last):\n", 1)[-1].splitlines()
    first = next((index for index, line in enumerate(lines) if line[:1].strip()), len(lines))
    kind, _, message = "\n".join(lines[first:]).partition(": ")
    return kind.strip().rpartition(".")[2], message.strip()


def _pass_on_interrupt(launchpad: LaunchPad, fw_id: int) -> None:
    """Raise the `KeyboardInterrupt` that FireWorks took for a failure of the FireWork."""
    if find_failure(launchpad, fw_id)[0] == "KeyboardInterrupt":
        launchpad.rerun_fw(fw_id)
        raise KeyboardInterrupt


def _refuse_foreign(launchpad: LaunchPad, firework: Firework) -> None:
    """Put a FireWork back that is not a job of qdcomp, and say so."""
    try:
        check_specification(firework.spec)
    except StoreError:
        reset_own_runs(launchpad)
        raise


@contextmanager
def _follow_checkout(launchpad: LaunchPad, take: Callable[[Firework], None]) -> Iterator[None]:
    """Be told of the FireWork that FireWorks takes, between taking and running it."""
    original = launchpad.checkout_fw

    def checkout(*args: Any, **kwargs: Any) -> tuple[Firework | None, int | None]:
        firework, launch_id = original(*args, **kwargs)
        if firework is not None:
            take(firework)
        return firework, launch_id

    launchpad.checkout_fw = checkout
    try:
        yield
    finally:
        del launchpad.checkout_fw


@contextmanager
def keep_quiet() -> Iterator[None]:
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
def end_pings() -> Iterator[None]:
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
    with suppress(StoreError, PyMongoError, DatabaseAwayError, ValueError):
        rocket.ping_launch(launchpad, launch_id, stop, main)
