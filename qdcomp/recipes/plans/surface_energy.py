"""The recipe ``surface_energy``: ΔG(N) against the number of bound ligands.

::

    build → relax N0, N1-a, … N8-a   (→ energy on the final k-points) ┐
          → relax ion pair                                            ├→ combine
          → (relax ligand → vibrations, where its entropy needs them) ┘

A configuration that failed leaves a gap in the curve; the rest is kept.
"""

from __future__ import annotations

from qdcomp.recipes.jobs.planned_job import PlannedJob
from qdcomp.recipes.plans.surface_plan import (
    plan_build,
    plan_combination,
    plan_entropy,
    plan_molecule,
    plan_relaxation,
    plan_slab_energy,
)
from qdcomp.recipes.study_files.surface_schema import ION_PAIR, SurfaceStudy
from qdcomp.recipes.study_files.surface_structures import (
    build_configuration,
    build_free_molecules,
    choose_sites,
)
from qdcomp.structures import Structure


def plan_jobs(study: SurfaceStudy) -> tuple[PlannedJob, ...]:
    """All jobs of a study, parents before children."""
    build = plan_build(study)
    jobs = [build]
    all_frozen = study.slab is not None and study.slab.frozen == "all"
    for configuration in choose_sites(study):
        if configuration.bound == 0 and all_frozen:
            jobs.append(plan_slab_energy(study, configuration.name, [build], relaxed=False))
            continue
        relaxed = plan_relaxation(study, configuration.name, build)
        jobs.append(relaxed)
        if study.final_kpoints:
            jobs.append(plan_slab_energy(study, configuration.name, [relaxed], relaxed=True))
    jobs.append(plan_molecule(study, ION_PAIR, build))
    jobs.extend(plan_entropy(study, build))
    jobs.append(plan_combination(study, jobs[1:], tolerates_failures=True))
    return tuple(jobs)


def build_structures(study: SurfaceStudy) -> dict[str, Structure]:
    """Build every structure of a study, by its name."""
    built = {entry.name: build_configuration(study, entry) for entry in choose_sites(study)}
    return built | build_free_molecules(study)
