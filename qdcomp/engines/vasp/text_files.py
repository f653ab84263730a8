"""VASP's text files, plain or compressed, and the numbers that Fortran writes."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import ParseError

Where = tuple[Path, int | None]
"""A file and the number of a line in it, None where the line is not known."""

MOST_ATOMS = 1_000_000
"""More atoms than any run of VASP has: a larger number is a damaged one."""

_LEAST_VOLUME = 1e-3
"""Volume [Å³] below which cell vectors span none."""

UNREADABLE = (OSError, EOFError, zlib.error)
"""What a damaged compressed file raises."""


def find_output(directory: Path, name: str) -> Path | None:
    """Find an output of VASP, plain or compressed; None where it is not there."""
    paths = (directory / name, directory / f"{name}.gz")
    return next((path for path in paths if path.is_file()), None)


@contextmanager
def open_output(path: Path) -> Iterator[IO[bytes]]:
    """Open an output of VASP, plain or compressed, for reading bytes.

    Raises
    ------
    ParseError
        It is not there.
    """
    if not path.is_file():
        raise ParseError("not there; has VASP run in this directory?", path)
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
        yield stream  # type: ignore[misc]


def iterate_lines(path: Path) -> Iterator[str]:
    """Lines of an output one after another; bytes that are no text are replaced.

    Raises
    ------
    ParseError
        It is not there, or its compression is damaged.
    """
    number = 0
    with open_output(path) as stream:
        try:
            for line in stream:
                number += 1
                yield line.decode("utf-8", errors="replace")
        except UNREADABLE as error:
            raise ParseError(f"cannot be read any further ({error})", path, number + 1) from error


def read_number(word: str, where: Where) -> float:
    """Read a number as Fortran writes it; NaN where it did not fit its columns (``*****``).

    Raises
    ------
    ParseError
        It is no number.
    """
    if word and not word.strip("*"):
        return math.nan
    try:
        return float(word)
    except ValueError:
        raise ParseError(
            f"expected a number, found {word[:60]!r}; the file is damaged", *where
        ) from None


def read_finite(word: str, where: Where) -> float:
    """Read a number that the results rest on.

    Raises
    ------
    ParseError
        It is no number, or not a finite one: stars, or ``NaN`` of a run that has broken down.
    """
    value = read_number(word, where)
    if not math.isfinite(value):
        raise ParseError(
            f"expected a number, found {word[:60]!r}; stars are one too large for its columns, "
            "and after NaN the run has broken down",
            *where,
        )
    return value


def read_counts(words: Sequence[str], where: Where) -> tuple[int, ...]:
    """Read the number of atoms of each element.

    Raises
    ------
    ParseError
        One of them is no whole number, or they are more than VASP can have had.
    """
    counts = tuple(int(word) if word.isdecimal() else -1 for word in words)
    if min(counts, default=0) < 0 or sum(counts) > MOST_ATOMS:
        raise ParseError(
            f"expected the number of atoms of each element, found {' '.join(words)[:60]!r}", *where
        )
    return counts


def require_volume(cell: NDArray[np.float64], where: Where) -> None:
    """Refuse cell vectors that span no volume.

    Raises
    ------
    ParseError
        If they do not.
    """
    if not np.isfinite(cell).all() or not abs(np.linalg.det(cell)) > _LEAST_VOLUME:
        raise ParseError(f"the cell vectors {cell.tolist()} span no volume", *where)
