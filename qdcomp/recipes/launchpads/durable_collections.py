"""mongomock, made durable and indexed: every change is in a file before the call returns.

mongomock changes documents in place, so a hook on its store sees new documents and removed ones but
no update. Here the collection says which documents an update is about to change.

mongomock looks at every document for every query; here the fields that have an index (those that
FireWorks asks for: ``fw_id``, ``launch_id``, ``nodes``, ``state``, …) narrow the search first.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Any

import bson
from mongomock import helpers
from mongomock.__version__ import __version__ as mongomock_version
from mongomock.aggregate import process_pipeline
from mongomock.collection import Collection
from mongomock.database import Database
from mongomock.filtering import filter_applies
from mongomock.mongo_client import MongoClient
from mongomock.store import CollectionStore, DatabaseStore, ServerStore

from qdcomp.errors import StoreError
from qdcomp.recipes.launchpads.document_index import DocumentIndex
from qdcomp.recipes.launchpads.embedded_journal import Journal
from qdcomp.recipes.launchpads.embedded_store import StoredIndex

_HOOKS = (
    (Collection, ("_insert", "_update", "_delete", "_iter_documents", "_get_dataset")),
    (Collection, ("_find_and_modify", "_ensure_uniques", "bulk_write", "find_one", "with_options")),
    (CollectionStore, ("__setitem__", "__delitem__", "drop", "create_index", "drop_index")),
)
"""Methods of mongomock that carry every change and every query."""


class DurableDocuments(CollectionStore):
    """Documents and indexes of one collection in memory; each change is told to the journal."""

    def __init__(self, database_name: str, name: str, journal: Journal) -> None:
        super().__init__(name)
        self.full_name = f"{database_name}.{name}"
        self.journal = journal
        self._lookup = DocumentIndex()

    def look_up(self, key: Hashable) -> dict[str, Any] | None:
        """Document with that key; None if there is none."""
        document: dict[str, Any] | None = self._documents.get(key)
        return document

    def take_back(self, key: Hashable, document: dict[str, Any] | None) -> None:
        """Put a document as it is in the file; None removes it."""
        if document is None:
            self._documents.pop(key, None)
            self._lookup.remove(key)
        else:
            self._documents[key] = document
            self._lookup.put(key, document)

    def take_back_indexes(self, indexes: list[StoredIndex]) -> None:
        """Put the indexes as they are in the file."""
        self.indexes.clear()
        self._ttl_indexes.clear()
        for index in indexes:
            self._add_index(index.name, index.definition)

    def find_matches(self, query: Mapping[str, Any]) -> Iterator[Hashable]:
        """Keys of the documents that match, in order of insertion."""
        keys = self._lookup.find(query)
        for key in list(self._documents) if keys is None else keys:
            if filter_applies(query, self._documents[key]):
                yield key

    def before_change(self, keys: Iterable[Hashable]) -> None:
        """Say that documents are about to change in place."""
        for key in keys:
            self.journal.mark_document(self, key)

    def after_change(self, keys: Iterable[Hashable]) -> None:
        """Index anew what has changed in place."""
        for key in keys:
            if key in self._documents:
                self._lookup.put(key, self._documents[key])

    def __setitem__(self, key: Hashable, document: dict[str, Any]) -> None:
        with self.journal:
            self.journal.mark_document(self, key)
            super().__setitem__(key, document)
            self._lookup.put(key, document)

    def __delitem__(self, key: Hashable) -> None:
        with self.journal:
            self.journal.mark_document(self, key)
            super().__delitem__(key)
            self._lookup.remove(key)

    def drop(self) -> None:
        """Remove every document and index."""
        with self.journal:
            self.before_change(self._documents)
            self.journal.mark_indexes(self)
            super().drop()
            self._lookup = DocumentIndex()

    def create_index(self, index_name: str, index_dict: dict[str, Any]) -> None:
        """Add an index."""
        if self.indexes.get(index_name) != index_dict:
            with self.journal:
                self.journal.mark_indexes(self)
                self._add_index(index_name, index_dict)

    def drop_index(self, index_name: str) -> None:
        """Remove an index; the search goes on without harm by the field's values."""
        with self.journal:
            self.journal.mark_indexes(self)
            super().drop_index(index_name)

    def _add_index(self, name: str, definition: dict[str, Any]) -> None:
        super().create_index(name, definition)
        if len(definition["key"]) == 1:
            self._lookup.add_field(definition["key"][0][0], self._documents)


class _DurableDatabaseStore(DatabaseStore):
    """Collections of one database in memory."""

    def __init__(self, name: str, journal: Journal) -> None:
        super().__init__()
        self._name = name
        self._journal = journal

    def __getitem__(self, name: str) -> DurableDocuments:
        if name not in self._collections:
            self._collections[name] = DurableDocuments(self._name, name, self._journal)
        documents: DurableDocuments = self._collections[name]
        return documents

    def rename(self, name: str, new_name: str) -> None:
        raise NotImplementedError("an embedded launchpad does not rename collections")


class _DurableServerStore(ServerStore):
    """Databases in memory."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    def __getitem__(self, name: str) -> _DurableDatabaseStore:
        if name not in self._databases:
            self._databases[name] = _DurableDatabaseStore(name, self._journal)
        store: _DurableDatabaseStore = self._databases[name]
        return store


class DurableCollection(Collection):
    """mongomock's collection on durable documents."""

    _store: DurableDocuments

    def find_one(self, filter: Any = None, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Return the first document that matches; only that one is copied."""
        query = filter if isinstance(filter, Mapping) or filter is None else {"_id": filter}
        cursor = self.find(query, *args, **kwargs)
        if cursor._skip:
            return next(cursor, None)
        with self._store.journal:
            found = super()._get_dataset(cursor._spec, cursor._sort, cursor._projection, dict)
            return next(found, None)

    def aggregate(self, pipeline: Any, session: Any = None, **options: Any) -> Any:
        """Run a pipeline, with the one stage of FireWorks' that mongomock lacks: reading dates."""
        stages = list(pipeline)
        place = next((i for i, stage in enumerate(stages) if _reads_dates(stage)), None)
        if place is None:
            return super().aggregate(stages, session, **options)
        documents = list(super().aggregate(stages[:place], session, **options))
        for document in documents:
            _read_dates(document, stages[place]["$set"])
        return process_pipeline(documents, self.database, stages[place + 1 :], session)

    def bulk_write(self, *args: Any, **kwargs: Any) -> Any:
        """Write many; all of it reaches the file together."""
        with self._store.journal:
            return super().bulk_write(*args, **kwargs)

    def with_options(self, **options: Any) -> Collection:
        """Return the collection with other options; only mongomock's defaults are durable."""
        if super().with_options(**options) is not self:
            raise NotImplementedError(f"an embedded launchpad has no collection with {options}")
        return self

    def _iter_documents(self, filter: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        store = self._store
        with store.journal:
            if store.is_empty:
                filter_applies(filter, {})  # so that a wrong query is refused here too
            return iter([store._documents[key] for key in store.find_matches(filter)])

    def _get_dataset(self, *args: Any) -> Iterator[dict[str, Any]]:
        with self._store.journal:
            return iter(list(super()._get_dataset(*args)))

    def _insert(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        with self._store.journal:
            return super()._insert(data, *args, **kwargs)

    def _update(
        self, spec: Any, document: Any, upsert: bool = False, *args: Any, **kwargs: Any
    ) -> Any:
        content = bson.encode({"": document})  # as a driver does: raises on what cannot be stored
        store = self._store
        with store.journal:
            query = helpers.patch_datetime_awareness_in_document(spec)
            found = store.find_matches(query)
            keys = list(found if kwargs.get("multi") else islice(found, 1))
            store.before_change(keys)
            if keys and _is_replacement(document):
                return self._replace(keys[0], bson.decode(content)[""])
            try:
                return super()._update(spec, document, upsert, *args, **kwargs)
            finally:
                store.after_change(keys)

    def _replace(self, key: Hashable, document: dict[str, Any]) -> dict[str, Any]:
        """Put `document` in the place of another; mongomock copies and compares both for that."""
        before = self._store._documents[key]
        if "_id" in document and document["_id"] != before["_id"]:
            raise StoreError(f"the _id of a document stays: {before['_id']}, not {document['_id']}")
        self._store[key] = {"_id": before["_id"], **document}
        try:
            self._ensure_uniques(self._store._documents[key])
        except BaseException:
            self._store[key] = before
            raise
        return {"n": 1, "nModified": 1, "ok": 1.0, "upserted": None, "updatedExisting": True}

    def _ensure_uniques(self, new_data: dict[str, Any]) -> None:
        self._store.after_change([_make_key(new_data["_id"])])  # for the search that follows
        super()._ensure_uniques(new_data)

    def _delete(self, *args: Any, **kwargs: Any) -> Any:
        with self._store.journal:
            return super()._delete(*args, **kwargs)

    def _find_and_modify(self, *args: Any, **kwargs: Any) -> Any:
        with self._store.journal:
            return super()._find_and_modify(*args, **kwargs)


class DurableDatabase(Database):
    """mongomock's database with durable collections."""

    def get_collection(self, name: str, **options: Any) -> DurableCollection:
        """Return a collection, made at its first use."""
        if name not in self._collection_accesses:
            self._ensure_valid_collection_name(name)
            self._collection_accesses[name] = DurableCollection(
                self,
                name=name,
                _db_store=self._store,
                codec_options=self._codec_options,
                read_preference=self._read_preference,
            )
        collection: DurableCollection = super().get_collection(name, **options)
        return collection


class DurableClient(MongoClient):
    """mongomock's client on durable databases.

    Parameters
    ----------
    journal
        Where changes are told.

    Raises
    ------
    StoreError
        This mongomock does not have the methods that make it durable.
    """

    def __init__(self, journal: Journal) -> None:
        _check_hooks()
        super().__init__(_store=_DurableServerStore(journal))

    def get_database(self, name: str | None = None, **options: Any) -> DurableDatabase:
        """Return a database, made at its first use."""
        if name is None or options:
            raise NotImplementedError("an embedded launchpad has named databases without options")
        if name not in self._database_accesses:
            self._database_accesses[name] = DurableDatabase(
                self,
                name,
                _store=self._store[name],
                codec_options=self._codec_options,
                read_preference=self.read_preference,
            )
        database: DurableDatabase = self._database_accesses[name]
        return database

    def load(
        self, documents: Iterable[tuple[str, dict[str, Any]]], indexes: Iterable[StoredIndex]
    ) -> None:
        """Put into memory what a file holds."""
        by_collection: dict[str, list[StoredIndex]] = {}
        for index in indexes:
            by_collection.setdefault(index.collection, []).append(index)
        for full_name, stored in by_collection.items():
            self._find_documents(full_name).take_back_indexes(stored)
        for full_name, document in documents:
            self._find_documents(full_name).take_back(_make_key(document["_id"]), document)

    def _find_documents(self, full_name: str) -> DurableDocuments:
        database, _, collection = full_name.partition(".")
        documents: DurableDocuments = self._store[database][collection]
        return documents


def _make_key(identifier: Any) -> Hashable:
    """Key under which mongomock keeps a document with that ``_id``."""
    key: Hashable = helpers.hashdict(identifier) if isinstance(identifier, dict) else identifier
    return key


def _reads_dates(stage: Mapping[str, Any]) -> bool:
    fields = stage.get("$set")
    return isinstance(fields, Mapping) and all(
        isinstance(rule, Mapping)
        and isinstance(rule.get("$dateFromString"), Mapping)
        and rule["$dateFromString"].get("dateString") == rule["$dateFromString"].get("onError")
        for rule in fields.values()
    )


def _read_dates(document: dict[str, Any], fields: Iterable[str]) -> None:
    for field in fields:
        with suppress(KeyError, TypeError, ValueError):  # FireWorks keeps what is not a date
            moment = datetime.fromisoformat(document[field])
            document[field] = helpers.patch_datetime_awareness_in_document(moment)


def _is_replacement(document: Any) -> bool:
    return isinstance(document, Mapping) and not any(name.startswith("$") for name in document)


def _check_hooks() -> None:
    missing = [
        f"{owner.__name__}.{name}"
        for owner, names in _HOOKS
        for name in names
        if not hasattr(owner, name)
    ]
    if missing:
        raise StoreError(
            f"mongomock {mongomock_version} lacks {', '.join(missing)}, without which an embedded "
            "launchpad would lose changes: install mongomock 4.3, or use a launchpad server "
            "(mongodb://…)"
        )
