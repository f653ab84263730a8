"""Results as JSON that every reader accepts: no NaN, no infinity, nothing to import."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import date
from pathlib import PurePath
from typing import Any

import numpy as np

LONGEST_ARRAY = 128
"""Longer arrays stay in the files of the run and in ``figures/*.csv``; their shape is given."""


def write_json(value: Any, *, indent: int | None = 2) -> str:
    """JSON text of a value that `to_plain` understands; NaN and infinity become null."""
    plain = to_plain(value)
    return json.dumps(plain, indent=indent, allow_nan=False, ensure_ascii=False)


def to_plain(value: Any, *, longest_array: int | None = None) -> Any:
    """Dataclasses, mappings, arrays, paths and dates as plain dicts, lists, texts and numbers.

    Parameters
    ----------
    value
        What to convert; what is none of these becomes its text.
    longest_array
        Arrays with more numbers are given as ``{"omitted_array_of_shape": […]}``.
    """
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float | np.generic):
        return _number(value)
    if isinstance(value, np.ndarray):
        if longest_array is not None and value.size > longest_array:
            return {"omitted_array_of_shape": list(value.shape)}
        return to_plain(value.tolist())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]
        return {name: to_plain(item, longest_array=longest_array) for name, item in pairs}
    if isinstance(value, Mapping):
        return {str(k): to_plain(item, longest_array=longest_array) for k, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_plain(item, longest_array=longest_array) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return value.as_posix() if isinstance(value, PurePath) else str(value)


def _number(value: float | np.generic) -> Any:
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and not np.isfinite(plain):
        return None
    return plain if isinstance(plain, bool | int | float | str) else str(plain)
