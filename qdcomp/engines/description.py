"""Whether the description of a job that was read from its directory can be one.

What a damaged file says may still be JSON of the right names. It is refused where it is read, not
where a template or an array trips over it later.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

_PLAIN = {int, float, bool, str, NoneType}


def check_plain_fields(record: Any) -> None:
    """Check that the fields of a dataclass that are to be plain values are such.

    Raises
    ------
    ValueError
        One is not of its type, or not finite.
    """
    for name, hint in get_type_hints(type(record)).items():
        value = getattr(record, name)
        if get_origin(hint) is Literal:
            if value not in get_args(hint):
                raise ValueError(f"{name} is {value!r}")
            continue
        allowed = set(get_args(hint)) if isinstance(hint, UnionType) else {hint}
        if not allowed <= _PLAIN:
            continue
        whole = float in allowed and type(value) is int
        if type(value) not in allowed and not whole:
            raise ValueError(f"{name} is {value!r}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{name} is {value}")


def check_geometry(
    symbols: tuple[str, ...],
    positions: NDArray[np.float64],
    velocities: NDArray[np.float64] | None,
    cell: NDArray[np.float64],
    origin: tuple[float, ...],
) -> None:
    """Check that atoms, coordinates and cell belong together.

    Raises
    ------
    ValueError
        Their shapes do not fit, a number is none, or a symbol is that of no element.
    """
    unknown = [symbol for symbol in symbols if symbol not in atomic_numbers]
    if unknown:
        raise ValueError(f"no element is called {unknown[0]!r}")
    shape = (len(symbols), 3)
    for name, values in (("positions", positions), ("velocities", velocities)):
        if values is not None and (values.shape != shape or not np.isfinite(values).all()):
            raise ValueError(f"{name} are not three numbers for each of {len(symbols)} atoms")
    if cell.shape != (3, 3) or not np.isfinite(cell).all() or not abs(np.linalg.det(cell)) > 0:
        raise ValueError("the cell vectors span no volume")
    if len(origin) != 3 or not np.isfinite(np.array(origin, dtype=np.float64)).all():
        raise ValueError(f"origin is {origin}")


def check_numbers(name: str, numbers: Collection[Any], lowest: int, highest: int) -> None:
    """Check that all of some numbers are whole and in a range.

    Raises
    ------
    ValueError
        One is not.
    """
    wrong = [n for n in numbers if type(n) is not int or not lowest <= n <= highest]
    if wrong:
        raise ValueError(f"{name}: {wrong[0]!r} is no whole number from {lowest} to {highest}")
