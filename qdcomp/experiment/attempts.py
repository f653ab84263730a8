"""Parts of an analysis that may fail by themselves: what is absent, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from qdcomp.errors import InputError

Part = TypeVar("Part")


class Attempts:
    """Computes parts and remembers which could not be, each with its reason."""

    def __init__(self) -> None:
        self._absent: list[str] = []

    @property
    def absent(self) -> tuple[str, ...]:
        """What is absent, a sentence each."""
        return tuple(self._absent)

    def compute(self, name: str, function: Callable[[], Part]) -> Part | None:
        """Give what `function` gives; None where the data do not allow it."""
        try:
            return function()
        except InputError as error:
            self.leave_out(name, str(error))
            return None

    def leave_out(self, name: str, reason: str) -> None:
        """Remember that a part is absent."""
        self._absent.append(f"{name}: {reason.rstrip('.')}.")
