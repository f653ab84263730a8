"""What the structure viewer of the page is given: few numbers, ready to draw."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdcomp.report.drawing import style
from qdcomp.structures import NO_LIGAND, Structure, layer_groups
from qdcomp.structures.contacts import find_bonds

LARGEST_DRAWN = 12_000
"""Atoms that the viewer turns without stutter; of larger structures only the outside is drawn."""

OUTSIDE_CELLS = 1.0
"""Layers of a large structure that are drawn [unit cells from the surface]."""


def describe_for_viewer(structure: Structure, name: str = "") -> dict[str, Any]:
    """Elements, layers, coordinates, bonds of the ligands and cell, for JSON.

    Coordinates [Å] are relative to the centre and rounded to 0.01 Å. A bond is two sticks, from
    each of its atoms half the way.

    Parameters
    ----------
    structure
        What to show.
    name
        What it is called where the page shows several.
    """
    centre = structure.atoms.positions.mean(axis=0)
    positions = structure.atoms.positions - centre
    symbols = np.array(structure.atoms.get_chemical_symbols())
    groups = _group_atoms(structure)
    layer = np.zeros(len(symbols), dtype=np.int64)
    for index, mask in enumerate(groups.values()):
        layer[mask] = index
    drawn = np.ones(len(symbols), dtype=np.bool_)
    if len(symbols) > LARGEST_DRAWN:
        outside = ~(structure.depth_cells > OUTSIDE_CELLS)
        drawn = outside if outside.any() else drawn
    names = list(dict.fromkeys(symbols.tolist()))
    sticks = _describe_sticks(structure, drawn)
    return {
        "name": name,
        "cell": _describe_cell(structure, centre),
        "elements": [
            {
                "symbol": name,
                "color": style.element_color(name),
                "radius": round(style.element_radius(name), 3),
                "count": int((symbols == name).sum()),
            }
            for name in names
        ],
        "layers": [{"name": name, "count": int(mask.sum())} for name, mask in groups.items()],
        "element": [names.index(symbol) for symbol in symbols[drawn].tolist()],
        "layer": layer[drawn].tolist(),
        "frozen": structure.frozen[drawn].astype(int).tolist(),
        "position": np.round(positions[drawn], 2).ravel().tolist(),
        "drawn": int(drawn.sum()),
        "total": len(symbols),
    } | sticks


def _group_atoms(structure: Structure) -> dict[str, NDArray[np.bool_]]:
    """Layers of the perovskite, then the ligands by name."""
    groups = {
        name: mask & (structure.ligand_index == NO_LIGAND)
        for name, mask in layer_groups(structure).items()
    }
    names = np.array([*structure.ligands, ""])[structure.ligand_index]
    groups |= {f"ligand {name}": names == name for name in dict.fromkeys(structure.ligands)}
    return {name: mask for name, mask in groups.items() if mask.any()}


def _describe_sticks(structure: Structure, drawn: NDArray[np.bool_]) -> dict[str, Any]:
    """Atom that each stick begins at, and the way to its end [Å]."""
    bonds = find_bonds(structure.atoms, structure.ligand_index)
    shown = drawn[bonds.first] & drawn[bonds.second]
    first, second = bonds.first[shown], bonds.second[shown]
    positions = structure.atoms.positions
    halves = 0.5 * (positions[second] + bonds.offset[shown] - positions[first])
    place = np.cumsum(drawn) - 1
    return {
        "stick_atom": place[np.concatenate([first, second]).astype(np.int64)].tolist(),
        "stick": np.round(np.concatenate([halves, -halves]), 3).ravel().tolist(),
    }


def _describe_cell(structure: Structure, centre: NDArray[np.float64]) -> list[list[float]]:
    """Corner of the cell and its three vectors [Å]; empty without one."""
    if not structure.atoms.pbc.any():
        return []
    vectors: list[list[float]] = np.round(
        np.vstack([-centre, structure.atoms.cell.array]), 3
    ).tolist()
    return vectors
