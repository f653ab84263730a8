"""Conformers of a ligand by RDKit: ETKDGv3 from a seed, relaxed by MMFF94.

Riniker and Landrum, J. Chem. Inf. Model. 55, 2562 (2015); Halgren, J. Comput. Chem. 17, 490 (1996).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.units import KCAL_PER_MOL_EV

ConformerChoice = Literal["lowest", "extended", "xtb"]

EMBEDDED = 24
"""Conformers that are tried, of a small molecule."""

EMBEDDED_ATOMS = 1000
"""Atoms in all conformers of a large one, which has fewer: relaxing a chain takes seconds."""

EXTENDED = 3
"""Conformers that are stretched: they differ where the chains end."""

CHAIN_BOND = "[C;!R;!$(C=*);!$(C#*)]-[CX4;!R]-[CX4;!R]-[C,N,P,S;!R;!$(C=*)]"
"""Four atoms of a saturated chain, whose torsion is trans in an extended ligand."""

TRANS_DEG = 180.0

SEED_STRIDE = 104729
"""Between the seeds given to RDKit, whose conformers of neighbouring seeds overlap."""

RELAXATION_STEPS = 2000


@dataclass(frozen=True, eq=False)
class Conformer:
    """One geometry of a molecule.

    Attributes
    ----------
    positions
        Coordinates [Å], shape ``(n_atoms, 3)``, in the order of the molecule.
    energy_ev
        Energy by `method` [eV].
    method
        How it was found and what its energy is of.
    """

    positions: NDArray[np.float64]
    energy_ev: float
    method: str


def choose_conformer(molecule: Any, head: int, choice: ConformerChoice, seed: int) -> Conformer:
    """Embed a molecule and choose a conformer.

    Parameters
    ----------
    molecule
        Molecule of RDKit with its hydrogens.
    head
        Atom of the head group.
    choice
        ``lowest`` by MMFF94; ``extended``: the one that reaches furthest from the head group;
        ``xtb``: lowest by GFN2-xTB, where tblite is installed.
    seed
        Seed of the embedding.

    Raises
    ------
    InputError
        No geometry is found, there is no such choice, or ``xtb`` without tblite.
    """
    wanted = max(4, min(EMBEDDED, EMBEDDED_ATOMS // molecule.GetNumAtoms()))
    _embed(molecule, seed, EXTENDED if choice == "extended" else wanted)
    if choice == "extended":
        _stretch(molecule)
    geometries, energies = _relax(molecule)
    if choice == "lowest":
        chosen, energy, method = int(np.argmin(energies)), min(energies), "lowest of MMFF94"
    elif choice == "extended":
        reach = [np.linalg.norm(xyz - xyz[head], axis=1).max() for xyz in geometries]
        chosen = int(np.argmax(np.round(reach, 2)))
        energy, method = energies[chosen], "chains all trans, by MMFF94"
    elif choice == "xtb":
        by_xtb = [_compute_xtb(molecule, xyz) for xyz in geometries]
        chosen, energy, method = int(np.argmin(by_xtb)), min(by_xtb), "lowest of GFN2-xTB"
    else:
        raise InputError(f"conformer {choice!r}; expected lowest, extended or xtb")
    text = f"{method}, of {len(geometries)} embedded by ETKDGv3 with seed {seed}"
    return Conformer(geometries[chosen] - geometries[chosen][head], float(energy), text)


def _embed(molecule: Any, seed: int, wanted: int) -> None:
    """Give the molecule conformers, the same ones for the same seed."""
    from rdkit.Chem.rdDistGeom import EmbedMultipleConfs, ETKDGv3

    parameters: Any = ETKDGv3()
    parameters.randomSeed = (seed * SEED_STRIDE) % 2**31
    parameters.numThreads = 1
    if not list(EmbedMultipleConfs(molecule, wanted, parameters)):
        parameters.useRandomCoords = True
        if not list(EmbedMultipleConfs(molecule, wanted, parameters)):
            raise InputError(
                "RDKit finds no geometry for this molecule; give one as an sdf, mol or xyz file"
            )


def _relax(molecule: Any) -> tuple[list[NDArray[np.float64]], list[float]]:
    """Relax the conformers of a molecule; give their coordinates [Å] and energies [eV]."""
    from rdkit.Chem.rdForceFieldHelpers import (
        MMFFHasAllMoleculeParams,
        MMFFOptimizeMoleculeConfs,
    )

    if not MMFFHasAllMoleculeParams(molecule):
        raise InputError(
            "MMFF94 has no parameters for this molecule; give its geometry as a file instead"
        )
    results = MMFFOptimizeMoleculeConfs(molecule, numThreads=1, maxIters=RELAXATION_STEPS)
    geometries = [
        np.array(conformer.GetPositions(), dtype=np.float64)
        for conformer in molecule.GetConformers()
    ]
    return geometries, [energy * KCAL_PER_MOL_EV for _, energy in results]


def _stretch(molecule: Any) -> None:
    """Turn every torsion of the saturated chains to trans, in each conformer."""
    from rdkit import Chem
    from rdkit.Chem.rdMolTransforms import SetDihedralDeg

    matches = molecule.GetSubstructMatches(Chem.MolFromSmarts(CHAIN_BOND))
    for conformer in molecule.GetConformers():
        for first, second, third, fourth in matches:
            SetDihedralDeg(conformer, first, second, third, fourth, TRANS_DEG)


def _compute_xtb(molecule: Any, positions: NDArray[np.float64]) -> float:
    try:
        from tblite.interface import Calculator
    except ImportError:
        raise InputError(
            "conformer: xtb needs tblite, which is not installed; install it with "
            "pip install tblite, or choose lowest"
        ) from None
    from qdcomp.units import BOHR_ANGSTROM, HARTREE_EV

    numbers = np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()])
    charge = sum(atom.GetFormalCharge() for atom in molecule.GetAtoms())
    calculator = Calculator("GFN2-xTB", numbers, positions / BOHR_ANGSTROM, charge=charge)
    calculator.set("verbosity", 0)
    return float(calculator.singlepoint().get("energy")) * HARTREE_EV
