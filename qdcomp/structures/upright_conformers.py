"""Conformers of a ligand that stand on a surface: every tail leads away from it.

The lowest conformer of a free ligand may be folded, and the two tails of a quaternary ammonium
point in opposite directions when all-trans. Here chains are set to trans, then trans and both
gauche are tried for the bonds near the head, all combinations. Those in which the heavy atoms lie
above the head and near one line, without strain and without contacts, are relaxed alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qdcomp.structures.placement_crowding import (
    COLUMN_EV_PER_A2,
    Crowd,
    Stand,
    Surroundings,
)
from qdcomp.structures.placement_geometry import (
    JointedLigand,
    bend_joints,
    joint_ligand,
    measure_dihedrals,
)
from qdcomp.structures.placement_potential import (
    REPULSION_EV,
    compute_strain,
    find_contact_radii,
)

if TYPE_CHECKING:
    from qdcomp.structures.ligands import Ligand

WANTED = 4
"""Conformers that are kept."""

TRIED_DEPTH = 2
"""Bonds up to this many bonds from the head are tried in all three positions."""

TRIED_JOINTS = 7
"""No more bonds than these are tried together: 3⁷ combinations."""

NARROWNESS = 8.0
"""Weight of the distance from the line, against one ligand alone on a surface: in a full layer a
neighbour begins where the column of the ligand ends."""

RELAXED_PER_WANTED = 2
"""Conformers that are relaxed for each that is wanted."""

RELAXATION_STEPS = 100
"""Steps of each relaxation."""

BELOW_EV_PER_A2 = 0.5
"""Price of a heavy atom below the head [eV/Å²] …"""

BELOW_ANGSTROM = 1.6
"""… by more than the length of a bond [Å], which the methyl groups of a quaternary head need."""

SAME_ANGSTROM = 0.3
"""Conformers whose atoms all agree within this distance [Å] are the same."""


@dataclass(frozen=True, eq=False)
class UprightLigand:
    """A ligand and its conformers that stand on a surface, the best first.

    Attributes
    ----------
    ligand
        The ligand with its joints.
    angles
        Angles about the joints [rad], shape ``(n_conformers, n_joints)``.
    frames
        Turn each conformer upright, along +z, shape ``(n_conformers, 3, 3)``.
    heights
        Height above the head [Å], shape ``(n_conformers,)``.
    """

    ligand: JointedLigand
    angles: NDArray[np.float64]
    frames: NDArray[np.float64]
    heights: NDArray[np.float64]


@lru_cache(maxsize=32)
def find_upright_conformers(ligand: Ligand, wanted: int = WANTED) -> UprightLigand:
    """Find conformers that stand along +z on their head.

    Parameters
    ----------
    ligand
        The ligand in any conformer.
    wanted
        How many at most.
    """
    jointed = joint_ligand(ligand)
    angles = _choose(jointed, _list_angles(jointed), RELAXED_PER_WANTED * wanted)
    relaxed = np.array([_relax(jointed, row) for row in angles])
    chosen = _choose(jointed, relaxed, wanted)
    frames = _find_frames(jointed, bend_joints(jointed, chosen))
    points = bend_joints(jointed, chosen) @ frames.transpose(0, 2, 1)
    return UprightLigand(jointed, chosen, frames, points[:, :, 2].max(axis=1))


def measure_upright_length(ligand: Ligand) -> float:
    """Height of a ligand above its head when it stands on a surface [Å], for `vacuum_for`.

    A folded conformer is shorter than that.
    """
    return float(find_upright_conformers(ligand).heights[0])


def _choose(ligand: JointedLigand, angles: NDArray[np.float64], wanted: int) -> NDArray[np.float64]:
    """Take the best conformers that differ, the best first."""
    points = bend_joints(ligand, angles)
    upright = points @ _find_frames(ligand, points).transpose(0, 2, 1)
    order = np.argsort(np.round(_score(ligand, upright), 6), kind="stable")
    chosen: list[int] = []
    for index in order.tolist():
        differences = np.abs(upright[chosen] - upright[index])
        if (differences.max(axis=(1, 2)) > SAME_ANGSTROM).all():
            chosen.append(index)
        if len(chosen) == wanted:
            break
    return angles[chosen]


def _relax(ligand: JointedLigand, angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn the joints of a ligand that stands alone in a narrow column."""
    frames = _find_frames(ligand, bend_joints(ligand, angles[None]))
    up = np.array([[0.0, 0.0, 1.0]])
    stand = Stand(ligand, np.zeros((1, 3)), up, frames, angles[None])
    nothing = Surroundings(np.empty(0, dtype=np.int64), np.empty((0, 3)))
    crowd = Crowd([stand], nothing)
    crowd.column = NARROWNESS
    return crowd.minimise(crowd.start(), RELAXATION_STEPS)[6:]


def _list_angles(ligand: JointedLigand) -> NDArray[np.float64]:
    """Angles about the joints: as given, and trans with all combinations near the head [rad]."""
    given = measure_dihedrals(ligand.positions[None], ligand.dihedrals)[0]
    shaping = ligand.threefold & ligand.chain
    straight = np.where(shaping & (ligand.depth > 0), np.pi - given, 0.0)
    tried = np.flatnonzero(shaping & (ligand.depth <= TRIED_DEPTH))
    tried = tried[np.argsort(ligand.depth[tried], kind="stable")][:TRIED_JOINTS]
    steps = np.array(list(product((0.0, 1.0, -1.0), repeat=len(tried)))) * (2 * np.pi / 3)
    angles = np.tile(straight, (len(steps) + 1, 1))
    angles[:-1, tried] += steps.reshape(len(steps), len(tried))
    angles[-1] = 0.0
    return angles


def _find_frames(ligand: JointedLigand, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find turns that make the line through the head that fits the heavy atoms best +z."""
    bones = points[:, ligand.heavy]
    if ligand.heavy.sum() < 2:
        return np.tile(np.eye(3), (len(points), 1, 1))
    _, _, axes = np.linalg.svd(bones, full_matrices=True)
    # SVD leaves signs open: the tail points up, and the two other axes complete a right hand
    signs = np.sign((bones @ axes[:, 0, :, None])[:, :, 0].sum(axis=1))
    z = axes[:, 0] * np.where(signs == 0, 1.0, signs)[:, None]
    x = axes[:, 1]
    return np.stack([x, np.cross(z, x), z], axis=1)


def _score(ligand: JointedLigand, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Energy of each pose as part of a crowd [eV], shape ``(n_poses,)``."""
    bones = points[:, ligand.heavy]
    spread = (bones[:, :, :2] ** 2).sum(axis=(1, 2))
    below = np.maximum(-bones[:, :, 2] - BELOW_ANGSTROM, 0.0)
    scores = compute_strain(ligand, points)[0]
    scores += NARROWNESS * COLUMN_EV_PER_A2 / 2 * spread
    scores += BELOW_EV_PER_A2 * (below**2).sum(axis=1)
    radii = find_contact_radii(ligand.numbers)
    first, second = ligand.far.T
    sigma2 = (radii[first] + radii[second]) ** 2
    squared = ((points[:, first] - points[:, second]) ** 2).sum(axis=-1)
    overlap = np.maximum(1 - squared / sigma2, 0.0)
    total: NDArray[np.float64] = scores + REPULSION_EV * (overlap**2).sum(axis=1)
    return total
