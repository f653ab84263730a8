"""Both launchpads: launch, put back what was lost, lpad, passwords."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import mongomock
import pytest
from fireworks import (
    FireTaskBase,
    Firework,
    FWAction,
    FWorker,
    LaunchPad,
    ScriptTask,
    Workflow,
    explicit_serialize,
)
from fireworks.core import rocket
from fireworks.core.rocket_launcher import rapidfire

from qdcomp.errors import InputError, StoreError
from qdcomp.recipes.launchpads import (
    changes_nothing,
    describe_location,
    find_failure,
    find_lost_runs,
    is_server,
    launch_all,
    lost_runs,
    open_launchpad,
    reset_lost_runs,
    run_lpad,
    write_launchpad_file,
)
from qdcomp.recipes.launchpads.process_identity import has_ended, label_worker

RUN = {"spec.run": "here"}
SECRET = "p@ss:w/o?rd"


@explicit_serialize
class RaiseTask(FireTaskBase):
    def run_task(self, fw_spec):
        kind = {"interrupt": KeyboardInterrupt, "exit": SystemExit}[self["kind"]]
        if self.get("once") and Path("raised").exists():
            return
        Path("raised").touch()
        raise kind(self["kind"])


def make_chain(length=3, task=None, **spec):
    jobs = []
    for number in range(length):
        jobs.append(
            Firework(
                task or ScriptTask.from_str("true"),
                name=f"job {number}",
                parents=jobs[-1:],
                spec={"run": "here", **spec},
                fw_id=number - length,
            )
        )
    return Workflow(jobs, name="chain")


def read_states(launchpad):
    return [job["state"] for job in launchpad.fireworks.find({}, sort=[("fw_id", 1)])]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "launchpad.sqlite"


@pytest.fixture
def shared():
    """FireWorks' own launchpad on mongomock's own client: a server, as far as one process goes."""
    launchpad = LaunchPad(strm_lvl="CRITICAL", mongoclient_kwargs={"connect": False})
    launchpad.connection.close()
    launchpad.connection = mongomock.MongoClient()
    launchpad.db = launchpad.connection.fireworks
    for name in ("fireworks", "launches", "offline_runs", "fw_id_assigner", "workflows"):
        setattr(launchpad, name, launchpad.db[name])
    launchpad.gridfs_fallback = None
    launchpad.reset("", require_password=False)
    return launchpad


def label_as_ended(worker=None):
    """Label a worker as of a process of this machine that has ended."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    labelled = label_worker(worker or FWorker())
    labelled.env["qdcomp_process"]["pid"] = ended.pid
    return labelled


def test_every_change_of_state_is_there_when_the_file_is_opened_again(path):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())
        _, launch_id = launchpad.checkout_fw(FWorker(), "/")
    with open_launchpad(path) as launchpad:
        assert read_states(launchpad) == ["RUNNING", "WAITING", "WAITING"]
        launchpad.complete_launch(launch_id, FWAction())
    with open_launchpad(path) as launchpad:
        assert read_states(launchpad) == ["COMPLETED", "READY", "WAITING"]
        assert launchpad.get_wf_by_fw_id(1).state == "RUNNING"


def test_all_jobs_run_in_order_and_the_callback_names_them(path, tmp_path, capfd):
    seen = []
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())
        before = Path.cwd()
        assert launch_all(launchpad, RUN, tmp_path, seen.append) == (1, 2, 3)
        assert Path.cwd() == before
        assert read_states(launchpad) == ["COMPLETED"] * 3
        assert launch_all(launchpad, RUN, tmp_path, seen.append) == ()
    assert seen == ["job 0", "job 1", "job 2"]
    assert capfd.readouterr().out == ""


def test_only_the_jobs_that_the_query_names_run(path, tmp_path):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(Firework(ScriptTask.from_str("true"), spec={"run": "there"}))
        launchpad.add_wf(make_chain(1))
        assert launch_all(launchpad, RUN, tmp_path) == (2,)


def test_a_job_runs_in_its_own_folder_and_leaves_no_other_behind(path, tmp_path):
    folder = tmp_path / "jobs" / "one"
    with open_launchpad(path) as launchpad:
        task = ScriptTask.from_str("pwd > where")
        launchpad.add_wf(Firework(task, spec={"run": "here", "_launch_dir": str(folder)}))
        launch_all(launchpad, RUN, tmp_path)
        assert launchpad.get_launchdir(1) == str(folder)
    assert (folder / "where").read_text().strip() == str(folder)
    assert list(tmp_path.glob("launcher_*")) == []


def test_launching_waits_for_nothing(path, tmp_path):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())
        launchpad.checkout_fw(FWorker(), "/")
        start = time.monotonic()
        assert launch_all(launchpad, RUN, tmp_path) == ()
        assert time.monotonic() - start < 5.0


def test_fireworks_own_rapidfire_runs_on_a_file_and_its_last_ping_meets_no_error(
    path, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    threads = set(threading.enumerate())
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())
        rapidfire(launchpad, FWorker(), str(tmp_path), nlaunches=3, strm_lvl="CRITICAL")
        assert read_states(launchpad) == ["COMPLETED"] * 3
    for thread in set(threading.enumerate()) - threads:
        thread.join()


def test_a_failed_job_stops_its_children_and_says_why(path, tmp_path, capfd):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain(task=ScriptTask.from_str("exit 3")))
        launchpad.add_wf(make_chain(1))
        launch_all(launchpad, RUN, tmp_path)
        assert read_states(launchpad) == ["FIZZLED", "WAITING", "WAITING", "COMPLETED"]
        kind, message = find_failure(launchpad, 1)
        assert kind == "RuntimeError"
        assert "return code" in message.lower()
        assert find_failure(launchpad, 2) == ("", "")
    assert capfd.readouterr() == ("", "")


def test_an_interrupt_ends_the_launches_and_the_job_is_ready_again(path, tmp_path):
    threads = threading.active_count()
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain(2, RaiseTask(kind="interrupt", once=True)))
        launchpad.update_spec([1, 2], {"_launch_dir": str(tmp_path / "job")})
        with pytest.raises(KeyboardInterrupt):
            launch_all(launchpad, RUN, tmp_path)
        assert read_states(launchpad) == ["READY", "WAITING"]
        assert threading.active_count() == threads
        launch_all(launchpad, RUN, tmp_path)
        assert read_states(launchpad) == ["COMPLETED", "COMPLETED"]


def test_an_interrupt_outside_a_task_leaves_no_thread_that_holds_the_process(
    path, tmp_path, monkeypatch
):
    threads = threading.active_count()

    def interrupt(*arguments):
        raise KeyboardInterrupt

    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain(1))
        monkeypatch.setattr(rocket.Rocket, "decorate_fwaction", interrupt)
        with pytest.raises(KeyboardInterrupt):
            launch_all(launchpad, RUN, tmp_path)
        monkeypatch.undo()
        assert threading.active_count() == threads
        assert read_states(launchpad) == ["RUNNING"]
        assert reset_lost_runs(launchpad) == [1]


def test_a_task_that_exits_is_a_failure_not_an_interrupt(path, tmp_path):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain(1, RaiseTask(kind="exit")))
        launch_all(launchpad, RUN, tmp_path)
        assert find_failure(launchpad, 1) == ("SystemExit", "exit")


def test_a_disk_that_fills_up_while_a_job_runs_ends_the_launches_with_that_error(path, tmp_path):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())

        def fill_disk(name):
            connection = launchpad._journal._store._connection
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count={pages}")
            launchpad.db["things"].insert_one({"text": "x" * 9000})

        with pytest.raises(StoreError, match="Make room"):
            launch_all(launchpad, RUN, tmp_path, fill_disk)
    with open_launchpad(path) as launchpad:
        reset_lost_runs(launchpad)
        launch_all(launchpad, RUN, tmp_path)
        assert read_states(launchpad) == ["COMPLETED"] * 3


def test_a_job_left_running_by_a_killed_process_is_run_again_where_it_was(path, tmp_path):
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
        assert reset_lost_runs(launchpad, RUN) == [1, 3]
        assert find_lost_runs(launchpad) == []
        assert read_states(launchpad) == ["READY", "WAITING", "READY"]
        assert launchpad.fireworks.distinct("spec._launch_dir") == [folder]
        launch_all(launchpad, RUN, tmp_path)
        assert read_states(launchpad) == ["COMPLETED"] * 3


def make_half_booked(launchpad):
    """Leave the first job as a kill between two writes of its completion on a server does."""
    launchpad.add_wf(make_chain())
    _, launch_id = launchpad.checkout_fw(label_as_ended(), "/")
    launchpad.complete_launch(launch_id, FWAction())
    launchpad.fireworks.update_one({"fw_id": 1}, {"$set": {"state": "RUNNING"}})
    launchpad.fireworks.update_one({"fw_id": 2}, {"$set": {"state": "WAITING"}})
    launchpad.workflows.update_one({}, {"$set": {"locked": True, "fw_states.1": "RUNNING"}})


def test_a_half_booked_completion_in_a_file_is_booked(path):
    with open_launchpad(path) as launchpad:
        make_half_booked(launchpad)
    with open_launchpad(path) as launchpad:
        assert reset_lost_runs(launchpad) == []
        assert read_states(launchpad) == ["COMPLETED", "READY", "WAITING"]
        assert launchpad.launches.count_documents({}) == 1


def test_a_half_booked_completion_on_a_server_is_booked(shared, monkeypatch):
    monkeypatch.setattr(lost_runs, "_LOCK_PATIENCE_S", 0.05)
    make_half_booked(shared)
    assert reset_lost_runs(shared) == []
    assert read_states(shared) == ["COMPLETED", "READY", "WAITING"]
    assert shared.launches.count_documents({}) == 1
    assert "locked" not in shared.workflows.find_one({})


def test_on_a_server_only_the_runs_of_ended_processes_are_lost(shared):
    for _ in range(3):
        shared.add_wf(make_chain(1))
    shared.checkout_fw(label_as_ended(), "/", fw_id=1)
    shared.checkout_fw(label_worker(FWorker()), "/", fw_id=2)
    elsewhere = label_as_ended()
    elsewhere.env["qdcomp_process"]["host"] = "another"
    shared.checkout_fw(elsewhere, "/", fw_id=3)
    assert reset_lost_runs(shared) == [1]
    assert read_states(shared) == ["READY", "RUNNING", "RUNNING"]


def test_on_a_server_a_run_that_has_been_silent_for_hours_is_lost(shared):
    shared.add_wf(make_chain(1))
    _, launch_id = shared.checkout_fw(FWorker(), "/")
    shared.ping_launch(launch_id, ptime=datetime.now(UTC) - timedelta(hours=3))
    assert find_lost_runs(shared) == []
    shared.ping_launch(launch_id, ptime=datetime.now(UTC) - timedelta(hours=5))
    assert reset_lost_runs(shared) == [1]


def test_on_a_server_what_waits_in_a_queue_is_not_lost(shared):
    shared.add_wf(make_chain(1))
    shared.reserve_fw(FWorker(), "/")
    shared.fireworks.update_one({}, {"$set": {"updated_on": datetime(2020, 1, 1)}})
    assert find_lost_runs(shared) == []


def test_on_a_server_a_checkout_that_was_never_finished_is_lost_after_minutes(shared):
    shared.add_wf(make_chain(1))
    shared.fireworks.update_one(
        {}, {"$set": {"state": "RESERVED", "updated_on": datetime.now(UTC)}}
    )
    assert find_lost_runs(shared) == []
    shared.fireworks.update_one({}, {"$set": {"updated_on": datetime(2020, 1, 1)}})
    assert reset_lost_runs(shared) == [1]
    assert read_states(shared) == ["READY"]


def test_jobs_launch_from_a_server_by_the_same_calls(shared, tmp_path):
    shared.add_wf(make_chain())
    assert launch_all(shared, RUN, tmp_path) == (1, 2, 3)
    assert read_states(shared) == ["COMPLETED"] * 3


def test_a_process_is_known_by_more_than_its_number():
    here = {"fworker": label_worker(FWorker(env={"mine": 1})).to_dict()}
    assert here["fworker"]["env"]["mine"] == 1
    assert not has_ended(here)
    here["fworker"]["env"]["qdcomp_process"]["started"] = "1"
    assert has_ended(here)
    assert not has_ended({"fworker": FWorker().to_dict()})
    assert not has_ended({"fworker": None})


def test_lpad_shows_the_workflow(path, capsys):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())
        assert run_lpad(launchpad, ["get_wflows", "-d", "more", "--rsort", "created_on"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["name"] == "chain--1"
    assert shown["states"] == {"job 0--1": "READY", "job 1--2": "WAITING", "job 2--3": "WAITING"}


def test_lpad_changes_the_launchpad_and_says_so(path, capsys):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())
        run_lpad(launchpad, ["pause_fws", "-i", "1"])
        assert "Finished pausing 1 FWs" in capsys.readouterr().out
        run_lpad(launchpad, ["-s", "resume_fws", "-i", "1"])
        assert capsys.readouterr().out == ""
    with open_launchpad(path) as launchpad:
        assert read_states(launchpad)[0] == "READY"


@pytest.mark.parametrize(
    ("arguments", "only_reads"),
    [
        ("get_wflows -d more", True),
        ("-s get_fws", True),
        ("report", True),
        ("rerun_fws -h", True),
        ("", True),
        ("rerun_fws -i 1", False),
        ("reset", False),
        ("admin tuneup", False),
        ("detect_lostruns --rerun", False),
    ],
)
def test_it_is_known_which_commands_of_lpad_change_nothing(arguments, only_reads):
    assert changes_nothing(arguments.split()) is only_reads


def test_an_embedded_launchpad_is_not_described_as_a_server(path, tmp_path):
    with open_launchpad(path) as launchpad:
        assert str(path) in repr(launchpad)
        with pytest.raises(StoreError, match="no other process can connect"):
            launchpad.to_dict()
        with pytest.raises(InputError, match="qdcomp lpad"):
            write_launchpad_file(launchpad, tmp_path / "launchpad.yaml")


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("mongodb://anna:secret@host:27017/db", "mongodb://anna:***@host:27017/db"),
        ("mongodb+srv://anna:secret@host/db", "mongodb+srv://anna:***@host/db"),
        (f"mongodb://anna:{SECRET}@host/db", "mongodb://anna:***@host/db"),
        ("mongodb://host:27017/db", "mongodb://host:27017/db"),
        ("mongodb://anna@host", "mongodb://anna@host"),
        (
            "mongodb://a:b@h/?tls=true&tlsCertificateKeyFilePassword=secret&appName=x",
            "mongodb://a:***@h/?tls=true&tlsCertificateKeyFilePassword=***&appName=x",
        ),
        (
            "mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:secret",
            "mongodb://h/?authMechanismProperties=***",
        ),
        (Path("/runs/a:b@c.sqlite"), "/runs/a:b@c.sqlite"),
    ],
)
def test_a_location_is_shown_without_passwords(location, shown):
    assert describe_location(location) == shown


def test_a_path_is_told_from_a_uri():
    assert is_server("mongodb://host")
    assert is_server("mongodb+srv://host/db")
    assert not is_server("runs/mongodb.sqlite")
    assert not is_server(Path("mongodb:/host"))


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://anna:secret@host:notaport/db",
        "mongodb://anna:se%cret@host/db",
        "mongodb://anna:sec@ret@host/db",
        "mongodb://anna:secret@host:99999",
        "mongodb://anna:secret@host/db?readPreference=secretly",
        "mongodb+srv://anna:secret@host:27017/db",
        "mongodb://",
    ],
)
def test_a_malformed_uri_is_an_error_without_the_password(uri):
    with pytest.raises(InputError, match="is not a MongoDB URI") as raised:
        open_launchpad(uri)
    assert "sec" not in str(raised.value).replace("secretly", "")
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def find_free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_server_that_does_not_answer_is_an_error_within_seconds(monkeypatch):
    monkeypatch.setattr("qdcomp.recipes.launchpads.server_launchpad.SERVER_PATIENCE_MS", 300)
    start = time.monotonic()
    with pytest.raises(StoreError, match="no launchpad server answers there") as raised:
        open_launchpad(f"mongodb://anna:secret@127.0.0.1:{find_free_port()}/db")
    assert time.monotonic() - start < 5.0
    assert "secret" not in str(raised.value)


def test_the_patience_that_a_uri_asks_for_counts():
    start = time.monotonic()
    with pytest.raises(StoreError, match="no launchpad server"):
        open_launchpad(f"mongodb://127.0.0.1:{find_free_port()}/?serverSelectionTimeoutMS=200")
    assert time.monotonic() - start < 3.0


@pytest.fixture
def server():
    uri = os.environ.get("QDCOMP_TEST_MONGODB_URI")
    if not uri:
        pytest.skip("QDCOMP_TEST_MONGODB_URI names no MongoDB server")
    with open_launchpad(uri) as launchpad:
        launchpad.reset("", require_password=False)
        yield launchpad


def test_a_real_server_runs_jobs_and_forgets_none(server, tmp_path):
    server.add_wf(make_chain())
    server.add_wf(make_chain(1))
    server.checkout_fw(label_as_ended(), "/", fw_id=4)
    assert reset_lost_runs(server, RUN) == [4]
    assert set(launch_all(server, RUN, tmp_path)) == {1, 2, 3, 4}
    assert read_states(server) == ["COMPLETED"] * 4


def test_a_real_server_is_not_made_anew_when_it_is_opened(server):
    server.add_wf(make_chain())
    with open_launchpad(os.environ["QDCOMP_TEST_MONGODB_URI"]) as again:
        assert again.get_new_fw_id() == 4
        assert len(read_states(again)) == 3


def test_plain_lpad_reaches_a_real_server_through_the_file_written_for_it(server, tmp_path):
    server.add_wf(make_chain())
    file = tmp_path / "my_launchpad.yaml"
    write_launchpad_file(server, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    shown = subprocess.run(
        [Path(sys.executable).with_name("lpad"), "-l", file, "get_wflows", "-d", "less"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(shown.stdout)["name"] == "chain--1"
