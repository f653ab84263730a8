import shutil
import stat

import pytest
from fireworks import FWorker

from qdcomp.errors import BatchError
from qdcomp.recipes.clusters.batch_script import launch_one, make_adapter
from qdcomp.recipes.clusters.queue_launching import launch_to_queue


@pytest.fixture
def refusing_sbatch(tmp_path, monkeypatch):
    """An sbatch that takes nothing, and says why."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "sbatch"
    command.write_text('#!/bin/sh\necho "sbatch: error: it\'s closed" >&2\nexit 1\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def hand_over(launchpad, profile, folder):
    adapter = make_adapter(profile, folder, launch_one(profile, folder))
    return launch_to_queue(launchpad, FWorker(), adapter, folder, "01 relax", reserve=True)


@pytest.mark.usefixtures("refusing_sbatch")
def test_the_batch_systems_own_words_are_shown_and_the_job_is_ready_again(
    shared, make_chain, make_profile, tmp_path
):
    shared.add_wf(make_chain(1))
    with pytest.raises(BatchError) as raised:
        hand_over(shared, make_profile(), tmp_path)
    assert "Slurm did not take 01 relax: sbatch: error: it's closed." in str(raised.value)
    assert shared.get_fw_by_id(1).state == "READY"


@pytest.mark.skipif(shutil.which("sbatch") is not None, reason="a real sbatch is here")
def test_a_batch_system_that_is_not_there_is_named(shared, make_chain, make_profile, tmp_path):
    shared.add_wf(make_chain(1))
    with pytest.raises(BatchError, match="sbatch"):
        hand_over(shared, make_profile(), tmp_path)
    assert shared.get_fw_by_id(1).state == "READY"


def test_nothing_ready_is_no_refusal(shared, make_profile, tmp_path):
    assert hand_over(shared, make_profile(), tmp_path) == ""
