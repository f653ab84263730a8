"""Parts of a run paused, continued, cancelled and put back; jobs are done by hand, not run."""

import pytest
from builders.small_studies import write_study
from fireworks import FWAction, FWorker

from qdcomp.errors import InputError
from qdcomp.recipes.campaigns.campaign_folder import make_runs
from qdcomp.recipes.campaigns.job_control import (
    cancel_jobs,
    continue_jobs,
    pause_jobs,
    rerun_jobs,
)
from qdcomp.recipes.campaigns.members import read_members
from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS
from qdcomp.recipes.launchpads import launch_all, open_launchpad
from qdcomp.recipes.workflows.submission import submit_runs


@pytest.fixture
def runs(tmp_path):
    path = write_study(tmp_path / "small.yaml", more="sweep: {seeds: 2}")
    return make_runs(read_members(path), tmp_path / "campaign")[1]


@pytest.fixture
def pad(runs):
    with open_launchpad(runs[0].root.parent / "launchpad.sqlite") as pad:
        submit_runs(runs, pad)
        yield pad


def state(pad, run, job):
    return pad.fireworks.find_one({"name": f"{run.study.name}: {job}"})["state"]


def complete(pad, run):
    """All jobs as FireWorks leaves completed ones, with a file where each has its results."""
    for job in run.jobs:
        document = pad.fireworks.find_one({"name": job.name})
        _, launch_id = pad.checkout_fw(FWorker(), str(run.root), document["fw_id"])
        pad.complete_launch(launch_id, FWAction(), "COMPLETED")
        if job.kind in ENGINE_KINDS:
            run.job_directory(job).mkdir(parents=True)
            (run.job_directory(job) / "result.json").write_text(job.name)
    run.relaxed_path().write_text("relaxed")
    (run.root / "T50K").mkdir()
    for name in ("trajectory.h5", "analysis.h5"):
        (run.root / "T50K" / name).write_text(name)


def test_paused_jobs_are_not_launched_and_go_on_when_told(pad, runs):
    result = pause_jobs(runs, pad, "* build")
    assert result.changed == ("small-s1: 00 build", "small-s2: 00 build")
    assert launch_all(pad, {}, runs[0].root.parent) == ()
    assert continue_jobs(runs[:1], pad).changed == ("small-s1: 00 build",)
    assert state(pad, runs[0], "00 build") == "READY"
    assert state(pad, runs[1], "00 build") == "PAUSED"


def test_cancelled_jobs_come_back_and_running_ones_are_left(pad, runs):
    relax = pad.fireworks.find_one({"name": "small-s1: 01 relax"})
    pad.fireworks.update_one({"fw_id": relax["fw_id"]}, {"$set": {"state": "RUNNING"}})
    result = cancel_jobs(runs[:1], pad)
    assert len(result.changed) == 5 and result.left == {"RUNNING": 1}
    assert state(pad, runs[0], "00 build") == "DEFUSED"
    assert state(pad, runs[0], "01 relax") == "RUNNING"
    continue_jobs(runs[:1], pad)
    assert state(pad, runs[0], "00 build") == "READY"


def test_a_job_that_is_reserved_leaves_its_batch_job_when_cancelled(pad, runs):
    build = pad.fireworks.find_one({"name": "small-s1: 00 build"})
    _, launch_id = pad.reserve_fw(FWorker(), str(runs[0].root), fw_id=build["fw_id"])
    pad.set_reservation_id(launch_id, 13)
    assert cancel_jobs(runs, pad, "small-s1: 00 build").batch_jobs == ("13",)
    assert state(pad, runs[0], "00 build") == "DEFUSED"
    continue_jobs(runs, pad)
    assert state(pad, runs[0], "00 build") == "READY"


def test_a_pattern_that_matches_nothing_is_told_with_names_that_there_are(pad, runs):
    with pytest.raises(InputError, match=r"no job matches 'sampel'.* called 00 build, 01 relax"):
        pause_jobs(runs, pad, "sampel")


def test_rerun_keeps_results_aside_and_puts_back_what_follows(pad, runs):
    run = runs[0]
    complete(pad, run)
    result = rerun_jobs(runs, pad, "03 sample * (2/2)")
    (folder,) = result.set_aside
    assert [name.partition(": ")[2] for name in result.changed] == [
        "03 sample 50 K (2/2)", "04 collect 50 K", "05 analyse 50 K",
    ]  # fmt: skip
    kept = {p.relative_to(folder).as_posix() for p in run.root.glob("set_aside/*/**/*.*")}
    assert kept == {
        "jobs/03_sample_T50K_2of2/result.json", "T50K/trajectory.h5", "T50K/analysis.h5",
    }  # fmt: skip
    assert not (run.root / "jobs" / "03_sample_T50K_2of2").exists()
    assert run.relaxed_path().is_file()
    assert state(pad, run, "03 sample 50 K (2/2)") == "READY"
    assert state(pad, run, "05 analyse 50 K") == "WAITING"
    assert state(pad, run, "03 sample 50 K (1/2)") == "COMPLETED"


def test_what_runs_is_not_put_back(pad, runs):
    run = runs[0]
    complete(pad, run)
    query = {"name": f"{run.study.name}: 05 analyse 50 K"}
    pad.fireworks.update_one(query, {"$set": {"state": "RUNNING"}})
    with pytest.raises(InputError, match="05 analyse 50 K is RUNNING, and what runs is not run"):
        rerun_jobs([run], pad, "01 relax")
    assert run.relaxed_path().is_file() and not (run.root / "set_aside").exists()
    assert state(pad, run, "01 relax") == "COMPLETED"


def test_what_runs_in_one_member_leaves_all_members_as_they_are(pad, runs):
    for run in runs:
        complete(pad, run)
    (runs[0].root.parent / "cluster.yaml").touch()
    query = {"name": f"{runs[1].study.name}: 04 collect 50 K"}
    pad.fireworks.update_one(query, {"$set": {"state": "RUNNING"}})
    with pytest.raises(InputError, match=f"qdcomp submit {runs[0].root.parent} puts it back"):
        rerun_jobs(runs, pad, "01 relax")
    assert not any((run.root / "set_aside").exists() for run in runs)
    assert state(pad, runs[0], "01 relax") == "COMPLETED"


def test_jobs_that_have_not_run_are_left(pad, runs):
    result = rerun_jobs(runs, pad, "*")
    assert result.changed == () and result.left == {"READY": 2, "WAITING": 10}
