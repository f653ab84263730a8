"""All slabs of an energy difference are corrected for their dipole, or none."""

import re

import pytest

from qdcomp.engines import load_engine
from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS
from qdcomp.recipes.plans.plan import build_structures, describe_engine_job, plan_jobs, plan_study
from qdcomp.recipes.study_files.dipole_correction import (
    describe_dipole_correction,
    needs_dipole_correction,
)
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.resources import find_study

TEXT = """\
name: test
recipe: {recipe}
engine: cp2k
slab: {{repeat: [2, 2], crystal: cubic, sides: {sides}}}
ligand: {{name: MA}}
{rest}
engines:
  cp2k: {{dispersion: D3BJ, poisson_solver: {solver}}}
"""


@pytest.fixture
def make_study(tmp_path):
    def make(recipe="ligand_binding", rest="", sides="both", solver="auto"):
        path = tmp_path / "study.yaml"
        path.write_text(TEXT.format(recipe=recipe, rest=rest, sides=sides, solver=solver))
        return read_study(path)

    return make


def describe_jobs(study):
    """What the engine is told of each job, by what the job computes."""
    structures = build_structures(study)
    return {
        job.label or job.piece: describe_engine_job(study, job, structures[job.piece])
        for job in plan_jobs(study)
        if job.kind in ENGINE_KINDS
    }


@pytest.mark.parametrize("sides", ["both", "one"])
def test_one_ligand_makes_every_slab_of_its_binding_energy_corrected(make_study, sides):
    jobs = describe_jobs(make_study(rest="binding: {counterpoise: yes}", sides=sides))
    slabs = {name for name, job in jobs.items() if job.atoms.pbc.any()}
    assert {"complex", "without", "surface_alone", "pair_with_ghosts"} <= slabs
    assert {name for name, job in jobs.items() if job.dipole_correction} == slabs
    assert not jobs["ion_pair"].dipole_correction


@pytest.mark.parametrize(
    ("bound", "sides", "corrected"),
    [
        ("[]", "both", True),
        ("[0, 4]", "both", True),
        ("[0, 7, 8]", "both", True),
        ("[0, 8]", "both", False),
        ("[0, 4]", "one", True),
    ],
)
def test_a_series_is_corrected_where_the_sides_of_one_of_its_slabs_can_differ(
    make_study, bound, sides, corrected
):
    rest = "" if bound == "[]" else f"coverage: {{bound: {bound}}}"
    jobs = describe_jobs(make_study("surface_energy", rest, sides))
    slabs = [job for job in jobs.values() if job.atoms.pbc.any()]
    assert {job.dipole_correction for job in slabs} == {corrected}


def test_a_full_layer_on_both_sides_is_relaxed_without(make_study):
    rest = "pair: {geometry: relaxed, neighbours: 1}"
    assert not needs_dipole_correction(make_study("ligand_pair", rest))
    assert needs_dipole_correction(make_study("ligand_pair", rest, "one"))


def test_without_images_there_is_nothing_to_correct(make_study):
    study = make_study(solver="mt")
    assert not needs_dipole_correction(study)
    (said,) = describe_dipole_correction(study)
    assert "without dipole correction: the Poisson solver mt" in said


@pytest.mark.parametrize(
    ("recipe", "rest", "said"),
    [
        ("ligand_binding", "", "with the dipole correction .* the one ligand is on one side"),
        ("surface_energy", "", "with the dipole correction .* with 1 of 8 ligands"),
        ("surface_energy", "coverage: {bound: [0, 8]}", "without .* two sides are alike"),
    ],
)
def test_the_plan_says_whether_there_is_a_correction(make_study, recipe, rest, said):
    study = make_study(recipe, rest)
    plan = plan_study(study, build_structures(study), load_engine("cp2k").estimate_cost)
    (assumption,) = plan.assumptions
    assert re.search(said, assumption)


def test_nothing_is_said_where_no_slab_is_computed(make_study):
    assert describe_dipole_correction(make_study("ligand_pair")) == ()
    assert describe_dipole_correction(read_study(find_study("mi2025_dda_entropy"))) == ()


def test_cp2k_corrects_the_papers_binding_energy_on_its_kpoints(tmp_path):
    job = describe_jobs(read_study(find_study("mi2025_pea_binding"), engine="cp2k"))["complex"]
    load_engine("cp2k").write_inputs(tmp_path, job)
    written = "\n".join(path.read_text() for path in tmp_path.glob("*.inp"))
    for line in ("SURFACE_DIPOLE_CORRECTION T", "SURF_DIP_DIR Z", "MONKHORST-PACK 4 4 1"):
        assert line in written
