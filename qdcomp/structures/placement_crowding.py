"""The energy of ligands that crowd each other on a surface, and its gradient by all poses.

To the terms of `qdcomp.structures.placement_potential` come two springs: one holds the head near
its site, the other the heavy atoms of a ligand near the line through its site along the normal, so
that tails stand up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray
from scipy.optimize import minimize

from qdcomp.structures.bulk import B_ELEMENTS, X_ELEMENTS
from qdcomp.structures.contacts import exclude_bonded, find_pairs, select_contacts
from qdcomp.structures.placement_geometry import (
    JointedLigand,
    bend_joints,
    cross_products,
    left_jacobians,
    rotation_matrices,
)
from qdcomp.structures.placement_potential import (
    BINDING_DISTANCES,
    BINDING_EV,
    BINDING_WIDTH_ANGSTROM,
    METAL_OXYGEN_ANGSTROM,
    REPULSION_EV,
    compute_strain,
    find_contact_radii,
)

LATERAL_EV_PER_A2 = 1.0
"""Spring of the head along the surface [eV/Å²]."""

HEIGHT_EV_PER_A2 = 1.5
"""Spring of the head along the normal [eV/Å²], weak: a quaternary head is larger than the site."""

COLUMN_EV_PER_A2 = 0.01
"""Spring that holds each heavy atom near the line along the normal [eV/Å²]: small beside contacts,
it decides between standing and lying where there is room for both."""

SKIN_ANGSTROM = 1.0
"""Pairs are looked up again when an atom has moved by half of this [Å]."""


@dataclass(frozen=True, eq=False)
class Stand:
    """Ligands of one kind and their places.

    Attributes
    ----------
    ligand
        The ligand with its joints.
    anchors
        Where the heads belong [Å], shape ``(n, 3)``.
    normals
        Outward unit normals, shape ``(n, 3)``.
    frames
        Turn the ligands upright, shape ``(n, 3, 3)``.
    angles
        Angles about the joints at the start [rad], shape ``(n, n_joints)``.
    """

    ligand: JointedLigand
    anchors: NDArray[np.float64]
    normals: NDArray[np.float64]
    frames: NDArray[np.float64]
    angles: NDArray[np.float64]

    @property
    def size(self) -> int:
        """Numbers that make up the poses."""
        return len(self.anchors) * (6 + len(self.ligand.joints))


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What the ligands stand on.

    Attributes
    ----------
    numbers
        Atomic numbers of the fixed atoms, shape ``(n_fixed,)``.
    positions
        Where they are [Å], shape ``(n_fixed, 3)``.
    cell, pbc
        Cell vectors as rows [Å] and which repeat; None without a cell.
    """

    numbers: NDArray[np.int64]
    positions: NDArray[np.float64]
    cell: NDArray[np.float64] | None = None
    pbc: NDArray[np.bool_] | None = None


class Crowd:
    """Ligands on a surface as one function of all their poses.

    Parameters
    ----------
    stands
        The ligands, by kind.
    surroundings
        The fixed atoms.

    Attributes
    ----------
    swelling
        Size of the atoms against their contact radii.
    stiffness, column
        Weights of the repulsion and of the spring that holds heavy atoms near the normal.
    """

    def __init__(self, stands: Sequence[Stand], surroundings: Surroundings) -> None:
        self.stands = tuple(stands)
        self.surroundings = surroundings
        self.swelling = 1.0
        self.stiffness = 1.0
        self.column = 1.0
        kinds = [np.tile(stand.ligand.numbers, len(stand.anchors)) for stand in self.stands]
        self.numbers = np.concatenate([surroundings.numbers, *kinds])
        self.ligand_index = self._number_ligands()
        self.excluded = exclude_bonded(len(self.numbers), self._list_bonds())
        self._repelling = self._list_far_pairs()
        self._radii = find_contact_radii(self.numbers)
        self._bound_to = self._list_partners()
        self._reference: NDArray[np.float64] | None = None

    def _number_ligands(self) -> NDArray[np.int64]:
        index = [np.full(len(self.surroundings.numbers), -1, dtype=np.int64)]
        first = 0
        for stand in self.stands:
            numbers = np.arange(first, first + len(stand.anchors))
            index.append(np.repeat(numbers, len(stand.ligand.numbers)))
            first += len(stand.anchors)
        return np.concatenate(index)

    def _offsets(self) -> list[tuple[Stand, NDArray[np.int64]]]:
        """First atom of each ligand, by kind."""
        found = []
        first = len(self.surroundings.numbers)
        for stand in self.stands:
            step = len(stand.ligand.numbers)
            starts = first + step * np.arange(len(stand.anchors))
            found.append((stand, starts))
            first += step * len(stand.anchors)
        return found

    def _list_bonds(self) -> NDArray[np.int64]:
        bonds = [
            (starts[:, None, None] + stand.ligand.bonds[None]).reshape(-1, 2)
            for stand, starts in self._offsets()
        ]
        return np.concatenate([np.empty((0, 2), dtype=np.int64), *bonds])

    def _list_far_pairs(self) -> NDArray[np.int64]:
        """Keys of the pairs inside ligands that repel each other."""
        far = [
            (starts[:, None, None] + stand.ligand.far[None]).reshape(-1, 2)
            for stand, starts in self._offsets()
        ]
        pairs = np.concatenate([np.empty((0, 2), dtype=np.int64), *far])
        return np.unique(pairs[:, 0] * len(self.numbers) + pairs[:, 1])

    def _list_partners(self) -> NDArray[np.int64]:
        """Class of each atom in binding: 1 polar H, 2 X, 3 polar O, 4 B, 0 the others."""
        partners = np.zeros(len(self.numbers), dtype=np.int64)
        ions = self.surroundings.numbers
        n_fixed = len(ions)
        partners[:n_fixed][np.isin(ions, [atomic_numbers[x] for x in X_ELEMENTS])] = 2
        partners[:n_fixed][np.isin(ions, [atomic_numbers[b] for b in B_ELEMENTS])] = 4
        for stand, starts in self._offsets():
            polar = np.flatnonzero(stand.ligand.polar)
            kinds = np.where(stand.ligand.numbers[polar] == 1, 1, 3)
            partners[starts[:, None] + polar[None]] = kinds
        return partners

    def start(self) -> NDArray[np.float64]:
        """Poses at the start: on the site, upright."""
        poses = [np.hstack([np.zeros((len(s.anchors), 6)), s.angles]) for s in self.stands]
        return np.concatenate([part.ravel() for part in poses])

    def split(self, poses: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Poses of each stand, shape ``(n, 6 + n_joints)``: ω, d and joint angles."""
        parts, first = [], 0
        for stand in self.stands:
            part = poses[first : first + stand.size]
            parts.append(part.reshape(len(stand.anchors), -1))
            first += stand.size
        return parts

    def place(self, poses: NDArray[np.float64]) -> NDArray[np.float64]:
        """Positions of all atoms, the fixed ones first [Å], shape ``(n_atoms, 3)``."""
        placed = [self.surroundings.positions]
        for stand, part in zip(self.stands, self.split(poses), strict=True):
            bent = bend_joints(stand.ligand, part[:, 6:])
            turns = rotation_matrices(part[:, :3]) @ stand.frames
            heads = (stand.anchors + part[:, 3:6])[:, None, :]
            placed.append((heads + bent @ turns.transpose(0, 2, 1)).reshape(-1, 3))
        return np.concatenate(placed)

    def evaluate(self, poses: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Energy [eV] and its gradient by the poses [eV/rad, eV/Å]."""
        positions = self.place(poses)
        energy, gradient = self._repel_and_bind(positions)
        gradients = []
        for (stand, starts), part in zip(self._offsets(), self.split(poses), strict=True):
            atoms = starts[:, None] + np.arange(len(stand.ligand.numbers))
            own, pull = self._hold(stand, part, positions[atoms], gradient[atoms])
            energy += own
            gradients.append(pull.ravel())
        return energy, np.concatenate(gradients)

    def minimise(self, poses: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
        """Poses at a minimum of the energy near these, or on the way to it after some steps."""
        found = minimize(
            self.evaluate,
            poses,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": steps, "maxcor": 20},
        )
        reached: NDArray[np.float64] = found.x
        return reached

    def find_touching(self, poses: NDArray[np.float64], limit_angstrom: float) -> NDArray[np.bool_]:
        """Mark the ligands with a contact below a limit [Å], shape ``(n_ligands,)``."""
        positions = self.place(poses)
        pairs = find_pairs(positions, limit_angstrom, self.surroundings.cell, self.surroundings.pbc)
        contacts = select_contacts(pairs, self.ligand_index, self.excluded)
        atoms = np.concatenate([pairs.first[contacts], pairs.second[contacts]])
        touching = np.zeros(sum(len(stand.anchors) for stand in self.stands), dtype=bool)
        owners = self.ligand_index[atoms]
        touching[owners[owners >= 0]] = True
        return touching

    def _repel_and_bind(self, positions: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        self._look_up(positions)
        vectors = positions[self._second] + self._offset - positions[self._first]
        squared = np.einsum("ij,ij->i", vectors, vectors)
        sigma2 = self._sigma2 * self.swelling**2
        close = squared < sigma2
        overlap = 1 - squared[close] / sigma2[close]
        strength = self.stiffness * REPULSION_EV
        energy = strength * float((overlap**2).sum())
        slope = np.zeros(len(squared))
        slope[close] = -4 * strength * overlap / sigma2[close]
        binding = self._binding
        length = np.sqrt(squared[binding])
        stretch = (length - self._rest) / BINDING_WIDTH_ANGSTROM
        well = BINDING_EV * np.exp(-(stretch**2))
        energy -= float(well.sum())
        slope[binding] += 2 * well * stretch / (BINDING_WIDTH_ANGSTROM * length)
        pull = vectors * slope[:, None]
        gradient = np.empty_like(positions)
        for axis in range(3):
            gradient[:, axis] = np.bincount(
                self._second, pull[:, axis], len(positions)
            ) - np.bincount(self._first, pull[:, axis], len(positions))
        return energy, gradient

    def _look_up(self, positions: NDArray[np.float64]) -> None:
        """Find the pairs near enough to matter, unless those found before still hold."""
        if self._reference is not None:
            moved = ((positions - self._reference) ** 2).sum(axis=1).max()
            if moved < (SKIN_ANGSTROM / 2) ** 2:
                return
        self._reference = positions
        cutoff = 2 * self._radii.max() + SKIN_ANGSTROM
        pairs = find_pairs(positions, cutoff, self.surroundings.cell, self.surroundings.pbc)
        sigma, rest = self._measure_pairs(pairs.first, pairs.second)
        lengths = np.linalg.norm(
            positions[pairs.second] + pairs.offset - positions[pairs.first], axis=1
        )
        near = (lengths < sigma + SKIN_ANGSTROM) | (rest > 0)
        near &= (self.ligand_index[pairs.first] >= 0) | (self.ligand_index[pairs.second] >= 0)
        inside = near & (self.ligand_index[pairs.first] == self.ligand_index[pairs.second])
        inside &= np.abs(pairs.offset).max(axis=1, initial=0.0) < 1e-6
        low = np.minimum(pairs.first[inside], pairs.second[inside])
        high = np.maximum(pairs.first[inside], pairs.second[inside])
        near[inside] = np.isin(low * len(self.numbers) + high, self._repelling)
        self._first, self._second = pairs.first[near], pairs.second[near]
        self._offset, self._sigma2 = pairs.offset[near], sigma[near] ** 2
        self._binding = np.flatnonzero(rest[near] > 0)
        self._rest = rest[near][self._binding]

    def _measure_pairs(
        self, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Contact distance σ of each pair, and the length r0 of those that bind, else 0 [Å]."""
        sigma = self._radii[first] + self._radii[second]
        kinds = np.sort(np.stack([self._bound_to[first], self._bound_to[second]], axis=1), axis=1)
        rest = np.zeros(len(sigma))
        hydrogen = (kinds == (1, 2)).all(axis=1)
        halide = np.where(self._bound_to[first] == 2, self.numbers[first], self.numbers[second])
        for (_, element), length in BINDING_DISTANCES.items():
            rest[hydrogen & (halide == atomic_numbers[element])] = length
        rest[(kinds == (3, 4)).all(axis=1)] = METAL_OXYGEN_ANGSTROM
        return np.where(rest > 0, np.minimum(sigma, rest), sigma), rest

    def _hold(
        self,
        stand: Stand,
        part: NDArray[np.float64],
        points: NDArray[np.float64],
        gradient: NDArray[np.float64],
    ) -> tuple[float, NDArray[np.float64]]:
        """Springs and barriers of one stand, and the gradient of everything by its poses."""
        ligand = stand.ligand
        normals = stand.normals
        shift = part[:, 3:6]
        height = (shift * normals).sum(axis=1)
        lateral = shift - height[:, None] * normals
        energy = 0.5 * LATERAL_EV_PER_A2 * float((lateral**2).sum())
        energy += 0.5 * HEIGHT_EV_PER_A2 * float((height**2).sum())
        away = points - stand.anchors[:, None, :]
        along = (away * normals[:, None, :]).sum(axis=-1, keepdims=True)
        spread = np.where(ligand.heavy[:, None], away - along * normals[:, None, :], 0.0)
        column = self.column * COLUMN_EV_PER_A2
        energy += 0.5 * column * float((spread**2).sum())
        pull = gradient + column * spread
        strain, slope = compute_strain(ligand, points)
        energy += float(strain.sum())

        lever = points - (stand.anchors + shift)[:, None, :]
        torque = cross_products(lever, pull)
        jacobians = left_jacobians(part[:, :3])
        result = np.empty_like(part)
        result[:, :3] = np.einsum("nji,nj->ni", jacobians, torque.sum(axis=1))
        result[:, 3:6] = pull.sum(axis=1)
        result[:, 3:6] += LATERAL_EV_PER_A2 * lateral + HEIGHT_EV_PER_A2 * height[:, None] * normals
        if len(ligand.joints):
            weights = ligand.beyond.astype(float)
            feet = lever[:, ligand.joints[:, 0]]
            axes = lever[:, ligand.joints[:, 1]] - feet
            axes = axes / np.linalg.norm(axes, axis=-1, keepdims=True)
            turning = weights @ torque - cross_products(feet, weights @ pull)
            result[:, 6:] = (axes * turning).sum(axis=-1) + slope
        return energy, result
