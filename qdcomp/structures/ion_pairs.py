"""Molecules of a ligand in the gas phase: alone, with its counterion, or its tail alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from qdcomp.errors import InputError
from qdcomp.structures.bulk import FORMAL_CHARGES
from qdcomp.structures.ligands import Ligand
from qdcomp.structures.structure import NO_LIGAND, Structure

DISTANCES_ANGSTROM = {
    "primary ammonium": 3.3,
    "secondary ammonium": 3.3,
    "tertiary ammonium": 3.2,
    "quaternary ammonium": 3.8,
    "amidinium": 3.7,
    "carboxylate": 3.4,
    "phosphonate": 3.5,
    "sulfonate": 3.3,
    "thiolate": 3.4,
}
"""Where Br⁻ or Cs⁺ is put from the head atom [Å], to be relaxed: Br 3.2 to 3.4 Å from N as in
crystals of alkylammonium bromides, further where carbons shield the N (4.0 Å in crystals of
tetramethylammonium bromide, 3.7 Å in a free pair by GFN2-xTB); Cs 2.9 to 3.0 Å from the oxygens."""

RADII_BEYOND_BROMIDE_ANGSTROM = {"Cl": -0.15, "Br": 0.0, "I": 0.24}
"""Ionic radii less that of Br⁻ [Å], six neighbours; Shannon, Acta Cryst. A32, 751 (1976)."""

CONTACT_ANGSTROM = {"H": 2.45, "C": 3.1, "N": 3.0, "O": 2.85, "P": 3.2, "S": 3.2}
"""Least distance of a counterion from an atom [Å], about half an ångström within the van der Waals
distance, as in ionic crystals."""

OTHER_CONTACT_ANGSTROM = 3.2
"""The same for other elements."""

HYDROGEN_BOND_ANGSTROM = 2.2
"""The same for a hydrogen that makes hydrogen bonds, one whose partial charge is above …"""

POLAR_CHARGE = 0.2
"""… this [e]: MMFF94 gives 0.45 to H on N⁺, 0 to H on saturated C."""

WITHDRAWALS_ANGSTROM = np.arange(0.0, 10.0, 0.05)
"""How much further out a counterion is put where a tail is in its way; the first free place."""

PROTON_TRANSFER = (
    "in the gas phase a proton of an ammonium may go over to the halide (GFN2-xTB relaxes "
    "methylammonium bromide to CH3NH2 and HBr, H–Br 1.47 Å); look at the N–H and H–halide "
    "distances after relaxing, the energy is that of the pair as it is then"
)

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
    """Put a counterion in front of the head group, as a start for relaxing a contact ion pair.

    It goes along an N–H bond, between three carbons of a quaternary ammonium, between the nitrogens
    of an amidinium, between the bare oxygens of an anion, in the one of these places that has the
    lowest Coulomb energy with the partial charges of the ligand. Elsewhere about the head a
    relaxation may end in a saddle: by GFN2-xTB, tetramethylammonium bromide with Br⁻ between two
    carbons lies 0.39 eV above that with Br⁻ between three, and phenethylammonium bromide with Br⁻
    on the axis of its three N–H 0.8 eV above that with Br⁻ along one. A zwitterion needs no
    counterion and stays alone.

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
    distance = DISTANCES_ANGSTROM[ligand.head_group]
    distance += RADII_BEYOND_BROMIDE_ANGSTROM.get(counterion, 0.0)
    place = _place_counterion(ligand, _charge_of(counterion), distance)
    atoms = ligand.atoms.copy()
    apart = float(np.linalg.norm(place - atoms.positions[ligand.head_atom]))
    atoms += Atoms([counterion], positions=[place])
    protic = ligand.charge > 0 and ligand.head_group != "quaternary ammonium"
    return _make_molecule(
        ligand,
        atoms,
        f"{ligand.name} with {counterion} {apart:.2f} Å from its head, {ligand.conformer}",
        charge=0,
        warnings=(PROTON_TRANSFER,) if protic else (),
    )


def _place_counterion(ligand: Ligand, charge: int, distance: float) -> NDArray[np.float64]:
    """Lowest of the places in front of the head group, touching nothing, shape ``(3,)``."""
    head = ligand.atoms.positions[ligand.head_atom]
    least = _find_contacts(ligand)
    places, energies = [], []
    for direction in _find_approaches(ligand):
        line = head + (distance + WITHDRAWALS_ANGSTROM)[:, None] * direction
        apart = np.linalg.norm(line[:, None] - ligand.atoms.positions[None], axis=2)
        free = np.flatnonzero((apart > least).all(axis=1))
        if free.size:
            places.append(line[free[0]])
            energies.append(charge * (ligand.partial_charges / apart[free[0]]).sum())
    if not places:
        raise InputError(
            f"no place in front of the head of {ligand.name} is free: its tail is folded over it; "
            "choose the conformer extended"
        )
    return np.asarray(places[int(np.argmin(np.round(energies, 4)))])


def _find_approaches(ligand: Ligand) -> NDArray[np.float64]:
    """Directions from the head atom in which a counterion may come, shape ``(n, 3)``."""
    neighbours = _find_neighbours(ligand)
    bonded = neighbours[ligand.head_atom]
    symbols = ligand.atoms.get_chemical_symbols()
    bonds = ligand.atoms.positions[bonded] - ligand.atoms.positions[ligand.head_atom]
    bonds /= np.linalg.norm(bonds, axis=1)[:, None]
    protic = np.array([symbols[ligand.head_atom] == "N" and symbols[n] == "H" for n in bonded])
    if protic.any():
        return np.asarray(bonds[protic])
    bare = np.array([symbols[n] == "O" and len(neighbours[n]) == 1 for n in bonded])
    if bare.any():
        middle = bonds[bare].sum(axis=0)
        return np.asarray([middle / np.linalg.norm(middle)])
    return np.asarray(-bonds)


def _find_neighbours(ligand: Ligand) -> dict[int, list[int]]:
    """Bonded neighbours of each atom of a ligand."""
    neighbours: dict[int, list[int]] = {index: [] for index in range(len(ligand.atoms))}
    for first, second in ligand.bonds.tolist():
        neighbours[first].append(second)
        neighbours[second].append(first)
    return {index: sorted(bonded) for index, bonded in neighbours.items()}


def _find_contacts(ligand: Ligand) -> NDArray[np.float64]:
    """Least distance of a counterion from each atom [Å], shape ``(n_atoms,)``."""
    symbols = ligand.atoms.get_chemical_symbols()
    least = [CONTACT_ANGSTROM.get(symbol, OTHER_CONTACT_ANGSTROM) for symbol in symbols]
    polar = (ligand.atoms.numbers == 1) & (ligand.partial_charges > POLAR_CHARGE)
    return np.where(polar, HYDROGEN_BOND_ANGSTROM, least)


def _charge_of(element: str) -> int:
    if element not in FORMAL_CHARGES:
        raise InputError(
            f"{element!r} is no ion of a perovskite; counterions: {', '.join(FORMAL_CHARGES)}"
        )
    return FORMAL_CHARGES[element]


def _make_molecule(
    ligand: Ligand,
    atoms: Atoms,
    description: str,
    charge: int | None = None,
    warnings: tuple[str, ...] = (),
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
        warnings=(*ligand.warnings, *warnings),
        kind="molecule",
        ligand_index=index,
        ligands=(ligand.name,),
    )


def cut_tails(ligand: Ligand, positions: ArrayLike) -> tuple[Atoms, ...]:
    """Cut the head group off a ligand, and close each tail with a hydrogen where it was.

    Phenethylammonium becomes ethylbenzene with its carbons where they were, a dialkylammonium two
    alkanes. Methyl groups at the head are part of it, unless there is nothing else; so is, of a
    zwitterion, what carries the other charge.

    Parameters
    ----------
    ligand
        The ligand: its atoms and bonds.
    positions
        Where its atoms are [Å], shape ``(n_atoms, 3)``, not cut by a periodic cell.

    Returns
    -------
    tuple of Atoms
        Each tail, uncharged and of closed shells, with the added hydrogens last.

    Raises
    ------
    InputError
        The ligand has no tail.
    """
    placed = np.asarray(positions, dtype=float)
    tails = list(_find_tails(ligand))
    if not tails:
        raise InputError(f"{ligand.name} is a head group without a tail; choose another form")
    largest = max(_count_carbons(ligand, tail) for _, tail in tails)
    chosen = [tail for tail in tails if largest == 1 or _count_carbons(ligand, tail[1]) > 1]
    symbols = np.array(ligand.atoms.get_chemical_symbols())
    cut = []
    for roots, members in chosen:
        bonds = placed[ligand.head_atom] - placed[roots]
        bonds /= np.linalg.norm(bonds, axis=1)[:, None]
        caps = placed[roots] + BOND_TO_HYDROGEN_ANGSTROM * bonds
        cut.append(Atoms([*symbols[members], *"H" * len(roots)], [*placed[members], *caps]))
    return tuple(cut)


def _find_tails(ligand: Ligand) -> Iterator[tuple[list[int], list[int]]]:
    """Find what hangs on the head atom by carbon: first carbons, and all atoms, of each tail.

    Closed by hydrogens, an uncharged tail has an even number of electrons; one that carries the
    other charge of a zwitterion has not, and is no tail.
    """
    neighbours = _find_neighbours(ligand)
    left = [n for n in neighbours[ligand.head_atom] if ligand.atoms[n].symbol == "C"]
    while left:
        members, front = {left[0]}, [left[0]]
        while front:
            found = {n for atom in front for n in neighbours[atom]}
            front = sorted(found - members - {ligand.head_atom})
            members.update(front)
        roots = [root for root in left if root in members]
        left = [root for root in left if root not in members]
        if (ligand.atoms.numbers[sorted(members)].sum() + len(roots)) % 2 == 0:
            yield roots, sorted(members)


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
    bonded = _find_neighbours(ligand)[ligand.head_atom]
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
