"""Every study that comes with qdcomp can be planned with every engine that can compute it."""

from dataclasses import replace

import pytest

from qdcomp.engines import load_engine
from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS
from qdcomp.recipes.plans.plan import build_structures, plan_study
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.resources import list_studies

DOT_ENGINES = ("model", "cp2k")
"""VASP has the papers' thermostat from version 6.4.3 on, and a study of a dot must say so."""

LIGAND_ENGINES = ("cp2k", "vasp")
"""The surrogate knows no ligands."""

PLANNED = [
    pytest.param(path, engine, id=f"{path.stem} {engine}")
    for path in list_studies()
    if path.stem != "sweep_demo"
    for engine in (
        LIGAND_ENGINES if path.stem.startswith(("mi2025", "smoke_slab")) else DOT_ENGINES
    )
]


@pytest.mark.parametrize(("path", "engine"), PLANNED)
def test_a_shipped_study_can_be_planned(path, engine):
    study = read_study(path, engine=engine)
    if study.recipe == "surface_energy":
        # Placing all numbers of ligands takes minutes: the bare slab, one of them and a full layer.
        study = replace(study, coverage=replace(study.coverage, bound=(0, 1, 8)))
    structures = build_structures(study)
    plan = plan_study(study, structures, load_engine(engine).estimate_cost)
    computed = [entry for entry in plan.jobs if entry.job.kind in ENGINE_KINDS]
    assert all(entry.cost.electrons > 0 for entry in computed)
    assert {entry.job.piece for entry in computed} == set(plan.structures)
    for structure in plan.structures.values():
        electrons = int(structure.atoms.numbers.sum()) - structure.charge
        assert structure.kind == "dot" or electrons % 2 == 0
