"""Molecules cut out of a full layer of ligands, uncharged, for the energies between neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.recipes.study_files.surface_schema import SurfaceStudy
from qdcomp.recipes.study_files.surface_structures import build_study_slab, load_study_ligand
from qdcomp.structures import Ligand, Structure, cut_tails, remove_proton

CLUSTER = "cluster"
"""All molecules together, where there are more than two."""

IMAGES = (-1, 0, 1)
"""Periodic images that neighbours are looked for in, along x and y."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PlacedLigand:
    """A ligand of the layer, or an image of one.

    Attributes
    ----------
    number
        Number of the ligand.
    shift
        Lattice vector that it is moved by [Å], shape ``(3,)``.
    """

    number: int
    shift: Vector


def name_monomer(number: int) -> str:
    """Name of molecule `number`; 0 is the one whose neighbours are looked at."""
    return f"molecule_{number}"


def name_pair(number: int) -> str:
    """Name of molecule 0 together with its neighbour `number`."""
    return f"pair_0_{number}"


def name_scan(index: int) -> str:
    """Name of the pair with its nearest neighbour at one displacement of the scan."""
    return f"scan_{index:02d}"


def name_molecules(study: SurfaceStudy) -> tuple[str, ...]:
    """Names of everything that is cut out, in the order it is computed."""
    numbers = range(study.pair.neighbours + 1)
    several = (CLUSTER,) if study.pair.neighbours > 1 else ()
    return (
        *(name_monomer(number) for number in numbers),
        *(name_pair(number) for number in numbers[1:]),
        *several,
        *(name_scan(index) for index in range(len(study.pair.displacements_angstrom))),
    )


def cut_molecules(
    study: SurfaceStudy, layer: Structure, chosen_in: Structure | None = None
) -> dict[str, Structure]:
    """Cut molecules out of a layer, alone, in pairs, all together and along the scan.

    Parameters
    ----------
    study
        A study of neighbours.
    layer
        The layer, as built or as relaxed.
    chosen_in
        Layer that the neighbours are chosen in, so that relaxing does not change who they are;
        None takes `layer`.

    Raises
    ------
    InputError
        The ligand cannot be made neutral in the form asked for, it has fewer neighbours than
        asked for, or a displacement moves a molecule into its neighbour or through it.
    """
    molecules = _cut(study, layer, chosen_in or layer)
    first, others = molecules[0], molecules[1:]
    cut = {name_monomer(number): [atoms] for number, atoms in enumerate(molecules)}
    cut |= {name_pair(number): [first, atoms] for number, atoms in enumerate(others, start=1)}
    if len(others) > 1:
        cut[CLUSTER] = molecules
    for index, moved in enumerate(_displace(study, first, others[0])):
        cut[name_scan(index)] = [first, moved]
    return {name: _make_structure(study, name, parts) for name, parts in cut.items()}


def measure_scan(study: SurfaceStudy, layer: Structure, chosen_in: Structure) -> list[float]:
    """Distance of the centres of the two nearest molecules at each point of the scan [Å]."""
    first, nearest = _cut(study, layer, chosen_in)[:2]
    return [
        float(np.linalg.norm(_centre(moved) - _centre(first)))
        for moved in _displace(study, first, nearest)
    ]


def _displace(study: SurfaceStudy, first: Atoms, second: Atoms) -> list[Atoms]:
    """Move the second molecule along the line from the first, by each displacement."""
    line = _centre(second) - _centre(first)
    apart = float(np.linalg.norm(line))
    moved = []
    for distance in study.pair.displacements_angstrom:
        if apart + distance <= 0.0:
            raise InputError(
                f"pair.displacements: {distance:g} angstrom moves a molecule through its "
                f"neighbour, {apart:.2f} angstrom from centre to centre; write displacements "
                f"above {-apart:.2f} angstrom"
            )
        atoms = second.copy()
        atoms.positions += distance * line / apart
        if distance < 0.0:
            _check_overlap(first, atoms, distance)
        moved.append(atoms)
    return moved


def _check_overlap(first: Atoms, moved: Atoms, distance: float) -> None:
    """Refuse atoms of two molecules that are nearer than if they were bonded."""
    apart = np.linalg.norm(first.positions[:, None] - moved.positions[None], axis=2)
    bonds = covalent_radii[first.numbers][:, None] + covalent_radii[moved.numbers][None]
    one, other = np.unravel_index(int(np.argmin(apart - bonds)), apart.shape)
    if apart[one, other] < bonds[one, other]:
        raise InputError(
            f"pair.displacements: {distance:g} angstrom moves a molecule into its neighbour, "
            f"{first.symbols[one]} to {apart[one, other]:.2f} angstrom from "
            f"{moved.symbols[other]}, where a bond has {bonds[one, other]:.2f}; move it less far"
        )


def _centre(atoms: Atoms) -> Vector:
    """Mean position of the heavy atoms [Å], shape ``(3,)``."""
    heavy = atoms.numbers > 1
    return np.asarray(atoms.positions[heavy].mean(axis=0))


def _cut(study: SurfaceStudy, layer: Structure, chosen_in: Structure) -> list[Atoms]:
    """Cut out the first ligand and its neighbours, nearest first."""
    wanted = study.pair.neighbours
    if study.pair.form == "tail" and len(_cut_form(study, layer, PlacedLigand(0, np.zeros(3)))) > 1:
        return _cut_chains(study, layer, chosen_in, wanted)
    found = _find_neighbours(chosen_in)
    _check_count(len(found), wanted, "ligand")
    placed = [PlacedLigand(0, np.zeros(3)), *found[:wanted]]
    return [_cut_form(study, layer, entry)[0] for entry in placed]


def _cut_chains(
    study: SurfaceStudy, layer: Structure, chosen_in: Structure, wanted: int
) -> list[Atoms]:
    """Cut out one chain of a ligand of several, and the nearest chains of other ligands."""
    chosen = [
        (entry, index)
        for entry in _find_neighbours(chosen_in)
        for index in range(len(_cut_form(study, chosen_in, entry)))
    ]
    _check_count(len(chosen), wanted, "chain")
    first = _cut_form(study, chosen_in, PlacedLigand(0, np.zeros(3)))[0]
    distances = [
        _shortest(first, _cut_form(study, chosen_in, entry)[index]) for entry, index in chosen
    ]
    order = np.argsort(np.round(distances, 4), kind="stable")[:wanted]
    return [
        _cut_form(study, layer, PlacedLigand(0, np.zeros(3)))[0],
        *(_cut_form(study, layer, chosen[rank][0])[chosen[rank][1]] for rank in order),
    ]


def _check_count(found: int, wanted: int, what: str) -> None:
    if found < wanted:
        raise InputError(
            f"pair.neighbours: {wanted} are asked for, and a {what} of this layer has {found} on "
            "its side; ask for fewer, or repeat the surface cell more often"
        )


def _find_neighbours(layer: Structure) -> list[PlacedLigand]:
    """Find the other ligands on the side of the first one, images among them, nearest first."""
    atoms = layer.atoms
    perovskite = atoms.positions[layer.ligand_index < 0, 2].mean()
    mine = atoms[layer.ligand_index == 0]
    upper = mine.positions[:, 2].mean() > perovskite
    found: list[tuple[float, PlacedLigand]] = []
    for number in range(len(layer.ligands)):
        theirs = atoms[layer.ligand_index == number]
        if (theirs.positions[:, 2].mean() > perovskite) != upper:
            continue
        for first in IMAGES:
            for second in IMAGES:
                shift = first * atoms.cell[0] + second * atoms.cell[1]
                if number == 0 and first == second == 0:
                    continue
                moved = theirs.copy()
                moved.positions += shift
                found.append((round(_shortest(mine, moved), 4), PlacedLigand(number, shift)))
    found.sort(key=lambda entry: (entry[0], entry[1].number))
    return [entry for _, entry in found]


def _shortest(first: Atoms, second: Atoms) -> float:
    apart = first.positions[:, None] - second.positions[None]
    return float(np.linalg.norm(apart, axis=2).min())


def _cut_form(study: SurfaceStudy, layer: Structure, entry: PlacedLigand) -> tuple[Atoms, ...]:
    """Cut a ligand out in the form that the study asks for: a molecule, or a tail each."""
    ligand = load_study_ligand(study)
    positions = layer.atoms.positions[layer.ligand_index == entry.number] + entry.shift
    if study.pair.form == "tail":
        return cut_tails(ligand, positions)
    if study.pair.form == "amine":
        return (remove_proton(ligand, positions),)
    return (_add_counterion(study, layer, ligand, positions, entry),)


def _add_counterion(
    study: SurfaceStudy, layer: Structure, ligand: Ligand, positions: Vector, entry: PlacedLigand
) -> Atoms:
    """Put the anion that belongs to the ligand's site beside it, the nearest image."""
    slab = build_study_slab(study)
    site = slab.sites[entry.number]
    gone = sum(other.cation < site.anion for other in slab.sites)
    bare = layer.atoms.positions[site.anion - gone]
    images = [
        bare + first * layer.atoms.cell[0] + second * layer.atoms.cell[1]
        for first in (*IMAGES, -2, 2)
        for second in (*IMAGES, -2, 2)
    ]
    head = positions[ligand.head_atom]
    nearest = min(images, key=lambda image: round(float(np.linalg.norm(image - head)), 4))
    symbol = slab.structure.atoms[site.anion].symbol
    return Atoms([*ligand.atoms.get_chemical_symbols(), symbol], positions=[*positions, nearest])


def _make_structure(study: SurfaceStudy, name: str, parts: list[Atoms]) -> Structure:
    atoms = parts[0].copy()
    for part in parts[1:]:
        atoms += part
    n_atoms = len(atoms)
    index = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return Structure(
        atoms=atoms,
        charge=0,
        charge_policy="formal",
        depth_cells=np.full(n_atoms, np.nan),
        frozen=np.zeros(n_atoms, dtype=bool),
        edge_angstrom=0.0,
        cells=0,
        composition=atoms.get_chemical_formula("hill"),
        description=f"{name}: {len(parts)} × {study.pair.form} of {study.ligand.name}",
        kind="molecule",
        ligand_index=index.astype(np.int64),
        ligands=(study.ligand.name,) * len(parts),
    )
