"""Layers of a dot by depth below its surface, and the regions held fixed.

Depth is counted in unit cells from the nearest face: 0 the outermost CsBr layer, 0.5 the PbBr2
layer below it, 1.0 the next CsBr layer (PHYSICS.md, section 1; Rainò 2022, SI, Supplementary
Figures 7-9).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.structures.bulk import A_ELEMENTS, B_ELEMENTS, X_ELEMENTS
from qdcomp.structures.sites import check_half_cells
from qdcomp.structures.structure import Structure

Region = Literal["shell", "core"]

OFF_LATTICE = "off lattice"
"""Label of an atom that is on no site of the dot, a ligand's for example."""


def layer_labels(structure: Structure) -> NDArray[np.str_]:
    """Label of the layer each atom is in, ``0.0 CsBr`` or ``0.5 PbBr2``, shape ``(n_atoms,)``.

    The label names the elements that most sites of that depth have, ``0.5 CaBr2`` in the shell
    of a core/shell dot. An atom whose depth is NaN is ``off lattice``.
    """
    symbols = np.array(structure.atoms.get_chemical_symbols())
    levels, which = np.unique(structure.depth_cells, return_inverse=True)
    names = [
        OFF_LATTICE if np.isnan(level) else _layer_name(level, symbols, structure.depth_cells)
        for level in levels.tolist()
    ]
    labels: NDArray[np.str_] = np.array(names, dtype=np.str_)[which]
    return labels


def _layer_name(level: float, symbols: NDArray[np.str_], depth: NDArray[np.float64]) -> str:
    layer, around = symbols[depth == level], symbols[depth >= level - 0.5]
    x_element = _commonest(X_ELEMENTS, layer, around)
    if level.is_integer():
        return f"{level:.1f} {_commonest(A_ELEMENTS, layer, around)}{x_element}"
    return f"{level:.1f} {_commonest(B_ELEMENTS, layer, around)}{x_element}2"


def _commonest(elements: Sequence[str], layer: NDArray[np.str_], around: NDArray[np.str_]) -> str:
    """Element of a site in a layer; where the layer has no such atom, next to it, else the first.

    A layer can be without: the innermost AX layer of an even dot is a single A atom, and the
    dot PbBr6 of one cell without its corners has no A at all.
    """
    for symbols in (layer, around):
        counts = [int((symbols == element).sum()) for element in elements]
        if any(counts):
            return elements[int(np.argmax(counts))]
    return elements[0]


def layer_groups(structure: Structure) -> dict[str, NDArray[np.bool_]]:
    """Atoms of each layer, outermost first: label to boolean array of shape ``(n_atoms,)``.

    Each atom is in one group, so that partial sums over the groups add up to the whole.
    """
    labels = layer_labels(structure)
    on_lattice = sorted(
        set(labels.tolist()) - {OFF_LATTICE}, key=lambda name: float(name.split()[0])
    )
    rest = [OFF_LATTICE] if OFF_LATTICE in labels else []
    return {name: labels == name for name in [*on_lattice, *rest]}


def select_frozen_atoms(
    structure: Structure, region: Region = "shell", thickness_cells: float = 0.5
) -> NDArray[np.bool_]:
    """Mark the atoms to hold fixed, by depth below the surface.

    ``shell`` holds the outermost ``thickness_cells`` unit cells fixed: 0.5 the outermost CsBr
    layer, 1 that and the PbBr2 layer below it, and so on. ``core`` holds everything but these
    fixed. The two are each other's complement (Rainò 2022, SI, Supplementary Figures 7 and 8).

    Parameters
    ----------
    structure
        A dot whose atoms know their depth.
    region
        ``shell`` or ``core``.
    thickness_cells
        Thickness of the outer region [unit cells], a positive multiple of 0.5.

    Returns
    -------
    NDArray
        True for the atoms held fixed, shape ``(n_atoms,)``; for `Structure.with_frozen`.

    Raises
    ------
    InputError
        If the region is unknown, the thickness is no multiple of 0.5, an atom's depth is
        unknown, or nothing or everything would be fixed.
    """
    if region not in ("shell", "core"):
        raise InputError(f"region = {region!r}: expected 'shell' or 'core'")
    thickness = check_half_cells("thickness_cells", thickness_cells)
    unknown = int(np.isnan(structure.depth_cells).sum())
    if unknown:
        raise InputError(
            f"{unknown} of {len(structure.atoms)} atoms have no known depth below the surface; "
            "freeze by depth needs a dot that qdcomp built or recognised; give the mask itself "
            "to Structure.with_frozen"
        )
    outer: NDArray[np.bool_] = structure.depth_cells < thickness
    frozen = outer if region == "shell" else ~outer
    if frozen.all() or not frozen.any():
        what = "every atom" if frozen.all() else "no atom"
        raise InputError(
            f"region = {region!r} with thickness_cells = {thickness:g} freezes {what}: the dot is "
            f"{structure.cells} unit cells wide and its deepest layer lies "
            f"{structure.depth_cells.max():g} unit cells below the surface; take a thickness of "
            f"at most {structure.depth_cells.max():g}"
        )
    return frozen
