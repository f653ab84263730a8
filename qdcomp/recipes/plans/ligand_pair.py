"""The recipe ``ligand_pair``: what neighbouring ligands do to each other.

::

    build → (relax layer) → cut molecules out of it → energies of each, of the pairs, of all
                                                       together and along a scan → combine

The molecules are uncharged, in the geometry that they have on the surface: their tails with the
head group replaced by hydrogen, their amines, or their ion pairs. Two cations repel each other by
electron volts, which the surface's anions screen; what is asked for is the rest.
"""

from __future__ import annotations

from qdcomp.recipes.jobs.planned_job import PlannedJob
from qdcomp.recipes.plans.surface_molecules import cut_molecules, name_molecules
from qdcomp.recipes.plans.surface_plan import (
    plan_build,
    plan_combination,
    plan_piece_energy,
    plan_relaxation,
)
from qdcomp.recipes.study_files.surface_schema import SurfaceStudy
from qdcomp.recipes.study_files.surface_structures import build_layer
from qdcomp.structures import Structure

LAYER = "layer"


def plan_jobs(study: SurfaceStudy) -> tuple[PlannedJob, ...]:
    """All jobs of a study, parents before children."""
    build = plan_build(study)
    jobs = [build]
    before = build
    if study.pair.geometry == "relaxed":
        before = plan_relaxation(study, LAYER, build)
        jobs.append(before)
    cut = PlannedJob(
        f"{study.name}: 02 cut", "cut", ".", (before.name,), piece=LAYER, geometry_from=LAYER
    )
    energies = [plan_piece_energy(study, piece, cut) for piece in name_molecules(study)]
    return (*jobs, cut, *energies, plan_combination(study, energies, tolerates_failures=True))


def build_structures(study: SurfaceStudy) -> dict[str, Structure]:
    """Build the layer, and the molecules as they would be cut out of it unrelaxed."""
    layer = build_layer(study)
    return {LAYER: layer, **cut_molecules(study, layer)}
