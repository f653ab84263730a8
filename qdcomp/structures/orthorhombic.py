"""The orthorhombic crystal of CsPbBr3 at room temperature.

Stoumpos et al., Cryst. Growth Des. 13, 2722 (2013), Crystallography Open Database 4510745, the
crystal that Mi et al. cut their slabs from. Space group Pnma; here in the setting Pbnm, whose
c axis is the long one: the pseudo-cubic cell lies along [110], [-110] and half of c.
"""

from __future__ import annotations

import numpy as np
from ase import Atoms

from qdcomp.errors import InputError
from qdcomp.structures.bulk import parse_composition

CELL_ANGSTROM = (8.1982, 8.2440, 11.7351)
"""Edges a, b, c in the setting Pbnm [Å]."""

SITES = {
    "Cs": ((0.00702, 0.53100, 0.25),),
    "Pb": ((0.0, 0.0, 0.0),),
    "Br": ((0.20607, 0.29347, 0.47611), (0.04550, 0.00370, 0.75)),
}
"""Fractional coordinates of the independent atoms."""

OPERATIONS = (
    ((1, 1, 1), (0.0, 0.0, 0.0)),
    ((-1, -1, 1), (0.0, 0.0, 0.5)),
    ((1, -1, -1), (0.5, 0.5, 0.0)),
    ((-1, 1, -1), (0.5, 0.5, 0.5)),
    ((-1, -1, -1), (0.0, 0.0, 0.0)),
    ((1, 1, -1), (0.0, 0.0, 0.5)),
    ((-1, 1, 1), (0.5, 0.5, 0.0)),
    ((1, -1, 1), (0.5, 0.5, 0.5)),
)
"""Operations of Pbnm: signs of x, y, z, and translation."""


def build_orthorhombic(
    composition: str = "CsPbBr3", lattice_constant: float | None = None
) -> Atoms:
    """Build the unit cell of four formula units, periodic in three directions.

    Raises
    ------
    InputError
        The composition is another one, or a cubic lattice constant is given.
    """
    if parse_composition(composition).formula != "CsPbBr3":
        raise InputError(
            f"the orthorhombic crystal is that of CsPbBr3, not of {composition}; use crystal: cubic"
        )
    if lattice_constant is not None:
        raise InputError(
            "a lattice constant belongs to the cubic crystal; the orthorhombic one has the cell "
            f"{CELL_ANGSTROM} Å of COD 4510745. Leave lattice_constant out"
        )
    symbols, positions = [], []
    for symbol, sites in SITES.items():
        for site in sites:
            for image in _list_images(np.array(site)):
                symbols.append(symbol)
                positions.append(image)
    return Atoms(symbols, scaled_positions=positions, cell=CELL_ANGSTROM, pbc=True)


def _list_images(site: np.ndarray) -> list[np.ndarray]:
    """Every image of a site in the cell, each once."""
    images: list[np.ndarray] = []
    for signs, shift in OPERATIONS:
        image = np.round(np.array(signs) * site + np.array(shift), 8) % 1.0
        if not any(np.abs((image - other + 0.5) % 1.0 - 0.5).max() < 1e-6 for other in images):
            images.append(image)
    return images
