"""The launchpad without a server: FireWorks on mongomock, durable in one SQLite file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from pathlib import Path
from typing import Any

from fireworks import LaunchPad

from qdcomp.errors import StoreError
from qdcomp.recipes.launchpads.closing_launchpad import QUIET, ClosingLaunchPad
from qdcomp.recipes.launchpads.durable_collections import DurableClient
from qdcomp.recipes.launchpads.embedded_journal import Journal
from qdcomp.recipes.launchpads.embedded_store import EmbeddedStore, read_store

_OPERATIONS = (
    "_get_a_fw_to_run",
    "_refresh_wf",
    "_update_wf",
    "_upsert_fws",
    "add_offline_run",
    "add_wf",
    "append_wf",
    "archive_wf",
    "bulk_add_wfs",
    "cancel_reservation",
    "cancel_reservation_by_reservation_id",
    "change_launch_dir",
    "checkout_fw",
    "complete_launch",
    "defuse_fw",
    "defuse_wf",
    "delete_fws",
    "delete_wf",
    "detect_lostruns",
    "detect_unreserved",
    "forget_offline",
    "mark_fizzled",
    "pause_fw",
    "pause_wf",
    "recover_offline",
    "reignite_fw",
    "reignite_wf",
    "rerun_fw",
    "reserve_fw",
    "reset",
    "restore_backup_data",
    "resume_fw",
    "set_priority",
    "set_reservation_id",
    "tuneup",
    "update_spec",
)
"""FireWorks' operations of several writes; each reaches the file as a whole or not at all."""


class EmbeddedLaunchPad(ClosingLaunchPad):
    """FireWorks' launchpad in one file, for one process.

    Killed at any moment, the file has every operation of the launchpad that had returned, and no
    part of one that had not: no workflow is left half written or locked.

    Parameters
    ----------
    path
        The file.
    create
        Make it where there is none.
    read_only
        Read what the file holds now, also while another process writes it; later changes of that
        process are not seen.

    Raises
    ------
    StoreError
        The file cannot be used; the message says why.
    """

    def __init__(self, path: Path, *, create: bool, read_only: bool) -> None:
        super().__init__(strm_lvl=QUIET, mongoclient_kwargs={"connect": False})
        self.connection.close()  # FireWorks made a client of a server; it never connected
        store = None if read_only else EmbeddedStore(path, create=create)
        self.path = path.resolve()
        self.description = str(self.path)
        self._journal = Journal(store, self.path)
        self.connection = DurableClient(self._journal)
        try:
            self.connection.load(*(store.read() if store else read_store(path)))
            self._attach(self.connection[self.name])
            if not read_only:
                self.prepare()
                self._unlock()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file, for other processes to use."""
        self._journal.close()

    def as_one(self) -> AbstractContextManager[None]:
        """Let the operations within reach the file together, or not at all."""
        return self._journal

    def ping_launch(self, *args: Any, **kwargs: Any) -> None:
        """Say that a launch is alive; FireWorks' thread does so once more after the last job."""
        try:
            with self.as_one():
                super().ping_launch(*args, **kwargs)
        except StoreError:
            if not self._journal.is_closed:
                raise

    def to_dict(self) -> dict[str, Any]:
        """Refused: FireWorks would make a connection to a server on this machine of it."""
        raise StoreError(
            f"{self.path} is an embedded launchpad, which no other process can connect to: use "
            "qdcomp's own commands, or a launchpad server (mongodb://…)"
        )

    def _attach(self, database: Any) -> None:
        """Let FireWorks find its collections in `database`, as its own constructor does."""
        self.db = database
        self.fireworks = database.fireworks
        self.launches = database.launches
        self.offline_runs = database.offline_runs
        self.fw_id_assigner = database.fw_id_assigner
        self.workflows = database.workflows
        self.gridfs_fallback = None  # for documents over a server's 16 MB; there is no limit here

    def _unlock(self) -> None:
        """Free workflows that a process locked and did not free: there is no other process now."""
        locked = {"locked": {"$exists": True}}
        if self.workflows.find_one(locked) is not None:
            self.workflows.update_many(locked, {"$unset": {"locked": True}})


def embedded_launchpad(
    path: str | Path, *, create: bool = True, read_only: bool = False
) -> EmbeddedLaunchPad:
    """Open the launchpad in the file `path`.

    Parameters
    ----------
    path
        The file.
    create
        Make it where there is none.
    read_only
        Read what the file holds now, also while another process writes it.

    Raises
    ------
    StoreError
        The file cannot be used: missing, in use, damaged, newer, or no launchpad.
    """
    return EmbeddedLaunchPad(Path(path), create=create, read_only=read_only)


def _as_one(operation: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(operation)
    def run(self: EmbeddedLaunchPad, *args: Any, **kwargs: Any) -> Any:
        with self.as_one():
            return operation(self, *args, **kwargs)

    return run


for _name in _OPERATIONS:
    setattr(EmbeddedLaunchPad, _name, _as_one(getattr(LaunchPad, _name)))
