"""XDATCAR, the positions of every geometry, as VASP 4 to 6 and other programs write it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines.vasp.text_files import iterate_lines, read_counts, require_volume
from qdcomp.errors import ParseError

XDATCAR = "XDATCAR"
"""Name of the file."""

_NUMBER = re.compile(r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")
_HEADING = "Direct configuration"


@dataclass(frozen=True)
class XdatcarFrame:
    """Positions of one geometry.

    Attributes
    ----------
    number
        Number of the geometry in the file, from one.
    fractions
        Positions in fractions of the cell vectors, shape ``(n_atoms, 3)``, in the order of POSCAR.
    cell
        Cell vectors [Å], rows of shape ``(3, 3)``.
    symbols
        Chemical symbols; those behind the positions, where there are any, go before the heading's.
    """

    number: int
    fractions: NDArray[np.float64]
    cell: NDArray[np.float64]
    symbols: tuple[str, ...]


def iterate_xdatcar(path: Path) -> Iterator[XdatcarFrame]:
    """Geometries one after another; one that is cut off at the end of the file is left out.

    Raises
    ------
    ParseError
        The file is missing, or damaged.
    """
    reader = _Reader(path)
    while (frame := reader.read_frame()) is not None:
        yield frame


class _CutOff(Exception):
    """The file ended."""


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = iterate_lines(path)
        self._line_number = 0
        self._frames = 0
        self._cell: NDArray[np.float64] | None = None
        self._symbols: tuple[str, ...] = ()

    def read_frame(self) -> XdatcarFrame | None:
        try:
            line = self._next()
            if self._cell is None or (line.strip() and not line.startswith(_HEADING)):
                self._read_header(line)
                line = self._next()
            if line.strip() and not line.startswith(_HEADING):
                raise self._error(f"expected '{_HEADING}= …' or an empty line", line)
            return self._read_positions()
        except _CutOff:
            if self._line_number == 0:
                raise ParseError("is empty; VASP has not written a geometry", self._path) from None
            return None

    def _read_header(self, line: str) -> None:
        """Read title, scale, cell, elements and counts; `line` is the title."""
        line = self._next()
        scale = self._numbers(line, 1)[0]
        rows = [self._numbers(self._next(), 3) for _ in range(3)]
        if scale <= 0:
            raise self._error("expected a positive scale of the cell", line)
        self._cell = np.array(rows) * scale
        require_volume(self._cell, (self._path, self._line_number))
        line = self._next()
        elements = line.split()
        line = self._next()
        counts = line.split()
        if len(elements) != len(counts):
            raise self._error(f"expected a count for each of {' '.join(elements)}", line)
        numbers = read_counts(counts, (self._path, self._line_number))
        self._symbols = tuple(
            element for element, count in zip(elements, numbers, strict=True) for _ in range(count)
        )

    def _read_positions(self) -> XdatcarFrame:
        assert self._cell is not None
        fractions = np.empty((len(self._symbols), 3))
        labels = []
        before = ""
        for atom in range(len(fractions)):
            line = self._next(like=before)
            before = line
            fractions[atom] = self._numbers(line, 3)
            labels += line.split()[3:4]
        named = len(labels) == len(self._symbols) and all(label.isalpha() for label in labels)
        self._frames += 1
        return XdatcarFrame(
            self._frames, fractions, self._cell, tuple(labels) if named else self._symbols
        )

    def _next(self, *, like: str = "") -> str:
        """Next line; one without an end counts if it is as long as one that it is to be like."""
        line = next(self._lines, "")
        if not line.endswith("\n") and (not like or _decimals(line) != _decimals(like)):
            raise _CutOff
        self._line_number += 1
        return line

    def _numbers(self, line: str, count: int) -> list[float]:
        words = line.split()[:count]
        try:
            found = [float(word) for word in words]
        except ValueError:  # columns that touch, or stars
            found = [float(word) for word in _NUMBER.findall(line)][:count]
        if len(found) != count or not np.isfinite(found).all():
            raise self._error(f"expected {count} numbers", line)
        return found

    def _error(self, message: str, line: str) -> ParseError:
        found = line.strip()[:60]
        return ParseError(f"{message}, found {found!r}", self._path, self._line_number)


def _decimals(line: str) -> list[int]:
    """Digits behind the point of each number in a line."""
    return [len(word.partition(".")[2]) for word in _NUMBER.findall(line)]
