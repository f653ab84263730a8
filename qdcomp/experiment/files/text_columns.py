"""Columns of numbers in text files: CSV, or separated by semicolons, tabs or spaces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import ParseError
from qdcomp.experiment.files.table_columns import CHANNELS, CONSTANTS, TIMES, Columns, find_column

BLOCK_BYTES = 4 * 2**20
"""Text is read in blocks of this size; no line is longer."""

_SAMPLE_ROWS = 1000
_WHOLE = re.compile(r"[+-]?\d+\Z")


@dataclass(frozen=True)
class _Layout:
    names: tuple[str | None, ...]
    delimiter: str | None
    first_row: int
    kinds: dict[str, np.dtype[Any]]


def open_text_columns(path: Path) -> Columns:
    """Find the columns of a text file.

    Raises
    ------
    ParseError
        If it is not text, or a line is not one of numbers.
    """
    first, lines = next(_read_blocks(path), (1, []))
    constants = _find_constants(path, lines)
    layout = _find_layout(path, first, lines)
    return Columns(layout.kinds, constants, partial(_read, path, layout))


def _read_blocks(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Blocks of whole lines, each with the number of its first line."""
    number, rest, size = 1, b"", min(BLOCK_BYTES, path.stat().st_size)
    with path.open("rb") as file:
        while block := file.read(size):
            whole, newline, rest = (rest + block).rpartition(b"\n")
            if not newline and len(rest) > BLOCK_BYTES:
                raise ParseError("a line is longer than 4 MB; it is no table of photons", path)
            if newline:
                lines = _decode(path, number, whole)
                yield number, lines
                number += len(lines)
    if rest:
        yield number, _decode(path, number, rest)


def _decode(path: Path, number: int, text: bytes) -> list[str]:
    try:
        return text.decode("utf-8-sig" if number == 1 else "utf-8").split("\n")
    except UnicodeDecodeError as error:
        line = number + text[: error.start].count(b"\n")
        raise ParseError("it is neither text nor a known file of photons", path, line) from error


def _is_data(line: str) -> bool:
    text = line.strip()
    return bool(text) and not text.startswith("#")


def _find_constants(path: Path, lines: list[str]) -> dict[str, float]:
    constants = {}
    for number, line in enumerate(lines, start=1):
        if _is_data(line):
            break
        name, equals, value = line.strip().lstrip("#").partition("=")
        if not equals or name.strip() not in CONSTANTS:
            continue
        try:
            constants[name.strip()] = float(value)
        except ValueError:
            raise ParseError(f"{value.strip()[:40]!r} is not a number", path, number) from None
    return constants


def _find_layout(path: Path, first: int, lines: list[str]) -> _Layout:
    rows = [n for n, line in enumerate(lines) if _is_data(line)][: _SAMPLE_ROWS + 1]
    if not rows:
        raise ParseError("it has no line of numbers", path)
    start = lines[rows[0]]
    delimiter = next((d for d in ",;\t" if d in start), None)
    names: tuple[str | None, ...]
    if not _is_number(_split(start, delimiter)[0]):
        names = tuple(find_column(token) for token in _split(start, delimiter))
        if not any(names):
            raise ParseError(
                f"{start.strip()[:60]!r} is neither a line of numbers nor one of names such as "
                "times_s, channels",
                path,
                first + rows[0],
            )
        rows = rows[1:]
    else:
        names = _find_commented_names(lines[: rows[0]]) or _name_plain(path, start, delimiter)
    if not rows:
        raise ParseError("it has names and no line of numbers", path)
    kinds = {}
    sample = [_split(lines[n], delimiter) for n in rows]
    for column, name in enumerate(names):
        if name is not None:
            whole = all(_WHOLE.match(r[column]) for r in sample if len(r) > column)
            kinds[name] = np.dtype(np.int64 if whole else np.float64)
    if len(kinds) < sum(name is not None for name in names):
        raise ParseError("two of its columns have the same name", path, first + rows[0])
    return _Layout(names, delimiter, first + rows[0], kinds)


def _find_commented_names(lines: list[str]) -> tuple[str | None, ...]:
    """Names as ``numpy.savetxt`` writes them, behind a ``#``."""
    for line in reversed(lines):
        text = line.strip().lstrip("#")
        names = tuple(find_column(token) for token in re.split(r"[,;\s]+", text.strip()))
        if all(names):
            return names
    return ()


def _name_plain(path: Path, line: str, delimiter: str | None) -> tuple[str | None, ...]:
    count = len(_split(line, delimiter))
    if count > 2:
        raise ParseError(
            f"it has {count} columns without names; name them in its first line, such as "
            "macrotimes, channels, microtimes",
            path,
        )
    return (TIMES, CHANNELS)[:count]


def _split(line: str, delimiter: str | None) -> list[str]:
    return [token.strip() for token in line.split(delimiter)] or [""]


def _is_number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True


def _read(path: Path, layout: _Layout, rows: int) -> Iterator[dict[str, NDArray[Any]]]:
    used = [n for n, name in enumerate(layout.names) if name is not None]
    kind = np.dtype([(layout.names[n], layout.kinds[str(layout.names[n])]) for n in used])
    for first, lines in _read_blocks(path):
        data = lines[max(layout.first_row - first, 0) :]
        table = _parse(path, layout, kind, used, data, first + len(lines) - len(data))
        for start in range(0, len(table), rows):
            piece = table[start : start + rows]
            yield {name: np.ascontiguousarray(piece[name]) for name in kind.names or ()}


def _parse(
    path: Path,
    layout: _Layout,
    kind: np.dtype[Any],
    used: list[int],
    lines: list[str],
    first: int,
) -> NDArray[Any]:
    data = [line for line in lines if _is_data(line)]
    if not data:
        return np.empty(0, kind)
    try:
        return np.loadtxt(
            data, kind, delimiter=layout.delimiter, usecols=used, ndmin=1, comments="#"
        )
    except (ValueError, OverflowError):
        number, line = _find_bad_line(layout, kind, used, lines, first)
    raise ParseError(
        f"{line.strip()[:60]!r} does not have the numbers of the lines before it; write all "
        "numbers of a column alike, whole or with a decimal point",
        path,
        number,
    )


def _find_bad_line(
    layout: _Layout, kind: np.dtype[Any], used: list[int], lines: list[str], first: int
) -> tuple[int, str]:
    for number, line in enumerate(lines, start=first):
        if not _is_data(line):
            continue
        try:
            np.loadtxt([line], kind, delimiter=layout.delimiter, usecols=used, ndmin=1)
        except (ValueError, OverflowError):
            return number, line
    return first, lines[0]
