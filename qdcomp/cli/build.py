"""``qdcomp build``: a dot or a slab, bare or with ligands, as a structure file and a picture."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from qdcomp.cli.console import output, print_warnings
from qdcomp.cli.covered_surfaces import (
    LigandOptions,
    SlabOptions,
    cover_dot,
    cover_slab,
    describe_ligands,
    read_ligands,
)
from qdcomp.errors import InputError

if TYPE_CHECKING:
    from qdcomp.structures import Structure

DOT, SLAB, LIGANDS = "Dots", "Slabs", "Ligands"
"""Groups of options."""

DEFAULT_CELLS = 3
"""Unit cells along the edge of a dot: the 1.8 nm dot."""


def build(
    cells: Annotated[
        int | None,
        typer.Option(help="Unit cells along an edge (default: 3).", rich_help_panel=DOT),
    ] = None,
    composition: Annotated[str, typer.Option(help="ABX3: A Cs; B Pb, Ca, Sn; X Cl, Br, I.")] = (
        "CsPbBr3"
    ),
    lattice_constant: Annotated[
        float | None, typer.Option(help="Edge of the unit cell in Å (default: tabulated).")
    ] = None,
    charge: Annotated[
        str,
        typer.Option(help="formal, neutral (dots), or a whole number of elementary charges."),
    ] = "formal",
    shell: Annotated[
        str | None,
        typer.Option(help="Composition of a shell, for example CsCaBr3.", rich_help_panel=DOT),
    ] = None,
    shell_cells: Annotated[
        float | None,
        typer.Option(
            help="Thickness of the shell in unit cells (default: 1).", rich_help_panel=DOT
        ),
    ] = None,
    freeze: Annotated[
        str | None,
        typer.Option(
            help="Hold a region of a dot fixed: shell:0.5 the outermost CsBr layer, shell:1 one "
            "unit cell; core:1 all but one unit cell. Of a slab: all (its default) or none."
        ),
    ] = None,
    slab: Annotated[
        str | None,
        typer.Option(
            help="Surface cells and layers of a slab, 2x2x1, instead of a dot.",
            rich_help_panel=SLAB,
        ),
    ] = None,
    facet: Annotated[
        str | None, typer.Option(help="100 (default), 110 or 111.", rich_help_panel=SLAB)
    ] = None,
    termination: Annotated[
        str | None,
        typer.Option(
            help="Outermost plane, CsBr (default) or PbBr2; upper/lower where they differ.",
            rich_help_panel=SLAB,
        ),
    ] = None,
    crystal: Annotated[
        str | None,
        typer.Option(help="cubic (default) or orthorhombic.", rich_help_panel=SLAB),
    ] = None,
    vacuum: Annotated[
        float | None,
        typer.Option(
            help="Vacuum of a slab in Å (default: what its ligands need).", rich_help_panel=SLAB
        ),
    ] = None,
    sides: Annotated[
        str | None,
        typer.Option(help="Sides that carry ligands: both (default) or one.", rich_help_panel=SLAB),
    ] = None,
    ligand: Annotated[
        list[str] | None,
        typer.Option(
            help="Ligand by name, SMILES or file, with its fraction in a mixed shell: PEA:0.7. "
            "May be repeated.",
            rich_help_panel=LIGANDS,
        ),
    ] = None,
    coverage: Annotated[
        float | None,
        typer.Option(
            help="Fraction of the surface sites with a ligand (default: 1).",
            rich_help_panel=LIGANDS,
        ),
    ] = None,
    sites: Annotated[
        str | None,
        typer.Option(help="Sites of a slab that get a ligand: A1,B1.", rich_help_panel=LIGANDS),
    ] = None,
    vacant: Annotated[
        str | None,
        typer.Option(
            help="Sites of a slab that lose cation and anion: A2,B2; or rest, all without ligand.",
            rich_help_panel=LIGANDS,
        ),
    ] = None,
    grow_cell: Annotated[
        bool,
        typer.Option(
            help="Raise the vacuum where it is too small for the ligands.", rich_help_panel=LIGANDS
        ),
    ] = False,
    seed: Annotated[
        int,
        typer.Option(min=0, help="Seed of removed surface atoms, of sites and of ligand poses."),
    ] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Structure file, extended XYZ (default: named after it).")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Picture, .png or .svg.")] = None,
) -> None:
    """Build a cubic dot, a core/shell dot or a slab, with ligands where asked for, and write it.

    For example:
      qdcomp build --cells 4 --picture dot.png
      qdcomp build --cells 6 --shell CsCaBr3 --out core_shell.extxyz
      qdcomp build --cells 5 --charge neutral --freeze shell:1
      qdcomp build --cells 3 --ligand PEA:0.7 --ligand OLA:0.3 --coverage 0.9
      qdcomp build --slab 2x2x1 --crystal orthorhombic --ligand DDA_C8
      qdcomp build --slab 2x2x1 --ligand PEA --sites A1,A3 --vacant rest
    """
    from qdcomp.structures import structure_hash, write_structure

    ligands = read_ligands(
        ligand or [], sites=sites, coverage=coverage, vacant=vacant, seed=seed, grow_cell=grow_cell
    )
    if slab is None:
        _refuse(
            {
                "--facet": facet,
                "--termination": termination,
                "--crystal": crystal,
                "--vacuum": vacuum,
                "--sides": sides,
                "--vacant": vacant,
            },
            "is for slabs; add --slab 2x2x1, or leave it out",
        )
        structure = _build_dot(
            DEFAULT_CELLS if cells is None else cells,
            composition,
            lattice_constant,
            charge,
            shell,
            shell_cells,
            freeze,
            ligands,
        )
        size, name = f"edge {structure.edge_angstrom / 10:.2f} nm", f"dot_{structure.cells}"
    else:
        _refuse(
            {"--cells": cells, "--shell": shell, "--shell-cells": shell_cells},
            "is for dots; leave --slab out, or this",
        )
        built, structure = cover_slab(
            SlabOptions(
                size=slab,
                composition=composition,
                lattice_constant=lattice_constant,
                facet=facet or "100",
                termination=termination or "CsBr",
                crystal=crystal or "cubic",
                vacuum=vacuum,
                sides=sides or "both",
                charge=_read_charge(charge),
                frozen=freeze or "all",
            ),
            ligands,
        )
        size, name = f"{built.area_angstrom2 / 100:.3f} nm² a side", f"slab_{slab}"
    path = write_structure(structure, out or _name_file(structure, name))
    _report(structure, size)
    output.print(f"structure {structure_hash(structure)[:12]} written to {path}")
    print_warnings(structure.warnings)
    if picture is not None:
        from qdcomp.report import draw_structure

        output.print(f"picture written to {draw_structure(structure, picture)}")


def _name_file(structure: Structure, name: str) -> Path:
    """Name a bare structure by its formula, a covered one by its size and ligands."""
    if not structure.ligands:
        return Path(f"{structure.atoms.symbols}.extxyz")
    parts = "_".join([name, *dict.fromkeys(structure.ligands)])
    return Path("".join(c for c in parts if c.isalnum() or c in "_-") + ".extxyz")


def _report(structure: Structure, size: str) -> None:
    counts = Counter(structure.atoms.get_chemical_symbols())
    output.print(
        f"{''.join(f'{symbol}{count}' for symbol, count in counts.items())}: "
        f"{len(structure.atoms)} atoms, {size}, "
        f"charge {structure.charge:+d} e ({structure.charge_policy}), "
        f"{int(structure.frozen.sum())} frozen"
    )
    for line in describe_ligands(structure):
        output.print(line)


def _refuse(options: dict[str, object], why: str) -> None:
    for option, value in options.items():
        if value is not None:
            raise InputError(f"{option} {value} {why}")


def _build_dot(
    cells: int,
    composition: str,
    lattice_constant: float | None,
    charge: str,
    shell: str | None,
    shell_cells: float | None,
    freeze: str | None,
    ligands: LigandOptions,
) -> Structure:
    from qdcomp.structures import build_core_shell_dot, build_quantum_dot, select_frozen_atoms

    policy = _read_charge(charge)
    if shell is None and shell_cells is not None:
        raise InputError(
            f"--shell-cells {shell_cells:g} is the thickness of a shell, and there is none; "
            "name its composition, like --shell CsCaBr3"
        )
    if shell is None:
        structure = build_quantum_dot(
            cells,
            composition,
            lattice_constant=lattice_constant,
            charge=policy,
            seed=ligands.seed,
        )
    else:
        structure = build_core_shell_dot(
            cells,
            core=composition,
            shell=shell,
            shell_cells=1.0 if shell_cells is None else shell_cells,
            lattice_constant=lattice_constant,
            charge=policy,
            seed=ligands.seed,
        )
    if freeze is not None:
        region, thickness = _read_freeze(freeze)
        structure = structure.with_frozen(select_frozen_atoms(structure, region, thickness))
    return cover_dot(structure, ligands) if ligands.shell else structure


def _read_charge(text: str) -> Literal["formal", "neutral"] | int:
    policies: dict[str, Literal["formal", "neutral"]] = {"formal": "formal", "neutral": "neutral"}
    if text in policies:
        return policies[text]
    try:
        return int(text)
    except ValueError:
        raise InputError(
            f"--charge {text!r}: expected formal, neutral or a whole number of charges e"
        ) from None


def _read_freeze(text: str) -> tuple[Literal["shell", "core"], float]:
    region, _, thickness = text.partition(":")
    try:
        if region == "shell":
            return "shell", float(thickness)
        if region == "core":
            return "core", float(thickness)
    except ValueError:
        pass
    raise InputError(
        f"--freeze {text!r}: expected shell or core and a thickness in unit cells, like shell:0.5"
    )
