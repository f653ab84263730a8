"""How the ligands of a surface pack: contacts, ring stacking, chain density.

PHYSICS.md section 6; Mi et al. 2025, SI Note 5: nearest carbons of different PEA 4.41 Å apart, of
truncated DDA less than 4 Å. Ligands are told apart by their numbers; their periodic images count as
other ligands, a ligand's own among them. The surface normal is that of the two periodic directions,
and a ligand is on the top or the bottom by which side of the perovskite its centre lies on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.analysis.ligand_chains import (
    CRYSTALLINE_CHAINS_PER_NM2,
    ChainPair,
    LigandChain,
    find_chain_pairs,
    find_chains,
)
from qdcomp.analysis.molecular_graph import (
    Lattice,
    LigandMolecule,
    Translation,
    assemble_ligands,
    build_lattice,
)
from qdcomp.analysis.ring_stacking import (
    STACKING_LIMITS,
    AromaticRing,
    RingPair,
    find_aromatic_rings,
    find_ring_pairs,
)
from qdcomp.errors import InputError

CLASH_ANGSTROM = 2.8
"""Carbons of different ligands nearer than this [Å] clash: the shortest contacts between carbons
that are not bonded are about 3.3 Å."""

ANGSTROM2_PER_NM2 = 100.0
"""Å² in a nm²."""

NO_SIDE = "none"
"""Side of a ligand where there is no surface."""


@dataclass(frozen=True)
class LigandContact:
    """Nearest carbons of two ligands, or of a ligand and its own image.

    Attributes
    ----------
    ligands
        The two, equal for a ligand and its image.
    atoms
        The carbons, in the structure.
    translation
        Cells by which the second is moved.
    distance_angstrom
        Their distance [Å].
    """

    ligands: tuple[int, int]
    atoms: tuple[int, int]
    translation: tuple[int, int, int]
    distance_angstrom: float


@dataclass(frozen=True, eq=False)
class Packing:
    """Packing of the ligands of one structure.

    Attributes
    ----------
    ligands
        Name of each ligand, its number where it has none.
    sides
        Side of each: ``top``, ``bottom``, or ``none`` without a surface.
    contacts
        Nearest carbons of each pair of ligands of one side, nearest first; one image a pair.
    nearest_carbon_angstrom
        The smallest of them [Å]; None without.
    nearest_per_ligand_angstrom
        Nearest carbon of another ligand, for each ligand [Å], shape ``(n_ligands,)``; NaN without.
    rings, ring_pairs
        Aromatic rings, and the pairs near enough to stack.
    chains, chain_pairs
        Tails, and those that lie beside each other.
    area_angstrom2
        Area of one side [Å²]; None without a surface.
    ligand_density_per_nm2, chain_density_per_nm2
        Ligands and chains per area of each side that carries any [1/nm²]; empty without a surface.
    mean_tilt_deg
        Mean angle of the chains with the outward normal, for each side [degrees]; likewise.
    stacking_limits
        How ring pairs are classified.
    warnings
        What the user should know.
    """

    ligands: tuple[str, ...]
    sides: tuple[str, ...]
    contacts: tuple[LigandContact, ...]
    nearest_carbon_angstrom: float | None
    nearest_per_ligand_angstrom: NDArray[np.float64]
    rings: tuple[AromaticRing, ...]
    ring_pairs: tuple[RingPair, ...]
    chains: tuple[LigandChain, ...]
    chain_pairs: tuple[ChainPair, ...]
    area_angstrom2: float | None
    ligand_density_per_nm2: Mapping[str, float]
    chain_density_per_nm2: Mapping[str, float]
    mean_tilt_deg: Mapping[str, float]
    stacking_limits: str
    warnings: tuple[str, ...]


def compute_packing(
    positions: ArrayLike,
    symbols: Sequence[str],
    cell: ArrayLike | None,
    pbc: Sequence[bool],
    ligand_index: ArrayLike,
    *,
    names: Sequence[str] = (),
    bonds: ArrayLike | None = None,
) -> Packing:
    """Contacts, ring stacking, density and tilt of the ligands of a slab or a dot.

    Parameters
    ----------
    positions
        Cartesian coordinates [Å], shape ``(n_atoms, 3)``; molecules may be cut by the cell.
    symbols
        Elements, one an atom.
    cell
        Cell vectors as rows [Å], shape ``(3, 3)``; None without one.
    pbc
        Along which of them the structure repeats.
    ligand_index
        Ligand of each atom, −1 for none, shape ``(n_atoms,)``.
    names
        Names of ligands 0, 1, …
    bonds
        Pairs of bonded atoms, shape ``(n_bonds, 2)``; found by covalent radii if not given.

    Raises
    ------
    InputError
        If the shapes do not fit, a position is not finite, no atom belongs to a ligand, or a
        periodic direction has no cell vector.
    """
    coordinates, owners = _require_atoms(positions, symbols, ligand_index)
    lattice = build_lattice(cell, pbc)
    ligands = assemble_ligands(coordinates, symbols, lattice, owners, _require_bonds(bonds))
    normal, area = _find_surface(lattice)
    sides = _find_sides(ligands, coordinates[owners < 0], normal)
    chains = find_chains(ligands, sides, normal)
    rings = find_aromatic_rings(ligands)
    contacts = _find_contacts(ligands, sides, lattice)
    density = _count_per_area([chain.side for chain in chains], area)
    labels = tuple(_name(ligand.number, names) for ligand in ligands)
    return Packing(
        ligands=labels,
        sides=sides,
        contacts=contacts,
        nearest_carbon_angstrom=contacts[0].distance_angstrom if contacts else None,
        nearest_per_ligand_angstrom=_find_nearest(ligands, contacts),
        rings=rings,
        ring_pairs=find_ring_pairs(rings, lattice),
        chains=chains,
        chain_pairs=find_chain_pairs(chains, lattice),
        area_angstrom2=area,
        ligand_density_per_nm2=_count_per_area(sides, area),
        chain_density_per_nm2=density,
        mean_tilt_deg=_average_tilt(chains),
        stacking_limits=STACKING_LIMITS,
        warnings=_warn(ligands, contacts, chains, density, bool((owners < 0).any()), normal),
    )


def _require_atoms(
    positions: ArrayLike, symbols: Sequence[str], ligand_index: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    coordinates = np.asarray(positions, dtype=np.float64)
    owners = np.asarray(ligand_index, dtype=np.int64)
    if coordinates.shape != (len(symbols), 3) or owners.shape != (len(symbols),):
        raise InputError(
            f"{len(symbols)} elements, positions of shape {coordinates.shape} and ligand numbers "
            f"of shape {owners.shape}; expected one element, vector and number per atom"
        )
    if not np.isfinite(coordinates).all():
        atom = int(np.argmin(np.isfinite(coordinates).all(axis=1)))
        raise InputError(f"the position of atom {atom} (counted from 0) is not finite")
    if (owners < 0).all():
        raise InputError(
            "no atom belongs to a ligand; packing needs a structure whose ligands are numbered "
            "(ligand_index), such as attach_ligands makes"
        )
    return coordinates, owners


def _require_bonds(bonds: ArrayLike | None) -> NDArray[np.int64] | None:
    if bonds is None:
        return None
    pairs = np.asarray(bonds, dtype=np.int64)
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise InputError(f"the bonds have shape {pairs.shape}; expected (n_bonds, 2)")
    return pairs


def _find_surface(lattice: Lattice) -> tuple[NDArray[np.float64] | None, float | None]:
    """Outward normal of the top and area of one side [Å²]; none unless x and y are periodic."""
    if lattice.axes[:2] != (0, 1):
        return None, None
    product = np.cross(lattice.vectors[0], lattice.vectors[1])
    area = float(np.linalg.norm(product))
    return product / area, area


def _find_sides(
    ligands: Sequence[LigandMolecule],
    perovskite: NDArray[np.float64],
    normal: NDArray[np.float64] | None,
) -> tuple[str, ...]:
    if normal is None:
        return (NO_SIDE,) * len(ligands)
    if len(perovskite) == 0:
        return ("top",) * len(ligands)
    middle = float((perovskite @ normal).mean())
    heights = [float((ligand.positions @ normal).mean()) for ligand in ligands]
    return tuple("top" if height >= middle else "bottom" for height in heights)


def _find_contacts(
    ligands: Sequence[LigandMolecule], sides: Sequence[str], lattice: Lattice
) -> tuple[LigandContact, ...]:
    with_carbon = [number for number, ligand in enumerate(ligands) if len(ligand.carbons)]
    contacts = []
    for first in with_carbon:
        for second in with_carbon:
            if second < first or sides[first] != sides[second]:
                continue
            contact = _find_contact(ligands[first], ligands[second], lattice)
            if contact is not None:
                contacts.append(contact)
    return tuple(sorted(contacts, key=lambda contact: contact.distance_angstrom))


def _find_contact(
    ligand: LigandMolecule, other: LigandMolecule, lattice: Lattice
) -> LigandContact | None:
    """Nearest carbons over all images; None for a ligand without images and itself."""
    same = ligand.number == other.number
    differences = (
        other.positions[other.carbons][None, :, :] - ligand.positions[ligand.carbons][:, None, :]
    )
    lengths = np.linalg.norm(differences, axis=-1)
    if same and not lattice.axes:
        return None
    bound = float(np.linalg.norm(lattice.vectors, axis=1).min() if same else lengths.min())
    translations = lattice.list_translations(bound + float(lengths.max()))
    images = [image for image in translations if not (same and image[0] == (0, 0, 0))]
    distance, (row, column), cells = min(
        (_find_nearest_carbons(differences, image) for image in images), key=lambda found: found[0]
    )
    return LigandContact(
        ligands=(ligand.number, other.number),
        atoms=(
            int(ligand.atoms[ligand.carbons[row]]),
            int(other.atoms[other.carbons[column]]),
        ),
        translation=cells,
        distance_angstrom=distance,
    )


def _find_nearest_carbons(
    differences: NDArray[np.float64], image: Translation
) -> tuple[float, tuple[int, int], tuple[int, int, int]]:
    cells, shift = image
    squares = ((differences + shift) ** 2).sum(axis=-1)
    row, column = np.unravel_index(int(np.argmin(squares)), squares.shape)
    return float(np.sqrt(squares[row, column])), (int(row), int(column)), cells


def _find_nearest(
    ligands: Sequence[LigandMolecule], contacts: Sequence[LigandContact]
) -> NDArray[np.float64]:
    """Nearest contact of each ligand; the contacts come nearest first."""
    nearest = np.full(len(ligands), np.nan)
    for place, ligand in enumerate(ligands):
        for contact in contacts:
            if ligand.number in contact.ligands:
                nearest[place] = contact.distance_angstrom
                break
    return nearest


def _count_per_area(sides: Sequence[str], area: float | None) -> dict[str, float]:
    if area is None:
        return {}
    return {side: ANGSTROM2_PER_NM2 * sides.count(side) / area for side in sorted(set(sides))}


def _average_tilt(chains: Sequence[LigandChain]) -> dict[str, float]:
    tilts: dict[str, list[float]] = {}
    for chain in chains:
        if chain.tilt_deg is not None:
            tilts.setdefault(chain.side, []).append(chain.tilt_deg)
    return {side: float(np.mean(values)) for side, values in sorted(tilts.items())}


def _name(number: int, names: Sequence[str]) -> str:
    return names[number] if number < len(names) else str(number)


def _warn(
    ligands: Sequence[LigandMolecule],
    contacts: Sequence[LigandContact],
    chains: Sequence[LigandChain],
    density: Mapping[str, float],
    has_perovskite: bool,
    normal: NDArray[np.float64] | None,
) -> tuple[str, ...]:
    warnings = [warning for ligand in ligands for warning in ligand.warnings]
    if normal is None:
        warnings.append("not periodic along x and y: no side, density or tilt")
    elif not has_perovskite:
        warnings.append("no perovskite below the ligands: all of them are counted as on top")
    if not contacts:
        warnings.append("no pair of ligands with carbon on one side: no contact")
    warnings += [
        f"carbons {contact.atoms[0]} and {contact.atoms[1]} of ligands {contact.ligands[0]} and "
        f"{contact.ligands[1]} are {contact.distance_angstrom:.2f} Å apart: they clash; "
        "relax the structure"
        for contact in contacts
        if contact.distance_angstrom < CLASH_ANGSTROM
    ]
    if not chains:
        warnings.append("no ligand has a tail of two carbons or more")
    warnings += [
        f"{value:.2f} chains/nm² on the {side}: denser than crystalline chains, "
        f"{CRYSTALLINE_CHAINS_PER_NM2:g} chains/nm²"
        for side, value in density.items()
        if value > CRYSTALLINE_CHAINS_PER_NM2
    ]
    return tuple(warnings)
