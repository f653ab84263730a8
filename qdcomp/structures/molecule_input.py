"""Molecules of RDKit from a SMILES or a file, refused where they can be no ligand."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.io import read

from qdcomp.errors import InputError, ParseError
from qdcomp.resources import is_file

FILE_ENDINGS = (".xyz", ".extxyz", ".sdf", ".mol")

MAX_SMILES = 1000
"""Longest SMILES that is read, in characters."""

MAX_ATOMS = 500
"""Largest ligand, hydrogens counted: finding the geometry of a larger one takes many minutes."""


def parse_smiles(smiles: str) -> Any:
    """Read a SMILES and add its hydrogens.

    Raises
    ------
    InputError
        It cannot be read: the message says where, as far as RDKit knows.
    """
    from rdkit import Chem, rdBase

    if len(smiles) > MAX_SMILES:
        raise InputError(
            f"the SMILES has {len(smiles)} characters, at most {MAX_SMILES} are read; is it one "
            "ligand?"
        )
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        raise InputError(f"{smiles!r} is not a SMILES: {explain_smiles(smiles)}")
    if molecule.GetNumAtoms() == 0:
        raise InputError("the SMILES is empty; give one like [NH3+]CCc1ccccc1")
    molecule = Chem.AddHs(molecule)
    _check_size(molecule.GetNumAtoms(), "the SMILES")
    return molecule


def _check_size(atoms: int, place: str) -> None:
    if atoms > MAX_ATOMS:
        raise InputError(
            f"{place} has {atoms} atoms, and a ligand at most {MAX_ATOMS}; shorten its chains, or "
            "build the structure elsewhere"
        )


def explain_smiles(smiles: str) -> str:
    """Say what RDKit dislikes in a SMILES, and where: the grammar, or a valence."""
    from rdkit import Chem

    with _collect_logs() as messages:
        Chem.MolFromSmiles(smiles)
    first = messages[0].removeprefix("SMILES Parse Error: ") if messages else "it cannot be read"
    place = [text.rpartition(" ")[2].rstrip(":") for text in messages if "around position" in text]
    if place:
        position = int(place[0])
        kind = first.partition(" while parsing")[0].partition(" for input")[0]
        return f"{kind} at character {position}, {smiles[position - 1 : position]!r}"
    if "valence" in first:
        return f"{first}; atoms are counted from 0. Is a charge missing, as in [NH3+]?"
    return first.partition(" for input")[0]


@contextmanager
def _collect_logs() -> Iterator[list[str]]:
    """Collect what RDKit logs, without its time, instead of showing it."""
    from rdkit import rdBase

    messages: list[str] = []

    def keep(record: logging.LogRecord) -> bool:
        messages.append(record.getMessage().partition("] ")[2].strip())
        return False

    logger = logging.getLogger("rdkit")
    logger.addFilter(keep)
    rdBase.LogToPythonLogger()
    try:
        yield messages
    finally:
        rdBase.LogToCppStreams()
        logger.removeFilter(keep)


def check_molecule(molecule: Any, name: str, charge: int | None) -> None:
    """Check that a molecule is one closed-shell molecule of the charge asked for.

    Raises
    ------
    InputError
        It is a salt, a radical, or has another charge.
    """
    from rdkit import Chem

    fragments = Chem.GetMolFrags(molecule, asMols=True, sanitizeFrags=False)
    if len(fragments) > 1:
        ions = " and ".join(Chem.MolToSmiles(Chem.RemoveHs(part)) for part in fragments)
        raise InputError(
            f"{name} is more than one molecule, like a salt: {ions}; give the ion that binds alone"
        )
    own = Chem.GetFormalCharge(molecule)
    if charge is not None and charge != own:
        raise InputError(f"{name} has the charge {own:+d} e, and {charge:+d} e was asked for")
    if any(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms()):
        raise InputError(f"{name} is a radical: it has an odd electron; check its hydrogens")
    check_electrons(sum(atom.GetAtomicNum() for atom in molecule.GetAtoms()), own, name)


def check_electrons(nuclear_charge: int, charge: int, name: str) -> None:
    """Check that a molecule has an even number of electrons.

    Raises
    ------
    InputError
        The number is odd.
    """
    electrons = nuclear_charge - charge
    if electrons % 2:
        raise InputError(
            f"{name} with the charge {charge:+d} e has {electrons} electrons, an odd number; "
            "check its charge and hydrogens"
        )


def read_molecule(path: Path, charge: int | None) -> Any:
    """Read a molecule with its coordinates and hydrogens.

    Parameters
    ----------
    path
        An xyz, extxyz, sdf or mol file.
    charge
        Total charge [e]; needed for an xyz file that does not say it.

    Raises
    ------
    InputError
        There is no file, its charge is not known, or it has an odd number of electrons.
    ParseError
        The file cannot be read.
    """
    from rdkit import Chem, rdBase

    if not is_file(path):
        raise InputError(f"no file {path}; give an xyz, sdf or mol file of the ligand")
    if path.suffix.lower() not in (".sdf", ".mol"):
        return _read_xyz(path, charge)
    with rdBase.BlockLogs():
        molecule = Chem.MolFromMolFile(str(path), removeHs=False)
    if molecule is None or molecule.GetNumConformers() == 0:
        raise ParseError("not a molecule in the mol format, with coordinates", path)
    _check_size(molecule.GetNumAtoms(), str(path))
    if any(atom.GetTotalNumHs() for atom in molecule.GetAtoms()):
        raise ParseError("hydrogens are missing; write all of them with coordinates", path)
    return molecule


def _read_xyz(path: Path, charge: int | None) -> Any:
    """Read an xyz file; bonds follow from distances and the charge."""
    from rdkit import Chem, rdBase
    from rdkit.Chem import rdDetermineBonds

    try:
        atoms = read(path, format="extxyz")  # else ASE goes by the content, and reads anything
    except Exception as error:  # ASE raises many kinds of error on a broken file
        raise ParseError(f"cannot be read as xyz ({error})", path) from error
    _check_size(len(atoms), str(path))
    total = atoms.info.get("charge") if charge is None else charge
    if total is None:
        raise InputError(
            f"{path} does not say the charge of the ligand; give it: charge: 1 in a study, "
            "--charge 1 on the command line"
        )
    total = _read_charge(total, path)
    check_electrons(int(atoms.numbers.sum()), total, path.name)
    with rdBase.BlockLogs():
        try:
            molecule = Chem.MolFromXYZBlock(_write_xyz_block(atoms))
            rdDetermineBonds.DetermineBonds(molecule, charge=total)
        except Exception as error:  # RDKit raises ValueError, RuntimeError and its own
            raise ParseError(
                f"no bonds are found for a molecule of charge {total:+d} e ({error}); are the "
                "charge and all hydrogens right?",
                path,
            ) from error
    return molecule


def _read_charge(given: Any, path: Path) -> int:
    """Charge of a comment line, which may hold anything."""
    try:
        if float(given) == int(given):
            return int(given)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ParseError(f"charge={str(given)[:40]} is not a whole number of charges e", path)


def _write_xyz_block(atoms: Atoms) -> str:
    rows = (
        f"{symbol} {x:.8f} {y:.8f} {z:.8f}"
        for symbol, (x, y, z) in zip(atoms.symbols, atoms.positions, strict=True)
    )
    return "\n".join([str(len(atoms)), "", *rows])
