"""Ligands: from a name, a SMILES or a file to a molecule with its head group and a geometry."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from ase import Atoms
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.resources import is_file
from qdcomp.structures.conformers import (
    Conformer,
    ConformerChoice,
    choose_conformer,
    measure_extended_length,
)
from qdcomp.structures.head_groups import HeadGroup, Site, find_head_group
from qdcomp.structures.molecule_input import (
    FILE_ENDINGS,
    MAX_SMILES,
    check_molecule,
    explain_smiles,
    parse_smiles,
    read_molecule,
)

TRUNCATIONS = range(1, 9)
"""Carbons of each tail of the truncated DDA, ``DDA_C1`` to ``DDA_C8``."""

EQUAL_MOMENTS = (1e-2, 1e-4)
"""Relative differences below which moments of inertia are equal, in the search for symmetry: wide
for geometries that are not fully relaxed, narrow for chains, which are nearly symmetric tops."""

SITE_CHARGES: dict[Site, int] = {"A": 1, "X": -1, "AX": 0}
"""Charge that a ligand must have for its site [e]."""


@dataclass(frozen=True)
class LigandEntry:
    """A ligand of the library.

    Attributes
    ----------
    name, description
        What it is called.
    smiles
        Its structure.
    site
        ``A``, ``X`` or ``AX``.
    source
        Where it is used.
    aliases
        Other names that it is found by, besides its description.
    """

    name: str
    smiles: str
    description: str
    site: Site
    source: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class LigandSummary:
    """What a table of ligands shows.

    Attributes
    ----------
    formula
        Chemical formula, with the charge.
    charge
        Total charge [e].
    head_group
        Kind of head group.
    length_angstrom
        Distance of the head atom from the furthest atom of the extended ligand [Å].
    """

    formula: str
    charge: int
    head_group: str
    length_angstrom: float


@dataclass(frozen=True, eq=False)
class Ligand:
    """A ligand with one geometry.

    Attributes
    ----------
    name
        Name in the library, or what it was asked for by.
    smiles
        Its structure; empty where only a geometry is known.
    charge
        Total charge [e].
    formula
        Chemical formula, with the charge.
    head_group
        Kind of head group, ``primary ammonium``.
    site
        Site that it takes: ``A``, ``X``, or both for a zwitterion, ``AX``.
    atoms
        The molecule, its head atom at the origin, without a cell.
    head_atom
        Atom that takes the site.
    bonds
        Pairs of bonded atoms, shape ``(n_bonds, 2)``.
    symmetry_number
        External rotational symmetry number of this geometry as a rigid body; rotations inside
        the molecule, of a methyl group for example, do not enter.
    length_angstrom
        Distance of the head atom from the atom furthest from it [Å].
    conformer
        Where the geometry comes from.
    conformer_energy_ev
        Its energy by that method [eV]; None where the geometry was given.
    partial_charges
        Partial charges of MMFF94 [e], shape ``(n_atoms,)``, from which a counterion finds its
        place; zero where MMFF94 has no parameters.
    source
        Where the ligand is used.
    description
        What it is.
    warnings
        What the user should know.
    """

    name: str
    smiles: str
    charge: int
    formula: str
    head_group: str
    site: Site
    atoms: Atoms
    head_atom: int
    bonds: NDArray[np.int64]
    symmetry_number: int
    length_angstrom: float
    conformer: str
    conformer_energy_ev: float | None
    partial_charges: NDArray[np.float64]
    source: str
    description: str
    warnings: tuple[str, ...] = ()


@cache
def list_ligands() -> tuple[LigandEntry, ...]:
    """List the library, the truncations of DDA after DDA."""
    text = files("qdcomp.structures").joinpath("ligand_library.yaml").read_text(encoding="utf-8")
    entries: list[LigandEntry] = []
    for name, fields in yaml.safe_load(text).items():
        aliases = tuple(fields.pop("aliases", ()))
        entries.append(LigandEntry(name, **fields, aliases=aliases))
        if name == "DDA":
            entries.extend(_truncate(length) for length in TRUNCATIONS)
    return tuple(entries)


def _truncate(length: int) -> LigandEntry:
    tail = "C" * length
    return LigandEntry(
        name=f"DDA_C{length}",
        smiles=f"{tail}[N+](C)(C){tail}",
        description=f"DDA with its tails cut to {length} carbon{'s' if length > 1 else ''} each",
        site="A",
        source="Mi et al. 2025, SI Note 3, whose truncation has no length",
    )


def load_ligand(
    name: str | Path,
    *,
    charge: int | None = None,
    seed: int = 1,
    conformer: ConformerChoice = "lowest",
) -> Ligand:
    """Load a ligand by its name in the library, by a SMILES, or from a file.

    Parameters
    ----------
    name
        ``PEA``, ``[NH3+]CCc1ccccc1``, or the path of an xyz, sdf or mol file with its hydrogens.
    charge
        Total charge [e]; needed for an xyz file that does not say it, else checked.
    seed
        Seed of the conformers; the same seed gives the same geometry.
    conformer
        ``lowest``, ``extended`` or ``xtb``; not used for files.

    Raises
    ------
    InputError
        The name is unknown, the SMILES cannot be read, there is no head group, or the charge is
        not that of the site of the head group.
    ParseError
        The file cannot be read.
    """
    text = str(name)
    if text.lower().endswith(FILE_ENDINGS):
        return _load_file(Path(text), charge)
    if is_file(text):
        raise InputError(
            f"{text} is a file of an unknown kind; expected one of {', '.join(FILE_ENDINGS)}"
        )
    entry = _find_entry(text)
    if entry is not None:
        return _load_smiles(entry, charge, seed, conformer)
    if re.fullmatch(r"[\w-]*", text) and not _reads_as_smiles(text):
        raise InputError(_describe_unknown(text))
    plain = LigandEntry(text, text, "given as SMILES", "A", "")
    return _load_smiles(plain, charge, seed, conformer)


def _find_entry(text: str) -> LigandEntry | None:
    for entry in list_ligands():
        names = (entry.name, entry.description, *entry.aliases)
        if text.lower() in (name.lower() for name in names):
            return entry
    return None


def _reads_as_smiles(text: str) -> bool:
    from rdkit import Chem, rdBase

    if len(text) > MAX_SMILES:
        return True  # and `parse_smiles` says that it is too long to be read
    with rdBase.BlockLogs():
        return Chem.MolFromSmiles(text) is not None


def _describe_unknown(text: str) -> str:
    names = [entry.name for entry in list_ligands()]
    near = difflib.get_close_matches(text, names, n=1, cutoff=0.3)
    hint = f" Did you mean {near[0]}?" if near else ""
    return (
        f"there is no ligand {text!r}, and it is not a SMILES: {explain_smiles(text)}.{hint} "
        f"Ligands: {', '.join(names)}; or give a SMILES with its charge, like [NH3+]CCc1ccccc1, "
        "or an xyz, sdf or mol file"
    )


def _load_smiles(
    entry: LigandEntry, charge: int | None, seed: int, conformer: ConformerChoice
) -> Ligand:
    molecule = parse_smiles(entry.smiles)
    check_molecule(molecule, entry.name, charge)
    group, head = find_head_group(molecule, entry.name)
    _check_site(entry.name, molecule, group)
    found = choose_conformer(molecule, head, conformer, seed)
    return _make_ligand(entry, molecule, group, head, found)


def _load_file(path: Path, charge: int | None) -> Ligand:
    molecule = read_molecule(path, charge)
    name = path.stem
    check_molecule(molecule, name, charge)
    group, head = find_head_group(molecule, name)
    _check_site(name, molecule, group)
    positions = np.array(molecule.GetConformer().GetPositions(), dtype=np.float64)
    found = Conformer(positions - positions[head], float("nan"), f"geometry of {path.name}")
    entry = LigandEntry(name, "", f"read from {path.name}", group.site, "")
    return _make_ligand(entry, molecule, group, head, found)


def _check_site(name: str, molecule: Any, group: HeadGroup) -> None:
    from rdkit.Chem import GetFormalCharge

    charge = GetFormalCharge(molecule)
    if charge != SITE_CHARGES[group.site]:
        raise InputError(
            f"{name} has the charge {charge:+d} e, and its head group ({group.name}) takes the "
            f"{group.site} site, which needs {SITE_CHARGES[group.site]:+d} e"
        )


def summarise_ligand(entry: LigandEntry) -> LigandSummary:
    """Say what can be known of a ligand of the library without relaxing it."""
    from rdkit import Chem
    from rdkit.Chem.rdMolDescriptors import CalcMolFormula

    molecule = parse_smiles(entry.smiles)
    group, head = find_head_group(molecule, entry.name)
    return LigandSummary(
        formula=CalcMolFormula(molecule),
        charge=Chem.GetFormalCharge(molecule),
        head_group=group.name,
        length_angstrom=measure_extended_length(molecule, head),
    )


def _make_ligand(
    entry: LigandEntry, molecule: Any, group: HeadGroup, head: int, found: Conformer
) -> Ligand:
    from rdkit import Chem
    from rdkit.Chem.rdMolDescriptors import CalcMolFormula

    atoms = Atoms([atom.GetSymbol() for atom in molecule.GetAtoms()], positions=found.positions)
    bonds = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in molecule.GetBonds()]
    given = not np.isfinite(found.energy_ev)
    return Ligand(
        name=entry.name,
        smiles=entry.smiles or Chem.MolToSmiles(Chem.RemoveHs(molecule)),
        charge=Chem.GetFormalCharge(molecule),
        formula=CalcMolFormula(molecule),
        head_group=group.name,
        site=group.site,
        atoms=atoms,
        head_atom=head,
        bonds=np.array(bonds, dtype=np.int64).reshape(-1, 2),
        symmetry_number=_find_symmetry_number(atoms),
        length_angstrom=float(np.linalg.norm(found.positions, axis=1).max()),
        conformer=found.method,
        conformer_energy_ev=None if given else found.energy_ev,
        partial_charges=_find_partial_charges(molecule),
        source=entry.source,
        description=entry.description,
    )


def _find_partial_charges(molecule: Any) -> NDArray[np.float64]:
    """Partial charges of MMFF94 [e], zero where it has no parameters, shape ``(n_atoms,)``."""
    from rdkit.Chem.rdForceFieldHelpers import MMFFGetMoleculeProperties

    properties = MMFFGetMoleculeProperties(molecule)
    if properties is None:
        return np.zeros(molecule.GetNumAtoms())
    numbers = range(molecule.GetNumAtoms())
    return np.array([properties.GetMMFFPartialCharge(number) for number in numbers])


def _find_symmetry_number(atoms: Atoms) -> int:
    """External rotational symmetry number of the rigid geometry, by pymatgen's point group.

    It is the number of rotations that turn the geometry as it is into itself, within 0.1 Å;
    methyl groups that could turn inside the molecule do not enter. Where two moments of inertia
    are equal by chance pymatgen looks for rotations about the third axis alone, so that it is
    asked again with a narrower tolerance of moments; every rotation that it finds is one.
    """
    from pymatgen.core import Molecule
    from pymatgen.symmetry.analyzer import PointGroupAnalyzer

    molecule = Molecule(atoms.get_chemical_symbols(), atoms.positions)
    return max(
        int(PointGroupAnalyzer(molecule, 0.1, tolerance).get_rotational_symmetry_number())
        for tolerance in EQUAL_MOMENTS
    )
