"""Ligands on the faces, edges and corners of a cubic dot.

Cationic ligands take surface A sites, anionic ones surface X sites: those of the outermost AX
layers. Outward is the sum of the normals of the faces that a site lies on: along an axis on a face,
half-way between two on an edge, along the diagonal at a corner. Which sites are taken, and by which
ligand of a mixed shell, is drawn with a seed; the numbers follow the fractions as closely as whole
ligands can.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.structures.bulk import A_ELEMENTS, B_ELEMENTS, X_ELEMENTS
from qdcomp.structures.ligands import Ligand, load_ligand
from qdcomp.structures.placement import (
    MIN_CONTACT_ANGSTROM,
    Attachment,
    assemble,
    takes_cation,
)
from qdcomp.structures.structure import Structure

FACE_CELLS = 0.25
"""A site within this distance of a face [unit cells] lies on it; relaxation moves atoms by less."""

FRACTION_TOLERANCE = 1e-6
"""By how much the fractions of a mixed shell may miss 1."""

PLACE_NAMES = {1: "face", 2: "edge", 3: "corner"}
"""Kind of a site by the number of faces it lies on."""


def attach_ligands_to_dot(
    structure: Structure,
    shell: Mapping[str, float] | Sequence[tuple[Ligand, float]],
    coverage: float = 1.0,
    *,
    seed: int = 1,
    min_contact_angstrom: float = MIN_CONTACT_ANGSTROM,
) -> Structure:
    """Put ligands on surface sites of a dot, in place of its ions.

    The dot's atoms come first, in their order, then the ligands in the order of the atoms that they
    replace. The total charge stays. A dot that has ligands already keeps them where they are, so
    that anions can follow cations.

    Parameters
    ----------
    structure
        A cubic dot.
    shell
        Each ligand, or its name for `load_ligand`, with its fraction of the shell; the fractions
        add up to 1.
    coverage
        Fraction of the surface sites that get a ligand, 0 to 1.
    seed
        Decides which sites, and the poses; of ligands given by name the conformers too.
    min_contact_angstrom
        Smallest distance of two atoms that are not bonded [Å].

    Raises
    ------
    InputError
        The structure is no cubic dot, the coverage or the fractions make no sense, the ligands do
        not all take the same kind of site, or they do not fit.
    """
    if structure.kind != "dot" or structure.cells == 0:
        raise InputError(
            f"{structure.description!r} is no cubic dot; attach_ligands puts ligands on slabs"
        )
    if isinstance(shell, Mapping):
        shell = [(load_ligand(name, seed=seed), share) for name, share in shell.items()]
    cationic = _check_shell(shell)
    sites = _find_sites(structure, A_ELEMENTS if cationic else X_ELEMENTS)
    drawn = draw_shell(len(sites), [fraction for _, fraction in shell], coverage, seed)
    outward = _measure_normals(structure)
    attachments = [
        Attachment(shell[choice][0], int(site), outward[site] / np.linalg.norm(outward[site]))
        for site, choice in zip(sites, drawn, strict=True)
        if choice >= 0
    ]
    taken = sites[drawn >= 0]
    return assemble(
        structure,
        attachments,
        removed=(),
        seed=seed,
        min_contact_angstrom=min_contact_angstrom,
        description=_describe(structure, attachments, outward[taken], len(sites)),
    )


def draw_shell(
    n_sites: int, fractions: Sequence[float], coverage: float, seed: int
) -> NDArray[np.int64]:
    """Draw which site gets which ligand of a shell.

    Parameters
    ----------
    n_sites
        Sites there are.
    fractions
        Fraction of each ligand in the shell; they add up to 1.
    coverage
        Fraction of the sites that get a ligand, 0 to 1.
    seed
        The same seed draws the same.

    Returns
    -------
    NDArray
        Number of the ligand of each site, −1 for none, shape ``(n_sites,)``.

    Raises
    ------
    InputError
        The coverage or the fractions make no sense, or no site gets a ligand.
    """
    if not 0 < coverage <= 1:
        raise InputError(
            f"a coverage of {coverage:g}: expected a fraction of the surface sites above 0 and up "
            f"to 1; at 1 each of the {n_sites} sites has its ligand, and there are no more"
        )
    shares = np.asarray(fractions, dtype=float)
    if (shares <= 0).any() or abs(shares.sum() - 1) > FRACTION_TOLERANCE:
        raise InputError(
            f"fractions {', '.join(f'{share:g}' for share in fractions)} of the shell add up to "
            f"{shares.sum():g}; expected positive ones that add up to 1"
        )
    bound = int(np.floor(coverage * n_sites + 0.5))
    if bound == 0:
        raise InputError(
            f"a coverage of {coverage:g} of {n_sites} sites is less than half a ligand; "
            f"one ligand is {1 / max(n_sites, 1):.3g}"
        )
    counts = np.floor(shares * bound).astype(np.int64)
    remainders = shares * bound - counts
    counts[np.argsort(-remainders, kind="stable")[: bound - counts.sum()]] += 1
    drawn = np.full(n_sites, -1, dtype=np.int64)
    order = np.random.default_rng(seed).permutation(n_sites)[:bound]
    drawn[order] = np.repeat(np.arange(len(counts)), counts)
    return drawn


def _check_shell(shell: Sequence[tuple[Ligand, float]]) -> bool:
    """Whether the ligands take A sites; else all of them take X sites."""
    if not shell:
        raise InputError("the shell has no ligand; give at least one with its fraction")
    names = Counter(ligand.name for ligand, _ in shell)
    twice = [name for name, times in names.items() if times > 1]
    if twice:
        raise InputError(f"{', '.join(twice)} is in the shell twice; add its fractions up")
    kinds = {takes_cation(ligand) for ligand, _ in shell}
    if len(kinds) == 2:
        raise InputError(
            f"{', '.join(names)} take different sites, some A and some X; attach the cations "
            "first, then the anions to the dot that has them"
        )
    return kinds.pop()


def _find_sites(structure: Structure, elements: Sequence[str]) -> NDArray[np.int64]:
    """Atoms of the outermost layer that a ligand may replace."""
    symbols = np.array(structure.atoms.get_chemical_symbols())
    on_surface = structure.depth_cells == 0
    sites = np.flatnonzero(np.isin(symbols, elements) & on_surface)
    if sites.size == 0:
        raise InputError(
            f"the dot has no {' or '.join(elements)} left in its outermost layer: every such site "
            "is already taken by a ligand, or empty; build it without ligands, or with charge "
            "formal"
        )
    return sites


def _measure_normals(structure: Structure) -> NDArray[np.float64]:
    """Sum of the normals of the faces that each atom lies on, shape ``(n_atoms, 3)``."""
    atoms = structure.atoms
    is_b = np.isin(atoms.get_chemical_symbols(), B_ELEMENTS) & ~np.isnan(structure.depth_cells)
    from_centre = atoms.positions - atoms.positions[is_b].mean(axis=0)
    edge_cells = FACE_CELLS / structure.cells
    outside = np.abs(from_centre) > (0.5 - edge_cells) * structure.edge_angstrom
    return np.where(outside, np.sign(from_centre), 0.0)


def _describe(
    structure: Structure,
    attachments: Sequence[Attachment],
    outward: NDArray[np.float64],
    n_sites: int,
) -> str:
    names = Counter(attachment.ligand.name for attachment in attachments)
    faces = Counter(np.count_nonzero(outward, axis=1).tolist())
    shell = " and ".join(f"{number} {name}" for name, number in names.items())
    places = ", ".join(
        f"{faces[count]} {name}" for count, name in PLACE_NAMES.items() if faces[count]
    )
    before = f" beside {len(structure.ligands)} earlier ones" if structure.ligands else ""
    return (
        f"cubic {structure.composition} dot, edge {structure.edge_angstrom / 10:.2f} nm, "
        f"{shell} on {len(attachments)} of {n_sites} surface sites ({places}){before}"
    )
