"""Columns of numbers in a text file, with lines of words above or below them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import ParseError

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|[+-]?(nan|inf|infinity)$", re.I)

_LAYOUTS: tuple[tuple[str | None, str], ...] = (
    ("\t", "."),
    ("\t", ","),
    (";", "."),
    (";", ","),
    (None, "."),
    (None, ","),
    (",", "."),
)
"""Separator (None: any spaces) and decimal mark, in the order in which they are tried."""


@dataclass(frozen=True)
class TextTable:
    """What a text file holds.

    Attributes
    ----------
    numbers
        The rows of numbers, shape ``(n_rows, n_columns)``.
    other_lines
        All other lines.
    column_names
        The last line above the numbers; empty if there is none.
    """

    numbers: NDArray[np.float64]
    other_lines: tuple[str, ...]
    column_names: str


def read_text_table(path: Path | str) -> TextTable:
    """Read the one table of numbers of a text file.

    Parameters
    ----------
    path
        Text in UTF-8, UTF-16 or Latin-1; two columns or more, parted by tabs, semicolons, commas
        or spaces, with decimal points or commas.

    Raises
    ------
    ParseError
        If the file is empty, binary, holds no two columns of numbers, a line amid the numbers that
        is none, rows of different length, or a number that is not finite.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ParseError(f"cannot be read: {error.strerror}", path) from error
    if not data.strip():
        raise ParseError("is empty", path)
    if b"\0" in data and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise ParseError("is binary, no text and no Andor .sif file", path)
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = [line.strip(" \r\f\v") for line in text.split("\n")]
    separator, mark = _find_layout(lines, path)
    return _split_table(lines, separator, mark, path)


def _find_layout(lines: Sequence[str], path: Path | str) -> tuple[str | None, str]:
    """Find the separator and decimal mark by which most of the lines are rows of numbers."""
    sample = [line for line in lines if line[:1].isdigit() or line[:1] in ("+", "-", ".")][:200]
    counts = [
        sum(_parse_row(line, separator, mark) is not None for line in sample)
        for separator, mark in _LAYOUTS
    ]
    best = max(counts)
    if not best:
        raise ParseError("holds no two columns of numbers", path)
    return _LAYOUTS[counts.index(best)]


def _split_table(
    lines: Sequence[str], separator: str | None, mark: str, path: Path | str
) -> TextTable:
    """Rows of numbers and the lines above and below them."""
    rows: list[list[float]] = []
    before: list[str] = []
    after: list[str] = []
    for number, line in enumerate(lines, start=1):
        row = _parse_row(line, separator, mark)
        if row is None:
            if line:
                (after if rows else before).append(line)
            continue
        if after:
            raise ParseError(
                f"{after[0][:60]!r} before this line is no row of numbers, but stands amid the "
                "data; the file is damaged, or holds two tables",
                path,
                number,
            )
        if rows and len(row) != len(rows[0]):
            raise ParseError(
                f"has {len(row)} columns where the rows before have {len(rows[0])}", path, number
            )
        if not np.all(np.isfinite(row)):
            raise ParseError("holds a number that is not finite", path, number)
        rows.append(row)
    if after and after[0][:1].isdigit():
        raise ParseError(
            f"ends with {after[0][:60]!r}, which is no row of {len(rows[0])} numbers; it is cut "
            "off or damaged",
            path,
        )
    named = [line for line in before if line.lstrip("#%; \t")]
    return TextTable(
        numbers=np.array(rows, dtype=np.float64),
        other_lines=(*before, *after),
        column_names=named[-1] if named else "",
    )


def _parse_row(line: str, separator: str | None, mark: str) -> list[float] | None:
    """Two or more numbers, or None."""
    words = line.split(separator)
    while words and not words[-1].strip():
        words.pop()
    if len(words) < 2:
        return None
    values = []
    for word in words:
        text = word.strip()
        if mark == ",":
            text = text.replace(",", ".") if text.count(",") <= 1 and "." not in text else "x"
        if not _NUMBER.match(text):
            return None
        values.append(float(text))
    return values
