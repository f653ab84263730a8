"""A FireWorks launchpad that is closed after use, and does not tell its password."""

from __future__ import annotations

from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from fireworks import LaunchPad

QUIET = "CRITICAL"
"""FireWorks' log level that leaves the terminal to the command that runs."""


class ClosingLaunchPad(LaunchPad):
    """A launchpad for a ``with`` statement.

    Attributes
    ----------
    connection
        Client of the database.
    description
        Where it is, without password.
    """

    connection: Any
    description: str

    def close(self) -> None:
        """Let go of the launchpad."""
        self.connection.close()

    def prepare(self) -> None:
        """Make FireWorks' counters and indexes, if they are not there; nothing is overwritten."""
        if self.fw_id_assigner.find_one({}) is None:
            self.fw_id_assigner.update_one(
                {"_id": -1}, {"$setOnInsert": {"next_fw_id": 1, "next_launch_id": 1}}, upsert=True
            )
            self.tuneup()

    def now(self) -> datetime:
        """Time by the clock that all who use this launchpad share."""
        return datetime.now(UTC)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.description!r})"
