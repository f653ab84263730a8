"""What atoms of crowded ligands feel: contacts, bonds to the surface, barriers of joints.

A search function for starting structures, not a force field. Per pair of atoms nearer than the sum
σ of their contact radii,

    E = K (1 − r²/σ²)²,

finite at r = 0, so that atoms may pass through each other early in a search. A polar atom of the
head and an ion it binds to attract by −D exp(−((r − r0)/w)²). A joint between sp3 atoms has the
barrier (V₃/2) (1 + cos 3φ), and (V₁/2) (1 + cos φ) in a chain, which favours trans.
"""

from __future__ import annotations

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from qdcomp.structures.placement_geometry import JointedLigand, measure_dihedrals

CONTACT_RADII = {
    **{"H": 1.10, "C": 1.70, "N": 1.55, "O": 1.52, "F": 1.47, "P": 1.80, "S": 1.80},
    **{"Cl": 1.75, "Br": 1.85, "I": 1.98, "Cs": 1.88, "Pb": 1.40, "Sn": 1.30, "Ca": 1.12},
}
"""Contact radii [Å]: van der Waals (Bondi, J. Phys. Chem. 68, 441 (1964); H Rowland and Taylor,
J. Phys. Chem. 100, 7384 (1996)); of metal ions Shannon's (Acta Cryst. A32, 751 (1976)), of Pb and
Sn larger for their lone pair."""

DEFAULT_RADIUS = 1.7
"""Contact radius of any other element [Å]."""

BINDING_DISTANCES = {("H", "Cl"): 2.25, ("H", "Br"): 2.40, ("H", "I"): 2.65}
"""Length of the hydrogen bond from an ammonium group to a halide [Å], as in ammonium halides."""

METAL_OXYGEN_ANGSTROM = 2.5
"""Length of the bond from a carboxylate or phosphonate oxygen to B [Å], as in lead(II) acetates."""

REPULSION_EV = 2.0
"""K above [eV]."""

BINDING_EV = 0.25
"""D above [eV]: the order of an N–H···Br hydrogen bond."""

BINDING_WIDTH_ANGSTROM = 0.8
"""w above [Å]."""

THREEFOLD_EV = 0.13
"""V₃ [eV]: the barrier of ethane, 2.9 kcal/mol."""

TRANS_EV = 0.05
"""V₁ [eV]: a gauche defect in an alkane costs 0.04 eV."""


def compute_strain(
    ligand: JointedLigand, points: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Energy of each ligand's joints and its slope by their angles.

    Parameters
    ----------
    ligand
        The ligand.
    points
        Positions of its atoms in each pose [Å], shape ``(n_poses, n_atoms, 3)``.

    Returns
    -------
    tuple
        Energies [eV], shape ``(n_poses,)``; slopes [eV/rad], shape ``(n_poses, n_joints)``.
    """
    phi = measure_dihedrals(points, ligand.dihedrals)
    three = THREEFOLD_EV / 2 * ligand.threefold
    one = TRANS_EV / 2 * (ligand.threefold & ligand.chain & (ligand.depth > 0))
    energies = (three * (1 + np.cos(3 * phi)) + one * (1 + np.cos(phi))).sum(axis=1)
    slopes = -3 * three * np.sin(3 * phi) - one * np.sin(phi)
    return energies, slopes


def find_contact_radii(numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """Contact radius of each atomic number [Å], of the same shape."""
    known = {atomic_numbers[element]: radius for element, radius in CONTACT_RADII.items()}
    return np.array([known.get(number, DEFAULT_RADIUS) for number in numbers.tolist()])
