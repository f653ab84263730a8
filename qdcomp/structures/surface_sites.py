"""Where ligands sit on a slab: an A site, and the X that leaves with its ligand.

A ligand and its counterion come and go together. Each A site of the surface is given one of the
nearest X of the outermost plane of its side, or of the plane below where that has too few, each X
to one A at most, so that the sum of the distances is smallest; of X equally near the one further
along the diagonal of the cell is taken, the same way for every site, so that the pairs repeat as
the surface does. In a slab so thin that both sides share their outermost A, these belong to the
upper side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from qdcomp.errors import InputError
from qdcomp.structures.bulk import A_ELEMENTS, X_ELEMENTS

PLANE_ANGSTROM = 1.5
"""Atoms less than this below the outermost one of their kind are on the surface [Å]."""

A_DEPTH_ANGSTROM = 2.5
"""An A site lies at most this below the outermost X: deeper ones are buried, as under PbBr2 [Å]."""

X_DEPTH_ANGSTROM = 4.0
"""X less than this below the outermost A may leave with it [Å]."""

TIE_WEIGHT = 1e-3
"""Weight of the direction against the distance, both in Å: it decides between equals alone."""


@dataclass(frozen=True, eq=False)
class SurfaceSite:
    """An A site that a ligand may take.

    Attributes
    ----------
    name
        ``A1``, ``A2``, … on the upper side, ``B1``, … on the lower.
    side
        ``top`` or ``bottom``.
    cation
        Number of its A atom in the slab.
    anion
        Number of the X atom that leaves with its ligand.
    position
        Where the A atom is [Å], shape ``(3,)``.
    normal
        Outward normal, shape ``(3,)``.
    """

    name: str
    side: Literal["top", "bottom"]
    cation: int
    anion: int
    position: NDArray[np.float64]
    normal: NDArray[np.float64]


def find_surface_sites(atoms: Atoms, sides: Literal["both", "one"]) -> tuple[SurfaceSite, ...]:
    """Find the A sites of the upper side, or of both, with the X that belongs to each.

    Raises
    ------
    InputError
        A side has fewer X than A.
    """
    upper = _find_side(atoms, "top", frozenset())
    taken = frozenset(index for site in upper for index in (site.cation, site.anion))
    return upper if sides == "one" else (*upper, *_find_side(atoms, "bottom", taken))


def _find_side(
    atoms: Atoms, side: Literal["top", "bottom"], taken: frozenset[int]
) -> tuple[SurfaceSite, ...]:
    sign = 1.0 if side == "top" else -1.0
    symbols = np.array(atoms.get_chemical_symbols())
    height = sign * atoms.positions[:, 2]
    free = ~np.isin(np.arange(len(atoms)), list(taken))
    cations = np.flatnonzero(np.isin(symbols, A_ELEMENTS))
    cations = cations[height[cations] > height[cations].max(initial=-np.inf) - PLANE_ANGSTROM]
    # A plane that lies deeper than the outermost X belongs to the inside: there is no A site.
    outermost_x = height[np.isin(symbols, X_ELEMENTS)].max(initial=-np.inf)
    cations = cations[height[cations] > outermost_x - A_DEPTH_ANGSTROM]
    cations = cations[free[cations]]
    if len(cations) == 0:
        return ()
    anions = np.flatnonzero(np.isin(symbols, X_ELEMENTS) & free)
    anions = anions[height[anions] > height[cations].max() - X_DEPTH_ANGSTROM]
    outermost = anions[height[anions] > height[anions].max(initial=-np.inf) - PLANE_ANGSTROM]
    if len(outermost) >= len(cations):
        anions = outermost
    if len(anions) < len(cations):
        raise InputError(
            f"the {side} of the slab has {len(cations)} A sites and {len(anions)} X to leave with "
            "their ligands; choose another termination"
        )
    scaled = np.round(atoms.get_scaled_positions()[cations, :2], 4) % 1.0
    cations = cations[np.lexsort((scaled[:, 0], scaled[:, 1]))]
    partners = _pair(atoms, cations, anions)
    letter = "A" if side == "top" else "B"
    normal = np.array([0.0, 0.0, sign])
    return tuple(
        SurfaceSite(
            f"{letter}{number}", side, int(cation), int(anion), atoms.positions[cation], normal
        )
        for number, (cation, anion) in enumerate(zip(cations, partners, strict=True), start=1)
    )


def _pair(atoms: Atoms, cations: NDArray[np.int64], anions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Anion of each cation: nearest, one to one, equals decided by direction."""
    diagonal = atoms.cell[0] / np.linalg.norm(atoms.cell[0])
    diagonal = diagonal + 0.5 * atoms.cell[1] / np.linalg.norm(atoms.cell[1])
    cost = np.empty((len(cations), len(anions)))
    for row, cation in enumerate(cations):
        vectors = atoms.get_distances(int(cation), anions, mic=True, vector=True)
        distances = np.linalg.norm(vectors, axis=1)
        cost[row] = np.round(distances, 3) - TIE_WEIGHT * (vectors @ diagonal)
    rows, columns = linear_sum_assignment(cost)
    return np.asarray(anions[columns[np.argsort(rows)]])
