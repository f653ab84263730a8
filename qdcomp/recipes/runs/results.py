"""Frozen dataclasses of results, to HDF5 and back.

Arrays become datasets; numbers and texts, attributes; nested dataclasses, mappings and tuples,
groups. What is None is absent from the file. Other programs read it with any HDF5 library.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import h5py
import numpy as np

from qdcomp.errors import StoreError
from qdcomp.hdf5_references import find_outside_reference

Result = TypeVar("Result")

_KIND = "qdcomp_result"


def save_result(path: Path, result: Any) -> None:
    """Write a frozen dataclass to an HDF5 file, in one step: the file is whole or not there.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    partial = path.with_suffix(".partial")
    try:
        with h5py.File(partial, "w") as file:
            file.attrs[_KIND] = type(result).__name__
            _write_fields(file, result)
        partial.replace(path)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error}; is the disk full?") from error


def load_result(path: Path, kind: type[Result]) -> Result:
    """Read a dataclass that `save_result` wrote.

    Raises
    ------
    StoreError
        If the file is missing, damaged, or holds another kind of result.
    """
    try:
        with h5py.File(path, "r") as file:
            reference = find_outside_reference(file)
            if reference:
                raise StoreError(
                    f"{path}: {reference}, and a result of qdcomp holds all of its numbers itself. "
                    "Remove it, and qdcomp resume makes it again"
                )
            found = file.attrs.get(_KIND)
            if found != kind.__name__:
                raise StoreError(f"{path} holds {found or 'no result'}, not {kind.__name__}")
            return _read_fields(file, kind)
    except (OSError, KeyError, RuntimeError) as error:
        raise StoreError(
            f"cannot read {path}: {error}. Remove it, and qdcomp resume makes it again"
        ) from error


def _write_fields(group: h5py.Group, result: Any) -> None:
    for entry in dataclasses.fields(result):
        _write_value(group, entry.name, getattr(result, entry.name))


def _write_value(group: h5py.Group, name: str, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, np.ndarray):
        group.create_dataset(name, data=value)
    elif isinstance(value, str | bool | int | float | np.generic):
        group.attrs[name] = value
    elif dataclasses.is_dataclass(value):
        _write_fields(group.create_group(name), value)
    elif isinstance(value, Mapping):
        subgroup = group.create_group(name, track_order=True)
        for key, item in value.items():
            _write_value(subgroup, key, item)
    else:
        subgroup = group.create_group(name)
        subgroup.attrs["length"] = len(value)
        for index, item in enumerate(value):
            _write_value(subgroup, str(index), item)


def _read_fields(group: h5py.Group, kind: type[Result]) -> Result:
    hints = get_type_hints(kind)
    values = {
        entry.name: _read_value(group, entry.name, hints[entry.name])
        for entry in dataclasses.fields(kind)  # type: ignore[arg-type]
    }
    return kind(**values)


def _read_value(group: h5py.Group, name: str, hint: Any) -> Any:
    if name not in group and name not in group.attrs:
        if _strip_optional(hint) is hint:
            raise KeyError(f"{name} is not there: the file is of another version of qdcomp")
        return None
    hint = _strip_optional(hint)
    origin = get_origin(hint) or hint
    if name in group.attrs:
        return hint(group.attrs[name]) if hint in (str, bool, int, float) else group.attrs[name]
    if isinstance(group[name], h5py.Dataset):
        return group[name][()]
    if dataclasses.is_dataclass(origin):
        return _read_fields(group[name], origin)  # type: ignore[arg-type]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        item_hint = get_args(hint)[1]
        keys = [*group[name], *group[name].attrs]
        return {key: _read_value(group[name], key, item_hint) for key in keys}
    item_hints = get_args(hint)
    length = int(group[name].attrs["length"])
    if len(item_hints) != length or item_hints[-1] is Ellipsis:
        item_hints = (item_hints[0],) * length
    return tuple(
        _read_value(group[name], str(index), item) for index, item in enumerate(item_hints)
    )


def _strip_optional(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        return next(choice for choice in get_args(hint) if choice is not type(None))
    return hint
