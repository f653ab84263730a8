"""Collections of a database that may be away for minutes.

FireWorks writes a job's end in several steps and takes any `Exception` between them for a failure
of the job. Here each step waits for the database to come back; when it does not, what is raised is
no `Exception`: FireWorks lets it pass, and touches nothing more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from fireworks import FWorker
from pymongo.collection import Collection
from pymongo.cursor import Cursor
from pymongo.database import Database
from pymongo.errors import AutoReconnect, ServerSelectionTimeoutError

from qdcomp.recipes.launchpads.process_identity import label_worker

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 8.0
"""Shorter than others wait before they free a workflow that a live worker holds."""

_REPEATABLE = (
    "aggregate",
    "count_documents",
    "delete_many",
    "delete_one",
    "distinct",
    "find_one_and_replace",
    "update_many",
    "update_one",
)
"""Calls that do no harm when they are sent again though the first had been carried out."""

_ONCE = ("insert_many", "insert_one")
"""Calls that are sent again only where the first was never sent."""

_LOCK = {"$set": {"locked": True}}
"""What FireWorks writes into a workflow to keep others from it."""

Document = dict[str, Any]


class DatabaseAwayError(BaseException):
    """The database has not answered for as long as one was ready to wait."""


class RetryingCollection(Collection[Document]):
    """A collection whose calls wait for the database to come back.

    Parameters
    ----------
    database
        The database.
    name
        Name of the collection.
    patience_s
        How long a call may wait [s]; 0 to try once.
    """

    def __init__(self, database: Database[Document], name: str, patience_s: float) -> None:
        super().__init__(database, name)
        self._patience_s = patience_s

    def find(self, *args: Any, **kwargs: Any) -> Cursor[Document]:
        """Query the collection."""
        cursor = _RetryingCursor(self, *args, **kwargs)
        cursor.patience_s = self._patience_s
        return cursor

    def find_one_and_update(
        self, filter: Mapping[str, Any], update: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Update a document and return it; what this call has claimed it knows again."""
        write = super().find_one_and_update
        update, claim = _claim(update)
        sent = False

        def send() -> Any:
            nonlocal sent
            claimed = self.find_one(claim) if sent and claim else None
            sent = True
            return claimed or write(filter, update, *args, **kwargs)

        return insist(send, self._patience_s)


def _claim(update: Any) -> tuple[Any, Document | None]:
    """Mark a lock or a reservation as of one call: sent again, it must not take another.

    FireWorks asks of a lock only whether it is there, and drops the mark of a reservation when it
    writes the job next. Until then that names the process, as a launch does.
    """
    token = uuid4().hex
    if update == _LOCK:
        return {"$set": {"locked": token}}, {"locked": token}
    values = update.get("$set", {}) if isinstance(update, Mapping) else {}
    if values.get("state") == "RESERVED":
        claim = {"token": token, "fworker": label_worker(FWorker()).to_dict()}
        return {**update, "$set": {**values, "claim": claim}}, {"claim.token": token}
    return update, None


class _RetryingCursor(Cursor[Document]):
    """A cursor whose first documents wait for the database to come back."""

    patience_s = 0.0

    def next(self) -> Document:
        """Return the next document."""
        again = False

        def read() -> Document:
            nonlocal again
            if again:
                self.rewind()
            again = True
            return Cursor.next(self)

        document: Document = insist(read, 0.0 if self.retrieved else self.patience_s)
        return document

    __next__ = next


def insist(
    call: Callable[[], Any],
    patience_s: float,
    mendable: type[AutoReconnect] = AutoReconnect,
) -> Any:
    """Call until the database answers, with growing pauses.

    Parameters
    ----------
    call
        What to call.
    patience_s
        For how long [s]; 0 to try once.
    mendable
        Errors after which it may be called again.

    Raises
    ------
    DatabaseAwayError
        The database did not answer in that time, or after another error of the connection.
    """
    until = time.monotonic() + patience_s
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            return call()
        except AutoReconnect as error:
            if time.monotonic() >= until or not isinstance(error, mendable):
                raise DatabaseAwayError(str(error)) from error
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _make_call(name: str, mendable: type[AutoReconnect]) -> Callable[..., Any]:
    original = getattr(Collection, name)

    def call(self: RetryingCollection, *args: Any, **kwargs: Any) -> Any:
        return insist(lambda: original(self, *args, **kwargs), self._patience_s, mendable)

    call.__name__, call.__doc__ = name, f"Wait for the database, then as `Collection.{name}`."
    return call


for _name in _REPEATABLE:
    setattr(RetryingCollection, _name, _make_call(_name, AutoReconnect))
for _name in _ONCE:
    setattr(RetryingCollection, _name, _make_call(_name, ServerSelectionTimeoutError))
