"""Runs with lost, failed and removed parts: what is named, and what is mended."""

import json

import pytest
from builders.small_studies import write_study
from fireworks import FWorker
from typer.testing import CliRunner

from qdcomp.cli.application import application
from qdcomp.recipes.campaigns.run_set import open_run_set
from qdcomp.recipes.doctor import second_try
from qdcomp.recipes.doctor.examination import examine_runs
from qdcomp.recipes.doctor.mending import mend_troubles
from qdcomp.recipes.doctor.second_try import explain_hopeless
from qdcomp.recipes.jobs.run_record import RECORD_NAME, RunRecord, make_piece, write_run_record
from qdcomp.recipes.launchpads import open_launchpad
from qdcomp.recipes.runs.mended_log import MENDED_NAME, read_mended
from qdcomp.recipes.runs.run_directory import create_run
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.recipes.workflows.submission import submit_runs


@pytest.fixture
def runs(tmp_path):
    run = create_run(tmp_path / "run", read_study(write_study(tmp_path / "small.yaml")))
    return open_run_set(run.root)


@pytest.fixture
def pad(runs):
    with open_launchpad(runs.root / "launchpad.sqlite") as pad:
        submit_runs(runs.runs, pad)
        yield pad


def set_state(pad, job, state):
    pad.fireworks.update_one({"name": f"small: {job}"}, {"$set": {"state": state}})


def read_state(pad, job):
    return pad.fireworks.find_one({"name": f"small: {job}"})["state"]


def name_kinds(runs, pad):
    return {trouble.kind: trouble.where for trouble in examine_runs(runs, pad)}


def fail_at(run, job, steps):
    directory = run.job_directory(job)
    directory.mkdir(parents=True, exist_ok=True)
    pieces = [make_piece(0.0, 1.0, step, "failed") for step in steps]
    write_run_record(directory, RunRecord([], "", "", "", 0.0, 0, [], pieces))
    return directory


def test_nothing_is_wrong_with_a_run_that_waits(runs, pad):
    assert examine_runs(runs, pad) == ()
    assert mend_troubles((), runs, pad) == ()
    assert not (runs.root / MENDED_NAME).exists()


def test_a_lost_run_is_ready_again_and_written_down(runs, pad):
    pad.checkout_fw(FWorker(), str(runs.root))
    troubles = examine_runs(runs, pad)
    assert [(trouble.kind, trouble.where) for trouble in troubles] == [("lost", "small: 00 build")]
    assert mend_troubles(troubles, runs, pad) == troubles
    assert read_state(pad, "00 build") == "READY"
    (line,) = read_mended(runs.root)
    assert line["where"] == "small: 00 build" and "RUNNING" in line["found"]


def test_a_failed_job_is_tried_again_but_not_for_ever(runs, pad):
    set_state(pad, "01 relax", "FIZZLED")
    assert name_kinds(runs, pad) == {"failed": "small: 01 relax"}
    relax = next(job for job in runs.runs[0].jobs if job.kind == "relax")
    fail_at(runs.runs[0], relax, [2, 2])
    assert name_kinds(runs, pad) == {"failed": "small: 01 relax"}
    fail_at(runs.runs[0], relax, [2, 2, 2])
    (trouble,) = examine_runs(runs, pad)
    assert trouble.kind == "hopeless" and "3 times at the same step" in trouble.mend
    assert trouble.mend.endswith(f"qdcomp jobs rerun {runs.root} --match '01 relax'")
    assert mend_troubles((trouble,), runs, pad) == ()
    fail_at(runs.runs[0], relax, [2, 2, 2, 5])
    assert mend_troubles(examine_runs(runs, pad), runs, pad)
    assert read_state(pad, "01 relax") == "WAITING"  # for the build


@pytest.mark.parametrize(
    ("kind", "message", "said"),
    [
        ("ConvergenceError", "not converged after 500 steps", "change the study"),
        ("EngineError", "the walltime is too short for one step", "longer walltime"),
        ("EngineError", "cp2k stopped: the disk is full", "make room"),
        ("EngineError", "cp2k stopped before the job was done", ""),
        ("StoreError", "the launchpad server went away", ""),
    ],
)
def test_what_fails_again_is_left_to_the_user(tmp_path, monkeypatch, kind, message, said):
    monkeypatch.setattr(second_try, "measure_room", lambda directory: 0)
    why = explain_hopeless(tmp_path, kind, message)
    assert said in why and bool(why) == bool(said)


def test_a_failed_job_that_another_has_brought_to_its_end_is_not_run_again(runs, pad):
    set_state(pad, "01 relax", "FIZZLED")
    troubles = examine_runs(runs, pad)
    set_state(pad, "01 relax", "COMPLETED")
    assert mend_troubles(troubles, runs, pad) == ()
    assert read_state(pad, "01 relax") == "COMPLETED"


def test_removed_results_are_made_again(runs, pad):
    set_state(pad, "00 build", "COMPLETED")
    troubles = examine_runs(runs, pad)
    assert [trouble.kind for trouble in troubles] == ["removed"]
    mend_troubles(troubles, runs, pad)
    assert read_state(pad, "00 build") == "READY"
    assert examine_runs(runs, pad) == ()


def test_damaged_files_are_moved_aside(runs, pad):
    (run,) = runs.runs
    relax = next(job for job in run.jobs if job.kind == "relax")
    directory = fail_at(run, relax, [1])
    (directory / RECORD_NAME).write_text('{"command": [')
    run.built_path().write_text("4\nnot a structure\n")
    troubles = examine_runs(runs, pad)
    assert [trouble.kind for trouble in troubles] == ["damaged", "damaged"]
    assert mend_troubles(troubles, runs, pad) == troubles
    assert not (directory / RECORD_NAME).exists() and not run.built_path().exists()
    assert len(list(run.root.rglob("*.damaged-*"))) == 2
    assert examine_runs(runs, pad) == ()


def test_a_run_that_the_launchpad_does_not_know_is_put_there(runs):
    with open_launchpad(runs.root / "launchpad.sqlite") as pad:
        troubles = examine_runs(runs, pad)
        assert [trouble.kind for trouble in troubles] == ["absent"]
        mend_troubles(troubles, runs, pad)
        assert len(list(pad.fireworks.find(runs.query))) == len(runs.runs[0].jobs)


def test_hardly_any_room_is_told(runs, pad, monkeypatch):
    monkeypatch.setattr("qdcomp.recipes.doctor.examination.measure_room", lambda folder: 2**20)
    (trouble,) = examine_runs(runs, pad)
    assert trouble.kind == "disk" and "1 MiB" in trouble.found
    assert mend_troubles((trouble,), runs, pad) == ()


def test_a_line_that_was_cut_off_does_not_hide_the_others(tmp_path):
    (tmp_path / MENDED_NAME).write_text(json.dumps({"where": "a"}) + '\n{"where": "b')
    assert read_mended(tmp_path) == [{"where": "a"}]


def test_the_command_looks_first_and_mends_when_told(runs):
    with open_launchpad(runs.root / "launchpad.sqlite") as pad:
        submit_runs(runs.runs, pad)
        set_state(pad, "00 build", "COMPLETED")
    looked = CliRunner().invoke(application, ["doctor", str(runs.root)])
    assert looked.exit_code == 1 and "its result is not on disk" in looked.output
    assert f"mend it with: qdcomp doctor {runs.root} --mend" in looked.output.replace("\n", " ")
    mended = CliRunner().invoke(application, ["doctor", str(runs.root), "--mend"])
    assert mended.exit_code == 0 and "1 found, 1 mended" in mended.output
    again = CliRunner().invoke(application, ["doctor", str(runs.root)])
    assert again.exit_code == 0 and "nothing is wrong" in again.output
