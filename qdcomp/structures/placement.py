"""Ligands on the sites of a slab.

A ligand of charge +1 e takes the place of the A cation of its site, one of −1 e that of the X
anion; its head is put where the ion was, its tail along the outward normal. The poses of all
ligands are found together (`qdcomp.structures.placement_search`), so that no two atoms that are not
bonded touch. The perovskite does not move.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.structures.ligands import Ligand
from qdcomp.structures.placement_crowding import Surroundings
from qdcomp.structures.placement_search import Place, Settlement, settle_ligands
from qdcomp.structures.slab import Slab, vacuum_for
from qdcomp.structures.structure import Structure
from qdcomp.structures.surface_sites import SurfaceSite
from qdcomp.structures.upright_conformers import find_upright_conformers, measure_upright_length

MIN_CONTACT_ANGSTROM = 1.6
"""Two atoms that are not bonded are farther apart than this before any relaxation [Å]."""

MIN_VACUUM_ANGSTROM = 6.0
"""Vacuum left between the ligands of two images along the normal, at least [Å]: beyond it the
dispersion between them is below a few meV per ligand."""


@dataclass(frozen=True, eq=False)
class Attachment:
    """A ligand that takes the place of one atom.

    Attributes
    ----------
    ligand
        The ligand.
    replaced
        The atom whose place it takes.
    normal
        Outward unit normal, shape ``(3,)``.
    """

    ligand: Ligand
    replaced: int
    normal: NDArray[np.float64]


def attach_ligands(
    slab: Slab,
    ligand: Ligand | Mapping[str, Ligand],
    sites: Sequence[str] | None = None,
    *,
    vacant: Sequence[str] = (),
    seed: int = 1,
    min_contact_angstrom: float = MIN_CONTACT_ANGSTROM,
    grow_cell: bool = False,
) -> Structure:
    """Put ligands on sites of a slab, and take the ions of vacant sites away.

    The atoms of the perovskite come first, in their order, then the ligands in the order of the
    slab's sites, each with its atoms in its own order.

    Parameters
    ----------
    slab
        The slab.
    ligand
        The ligand of all sites, or of each site by its name.
    sites
        Names of the sites that get the ligand; None all that are not vacant, of a mapping its keys.
        A site that is neither here nor vacant keeps its ions.
    vacant
        Sites that lose their A cation and their X anion.
    seed
        The same seed gives the same structure.
    min_contact_angstrom
        Smallest distance of two atoms that are not bonded [Å].
    grow_cell
        Whether the cell grows where its vacuum is too small for the ligands; else that is refused.

    Raises
    ------
    InputError
        A site is unknown, taken twice or vacant as well; a ligand has the wrong charge for its
        site; the vacuum is too small; the number of electrons is odd; or no poses without contacts
        below the minimum are found.
    """
    by_site = _read_sites(slab, ligand, sites, vacant)
    chosen = [site for site in slab.sites if site.name in by_site]
    emptied = [slab.find_site(name) for name in vacant]
    attachments = [_attach(by_site[site.name], site) for site in chosen]
    base = _fit_cell(slab, attachments, grow_cell)
    removed = [index for site in emptied for index in (site.cation, site.anion)]
    return assemble(
        base,
        attachments,
        removed=removed,
        seed=seed,
        min_contact_angstrom=min_contact_angstrom,
        description=_describe(slab, chosen, attachments, [site.name for site in emptied]),
    )


def _read_sites(
    slab: Slab,
    ligand: Ligand | Mapping[str, Ligand],
    sites: Sequence[str] | None,
    vacant: Sequence[str],
) -> dict[str, Ligand]:
    """Ligand of each site that gets one; every name is checked."""
    if isinstance(ligand, Mapping):
        if sites is not None:
            raise InputError(
                "the sites are given twice: with the ligand of each, and as a list of their own; "
                "leave the list out"
            )
        by_site = dict(ligand)
    else:
        names = [site.name for site in slab.sites if site.name not in vacant]
        by_site = dict.fromkeys(names if sites is None else sites, ligand)
    taken = Counter([*(by_site if sites is None else sites), *vacant])
    for name, times in taken.items():
        slab.find_site(name)
        if times > 1:
            what = "is to carry a ligand and to be vacant" if name in vacant else "is named twice"
            raise InputError(
                f"site {name} {what}: it is already taken; free sites: "
                + (", ".join(s.name for s in slab.sites if s.name not in taken) or "none")
            )
    return by_site


def _attach(ligand: Ligand, site: SurfaceSite) -> Attachment:
    return Attachment(ligand, site.cation if takes_cation(ligand) else site.anion, site.normal)


def takes_cation(ligand: Ligand) -> bool:
    """Whether a ligand takes the place of an A cation; else that of an X anion.

    Raises
    ------
    InputError
        It can take neither.
    """
    if ligand.charge == 0:
        raise InputError(
            f"{ligand.name} carries no net charge ({ligand.head_group}): it can replace neither "
            "the A cation (+1 e) nor the X anion (-1 e) of a site, and zwitterions that would "
            "bridge both are not placed; use its cationic or anionic form"
        )
    if abs(ligand.charge) != 1:
        raise InputError(
            f"{ligand.name} carries {ligand.charge:+d} e; an A site takes a ligand of +1 e, an X "
            "site one of -1 e; use a form with one charge"
        )
    return ligand.charge > 0


def _fit_cell(slab: Slab, attachments: Sequence[Attachment], grow_cell: bool) -> Structure:
    """Slab in a cell high enough for the ligands, its middle in the middle of the cell.

    Raises
    ------
    InputError
        It is not high enough, and must not grow.
    """
    structure = slab.structure
    if not attachments:
        return structure
    z, height = structure.atoms.positions[:, 2], float(structure.atoms.cell[2, 2])
    vacuum = height - float(np.ptp(z))
    reaches = [measure_upright_length(attachment.ligand) for attachment in attachments]
    ends = [
        z[attachment.replaced] + attachment.normal[2] * reach
        for attachment, reach in zip(attachments, reaches, strict=True)
    ]
    if height - float(np.ptp([*z, *ends])) >= MIN_VACUUM_ANGSTROM:
        return structure
    reach, name = max((r, a.ligand.name) for r, a in zip(reaches, attachments, strict=True))
    both = len({bool(attachment.normal[2] > 0) for attachment in attachments}) == 2
    needed = vacuum_for(reach, "both" if both else "one")
    if not grow_cell:
        raise InputError(
            f"a vacuum of {vacuum:g} Å is too small for {name}, which stands {reach:.1f} Å high on "
            f"{'both sides' if both else 'one side'}: it needs {needed:g} Å; build the slab with "
            f"vacuum_angstrom = {needed:g}, or let the cell grow (grow_cell, --grow-cell)"
        )
    atoms = structure.atoms.copy()
    atoms.cell[2, 2] += needed - vacuum
    atoms.positions[:, 2] += (needed - vacuum) / 2
    text = f"the vacuum was raised from {vacuum:g} to {needed:g} Å for {name}"
    return dataclasses.replace(structure, atoms=atoms, warnings=(*structure.warnings, text))


def _describe(
    slab: Slab,
    chosen: Sequence[SurfaceSite],
    attachments: Sequence[Attachment],
    vacant: Sequence[str],
) -> str:
    n, m = slab.repeat
    names: dict[str, list[str]] = {}
    for site, attachment in zip(chosen, attachments, strict=True):
        names.setdefault(attachment.ligand.name, []).append(site.name)
    parts = [f"{len(taken)} {name} on {', '.join(taken)}" for name, taken in names.items()]
    if vacant:
        parts.append(f"vacant {', '.join(vacant)}")
    return (
        f"({slab.facet}) slab {n}×{m}×{slab.layers} of {slab.structure.composition}, "
        f"{slab.termination} outermost, {'; '.join(parts) or 'no ligands'}"
    )


def assemble(
    base: Structure,
    attachments: Sequence[Attachment],
    *,
    removed: Sequence[int],
    seed: int,
    min_contact_angstrom: float,
    description: str,
) -> Structure:
    """Replace atoms of a structure by ligands, and leave others out.

    Parameters
    ----------
    base
        Slab or dot, which may have ligands already; they stay where they are.
    attachments
        Ligands and the atoms whose places they take.
    removed
        Atoms that are left out.
    seed
        Seed of the poses.
    min_contact_angstrom
        Smallest distance of two atoms that are not bonded [Å].
    description
        What is built; contact, atoms, charge and seed are added.

    Raises
    ------
    InputError
        No poses without contacts below the minimum are found, or the electrons are odd in number.
    """
    if not min_contact_angstrom > 0:
        raise InputError(
            f"min_contact_angstrom = {min_contact_angstrom!r}: expected a positive distance in Å"
        )
    gone = [*removed, *(attachment.replaced for attachment in attachments)]
    kept = np.setdiff1d(np.arange(len(base.atoms)), gone)
    rest = base.atoms[kept]
    settled = _settle(base, rest, attachments, seed, min_contact_angstrom)
    atoms = rest.copy()
    for attachment, positions in zip(attachments, settled.positions, strict=True):
        atoms += Atoms(attachment.ligand.atoms.numbers, positions=positions)
    n_new = len(atoms) - len(rest)
    sizes = [len(attachment.ligand.atoms) for attachment in attachments]
    first = len(base.ligands)
    index = np.repeat(np.arange(first, first + len(sizes)), sizes)
    charge = base.charge
    _check_electrons(atoms, charge)
    text = f"{description}, {len(atoms)} atoms, charge {charge:+d} e"
    if attachments:
        text += f", smallest contact {settled.contact_angstrom:.2f} Å, seed {seed}"
    inherited = [warning for attachment in attachments for warning in attachment.ligand.warnings]
    return dataclasses.replace(
        base,
        atoms=atoms,
        depth_cells=np.concatenate([base.depth_cells[kept], np.full(n_new, np.nan)]),
        frozen=np.concatenate([base.frozen[kept], np.zeros(n_new, dtype=bool)]),
        description=text,
        warnings=tuple(dict.fromkeys([*base.warnings, *inherited])),
        ligand_index=np.concatenate([base.ligand_index[kept], index]).astype(np.int64),
        ligands=(*base.ligands, *(attachment.ligand.name for attachment in attachments)),
    )


def _settle(
    base: Structure,
    rest: Atoms,
    attachments: Sequence[Attachment],
    seed: int,
    min_contact_angstrom: float,
) -> Settlement:
    if not attachments:
        return Settlement((), None, 0)
    places = [
        Place(
            base.atoms.positions[attachment.replaced],
            attachment.normal,
            find_upright_conformers(attachment.ligand),
        )
        for attachment in attachments
    ]
    periodic = bool(rest.pbc.any())
    surroundings = Surroundings(
        np.asarray(rest.numbers, dtype=np.int64),
        rest.positions,
        rest.cell.complete().array if periodic else None,
        np.array(rest.pbc, dtype=bool) if periodic else None,
    )
    settled = settle_ligands(
        places, surroundings, seed=seed, min_contact_angstrom=min_contact_angstrom
    )
    if settled.contact_angstrom < min_contact_angstrom:
        names = " and ".join(sorted({attachment.ligand.name for attachment in attachments}))
        raise InputError(
            f"{len(attachments)} {names} do not fit: the smallest contact found in "
            f"{settled.trials} trials is {settled.contact_angstrom:.2f} Å, and at least "
            f"{min_contact_angstrom:g} Å is wanted; use a lower coverage or a smaller ligand, or "
            "another seed"
        )
    return settled


def _check_electrons(atoms: Atoms, charge: int) -> None:
    electrons = int(atoms.numbers.sum()) - charge
    if electrons % 2:
        raise InputError(
            f"the structure has {electrons} electrons with its total charge of {charge:+d} e, an "
            "odd number; give a charge that makes it even, or check the ligand's hydrogens"
        )
