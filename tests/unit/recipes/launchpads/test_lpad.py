"""FireWorks' own command line on a launchpad that is open."""

import json

import pytest

from qdcomp.errors import InputError, StoreError
from qdcomp.recipes.launchpads import (
    changes_nothing,
    open_launchpad,
    run_lpad,
    write_launchpad_file,
)


def test_lpad_shows_the_workflow(path, capsys, make_chain):
    with open_launchpad(path) as launchpad:
        launchpad.add_wf(make_chain())
        assert run_lpad(launchpad, ["get_wflows", "-d", "more", "--rsort", "created_on"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["name"] == "chain--1"
    assert shown["states"] == {"job 0--1": "READY", "job 1--2": "WAITING", "job 2--3": "WAITING"}


def test_lpad_changes_the_launchpad_and_says_so(path, capsys, make_chain, read_states):
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
