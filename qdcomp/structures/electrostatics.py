"""Electrostatic energy of a slab's formal charges, which ranks arrangements of ligands.

Point charges on the lattice sites in the slab's own cell, periodic in three directions: a ligand is
its +1 e on the A site, a vacant site has neither its A nor its X. The vacuum is wide enough that
differences between arrangements of one slab mean something; absolute values do not.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection

from qdcomp.structures.bulk import FORMAL_CHARGES
from qdcomp.structures.slab import Slab


def compute_ewald_energy(slab: Slab, occupied: Collection[int]) -> float:
    """Ewald energy of an arrangement [eV].

    Parameters
    ----------
    slab
        The slab.
    occupied
        Numbers of the sites that have a ligand.
    """
    from pymatgen.analysis.ewald import EwaldSummation
    from pymatgen.core import Lattice, Structure

    left = {
        index
        for number, site in enumerate(slab.sites)
        if number not in occupied
        for index in (site.cation, site.anion)
    }
    atoms = slab.structure.atoms
    kept = [index for index in range(len(atoms)) if index not in left]
    symbols = [atoms[index].symbol for index in kept]
    structure = Structure(
        Lattice(atoms.cell.array),
        symbols,
        atoms.positions[kept],
        coords_are_cartesian=True,
        site_properties={"charge": [FORMAL_CHARGES[symbol] for symbol in symbols]},
    )
    structure.add_oxidation_state_by_site([float(FORMAL_CHARGES[symbol]) for symbol in symbols])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of charged cells, which the ranking may have
        return float(EwaldSummation(structure).total_energy)
