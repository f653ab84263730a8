"""Arrays of numpy's ``.npy`` and ``.npz`` files, read piece by piece, compressed or not."""

from __future__ import annotations

import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import ParseError
from qdcomp.experiment.files.table_columns import CONSTANTS, TIMES, Columns, find_column

# What the parsers of zip archives and array headers raise on damaged files.
_DAMAGE = (
    ArithmeticError,
    EOFError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OSError,
    RecursionError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


def open_npy_columns(path: Path) -> Columns:
    """Read the header of a ``.npy`` of arrival times.

    Raises
    ------
    ParseError
        If it is cut, or no list of numbers.
    """
    with _report_damage(path), path.open("rb") as file:
        kind, shape = _read_header(file)
        _check_list(path, "array", kind, shape)
        if path.stat().st_size - file.tell() < shape[0] * kind.itemsize:
            raise ParseError(f"it is cut: not all of its {shape[0]} numbers are there", path)
    return Columns({TIMES: kind}, {}, partial(_read_npy, path))


def open_npz_columns(path: Path) -> Columns:
    """Read the headers of the arrays in a ``.npz``.

    Raises
    ------
    ParseError
        If it is damaged, its columns are no lists of numbers or differ in length.
    """
    kinds: dict[str, np.dtype[Any]] = {}
    constants: dict[str, float] = {}
    members: dict[str, str] = {}
    lengths: dict[str, int] = {}
    with _report_damage(path), zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            name = member.removesuffix(".npy")
            column = find_column(name)
            if column is None and name not in CONSTANTS:
                continue
            with archive.open(member) as file:
                kind, shape = _read_header(file)
                if column is None:
                    constants[name] = _read_constant(path, name, file, kind, shape)
                    continue
            _check_list(path, name, kind, shape)
            kinds[column], members[column], lengths[column] = kind, member, shape[0]
    if len(set(lengths.values())) > 1:
        raise ParseError(f"its columns differ in length: {lengths}", path)
    return Columns(kinds, constants, partial(_read_npz, path, members))


@contextmanager
def _report_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise ParseError(f"it is damaged, {str(error)[:100]}; write it anew", path) from error


def _read_header(file: IO[bytes]) -> tuple[np.dtype[Any], tuple[int, ...]]:
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, _, kind = read(file)
    return kind, shape


def _check_list(path: Path, name: str, kind: np.dtype[Any], shape: tuple[int, ...]) -> None:
    if len(shape) != 1 or shape[0] < 0 or kind.kind not in "iuf" or kind.itemsize > 8:
        raise ParseError(
            f"its {name} has shape {shape} and type {kind}, expected a list of numbers; put "
            "several columns under their names into a .npz",
            path,
        )


def _read_constant(
    path: Path, name: str, file: IO[bytes], kind: np.dtype[Any], shape: tuple[int, ...]
) -> float:
    if math.prod(shape) != 1 or kind.kind not in "iuf" or kind.itemsize > 8:
        raise ParseError(f"its {name} has shape {shape} and type {kind}, expected a number", path)
    return float(np.frombuffer(file.read(kind.itemsize), kind)[0])


def _read_npy(path: Path, rows: int) -> Iterator[dict[str, NDArray[Any]]]:
    with _report_damage(path), path.open("rb") as file:
        kind, shape = _read_header(file)
        for start in range(0, shape[0], rows):
            yield {TIMES: _read_numbers(file, kind, min(rows, shape[0] - start))}


def _read_npz(path: Path, members: dict[str, str], rows: int) -> Iterator[dict[str, NDArray[Any]]]:
    with _report_damage(path), zipfile.ZipFile(path) as archive, ExitStack() as stack:
        files = {c: stack.enter_context(archive.open(m)) for c, m in members.items()}
        headers = {column: _read_header(file) for column, file in files.items()}
        length = min(shape[0] for _, shape in headers.values())
        for start in range(0, length, rows):
            count = min(rows, length - start)
            yield {c: _read_numbers(files[c], kind, count) for c, (kind, _) in headers.items()}


def _read_numbers(file: IO[bytes], kind: np.dtype[Any], count: int) -> NDArray[Any]:
    # In steps, since a read of an absurd length would set that much memory aside first.
    wanted, pieces = count * kind.itemsize, []
    while wanted:
        piece = file.read(min(wanted, 2**20))
        if not piece:
            raise EOFError("it ends before its last number")
        pieces.append(piece)
        wanted -= len(piece)
    return np.frombuffer(b"".join(pieces), kind)
