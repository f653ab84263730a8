"""The file of an embedded launchpad: who may have it, what is refused, what a full disk does."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from fireworks import Firework, ScriptTask

from qdcomp.errors import StoreError
from qdcomp.recipes.launchpads import embedded_launchpad, open_launchpad
from qdcomp.recipes.launchpads.embedded_store import APPLICATION_ID, FORMAT_VERSION, EmbeddedStore

OPEN = "import sys, qdcomp.recipes.launchpads as l\nwith l.open_launchpad(sys.argv[1]): "


def run_python(code, path):
    return subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )


def alter(path, statement):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_the_file_says_whose_it_is_and_stands_alone_when_closed(path):
    with open_launchpad(path):
        pass
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert connection.execute("PRAGMA user_version").fetchone() == (FORMAT_VERSION,)
    connection.close()
    assert sorted(entry.name for entry in path.parent.iterdir()) == [path.name, path.name + ".lock"]


def test_a_second_process_is_refused_and_told_who_has_the_file(path):
    with open_launchpad(path):
        other = run_python(OPEN + "pass", path)
    assert other.returncode != 0
    assert f"in use by process {os.getpid()}" in other.stderr
    assert "wait until that process has ended" in other.stderr
    with open_launchpad(path):
        pass


def test_a_second_opening_in_one_process_is_refused(path):
    with (
        open_launchpad(path),
        pytest.raises(StoreError, match="in use by this process already"),
        open_launchpad(path),
    ):
        pass


def test_sigkill_lets_go_of_the_file(path):
    died = run_python(OPEN + "import os; os.kill(os.getpid(), 9)", path)
    assert died.returncode == -signal.SIGKILL
    with open_launchpad(path):
        pass


def test_a_copy_of_the_process_neither_keeps_the_file_nor_may_use_it(path):
    launchpad = open_launchpad(path)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # it outlives the launchpad, and answers what its own use of it raised
        try:
            launchpad.fireworks.find_one({})
        except StoreError as error:
            os.write(writing, str(error).encode())
        os.read(reading, 0)
        signal.pause()
    try:
        answer = os.read(reading, 4096).decode()
        launchpad.close()
        with open_launchpad(path):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)
    assert f"open in process {os.getpid()}" in answer


def test_a_reader_sees_the_state_of_the_moment_while_another_writes(path):
    with open_launchpad(path) as writer:
        writer.add_wf(Firework(ScriptTask.from_str("true")))
        with open_launchpad(path, read_only=True) as reader:
            writer.pause_fw(1)
            assert reader.fireworks.find_one({})["state"] == "READY"
            with pytest.raises(StoreError, match="reading only"):
                reader.fireworks.update_one({"fw_id": 1}, {"$set": {"state": "READY"}})
            with pytest.raises(StoreError, match="reading only"):
                reader.add_wf(Firework(ScriptTask.from_str("true")))
        with open_launchpad(path, read_only=True) as reader:
            assert reader.fireworks.find_one({})["state"] == "PAUSED"


def test_a_reader_needs_no_right_to_write_the_folder(path):
    with open_launchpad(path) as writer:
        writer.add_wf(Firework(ScriptTask.from_str("true")))
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        with open_launchpad(path, read_only=True) as reader:
            assert reader.fireworks.count_documents({}) == 1
    finally:
        path.parent.chmod(0o755)


def test_reading_a_launchpad_that_is_not_there_says_how_to_make_one(path):
    with pytest.raises(StoreError, match="qdcomp run"):
        open_launchpad(path, read_only=True)
    with pytest.raises(StoreError, match="qdcomp run"):
        embedded_launchpad(path, create=False)
    assert not path.exists()


def test_a_folder_or_a_path_without_one_is_refused(tmp_path):
    with pytest.raises(StoreError, match="is a folder"):
        open_launchpad(tmp_path)
    with pytest.raises(StoreError, match="does not exist"):
        open_launchpad(tmp_path / "missing" / "launchpad.sqlite")


def test_a_file_of_a_newer_version_is_refused_and_left_alone(path):
    with open_launchpad(path):
        pass
    alter(path, f"PRAGMA user_version={FORMAT_VERSION + 1}")
    before = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(StoreError, match=r"newer qdcomp.*update qdcomp"):
            open_launchpad(path, read_only=read_only)
    assert path.read_bytes() == before


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_database_is_refused(path, read_only):
    path.write_text("not a launchpad " * 100)
    with pytest.raises(StoreError, match="is not a launchpad file"):
        open_launchpad(path, read_only=read_only)


def test_a_database_of_another_program_is_refused_and_left_alone(path):
    alter(path, "CREATE TABLE theirs (a)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        open_launchpad(path)
    assert path.read_bytes() == before


def test_a_file_in_which_nothing_was_made_yet_is_made(path):
    path.touch()
    with open_launchpad(path, read_only=True) as reader:
        assert reader.fireworks.count_documents({}) == 0
    with open_launchpad(path) as launchpad:
        assert launchpad.get_new_fw_id() == 1


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("damage", ["cut", "overwritten"])
def test_a_damaged_file_is_refused(path, damage, read_only):
    with open_launchpad(path) as launchpad:
        launchpad.bulk_add_wfs([Firework(ScriptTask.from_str("true")) for _ in range(100)])
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(content[:half] if damage == "cut" else content[:half] + b"\xff" * half)
    with pytest.raises(StoreError, match="damaged"):
        open_launchpad(path, read_only=read_only)


def test_a_document_that_is_not_bson_is_damage(path):
    with open_launchpad(path):
        pass
    alter(path, "UPDATE documents SET body = x'00112233'")
    with pytest.raises(StoreError, match="damaged"):
        open_launchpad(path)


def test_a_full_disk_keeps_what_was_stored_and_accepts_nothing_after(path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(Firework(ScriptTask.from_str("true")))
        things = launchpad.db["things"]
        stored = 0
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
        try:
            with pytest.raises(StoreError, match=r"what was stored before is kept.*Make room"):
                for number in range(1000):
                    things.insert_one({"_id": number, "text": "x" * 4000})
                    stored += 1
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert stored > 10
        for use in (lambda: things.insert_one({"_id": "after"}), lambda: things.find_one({})):
            with pytest.raises(StoreError, match="Make room"):
                use()
    with open_launchpad(path) as launchpad:
        assert launchpad.fireworks.count_documents({}) == 1
        assert [thing["_id"] for thing in launchpad.db["things"].find({})] == list(range(stored))


def test_a_closed_launchpad_refuses_use(path):
    launchpad = open_launchpad(path)
    launchpad.close()
    with pytest.raises(StoreError, match="closed"):
        launchpad.fireworks.find_one({})


def test_the_lock_follows_the_file_behind_a_link(path):
    link = Path(f"{path}.link")
    with open_launchpad(path):
        link.symlink_to(path)
        with pytest.raises(StoreError, match="in use"):
            EmbeddedStore(link, create=False)
