"""FireWorks' own offline mode without a batch system: its files, a rocket, what is collected."""

import json
from types import SimpleNamespace

import pytest
from fireworks import Firework, FWorker, ScriptTask
from fireworks.core import rocket
from fireworks.core.rocket_launcher import launch_rocket
from fireworks.queue.queue_launcher import setup_offline_job
from monty.io import zopen

from qdcomp.recipes.campaigns.run_set import RunSet
from qdcomp.recipes.clusters.offline import collect_offline, list_offline_folders
from qdcomp.recipes.launchpads.launching import end_pings


@pytest.fixture
def reserved(shared, tmp_path, monkeypatch):
    """A job that waits in a queue, with the files of FireWorks' offline mode in its folder."""
    folder = tmp_path / "job"
    folder.mkdir()
    run = RunSet(tmp_path, (), is_campaign=False)
    shared.add_wf(
        Firework(
            ScriptTask.from_str("true"),
            name="01 relax",
            spec={"run_directory": str(tmp_path)},
        )
    )
    job, launch = shared.reserve_fw(FWorker(), str(folder))
    monkeypatch.chdir(folder)
    setup_offline_job(shared, job, launch)
    monkeypatch.setattr(rocket, "zopen", open_as_text)
    return SimpleNamespace(run=run, folder=folder, fw_id=job.fw_id)


def open_as_text(path, mode="rt"):
    """FireWorks 2.1 leaves away the mode, which monty asks for since 2025."""
    return zopen(path, mode, encoding="utf-8")


def run_rocket():
    with end_pings():
        launch_rocket(None, FWorker(), strm_lvl="CRITICAL")


def test_what_has_not_begun_stays_reserved(shared, reserved):
    assert collect_offline(reserved.run, shared) == ()
    assert shared.get_fw_by_id(reserved.fw_id).state == "RESERVED"
    assert list_offline_folders(reserved.run, shared) == {str(reserved.folder)}


def test_what_has_ended_is_collected_once(shared, reserved):
    run_rocket()
    assert collect_offline(reserved.run, shared) == ("01 relax",)
    assert shared.get_fw_by_id(reserved.fw_id).state == "COMPLETED"
    assert collect_offline(reserved.run, shared) == ()
    assert list_offline_folders(reserved.run, shared) == set()


def test_a_file_that_is_just_being_written_is_read_later(shared, reserved):
    run_rocket()
    record = reserved.folder / "FW_offline.json"
    whole = record.read_text()
    record.write_text(whole[: len(whole) // 2])
    assert collect_offline(reserved.run, shared) == ()
    assert shared.get_fw_by_id(reserved.fw_id).state == "RESERVED"
    record.write_text(whole)
    assert collect_offline(reserved.run, shared) == ("01 relax",)


def test_what_has_begun_is_running(shared, reserved):
    run_rocket()
    record = reserved.folder / "FW_offline.json"
    told = json.loads(record.read_text())
    record.write_text(json.dumps({key: told[key] for key in ("launch_id", "started_on")}))
    assert collect_offline(reserved.run, shared) == ()
    assert shared.get_fw_by_id(reserved.fw_id).state == "RUNNING"
