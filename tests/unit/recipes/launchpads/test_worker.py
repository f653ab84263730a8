"""A worker on a real server: what it takes, when it ends, what it leaves."""

import json
import signal
import time
from collections import Counter
from contextlib import ExitStack

import pytest
from builders.noted_jobs import (
    make_noted_workflow,
    read_lines,
    start_python,
    start_worker,
    wait_for,
)
from fireworks import FWorker

from qdcomp.errors import InputError
from qdcomp.recipes.launchpads import (
    WorkerLimits,
    find_lost_runs,
    open_launchpad,
    reset_lost_runs,
    run_job_of_number,
    run_jobs,
    run_offline,
    select_categories,
)
from qdcomp.recipes.launchpads.process_identity import label_worker


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


@pytest.fixture
def pad(database_server, monkeypatch):
    for name in ("QDCOMP_DEADLINE", "SLURM_JOB_ID", "SLURM_JOB_END_TIME", "PBS_JOBID"):
        monkeypatch.delenv(name, raising=False)
    with open_launchpad(database_server) as launchpad:
        yield launchpad


def test_a_worker_runs_what_is_ready_frees_what_is_lost_and_ends(
    pad, tmp_path, log, read_states, label_as_ended
):
    pad.add_wf(make_noted_workflow("a", log, 2))
    pad.add_wf(make_noted_workflow("b", log, fails=True))
    pad.checkout_fw(label_as_ended(), "/", fw_id=3)
    report = run_jobs(pad, {}, tmp_path)
    assert report.freed == (3,)
    assert sorted(report.launched) == [1, 2, 3]
    assert (report.failed, report.put_back) == ((3,), ())
    assert report.ended == "no job is ready"
    assert read_states(pad) == ["COMPLETED", "COMPLETED", "FIZZLED"]
    assert run_jobs(pad, {}, tmp_path).launched == ()


def test_a_worker_takes_no_job_beyond_its_limits(pad, tmp_path, log, monkeypatch):
    for number in range(4):
        pad.add_wf(make_noted_workflow(number, log, _category="cp2k" if number < 3 else "qdcomp"))
    assert run_jobs(pad, select_categories({}, ["qdcomp"]), tmp_path).launched == (4,)
    assert "as many as it was told" in run_jobs(pad, {}, tmp_path, limits=WorkerLimits(1)).ended
    assert run_jobs(pad, {}, tmp_path, limits=WorkerLimits(timeout_s=0.0)).launched == ()
    monkeypatch.setenv("QDCOMP_DEADLINE", str(time.time() + 30.0))
    report = run_jobs(pad, {}, tmp_path)
    assert (report.launched, report.ended) == ((), "the batch job ends soon")
    assert run_jobs(pad, {}, tmp_path, limits=WorkerLimits(margin_s=1.0)).launched != ()
    assert len(read_lines(log)) == 4


def test_a_job_of_a_number_is_run_when_it_is_reserved_and_only_then(pad, tmp_path, log):
    pad.add_wf(make_noted_workflow("a", log, 2))
    pad.reserve_fw(FWorker(), "/", fw_id=1)
    assert run_jobs(pad, {}, tmp_path).launched == ()
    assert run_job_of_number(pad, 1, tmp_path).launched == (1,)
    report = run_job_of_number(pad, 1, tmp_path)
    assert (report.launched, report.ended) == ((), "job 1 is not ready")
    assert read_lines(log) == ["a-0"]


def test_a_batch_job_that_is_started_again_takes_up_its_job(
    pad, tmp_path, log, monkeypatch, label_as_ended
):
    pad.add_wf(make_noted_workflow("a", log))
    pad.reserve_fw(FWorker(), "/", fw_id=1)
    pad.set_reservation_id(1, "77")
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    lost_node = label_as_ended()
    lost_node.env["qdcomp_process"]["host"] = "node that is gone"
    pad.checkout_fw(lost_node, "/", fw_id=1)
    assert find_lost_runs(pad) == []
    assert run_job_of_number(pad, 1, tmp_path).launched == (1,)
    assert read_lines(log) == ["a-0"]


def test_runs_and_reservations_whose_batch_job_has_left_the_queue_are_lost(
    pad, log, monkeypatch, read_states
):
    queue = {"41", "43"}
    for number in range(4):
        pad.add_wf(make_noted_workflow(number, log))
    for fw_id, job in ((1, "41"), (2, "42")):
        monkeypatch.setenv("SLURM_JOB_ID", job)
        worker = label_worker(FWorker())
        worker.env["qdcomp_process"]["host"] = "another"
        pad.checkout_fw(worker, "/", fw_id=fw_id)
    for fw_id, job in ((3, "43"), (4, "44")):
        _, launch_id = pad.reserve_fw(FWorker(), "/", fw_id=fw_id)
        pad.set_reservation_id(launch_id, job)
    assert find_lost_runs(pad) == []
    assert find_lost_runs(pad, is_queued=queue.__contains__) == [2, 4]
    assert reset_lost_runs(pad, is_queued=queue.__contains__) == [2, 4]
    assert read_states(pad) == ["RUNNING", "READY", "RESERVED", "READY"]
    assert reset_lost_runs(pad, is_queued=queue.__contains__) == []


@pytest.mark.slow
def test_sigterm_puts_the_running_job_back_at_once(
    database_server, pad, tmp_path, log, read_states
):
    pad.add_wf(make_noted_workflow("a", log, 2, seconds=60.0))
    with start_worker(database_server, tmp_path) as worker:
        wait_for(lambda: read_lines(log) == ["a-0"])
        worker.send_signal(signal.SIGTERM)
        text, _ = worker.communicate(timeout=50)
    assert worker.returncode == 0, text
    assert text.splitlines()[-1] == "it was told to end"
    assert read_states(pad) == ["READY", "WAITING"]
    assert "locked" not in pad.workflows.find_one({})


@pytest.mark.slow
def test_of_many_workers_each_job_is_run_by_one(database_server, pad, tmp_path, log, read_states):
    for number in range(6):
        pad.add_wf(make_noted_workflow(number, log, 4))
    with ExitStack() as started:
        workers = [started.enter_context(start_worker(database_server, tmp_path)) for _ in range(3)]
        texts = [worker.communicate(timeout=120)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0], texts
    assert read_states(pad) == ["COMPLETED"] * 24
    assert set(Counter(read_lines(log)).values()) == {1}
    assert len(read_lines(log)) == 24
    launches = list(pad.launches.find({}))
    assert [launch["state"] for launch in launches] == ["COMPLETED"] * 24
    assert len({launch["launch_id"] for launch in launches}) == 24


def test_a_job_without_a_database_runs_from_its_files_and_is_collected(
    pad, tmp_path, log, read_states, monkeypatch
):
    pad.add_wf(make_noted_workflow("a", log))
    job, launch_id = pad.reserve_fw(FWorker(), str(tmp_path), fw_id=1)
    job.to_file(str(tmp_path / "FW.json"))
    (tmp_path / "FW_offline.json").write_text(json.dumps({"launch_id": launch_id}))
    pad.add_offline_run(launch_id, 1, "a")
    called_from = tmp_path / "elsewhere"
    called_from.mkdir()
    monkeypatch.chdir(called_from)
    assert run_offline(tmp_path) == "COMPLETED"
    assert not list(called_from.iterdir()), "FireWorks' last ping goes where the job is"
    pad.recover_offline(launch_id)
    assert read_states(pad) == ["COMPLETED"]
    (tmp_path / "FW_offline.json").write_text('{"launch_id"')
    with pytest.raises(InputError, match="damaged"):
        run_offline(tmp_path)
    with pytest.raises(InputError, match="queue launcher"):
        run_offline(called_from)


@pytest.mark.slow
def test_the_command_runs_workers_side_by_side(database_server, pad, tmp_path, log, read_states):
    for number in range(4):
        pad.add_wf(make_noted_workflow(number, log))
    command = ("-m", "qdcomp", "worker", "rapidfire", "--parallel", 2)
    with start_python(*command, cwd=tmp_path, QDCOMP_LAUNCHPAD=database_server) as worker:
        text, _ = worker.communicate(timeout=60)
    assert worker.returncode == 0, text
    assert sorted(read_lines(log)) == ["0-0", "1-0", "2-0", "3-0"]
    assert text.count("0 failed: no job is ready") == 2
