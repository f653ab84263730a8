"""The recipe ``ligand_binding``: the binding energy of one ligand on a surface.

::

    build → relax complex      → energy complex (final k-points) ┐
          → energy without     (relaxed where its atoms move)    ├→ combine
          → relax ion pair, or ligand and counterion             ┘
                                 → energies of the parts, with and without ghost atoms
"""

from __future__ import annotations

from qdcomp.recipes.jobs.planned_job import PlannedJob
from qdcomp.recipes.plans.surface_plan import (
    plan_build,
    plan_combination,
    plan_entropy,
    plan_fragment_energy,
    plan_molecule,
    plan_relaxation,
    plan_slab_energy,
)
from qdcomp.recipes.study_files.surface_schema import CATION, COUNTERION, ION_PAIR, SurfaceStudy
from qdcomp.recipes.study_files.surface_structures import (
    build_free_molecules,
    build_single,
    remove_fragment,
)
from qdcomp.structures import Structure

COMPLEX = "complex"
WITHOUT = "without"


def plan_jobs(study: SurfaceStudy) -> tuple[PlannedJob, ...]:
    """All jobs of a study, parents before children."""
    build = plan_build(study)
    complex_ = plan_relaxation(study, COMPLEX, build)
    jobs = [build, complex_]
    if study.slab is not None and study.slab.frozen == "none":
        jobs.append(plan_relaxation(study, WITHOUT, build))
        if study.final_kpoints:
            jobs.append(plan_slab_energy(study, WITHOUT, jobs[-1:], relaxed=True))
    else:
        jobs.append(plan_slab_energy(study, WITHOUT, [build], relaxed=False))
    if study.final_kpoints:
        jobs.append(plan_slab_energy(study, COMPLEX, [complex_], relaxed=True))
    free = (ION_PAIR,) if study.binding.reference == "ion_pair" else (CATION, COUNTERION)
    jobs.extend(plan_molecule(study, piece, build) for piece in free)
    if study.binding.counterpoise:
        jobs.extend(_plan_counterpoise(study, complex_))
    jobs.extend(plan_entropy(study, build))
    jobs.append(plan_combination(study, jobs[1:]))
    return tuple(jobs)


def _plan_counterpoise(study: SurfaceStudy, complex_: PlannedJob) -> list[PlannedJob]:
    """Energies of both parts as they are in the complex, each with and without the other's basis.

    Boys and Bernardi, Mol. Phys. 19, 553 (1970).
    """
    return [
        plan_fragment_energy(study, "surface_alone", COMPLEX, complex_, without="ligand"),
        plan_fragment_energy(study, "surface_with_ghosts", COMPLEX, complex_, ghost="ligand"),
        plan_fragment_energy(study, "pair_alone", COMPLEX, complex_, without="surface"),
        plan_fragment_energy(study, "pair_with_ghosts", COMPLEX, complex_, ghost="surface"),
    ]


def build_structures(study: SurfaceStudy) -> dict[str, Structure]:
    """Build every structure of a study, by its name."""
    complex_ = build_single(study)
    return {
        COMPLEX: complex_,
        WITHOUT: remove_fragment(study, complex_, "ligand"),
        **build_free_molecules(study),
    }
