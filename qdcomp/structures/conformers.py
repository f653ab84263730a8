"""Conformers of a ligand by RDKit: ETKDGv3 from a seed, relaxed by MMFF94.

Riniker and Landrum, J. Chem. Inf. Model. 55, 2562 (2015); Halgren, J. Comput. Chem. 17, 490 (1996).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

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

CHAIN_BOND = "[C,c;!$(C=*);!$(C#*)]-[CX4;!R]-[CX4;!R]-[C,N,P,S;!R;!$(C=*)]"
"""Four atoms of a saturated chain, whose torsion is trans in an extended ligand; the first may
belong to a ring, as in phenethylammonium."""

BRANCHING_HEAD = "[N+,P+;X4;!R]([CX4])[CX4]"
"""An ammonium or phosphonium with several carbons, between which its chains lead through it."""

TRANS_DEG = 180.0

SEED_STRIDE = 104729
"""Between the seeds given to RDKit, whose conformers of neighbouring seeds overlap."""

RELAXATION_STEPS = 2000
"""Most steps of a relaxation by MMFF94."""

SAME_ENERGY_DIGITS = 4
"""Energies that agree in this many digits of an eV are those of one conformer or of its mirror
image, of which the first is taken on every machine."""

XTB_CANDIDATES = 3
"""Conformers that are relaxed by GFN2-xTB, those lowest by it before."""

XTB_FORCE_EV_PER_ANGSTROM = 0.05
"""Largest force at which that ends."""

XTB_STEPS = 200
"""Most steps of a relaxation by GFN2-xTB."""


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
        ``lowest`` by MMFF94, stretched ones among them: folding does not pay for long chains, and
        embedding rarely finds their all-trans form; ``extended``: the stretched one that reaches
        furthest from the head group, in which the two longest chains of an ammonium with several
        continue each other through its nitrogen; ``xtb``: the three lowest by GFN2-xTB are
        relaxed by it, and the lowest is taken, where tblite is installed.
    seed
        Seed of the embedding.

    Raises
    ------
    InputError
        No geometry is found, there is no such choice, or ``xtb`` without tblite.
    """
    if choice not in get_args(ConformerChoice):
        raise InputError(f"conformer {choice!r}; expected {', '.join(get_args(ConformerChoice))}")
    many = max(4, min(EMBEDDED, EMBEDDED_ATOMS // molecule.GetNumAtoms()))
    _embed(molecule, seed, EXTENDED if choice == "extended" else many)
    geometries, energies = _relax(_stretch(molecule))
    embedded = f"embedded by ETKDGv3 with seed {seed}"
    if choice == "extended":
        reach = [np.linalg.norm(xyz - xyz[head], axis=1).max() for xyz in geometries]
        chosen = int(np.argmax(np.round(reach, 2)))
        method = f"chains all trans, by MMFF94, of {len(geometries)} {embedded}"
    else:
        folded, folded_energies = _relax(molecule)
        geometries, energies = [*folded, *geometries], [*folded_energies, *energies]
        method = f"of {len(folded)} {embedded} and {len(geometries) - len(folded)} stretched"
        if choice == "xtb":
            geometries, energies = _relax_by_xtb(molecule, geometries)
        chosen = _find_lowest(energies)
        method = f"lowest of {'GFN2-xTB' if choice == 'xtb' else 'MMFF94'}, {method}"
    found = geometries[chosen]
    return Conformer(found - found[head], float(energies[chosen]), method)


def measure_extended_length(molecule: Any, head: int) -> float:
    """Distance of the head atom from the furthest atom, chains all trans, unrelaxed [Å]."""
    _embed(molecule, 1, 1)
    positions = np.array(_stretch(molecule).GetConformer().GetPositions())
    return float(np.linalg.norm(positions - positions[head], axis=1).max())


def _find_lowest(energies: Sequence[float]) -> int:
    return int(np.argmin(np.round(energies, SAME_ENERGY_DIGITS)))


def _embed(molecule: Any, seed: int, wanted: int) -> None:
    """Give the molecule conformers, the same ones for the same seed."""
    from rdkit.Chem.rdDistGeom import EmbedMultipleConfs, ETKDGv3

    parameters: Any = ETKDGv3()
    parameters.randomSeed = (seed * SEED_STRIDE) % 2**31 or 1  # of 0, all conformers are the same
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


def _stretch(molecule: Any) -> Any:
    """Copy the first conformers and turn every torsion of their saturated chains to trans.

    At a head group with several chains the two longest are trans to each other, so that one
    zigzag runs from end to end, and so are the two others: all four cannot be in one plane.
    """
    from rdkit import Chem
    from rdkit.Chem.rdMolTransforms import SetDihedralDeg

    stretched = Chem.Mol(molecule)
    matches = [
        *stretched.GetSubstructMatches(Chem.MolFromSmarts(CHAIN_BOND)),
        *_list_head_torsions(stretched),
    ]
    for conformer in list(stretched.GetConformers())[EXTENDED:]:
        stretched.RemoveConformer(conformer.GetId())
    for conformer in stretched.GetConformers():
        for first, second, third, fourth in matches:
            SetDihedralDeg(conformer, first, second, third, fourth, TRANS_DEG)
    return stretched


def _list_head_torsions(molecule: Any) -> list[tuple[int, int, int, int]]:
    """Torsions about the bonds of branching heads, by pairs of chains, the longest first."""
    from rdkit import Chem

    heads = {match[0] for match in molecule.GetSubstructMatches(Chem.MolFromSmarts(BRANCHING_HEAD))}
    torsions = []
    for head in sorted(heads):
        firsts = [atom for atom in molecule.GetAtomWithIdx(head).GetNeighbors() if _is_heavy(atom)]
        chains = [_follow_chain(molecule, head, atom.GetIdx()) for atom in firsts]
        chains.sort(key=len, reverse=True)
        for one, other in zip(chains[::2], chains[1::2], strict=False):
            torsions += [
                (chain[1], chain[0], head, partner[0])
                for chain, partner in ((one, other), (other, one))
                if len(chain) > 1 and molecule.GetAtomWithIdx(chain[0]).GetTotalDegree() == 4
            ]
    return torsions


def _follow_chain(molecule: Any, head: int, first: int) -> list[int]:
    """Heavy atoms from one bound to the head to the furthest one behind it."""
    paths = {first: [first]}
    reached = [first]
    for index in reached:
        for atom in molecule.GetAtomWithIdx(index).GetNeighbors():
            found = atom.GetIdx()
            if _is_heavy(atom) and found != head and found not in paths:
                paths[found] = [*paths[index], found]
                reached.append(found)
    return paths[reached[-1]]


def _is_heavy(atom: Any) -> bool:
    return bool(atom.GetAtomicNum() > 1)


def _relax_by_xtb(
    molecule: Any, geometries: Sequence[NDArray[np.float64]]
) -> tuple[list[NDArray[np.float64]], list[float]]:
    """Relax the geometries that are lowest by GFN2-xTB with it; coordinates [Å], energies [eV]."""
    try:
        from tblite.ase import TBLite
    except ImportError:
        raise InputError(
            "conformer xtb needs tblite, which is not installed; install it with "
            "pip install 'qdcomp[xtb]', or choose the conformer lowest"
        ) from None
    from ase import Atoms
    from ase.calculators.calculator import CalculationFailed
    from ase.optimize import LBFGS

    symbols = [atom.GetSymbol() for atom in molecule.GetAtoms()]
    charge = sum(atom.GetFormalCharge() for atom in molecule.GetAtoms())
    candidates = []
    try:
        for positions in geometries:
            atoms = Atoms(symbols, positions=positions)
            atoms.calc = TBLite(method="GFN2-xTB", charge=charge, verbosity=0)
            candidates.append((round(atoms.get_potential_energy(), SAME_ENERGY_DIGITS), atoms))
        lowest = [atoms for _, atoms in sorted(candidates, key=lambda entry: entry[0])]
        for atoms in lowest[:XTB_CANDIDATES]:
            LBFGS(atoms, logfile=None).run(fmax=XTB_FORCE_EV_PER_ANGSTROM, steps=XTB_STEPS)
        energies = [float(atoms.get_potential_energy()) for atoms in lowest[:XTB_CANDIDATES]]
    except CalculationFailed as error:
        raise InputError(
            f"GFN2-xTB fails for a conformer of this molecule ({error}); choose the conformer "
            "lowest, or give a geometry as a file"
        ) from error
    return [atoms.positions.copy() for atoms in lowest[:XTB_CANDIDATES]], energies
