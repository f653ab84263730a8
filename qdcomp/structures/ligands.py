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
from ase.io import read
from numpy.typing import NDArray

from qdcomp.errors import InputError, ParseError
from qdcomp.structures.conformers import Conformer, ConformerChoice, choose_conformer
from qdcomp.structures.head_groups import Site, find_head_group

FILE_ENDINGS = (".xyz", ".extxyz", ".sdf", ".mol")

TRUNCATIONS = range(1, 9)
"""Carbons of each tail of the truncated DDA, ``DDA_C1`` to ``DDA_C8``."""

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
    """

    name: str
    smiles: str
    description: str
    site: Site
    source: str


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
        Rotational symmetry number of this geometry.
    length_angstrom
        Distance of the head atom from the atom furthest from it [Å].
    conformer
        Where the geometry comes from.
    conformer_energy_ev
        Its energy by that method [eV]; None where the geometry was given.
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
    source: str
    description: str
    warnings: tuple[str, ...] = ()


@cache
def list_ligands() -> tuple[LigandEntry, ...]:
    """List the library, the truncations of DDA after DDA."""
    text = files("qdcomp.structures").joinpath("ligand_library.yaml").read_text(encoding="utf-8")
    entries: list[LigandEntry] = []
    for name, fields in yaml.safe_load(text).items():
        entries.append(LigandEntry(name, **fields))
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
        source="truncated DDA, Mi et al. 2025, SI Note 3 (which does not say how far)",
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
        Total charge of a ligand from an xyz file [e], which does not say it.
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
    if text.endswith(FILE_ENDINGS):
        return _load_file(Path(text), charge)
    entry = next((entry for entry in list_ligands() if entry.name.lower() == text.lower()), None)
    if entry is not None:
        return _load_smiles(entry, charge, seed, conformer)
    if re.fullmatch(r"[A-Za-z]\w*", text) and not _reads_as_smiles(text):
        raise InputError(_describe_unknown(text))
    plain = LigandEntry(text, text, "given as SMILES", "A", "")
    return _load_smiles(plain, charge, seed, conformer)


def _describe_unknown(text: str) -> str:
    names = [entry.name for entry in list_ligands()]
    near = difflib.get_close_matches(text, names, n=1, cutoff=0.3)
    hint = f"; did you mean {near[0]}?" if near else ""
    return (
        f"there is no ligand {text!r}{hint} Ligands: {', '.join(names)}; or give a SMILES with its "
        "charge, like [NH3+]CCc1ccccc1, or an xyz, sdf or mol file"
    )


def _reads_as_smiles(text: str) -> bool:
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        return Chem.MolFromSmiles(text) is not None


def _load_smiles(
    entry: LigandEntry, charge: int | None, seed: int, conformer: ConformerChoice
) -> Ligand:
    from rdkit import Chem

    molecule = Chem.AddHs(_parse_smiles(entry.smiles))
    _check_molecule(molecule, entry.name, charge)
    group, head = find_head_group(molecule, entry.name)
    found = choose_conformer(molecule, head, conformer, seed)
    return _make_ligand(entry, molecule, group.name, group.site, head, found)


def _parse_smiles(smiles: str) -> Any:
    from rdkit import Chem, rdBase

    rdBase.LogToPythonStderr()
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
        if molecule is None:
            problem = _explain(smiles)
            raise InputError(f"{smiles!r} is not a SMILES: {problem}")
    return molecule


def _explain(smiles: str) -> str:
    """Say what RDKit dislikes: the grammar, or a valence."""
    from rdkit import Chem

    molecule = Chem.MolFromSmiles(smiles, sanitize=False)
    if molecule is None:
        return "brackets, ring numbers or an element are wrong; check it, or give a file"
    try:
        Chem.SanitizeMol(molecule)
    except ValueError as error:
        return f"{str(error).strip()}; is a charge missing, as in [NH3+]?"
    return "it cannot be read"


def _check_molecule(molecule: Any, name: str, charge: int | None) -> None:
    from rdkit import Chem

    if len(Chem.GetMolFrags(molecule)) > 1:
        raise InputError(
            f"{name} is more than one molecule, like a salt; give the ion that binds alone"
        )
    own = Chem.GetFormalCharge(molecule)
    if charge is not None and charge != own:
        raise InputError(f"{name} has the charge {own:+d} e, and {charge:+d} e was asked for")
    if any(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms()):
        raise InputError(f"{name} is a radical: it has an odd electron; check its hydrogens")
    electrons = sum(atom.GetAtomicNum() for atom in molecule.GetAtoms()) - own
    if electrons % 2:
        raise InputError(
            f"{name} has {electrons} electrons, an odd number; check its charge and hydrogens"
        )


def _load_file(path: Path, charge: int | None) -> Ligand:
    if not path.is_file():
        raise InputError(f"no file {path}; give an xyz, sdf or mol file of the ligand")
    molecule = _read_molecule(path, charge)
    name = path.stem
    _check_molecule(molecule, name, charge)
    group, head = find_head_group(molecule, name)
    positions = np.array(molecule.GetConformer().GetPositions(), dtype=np.float64)
    found = Conformer(positions - positions[head], float("nan"), f"geometry of {path.name}")
    entry = LigandEntry(name, "", f"read from {path.name}", group.site, "")
    return _make_ligand(entry, molecule, group.name, group.site, head, found)


def _read_molecule(path: Path, charge: int | None) -> Any:
    from rdkit import Chem, rdBase
    from rdkit.Chem import rdDetermineBonds

    with rdBase.BlockLogs():
        if path.suffix in (".sdf", ".mol"):
            molecule = Chem.MolFromMolFile(str(path), removeHs=False)
            if molecule is None or molecule.GetNumConformers() == 0:
                raise ParseError("not a molecule in the mol format, with coordinates", path)
            return molecule
        if charge is None:
            raise InputError(f"{path} does not say the charge of the ligand; give it: charge: 1")
        try:
            atoms = read(path)
            block = f"{len(atoms)}\n\n" + "\n".join(
                f"{symbol} {x:.8f} {y:.8f} {z:.8f}"
                for symbol, (x, y, z) in zip(atoms.symbols, atoms.positions, strict=True)
            )
            molecule = Chem.MolFromXYZBlock(block)
            rdDetermineBonds.DetermineBonds(molecule, charge=charge)
        except Exception as error:  # ASE and RDKit raise many kinds of error on a broken file
            raise ParseError(
                f"cannot be read as a molecule of charge {charge:+d} e ({error})", path
            ) from error
        return molecule


def _make_ligand(
    entry: LigandEntry, molecule: Any, head_group: str, site: Site, head: int, found: Conformer
) -> Ligand:
    from rdkit import Chem
    from rdkit.Chem.rdMolDescriptors import CalcMolFormula

    charge = Chem.GetFormalCharge(molecule)
    if charge != SITE_CHARGES[site]:
        raise InputError(
            f"{entry.name} has the charge {charge:+d} e, and its head group ({head_group}) takes "
            f"the {site} site, which needs {SITE_CHARGES[site]:+d} e"
        )
    atoms = Atoms([atom.GetSymbol() for atom in molecule.GetAtoms()], positions=found.positions)
    bonds = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in molecule.GetBonds()]
    given = not np.isfinite(found.energy_ev)
    return Ligand(
        name=entry.name,
        smiles=entry.smiles or Chem.MolToSmiles(Chem.RemoveHs(molecule)),
        charge=charge,
        formula=CalcMolFormula(molecule),
        head_group=head_group,
        site=site,
        atoms=atoms,
        head_atom=head,
        bonds=np.array(bonds, dtype=np.int64).reshape(-1, 2),
        symmetry_number=_find_symmetry_number(atoms),
        length_angstrom=float(np.linalg.norm(found.positions, axis=1).max()),
        conformer=found.method,
        conformer_energy_ev=None if given else found.energy_ev,
        source=entry.source,
        description=entry.description,
    )


def _find_symmetry_number(atoms: Atoms) -> int:
    """Rotational symmetry number of the geometry as it is, by pymatgen's point group."""
    from pymatgen.core import Molecule
    from pymatgen.symmetry.analyzer import PointGroupAnalyzer

    molecule = Molecule(atoms.get_chemical_symbols(), atoms.positions)
    return int(PointGroupAnalyzer(molecule, tolerance=0.1).get_rotational_symmetry_number())
