"""Atom lines of an xyz frame in plain Python: the path for small files and odd numbers.

Its answers are the reference: `qdcomp.trajectory.xyz_columns` is faster, leaves alone whatever it
does not know, and then this module reads the frame or says which line is wrong.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import ParseError
from qdcomp.trajectory.xyz_comment import Columns

_TOO_WIDE = "a number too wide for its column: the atom is far away, the run has exploded"

_EXPONENT_WITHOUT_LETTER = re.compile(rb"([+-]?\d*\.?\d+)([+-]\d+)")
"""Fortran writes 0.1-104 where three digits of exponent leave no room for the letter."""


def read_symbols(block: bytes, columns: Columns, path: Path, line: int) -> tuple[str, ...]:
    """Read the symbols of a frame whose first atom line has number `line`.

    Raises
    ------
    ParseError
        If a line has too few columns.
    """
    return tuple(
        _split(text, columns, path, line + number)[columns.species].decode("utf-8", "replace")
        for number, text in enumerate(block.splitlines())
    )


def read_values(
    block: bytes,
    columns: Columns,
    symbols: tuple[str, ...],
    path: Path,
    line: int,
) -> NDArray[np.float64]:
    """Read the three numbers of every atom, in the file's unit, shape ``(n_atoms, 3)``.

    Every number is the double nearest to its text, as ``float(text)``. `line` is the number of
    the first atom line.

    Raises
    ------
    ParseError
        Naming the line, if it has too few columns, another atom than in the first frame, or a
        number that is none or not finite.
    """
    values = _read_table(block, columns, symbols)
    if values is None:
        values = _read_lines(block, columns, symbols, path, line)
    return values


def _read_table(
    block: bytes, columns: Columns, symbols: tuple[str, ...]
) -> NDArray[np.float64] | None:
    """Read a frame whose lines have equally many plain numbers; None for any other."""
    width = len(block[: block.find(b"\n")].split())
    fields = block.split()
    if len(fields) != width * len(symbols) or width < columns.n_needed:
        return None
    if fields[columns.species :: width] != [symbol.encode() for symbol in symbols]:
        return None
    first = columns.first_value
    try:
        axes = [list(map(float, fields[first + axis :: width])) for axis in range(3)]
    except ValueError:
        return None
    values = np.array(axes).T
    return values if np.all(np.isfinite(values)) else None


def _read_lines(
    block: bytes, columns: Columns, symbols: tuple[str, ...], path: Path, line: int
) -> NDArray[np.float64]:
    """Read a frame line by line, and say which line is wrong."""
    values = np.empty((len(symbols), 3))
    for number, (text, symbol) in enumerate(zip(block.splitlines(), symbols, strict=True)):
        fields = _split(text, columns, path, line + number)
        found = fields[columns.species].decode("utf-8", "replace")
        if found != symbol:
            raise ParseError(
                f"atom {number + 1} is {found!r} here and {symbol!r} in the first frame; "
                "a trajectory has the same atoms in the same order: split the file",
                path,
                line + number,
            )
        for axis in range(3):
            values[number, axis] = _number(
                fields[columns.first_value + axis], number, path, line + number
            )
    return values


def _split(text: bytes, columns: Columns, path: Path, line: int) -> list[bytes]:
    fields = text.split()
    if len(fields) < columns.n_needed:
        shown = text.decode("utf-8", "replace").strip()
        reason = _TOO_WIDE if b"*" in text else "the file is damaged here"
        raise ParseError(
            f"expected at least {columns.n_needed} columns, got {len(fields)} in {shown!r}; "
            f"{reason}",
            path,
            line,
        )
    return fields


def _number(text: bytes, atom: int, path: Path, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = _odd_number(text)
    if math.isfinite(value):
        return value
    shown = text.decode("utf-8", "replace")
    if b"*" in text:
        reason = _TOO_WIDE
    elif b"nan" in text.lower() or b"inf" in text.lower():
        reason = "not a finite number: the run broke in this step"
    else:
        reason = "not a number"
    raise ParseError(
        f"atom {atom + 1} has {shown!r}, {reason}. Use the frames before this one, "
        "or run again from an earlier restart",
        path,
        line,
    )


def _odd_number(text: bytes) -> float:
    """Fortran's D exponents and exponents without a letter; NaN for anything else."""
    upper = text.upper().replace(b"D", b"E")
    match = _EXPONENT_WITHOUT_LETTER.fullmatch(upper)
    try:
        return float(b"E".join(match.groups()) if match else upper)
    except ValueError:
        return math.nan
