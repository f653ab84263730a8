"""Molecules of a ligand in the gas phase: alone, with its counterion, or its tail alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from numpy.typing import ArrayLike, NDArray

from qdcomp.errors import InputError
from qdcomp.structures.bulk import FORMAL_CHARGES
from qdcomp.structures.ligands import Ligand
from qdcomp.structures.structure import NO_LIGAND, Structure

DISTANCES_ANGSTROM = {"N": 3.3, "C": 3.6, "P": 3.9, "S": 3.8}
"""Where a counterion is put from the head atom [Å]: Br at 3.3 Å from N as in alkylammonium
bromides, Cs at 3.6 to 3.9 Å from C, P and S as in caesium carboxylates and phosphonates."""

QUATERNARY_ANGSTROM = 4.2
"""The same where four carbons shield the N [Å], as in tetramethylammonium bromide."""

DIRECTIONS = 400
"""Directions that are tried, evenly over the sphere."""

BOND_TO_HYDROGEN_ANGSTROM = 1.09
"""C-H bond of a capped tail [Å]."""


def build_molecule(ligand: Ligand) -> Structure:
    """Take the ligand alone, as a structure for an engine."""
    return _make_molecule(
        ligand, ligand.atoms.copy(), f"{ligand.name} in the gas phase, {ligand.conformer}"
    )


def build_counterion(element: str) -> Structure:
    """Take a counterion alone.

    Raises
    ------
    InputError
        It is no ion of a perovskite.
    """
    return Structure(
        atoms=Atoms([element], positions=[(0.0, 0.0, 0.0)]),
        charge=_charge_of(element),
        charge_policy="formal",
        depth_cells=np.full(1, np.nan),
        frozen=np.zeros(1, dtype=bool),
        edge_angstrom=0.0,
        cells=0,
        composition=element,
        description=f"{element} in the gas phase, {_charge_of(element):+d} e",
        kind="molecule",
    )


def build_ion_pair(ligand: Ligand, counterion: str = "Br") -> Structure:
    """Put a counterion in front of the head group, where it has most room.

    Raises
    ------
    InputError
        Their charges do not cancel.
    """
    if ligand.charge == 0:
        return build_molecule(ligand)
    total = ligand.charge + _charge_of(counterion)
    if total != 0:
        raise InputError(
            f"{ligand.name} ({ligand.charge:+d} e) with {counterion} "
            f"({_charge_of(counterion):+d} e) is no neutral pair; choose another counterion: "
            f"{'Br' if ligand.charge > 0 else 'Cs'}"
        )
    atoms = ligand.atoms.copy()
    distance = DISTANCES_ANGSTROM[atoms[ligand.head_atom].symbol]
    if ligand.head_group == "quaternary ammonium":
        distance = QUATERNARY_ANGSTROM
    sphere = atoms.positions[ligand.head_atom] + distance * _spread_directions()
    room = _measure_room(sphere, atoms)
    atoms += Atoms([counterion], positions=[sphere[int(np.argmax(np.round(room, 6)))]])
    text = f"{ligand.name} with {counterion} {distance:g} Å from its head, {ligand.conformer}"
    return _make_molecule(ligand, atoms, text, charge=0)


def _charge_of(element: str) -> int:
    if element not in FORMAL_CHARGES:
        raise InputError(
            f"{element!r} is no ion of a perovskite; counterions: {', '.join(FORMAL_CHARGES)}"
        )
    return FORMAL_CHARGES[element]


def _spread_directions() -> NDArray[np.float64]:
    """Directions on a Fibonacci sphere, shape ``(DIRECTIONS, 3)``."""
    number = np.arange(DIRECTIONS) + 0.5
    polar = np.arccos(1 - 2 * number / DIRECTIONS)
    azimuth = np.pi * (1 + 5**0.5) * number
    return np.column_stack(
        [np.cos(azimuth) * np.sin(polar), np.sin(azimuth) * np.sin(polar), np.cos(polar)]
    )


def _measure_room(points: NDArray[np.float64], atoms: Atoms) -> NDArray[np.float64]:
    """Distance of each point from the nearest atom, its covalent radius taken off [Å]."""
    distances = np.linalg.norm(points[:, None] - atoms.positions[None], axis=2)
    return np.asarray((distances - covalent_radii[atoms.numbers]).min(axis=1))


def _make_molecule(
    ligand: Ligand, atoms: Atoms, description: str, charge: int | None = None
) -> Structure:
    n_atoms = len(atoms)
    index = np.full(n_atoms, NO_LIGAND, dtype=np.int64)
    index[: len(ligand.atoms)] = 0
    return Structure(
        atoms=atoms,
        charge=ligand.charge if charge is None else charge,
        charge_policy="formal",
        depth_cells=np.full(n_atoms, np.nan),
        frozen=np.zeros(n_atoms, dtype=bool),
        edge_angstrom=0.0,
        cells=0,
        composition=ligand.formula,
        description=description,
        warnings=ligand.warnings,
        kind="molecule",
        ligand_index=index,
        ligands=(ligand.name,),
    )


def cut_tails(ligand: Ligand, positions: ArrayLike) -> tuple[Atoms, ...]:
    """Cut the head group off a ligand, and close each tail with a hydrogen where it was.

    Methyl groups at the head are part of it, unless there is nothing else.

    Parameters
    ----------
    ligand
        The ligand: its atoms and bonds.
    positions
        Where its atoms are [Å], shape ``(n_atoms, 3)``, not cut by a periodic cell.

    Returns
    -------
    tuple of Atoms
        Each tail, uncharged, with the added hydrogen last.

    Raises
    ------
    InputError
        The ligand has no tail.
    """
    placed = np.asarray(positions, dtype=float)
    tails = list(_find_tails(ligand))
    if not tails:
        raise InputError(f"{ligand.name} is a head group without a tail; choose another form")
    largest = max(_count_carbons(ligand, members) for _, members in tails)
    chosen = [tail for tail in tails if largest == 1 or _count_carbons(ligand, tail[1]) > 1]
    symbols = np.array(ligand.atoms.get_chemical_symbols())
    cut = []
    for root, members in chosen:
        bond = placed[ligand.head_atom] - placed[root]
        cap = placed[root] + BOND_TO_HYDROGEN_ANGSTROM * bond / np.linalg.norm(bond)
        cut.append(Atoms([*symbols[members], "H"], positions=[*placed[members], cap]))
    return tuple(cut)


def _find_tails(ligand: Ligand) -> Iterator[tuple[int, list[int]]]:
    """First carbon and all atoms of each group that hangs on the head atom by a carbon."""
    neighbours: dict[int, list[int]] = {index: [] for index in range(len(ligand.atoms))}
    for first, second in ligand.bonds.tolist():
        neighbours[first].append(second)
        neighbours[second].append(first)
    for root in sorted(neighbours[ligand.head_atom]):
        if ligand.atoms[root].symbol != "C":
            continue
        members, front = {root}, [root]
        while front:
            found = {n for atom in front for n in neighbours[atom]}
            front = sorted(found - members - {ligand.head_atom})
            members.update(front)
        yield root, sorted(members)


def _count_carbons(ligand: Ligand, members: list[int]) -> int:
    return sum(ligand.atoms[index].symbol == "C" for index in members)


def remove_proton(ligand: Ligand, positions: ArrayLike) -> Atoms:
    """Take a proton off an ammonium group: the one that points furthest away from the tail.

    Raises
    ------
    InputError
        The head atom has no hydrogen.
    """
    placed = np.asarray(positions, dtype=float)
    bonded = [
        other if atom == ligand.head_atom else atom
        for atom, other in ligand.bonds.tolist()
        if ligand.head_atom in (atom, other)
    ]
    hydrogens = [index for index in bonded if ligand.atoms[index].symbol == "H"]
    if not hydrogens:
        raise InputError(
            f"{ligand.name} ({ligand.head_group}) has no proton to take off its head; "
            "choose the form tail or ion_pair"
        )
    centre = placed.mean(axis=0)
    away = [float(np.linalg.norm(placed[index] - centre)) for index in hydrogens]
    proton = hydrogens[int(np.argmax(np.round(away, 6)))]
    kept = [index for index in range(len(ligand.atoms)) if index != proton]
    symbols = np.array(ligand.atoms.get_chemical_symbols())
    return Atoms(symbols[kept], positions=placed[kept])
