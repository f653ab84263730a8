"""The SQLite file of an embedded launchpad: who may write it, what it holds, when it is written.

One row a document, in BSON, in the order of insertion; one row an index. Each transaction is in the
file before the call that made it returns: the write-ahead log survives ``SIGKILL`` of the process
at any moment (`synchronous=NORMAL`). After a power cut the file is whole, and may lack the last
transactions.

The file names its maker in SQLite's ``application_id`` and its layout in ``user_version``.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import bson

from qdcomp.errors import StoreError

APPLICATION_ID = 0x71644C50
"""``qdLP`` in ASCII: says whose SQLite file it is."""

FORMAT_VERSION = 1
"""Layout of the tables; a file of a newer one is refused."""

_MAGIC = b"SQLite format 3\x00"
_BUSY_TIMEOUT_S = 10.0
_SCHEMA = (
    """CREATE TABLE documents (
        position INTEGER PRIMARY KEY,
        collection TEXT NOT NULL,
        id BLOB NOT NULL,
        body BLOB NOT NULL,
        UNIQUE (collection, id))""",
    """CREATE TABLE indexes (
        collection TEXT NOT NULL,
        name TEXT NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (collection, name))""",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {FORMAT_VERSION}",
)


@dataclass(frozen=True)
class StoredIndex:
    """One index of a collection.

    Attributes
    ----------
    collection
        Database and collection, joined by a dot.
    name
        Name of the index.
    definition
        Fields and options, as mongomock keeps them.
    """

    collection: str
    name: str
    definition: dict[str, Any]


class EmbeddedStore:
    """The file, held by this process alone until it is closed.

    Parameters
    ----------
    path
        The file.
    create
        Make it where there is none.

    Raises
    ------
    StoreError
        There is no file, it is held by another process, it is damaged, or it is not of this kind.
    """

    def __init__(self, path: Path, *, create: bool) -> None:
        self.path = path.resolve()
        _check_place(self.path, create)
        self._lock = _acquire_lock(self.path)
        try:
            self._connection = self._connect()
        except BaseException:
            os.close(self._lock)
            raise
        os.register_at_fork(after_in_child=self._forget_lock)

    def read(self) -> tuple[list[tuple[str, dict[str, Any]]], list[StoredIndex]]:
        """Every document with the name of its collection, in order of insertion; every index."""
        return _read_all(self._connection, self.path)

    def read_body(self, collection: str, identifier: bytes) -> dict[str, Any] | None:
        """Return a document as it is in the file; None if it is not there."""
        row = self._connection.execute(
            "SELECT body FROM documents WHERE collection = ? AND id = ?", (collection, identifier)
        ).fetchone()
        return None if row is None else bson.decode(row[0])

    def read_indexes(self, collection: str) -> list[StoredIndex]:
        """Indexes of one collection, as they are in the file."""
        return _read_indexes(self._connection, collection)

    def write(
        self,
        documents: Iterable[tuple[str, bytes, bytes | None]],
        indexes: Iterable[tuple[str, list[StoredIndex]]],
    ) -> None:
        """Store documents and indexes in one transaction.

        Parameters
        ----------
        documents
            Collection, identifier and body of each; without body it is removed.
        indexes
            Collection and all the indexes that it has.

        Raises
        ------
        StoreError
            The file could not be written; it is as it was before.
        """
        try:
            self._write(documents, indexes)
        except sqlite3.Error as error:
            raise StoreError(
                f"could not write {self.path} ({error}): what was stored before is kept, the last "
                "change is not. Is the disk full, or a quota reached? Make room, then resume"
            ) from error

    def _write(
        self,
        documents: Iterable[tuple[str, bytes, bytes | None]],
        indexes: Iterable[tuple[str, list[StoredIndex]]],
    ) -> None:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            for collection, identifier, body in documents:
                if body is None:
                    execute(
                        "DELETE FROM documents WHERE collection = ? AND id = ?",
                        (collection, identifier),
                    )
                else:
                    execute(
                        "INSERT INTO documents (collection, id, body) VALUES (?, ?, ?) "
                        "ON CONFLICT (collection, id) DO UPDATE SET body = excluded.body",
                        (collection, identifier, body),
                    )
            for collection, stored in indexes:
                execute("DELETE FROM indexes WHERE collection = ?", (collection,))
                for index in stored:
                    body = bson.encode(index.definition)
                    execute("INSERT INTO indexes VALUES (?, ?, ?)", (collection, index.name, body))
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                with suppress(sqlite3.Error):
                    execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Let go of the file, which needs no log beside it then."""
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA journal_mode = DELETE")
        self._connection.close()
        self._forget_lock()

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self.path,
                timeout=_BUSY_TIMEOUT_S,
                isolation_level=None,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise StoreError(f"could not open {self.path}: {error}") from error
        try:
            if not _is_made(connection, self.path):
                _make(connection, self.path)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            _check_whole(connection, self.path)
        except sqlite3.Error as error:
            connection.close()
            raise _describe_damage(self.path, error) from error
        except StoreError:
            connection.close()
            raise
        return connection

    def _forget_lock(self) -> None:
        """Close this process's handle; in a forked child, so that the lock ends with the parent."""
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)


def read_store(path: Path) -> tuple[list[tuple[str, dict[str, Any]]], list[StoredIndex]]:
    """Read what a launchpad file holds now, whether or not a process has it open.

    Raises
    ------
    StoreError
        There is no file, it is damaged, or it is not of this kind.
    """
    path = path.resolve()
    _check_place(path, create=False)
    try:
        with closing(_connect_read_only(path)) as connection:
            connection.execute("BEGIN")
            if not _is_made(connection, path):
                return [], []
            return _read_all(connection, path)
    except sqlite3.Error as error:
        raise _describe_damage(path, error) from error


def _check_place(path: Path, create: bool) -> None:
    if path.is_dir():
        raise StoreError(f"{path} is a folder; give the path of a launchpad file in it")
    if not path.exists():
        if not create:
            raise StoreError(f"there is no launchpad at {path}; start one with: qdcomp run")
        if not path.parent.is_dir():
            raise StoreError(f"cannot make {path}: the folder {path.parent} does not exist")
        return
    try:
        with path.open("rb") as stream:
            start = stream.read(len(_MAGIC))
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    if start and start != _MAGIC:
        raise StoreError(
            f"{path} is not a launchpad file: it does not begin as an SQLite file does. Give the "
            "path of a launchpad file, or the MongoDB URI of a server (mongodb://…)"
        )


def _acquire_lock(path: Path) -> int:
    """Hold the file for this process; the system lets go of it when the process ends, or is killed.

    The lock is on a file of its own, which stays: SQLite has locks of its own on the other.
    """
    place = path.with_name(path.name + ".lock")
    try:
        lock = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreError(f"cannot write beside {path}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _describe_holder(lock)
        os.close(lock)
        raise StoreError(
            f"{path} is in use by {holder}, and an embedded launchpad serves one process at a "
            "time: wait until that process has ended, or end it, or use a launchpad server "
            "(mongodb://…) to run many at once"
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, json.dumps({"pid": os.getpid(), "host": platform.node()}).encode(), 0)
    return lock


def _describe_holder(lock: int) -> str:
    try:
        holder = json.loads(os.pread(lock, 4096, 0))
        pid, host = holder["pid"], holder["host"]
    except (ValueError, KeyError, TypeError):
        return "another process"
    if host != platform.node():
        return f"process {pid} on {host}"
    return "this process already" if pid == os.getpid() else f"process {pid}"


def _connect_read_only(path: Path) -> sqlite3.Connection:
    location = f"file:{quote(str(path))}?mode=ro"
    connection = sqlite3.connect(location, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError:
        connection.close()
        if path.with_name(path.name + "-wal").exists():
            raise
        # A closed launchpad in a folder that may not be written: nothing can change it.
        connection = sqlite3.connect(location + "&immutable=1", uri=True, isolation_level=None)
    return connection


def _is_made(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file has the tables; False if a kill came before they were made."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == 0 and tables == 0:
        return False
    if application != APPLICATION_ID:
        raise StoreError(
            f"{path} is an SQLite file of another program (application_id {application:#x}, "
            f"expected {APPLICATION_ID:#x}); give another path"
        )
    if version > FORMAT_VERSION:
        raise StoreError(
            f"{path} was written by a newer qdcomp (launchpad version {version}, this one reads "
            f"up to {FORMAT_VERSION}): update qdcomp, or start a new run"
        )
    return True


def _make(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if not _is_made(connection, path):
        for statement in _SCHEMA:
            connection.execute(statement)
    connection.execute("COMMIT")


def _check_whole(connection: sqlite3.Connection, path: Path) -> None:
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise _describe_damage(path, verdict)


def _describe_damage(path: Path, what: object) -> StoreError:
    return StoreError(
        f"{path} cannot be read as a launchpad ({what}): it is damaged, or was copied while in "
        f"use. Take a copy of it from before, or rescue what is left with: sqlite3 {path} .recover"
    )


def _read_all(
    connection: sqlite3.Connection, path: Path
) -> tuple[list[tuple[str, dict[str, Any]]], list[StoredIndex]]:
    try:
        return list(_iterate_documents(connection)), _read_indexes(connection)
    except (sqlite3.Error, bson.errors.BSONError) as error:
        raise _describe_damage(path, error) from error


def _iterate_documents(connection: sqlite3.Connection) -> Iterator[tuple[str, dict[str, Any]]]:
    rows = connection.execute("SELECT collection, body FROM documents ORDER BY position")
    for collection, body in rows:
        yield collection, bson.decode(body)


def _read_indexes(
    connection: sqlite3.Connection, collection: str | None = None
) -> list[StoredIndex]:
    rows = connection.execute(
        "SELECT collection, name, body FROM indexes WHERE collection = ? OR ? IS NULL",
        (collection, collection),
    )
    return [_make_index(collection, name, bson.decode(body)) for collection, name, body in rows]


def _make_index(collection: str, name: str, definition: dict[str, Any]) -> StoredIndex:
    definition["key"] = [(field, direction) for field, direction in definition["key"]]
    return StoredIndex(collection, name, definition)
