"""Lattice sites of a cubic dot, AX-terminated, in whole numbers.

Sites are counted in half unit cells from one corner of the dot, 0 … 2n along each axis: A sites
have three even numbers, B sites three odd ones, X sites one even and two odd. A dot of n cells
has (n+1)³ A, n³ B and 3n²(n+1) X sites (PHYSICS.md, section 1).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError

MAX_CELLS = 100
"""Largest dot that is built: 59 nm and five million atoms. More is taken for a mistake."""


@dataclass(frozen=True)
class DotSites:
    """Sites of a cubic dot in half unit cells from one corner, integer arrays ``(n_sites, 3)``.

    Attributes
    ----------
    a, b, x
        A, B and X sites, each in lexicographic order.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    x: NDArray[np.int64]


def check_whole_number(name: str, value: object, expected: str) -> int:
    """Return a whole number as an int; booleans and floats such as 3.0 are not taken for one.

    Raises
    ------
    InputError
        If it is none; ``expected`` ends the sentence that says what to give.
    """
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise InputError(f"{name} = {value!r}: expected {expected}") from None


def check_cells(cells: int) -> int:
    """Return the number of unit cells along the edge as an int.

    Raises
    ------
    InputError
        If it is not a whole number from 1 to `MAX_CELLS`.
    """
    expected = (
        f"a whole number of unit cells along the edge, 1 to {MAX_CELLS} (3 is the 1.8 nm dot, "
        "7 the 4.2 nm one)"
    )
    number = check_whole_number("cells", cells, expected)
    if not 1 <= number <= MAX_CELLS:
        raise InputError(f"cells = {number}: expected {expected}")
    return number


def check_half_cells(name: str, thickness_cells: float) -> float:
    """Return a thickness in unit cells, which is a positive multiple of one half.

    Raises
    ------
    InputError
        If it is not.
    """
    try:
        thickness = float(thickness_cells)
    except (TypeError, ValueError):
        thickness = float("nan")
    if not (thickness > 0 and (2 * thickness).is_integer()):
        raise InputError(
            f"{name} = {thickness_cells!r}: expected a positive multiple of 0.5 unit cells "
            "(0.5 is one atomic layer: 0.5, 1, 1.5, 2 …)"
        )
    return thickness


def cut_dot(cells: int) -> DotSites:
    """Sites of the full AX-terminated cube of ``cells`` unit cells, corners included.

    Raises
    ------
    InputError
        If ``cells`` is not a whole number from 1 to `MAX_CELLS`.
    """
    number = check_cells(cells)
    even = np.arange(0, 2 * number + 1, 2)
    odd = np.arange(1, 2 * number, 2)
    x_sites = np.concatenate([_grid(even, odd, odd), _grid(odd, even, odd), _grid(odd, odd, even)])
    order = np.lexsort(x_sites.T[::-1])
    return DotSites(_grid(even, even, even), _grid(odd, odd, odd), x_sites[order])


def _grid(*axes: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def site_depth_cells(sites: NDArray[np.int64], cells: int) -> NDArray[np.float64]:
    """Depth of sites below the nearest face [unit cells], shape ``(n_sites,)``.

    Parameters
    ----------
    sites
        Half unit cells from one corner, shape ``(n_sites, 3)``.
    cells
        Unit cells along the edge.
    """
    depth: NDArray[np.float64] = np.minimum(sites, 2 * cells - sites).min(axis=1) / 2
    return depth


def count_open_directions(sites: NDArray[np.int64], cells: int) -> NDArray[np.int64]:
    """Count the faces each site lies on: 3 at a corner, 2 on an edge, 1 in a face, 0 inside."""
    count: NDArray[np.int64] = ((sites == 0) | (sites == 2 * cells)).sum(axis=1)
    return count
