"""The slab, the ligand and the configurations that a study of ligands and surfaces asks for.

Building is deterministic: the same study gives the same structures, in every process.
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.recipes.study_files.surface_schema import (
    CATION,
    COUNTERION,
    ENTROPY_LIGAND,
    ION_PAIR,
    ZONE_CENTRE,
    Fragment,
    LigandSpec,
    SlabSpec,
    SurfaceStudy,
)
from qdcomp.structures import (
    NO_LIGAND,
    Configuration,
    Ligand,
    Slab,
    Structure,
    attach_ligands,
    build_counterion,
    build_ion_pair,
    build_molecule,
    build_slab,
    choose_configurations,
    load_ligand,
    measure_upright_length,
    parse_composition,
    vacuum_for,
)
from qdcomp.structures.conformers import ConformerChoice
from qdcomp.structures.coverage import find_bound
from qdcomp.structures.placement import MIN_VACUUM_ANGSTROM

_A_PLANES = {"100": "{a}{x}", "110": "{a}{b}{x}", "111": "{a}{x}3"}
"""Plane that holds the A sites of each facet."""


@lru_cache(maxsize=16)
def _load_ligand(name: str, charge: int | None, seed: int, conformer: ConformerChoice) -> Ligand:
    return load_ligand(name, charge=charge, seed=seed, conformer=conformer)


def load_study_ligand(study: SurfaceStudy, name: str = "") -> Ligand:
    """Load the ligand of a study, or another one the same way.

    Raises
    ------
    InputError
        There is no such ligand, or it cannot be used.
    """
    spec: LigandSpec = study.ligand
    own = not name or name == spec.name
    return _load_ligand(name or spec.name, spec.charge if own else None, study.seed, spec.conformer)


def build_study_slab(study: SurfaceStudy) -> Slab:
    """Build the slab of a study, with vacuum for its ligand.

    Raises
    ------
    InputError
        The study has no slab, one that cannot be built, or one without a site for its ligand.
    """
    spec, _, _ = _describe(study)
    slab = _build_slab(spec, measure_upright_length(load_study_ligand(study)))
    if not slab.sites:
        perovskite = parse_composition(spec.composition)
        plane = _A_PLANES[slab.facet].format(a=perovskite.a, b=perovskite.b, x=perovskite.x)
        raise InputError(
            f"the slab ends in {slab.termination} and has no A site for {study.ligand.name}; use "
            f"termination: {plane}"
        )
    return slab


@lru_cache(maxsize=8)
def _build_slab(spec: SlabSpec, ligand_length: float) -> Slab:
    return build_slab(
        spec.repeat,
        spec.layers,
        spec.composition,
        facet=spec.facet,
        termination=spec.termination,
        crystal=spec.crystal,
        lattice_constant=spec.lattice_constant_angstrom,
        vacuum_angstrom=spec.vacuum_angstrom or vacuum_for(ligand_length, spec.sides),
        sides=spec.sides,
        frozen=spec.frozen,
    )


def choose_sites(study: SurfaceStudy) -> tuple[Configuration, ...]:
    """Choose the configurations of a ``surface_energy`` study, by the number of bound ligands.

    Raises
    ------
    InputError
        More ligands than sites, or a configuration that there is not.
    """
    slab = build_study_slab(study)
    if study.recipe != "surface_energy":
        find_site(slab, study.binding.site)
        return ()
    n_sites = len(slab.sites)
    wanted = study.coverage.bound or tuple(range(n_sites + 1))
    if max(wanted) > n_sites:
        raise InputError(
            f"{max(wanted)} ligands on {n_sites} sites is a coverage above 1; bound: 0 to {n_sites}"
        )
    if 0 not in wanted:
        raise InputError("ΔG(N) is counted from N = 0, the surface without ligands; add 0 to bound")
    choice = study.coverage.configurations
    for name in () if isinstance(choice, str) else choice:
        if find_bound(name) not in wanted:
            raise InputError(
                f"the configuration {name} has {find_bound(name)} ligands, and bound has "
                f"{', '.join(map(str, wanted))}; add {find_bound(name)} to bound, or leave {name} "
                "out"
            )
    return tuple(
        entry for number in wanted for entry in choose_configurations(slab, number, choice)
    )


def find_site(slab: Slab, name: str) -> str:
    """Name of the site that a single ligand takes; the first one where none is named.

    Raises
    ------
    InputError
        There is no such site.
    """
    names = [site.name for site in slab.sites]
    if name and name not in names:
        raise InputError(f"the slab has no site {name!r}; sites: {', '.join(names)}")
    return name or names[0]


def check_vacuum(study: SurfaceStudy) -> None:
    """Check that the vacuum which a study asks for holds its ligands, wherever they stand.

    Raises
    ------
    InputError
        It does not: the ligands of two images would touch.
    """
    if study.slab is None or study.slab.vacuum_angstrom is None:
        return
    slab, ligand = build_study_slab(study), load_study_ligand(study)
    reach = measure_upright_length(ligand)
    fullest = min(_list_occupied(study), key=lambda sites: _measure_gap(slab, reach, sites))
    if _measure_gap(slab, reach, fullest) >= MIN_VACUUM_ANGSTROM:
        return
    both = len({slab.find_site(name).side for name in fullest}) == 2
    needed = vacuum_for(reach, "both" if both else "one")
    raise InputError(
        f"a vacuum of {study.slab.vacuum_angstrom:g} angstrom is too small for {ligand.name}, "
        f"which stands {reach:.1f} angstrom high on {'both sides' if both else 'one side'}; write "
        f"vacuum: {needed:g} angstrom, or leave it out"
    )


def _list_occupied(study: SurfaceStudy) -> list[tuple[str, ...]]:
    """Sites with a ligand in each structure of a study, by name."""
    slab = build_study_slab(study)
    if study.recipe == "surface_energy":
        return [configuration.occupied for configuration in choose_sites(study)]
    if study.recipe == "ligand_binding":
        return [(find_site(slab, study.binding.site),)]
    return [tuple(site.name for site in slab.sites)]


def _measure_gap(slab: Slab, reach_angstrom: float, occupied: tuple[str, ...]) -> float:
    """Height that ligands of a reach [Å] on some sites leave between two images [Å]."""
    z = slab.structure.atoms.positions[:, 2]
    sites = [slab.find_site(name) for name in occupied]
    ends = [site.position[2] + site.normal[2] * reach_angstrom for site in sites]
    return float(slab.structure.atoms.cell[2, 2] - np.ptp([*z, *ends]))


def build_layer(study: SurfaceStudy) -> Structure:
    """Build the slab with a ligand on every site."""
    names = tuple(site.name for site in build_study_slab(study).sites)
    return _attach(_describe(study), names, ())


def build_configuration(study: SurfaceStudy, configuration: Configuration) -> Structure:
    """Build the slab with ligands on some sites; the others lose their cation and anion."""
    return _attach(_describe(study), configuration.occupied, configuration.vacant)


def build_single(study: SurfaceStudy) -> Structure:
    """Build the slab with one ligand; the other sites keep their own cation."""
    site = find_site(build_study_slab(study), study.binding.site)
    return _attach(_describe(study), (site,), ())


def _describe(study: SurfaceStudy) -> tuple[SlabSpec, LigandSpec, int]:
    """Give what decides the structures of a study, so that they are built once a process.

    The k-points do not: each engine may have its own.
    """
    if study.slab is None:
        raise InputError(f"{study.name} has no slab; write slab: {{repeat: [2, 2], layers: 1}}")
    return dataclasses.replace(study.slab, kpoints=ZONE_CENTRE), study.ligand, study.seed


@lru_cache(maxsize=64)
def _attach(
    what: tuple[SlabSpec, LigandSpec, int], sites: tuple[str, ...], vacant: tuple[str, ...]
) -> Structure:
    spec, ligand_spec, seed = what
    ligand = _load_ligand(ligand_spec.name, ligand_spec.charge, seed, ligand_spec.conformer)
    slab = _build_slab(spec, measure_upright_length(ligand))
    return attach_ligands(slab, ligand, sites, vacant=vacant, seed=seed)


def build_free_molecules(study: SurfaceStudy) -> dict[str, Structure]:
    """Build the molecules in the gas phase that a study of a surface may need, by name."""
    ligand, counterion = load_study_ligand(study), study.ligand.counterion
    molecules = {
        ION_PAIR: build_ion_pair(ligand, counterion),
        CATION: build_molecule(ligand),
        COUNTERION: build_counterion(counterion),
    }
    if study.thermodynamics.method != "rigid":
        molecules[ENTROPY_LIGAND] = build_entropy_ligand(study)
    return molecules


def load_entropy_ligand(study: SurfaceStudy) -> Ligand:
    """Load the ligand whose entropy in the gas phase is taken."""
    return load_study_ligand(study, study.thermodynamics.ligand)


def build_entropy_ligand(study: SurfaceStudy) -> Structure:
    """Build the ligand whose entropy in the gas phase is taken."""
    return build_molecule(load_entropy_ligand(study))


def select_fragment(
    study: SurfaceStudy, structure: Structure, fragment: Fragment
) -> NDArray[np.bool_]:
    """Mark the atoms of the ligand with its counterion, or those of the rest of the slab.

    Parameters
    ----------
    study
        A study of one ligand on a slab.
    structure
        The slab with the ligand.
    fragment
        ``ligand`` or ``surface``.
    """
    slab = build_study_slab(study)
    site = slab.find_site(find_site(slab, study.binding.site))
    adsorbate = structure.ligand_index != NO_LIGAND
    adsorbate[site.anion - int(site.cation < site.anion)] = True  # its cation is gone
    return np.asarray(adsorbate if fragment == "ligand" else ~adsorbate)


def remove_fragment(study: SurfaceStudy, structure: Structure, fragment: Fragment) -> Structure:
    """Take a fragment, as `select_fragment` marks it, out of a slab with one ligand."""
    kept = ~select_fragment(study, structure, fragment)
    with_ligand = bool((structure.ligand_index[kept] != NO_LIGAND).any())
    what = "the ligand and its counterion" if fragment == "ligand" else "the surface"
    return dataclasses.replace(
        structure,
        atoms=structure.atoms[kept],
        depth_cells=structure.depth_cells[kept],
        frozen=structure.frozen[kept],
        ligand_index=structure.ligand_index[kept],
        ligands=structure.ligands if with_ligand else (),
        description=f"{structure.description}; without {what}",
    )
