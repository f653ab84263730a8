"""``qdcomp build``: a dot as a structure file and a picture."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import typer

from qdcomp.cli.console import output, print_warnings
from qdcomp.errors import InputError


def build(
    cells: Annotated[int, typer.Option(help="Unit cells along an edge.")] = 3,
    composition: Annotated[str, typer.Option(help="ABX3: A Cs; B Pb, Ca, Sn; X Cl, Br, I.")] = (
        "CsPbBr3"
    ),
    lattice_constant: Annotated[
        float | None, typer.Option(help="Edge of the unit cell in Å (default: tabulated).")
    ] = None,
    charge: Annotated[
        str, typer.Option(help="formal, neutral, or a whole number of elementary charges.")
    ] = "formal",
    shell: Annotated[
        str | None, typer.Option(help="Composition of a shell, for example CsCaBr3.")
    ] = None,
    shell_cells: Annotated[
        float | None, typer.Option(help="Thickness of the shell in unit cells (default: 1).")
    ] = None,
    freeze: Annotated[
        str | None,
        typer.Option(
            help="Hold a region fixed: shell:0.5 the outermost CsBr layer, shell:1 one unit cell; "
            "core:1 all but one unit cell."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the choice of removed surface atoms.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Structure file, extended XYZ (default: FORMULA.extxyz).")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Picture, .png or .svg.")] = None,
) -> None:
    """Build a cubic dot, or a core/shell dot, and write it.

    For example:
      qdcomp build --cells 4 --picture dot.png
      qdcomp build --cells 6 --shell CsCaBr3 --out core_shell.extxyz
      qdcomp build --cells 5 --charge neutral --freeze shell:1
    """
    from qdcomp.structures import (
        build_core_shell_dot,
        build_quantum_dot,
        select_frozen_atoms,
        structure_hash,
        write_structure,
    )

    policy = _read_charge(charge)
    if shell is None and shell_cells is not None:
        raise InputError(
            f"--shell-cells {shell_cells:g} is the thickness of a shell, and there is none; "
            "name its composition, like --shell CsCaBr3"
        )
    if shell is None:
        structure = build_quantum_dot(
            cells, composition, lattice_constant=lattice_constant, charge=policy, seed=seed
        )
    else:
        structure = build_core_shell_dot(
            cells,
            core=composition,
            shell=shell,
            shell_cells=1.0 if shell_cells is None else shell_cells,
            lattice_constant=lattice_constant,
            charge=policy,
            seed=seed,
        )
    if freeze is not None:
        region, thickness = _read_freeze(freeze)
        structure = structure.with_frozen(select_frozen_atoms(structure, region, thickness))
    path = write_structure(structure, out or Path(f"{structure.atoms.symbols}.extxyz"))
    counts = Counter(structure.atoms.get_chemical_symbols())
    output.print(
        f"{''.join(f'{symbol}{count}' for symbol, count in counts.items())}: "
        f"{len(structure.atoms)} atoms, edge {structure.edge_angstrom / 10:.2f} nm, "
        f"charge {structure.charge:+d} e ({structure.charge_policy}), "
        f"{int(structure.frozen.sum())} frozen"
    )
    output.print(f"structure {structure_hash(structure)[:12]} written to {path}")
    print_warnings(structure.warnings)
    if picture is not None:
        from qdcomp.report import draw_structure

        output.print(f"picture written to {draw_structure(structure, picture)}")


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
