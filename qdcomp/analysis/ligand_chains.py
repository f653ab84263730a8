"""Tails of ligands: how many, how dense, how tilted, how far apart.

A chain is a piece of carbon skeleton of at least two atoms that hangs on the rest of its ligand by
one carbon: PEA has one, didodecyldimethylammonium two (its methyls are none), oleate one, and the
spacer between two charged groups of a zwitterion is none. Its axis is the long principal axis of
its carbons, from where it hangs outwards; of a chain of fewer than four carbons in a row, the
vector from where it hangs to the mean of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.analysis.molecular_graph import Lattice, LigandMolecule

MINIMUM_CARBONS = 2
"""Carbons of a chain; a methyl is none."""

AXIS_BONDS = 3
"""Bonds from the first to the last carbon from which the principal axis is that of the chain."""

NEIGHBOUR_ANGSTROM = 7.0
"""Axis distance up to which two chains are listed as neighbours [Å]; crystalline alkane chains are
4.4 to 4.9 Å apart."""

CRYSTALLINE_CHAINS_PER_NM2 = 4.9
"""Density of crystalline alkane chains (PHYSICS.md section 6) [1/nm²]."""


@dataclass(frozen=True, eq=False)
class LigandChain:
    """A tail of a ligand.

    Attributes
    ----------
    ligand
        Number of its ligand.
    side
        ``top``, ``bottom``, or ``none`` where there is no surface.
    first, last
        Carbon that it hangs by and the farthest from it along the bonds, in the structure.
    carbons
        Number of its carbons.
    length_angstrom
        Distance of the first from the last [Å].
    centroid, axis
        Centre of its carbons [Å] and unit vector outwards, shape ``(3,)``.
    tilt_deg
        Angle of the axis with the outward surface normal, 0 to 180 [degrees]; None without one.
    """

    ligand: int
    side: str
    first: int
    last: int
    carbons: int
    length_angstrom: float
    centroid: NDArray[np.float64]
    axis: NDArray[np.float64]
    tilt_deg: float | None


@dataclass(frozen=True)
class ChainPair:
    """Two chains beside each other on one side of the slab, of one ligand or of two.

    Attributes
    ----------
    first, second
        The chains, as numbers in the list of chains.
    ligands
        Their ligands.
    translation
        Cells by which the second is moved.
    axis_distance_angstrom
        Distance of their centres across the mean of their axes [Å].
    axis_angle_deg
        Angle between the axes, 0 to 90 [degrees].
    """

    first: int
    second: int
    ligands: tuple[int, int]
    translation: tuple[int, int, int]
    axis_distance_angstrom: float
    axis_angle_deg: float


def find_chains(
    ligands: Sequence[LigandMolecule], sides: Sequence[str], normal: NDArray[np.float64] | None
) -> tuple[LigandChain, ...]:
    """Find the chains of every ligand.

    Parameters
    ----------
    ligands
        The ligands, each in one piece.
    sides
        Side of each, ``top``, ``bottom`` or ``none``.
    normal
        Outward unit normal of the top, shape ``(3,)``; None where there is no surface.
    """
    return tuple(
        _describe(ligand, side, normal, fragment, first)
        for ligand, side in zip(ligands, sides, strict=True)
        for fragment, first in _list_tails(ligand)
    )


def find_chain_pairs(chains: Sequence[LigandChain], lattice: Lattice) -> tuple[ChainPair, ...]:
    """List chains beside each other, nearest first; each periodic image that is near is one."""
    if not chains:
        return ()
    centroids = np.array([chain.centroid for chain in chains])
    spread = float(np.linalg.norm(np.ptp(centroids, axis=0)))
    longest = max(chain.length_angstrom for chain in chains)
    translations = lattice.list_translations(NEIGHBOUR_ANGSTROM + longest + spread)
    pairs = []
    for first, chain in enumerate(chains):
        for second in range(first, len(chains)):
            if chains[second].side != chain.side:
                continue
            for cells, shift in translations:
                if first == second and cells <= (0, 0, 0):
                    continue
                pair = _measure(first, second, chain, chains[second], cells, shift)
                if pair is not None:
                    pairs.append(pair)
    return tuple(sorted(pairs, key=lambda pair: pair.axis_distance_angstrom))


def _list_tails(ligand: LigandMolecule) -> list[tuple[list[int], int]]:
    """Carbon fragments that hang by one carbon, with that carbon."""
    tails = []
    for fragment in _list_carbon_fragments(ligand):
        hanging = [
            atom
            for atom in fragment
            if any(ligand.symbols[other] not in ("C", "H") for other in ligand.neighbours[atom])
        ]
        if len(fragment) >= MINIMUM_CARBONS and len(hanging) == 1:
            tails.append((fragment, hanging[0]))
    return tails


def _list_carbon_fragments(ligand: LigandMolecule) -> list[list[int]]:
    fragments = []
    unseen = {int(atom) for atom in ligand.carbons}
    while unseen:
        fragment = sorted(_measure_bonds(ligand, min(unseen)))
        fragments.append(fragment)
        unseen -= set(fragment)
    return fragments


def _measure_bonds(ligand: LigandMolecule, start: int) -> dict[int, int]:
    """Bonds from one carbon to every carbon that only carbons lead to."""
    bonds = {start: 0}
    waiting = [start]
    for atom in waiting:
        for other in ligand.neighbours[atom]:
            if ligand.symbols[other] == "C" and other not in bonds:
                bonds[other] = bonds[atom] + 1
                waiting.append(other)
    return bonds


def _describe(
    ligand: LigandMolecule,
    side: str,
    normal: NDArray[np.float64] | None,
    fragment: list[int],
    first: int,
) -> LigandChain:
    bonds = _measure_bonds(ligand, first)
    last = max(fragment, key=lambda atom: bonds[atom])
    positions = ligand.positions[fragment]
    outward = ligand.positions[[atom for atom in fragment if atom != first]].mean(axis=0)
    outward = outward - ligand.positions[first]
    centroid = positions.mean(axis=0)
    axis = outward
    if bonds[last] >= AXIS_BONDS:
        principal = np.linalg.svd(positions - centroid)[2][0]
        axis = principal * np.sign(principal @ outward)
    axis = axis / np.linalg.norm(axis)
    length = float(np.linalg.norm(ligand.positions[last] - ligand.positions[first]))
    return LigandChain(
        ligand=ligand.number,
        side=side,
        first=int(ligand.atoms[first]),
        last=int(ligand.atoms[last]),
        carbons=len(fragment),
        length_angstrom=length,
        centroid=centroid,
        axis=axis,
        tilt_deg=_measure_tilt(axis, side, normal),
    )


def _measure_tilt(
    axis: NDArray[np.float64], side: str, normal: NDArray[np.float64] | None
) -> float | None:
    if normal is None or side == "none":
        return None
    cosine = float(axis @ normal) * (1.0 if side == "top" else -1.0)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def _measure(
    first: int,
    second: int,
    chain: LigandChain,
    other: LigandChain,
    cells: tuple[int, int, int],
    shift: NDArray[np.float64],
) -> ChainPair | None:
    """Return the pair; None if the chains are too far or not beside each other."""
    cosine = float(chain.axis @ other.axis)
    mean = chain.axis + (1.0 if cosine >= 0 else -1.0) * other.axis
    mean = mean / np.linalg.norm(mean)
    difference = other.centroid + shift - chain.centroid
    along = float(difference @ mean)
    across = float(np.linalg.norm(difference - along * mean))
    beside = abs(along) <= 0.5 * (chain.length_angstrom + other.length_angstrom)
    if across > NEIGHBOUR_ANGSTROM or not beside:
        return None
    return ChainPair(
        first=first,
        second=second,
        ligands=(chain.ligand, other.ligand),
        translation=cells,
        axis_distance_angstrom=across,
        axis_angle_deg=float(np.degrees(np.arccos(min(1.0, abs(cosine))))),
    )
