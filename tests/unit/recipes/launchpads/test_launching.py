"""Launching on either launchpad: order, folders, failures, interrupts, a full disk."""

import os
import threading
import time
from pathlib import Path

import pytest
from fireworks import (
    FireTaskBase,
    Firework,
    FWAction,
    FWorker,
    ScriptTask,
    explicit_serialize,
)
from fireworks.core import rocket
from fireworks.core.rocket_launcher import rapidfire

from qdcomp.errors import StoreError
from qdcomp.recipes.launchpads import find_failure, launch_all, open_launchpad, reset_lost_runs


@explicit_serialize
class RaiseTask(FireTaskBase):
    def run_task(self, fw_spec):
        kind = {"interrupt": KeyboardInterrupt, "exit": SystemExit}[self["kind"]]
        if self.get("once") and Path("raised").exists():
            return
        Path("raised").touch()
        raise kind(self["kind"])


def test_every_change_of_state_is_there_when_the_file_is_opened_again(
    path, make_chain, read_states
):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())
        _, launch_id = launchpad.checkout_fw(FWorker(), "/")
    with open_launchpad(path) as launchpad:
        assert read_states(launchpad) == ["RUNNING", "WAITING", "WAITING"]
        launchpad.complete_launch(launch_id, FWAction())
    with open_launchpad(path) as launchpad:
        assert read_states(launchpad) == ["COMPLETED", "READY", "WAITING"]
        assert launchpad.get_wf_by_fw_id(1).state == "RUNNING"


def test_all_jobs_run_in_order_and_the_callback_names_them(
    path, tmp_path, capfd, make_chain, read_states, query
):
    seen = []
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())
        before = Path.cwd()
        assert launch_all(launchpad, query, tmp_path, seen.append) == (1, 2, 3)
        assert Path.cwd() == before
        assert read_states(launchpad) == ["COMPLETED"] * 3
        assert launch_all(launchpad, query, tmp_path, seen.append) == ()
    assert seen == ["job 0", "job 1", "job 2"]
    assert capfd.readouterr().out == ""


def test_only_the_jobs_that_the_query_names_run(path, tmp_path, make_chain, query):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(Firework(ScriptTask.from_str("true"), spec={"run": "there"}))
        launchpad.add_wf(make_chain(1))
        assert launch_all(launchpad, query, tmp_path) == (2,)


def test_a_job_runs_in_its_own_folder_and_leaves_no_other_behind(path, tmp_path, query):
    folder = tmp_path / "jobs" / "one"
    with open_launchpad(path) as launchpad:
        task = ScriptTask.from_str("pwd > where")
        launchpad.add_wf(Firework(task, spec={"run": "here", "_launch_dir": str(folder)}))
        launch_all(launchpad, query, tmp_path)
        assert launchpad.get_launchdir(1) == str(folder)
    assert (folder / "where").read_text().strip() == str(folder)
    assert list(tmp_path.glob("launcher_*")) == []


def test_launching_waits_for_nothing(path, tmp_path, make_chain, query):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())
        launchpad.checkout_fw(FWorker(), "/")
        start = time.monotonic()
        assert launch_all(launchpad, query, tmp_path) == ()
        assert time.monotonic() - start < 5.0


def test_fireworks_own_rapidfire_runs_on_a_file_and_its_last_ping_meets_no_error(
    path, tmp_path, monkeypatch, make_chain, read_states
):
    monkeypatch.chdir(tmp_path)
    threads = set(threading.enumerate())
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())
        rapidfire(launchpad, FWorker(), str(tmp_path), nlaunches=3, strm_lvl="CRITICAL")
        assert read_states(launchpad) == ["COMPLETED"] * 3
    for thread in set(threading.enumerate()) - threads:
        thread.join()


def test_a_failed_job_stops_its_children_and_says_why(
    path, tmp_path, capfd, make_chain, read_states, query
):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain(task=ScriptTask.from_str("exit 3")))
        launchpad.add_wf(make_chain(1))
        launch_all(launchpad, query, tmp_path)
        assert read_states(launchpad) == ["FIZZLED", "WAITING", "WAITING", "COMPLETED"]
        kind, message = find_failure(launchpad, 1)
        assert kind == "RuntimeError"
        assert "return code" in message.lower()
        assert find_failure(launchpad, 2) == ("", "")
    assert capfd.readouterr() == ("", "")


def test_an_interrupt_ends_the_launches_and_the_job_is_ready_again(
    path, tmp_path, make_chain, read_states, query
):
    threads = threading.active_count()
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain(2, RaiseTask(kind="interrupt", once=True)))
        launchpad.update_spec([1, 2], {"_launch_dir": str(tmp_path / "job")})
        with pytest.raises(KeyboardInterrupt):
            launch_all(launchpad, query, tmp_path)
        assert read_states(launchpad) == ["READY", "WAITING"]
        assert threading.active_count() == threads
        launch_all(launchpad, query, tmp_path)
        assert read_states(launchpad) == ["COMPLETED", "COMPLETED"]


def test_an_interrupt_outside_a_task_leaves_no_thread_that_holds_the_process(
    path, tmp_path, monkeypatch, make_chain, read_states, query
):
    threads = threading.active_count()

    def interrupt(*arguments):
        raise KeyboardInterrupt

    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain(1))
        monkeypatch.setattr(rocket.Rocket, "decorate_fwaction", interrupt)
        with pytest.raises(KeyboardInterrupt):
            launch_all(launchpad, query, tmp_path)
        monkeypatch.undo()
        assert threading.active_count() == threads
        assert read_states(launchpad) == ["RUNNING"]
        assert reset_lost_runs(launchpad) == [1]


def test_a_task_that_exits_is_a_failure_not_an_interrupt(path, tmp_path, make_chain, query):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain(1, RaiseTask(kind="exit")))
        launch_all(launchpad, query, tmp_path)
        assert find_failure(launchpad, 1) == ("SystemExit", "exit")


def test_a_disk_that_fills_up_while_a_job_runs_ends_the_launches_with_that_error(
    path, tmp_path, make_chain, read_states, query
):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())

        def fill_disk(name):
            connection = launchpad._journal._store._connection
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count={pages}")
            launchpad.db["things"].insert_one({"text": "x" * 9000})

        with pytest.raises(StoreError, match="Make room"):
            launch_all(launchpad, query, tmp_path, fill_disk)
    with open_launchpad(path) as launchpad:
        reset_lost_runs(launchpad)
        launch_all(launchpad, query, tmp_path)
        assert read_states(launchpad) == ["COMPLETED"] * 3


def test_jobs_launch_from_a_server_by_the_same_calls(
    shared, tmp_path, make_chain, read_states, query
):
    shared.add_wf(make_chain())
    assert launch_all(shared, query, tmp_path) == (1, 2, 3)
    assert read_states(shared) == ["COMPLETED"] * 3


def test_empty_folders_of_killed_workers_are_removed_and_fresh_or_full_ones_kept(path, tmp_path):
    old, fresh, full = (tmp_path / f"launcher_{name}" for name in ("old", "fresh", "full"))
    for folder in (old, fresh, full):
        folder.mkdir()
    (full / "result.txt").write_text("kept")
    for folder in (old, full):
        os.utime(folder, (0.0, 0.0))
    with open_launchpad(path) as launchpad:
        launch_all(launchpad, {}, tmp_path)
    assert [folder.exists() for folder in (old, fresh, full)] == [False, True, True]
