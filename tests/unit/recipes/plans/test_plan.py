import dataclasses
import itertools

import numpy as np
import pytest

from qdcomp.engines import CostEstimate
from qdcomp.errors import InputError
from qdcomp.recipes.plans.plan import (
    build_structures,
    describe_engine_job,
    format_estimate,
    plan_jobs,
    plan_study,
)
from qdcomp.recipes.study_files.dot_sections import build_dot
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.resources import find_study


@pytest.fixture(scope="module")
def study():
    return read_study(find_study("raino2022_dot_4p2nm"), engine="model")


def at(study, *temperatures_k, **sampling):
    changed = dataclasses.replace(study.sampling, temperatures_k=temperatures_k, **sampling)
    return dataclasses.replace(study, sampling=changed)


def test_the_jobs_of_one_trajectory_are_a_chain(study):
    jobs = plan_jobs(at(study, 10.0, segments=2))
    assert [job.name.removeprefix("raino2022_dot_4p2nm: ") for job in jobs] == [
        "00 build",
        "01 relax",
        "02 equilibrate 10 K (1/3) at 300 K",
        "02 equilibrate 10 K (2/3) at 300 K",
        "02 equilibrate 10 K (3/3)",
        "03 sample 10 K (1/2)",
        "03 sample 10 K (2/2)",
        "04 collect 10 K",
        "05 analyse 10 K",
    ]
    for before, job in itertools.pairwise(jobs):
        assert before.name in job.parents
    dynamics = [job for job in jobs if job.dynamics]
    assert dynamics[0].previous is None
    assert [job.previous for job in dynamics[1:]] == [job.name for job in dynamics[:-1]]
    assert jobs[-2].parents == tuple(job.name for job in jobs if job.kind == "sample")


def test_trajectories_at_several_temperatures_run_side_by_side(study):
    jobs = plan_jobs(at(study, 10.0, 77.5))
    (relax,) = [job for job in jobs if job.kind == "relax"]
    first = [job for job in jobs if job.kind == "equilibrate" and job.parents == (relax.name,)]
    assert [job.temperature_k for job in first] == [10.0, 77.5]
    assert jobs[-1].kind == "summarise"
    assert jobs[-1].parents == tuple(job.name for job in jobs if job.kind == "analyse")


def test_parents_come_first_and_names_and_seeds_are_unique(study):
    jobs = plan_jobs(at(study, 10.0, 77.5, 300.0))
    known = set()
    for job in jobs:
        assert known >= set(job.parents)
        known.add(job.name)
    assert len(known) == len(jobs)
    seeds = [job.seed for job in jobs if job.relaxation or job.dynamics]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_the_same_study_gives_the_same_jobs_and_another_seed_other_random_numbers(study):
    again = read_study(study.source, engine="model")
    assert plan_jobs(study) == plan_jobs(again)
    reseeded = plan_jobs(dataclasses.replace(study, seed=2))
    pairs = zip(plan_jobs(study), reseeded, strict=True)
    assert all(old.seed != new.seed for old, new in pairs if old.dynamics)


def test_without_equilibration_the_sampling_starts_from_the_relaxed_structure(study):
    jobs = plan_jobs(dataclasses.replace(study, equilibration=()))
    first = next(job for job in jobs if job.kind == "sample")
    assert first.parents == (jobs[1].name,)
    assert first.previous is None


def test_the_engine_is_told_charge_box_frozen_atoms_and_seed(study):
    structure = build_dot(study)
    frozen = np.zeros(len(structure.atoms), dtype=bool)
    frozen[0] = True
    jobs = plan_jobs(study)
    described = describe_engine_job(study, jobs[2], structure.with_frozen(frozen))
    assert (described.task, described.charge, described.box_angstrom) == ("dynamics", 14, 80.0)
    assert described.frozen[0] and not described.frozen[1:].any()
    assert described.seed == jobs[2].seed
    assert described.dynamics == jobs[2].dynamics
    with pytest.raises(InputError, match="runs no engine"):
        describe_engine_job(study, jobs[0], structure)


def test_the_plan_adds_up_what_the_engine_estimates(study):
    def estimate(job):
        steps = job.dynamics.steps if job.dynamics else job.relaxation.max_steps
        return CostEstimate(100, memory_gib=2.0, core_hours=steps / 100, basis="a test")

    plan = plan_study(study, build_structures(study), estimate)
    (line,) = plan.describe_structures()
    assert line.startswith("Br1176Cs504Pb343, 2023 atoms (2023 free), charge +14 e, 100 electrons")
    assert plan.simulated_fs == 18_000
    assert plan.core_hours == pytest.approx((500 + 800 + 1000) / 100)
    assert plan.memory_gib == 2.0
    assert plan.cost_basis == ("a test",)
    rows = plan.rows()
    assert {len(row) for row in rows} == {6}
    assert rows[2] == ("01 relax", "≤ 500", "", "2 GiB", "5", "00 build")


def test_the_plan_names_all_jobs_before_one_or_how_many(study):
    def after(changed):
        plan = plan_study(
            changed, build_structures(changed), lambda job: CostEstimate(100, 2.0, 1.0, "a test")
        )
        return {row[0]: row[-1] for row in plan.rows()}

    three = after(at(study, 10.0, 77.5, 300.0))
    assert three["06 summarise"] == "05 analyse 10 K, 05 analyse 77.5 K, 05 analyse 300 K"
    collected = after(at(study, 10.0, segments=4))["04 collect 10 K"]
    assert collected == "03 sample 10 K (1/4) … 03 sample 10 K (4/4) (4 jobs)"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0123, "0.012"), (1.04, "1"), (9.96, "10"), (113.2, "110"), (5512.0, "5,500")],
)
def test_an_estimate_has_two_digits_in_plain_figures(value, text):
    assert format_estimate(value) == text
