"""Jobs of a process that was killed are found and made ready again, on either launchpad."""

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from fireworks import (
    FWAction,
    FWorker,
)

from qdcomp.recipes.launchpads import (
    find_lost_runs,
    launch_all,
    lost_runs,
    open_launchpad,
    reset_lost_runs,
)
from qdcomp.recipes.launchpads.process_identity import has_ended, label_worker


def test_a_job_left_running_by_a_killed_process_is_run_again_where_it_was(
    path, tmp_path, make_chain, read_states, query
):
    code = (
        "import sys, os, signal\n"
        "from fireworks import FWorker\n"
        "from qdcomp.recipes.launchpads import open_launchpad\n"
        "with open_launchpad(sys.argv[1]) as launchpad:\n"
        "    launchpad.checkout_fw(FWorker(), '/')\n"
        "    launchpad.reserve_fw(FWorker(), '/')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    folder = str(tmp_path / "job")
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain(2, _launch_dir=folder))
        launchpad.add_wf(make_chain(1, _launch_dir=folder))
    died = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert died.returncode == -signal.SIGKILL
    with open_launchpad(path) as launchpad:
        assert sorted(read_states(launchpad)) == ["RESERVED", "RUNNING", "WAITING"]
        assert find_lost_runs(launchpad, {"spec.run": "there"}) == []
        assert reset_lost_runs(launchpad, query) == [1, 3]
        assert find_lost_runs(launchpad) == []
        assert read_states(launchpad) == ["READY", "WAITING", "READY"]
        assert launchpad.fireworks.distinct("spec._launch_dir") == [folder]
        launch_all(launchpad, query, tmp_path)
        assert read_states(launchpad) == ["COMPLETED"] * 3


@pytest.fixture
def make_half_booked(make_chain, label_as_ended):
    """Leave the first job as a kill between two writes of its completion on a server does."""

    def make(launchpad):
        launchpad.add_wf(make_chain())
        _, launch_id = launchpad.checkout_fw(label_as_ended(), "/")
        launchpad.complete_launch(launch_id, FWAction())
        launchpad.fireworks.update_one({"fw_id": 1}, {"$set": {"state": "RUNNING"}})
        launchpad.fireworks.update_one({"fw_id": 2}, {"$set": {"state": "WAITING"}})
        launchpad.workflows.update_one({}, {"$set": {"locked": True, "fw_states.1": "RUNNING"}})

    return make


def test_a_half_booked_completion_in_a_file_is_booked(path, read_states, make_half_booked):
    with open_launchpad(path) as launchpad:
        make_half_booked(launchpad)
    with open_launchpad(path) as launchpad:
        assert reset_lost_runs(launchpad) == []
        assert read_states(launchpad) == ["COMPLETED", "READY", "WAITING"]
        assert launchpad.launches.count_documents({}) == 1


def test_a_half_booked_completion_on_a_server_is_booked(
    shared, monkeypatch, read_states, make_half_booked
):
    monkeypatch.setattr(lost_runs, "_LOCK_PATIENCE_S", 0.05)
    make_half_booked(shared)
    assert reset_lost_runs(shared) == []
    assert read_states(shared) == ["COMPLETED", "READY", "WAITING"]
    assert shared.launches.count_documents({}) == 1
    assert "locked" not in shared.workflows.find_one({})


def test_on_a_server_only_the_runs_of_ended_processes_are_lost(
    shared, make_chain, read_states, label_as_ended
):
    for _ in range(3):
        shared.add_wf(make_chain(1))
    shared.checkout_fw(label_as_ended(), "/", fw_id=1)
    shared.checkout_fw(label_worker(FWorker()), "/", fw_id=2)
    elsewhere = label_as_ended()
    elsewhere.env["qdcomp_process"]["host"] = "another"
    shared.checkout_fw(elsewhere, "/", fw_id=3)
    assert reset_lost_runs(shared) == [1]
    assert read_states(shared) == ["READY", "RUNNING", "RUNNING"]


def test_on_a_server_a_run_that_has_been_silent_for_hours_is_lost(shared, make_chain):
    shared.add_wf(make_chain(1))
    _, launch_id = shared.checkout_fw(FWorker(), "/")
    shared.ping_launch(launch_id, ptime=datetime.now(UTC) - timedelta(hours=3))
    assert find_lost_runs(shared) == []
    shared.ping_launch(launch_id, ptime=datetime.now(UTC) - timedelta(hours=5))
    assert reset_lost_runs(shared) == [1]


def test_on_a_server_what_waits_in_a_queue_is_not_lost(shared, make_chain):
    shared.add_wf(make_chain(1))
    shared.reserve_fw(FWorker(), "/")
    shared.fireworks.update_one({}, {"$set": {"updated_on": datetime(2020, 1, 1)}})
    assert find_lost_runs(shared) == []


def test_on_a_server_a_checkout_that_was_never_finished_is_lost_after_minutes(
    shared, make_chain, read_states
):
    shared.add_wf(make_chain(1))
    shared.fireworks.update_one(
        {}, {"$set": {"state": "RESERVED", "updated_on": datetime.now(UTC)}}
    )
    assert find_lost_runs(shared) == []
    shared.fireworks.update_one({}, {"$set": {"updated_on": datetime(2020, 1, 1)}})
    assert reset_lost_runs(shared) == [1]
    assert read_states(shared) == ["READY"]


def test_a_process_is_known_by_more_than_its_number():
    here = {"fworker": label_worker(FWorker(env={"mine": 1})).to_dict()}
    assert here["fworker"]["env"]["mine"] == 1
    assert not has_ended(here)
    here["fworker"]["env"]["qdcomp_process"]["started"] = "1"
    assert has_ended(here)
    assert not has_ended({"fworker": FWorker().to_dict()})
    assert not has_ended({"fworker": None})


@pytest.fixture
def label_elsewhere():
    """Label a worker as of a batch job on another machine."""

    def label():
        labelled = label_worker(FWorker())
        labelled.env["qdcomp_process"]["host"] = "another"
        labelled.env["qdcomp_batch_job"] = "7"
        return labelled

    return label


def count_completed(launchpad):
    return launchpad.launches.count_documents({"state": "COMPLETED"})


def test_a_process_whose_job_was_taken_for_lost_does_not_end_it(
    database_server, make_chain, read_states, label_elsewhere
):
    with open_launchpad(database_server) as pad:
        pad.add_wf(make_chain(1))
        _, first = pad.checkout_fw(label_elsewhere(), "/")
        assert reset_lost_runs(pad, is_queued=lambda job: False) == [1]
        pad.complete_launch(first, FWAction())
        assert read_states(pad) == ["READY"]
        assert count_completed(pad) == 0
        _, second = pad.checkout_fw(label_elsewhere(), "/")
        pad.complete_launch(second, FWAction())
        assert read_states(pad) == ["COMPLETED"]
        assert count_completed(pad) == 1


def test_a_job_that_ends_while_it_is_taken_for_lost_has_ended(
    database_server, monkeypatch, make_chain, read_states, label_elsewhere
):
    with open_launchpad(database_server) as pad:
        pad.add_wf(make_chain(1))
        _, launch_id = pad.checkout_fw(label_elsewhere(), "/")
        list_open = lost_runs._list_open_launches

        def end_meanwhile(launchpad, job):
            found = list_open(launchpad, job)
            launch = pad.get_launch_by_id(launch_id)
            launch.state, launch.action = "COMPLETED", FWAction()
            pad.launches.find_one_and_replace({"launch_id": launch_id}, launch.to_db_dict())
            return found

        monkeypatch.setattr(lost_runs, "_list_open_launches", end_meanwhile)
        assert reset_lost_runs(pad, is_queued=lambda job: False) == []
        assert reset_lost_runs(pad, is_queued=lambda job: False) == []
        assert read_states(pad) == ["COMPLETED"]


def test_a_process_that_is_there_is_not_lost_with_its_batch_job(shared, make_chain):
    shared.add_wf(make_chain(1))
    here = label_worker(FWorker())
    here.env["qdcomp_batch_job"] = "7"
    shared.checkout_fw(here, "/")
    assert find_lost_runs(shared, is_queued=lambda job: False) == []


@pytest.mark.parametrize("take", ["checkout_fw", "reserve_fw"])
def test_a_job_that_a_killed_process_had_half_freed_is_ready_again(
    shared, make_chain, read_states, label_elsewhere, take
):
    shared.add_wf(make_chain(1))
    _, launch_id = getattr(shared, take)(label_elsewhere(), "/")
    assert lost_runs._free(shared, launch_id)  # and no more: it was killed here
    assert reset_lost_runs(shared) == [1]
    assert read_states(shared) == ["READY"]
    assert shared.launches.find_one({})["state"] == "FIZZLED"


def test_a_job_half_freed_under_the_lock_of_its_workflow_has_not_failed(
    shared, monkeypatch, make_chain, read_states, label_as_ended
):
    monkeypatch.setattr(lost_runs, "_LOCK_PATIENCE_S", 0.05)
    shared.add_wf(make_chain(2))
    _, launch_id = shared.checkout_fw(label_as_ended(), "/")
    shared.workflows.update_one({}, {"$set": {"locked": True}})
    assert lost_runs._free(shared, launch_id)  # and no more: it was killed here
    assert reset_lost_runs(shared) == [1]
    assert read_states(shared) == ["READY", "WAITING"]
    assert "locked" not in shared.workflows.find_one({})
