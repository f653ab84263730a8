"""FireWorks on a real server: the one of QDCOMP_TEST_MONGODB_URI, else FerretDB."""

import json
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from qdcomp.recipes.launchpads import (
    find_lost_runs,
    launch_all,
    open_launchpad,
    reset_lost_runs,
    write_launchpad_file,
)


@pytest.fixture
def server(database_server):
    with open_launchpad(database_server) as launchpad:
        yield launchpad


def test_a_real_server_runs_jobs_and_forgets_none(
    server, tmp_path, make_chain, read_states, label_as_ended, query
):
    server.add_wf(make_chain())
    server.add_wf(make_chain(1))
    server.checkout_fw(label_as_ended(), "/", fw_id=4)
    assert reset_lost_runs(server, query) == [4]
    assert set(launch_all(server, query, tmp_path)) == {1, 2, 3, 4}
    assert read_states(server) == ["COMPLETED"] * 4


def test_a_real_server_is_not_made_anew_when_it_is_opened(
    server, database_server, make_chain, read_states
):
    server.add_wf(make_chain())
    with open_launchpad(database_server) as again:
        assert again.get_new_fw_id() == 4
        assert len(read_states(again)) == 3


def test_plain_lpad_reaches_a_real_server_through_the_file_written_for_it(
    server, tmp_path, make_chain
):
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


CUT_OFF_CHECKOUT = """
import os, signal, sys
from fireworks import FWorker
from qdcomp.recipes.launchpads import open_launchpad
from qdcomp.recipes.launchpads.process_identity import label_worker
with open_launchpad(sys.argv[1]) as launchpad:
    write = launchpad.launches.find_one_and_replace
    def die(*arguments, **options):
        if sys.argv[2] == "after":
            write(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)
    launchpad.launches.find_one_and_replace = die
    launchpad.checkout_fw(label_worker(FWorker()), "/")
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_checkout_that_was_killed_by_the_writing_of_its_launch_is_lost_at_once(
    server, database_server, make_chain, read_states, when
):
    server.add_wf(make_chain(1))
    words = [sys.executable, "-c", CUT_OFF_CHECKOUT, database_server, when]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    assert read_states(server) == ["RESERVED"]
    assert find_lost_runs(server) == [1]
    assert reset_lost_runs(server) == [1]
    assert read_states(server) == ["READY"]
    assert [launch["state"] for launch in server.launches.find({})] == (
        ["FIZZLED"] if when == "after" else []
    )
