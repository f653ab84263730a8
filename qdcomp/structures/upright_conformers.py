"""Conformers of a ligand that stand on a surface: every tail leads away from it.

The lowest conformer of a free ligand may be folded, and the two tails of a quaternary ammonium
point in opposite directions when all-trans. Here chains are set to trans, then trans and both
gauche are tried for the bonds near the head, all combinations. Those in which the heavy atoms lie
above the head and near one line, without strain and without contacts, are relaxed alone.
"""

from __future__ import annotations

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

TRIED_DEPTH = 2
"""Bonds up to this many bonds from the head are tried in all three positions."""

TRIED_JOINTS = 7
"""No more bonds than these are tried together: 3⁷ combinations."""

NARROWNESS = 20.0
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


@lru_cache(maxsize=32)
def find_upright_conformers(ligand: Ligand, wanted: int = 4) -> tuple[JointedLigand, ...]:
    """Find conformers that stand along +z on their head, the best first.

    Parameters
    ----------
    ligand
        The ligand in any conformer.
    wanted
        How many at most.
    """
    return _find_upright(joint_ligand(ligand), wanted)


def _find_upright(ligand: JointedLigand, wanted: int) -> tuple[JointedLigand, ...]:
    angles = _list_angles(ligand)
    points = _stand_up(ligand, bend_joints(ligand, angles))
    order = np.argsort(np.round(_score(ligand, points), 6), kind="stable")
    best = _keep_different(points[order], RELAXED_PER_WANTED * wanted)
    relaxed = _stand_up(ligand, np.array([_relax(ligand.with_template(pose)) for pose in best]))
    order = np.argsort(np.round(_score(ligand, relaxed), 6), kind="stable")
    return tuple(ligand.with_template(pose) for pose in _keep_different(relaxed[order], wanted))


def _keep_different(poses: NDArray[np.float64], wanted: int) -> list[NDArray[np.float64]]:
    chosen: list[NDArray[np.float64]] = []
    for pose in poses:
        if all(np.abs(pose - other).max() > SAME_ANGSTROM for other in chosen):
            chosen.append(pose)
        if len(chosen) == wanted:
            break
    return chosen


def _relax(ligand: JointedLigand) -> NDArray[np.float64]:
    """Turn the joints of a ligand that stands alone in a narrow column."""
    nothing = Surroundings(np.empty(0, dtype=np.int64), np.empty((0, 3)))
    crowd = Crowd([Stand(ligand, np.zeros((1, 3)), np.eye(3)[None])], nothing)
    crowd.column = NARROWNESS
    return crowd.place(crowd.minimise(crowd.start(), RELAXATION_STEPS))


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


def _stand_up(ligand: JointedLigand, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn each pose so that the line through its head that fits the heavy atoms best is +z."""
    bones = points[:, ligand.heavy]
    if ligand.heavy.sum() < 2:
        return points
    _, _, axes = np.linalg.svd(bones, full_matrices=True)
    # SVD leaves signs open: the tail points up, and the two other axes complete a right hand
    signs = np.sign((bones @ axes[:, 0, :, None])[:, :, 0].sum(axis=1))
    z = axes[:, 0] * np.where(signs == 0, 1.0, signs)[:, None]
    x = axes[:, 1]
    turned: NDArray[np.float64] = points @ np.stack([x, np.cross(z, x), z], axis=-1)
    return turned


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
