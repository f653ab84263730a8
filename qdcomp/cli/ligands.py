"""``qdcomp ligands``: what is in the library, and what a ligand looks like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from qdcomp.cli.console import notes, output, print_table, print_warnings

if TYPE_CHECKING:
    from qdcomp.structures.conformers import ConformerChoice

ligands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="List ligands, or show one: qdcomp ligands list, qdcomp ligands show PEA.",
)

SITES = {"A": "cation on an A site", "X": "anion on an X site", "AX": "zwitterion"}
"""What a ligand of each site is."""


@ligands.command("list")
def list_all() -> None:
    """List the ligands of the library.

    For example:
      qdcomp ligands list
    """
    from qdcomp.structures import list_ligands
    from qdcomp.structures.ligands import summarise_ligand

    rows = [("name", "what it is", "formula", "charge", "head group", "length", "source")]
    for entry in list_ligands():
        summary = summarise_ligand(entry)
        rows.append(
            (
                entry.name,
                entry.description,
                summary.formula,
                f"{summary.charge:+d} e" if summary.charge else "0",
                f"{summary.head_group}, {SITES[entry.site]}",
                f"{summary.length_angstrom:.1f} Å",
                entry.source,
            )
        )
    print_table(rows)
    output.print(
        "length: from the head atom to the furthest atom, chains all trans; "
        "qdcomp ligands show NAME says more"
    )


@ligands.command("show")
def show(
    name: Annotated[str, typer.Argument(help="Name, SMILES with its charge, or file.")],
    charge: Annotated[
        int | None, typer.Option(help="Total charge in e, for an xyz file.", show_default=False)
    ] = None,
    conformer: Annotated[str, typer.Option(help="lowest, extended or xtb.")] = "lowest",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the conformers.")] = 1,
    xyz: Annotated[
        Path | None, typer.Option(help="Write the geometry into this file.", show_default=False)
    ] = None,
) -> None:
    """Show a ligand: formula, charge, head group, geometry, entropy as a rigid body.

    For example:
      qdcomp ligands show PEA
      qdcomp ligands show "[NH3+]CCCCCC" --conformer extended --xyz hexylammonium.xyz
    """
    from qdcomp.analysis import ideal_gas_entropy
    from qdcomp.structures import build_molecule, load_ligand, write_structure

    with notes.status(f"looking for conformers of {name}"):
        ligand = load_ligand(
            name, charge=charge, seed=seed, conformer=cast("ConformerChoice", conformer)
        )
    entropy = ideal_gas_entropy(
        ligand.atoms.get_chemical_symbols(),
        ligand.atoms.positions,
        symmetry_number=ligand.symmetry_number,
    )
    rows = [
        ("name", ligand.name),
        ("what it is", ligand.description),
        ("SMILES", ligand.smiles),
        (
            "formula",
            f"{ligand.formula}, {len(ligand.atoms)} atoms, "
            f"{int(ligand.atoms.numbers.sum()) - ligand.charge} electrons, "
            f"charge {ligand.charge:+d} e",
        ),
        ("head group", f"{ligand.head_group}, {SITES[ligand.site]}"),
        ("length", f"{ligand.length_angstrom:.2f} Å from its head atom"),
        ("conformer", ligand.conformer),
        (
            "energy",
            ""
            if ligand.conformer_energy_ev is None
            else f"{ligand.conformer_energy_ev:.3f} eV by the same, to compare its conformers",
        ),
        (
            "T·S",
            f"{entropy.ts_ev:.3f} eV as a rigid ideal gas at 298.15 K and 1 atm "
            f"(symmetry number {ligand.symmetry_number})",
        ),
        ("source", ligand.source),
    ]
    for label, text in rows:
        if text:
            output.print(f"{label:12s}{text}")
    print_warnings((*ligand.warnings, *entropy.warnings))
    if xyz is not None:
        output.print(f"geometry: {write_structure(build_molecule(ligand), xyz)}")
