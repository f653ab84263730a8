"""VASP's text files, plain or compressed, and the numbers that Fortran writes."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from qdcomp.errors import ParseError

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


def read_number(word: str) -> float:
    """Read a number as Fortran writes it; NaN where it did not fit its columns (``*****``)."""
    return math.nan if word.startswith("*") else float(word)
