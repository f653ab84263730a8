"""Ligands as molecules: their bonds, and their atoms in one piece across cell boundaries.

Two atoms are bonded where they are closer than 1.25 times the sum of their covalent radii (Cordero
et al., Dalton Trans. 2832, 2008), hydrogens with each other never. A ligand that is whole as it
stands is taken so; one that the cell cuts is put together by the nearest periodic images of its
atoms. Every further analysis works on whole molecules and translates them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.errors import InputError

BOND_TOLERANCE = 1.25
"""Bond lengths reach to this many times the sum of the covalent radii."""

Translation: TypeAlias = tuple[tuple[int, int, int], NDArray[np.float64]]
"""Cells moved along each cell vector, and the vector of it [Å]."""


@dataclass(frozen=True, eq=False)
class Lattice:
    """Translations under which a structure repeats.

    Attributes
    ----------
    vectors
        The periodic lattice vectors, rows [Å], shape ``(n_periodic, 3)``.
    axes
        Which of the three cell vectors these are.
    """

    vectors: NDArray[np.float64]
    axes: tuple[int, ...]

    def list_translations(self, reach: float) -> list[Translation]:
        """List every translation up to the length ``reach`` [Å], zero first, and some beyond it."""
        if not self.axes:
            return [((0, 0, 0), np.zeros(3))]
        counts = [int(np.ceil(reach / height)) for height in self._heights()]
        ranges = [np.arange(-count, count + 1) for count in counts]
        grid = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, len(counts))
        translations = []
        for steps in grid[np.argsort(np.abs(grid).sum(axis=1), kind="stable")]:
            cells = np.zeros(3, dtype=int)
            cells[list(self.axes)] = steps
            translations.append(
                ((int(cells[0]), int(cells[1]), int(cells[2])), steps @ self.vectors)
            )
        return translations

    def find_nearest_images(self, differences: NDArray[np.float64]) -> NDArray[np.float64]:
        """Replace difference vectors by their shortest images [Å], shape ``(…, 3)``."""
        if not self.axes:
            return differences
        steps = np.round(differences @ np.linalg.pinv(self.vectors))
        near = differences - steps @ self.vectors
        best, length = near, np.linalg.norm(near, axis=-1)
        for _, shift in self.list_translations(float(self._heights().max())):
            moved = near + shift
            shorter = np.linalg.norm(moved, axis=-1) < length
            best = np.where(shorter[..., None], moved, best)
            length = np.linalg.norm(best, axis=-1)
        return best

    def _heights(self) -> NDArray[np.float64]:
        """Distances between neighbouring lattice planes along each periodic direction [Å]."""
        heights: NDArray[np.float64] = 1.0 / np.linalg.norm(np.linalg.pinv(self.vectors), axis=0)
        return heights


@dataclass(frozen=True, eq=False)
class LigandMolecule:
    """One ligand in one piece.

    Attributes
    ----------
    number
        Number of the ligand.
    atoms
        Indices of its atoms in the structure, shape ``(n,)``.
    symbols
        Their elements.
    positions
        Cartesian coordinates, whole, the centre in the cell [Å], shape ``(n, 3)``.
    neighbours
        Bonded atoms of each, as numbers within the ligand.
    warnings
        What is wrong with it as a molecule.
    """

    number: int
    atoms: NDArray[np.int64]
    symbols: tuple[str, ...]
    positions: NDArray[np.float64]
    neighbours: tuple[tuple[int, ...], ...]
    warnings: tuple[str, ...]

    @property
    def carbons(self) -> NDArray[np.int64]:
        """Carbon atoms, as numbers within the ligand."""
        return np.flatnonzero(np.array(self.symbols) == "C")

    @property
    def radius(self) -> float:
        """Largest distance of an atom from the centre [Å]."""
        centre = self.positions.mean(axis=0)
        return float(np.linalg.norm(self.positions - centre, axis=1).max())


def build_lattice(cell: ArrayLike | None, pbc: Sequence[bool]) -> Lattice:
    """Take the periodic directions out of a cell.

    Parameters
    ----------
    cell
        Cell vectors as rows [Å], shape ``(3, 3)``; None without one.
    pbc
        Along which of them the structure repeats, three booleans.

    Raises
    ------
    InputError
        If a periodic direction has no cell vector, or two of them are parallel.
    """
    vectors = np.zeros((3, 3)) if cell is None else np.asarray(cell, dtype=np.float64)
    if vectors.shape != (3, 3) or len(pbc) != 3:
        raise InputError(f"cell of shape {vectors.shape}, {len(pbc)} periodic flags; expected 3")
    axes = tuple(axis for axis in range(3) if pbc[axis])
    periodic = vectors[list(axes)]
    if axes and np.linalg.matrix_rank(periodic) < len(axes):
        raise InputError(
            f"the structure is periodic along {axes} with the cell vectors {periodic.tolist()}; "
            "give independent vectors, or pbc False where there is none"
        )
    return Lattice(vectors=periodic, axes=axes)


def assemble_ligands(
    positions: NDArray[np.float64],
    symbols: Sequence[str],
    lattice: Lattice,
    ligand_index: NDArray[np.int64],
    bonds: NDArray[np.int64] | None,
) -> tuple[LigandMolecule, ...]:
    """Put every ligand together, with its bonds, in one piece.

    Parameters
    ----------
    positions
        Cartesian coordinates [Å], shape ``(n_atoms, 3)``.
    symbols
        Elements.
    ligand_index
        Ligand of each atom, negative for none, shape ``(n_atoms,)``.
    bonds
        Pairs of atoms, shape ``(n_bonds, 2)``; found by distance where None.
    """
    return tuple(
        _assemble(int(number), positions, symbols, lattice, ligand_index, bonds)
        for number in np.unique(ligand_index[ligand_index >= 0])
    )


def find_six_rings(neighbours: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """Find cycles of six atoms, in the order of the ring, each once, its lowest number first."""
    rings: dict[frozenset[int], tuple[int, ...]] = {}
    for start in range(len(neighbours)):
        for path in _walk((start,), neighbours):
            rings.setdefault(frozenset(path), path)
    return tuple(rings.values())


def _walk(path: tuple[int, ...], neighbours: Sequence[Sequence[int]]) -> Iterator[tuple[int, ...]]:
    """Yield closed walks of six atoms that start with ``path`` and keep above its first atom."""
    if len(path) == 6:
        if path[0] in neighbours[path[-1]]:
            yield path
        return
    for following in neighbours[path[-1]]:
        if following > path[0] and following not in path:
            yield from _walk((*path, following), neighbours)


def _assemble(
    number: int,
    positions: NDArray[np.float64],
    symbols: Sequence[str],
    lattice: Lattice,
    ligand_index: NDArray[np.int64],
    bonds: NDArray[np.int64] | None,
) -> LigandMolecule:
    atoms = np.flatnonzero(ligand_index == number)
    own_symbols = tuple(symbols[int(atom)] for atom in atoms)
    own_positions = positions[atoms]
    vectors = own_positions[None, :, :] - own_positions[:, None, :]
    neighbours = _find_bonds(own_symbols, np.linalg.norm(vectors, axis=-1))
    whole, pieces = _follow_bonds(own_positions, vectors, neighbours)
    if pieces > 1 or bonds is not None:
        vectors = lattice.find_nearest_images(vectors)
        neighbours = (
            _find_bonds(own_symbols, np.linalg.norm(vectors, axis=-1))
            if bonds is None
            else _select_bonds(atoms, bonds)
        )
        whole, pieces = _follow_bonds(own_positions, vectors, neighbours)
    return LigandMolecule(
        number=number,
        atoms=atoms,
        symbols=own_symbols,
        positions=_centre_in_cell(whole, lattice),
        neighbours=neighbours,
        warnings=_warn(number, pieces),
    )


def _find_bonds(
    symbols: Sequence[str], distances: NDArray[np.float64]
) -> tuple[tuple[int, ...], ...]:
    from ase.data import atomic_numbers, covalent_radii

    radii = covalent_radii[[atomic_numbers[symbol] for symbol in symbols]]
    bonded = distances < BOND_TOLERANCE * (radii[:, None] + radii[None, :])
    hydrogen = np.array(symbols) == "H"
    bonded &= ~(hydrogen[:, None] & hydrogen[None, :])
    np.fill_diagonal(bonded, False)
    return tuple(tuple(int(other) for other in np.flatnonzero(row)) for row in bonded)


def _select_bonds(
    atoms: NDArray[np.int64], bonds: NDArray[np.int64]
) -> tuple[tuple[int, ...], ...]:
    numbers: Mapping[int, int] = {int(atom): number for number, atom in enumerate(atoms)}
    neighbours: list[set[int]] = [set() for _ in atoms]
    for first, second in bonds:
        if int(first) in numbers and int(second) in numbers:
            neighbours[numbers[int(first)]].add(numbers[int(second)])
            neighbours[numbers[int(second)]].add(numbers[int(first)])
    return tuple(tuple(sorted(others)) for others in neighbours)


def _follow_bonds(
    positions: NDArray[np.float64],
    vectors: NDArray[np.float64],
    neighbours: Sequence[Sequence[int]],
) -> tuple[NDArray[np.float64], int]:
    """Positions that follow the bonds, and the number of pieces that no bond connects."""
    whole = positions.copy()
    placed: set[int] = set()
    pieces = 0
    for start in range(len(positions)):
        if start in placed:
            continue
        if pieces:
            whole[start] = whole[0] + vectors[0, start]
        pieces += 1
        placed.add(start)
        waiting = [start]
        while waiting:
            atom = waiting.pop()
            for other in neighbours[atom]:
                if other not in placed:
                    whole[other] = whole[atom] + vectors[atom, other]
                    placed.add(other)
                    waiting.append(other)
    return whole, pieces


def _centre_in_cell(positions: NDArray[np.float64], lattice: Lattice) -> NDArray[np.float64]:
    if not lattice.axes:
        return positions
    steps = np.floor(positions.mean(axis=0) @ np.linalg.pinv(lattice.vectors) + 1e-9)
    centred: NDArray[np.float64] = positions - steps @ lattice.vectors
    return centred


def _warn(number: int, pieces: int) -> tuple[str, ...]:
    if pieces == 1:
        return ()
    return (
        f"ligand {number} is in {pieces} pieces that no bond connects: it has come apart, or its "
        "atoms are numbered wrongly",
    )
