"""Jobs that the recipes of ligands and surfaces have in common."""

from __future__ import annotations

from collections.abc import Iterable

from qdcomp.recipes.jobs.planned_job import JobKind, PlannedJob, derive_seed
from qdcomp.recipes.study_files.surface_schema import (
    ENTROPY_LIGAND,
    ZONE_CENTRE,
    Fragment,
    KPoints,
    SurfaceStudy,
)


def plan_build(study: SurfaceStudy) -> PlannedJob:
    """Plan the job that builds every structure of a study."""
    return PlannedJob(f"{study.name}: 00 build", "build", ".", seed=study.seed)


def plan_relaxation(study: SurfaceStudy, piece: str, parent: PlannedJob) -> PlannedJob:
    """Plan the relaxation of a slab."""
    return _plan(study, "01", "relax", piece, (parent.name,), kpoints=slab_kpoints(study))


def plan_slab_energy(
    study: SurfaceStudy, piece: str, parents: Iterable[PlannedJob], *, relaxed: bool
) -> PlannedJob:
    """Plan the last energy of a slab: on the final k-points, where the study has them."""
    return _plan(
        study,
        "02",
        "energy",
        piece,
        tuple(parent.name for parent in parents),
        geometry_from=piece if relaxed else "",
        kpoints=study.final_kpoints or slab_kpoints(study),
        tolerates_failures=True,  # it fails at once, and so tells what waits for it
    )


def plan_molecule(study: SurfaceStudy, piece: str, parent: PlannedJob) -> PlannedJob:
    """Plan the energy of a molecule, relaxed where the study relaxes molecules."""
    kind: JobKind = "relax" if study.relax_molecules else "energy"
    return _plan(study, "01", kind, piece, (parent.name,))


def plan_vibrations(study: SurfaceStudy, piece: str, relaxed: PlannedJob) -> PlannedJob:
    """Plan the frequencies of a molecule that was relaxed."""
    return _plan(study, "02", "vibrations", piece, (relaxed.name,), geometry_from=piece)


def plan_fragment_energy(
    study: SurfaceStudy,
    label: str,
    piece: str,
    parent: PlannedJob,
    *,
    ghost: Fragment = "",
    without: Fragment = "",
) -> PlannedJob:
    """Plan the energy of a part of a relaxed slab, with the basis of the rest or without.

    On the k-points of the slab's last energy: the two are subtracted.
    """
    return _plan(
        study,
        "02",
        "energy",
        piece,
        (parent.name,),
        label=label,
        geometry_from=piece,
        kpoints=study.final_kpoints or slab_kpoints(study),
        ghost=ghost,
        without=without,
    )


def plan_piece_energy(study: SurfaceStudy, piece: str, parent: PlannedJob) -> PlannedJob:
    """Plan the energy of a molecule as it is."""
    return _plan(study, "03", "energy", piece, (parent.name,))


def plan_combination(
    study: SurfaceStudy, parents: Iterable[PlannedJob], *, tolerates_failures: bool = False
) -> PlannedJob:
    """Plan the job that makes the result out of the energies."""
    return PlannedJob(
        f"{study.name}: 04 combine",
        "combine",
        ".",
        tuple(parent.name for parent in parents),
        tolerates_failures=tolerates_failures,
    )


def plan_entropy(study: SurfaceStudy, build: PlannedJob) -> list[PlannedJob]:
    """Plan what the entropy of the free ligand needs: nothing but its geometry where it is rigid.

    With frequencies the ligand is relaxed first, whatever the study says of molecules: only at a
    minimum do they mean anything.
    """
    if study.thermodynamics.method == "rigid":
        return []
    relaxed = _plan(study, "01", "relax", ENTROPY_LIGAND, (build.name,))
    return [relaxed, plan_vibrations(study, ENTROPY_LIGAND, relaxed)]


def slab_kpoints(study: SurfaceStudy) -> KPoints:
    """Grid that slabs are relaxed on."""
    return study.slab.kpoints if study.slab else ZONE_CENTRE


def _plan(
    study: SurfaceStudy,
    number: str,
    kind: JobKind,
    piece: str,
    parents: tuple[str, ...],
    *,
    label: str = "",
    geometry_from: str = "",
    kpoints: KPoints = ZONE_CENTRE,
    ghost: Fragment = "",
    without: Fragment = "",
    tolerates_failures: bool = False,
) -> PlannedJob:
    title = label or piece
    return PlannedJob(
        f"{study.name}: {number} {kind} {title}",
        kind,
        f"jobs/{number}_{kind}_{title}",
        parents,
        relaxation=study.relaxation if kind == "relax" else None,
        seed=derive_seed(study.seed, f"{kind} {title}"),
        piece=piece,
        label=label,
        geometry_from=geometry_from,
        kpoints=kpoints,
        ghost=ghost,
        without=without,
        tolerates_failures=tolerates_failures,
    )
