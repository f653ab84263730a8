"""mongomock's client, database and collection, each write of which is in a file when it returns.

mongomock changes documents in place, so that hooking its store sees new documents only. Here the
collection's own write methods note which documents they touched, and write these afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import RLock
from typing import Any

from mongomock.collection import Collection
from mongomock.database import Database
from mongomock.filtering import filter_applies
from mongomock.mongo_client import MongoClient

from qdcomp.recipes.document_index import DocumentIndex
from qdcomp.recipes.embedded_store import EmbeddedStore

DATABASE_NAME = "fireworks"
"""The one database of a file."""


class DurableCollection(Collection):
    """A collection whose writes go to the store before they return."""

    _touched: set[Any] | None = None

    def __init__(self, *arguments: Any, durable_store: EmbeddedStore, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._durable_store = durable_store
        self._writer = RLock()
        self._index = DocumentIndex()
        for document in self._store.documents:
            self._index.update(document)

    def _insert(self, data: Any, *arguments: Any, **options: Any) -> Any:
        with self._writing_through():
            return super()._insert(data, *arguments, **options)

    def _update(self, spec: Any, document: Any, *arguments: Any, **options: Any) -> Any:
        with self._writing_through():
            return super()._update(spec, document, *arguments, **options)

    def _delete(self, filter: Any, *arguments: Any, **options: Any) -> Any:
        with self._writing_through() as touched:
            touched.update(document["_id"] for document in self._iter_documents(filter))
            return super()._delete(filter, *arguments, **options)

    def drop(self, session: Any = None) -> None:
        """Remove all documents."""
        super().drop(session)
        self._index.clear()
        self._durable_store.drop(self.name)

    def _ensure_uniques(self, new_data: Mapping[str, Any]) -> None:
        """Note a document: mongomock calls this after each insertion and each change in place."""
        if self._touched is not None:
            self._touched.add(new_data["_id"])
        self._index.update(new_data)
        super()._ensure_uniques(new_data)

    def _iter_documents(self, filter: Any) -> Iterator[Any]:
        """Documents that match, without looking at all of them where the index helps."""
        candidates = self._index.find_candidates(filter)
        if candidates is None:
            return iter(super()._iter_documents(filter))
        documents = [self._store[key] for key in candidates if key in self._store]
        return (document for document in documents if filter_applies(filter, document))

    @contextmanager
    def _writing_through(self) -> Iterator[set[Any]]:
        """Write what the body touched, as it then stands, also where the body failed half-way."""
        with self._writer:
            if self._touched is not None:
                yield self._touched
                return
            self._touched = set()
            try:
                yield self._touched
            finally:
                touched, self._touched = self._touched, None
                self._write(touched)

    def _write(self, touched: set[Any]) -> None:
        """Write documents as they stand in memory, which a failed operation has rolled back."""
        there = [self._store[key] for key in touched if key in self._store]
        gone = touched.difference(document["_id"] for document in there)
        for document in there:
            self._index.update(document)
        for key in gone:
            self._index.remove(key)
        if touched:
            self._durable_store.save(self.name, there, gone)


class DurableDatabase(Database):
    """A database of durable collections."""

    def __init__(self, *arguments: Any, durable_store: EmbeddedStore, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._durable_store = durable_store

    def get_collection(self, name: str, *arguments: Any, **options: Any) -> Collection:
        """Give the collection of that name."""
        collections: dict[str, Collection] = self._collection_accesses
        if name not in collections:
            self._ensure_valid_collection_name(name)
            collections[name] = DurableCollection(
                self,
                name=name,
                _db_store=self._store,
                codec_options=self._codec_options,
                durable_store=self._durable_store,
            )
        return collections[name]


class DurableClient(MongoClient):
    """A client of one database in one file."""

    def __init__(self, store: EmbeddedStore) -> None:
        super().__init__()
        self._durable_store = store
        for name, document in store.load():
            self._store[DATABASE_NAME][name][document["_id"]] = document

    def get_database(self, name: str | None = None, *arguments: Any, **options: Any) -> Database:
        """Give the database of that name."""
        name = name or DATABASE_NAME
        databases: dict[str, Database] = self._database_accesses
        if name not in databases:
            databases[name] = DurableDatabase(
                self, name, self._store[name], durable_store=self._durable_store
            )
        return databases[name]

    def close(self) -> None:
        """Close the file."""
        self._durable_store.close()
