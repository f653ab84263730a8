"""What a builder returns: atoms with their charge, layers, frozen region and history."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from qdcomp.errors import InputError
from qdcomp.structures.bulk import FORMAL_CHARGES

StructureKind = Literal["dot", "slab", "molecule"]
"""What a structure is: a dot or a molecule in vacuum, or a slab that repeats along x and y."""

NO_LIGAND = -1
"""Ligand number of an atom that belongs to no ligand."""

HASH_RESOLUTION_ANGSTROM = 1e-6
"""Positions that agree when rounded to this length [Å] have the same `structure_hash`."""


@dataclass(frozen=True, eq=False)
class Structure:
    """A dot, a slab or a molecule, ready for an engine.

    Attributes
    ----------
    atoms
        The atoms. A dot or a molecule is not periodic and has no cell; the builders put the
        centre of the ideal cube at the origin and order the atoms by site: A, B, X, in each the
        core before the shell. A slab has a cell with its vacuum, repeats along x and y and has
        its surface normal along z. Ligands come after the perovskite, one after the other.
    charge
        Total charge handed to the engine [e].
    charge_policy
        How the charge was decided: ``formal``, ``neutral``, ``electrons``, or ``given`` for a
        structure that qdcomp did not build.
    depth_cells
        Depth of each atom's ideal lattice site below the surface [unit cells], shape
        ``(n_atoms,)``: 0 the outermost AX layer, 0.5 the BX2 layer below it, and so on. NaN for
        an atom on no lattice site. It belongs to the site, so relaxing does not change it.
    frozen
        Atoms held fixed, boolean array of shape ``(n_atoms,)``.
    edge_angstrom
        Edge of the dot, unit cells times lattice constant [Å]; 0 where it is none.
    cells
        Unit cells along the edge; 0 where the structure is no cubic dot.
    composition
        Formula, ``CsPbBr3``; of a core/shell dot core first, ``CsPbBr3/CsCaBr3``.
    description
        One line that says what was built and how.
    warnings
        What the user should know.
    kind
        ``dot``, ``slab`` or ``molecule``.
    ligand_index
        Number of the ligand that each atom belongs to, shape ``(n_atoms,)``; `NO_LIGAND` for the
        atoms of the perovskite. Left out, there are no ligands.
    ligands
        Name of each ligand, by its number.
    """

    atoms: Atoms
    charge: int
    charge_policy: str
    depth_cells: NDArray[np.float64]
    frozen: NDArray[np.bool_]
    edge_angstrom: float
    cells: int
    composition: str
    description: str
    warnings: tuple[str, ...] = ()
    kind: StructureKind = "dot"
    ligand_index: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    ligands: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.ligands and self.ligand_index.size == 0:
            none = np.full(len(self.atoms), NO_LIGAND, dtype=np.int64)
            object.__setattr__(self, "ligand_index", none)
        for name in ("depth_cells", "frozen", "ligand_index"):
            _check_one_per_atom(name, getattr(self, name), len(self.atoms))
        _check_ligands(self.ligand_index, self.ligands)
        for text in (self.description, *self.warnings, *self.ligands):
            if not text.isprintable():
                raise InputError(
                    f"{text!r} holds a line break, a tab or another control character; a "
                    "structure's description and each of its warnings are one line of text"
                )

    def with_frozen(self, frozen: ArrayLike) -> Structure:
        """Return the same structure with these atoms held fixed.

        Parameters
        ----------
        frozen
            Boolean array of shape ``(n_atoms,)``; it replaces the earlier choice.

        Raises
        ------
        InputError
            If it is not one boolean per atom.
        """
        mask = np.asarray(frozen)
        if mask.dtype != np.bool_:
            raise InputError(
                f"frozen atoms are given as one boolean per atom, got an array of {mask.dtype}; "
                "select_frozen_atoms makes one"
            )
        return dataclasses.replace(self, frozen=mask.copy())

    def with_positions(self, positions: ArrayLike) -> Structure:
        """Return the same structure with moved atoms, after a relaxation for example.

        Parameters
        ----------
        positions
            Cartesian coordinates [Å], shape ``(n_atoms, 3)``, in the same order.

        Raises
        ------
        InputError
            If the shape differs or a coordinate is not finite.
        """
        moved = np.asarray(positions, dtype=float)
        if moved.shape != (len(self.atoms), 3):
            raise InputError(
                f"positions of shape {moved.shape} for {len(self.atoms)} atoms; expected "
                f"({len(self.atoms)}, 3), in the order of the structure"
            )
        if not np.isfinite(moved).all():
            raise InputError("positions hold NaN or infinity; take the last good frame")
        atoms = self.atoms.copy()
        atoms.set_positions(moved, apply_constraint=False)
        return dataclasses.replace(self, atoms=atoms)


def _check_one_per_atom(name: str, array: NDArray[np.generic], n_atoms: int) -> None:
    if array.shape != (n_atoms,):
        raise InputError(f"{name} of shape {array.shape} for {n_atoms} atoms; one value per atom")


def _check_ligands(ligand_index: NDArray[np.int64], ligands: tuple[str, ...]) -> None:
    found = sorted(set(ligand_index.tolist()) - {NO_LIGAND})
    if found != list(range(len(ligands))):
        raise InputError(
            f"the atoms belong to the ligands {found}, and {len(ligands)} ligands have a name; "
            "number the ligands 0, 1, … and give each its name and at least one atom"
        )


def sum_formal_charges(symbols: Iterable[str]) -> int:
    """Sum of formal charges N_A + 2 N_B − N_X [e] (PHYSICS.md, section 1).

    Raises
    ------
    InputError
        If an element has no formal charge here.
    """
    counts = Counter(symbols)
    unknown = sorted(set(counts) - set(FORMAL_CHARGES))
    if unknown:
        raise InputError(
            f"no formal charge for {', '.join(unknown)}; known: {', '.join(FORMAL_CHARGES)}. "
            "Give the total charge as a number"
        )
    return sum(number * FORMAL_CHARGES[symbol] for symbol, number in counts.items())


def structure_hash(structure: Structure) -> str:
    """SHA-256 of what a calculation depends on, as 64 hexadecimal digits.

    Elements, positions (rounded to `HASH_RESOLUTION_ANGSTROM`), order of atoms, charge, frozen
    atoms, depths, the cell of a slab and the ligands enter; description and warnings do not. The
    same on every platform.
    """
    digest = hashlib.sha256(b"qdcomp structure 1\n")
    digest.update(" ".join(structure.atoms.get_chemical_symbols()).encode())
    digest.update(f"\ncharge {structure.charge}\n".encode())
    scaled = np.rint(structure.atoms.positions / HASH_RESOLUTION_ANGSTROM)
    digest.update(scaled.astype("<i8").tobytes())
    digest.update(structure.frozen.astype("u1").tobytes())
    half_cells = np.nan_to_num(structure.depth_cells * 2, nan=-1.0)
    digest.update(np.rint(half_cells).astype("<i4").tobytes())
    if structure.atoms.pbc.any():
        digest.update(structure.atoms.pbc.astype("u1").tobytes())
        cell = np.rint(structure.atoms.cell.array / HASH_RESOLUTION_ANGSTROM)
        digest.update(cell.astype("<i8").tobytes())
    if structure.ligands:
        digest.update("\t".join(structure.ligands).encode())
        digest.update(structure.ligand_index.astype("<i4").tobytes())
    return digest.hexdigest()
