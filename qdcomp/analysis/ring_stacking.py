"""Aromatic rings of ligands and how they stand to each other.

Of two rings with centroids a distance vector d apart and unit normals n₁, n₂:

    centroid distance |d|,   plane angle arccos |n₁·n₂|,
    plane distance max_i |d·n_i|,   offset √(d² − plane distance²)

so the offset is the parallel displacement, measured from the ring that faces the other more. Two
rings count as a pair up to 7 Å, the outer end of the aromatic pairs of Burley and Petsko (Science
229, 23, 1985). Names follow the stationary points of the benzene dimer (Sinnokrot and Sherrill, J.
Phys. Chem. A 108, 10200, 2004: sandwich at offset 0 and parallel displaced at 1.6 Å, T-shaped at
90°), with the limits between them set here (`STACKING_LIMITS`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.analysis.molecular_graph import Lattice, LigandMolecule, find_six_rings

MAXIMUM_CENTROID_ANGSTROM = 7.0
"""Centroid distance up to which two rings are a pair [Å]."""

PARALLEL_DEGREES = 30.0
"""Plane angle below which rings are parallel."""

PERPENDICULAR_DEGREES = 60.0
"""Plane angle above which they are perpendicular; between the two they are tilted."""

FACE_OFFSET_ANGSTROM = 0.8
"""Offset below which parallel rings are face to face [Å], half that of parallel displaced."""

OVERLAP_OFFSET_ANGSTROM = 2.8
"""Offset beyond which rings of radius 1.4 Å do not overlap, seen along the normal [Å]."""

PLANARITY_ANGSTROM = 0.1
"""Root mean square distance from its plane up to which a ring is planar [Å]."""

STACKING_LIMITS = (
    f"centroids within {MAXIMUM_CENTROID_ANGSTROM:g} Å; parallel below {PARALLEL_DEGREES:g}°, "
    f"T-shaped above {PERPENDICULAR_DEGREES:g}°, tilted between; face-to-face below an offset of "
    f"{FACE_OFFSET_ANGSTROM:g} Å, parallel displaced up to {OVERLAP_OFFSET_ANGSTROM:g} Å; beyond "
    "it side by side, whatever the angle"
)
"""The limits of the classification in words."""


@dataclass(frozen=True, eq=False)
class AromaticRing:
    """A planar ring of six atoms, none with more than three bonds.

    Attributes
    ----------
    ligand
        Number of its ligand.
    atoms
        Its atoms in the structure, around the ring.
    centroid, normal
        Centre [Å] and unit normal, shape ``(3,)``.
    planarity_angstrom
        Root mean square distance of its atoms from their plane [Å].
    """

    ligand: int
    atoms: tuple[int, ...]
    centroid: NDArray[np.float64]
    normal: NDArray[np.float64]
    planarity_angstrom: float


@dataclass(frozen=True)
class RingPair:
    """Two rings of different ligands, or of a ligand and its periodic image.

    Attributes
    ----------
    first, second
        The rings, as numbers in the list of rings.
    ligands
        Their ligands.
    translation
        Cells by which the second is moved.
    centroid_distance_angstrom
        Distance of the centroids [Å].
    plane_angle_deg
        Angle between the planes, 0 to 90 [degrees].
    plane_distance_angstrom, offset_angstrom
        Components of the centroid distance along and across the normal of the ring that faces the
        other more [Å].
    arrangement
        ``face-to-face``, ``parallel displaced``, ``T-shaped``, ``tilted`` or ``side by side``.
    """

    first: int
    second: int
    ligands: tuple[int, int]
    translation: tuple[int, int, int]
    centroid_distance_angstrom: float
    plane_angle_deg: float
    plane_distance_angstrom: float
    offset_angstrom: float
    arrangement: str


def find_aromatic_rings(ligands: Sequence[LigandMolecule]) -> tuple[AromaticRing, ...]:
    """Find planar six-membered rings whose atoms have at most three bonds."""
    rings = []
    for ligand in ligands:
        for cycle in find_six_rings(ligand.neighbours):
            if any(len(ligand.neighbours[atom]) > 3 for atom in cycle):
                continue
            centroid, normal, planarity = _fit_plane(ligand.positions[list(cycle)])
            if planarity > PLANARITY_ANGSTROM:
                continue
            atoms = tuple(int(ligand.atoms[atom]) for atom in cycle)
            rings.append(AromaticRing(ligand.number, atoms, centroid, normal, planarity))
    return tuple(rings)


def find_ring_pairs(rings: Sequence[AromaticRing], lattice: Lattice) -> tuple[RingPair, ...]:
    """List pairs of rings, nearest first; each periodic image that is near enough is one."""
    if not rings:
        return ()
    centroids = np.array([ring.centroid for ring in rings])
    spread = float(np.linalg.norm(np.ptp(centroids, axis=0)))
    translations = lattice.list_translations(MAXIMUM_CENTROID_ANGSTROM + spread)
    pairs = []
    for first, ring in enumerate(rings):
        for second in range(first, len(rings)):
            other = rings[second]
            for cells, shift in translations:
                if (ring.ligand == other.ligand and cells == (0, 0, 0)) or (
                    # Of an image and its opposite, one is enough.
                    first == second and cells < (0, 0, 0)
                ):
                    continue
                difference = other.centroid + shift - ring.centroid
                if np.linalg.norm(difference) <= MAXIMUM_CENTROID_ANGSTROM:
                    pairs.append(_measure(first, second, ring, other, cells, difference))
    return tuple(sorted(pairs, key=lambda pair: pair.centroid_distance_angstrom))


def _fit_plane(
    positions: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Centroid, unit normal, and root mean square distance from the plane [Å]."""
    centroid = positions.mean(axis=0)
    _, spread, axes = np.linalg.svd(positions - centroid)
    return centroid, axes[2], float(spread[2] / np.sqrt(len(positions)))


def _measure(
    first: int,
    second: int,
    ring: AromaticRing,
    other: AromaticRing,
    cells: tuple[int, int, int],
    difference: NDArray[np.float64],
) -> RingPair:
    distance = float(np.linalg.norm(difference))
    cosine = min(1.0, abs(float(ring.normal @ other.normal)))
    angle = float(np.degrees(np.arccos(cosine)))
    plane = max(abs(float(difference @ ring.normal)), abs(float(difference @ other.normal)))
    offset = float(np.sqrt(max(0.0, distance**2 - plane**2)))
    return RingPair(
        first=first,
        second=second,
        ligands=(ring.ligand, other.ligand),
        translation=cells,
        centroid_distance_angstrom=distance,
        plane_angle_deg=angle,
        plane_distance_angstrom=plane,
        offset_angstrom=offset,
        arrangement=classify_stacking(angle, offset),
    )


def classify_stacking(plane_angle_deg: float, offset_angstrom: float) -> str:
    """Name the arrangement of two near rings, by `STACKING_LIMITS`."""
    if offset_angstrom > OVERLAP_OFFSET_ANGSTROM:
        return "side by side"
    if plane_angle_deg > PERPENDICULAR_DEGREES:
        return "T-shaped"
    if plane_angle_deg >= PARALLEL_DEGREES:
        return "tilted"
    return "face-to-face" if offset_angstrom < FACE_OFFSET_ANGSTROM else "parallel displaced"
