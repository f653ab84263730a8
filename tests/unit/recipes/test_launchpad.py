import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from fireworks import Firework, FWAction, FWorker, ScriptTask, Workflow

from qdcomp.errors import InputError, StoreError
from qdcomp.recipes.embedded_store import FORMAT_VERSION
from qdcomp.recipes.launchpad import (
    describe_location,
    find_failure,
    launch_all,
    open_launchpad,
    reset_lost_runs,
    run_lpad,
)

RUN = {"spec.run": "here"}


def make_chain(length=3, script="true"):
    jobs = []
    for number in range(length):
        task = ScriptTask.from_str(script)
        jobs.append(
            Firework(
                task,
                name=f"job {number}",
                parents=jobs[-1:],
                spec={"run": "here"},
                fw_id=number + 1,
            )
        )
    return Workflow(jobs, name="chain")


def read_states(launchpad):
    return [job["state"] for job in launchpad.fireworks.find({}, sort=[("fw_id", 1)])]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "launchpad.sqlite"


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


def test_documents_in_the_file_equal_those_in_memory_after_many_kinds_of_write(path):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain(4))
        things = launchpad.db["things"]
        things.insert_many([{"_id": number, "n": 0} for number in range(6)])
        things.update_many({"n": 0}, {"$inc": {"n": 1}})
        things.update_one({"_id": 2}, {"$set": {"n": 9}})
        things.replace_one({"_id": 3}, {"n": "replaced"})
        things.find_one_and_update({"_id": 4}, {"$push": {"list": 1}})
        things.update_one({"_id": "new"}, {"$set": {"n": 5}}, upsert=True)
        things.delete_one({"_id": 0})
        things.delete_many({"n": 9})
        things.find_one_and_delete({"_id": 5})
        launchpad.delete_wf(1)
        in_memory = {
            name: sorted(launchpad.db[name].find({}), key=str)
            for name in ("things", "fireworks", "workflows", "launches", "fw_id_assigner")
        }
    with open_launchpad(path) as launchpad:
        for name, documents in in_memory.items():
            assert sorted(launchpad.db[name].find({}), key=str) == documents
    assert {document["_id"] for document in in_memory["things"]} == {1, 3, 4, "new"}


def test_a_collection_that_is_dropped_stays_dropped(path):
    with open_launchpad(path) as launchpad:
        launchpad.db["things"].insert_one({"a": 1})
        launchpad.db["things"].drop()
    with open_launchpad(path) as launchpad:
        assert launchpad.db["things"].count_documents({}) == 0


def test_an_unacceptable_insertion_leaves_neither_memory_nor_file_changed(path):
    with open_launchpad(path) as launchpad:
        things = launchpad.db["things"]
        things.create_index("n", unique=True)
        things.insert_one({"_id": 1, "n": 1})
        things.insert_one({"_id": 2, "n": 2})
        with pytest.raises(Exception, match="E11000"):
            things.update_one({"_id": 2}, {"$set": {"n": 1}})
        assert things.find_one({"_id": 2})["n"] == 2
    with open_launchpad(path) as launchpad:
        assert launchpad.db["things"].find_one({"_id": 2})["n"] == 2


def test_the_index_finds_what_a_scan_finds(path):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain(5))
        launchpad.checkout_fw(FWorker(), "/")
        for query in ({"state": "READY"}, {"fw_id": {"$in": [2, 4]}}, {"nodes": 3}, {"fw_id": 9}):
            for name in ("fireworks", "workflows"):
                fast = list(launchpad.db[name].find(query))
                slow = list(launchpad.db[name].find({"$and": [query]}))
                assert fast == slow


def test_a_second_process_is_refused_and_told_who_has_the_file(path):
    code = "import sys, qdcomp.recipes.launchpad as l\nwith l.open_launchpad(sys.argv[1]): pass"
    with open_launchpad(path):
        other = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
        )
    assert other.returncode != 0
    assert f"in use by process {os.getpid()}" in other.stderr


def test_a_reader_may_look_while_a_writer_writes_and_may_not_write(path):
    with open_launchpad(path) as writer:
        writer.add_wf(make_chain())
        with open_launchpad(path, read_only=True) as reader:
            assert read_states(reader) == ["READY", "WAITING", "WAITING"]
            with pytest.raises(StoreError, match="reading only"):
                reader.fireworks.update_one({"fw_id": 1}, {"$set": {"state": "PAUSED"}})


def test_reading_a_launchpad_that_is_not_there_says_how_to_make_one(path):
    with pytest.raises(StoreError, match="qdcomp run"), open_launchpad(path, read_only=True):
        pass


def test_a_file_of_a_newer_version_is_refused(path):
    with open_launchpad(path):
        pass
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={FORMAT_VERSION + 1}")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="newer qdcomp"), open_launchpad(path):
        pass


def test_a_file_that_is_no_database_is_refused(path):
    path.write_text("not a launchpad " * 100)
    with pytest.raises(StoreError, match="no launchpad, or damaged"), open_launchpad(path):
        pass


def test_a_database_of_another_program_is_refused_and_left_alone(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (a)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"), open_launchpad(path):
        pass
    assert path.read_bytes() == before


def test_a_full_disk_keeps_what_was_stored_and_accepts_nothing_after(path):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())
        things = launchpad.db["things"]
        connection = launchpad.connection._durable_store._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages + 1}")
        with pytest.raises(StoreError, match="make room on the disk"):
            for number in range(1000):
                things.insert_one({"_id": number, "text": "x" * 2000})
        connection.execute("PRAGMA max_page_count=1000000")
        with pytest.raises(StoreError, match="make room on the disk"):
            things.insert_one({"_id": "after"})
    with open_launchpad(path) as launchpad:
        assert read_states(launchpad) == ["READY", "WAITING", "WAITING"]
        assert launchpad.db["things"].find_one({"_id": "after"}) is None


def test_all_jobs_run_in_order_and_the_callback_names_them(path, tmp_path):
    seen = []
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())
        before = Path.cwd()
        launch_all(launchpad, RUN, tmp_path, seen.append)
        assert Path.cwd() == before
        assert read_states(launchpad) == ["COMPLETED"] * 3
    assert seen == ["job 0", "job 1", "job 2"]


def test_a_failed_job_stops_its_children_and_says_why(path, tmp_path, capfd):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain(script="exit 3"))
        launch_all(launchpad, RUN, tmp_path)
        assert read_states(launchpad) == ["FIZZLED", "WAITING", "WAITING"]
        kind, message = find_failure(launchpad, 1)
        assert kind == "RuntimeError"
        assert "return code" in message.lower()
        assert find_failure(launchpad, 2) == ("", "")
    assert "Traceback" not in capfd.readouterr().err


def test_a_job_left_running_by_a_killed_process_is_run_again(path, tmp_path):
    code = (
        "import sys, os, signal\n"
        "from fireworks import FWorker\n"
        "from qdcomp.recipes.launchpad import open_launchpad\n"
        "with open_launchpad(sys.argv[1]) as launchpad:\n"
        "    launchpad.checkout_fw(FWorker(), '/')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())
    died = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert died.returncode == -signal.SIGKILL
    with open_launchpad(path) as launchpad:
        assert read_states(launchpad)[0] == "RUNNING"
        assert reset_lost_runs(launchpad, RUN) == [1]
        assert read_states(launchpad) == ["READY", "WAITING", "WAITING"]
        launch_all(launchpad, RUN, tmp_path)
        assert read_states(launchpad) == ["COMPLETED"] * 3


def test_a_kill_between_two_writes_of_one_completion_is_mended(path, tmp_path):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())
        _, launch_id = launchpad.checkout_fw(FWorker(), "/")
        launchpad.complete_launch(launch_id, FWAction())
        launchpad.fireworks.update_one({"fw_id": 1}, {"$set": {"state": "RUNNING"}})
        launchpad.fireworks.update_one({"fw_id": 2}, {"$set": {"state": "WAITING"}})
    with open_launchpad(path) as launchpad:
        reset_lost_runs(launchpad, RUN)
        assert read_states(launchpad) == ["COMPLETED", "READY", "WAITING"]
        launch_all(launchpad, RUN, tmp_path)
        assert launchpad.launches.count_documents({"fw_id": 1}) == 1


def test_lpad_shows_the_workflow(path, capsys):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())
        run_lpad(launchpad, ["get_wflows"])
    assert '"state": "READY"' in capsys.readouterr().out


def test_a_password_is_never_shown():
    hidden = describe_location("mongodb://anna:secret@host:27017/db")
    assert hidden == "mongodb://anna:***@host:27017/db"


def test_a_malformed_uri_is_an_error_without_the_password():
    with (
        pytest.raises(InputError, match="no MongoDB URI") as raised,
        open_launchpad("mongodb://anna:secret@host:notaport/db"),
    ):
        pass
    assert "secret" not in str(raised.value)


def test_a_server_that_does_not_answer_is_an_error_within_seconds(monkeypatch):
    monkeypatch.setattr("qdcomp.recipes.launchpad.SERVER_PATIENCE_MS", 300)
    with (
        pytest.raises(StoreError, match="does not answer"),
        open_launchpad("mongodb://127.0.0.1:1/db"),
    ):
        pass


def test_jobs_run_from_a_server(tmp_path):
    uri = os.environ.get("QDCOMP_TEST_MONGODB_URI")
    if not uri:
        pytest.skip("QDCOMP_TEST_MONGODB_URI names no MongoDB server")
    with open_launchpad(uri) as launchpad:
        launchpad.reset("", require_password=False)
        launchpad.add_wf(make_chain())
        launch_all(launchpad, RUN, tmp_path)
        assert read_states(launchpad) == ["COMPLETED"] * 3
