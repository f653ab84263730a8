"""What the structure viewer of the page is given: few numbers, ready to draw."""

from __future__ import annotations

from typing import Any

import numpy as np

from qdcomp.report import style
from qdcomp.structures import Structure, layer_groups

LARGEST_DRAWN = 12_000
"""Atoms that the viewer turns without stutter; of larger structures only the outside is drawn."""

OUTSIDE_CELLS = 1.0
"""Layers of a large structure that are drawn [unit cells from the surface]."""


def describe_for_viewer(structure: Structure) -> dict[str, Any]:
    """Elements, layers and coordinates of the atoms, for JSON.

    Coordinates [Å] are relative to the centre and rounded to 0.01 Å.
    """
    positions = structure.atoms.positions - structure.atoms.positions.mean(axis=0)
    symbols = np.array(structure.atoms.get_chemical_symbols())
    groups = layer_groups(structure)
    layer = np.zeros(len(symbols), dtype=np.int64)
    for index, mask in enumerate(groups.values()):
        layer[mask] = index
    drawn = np.ones(len(symbols), dtype=np.bool_)
    if len(symbols) > LARGEST_DRAWN:
        outside = ~(structure.depth_cells > OUTSIDE_CELLS)
        drawn = outside if outside.any() else drawn
    names = list(dict.fromkeys(symbols.tolist()))
    return {
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
    }
