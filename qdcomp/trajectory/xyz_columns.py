"""Atom lines of equal length with numbers in fixed columns, a whole frame at once.

Fortran and C formats (CP2K's ``F20.10``, ASE's ``%16.8f``) put every digit of a frame in a known
column, so the numbers are a product of the digits with powers of ten. All digits of a number form
an integer, exact below 2⁵³, and one division by an exact power of ten then gives the double
nearest to the text (Clinger, PLDI 1990): bit for bit ``float(text)``. A frame with anything else
in it is left to `qdcomp.trajectory.xyz_atoms`, which reads it or says which line is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from qdcomp.trajectory.xyz_comment import Columns

_NEWLINE, _SPACE, _MINUS, _POINT, _ZERO, _NINE = 10, 32, 45, 46, 48, 57
_DIGIT_BITS = 15
"""Low bits of an ASCII digit are its value, of a blank nought."""

_GROUP_DIGITS = 7
"""Digits whose integer is exact in single precision (10⁷ < 2²⁴)."""

_EXACT_INTEGERS = 2.0**53
_MOST_DECIMALS = 22
"""10²² is the largest power of ten that is an exact double."""


@dataclass(frozen=True)
class FixedColumns:
    """Where a file's numbers are, for `read`; made by `detect`.

    Attributes
    ----------
    line_length
        Bytes of an atom line with its line end.
    species
        First bytes of every line, up to the end of the longest symbol, ``(n_atoms, …)``.
    start, width, decimals
        First byte of the first number, bytes of each of the three, digits after the point.
    weights
        Powers of ten of each byte of a number, per group of digits, ``(width, n_groups)``.
    may_end_digits
        For every byte of a frame's numbers, whether digits may end there: before the point and
        at the end of the number.
    need_no_digit
        For every byte, whether it may be other than a digit: the point, and all but one place
        before it.
    """

    line_length: int
    species: NDArray[np.uint8]
    start: int
    width: int
    decimals: int
    weights: NDArray[np.float32]
    may_end_digits: NDArray[np.bool_]
    need_no_digit: NDArray[np.bool_]

    @classmethod
    def detect(cls, block: bytes, columns: Columns) -> Self | None:
        """Find the columns of a file from its first frame; None if they are not fixed."""
        lines = block.splitlines(keepends=True)
        length = len(lines[0])
        if columns.species != 0 or any(
            len(line) != length or not line.endswith(b"\n") for line in lines
        ):
            return None
        ends = _field_ends(lines[0])
        first = columns.first_value
        width = ends[first + 1] - ends[first]
        start = ends[first] - width
        decimals = ends[first] - 1 - lines[0].find(b".", start)
        if (
            ends[first + 2] - ends[first + 1] != width
            or start < ends[first - 1]
            or not 0 < decimals < min(width - 1, _MOST_DECIMALS + 1)
        ):
            return None
        species_end = max(_field_ends(line)[0] for line in lines)
        table = np.frombuffer(block, dtype=np.uint8).reshape(len(lines), length)
        byte = np.arange(width)
        point = width - decimals - 1
        return cls(
            line_length=length,
            species=table[:, :species_end].copy(),
            start=start,
            width=width,
            decimals=decimals,
            weights=_digit_weights(width, decimals),
            may_end_digits=np.tile((byte == point - 1) | (byte == width - 1), 3 * len(lines)),
            need_no_digit=np.tile((byte == point) | (byte < point - 1), 3 * len(lines)),
        )

    def read(self, block: NDArray[np.uint8], target: NDArray[np.float64]) -> bool:
        """Read a frame into `target`, shape ``(n_atoms, 3)``; False if it has anything else."""
        n_atoms = len(target)
        if block.size != n_atoms * self.line_length:
            return False
        lines = block.reshape(n_atoms, self.line_length)
        species_end = self.species.shape[1]
        stop = self.start + 3 * self.width
        if not (
            np.all(lines[:, -1] == _NEWLINE)
            and np.array_equal(lines[:, :species_end], self.species)
            and (species_end == self.start or np.all(lines[:, species_end] == _SPACE))
            and np.all(lines[:, stop] <= _SPACE)
        ):
            return False
        numbers = lines[:, self.start : stop].reshape(3 * n_atoms, self.width)
        minus = self._check_numbers(numbers)
        if minus is None:
            return False
        digits = numbers & _DIGIT_BITS
        digits.reshape(-1)[minus] = 0
        groups = (digits.astype(np.float32) @ self.weights).astype(np.float64)
        integers = groups[:, 0]
        for group in range(1, groups.shape[1]):
            integers = integers * 10.0**_GROUP_DIGITS + groups[:, group]
        if integers.max() >= _EXACT_INTEGERS:
            return False
        integers /= 10.0**self.decimals
        rows = minus // self.width
        integers[rows] = -integers[rows]
        target[:] = integers.reshape(n_atoms, 3)
        return True

    def _check_numbers(self, numbers: NDArray[np.uint8]) -> NDArray[np.intp] | None:
        """Find the minus signs, as flat indices; None unless all are blanks, sign, digits."""
        flat = numbers.reshape(-1)
        is_digit = (flat >= _ZERO) & (flat <= _NINE)
        minus = np.flatnonzero(flat == _MINUS)
        point = self.width - self.decimals - 1
        ends = is_digit[:-1] & ~is_digit[1:] & ~self.may_end_digits[:-1]
        others = np.count_nonzero(flat == _SPACE) + np.count_nonzero(is_digit) + minus.size
        if (
            ends.any()
            or others + len(numbers) != flat.size
            or not np.all(numbers[:, point] == _POINT)
            or not np.all(is_digit[minus + 1])
            or not np.all(is_digit | self.need_no_digit)
        ):
            return None
        return minus


def _field_ends(line: bytes) -> list[int]:
    """Byte after each blank-separated field of a line."""
    ends = []
    position = 0
    for field in line.split():
        position = line.find(field, position) + len(field)
        ends.append(position)
    return ends


def _digit_weights(width: int, decimals: int) -> NDArray[np.float32]:
    """Power of ten of each byte within its group of digits; nought at the point."""
    point = width - decimals - 1
    places = [width - 1 - byte - (byte < point) for byte in range(width)]
    n_groups = max(places) // _GROUP_DIGITS + 1
    weights = np.zeros((width, n_groups), dtype=np.float32)
    for byte, place in enumerate(places):
        if byte != point:
            group = n_groups - 1 - place // _GROUP_DIGITS
            weights[byte, group] = 10.0 ** (place % _GROUP_DIGITS)
    return weights
