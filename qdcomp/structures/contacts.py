"""Which atoms come near each other, and the smallest distance of two that are not bonded.

Every pair is counted once, with the periodic image in which it lies within the cutoff; an atom and
its own image are a pair too. In a ligand, atoms bonded to each other or to a common third (1–2 and
1–3) are no contact. Distances inside the perovskite are those of its lattice, and no contacts.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import breadth_first_order
from scipy.spatial import cKDTree

from qdcomp.errors import InputError
from qdcomp.structures.structure import Structure

BOND_STRETCH = 1.25
"""Atoms of one ligand nearer than this multiple of the sum of their covalent radii (Cordero et al.,
Dalton Trans. 2832 (2008)) are bonded; a C–C bond of 1.54 Å is 1.01 times the sum."""

FIRST_CUTOFF_ANGSTROM = 3.0
"""Where the search for the smallest contact begins [Å]; doubled until there is one."""

LAST_CUTOFF_ANGSTROM = 48.0
"""Beyond this distance [Å] nothing is searched: there is then no contact."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of atoms within a cutoff.

    Attributes
    ----------
    first, second
        Atoms of each pair, shape ``(n_pairs,)``.
    offset
        Lattice vector to add to the second atom [Å], shape ``(n_pairs, 3)``.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    offset: NDArray[np.float64]


class Contact(NamedTuple):
    """Two atoms near each other.

    Attributes
    ----------
    distance_angstrom
        Their distance, nearest image [Å].
    first, second
        The atoms.
    """

    distance_angstrom: float
    first: int
    second: int


def find_pairs(
    positions: NDArray[np.float64],
    cutoff_angstrom: float,
    cell: NDArray[np.float64] | None = None,
    pbc: NDArray[np.bool_] | None = None,
) -> Pairs:
    """Find all pairs of atoms within a cutoff, images included.

    Parameters
    ----------
    positions
        Cartesian coordinates [Å], shape ``(n_atoms, 3)``; they need not lie in the cell.
    cutoff_angstrom
        Largest distance [Å].
    cell
        Cell vectors as rows [Å], shape ``(3, 3)``, not degenerate; None without a cell.
    pbc
        Along which of them the atoms repeat, shape ``(3,)``.
    """
    if cell is None or pbc is None or not pbc.any():
        inside = cKDTree(positions).query_pairs(cutoff_angstrom, output_type="ndarray")
        return Pairs(inside[:, 0], inside[:, 1], np.zeros((len(inside), 3)))
    inverse = np.linalg.inv(cell)
    wraps = np.where(pbc, np.floor(positions @ inverse), 0.0)
    wrapped = positions - wraps @ cell
    tree = cKDTree(wrapped)
    inside = tree.query_pairs(cutoff_angstrom, output_type="ndarray")
    first, second = [inside[:, 0]], [inside[:, 1]]
    shifts = [np.zeros((len(inside), 3))]
    low, high = wrapped.min(axis=0) - cutoff_angstrom, wrapped.max(axis=0) + cutoff_angstrom
    reach = np.where(pbc, np.ceil(cutoff_angstrom * np.linalg.norm(inverse, axis=0)), 0)
    for shift in _half_of_images(reach):
        ghosts = wrapped + shift @ cell
        near = np.flatnonzero(((ghosts >= low) & (ghosts <= high)).all(axis=1))
        if near.size:
            found = tree.sparse_distance_matrix(
                cKDTree(ghosts[near]), cutoff_angstrom, output_type="ndarray"
            )
            first.append(found["i"].astype(np.int64))
            second.append(near[found["j"]])
            shifts.append(np.tile(shift, (len(found), 1)))
    i, j = np.concatenate(first), np.concatenate(second)
    return Pairs(i, j, (wraps[i] - wraps[j] + np.concatenate(shifts)) @ cell)


def _half_of_images(reach: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """One of each translation and its opposite, shape ``(3,)`` each; zero is left out."""
    ranges = [range(-int(steps), int(steps) + 1) for steps in reach]
    return [np.array(shift, dtype=float) for shift in product(*ranges) if shift > (0, 0, 0)]


def find_bonds(atoms: Atoms, ligand_index: NDArray[np.int64]) -> Pairs:
    """Find the bonds inside each ligand by covalent radii, images included.

    Parameters
    ----------
    atoms
        The atoms, with their cell where there is one.
    ligand_index
        Ligand of each atom, negative for none, shape ``(n_atoms,)``.
    """
    members = np.flatnonzero(ligand_index >= 0)
    radii = covalent_radii[atoms.numbers[members]]
    if members.size == 0:
        return Pairs(members, members, np.zeros((0, 3)))
    positions = atoms.positions[members]
    pairs = find_pairs(positions, 2 * BOND_STRETCH * radii.max(), *_lattice(atoms))
    limit = BOND_STRETCH * (radii[pairs.first] + radii[pairs.second])
    own = ligand_index[members[pairs.first]] == ligand_index[members[pairs.second]]
    bonded = own & (_lengths(positions, pairs) < limit)
    return Pairs(members[pairs.first[bonded]], members[pairs.second[bonded]], pairs.offset[bonded])


def smallest_contact(structure: Structure) -> Contact:
    """Find the two atoms that are not bonded and nearest to each other, images included.

    Contacts are those of a ligand with another, with its image, with the perovskite, and with
    itself beyond 1–3.

    Raises
    ------
    InputError
        If the structure has no ligand, or none of its ligands comes near anything.
    """
    if not structure.ligands:
        raise InputError(
            "the structure has no ligands, and so no contacts of ligands; attach_ligands puts them "
            "on a slab, attach_ligands_to_dot on a dot"
        )
    atoms = structure.atoms
    bonds = find_bonds(atoms, structure.ligand_index)
    whole = _join_molecules(atoms.positions, bonds)
    excluded = exclude_bonded(len(atoms), np.stack([bonds.first, bonds.second], axis=1))
    contact = find_smallest_contact(whole, structure.ligand_index, excluded, *_lattice(atoms))
    if contact is None:
        raise InputError(f"no two atoms of different molecules within {LAST_CUTOFF_ANGSTROM:g} Å")
    return contact


def exclude_bonded(n_atoms: int, bonds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Keys of the pairs that are bonded or share a neighbour, sorted: ``low * n_atoms + high``."""
    rows, columns = bonds.reshape(-1, 2).T
    graph = csr_matrix(coo_matrix((np.ones(rows.size), (rows, columns)), shape=(n_atoms, n_atoms)))
    graph = graph + graph.T
    near = (graph + graph @ graph).tocoo()
    upper = near.row < near.col
    keys: NDArray[np.int64] = np.unique(
        near.row[upper].astype(np.int64) * n_atoms + near.col[upper]
    )
    return keys


def find_smallest_contact(
    positions: NDArray[np.float64],
    ligand_index: NDArray[np.int64],
    excluded: NDArray[np.int64],
    cell: NDArray[np.float64] | None = None,
    pbc: NDArray[np.bool_] | None = None,
) -> Contact | None:
    """Find the smallest contact where the bonds are known; None if there is none.

    Parameters
    ----------
    positions
        Cartesian coordinates [Å], shape ``(n_atoms, 3)``; each ligand in one piece.
    ligand_index
        Ligand of each atom, negative for none, shape ``(n_atoms,)``.
    excluded
        Keys of `exclude_bonded`.
    cell, pbc
        As in `find_pairs`.
    """
    cutoff = FIRST_CUTOFF_ANGSTROM
    while cutoff <= LAST_CUTOFF_ANGSTROM:
        pairs = find_pairs(positions, cutoff, cell, pbc)
        lengths = _lengths(positions, pairs)
        lengths[~select_contacts(pairs, ligand_index, excluded)] = np.inf
        if np.isfinite(lengths).any():
            nearest = int(lengths.argmin())
            return Contact(
                float(lengths[nearest]), int(pairs.first[nearest]), int(pairs.second[nearest])
            )
        cutoff *= 2
    return None


def select_contacts(
    pairs: Pairs, ligand_index: NDArray[np.int64], excluded: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Mark the pairs that are contacts: at least one atom of a ligand, and not bonded."""
    organic = (ligand_index[pairs.first] >= 0) | (ligand_index[pairs.second] >= 0)
    low, high = np.minimum(pairs.first, pairs.second), np.maximum(pairs.first, pairs.second)
    same_image = np.abs(pairs.offset).max(axis=1, initial=0.0) < 1e-6
    bonded = np.isin(low * len(ligand_index) + high, excluded)
    chosen: NDArray[np.bool_] = organic & ~(same_image & bonded)
    return chosen


def _join_molecules(positions: NDArray[np.float64], bonds: Pairs) -> NDArray[np.float64]:
    """Move atoms by lattice vectors so that each bonded molecule is in one piece."""
    whole = positions.copy()
    if not np.abs(bonds.offset).max(initial=0.0) > 0:
        return whole
    offsets = {}
    for i, j, offset in zip(bonds.first.tolist(), bonds.second.tolist(), bonds.offset, strict=True):
        offsets[i, j], offsets[j, i] = offset, -offset
    n_atoms = len(positions)
    ends = np.array(list(offsets)).reshape(-1, 2)
    graph = csr_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(n_atoms, n_atoms))
    seen = np.zeros(n_atoms, dtype=bool)
    moved = np.zeros((n_atoms, 3))
    for root in np.unique(ends).tolist():
        if seen[root]:
            continue
        order, parents = breadth_first_order(graph, root, directed=False)
        seen[order] = True
        for atom in order[1:].tolist():
            parent = int(parents[atom])
            moved[atom] = moved[parent] + offsets[parent, atom]
    whole += moved
    return whole


def _lattice(atoms: Atoms) -> tuple[NDArray[np.float64] | None, NDArray[np.bool_] | None]:
    if not atoms.pbc.any():
        return None, None
    return atoms.cell.complete().array, np.array(atoms.pbc, dtype=bool)


def _lengths(positions: NDArray[np.float64], pairs: Pairs) -> NDArray[np.float64]:
    vectors = positions[pairs.second] + pairs.offset - positions[pairs.first]
    lengths: NDArray[np.float64] = np.linalg.norm(vectors, axis=1)
    return lengths
