"""Finding the lattice of a cubic dot that qdcomp did not build.

The number of B atoms gives the size (n³), their spread gives the lattice constant: n places
spaced a apart have the variance a² (n² − 1) / 12 along each axis. Each atom is then given to the
nearest site of its kind. It works for relaxed dots and for snapshots whose faces lie along x, y
and z.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.structures.bulk import A_ELEMENTS, B_ELEMENTS, LATTICE_CONSTANT_RANGE, X_ELEMENTS
from qdcomp.structures.sites import site_depth_cells

SITE_RADIUS = 0.7
"""Farthest an atom may be from its site [half unit cells]: half the distance of two X sites."""

A_PARITY = ((0, 0, 0),)
B_PARITY = ((1, 1, 1),)
X_PARITY = ((0, 1, 1), (1, 0, 1), (1, 1, 0))


@dataclass(frozen=True)
class RecognisedDot:
    """Lattice found under a cubic dot.

    Attributes
    ----------
    cells
        Unit cells along the edge.
    lattice_constant
        Mean distance of neighbouring B atoms along the axes [Å].
    depth_cells
        Depth of each atom's site below the surface [unit cells], shape ``(n_atoms,)``; NaN for
        an atom on no site.
    """

    cells: int
    lattice_constant: float
    depth_cells: NDArray[np.float64]


def recognise_dot(symbols: Sequence[str], positions: NDArray[np.float64]) -> RecognisedDot | None:
    """Find size, lattice constant and depths of a cubic dot; None where it is none.

    Parameters
    ----------
    symbols
        Element symbols, ``n_atoms`` of them.
    positions
        Cartesian coordinates [Å], shape ``(n_atoms, 3)``, faces along x, y and z.
    """
    elements = np.array(symbols)
    is_b, is_x = np.isin(elements, B_ELEMENTS), np.isin(elements, X_ELEMENTS)
    cells = round(int(is_b.sum()) ** (1 / 3))
    if cells == 0 or cells**3 != is_b.sum() or is_x.sum() < 6:
        return None
    centre = positions[is_b].mean(axis=0)
    if cells == 1:
        bonds = np.sort(np.linalg.norm(positions[is_x] - centre, axis=1))[:6]
        lattice_constant = 2 * float(bonds.mean())
    else:
        variance = float(positions[is_b].var(axis=0).mean())
        lattice_constant = float(np.sqrt(12 * variance / (cells**2 - 1)))
    if not LATTICE_CONSTANT_RANGE[0] <= lattice_constant <= LATTICE_CONSTANT_RANGE[1]:
        return None
    half_cells = (positions - centre) / (lattice_constant / 2) + cells
    depth = np.full(len(elements), np.nan)
    kinds = ((np.isin(elements, A_ELEMENTS), A_PARITY), (is_b, B_PARITY), (is_x, X_PARITY))
    for members, parities in kinds:
        depth[members] = _depth_of_nearest(half_cells[members], cells, parities)
    if np.isnan(depth[is_b]).any():
        return None
    return RecognisedDot(cells, lattice_constant, depth)


def _depth_of_nearest(
    half_cells: NDArray[np.float64], cells: int, parities: Sequence[tuple[int, int, int]]
) -> NDArray[np.float64]:
    """Depth of the nearest site, NaN where there is none near or two atoms claim it."""
    offsets = np.array(parities)[:, None, :]
    candidates = (2 * np.rint((half_cells[None] - offsets) / 2) + offsets).astype(np.int64)
    distances = np.linalg.norm(candidates - half_cells[None], axis=-1)
    nearest = distances.argmin(axis=0)
    atoms = np.arange(len(half_cells))
    sites = candidates[nearest, atoms]
    found = (distances[nearest, atoms] < SITE_RADIUS) & ((sites >= 0) & (sites <= 2 * cells)).all(1)
    _, which, claims = np.unique(sites, axis=0, return_inverse=True, return_counts=True)
    found &= claims[which.reshape(-1)] == 1
    return np.where(found, site_depth_cells(sites, cells), np.nan)
