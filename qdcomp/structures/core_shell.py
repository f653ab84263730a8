"""Core/shell dots: the outer unit cells of a cubic dot made of another perovskite.

Rainò 2022 (SI, Supplementary Note 1) changes the outermost unit cells of the 3.6 nm dot to
CsCaBr3: n = 6 has then 152 Ca in the shell and 64 Pb in the core.
"""

from __future__ import annotations

import dataclasses
import math

from qdcomp.errors import InputError
from qdcomp.structures.bulk import parse_composition, resolve_lattice_constant
from qdcomp.structures.quantum_dot import ChargePolicy, assemble_dot
from qdcomp.structures.sites import check_cells, check_half_cells
from qdcomp.structures.structure import Structure


def build_core_shell_dot(
    cells: int,
    core: str = "CsPbBr3",
    shell: str = "CsCaBr3",
    shell_cells: float = 1.0,
    lattice_constant: float | None = None,
    charge: ChargePolicy | int = "formal",
    seed: int = 1,
) -> Structure:
    """Build a cubic dot whose outer ``shell_cells`` unit cells are of another composition.

    A site belongs to the shell when it lies less deep below the surface than ``shell_cells``;
    the AX layer between the outermost octahedra of the core and the shell is the core's. Core
    and shell share one lattice (coherent growth); a relaxation finds the strain.

    Parameters
    ----------
    cells
        Unit cells along the edge of the whole dot.
    core, shell
        Formulas ABX3.
    shell_cells
        Thickness of the shell [unit cells], a positive multiple of 0.5.
    lattice_constant
        Cubic lattice constant of the whole dot [Å]; None takes the core's tabulated one.
    charge, seed
        As in `build_quantum_dot`.

    Raises
    ------
    InputError
        If core and shell are the same, the shell leaves no core, replaces no atom or is not
        there, or an argument cannot be used.
    """
    cells = check_cells(cells)
    core_material, shell_material = parse_composition(core), parse_composition(shell)
    if core_material == shell_material:
        raise InputError(
            f"core and shell are both {core_material.formula}; name two compositions, or use "
            "build_quantum_dot"
        )
    thickness = _check_shell(cells, shell_cells)
    if core_material.x == shell_material.x and thickness < 1:
        raise InputError(
            f"a shell of {thickness:g} unit cells is the outermost "
            f"{core_material.a}{core_material.x} layer alone, which {core_material.formula} and "
            f"{shell_material.formula} share: nothing would change; make it 1 unit cell or more"
        )
    dot = assemble_dot(
        cells,
        core_material,
        shell=shell_material,
        shell_cells=thickness,
        lattice_constant=resolve_lattice_constant(core, lattice_constant),
        charge=charge,
        seed=seed,
        remove_corners=True,
    )
    if core_material.x == shell_material.x and not thickness.is_integer():
        same = (
            f"a shell of {thickness:g} cells has the same atoms as one of {thickness - 0.5:g}: "
            f"core and shell share the {core_material.a}{core_material.x} layer between them"
        )
        return dataclasses.replace(dot, warnings=(*dot.warnings, same))
    return dot


def _check_shell(cells: int, shell_cells: float) -> float:
    """Thickness of a shell that leaves a core: at least one B site deeper than the shell."""
    if isinstance(shell_cells, int | float) and shell_cells < 0:
        raise InputError(
            f"shell_cells = {shell_cells:g} makes the core ({cells - 2 * shell_cells:g} unit "
            f"cells) thicker than the dot ({cells} unit cells); give the thickness of the shell "
            "as a positive number"
        )
    thickness = check_half_cells("shell_cells", shell_cells)
    deepest_b = math.ceil(cells / 2) - 0.5
    if thickness > deepest_b:
        remedy = (
            f"at most {deepest_b:g} fit"
            if cells > 2
            else "a core/shell dot has 3 unit cells or more"
        )
        raise InputError(
            f"a shell of {thickness:g} unit cells leaves no core in a dot of {cells} unit cells "
            f"along the edge; {remedy}"
        )
    return thickness
