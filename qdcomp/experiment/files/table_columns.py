"""A table of numbers in a file, read piece by piece: named columns and named constants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNITS_S = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12}
"""Units that arrival times may be in [s]."""

TIMES, MACROTIMES, CHANNELS, MICROTIMES = "times", "macrotimes", "channels", "microtimes"
"""Names of columns; arrival times carry their unit as in ``times_ns``, or have no name at all."""

CONSTANTS = ("macrotime_resolution_s", "microtime_resolution_ns", "duration_s")
"""Names of numbers that hold for the whole table."""

_COLUMNS = (TIMES, MACROTIMES, CHANNELS, MICROTIMES, *(f"{TIMES}_{unit}" for unit in UNITS_S))

ColumnReader = Callable[[int], Iterator[dict[str, NDArray[Any]]]]
"""Yields at most so many rows at a time, as columns by name."""


@dataclass(frozen=True)
class Columns:
    """A table that is read piece by piece.

    Attributes
    ----------
    kinds
        Type of the numbers of every column, by its name.
    constants
        Numbers that hold for the whole table, by name.
    read
        Reads it from its start.
    """

    kinds: Mapping[str, np.dtype[Any]]
    constants: Mapping[str, float]
    read: ColumnReader


def find_column(name: str) -> str | None:
    """Return the name under which a column is known, in the plural; None if it is not."""
    plain = name.strip().strip("\"'").lower().replace("µs", "us")
    for known in _COLUMNS:
        head, _, unit = known.partition("_")
        if plain in (known, f"{head[:-1]}_{unit}" if unit else head[:-1]):
            return known
    return None
