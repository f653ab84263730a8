"""The recipe ``gas_entropy``: the entropy of a free ligand.

::

    build → relax → vibrations, where the method needs frequencies → combine
"""

from __future__ import annotations

from qdcomp.recipes.jobs.planned_job import PlannedJob
from qdcomp.recipes.plans.surface_plan import (
    plan_build,
    plan_combination,
    plan_entropy,
    plan_molecule,
)
from qdcomp.recipes.study_files.surface_schema import ENTROPY_LIGAND, SurfaceStudy
from qdcomp.recipes.study_files.surface_structures import build_entropy_ligand
from qdcomp.structures import Structure


def plan_jobs(study: SurfaceStudy) -> tuple[PlannedJob, ...]:
    """All jobs of a study, parents before children."""
    build = plan_build(study)
    jobs = [build, *plan_entropy(study, build)]
    if len(jobs) == 1 and study.relax_molecules:
        jobs.append(plan_molecule(study, ENTROPY_LIGAND, build))
    jobs.append(plan_combination(study, jobs))
    return tuple(jobs)


def build_structures(study: SurfaceStudy) -> dict[str, Structure]:
    """Build the free ligand."""
    return {ENTROPY_LIGAND: build_entropy_ligand(study)}
