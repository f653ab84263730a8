"""Hash index over fields of documents: which of them may match an equality in a query."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from bson import ObjectId

_Value = str | int | float


class DocumentIndex:
    """Keys of documents by the values of some of their fields.

    It narrows a search and never decides it: what it finds still has to be held against the query.
    A field that holds a list is found by each of its elements, as in MongoDB.
    """

    def __init__(self) -> None:
        self._keys: dict[str, dict[_Value, set[Hashable]]] = {}
        self._values: dict[Hashable, dict[str, frozenset[_Value]]] = {}
        self._order: dict[Hashable, int] = {}
        self._next = 0

    def add_field(self, field: str, documents: Mapping[Hashable, Mapping[str, Any]]) -> None:
        """Index a field of the documents that are there, and of those to come.

        Fields of subdocuments (with a dot) are left to the search through all.
        """
        if "." in field or field in self._keys or field == "_id":
            return
        self._keys[field] = {}
        for key, document in documents.items():
            self.put(key, document)

    def put(self, key: Hashable, document: Mapping[str, Any]) -> None:
        """Index a document that is new, or has changed."""
        if key not in self._order:
            self._order[key] = self._next
            self._next += 1
        known = self._values.setdefault(key, {})
        for field, by_value in self._keys.items():
            before, after = known.get(field, frozenset()), _list_values(document.get(field))
            if before == after:
                continue
            for value in before - after:
                by_value[value].discard(key)
                if not by_value[value]:
                    del by_value[value]
            for value in after - before:
                by_value.setdefault(value, set()).add(key)
            known[field] = after

    def remove(self, key: Hashable) -> None:
        """Forget a document, if it is known."""
        if key in self._order:
            self.put(key, {})
            del self._order[key], self._values[key]

    def find(self, query: Mapping[str, Any]) -> list[Hashable] | None:
        """Keys of the documents that may match, in order of insertion; None where it cannot say."""
        found: set[Hashable] | None = None
        for field, wanted in query.items():
            if field == "_id" and isinstance(wanted, (str, int, ObjectId)):
                return [wanted] if wanted in self._order else []
            values = _list_wanted(wanted)
            if values is None or field not in self._keys:
                continue
            by_value = self._keys[field]
            keys = set().union(*(by_value.get(value, ()) for value in values))
            if found is None or len(keys) < len(found):
                found = keys
        return None if found is None else sorted(found, key=self._order.__getitem__)


def _list_values(content: Any) -> frozenset[_Value]:
    if isinstance(content, (str, int, float)):
        return frozenset((content,))
    if isinstance(content, (list, tuple)):
        return frozenset(item for item in content if isinstance(item, (str, int, float)))
    return frozenset()


def _list_wanted(wanted: Any) -> tuple[_Value, ...] | None:
    """Values that a query asks a field to have; None if it asks for anything else."""
    if isinstance(wanted, (str, int)):
        return (wanted,)
    if isinstance(wanted, dict) and isinstance(wanted.get("$in"), (list, tuple)):
        values = wanted["$in"]
        if all(isinstance(value, (str, int)) for value in values):
            return tuple(values)
    return None
