"""FireWorks on a real server: the one of QDCOMP_TEST_MONGODB_URI, else FerretDB."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from qdcomp.recipes.launchpads import (
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
