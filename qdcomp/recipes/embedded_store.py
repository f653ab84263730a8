"""The file behind an embedded launchpad: every document as BSON in SQLite, one writer at a time.

What a write returned from is in the file: a process killed with SIGKILL at any moment loses
nothing (SQLite's write-ahead log with ``synchronous=NORMAL``; after a power failure the last
writes may be missing, the file stays whole).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import bson

from qdcomp.errors import StoreError

APPLICATION_ID = 0x71646350
"""SQLite's application id of these files ("qdcP")."""

FORMAT_VERSION = 1
"""Version of the tables, SQLite's user_version."""

_TABLE = """
CREATE TABLE IF NOT EXISTS documents (
    collection TEXT NOT NULL, id BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (collection, id)
) WITHOUT ROWID
"""


class EmbeddedStore:
    """Documents of a launchpad in one SQLite file.

    Parameters
    ----------
    path
        The file; made if it is not there.
    read_only
        Read what is there, also while another process writes; writing is refused.

    Raises
    ------
    StoreError
        The file is in use by another process, damaged, of another program or of a newer version.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path.resolve()
        self.read_only = read_only
        self._broken = ""
        if read_only and not self.path.is_file():
            raise StoreError(f"there is no launchpad {self.path}; start the run with: qdcomp run")
        self._lock = None if read_only else _take_lock(self.path)
        try:
            self._connection = self._connect()
        except BaseException:
            self._release()
            raise

    def load(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """All documents with the name of their collection, oldest first (ids begin with a time)."""
        with self._translating("read"):
            for name, body in self._connection.execute(
                "SELECT collection, body FROM documents ORDER BY collection, id"
            ):
                yield name, bson.decode(body)

    def save(
        self, collection: str, documents: Iterable[Mapping[str, Any]], deleted: Iterable[Any] = ()
    ) -> None:
        """Write documents, and remove those with the given ids, in one transaction.

        Raises
        ------
        StoreError
            The file cannot be written, or could not earlier: memory is then ahead of the file,
            and nothing more is accepted until it is opened again.
        """
        if self.read_only:
            raise StoreError(f"{self.path} is open for reading only")
        if self._broken:
            raise StoreError(self._broken)
        rows = [(collection, encode_id(doc["_id"]), bson.encode(doc)) for doc in documents]
        gone = [(collection, encode_id(key)) for key in deleted]
        try:
            with self._connection:
                self._connection.executemany("REPLACE INTO documents VALUES (?, ?, ?)", rows)
                self._connection.executemany(
                    "DELETE FROM documents WHERE collection = ? AND id = ?", gone
                )
        except sqlite3.Error as error:
            self._broken = (
                f"cannot write {self.path}: {error}. What was written before is kept; make room "
                "on the disk, then go on with: qdcomp resume"
            )
            raise StoreError(self._broken) from error

    def drop(self, collection: str) -> None:
        """Remove a collection."""
        with self._translating("write"), self._connection:
            self._connection.execute("DELETE FROM documents WHERE collection = ?", (collection,))

    def close(self) -> None:
        """Close the file and let another process have it."""
        self._connection.close()
        self._release()

    def _connect(self) -> sqlite3.Connection:
        with self._translating("open"):
            connection = sqlite3.connect(self.path, check_same_thread=False)
            self._check_format(connection)
            if not self.read_only:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")
                connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version={FORMAT_VERSION}")
                connection.execute(_TABLE)
                connection.commit()
        return connection

    def _check_format(self, connection: sqlite3.Connection) -> None:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and application != APPLICATION_ID:
            raise StoreError(f"{self.path} is an SQLite file of another program, not a launchpad")
        if version > FORMAT_VERSION:
            raise StoreError(
                f"{self.path} was written by a newer qdcomp (format {version}, this one reads "
                f"up to {FORMAT_VERSION}); update qdcomp"
            )

    @contextmanager
    def _translating(self, verb: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(
                f"cannot {verb} the launchpad {self.path}: {error}; it is no launchpad, or damaged"
            ) from error

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def encode_id(key: Any) -> bytes:
    """Encode a document's id, the same bytes for equal ids."""
    return bytes(bson.encode({"_id": key}))


def _take_lock(path: Path) -> IO[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f"{path.name}.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise StoreError(
            f"the launchpad {path} is in use by process {holder}; wait for it, or end it. "
            "Several workers need a launchpad server: --launchpad mongodb://HOST/DATABASE"
        ) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock
