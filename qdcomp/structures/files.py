"""Structures in extended XYZ: the atoms for any program, the bookkeeping for qdcomp.

Per atom: element, position [Å], ``depth_cells``, ``frozen``, ``ligand_index``. In the comment line:
``charge`` [e], ``charge_policy``, ``edge_angstrom``, ``cells``, ``composition``, ``description``,
``warnings``, ``kind``, the names of the ``ligands`` and, of a slab, its ``Lattice`` [Å].
Positions are written in full precision: a structure read back has the same `structure_hash`.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import cast, get_args

import numpy as np
from ase import Atoms
from ase.io import read

from qdcomp.errors import InputError, ParseError
from qdcomp.structures.bulk import A_ELEMENTS, B_ELEMENTS, X_ELEMENTS, Perovskite
from qdcomp.structures.recognition import recognise_dot
from qdcomp.structures.sites import check_whole_number
from qdcomp.structures.structure import NO_LIGAND, Structure, StructureKind

COMMENT_FIELDS = (
    "charge",
    "charge_policy",
    "edge_angstrom",
    "cells",
    "composition",
    "description",
)
"""Fields of the comment line that a structure written by qdcomp always has."""

SEPARATOR = "\t"
"""Between the warnings and between the ligands of a structure, which hold none."""

COLUMNS = "species:S:1:pos:R:3:depth_cells:R:1:frozen:L:1:ligand_index:I:1"


def write_structure(structure: Structure, path: Path | str) -> Path:
    """Write a structure to an extended XYZ file; an existing file is replaced once it is whole.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    target = Path(path)
    if target.exists() and not target.is_file():
        raise InputError(
            f"cannot write the structure to {target}: it is there, and is no file; "
            "give the name of a file, like dot.extxyz"
        )
    fields = [f"{name}={_quote(getattr(structure, name))}" for name in COMMENT_FIELDS]
    fields.append(f"kind={_quote(structure.kind)}")
    for name, texts in (("warnings", structure.warnings), ("ligands", structure.ligands)):
        if texts:
            fields.append(f"{name}={_quote(SEPARATOR.join(texts))}")
    header = f"Properties={COLUMNS} {' '.join(fields)} {_describe_cell(structure.atoms)}"
    rows = zip(
        structure.atoms.get_chemical_symbols(),
        structure.atoms.positions.tolist(),
        structure.depth_cells.tolist(),
        structure.frozen.tolist(),
        structure.ligand_index.tolist(),
        strict=True,
    )
    lines = [
        f"{symbol:2s} {x!r} {y!r} {z!r} {depth!r} {'T' if frozen else 'F'} {ligand}"
        for symbol, (x, y, z), depth, frozen, ligand in rows
    ]
    text = "\n".join([str(len(lines)), header, *lines, ""])
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise InputError(
            f"cannot write the structure to {target}: {error.strerror}; "
            "choose a folder that is there, may be written and has room"
        ) from error
    return target


def _describe_cell(atoms: Atoms) -> str:
    repeats = " ".join("T" if axis else "F" for axis in atoms.pbc)
    if not atoms.pbc.any():
        return f'pbc="{repeats}"'
    lattice = " ".join(repr(length) for length in atoms.cell.array.ravel().tolist())
    return f'Lattice="{lattice}" pbc="{repeats}"'


def _quote(value: str | int | float) -> str:
    """Write the value of a comment field; in a text, quote and backslash are escaped."""
    if not isinstance(value, str):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def read_structure(path: Path | str, charge: int | None = None) -> Structure:
    """Read a structure from an extended XYZ file of `write_structure`, or from any xyz file.

    A plain xyz file does not say its total charge, which is then required here.
    Where it is a cubic dot with its faces along the axes, its size and the depth of its atoms
    are found; else depths are NaN and ``cells`` is 0, with a warning. Velocities and other columns
    are not kept, nor the cell of a file that qdcomp did not write.

    Parameters
    ----------
    path
        The file; of several frames the last is taken.
    charge
        Total charge [e]; None where the file says it, as a file that qdcomp wrote does.

    Raises
    ------
    InputError
        If the file is missing, or the charge is missing or given twice with different values.
    ParseError
        If the file cannot be read as xyz, or its fields contradict each other.
    """
    source = Path(path)
    atoms = _read_atoms(source)
    if "charge_policy" in atoms.info:
        return _restore(atoms, source, charge)
    return adopt_structure(atoms, source, charge)


def _read_atoms(source: Path) -> Atoms:
    if not source.is_file():
        raise InputError(f"no structure file {source}; expected an xyz or extxyz file")
    try:
        atoms = read(source, index=-1, format="extxyz")
    except Exception as error:  # ASE raises many kinds of error on a broken file
        raise ParseError(
            f"cannot be read as an xyz file ({type(error).__name__}: {error}); expected the "
            "number of atoms, a comment line and one line per atom",
            source,
        ) from error
    if len(atoms) == 0 or not np.isfinite(atoms.positions).all():
        raise ParseError("holds no atoms, or positions that are not finite", source)
    return atoms


def _restore(atoms: Atoms, source: Path, charge: int | None) -> Structure:
    """Structure from a file with all of qdcomp's fields."""
    info = atoms.info
    missing = [name for name in COMMENT_FIELDS if name not in info]
    missing += [name for name in ("depth_cells", "frozen") if name not in atoms.arrays]
    if missing:
        raise ParseError(
            f"the field {', '.join(missing)} of a structure written by qdcomp is missing; write "
            "it again with write_structure, or remove charge_policy to read it as a plain xyz "
            "file",
            source,
        )
    periodic = bool(atoms.pbc.any())
    no_ligands = np.full(len(atoms), NO_LIGAND)  # files of the first version have no such column
    try:
        structure = Structure(
            atoms=Atoms(
                atoms.get_chemical_symbols(),
                positions=atoms.positions,
                cell=atoms.cell if periodic else None,
                pbc=atoms.pbc if periodic else None,
            ),
            charge=check_whole_number("charge", info["charge"], "a whole number"),
            charge_policy=str(info["charge_policy"]),
            depth_cells=np.asarray(atoms.arrays["depth_cells"], dtype=float),
            frozen=np.asarray(atoms.arrays["frozen"], dtype=bool),
            edge_angstrom=float(info["edge_angstrom"]),
            cells=check_whole_number("cells", info["cells"], "a whole number"),
            composition=str(info["composition"]),
            description=str(info["description"]),
            warnings=_split(info.get("warnings", "")),
            kind=_check_kind(str(info.get("kind", "dot"))),
            ligand_index=np.asarray(atoms.arrays.get("ligand_index", no_ligands), dtype=np.int64),
            ligands=_split(info.get("ligands", "")),
        )
    except (TypeError, ValueError, InputError) as error:
        raise ParseError(f"a field written by qdcomp was changed: {error}", source) from error
    _agree_on_charge(charge, structure.charge, source)
    return structure


def _split(text: object) -> tuple[str, ...]:
    return tuple(filter(None, str(text).split(SEPARATOR)))


def _check_kind(text: str) -> StructureKind:
    for kind in get_args(StructureKind):
        if text == kind:
            return cast(StructureKind, kind)
    raise ValueError(f"kind={text}, expected one of {', '.join(get_args(StructureKind))}")


def adopt_structure(atoms: Atoms, source: Path, charge: int | None) -> Structure:
    """Make a structure of atoms that qdcomp did not build; layers are found where it is a dot.

    Parameters
    ----------
    atoms
        The atoms; ``info["charge"]`` may say the total charge.
    source
        Where they come from, for the description and for messages.
    charge
        Total charge [e]; None takes what `atoms` says.

    Raises
    ------
    InputError
        The charge is not known, or two are.
    """
    total = _agree_on_charge(charge, atoms.info.get("charge"), source)
    symbols = atoms.get_chemical_symbols()
    found = recognise_dot(symbols, atoms.positions)
    warnings: list[str] = []
    if atoms.pbc.any():
        warnings.append(f"the periodic cell in {source.name} is left out: a dot is not periodic")
    if found is None:
        depth = np.full(len(atoms), np.nan)
        cells, edge = 0, float(np.ptp(atoms.positions, axis=0).max())
        warnings.append(f"{source.name} is not recognised as a cubic dot: no layers, no depths")
        what = "structure"
    else:
        depth, cells = found.depth_cells, found.cells
        edge = cells * found.lattice_constant
        what = f"cubic dot of {cells} unit cells (a = {found.lattice_constant:.3f} Å)"
        strangers = int(np.isnan(depth).sum())
        if strangers:
            warnings.append(f"{strangers} of {len(atoms)} atoms are on no site of the {what}")
    return Structure(
        atoms=Atoms(symbols, positions=atoms.positions),
        charge=total,
        charge_policy="given",
        depth_cells=depth,
        frozen=np.zeros(len(atoms), dtype=bool),
        edge_angstrom=edge,
        cells=cells,
        composition=_perovskite_formula(symbols) or atoms.get_chemical_formula("hill"),
        description=f"{what} read from {source.name}, {len(atoms)} atoms, charge {total:+d} e",
        warnings=tuple(warnings),
    )


def _agree_on_charge(asked: int | None, written: object, source: Path) -> int:
    """Total charge, from the caller or the file; where both say one, it has to be the same."""
    if asked is None and written is None:
        raise InputError(
            f"{source} does not say its total charge; give it: read_structure(path, charge=0)"
        )
    expected = "a whole number of elementary charges"
    total = check_whole_number("charge", written if asked is None else asked, expected)
    if written is not None and written != total:
        raise InputError(
            f"charge = {total} was asked for, and {source} holds a structure of charge "
            f"{written}; leave the charge out, or build the structure with that charge"
        )
    return total


def _perovskite_formula(symbols: list[str]) -> str | None:
    """Give the formula ABX3 where each site has one element, else None."""
    present = set(symbols)
    sites = [
        [element for element in elements if element in present]
        for elements in (A_ELEMENTS, B_ELEMENTS, X_ELEMENTS)
    ]
    if any(len(elements) != 1 for elements in sites):
        return None
    return Perovskite(*(elements[0] for elements in sites)).formula
