"""Which documents of the embedded launchpad have changed, and when they go to its file."""

from __future__ import annotations

import os
import threading
from collections.abc import Hashable
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import bson

from qdcomp.errors import StoreError
from qdcomp.recipes.launchpads.embedded_store import EmbeddedStore, StoredIndex


class JournaledCollection(Protocol):
    """What the journal needs of a collection's documents in memory."""

    full_name: str
    indexes: dict[str, dict[str, Any]]

    def look_up(self, key: Hashable) -> dict[str, Any] | None:
        """Document with that key; None if there is none."""

    def take_back(self, key: Hashable, document: dict[str, Any] | None) -> None:
        """Put a document back as it is in the file; None removes it."""

    def take_back_indexes(self, indexes: list[StoredIndex]) -> None:
        """Put the indexes back as they are in the file."""


class Journal:
    """Carries the changes of a group of calls to the file, all or none, when the group ends.

    A group is a ``with`` statement on the journal. Groups nest; the outermost counts. One thread at
    a time is in a group. A group that ends with an ordinary error keeps the changes made before it,
    as a database server would; one that is interrupted (``KeyboardInterrupt``, ``SystemExit``)
    leaves memory and file as if it had not begun. When the file cannot be written, memory is ahead
    of it: from then on every call is refused.

    Parameters
    ----------
    store
        The file; None if it was only read, so that changes are refused.
    path
        Its name for messages.
    """

    def __init__(self, store: EmbeddedStore | None, path: Path) -> None:
        self._store = store
        self._path = path
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._depth = 0
        self._interrupted = False
        self._refusal = ""
        self._documents: dict[tuple[JournaledCollection, Hashable], None] = {}
        self._indexes: dict[JournaledCollection, None] = {}

    def __enter__(self) -> None:
        self._lock.acquire()
        try:
            if self._depth == 0:
                self._check()
        except BaseException:
            self._lock.release()
            raise
        self._depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._depth -= 1
            if kind is not None and not issubclass(kind, Exception):
                self._interrupted = True
            if self._depth == 0:
                self._settle()
        finally:
            self._lock.release()

    def mark_document(self, collection: JournaledCollection, key: Hashable) -> None:
        """Say that a document is about to be added, changed or removed."""
        self._refuse_if_read_only()
        self._documents[collection, key] = None

    def mark_indexes(self, collection: JournaledCollection) -> None:
        """Say that the indexes of a collection are about to change."""
        self._refuse_if_read_only()
        self._indexes[collection] = None

    def close(self) -> None:
        """Let go of the file; further calls are refused."""
        with self._lock:
            if self._store is not None and self._process == os.getpid():
                self._store.close()
            self._store = None
            self._refusal = self._refusal or f"the launchpad {self._path} is closed; open it again"

    @property
    def is_closed(self) -> bool:
        """Whether every call is refused: closed, or the file could not be written."""
        return bool(self._refusal)

    def _check(self) -> None:
        if self._refusal:
            raise StoreError(self._refusal)
        if self._process != os.getpid():
            raise StoreError(
                f"{self._path} is open in process {self._process}, of which this one is a copy; "
                "use the launchpad in the process that opened it"
            )

    def _refuse_if_read_only(self) -> None:
        if self._store is None:
            raise StoreError(f"{self._path} is open for reading only; nothing was changed")

    def _settle(self) -> None:
        interrupted, self._interrupted = self._interrupted, False
        if not (self._documents or self._indexes) or self._store is None:
            return
        try:
            if interrupted:
                self._take_back(self._store)
            else:
                self._write(self._store)
        except Exception as error:
            self._refusal = str(error)
            raise
        self._documents.clear()
        self._indexes.clear()

    def _write(self, store: EmbeddedStore) -> None:
        store.write(
            [
                (collection.full_name, encode_key(key), _encode(collection.look_up(key)))
                for collection, key in self._documents
            ],
            [
                (
                    collection.full_name,
                    [
                        StoredIndex(collection.full_name, name, definition)
                        for name, definition in collection.indexes.items()
                    ],
                )
                for collection in self._indexes
            ],
        )

    def _take_back(self, store: EmbeddedStore) -> None:
        for collection in self._indexes:
            collection.take_back_indexes(store.read_indexes(collection.full_name))
        for collection, key in self._documents:
            collection.take_back(key, store.read_body(collection.full_name, encode_key(key)))


def encode_key(key: Hashable) -> bytes:
    """Encode the key of a document as the file keeps it."""
    return bytes(bson.encode({"_id": key}))


def _encode(document: dict[str, Any] | None) -> bytes | None:
    return None if document is None else bson.encode(document)
