"""Launchpads: a MongoDB server for many workers, or a file for one process; FireWorks on both.

*Server*: any MongoDB-protocol server by its URI. *Embedded*: FireWorks on mongomock, every write
of which is in an SQLite file before it returns (`qdcomp.recipes.embedded_store`).
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fireworks import FWorker, LaunchPad
from fireworks.core.rocket_launcher import launch_rocket
from fireworks.scripts import lpad_run
from pymongo.errors import InvalidURI, PyMongoError
from pymongo.uri_parser import parse_uri

from qdcomp.errors import InputError, StoreError
from qdcomp.recipes.durable_collections import DATABASE_NAME, DurableClient
from qdcomp.recipes.embedded_store import EmbeddedStore

SERVER_PATIENCE_MS = 5000
"""How long a server may take to answer [ms]."""

_UNFINISHED = ("RUNNING", "RESERVED")
_URI = re.compile(r"^mongodb(\+srv)?://")
_PASSWORD = re.compile(r"(?<=://)([^:@/]*):[^@/]*@")


class EmbeddedLaunchPad(LaunchPad):
    """FireWorks' LaunchPad on a mongomock client instead of a server."""

    def __init__(self, client: Any, location: str) -> None:
        self.host, self.port, self.name = location, None, DATABASE_NAME
        self.username = self.password = self.authsource = None
        self.mongoclient_kwargs: dict[str, Any] = {}
        self.uri_mode = False
        self.logdir = None
        self.strm_lvl = "CRITICAL"
        self.m_logger = logging.getLogger("launchpad")
        self.user_indices: list[str] = []
        self.wf_user_indices: list[str] = []
        self.connection = client
        self.db = self.connection[self.name]
        self.fireworks = self.db.fireworks
        self.launches = self.db.launches
        self.offline_runs = self.db.offline_runs
        self.fw_id_assigner = self.db.fw_id_assigner
        self.workflows = self.db.workflows
        self.gridfs_fallback = None  # SQLite has no limit of 16 MB a document
        self.backup_launch_data: dict[int, Any] = {}
        self.backup_fw_data: dict[int, Any] = {}


def is_server(location: str | Path) -> bool:
    """Whether a location of a launchpad is the URI of a server."""
    return bool(_URI.match(str(location)))


def describe_location(location: str | Path) -> str:
    """Say where a launchpad is, without the password."""
    return _PASSWORD.sub(r"\1:***@", str(location))


@contextmanager
def open_launchpad(location: str | Path, *, read_only: bool = False) -> Iterator[LaunchPad]:
    """Open a launchpad: a MongoDB URI, or the path of an embedded one.

    Parameters
    ----------
    location
        ``mongodb://…`` or a path.
    read_only
        Only look; an embedded launchpad may then be in use by another process.

    Raises
    ------
    InputError
        The URI is malformed.
    StoreError
        The server does not answer, or the file cannot be used.
    """
    if is_server(location):
        launchpad = _open_server(str(location))
    else:
        store = EmbeddedStore(Path(location), read_only=read_only)
        launchpad = EmbeddedLaunchPad(DurableClient(store), str(store.path))
    try:
        if not read_only and not launchpad.fw_id_assigner.count_documents({}):
            launchpad._restart_ids(1, 1)
        yield launchpad
    finally:
        launchpad.connection.close()


def reset_lost_runs(launchpad: LaunchPad, query: Mapping[str, Any]) -> list[int]:
    """Put back the jobs that a process which is no more left running; return their numbers.

    Jobs keep their directories, where what is done stays. A kill between two writes of FireWorks
    can also leave a job's state behind that of its launch, or a child's behind its parent's:
    those are brought up to date.
    """
    lost = []
    for document in launchpad.fireworks.find(dict(query), {"fw_id": 1, "launches": 1, "state": 1}):
        launches = launchpad.launches.find({"launch_id": {"$in": document["launches"]}})
        running = [launch["launch_id"] for launch in launches if launch["state"] in _UNFINISHED]
        for launch_id in running:
            launchpad.mark_fizzled(launch_id)
        if running or document["state"] in _UNFINISHED:
            lost.append(document["fw_id"])
        launchpad._refresh_wf(document["fw_id"])
    for fw_id in lost:
        if launchpad.get_fw_dict_by_id(fw_id)["state"] == "FIZZLED":
            launchpad.rerun_fw(fw_id)
    return lost


def launch_all(
    launchpad: LaunchPad,
    query: Mapping[str, Any],
    directory: Path,
    on_launch: Callable[[str], None] = lambda name: None,
) -> None:
    """Run every job that is ready, and those that become so, in this process.

    Parameters
    ----------
    launchpad
        The launchpad.
    query
        Which jobs, as a MongoDB filter.
    directory
        Folder to run in; a job with ``_launch_dir`` goes to that.
    on_launch
        Called with the name of each job before it runs.

    Raises
    ------
    KeyboardInterrupt
        A job was interrupted.
    """
    ready = dict(query) | {"state": "READY"}
    worker = FWorker(query=dict(query))
    with _staying_in(directory), _silent_logs():
        while ids := launchpad.get_fw_ids(ready, sort=[("fw_id", 1)], limit=1):
            document = launchpad.fireworks.find_one({"fw_id": ids[0]}, {"name": 1})
            on_launch(document["name"])
            with Path(os.devnull).open("w") as errors:
                launch_rocket(launchpad, worker, ids[0], strm_lvl="CRITICAL", err_file=errors)
            if find_failure(launchpad, ids[0])[0] == "KeyboardInterrupt":
                raise KeyboardInterrupt


def find_failure(launchpad: LaunchPad, fw_id: int) -> tuple[str, str]:
    """Find the exception that ended a job: its type and its message, both empty if none did."""
    document = launchpad.fireworks.find_one({"fw_id": fw_id}, {"launches": 1, "state": 1})
    if document["state"] != "FIZZLED" or not document["launches"]:
        return "", ""
    launch = launchpad.launches.find_one({"launch_id": document["launches"][-1]}) or {}
    stored = (launch.get("action") or {}).get("stored_data") or {}
    trace = (stored.get("_exception") or {}).get("_stacktrace", "")
    lines = trace.rsplit("Traceback (most recent call last):\n", 1)[-1].splitlines()
    first = next((index for index, line in enumerate(lines) if line[:1].strip()), len(lines))
    kind, _, message = "\n".join(lines[first:]).partition(": ")
    return kind.strip().rpartition(".")[2], message.strip()


def run_lpad(launchpad: LaunchPad, arguments: Sequence[str]) -> int:
    """Run FireWorks' command line ``lpad`` on an open launchpad; return its exit code."""
    original = lpad_run.get_lp
    lpad_run.get_lp = lambda _: launchpad
    try:
        return int(lpad_run.lpad(list(arguments)) or 0)
    finally:
        lpad_run.get_lp = original


def _open_server(uri: str) -> LaunchPad:
    try:
        database = parse_uri(uri)["database"]
    except (InvalidURI, ValueError) as error:
        raise InputError(
            f"{describe_location(uri)} is no MongoDB URI ({error}); "
            "write mongodb://USER:PASSWORD@HOST:PORT/DATABASE"
        ) from None
    launchpad = LaunchPad(
        host=uri,
        name=database or DATABASE_NAME,
        uri_mode=True,
        strm_lvl="CRITICAL",
        mongoclient_kwargs={"serverSelectionTimeoutMS": SERVER_PATIENCE_MS},
    )
    try:
        launchpad.connection.admin.command("ping")
    except PyMongoError as error:
        launchpad.connection.close()
        reason = str(error).splitlines()[0]
        raise StoreError(
            f"the launchpad server {describe_location(uri)} does not answer: "
            f"{describe_location(reason)}"
        ) from None
    return launchpad


@contextmanager
def _staying_in(directory: Path) -> Iterator[None]:
    """FireWorks changes the working directory; come back from it."""
    before = Path.cwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _silent_logs() -> Iterator[None]:
    """FireWorks logs each step of a rocket to the standard output; its launchpad has it all."""
    logger = logging.getLogger("rocket.launcher")
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False
