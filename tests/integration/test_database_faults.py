"""A real launchpad server killed at the worst moments: before, within and after a job."""

import json
import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from builders.database_server import DatabaseServer, find_ferretdb, make_certificates
from builders.noted_jobs import NOTE_TASK, make_noted_workflow, read_lines, start_worker, wait_for
from fireworks import FWorker
from pymongo.collection import Collection
from pymongo.errors import AutoReconnect

from qdcomp.errors import StoreError
from qdcomp.recipes.launchpads import (
    find_lost_runs,
    open_launchpad,
    reset_lost_runs,
    run_jobs,
    server_launchpad,
)
from qdcomp.recipes.launchpads.process_identity import label_worker
from qdcomp.recipes.runs.run_directory import create_run
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.recipes.workflows.run_launching import note_launchpad, read_job_states
from qdcomp.recipes.workflows.submission import submit_runs

STUDY = """
name: faults
description: a small dot
recipe: dot_linewidth
engine: model
structure: {kind: quantum_dot, cells: 2, composition: CsPbBr3, charge: formal}
relaxation: {max_force: 24 meV/angstrom, max_steps: 500}
equilibration: [{duration: 0.2 ps, timestep: 10 fs, thermostat_time: 15 fs}]
sampling:
  {temperatures: [10 K], duration: 4 ps, timestep: 10 fs, thermostat_time: 1 ps, segments: 1}
seed: 3
"""

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def trust_the_jobs(monkeypatch):
    """Let workers launch the jobs that only leave a line."""
    monkeypatch.setenv("QDCOMP_TRUSTED_TASKS", NOTE_TASK)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


def read_states(launchpad):
    return [job["state"] for job in launchpad.fireworks.find({}, sort=[("fw_id", 1)])]


def check_whole(launchpad):
    """Hold what the workflows say against what the jobs say; none is locked."""
    states = {job["fw_id"]: job["state"] for job in launchpad.fireworks.find({})}
    for workflow in launchpad.workflows.find({}):
        assert "locked" not in workflow
        for fw_id in workflow["nodes"]:
            assert workflow["fw_states"][str(fw_id)] == states[fw_id]


def test_a_worker_waits_for_a_server_that_comes_back_while_its_job_runs(own_server, tmp_path, log):
    with open_launchpad(own_server.uri()) as pad:
        pad.add_wf(make_noted_workflow("a", log, 2, seconds=1.0))
    with start_worker(own_server.uri(), tmp_path) as worker:
        wait_for(lambda: read_lines(log) == ["a-0"])
        own_server.kill()
        with pytest.raises(StoreError, match="no launchpad server answers"):
            open_launchpad(own_server.uri() + "?serverSelectionTimeoutMS=1500")
        own_server.start()
        text, _ = worker.communicate(timeout=60)
    assert worker.returncode == 0, text
    assert read_lines(log) == ["a-0", "a-1"]
    with open_launchpad(own_server.uri()) as pad:
        assert read_states(pad) == ["COMPLETED"] * 2
        check_whole(pad)


def test_a_result_that_no_server_took_is_on_disk_and_its_engine_runs_once(own_server, tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY)
    run = create_run(tmp_path / "run", read_study(tmp_path / "study.yaml"))
    note_launchpad(run, own_server.uri())
    with open_launchpad(own_server.uri()) as pad:
        submit_runs([run], pad)
    relax = next(job for job in run.jobs if job.kind == "relax")
    record = run.job_directory(relax) / "run_record.json"
    with start_worker(own_server.uri(), run.root, patience_s=1.0) as worker:
        wait_for((run.job_directory(relax) / run.engine.output_name).is_file, 120.0)
        own_server.kill()
        text, _ = worker.communicate(timeout=120)
    assert worker.returncode != 0
    assert "did not come back in time. What was computed is on disk" in text
    before = record.read_text()
    assert json.loads(before)["runs"] == 1
    own_server.start()
    with open_launchpad(own_server.uri()) as pad:
        assert find_lost_runs(pad) == [2]
        report = run_jobs(pad, {"name": relax.name}, run.root)
        assert (report.freed, report.launched, report.failed) == ((2,), (2,), ())
        assert record.read_text() == before
        assert read_job_states(run, pad)[1].state == "COMPLETED"
        check_whole(pad)


def test_a_server_that_dies_within_each_write_of_a_job_leaves_nothing_half_done(
    own_server, tmp_path, log, monkeypatch
):
    """Each write in turn is cut off after it was carried out, before its answer came."""
    count = {"left": 0}

    def cut(original):
        def call(*arguments, **options):
            answer = original(*arguments, **options)
            count["left"] -= 1
            if count["left"] == 0:
                raise AutoReconnect("cut off")
            return answer

        return call

    monkeypatch.setattr(Collection, "_find_and_modify", cut(Collection._find_and_modify))
    monkeypatch.setattr(Collection, "_update_retryable", cut(Collection._update_retryable))
    with open_launchpad(own_server.uri(), patience_s=20.0) as pad:
        for number in range(1, 21):
            pad.add_wf(make_noted_workflow(number, log))
            count["left"] = number
            assert run_jobs(pad, {}, tmp_path).failed == ()
        check_whole(pad)
        assert set(read_states(pad)) == {"COMPLETED"}
    assert set(Counter(read_lines(log)).values()) == {1}


def test_a_worker_that_finds_no_server_waits_and_then_ends_with_a_sentence(own_server, tmp_path):
    own_server.kill()
    with start_worker(own_server.uri() + "?serverSelectionTimeoutMS=200", tmp_path, 0.5) as worker:
        text, _ = worker.communicate(timeout=60)
    assert worker.returncode != 0
    assert "no launchpad server answers there" in text


def test_the_clocks_of_workers_do_not_make_live_runs_lost_nor_lost_ones_live(
    own_server, log, monkeypatch
):
    with open_launchpad(own_server.uri()) as pad:
        for number in range(2):
            pad.add_wf(make_noted_workflow(number, log))
        elsewhere = label_worker(FWorker())
        elsewhere.env["qdcomp_process"]["host"] = "another"
        slow_clock = datetime.now(UTC) - timedelta(hours=9)
        _, live = pad.checkout_fw(elsewhere, "/", fw_id=1)
        _, lost = pad.checkout_fw(elsewhere, "/", fw_id=2)
        pad.ping_launch(lost, ptime=pad.now() - timedelta(hours=5))

        class SlowClock(datetime):
            @classmethod
            def now(cls, tz=None):
                return slow_clock

        monkeypatch.setattr(server_launchpad, "datetime", SlowClock)
        with open_launchpad(own_server.uri()) as behind:
            assert abs(behind.now() - datetime.now(UTC)) < timedelta(seconds=10)
            behind.ping_launch(live)
            assert find_lost_runs(behind) == [2]
        monkeypatch.undo()
        assert reset_lost_runs(pad) == [2]
        assert read_states(pad) == ["RUNNING", "READY"]


def test_the_connection_to_a_server_is_encrypted_where_its_uri_says_so(tmp_path, log):
    if find_ferretdb() is None or shutil.which("openssl") is None:
        pytest.skip("FerretDB (sh tests/install_database_server.sh) and openssl are not both here")
    certificates = make_certificates(tmp_path / "certificates")
    server = DatabaseServer(tmp_path / "server", certificates).start()
    try:
        ask = "tls=true&serverSelectionTimeoutMS=2000"
        trusting = f"{server.uri()}?{ask}&tlsCAFile={certificates / 'ca.pem'}"
        with open_launchpad(trusting) as pad:
            pad.add_wf(make_noted_workflow("a", log))
            assert run_jobs(pad, {}, tmp_path).launched == (1,)
        for refused in (f"{server.uri()}?{ask}", f"{server.uri()}?serverSelectionTimeoutMS=1000"):
            with pytest.raises(StoreError, match="no launchpad server answers there"):
                open_launchpad(refused)
    finally:
        server.stop()
