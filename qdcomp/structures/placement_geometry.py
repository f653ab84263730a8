"""A ligand as a body with joints: where its atoms are for a pose, and how forces pull on the pose.

A pose is a rotation vector ω (3), a shift d of the head from its anchor (3) and an angle φ_k about
each joint, a bond about which the ligand turns. Bond lengths and angles stay. With the template x
(head at the origin, tail along +z), the frame F that turns +z to the outward normal and the anchor
p,

    r_i = p + d + exp([ω]×) F x_i(φ).

The gradient of an energy with g_i = ∂E/∂r_i follows from forces and torques,

    ∂E/∂d = Σ g_i,   ∂E/∂ω = J_l(ω)ᵀ Σ (r_i − p − d) × g_i,
    ∂E/∂φ_k = a_k · Σ_{i beyond k} (r_i − b_k) × g_i,

with the left Jacobian J_l of the rotation group (Chirikjian, Stochastic Models, Information Theory,
and Lie Groups, vol. 2, eq. 10.86) and a_k, b_k the direction and foot of the joint.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, connected_components, shortest_path

if TYPE_CHECKING:
    from qdcomp.structures.ligands import Ligand

TETRAHEDRAL = 4
"""Neighbours of an sp3 atom."""

FAR_BONDS = 4
"""Atoms at least this many bonds apart repel each other inside a ligand; nearer ones are held by
bond lengths, angles and the threefold barrier."""


HEAD_BONDS = 3
"""Bonds from the head atom within which an atom belongs to the head group."""


@dataclass(frozen=True, eq=False)
class JointedLigand:
    """A ligand that turns about its single bonds.

    Attributes
    ----------
    name
        Name of the ligand.
    charge
        Its charge [e].
    numbers
        Atomic numbers, shape ``(n_atoms,)``.
    positions
        Template [Å], shape ``(n_atoms, 3)``: the head at the origin.
    bonds
        Bonded atoms, shape ``(n_bonds, 2)``.
    head
        The anchoring atom.
    joints
        Bond of each joint, the atom nearer to the head first, shape ``(n_joints, 2)``; joints
        farther from the head come first.
    beyond
        Atoms that each joint turns, shape ``(n_joints, n_atoms)``.
    dihedrals
        Atoms whose dihedral angle is that of the joint, shape ``(n_joints, 4)``; where possible
        along the longest chain.
    threefold
        Joints between two sp3 atoms, which have a threefold barrier, shape ``(n_joints,)``.
    chain
        Joints whose four atoms are all heavy: those that shape the tail, shape ``(n_joints,)``.
    depth
        Bonds between the head and the nearer atom of each joint, shape ``(n_joints,)``.
    polar
        Atoms that bind to the surface: hydrogens on the head of a cation, bare oxygens on that of
        an anion, shape ``(n_atoms,)``.
    far
        Pairs of atoms that repel inside the ligand, shape ``(n_pairs, 2)``.
    """

    name: str
    charge: int
    numbers: NDArray[np.int64]
    positions: NDArray[np.float64]
    bonds: NDArray[np.int64]
    head: int
    joints: NDArray[np.int64]
    beyond: NDArray[np.bool_]
    dihedrals: NDArray[np.int64]
    threefold: NDArray[np.bool_]
    chain: NDArray[np.bool_]
    depth: NDArray[np.int64]
    polar: NDArray[np.bool_]
    far: NDArray[np.int64]

    @property
    def heavy(self) -> NDArray[np.bool_]:
        """Atoms other than hydrogen, shape ``(n_atoms,)``."""
        mask: NDArray[np.bool_] = self.numbers > 1
        return mask

    @cached_property
    def hinges(
        self,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], list[NDArray[np.int64]]]:
        """Of each joint a point on it, the cross-product matrix of its direction, and its atoms.

        Taken from the template: outer joints come first, so that the bond of a joint has not moved
        when its turn comes.
        """
        feet = self.positions[self.joints[:, 0]]
        axes = self.positions[self.joints[:, 1]] - feet
        axes = axes / np.linalg.norm(axes, axis=1, keepdims=True)
        return feet, _cross_matrices(axes), [np.flatnonzero(row) for row in self.beyond]


def joint_ligand(ligand: Ligand) -> JointedLigand:
    """Find the joints of a ligand: bonds in no ring whose two ends both have other neighbours.

    Bonds between two atoms that are not sp3 (double bonds, amides, biaryls) stay as they are.
    """
    n_atoms = len(ligand.atoms)
    bonds = np.asarray(ligand.bonds, dtype=np.int64).reshape(-1, 2)
    numbers = np.asarray(ligand.atoms.numbers, dtype=np.int64)
    graph = _bond_graph(n_atoms, bonds)
    hops = shortest_path(graph, unweighted=True)
    degree = np.diff(graph.indptr)
    head = ligand.head_atom
    _, parents = breadth_first_order(graph, head, directed=False)
    found: list[tuple[int, int, NDArray[np.bool_]]] = []
    for i, j in bonds.tolist():
        near, away = (i, j) if hops[head, i] < hops[head, j] else (j, i)
        flexible = degree[near] > 1 and degree[away] > 1
        if not flexible or (degree[near] < TETRAHEDRAL and degree[away] < TETRAHEDRAL):
            continue
        turned = _atoms_beyond(n_atoms, bonds, near, away)
        if turned is not None:
            found.append((near, away, turned))
    found.sort(key=lambda joint: (-hops[head, joint[0]], joint[:2]))
    joints = np.array([joint[:2] for joint in found], dtype=np.int64).reshape(-1, 2)
    beyond = np.array([joint[2] for joint in found], dtype=bool).reshape(-1, n_atoms)
    dihedrals = np.array(
        [
            (
                _pick_near(near, away, parents, graph, numbers),
                near,
                away,
                _pick_away(away, turned, graph, numbers, hops),
            )
            for near, away, turned in found
        ],
        dtype=np.int64,
    ).reshape(-1, 4)
    sp3 = degree == TETRAHEDRAL
    low, high = np.triu_indices(n_atoms, 1)
    far = hops[low, high] >= FAR_BONDS
    return JointedLigand(
        name=ligand.name,
        charge=ligand.charge,
        numbers=numbers,
        positions=ligand.atoms.positions - ligand.atoms.positions[head],
        bonds=bonds,
        head=head,
        joints=joints,
        beyond=beyond,
        dihedrals=dihedrals,
        threefold=sp3[joints].all(axis=1),
        chain=np.asarray((numbers[dihedrals] > 1).all(axis=1)),
        depth=hops[head, joints[:, 0]].astype(np.int64),
        polar=_mark_polar(ligand, numbers, graph, hops),
        far=np.stack([low[far], high[far]], axis=1),
    )


def _bond_graph(n_atoms: int, bonds: NDArray[np.int64]) -> csr_matrix:
    rows, columns = np.concatenate([bonds, bonds[:, ::-1]]).T
    return csr_matrix((np.ones(rows.size), (rows, columns)), shape=(n_atoms, n_atoms))


def _atoms_beyond(
    n_atoms: int, bonds: NDArray[np.int64], near: int, away: int
) -> NDArray[np.bool_] | None:
    """Mark the atoms behind a bond, its far end left out; None where the bond is in a ring."""
    cut = ~((bonds == (near, away)).all(axis=1) | (bonds == (away, near)).all(axis=1))
    _, parts = connected_components(_bond_graph(n_atoms, bonds[cut]), directed=False)
    if parts[near] == parts[away]:
        return None
    beyond: NDArray[np.bool_] = parts == parts[away]
    beyond[away] = False
    return beyond


def _pick_near(
    near: int,
    away: int,
    parents: NDArray[np.int64],
    graph: csr_matrix,
    numbers: NDArray[np.int64],
) -> int:
    """Neighbour of the near end towards the head; at the head itself, a heavy one if possible."""
    if parents[near] >= 0:
        return int(parents[near])
    others = [k for k in _neighbours(graph, near) if k != away]
    return max(others, key=lambda k: (numbers[k] > 1, -k))


def _pick_away(
    away: int,
    turned: NDArray[np.bool_],
    graph: csr_matrix,
    numbers: NDArray[np.int64],
    hops: NDArray[np.float64],
) -> int:
    """Neighbour of the far end that begins its longest chain."""

    def length(atom: int) -> float:
        chain = turned & (numbers > 1) & (hops[atom] < hops[away])
        return float(hops[away][chain].max(initial=0.0))

    return max(
        (atom for atom in _neighbours(graph, away) if turned[atom]),
        key=lambda atom: (numbers[atom] > 1, length(atom), -atom),
    )


def _neighbours(graph: csr_matrix, atom: int) -> list[int]:
    found: list[int] = graph.indices[graph.indptr[atom] : graph.indptr[atom + 1]].tolist()
    return found


def _mark_polar(
    ligand: Ligand, numbers: NDArray[np.int64], graph: csr_matrix, hops: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Hydrogens on nitrogens of a cation's head, oxygens without hydrogen of an anion's head."""
    polar = np.zeros(len(numbers), dtype=bool)
    for atom in range(len(numbers)):
        neighbours = _neighbours(graph, atom)
        if hops[ligand.head_atom, atom] > HEAD_BONDS:
            continue
        if ligand.charge > 0:
            polar[atom] = numbers[atom] == 1 and numbers[neighbours[0]] == 7
        else:
            polar[atom] = numbers[atom] == 8 and len(neighbours) == 1
    return polar


def bend_joints(ligand: JointedLigand, angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn the template about its joints.

    Parameters
    ----------
    ligand
        The ligand.
    angles
        Angle about each joint [rad], shape ``(n_poses, n_joints)``; zero is the template.

    Returns
    -------
    NDArray
        Positions [Å], shape ``(n_poses, n_atoms, 3)``.
    """
    points = np.repeat(ligand.positions[None], len(angles), axis=0)
    for foot, cross, moved, phi in zip(*ligand.hinges, angles.T[:, :, None, None], strict=True):
        turns = np.eye(3) + np.sin(phi) * cross + (1 - np.cos(phi)) * (cross @ cross)
        points[:, moved] = foot + (points[:, moved] - foot) @ turns.transpose(0, 2, 1)
    return points


def cross_products(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cross products along the last axis; `numpy.cross` spends its time elsewhere."""
    (ax, ay, az), (bx, by, bz) = np.moveaxis(a, -1, 0), np.moveaxis(b, -1, 0)
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)


def rotation_matrices(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation matrices exp([ω]×) of rotation vectors [rad], shape ``(n, 3)`` to ``(n, 3, 3)``."""
    first, second, _ = _series(vectors)
    cross = _cross_matrices(vectors)
    matrices: NDArray[np.float64] = (
        np.eye(3) + first[:, None, None] * cross + second[:, None, None] * (cross @ cross)
    )
    return matrices


def left_jacobians(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Left Jacobians, exp([ω + δ]×) ≈ exp([J_l δ]×) exp([ω]×); ``(n, 3)`` to ``(n, 3, 3)``."""
    _, second, third = _series(vectors)
    cross = _cross_matrices(vectors)
    jacobians: NDArray[np.float64] = (
        np.eye(3) + second[:, None, None] * cross + third[:, None, None] * (cross @ cross)
    )
    return jacobians


def _series(
    vectors: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients sin θ / θ, (1 − cos θ) / θ² and (θ − sin θ) / θ³, each of shape ``(n,)``."""
    squared = (vectors**2).sum(axis=1)
    small = squared < 1e-6
    theta = np.sqrt(np.where(small, 1.0, squared))
    return (
        np.where(small, 1 - squared / 6, np.sin(theta) / theta),
        np.where(small, 0.5 - squared / 24, (1 - np.cos(theta)) / theta**2),
        np.where(small, 1 / 6 - squared / 120, (theta - np.sin(theta)) / theta**3),
    )


def _cross_matrices(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, z = vectors.T
    zero = np.zeros_like(x)
    rows = [[zero, -z, y], [z, zero, -x], [-y, x, zero]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def build_frames(
    normals: NDArray[np.float64], azimuths: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Frames that turn +z to each normal, after a turn about z, shape ``(n, 3, 3)``.

    Parameters
    ----------
    normals
        Outward unit normals, shape ``(n, 3)``.
    azimuths
        Turn about the ligand's own axis [rad], shape ``(n,)``.
    """
    lateral = np.where(np.abs(normals[:, :1]) < 0.9, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]])
    x = lateral - (lateral * normals).sum(axis=1, keepdims=True) * normals
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    y = np.cross(normals, x)
    cosine, sine = np.cos(azimuths)[:, None], np.sin(azimuths)[:, None]
    return np.stack([x * cosine + y * sine, y * cosine - x * sine, normals], axis=-1)


def measure_dihedrals(
    points: NDArray[np.float64], dihedrals: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Dihedral angles [rad], IUPAC sign; points ``(n_poses, n_atoms, 3)``, one row a pose."""
    a, b, c, d = (points[:, dihedrals[:, k]] for k in range(4))
    axis = c - b
    axis = axis / np.linalg.norm(axis, axis=-1, keepdims=True)
    v = (b - a) - ((b - a) * axis).sum(axis=-1, keepdims=True) * axis
    w = (d - c) - ((d - c) * axis).sum(axis=-1, keepdims=True) * axis
    sine = (cross_products(axis, -v) * w).sum(axis=-1)
    angles: NDArray[np.float64] = np.arctan2(sine, (-v * w).sum(axis=-1))
    return angles
