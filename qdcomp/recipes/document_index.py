"""An index over documents in memory: FireWorks looks jobs up by number and state all the time."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from itertools import count
from typing import Any

INDEXED_KEYS = ("_id", "fw_id", "launch_id", "nodes", "state")
"""Keys that are indexed, the most selective first; elements of a list count one by one."""


class DocumentIndex:
    """Which documents have which value of the indexed keys."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, Hashable], set[Any]] = {}
        self._entries: dict[Any, list[tuple[str, Hashable]]] = {}
        self._order: dict[Any, int] = {}
        self._births = count()

    def update(self, document: Mapping[str, Any]) -> None:
        """Index a document as it now stands."""
        key = document["_id"]
        self._forget_entries(key)
        self._order.setdefault(key, next(self._births))
        self._entries[key] = list(_list_entries(document))
        for entry in self._entries[key]:
            self._ids.setdefault(entry, set()).add(key)

    def remove(self, key: Any) -> None:
        """Forget a document."""
        self._forget_entries(key)
        self._order.pop(key, None)

    def clear(self) -> None:
        """Forget all documents."""
        self._ids.clear()
        self._entries.clear()
        self._order.clear()

    def find_candidates(self, query: Any) -> list[Any] | None:
        """Ids of the documents that can match a query, oldest first; None if all can."""
        if not isinstance(query, Mapping):
            return None
        for key in INDEXED_KEYS:
            values = _read_condition(query.get(key))
            if values is not None:
                found = set().union(*(self._ids.get((key, value), ()) for value in values))
                return sorted(found, key=self._order.__getitem__)
        return None

    def _forget_entries(self, key: Any) -> None:
        for entry in self._entries.pop(key, ()):
            self._ids[entry].discard(key)


def _list_entries(document: Mapping[str, Any]) -> Iterator[tuple[str, Hashable]]:
    for key in INDEXED_KEYS:
        value = document.get(key)
        for item in value if isinstance(value, list) else (value,):
            if item is not None and isinstance(item, Hashable):
                yield key, item


def _read_condition(condition: Any) -> Iterable[Hashable] | None:
    """Read which values a condition of a query allows; None if it says anything else."""
    if isinstance(condition, Mapping):
        values = condition.get("$in") if set(condition) == {"$in"} else None
        if isinstance(values, list | tuple) and all(_is_plain(value) for value in values):
            return values
        return None
    return (condition,) if _is_plain(condition) else None


def _is_plain(value: Any) -> bool:
    return isinstance(value, Hashable) and value is not None and not hasattr(value, "pattern")
