"""Estimates that finished jobs correct; what was spent beside what was expected."""

import json

import numpy as np
import pytest

from qdcomp.engines import CostEstimate
from qdcomp.recipes.jobs.job_estimate import ESTIMATE_NAME, note_estimate, read_estimate
from qdcomp.recipes.jobs.run_record import RECORD_NAME, read_run_record
from qdcomp.recipes.plans.plan import build_structures, plan_study
from qdcomp.recipes.runs.measured_cost import (
    FEW_JOBS_ERROR,
    SHORTEST_S,
    calibrate,
    collect_finished,
    find_runs,
    refine_plan,
)
from qdcomp.recipes.runs.run_directory import create_run
from qdcomp.recipes.runs.spent_cost import (
    FinishedJob,
    describe_spent,
    list_finished_jobs,
    sum_spent,
)
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.resources import find_study

RECORD = {
    "command": ["cp2k"],
    "host": "here",
    "started": "2026-01-01T00:00:00+00:00",
    "finished": "2026-01-01T01:00:00+00:00",
    "walltime_s": 3600.0,
    "runs": 1,
    "corrections": [],
}


def make_job(core_hours, expected, *, kind="relax", engine="cp2k", memory=0.0, electrons=100):
    estimate = CostEstimate(electrons, 2.0, expected, "a test", 3.0)
    return FinishedJob(engine, kind, 2, core_hours * 1800.0, memory, estimate)


@pytest.fixture(scope="module")
def plan():
    study = read_study(find_study("demo"))
    return plan_study(
        study, build_structures(study), lambda job: CostEstimate(400, 2.0, 10.0, "a test", 3.0)
    )


@pytest.fixture
def run(tmp_path):
    run = create_run(tmp_path / "runs" / "demo", read_study(find_study("demo")))
    for job, changes in zip(
        run.select_jobs("sample", 10.0),
        ({"cores": 2, "peak_memory_gib": 0.5}, {"cores": 4}, {}),
        strict=False,
    ):
        directory = run.job_directory(job)
        directory.mkdir(parents=True)
        (directory / RECORD_NAME).write_text(json.dumps(RECORD | changes))
    return run


def test_the_median_corrects_and_the_spread_is_the_error():
    rng = np.random.default_rng(5)
    jobs = [make_job(18.0 * np.exp(0.3 * rng.normal()), 10.0) for _ in range(400)]
    found = calibrate([*jobs, make_job(1.0, 10.0, kind="energy")])["cp2k", "relax"]
    assert found.ratio == pytest.approx(1.8, rel=0.05)
    assert found.spread == pytest.approx(np.exp(0.3), rel=0.05)
    within = [1 / found.error_factor < job.core_hours / 18.0 < found.error_factor for job in jobs]
    assert np.mean(within) == pytest.approx(0.68, abs=0.06)
    assert "400 finished jobs of cp2k relax: measured/predicted 1.8, spread 1.3" in found.describe()


def test_one_job_corrects_and_does_not_make_certain():
    found = calibrate([make_job(30.0, 10.0)])["cp2k", "relax"]
    assert found.ratio == pytest.approx(3.0)
    assert found.error_factor == FEW_JOBS_ERROR
    assert found.describe().endswith("measured/predicted 3, spread not known")


def test_jobs_of_which_something_is_not_known_say_nothing():
    unknown = FinishedJob("cp2k", "relax", 0, 100.0, 0.0, CostEstimate(1, 1.0, 1.0, "a test"))
    brief = make_job(0.01, 1e-6)
    assert brief.walltime_s < SHORTEST_S
    assert calibrate([unknown, brief, FinishedJob("cp2k", "relax", 2, 100.0, 0.0, None)]) == {}


def test_a_plan_is_refined_for_its_engine_and_kind_and_says_by_what(plan):
    jobs = [make_job(core_hours, 10.0, kind="sample", engine="model", memory=3.0, electrons=100)
            for core_hours in (4.0, 5.0, 6.0, 5.0)]  # fmt: skip
    refined = refine_plan(plan, calibrate([*jobs, make_job(90.0, 10.0, kind="relax")]))
    costs = {entry.job.kind: entry.cost for entry in refined.jobs if entry.cost}
    assert costs["sample"].core_hours == pytest.approx(5.0)
    assert costs["sample"].memory_gib == pytest.approx(3.0)
    assert "extrapolated to 400 electrons from at most 100" in costs["sample"].basis
    assert costs["relax"].core_hours == 10.0 and costs["relax"].basis == "a test"
    least, most = refined.core_hours_range
    assert least < refined.core_hours < most
    assert refined.describe_core_hours() == "about 40 core-hours (24 to 83)"


def test_a_plan_without_measurements_is_the_formula_with_its_error(plan):
    assert refine_plan(plan, {}).jobs == plan.jobs
    assert plan.describe_core_hours() == "about 60 core-hours (20 to 180)"


def test_records_of_a_run_are_found_and_older_ones_read(run):
    record = read_run_record(run.job_directory(run.select_jobs("sample", 10.0)[2]))
    assert (record.cores, record.peak_memory_gib) == (0, 0.0)
    assert find_runs(run.root.parent) == (run.root,)
    assert collect_finished([run.root, run.root, run.root / "nowhere"]) == list_finished_jobs(run)


def test_what_was_spent_stands_beside_what_was_expected(run):
    first, second, _ = (run.job_directory(job) for job in run.select_jobs("sample", 10.0)[:3])
    (entry,) = sum_spent(list_finished_jobs(run))
    assert (entry.jobs, entry.unknown) == (3, 1)
    assert entry.core_hours == pytest.approx(6.0)
    assert entry.expected_core_hours is None
    for directory in (first, second):
        estimate = {"electrons": 9, "memory_gib": 1.0, "core_hours": 2.5, "basis": "a test"}
        (directory / ESTIMATE_NAME).write_text(json.dumps(estimate))
    (line,) = describe_spent(sum_spent(list_finished_jobs(run)))
    assert line == (
        "spent on sample: 6 core-hours in 3 jobs, expected 5, at most 0.5 GiB, without 1 whose "
        "cores were not written down"
    )
    both = (*list_finished_jobs(run)[:2], make_job(1.0, 2.0))
    assert describe_spent(sum_spent(both))[-1] == "spent in all: 7 core-hours (expected 7)"
    assert describe_spent(()) == ()


def test_an_estimate_is_kept_with_the_job_and_a_damaged_one_is_none(tmp_path):
    class Engine:
        def estimate_cost(self, job):
            return CostEstimate(8, 0.5, 0.25, "a test", 2.0)

    note_estimate(tmp_path, Engine(), None)
    assert read_estimate(tmp_path) == CostEstimate(8, 0.5, 0.25, "a test", 2.0)
    (tmp_path / ESTIMATE_NAME).write_text("{")
    assert read_estimate(tmp_path) is None
