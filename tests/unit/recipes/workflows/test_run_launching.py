"""Where the launchpad of a run is."""

import pytest

from qdcomp.errors import InputError
from qdcomp.recipes.runs.run_directory import RunDirectory
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.recipes.workflows.run_launching import (
    LAUNCHPAD_VARIABLE,
    find_launchpad,
    note_launchpad,
)
from qdcomp.resources import find_study


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.delenv(LAUNCHPAD_VARIABLE, raising=False)
    return RunDirectory(tmp_path, read_study(find_study("demo")))


def test_a_run_has_a_launchpad_of_its_own_unless_told_otherwise(run, monkeypatch):
    assert find_launchpad(run) == run.root / "launchpad.sqlite"
    monkeypatch.setenv(LAUNCHPAD_VARIABLE, "mongodb://host/db")
    assert find_launchpad(run) == "mongodb://host/db"
    assert find_launchpad(run, "mongodb://other/db") == "mongodb://other/db"


@pytest.mark.parametrize("location", ["foo", "./pad.sqlite", "http://foo", "mongodb:/foo"])
def test_a_launchpad_that_is_no_server_is_refused(run, monkeypatch, location):
    with pytest.raises(InputError, match="not the URI of a MongoDB server; expected mongodb://"):
        find_launchpad(run, location)
    monkeypatch.setenv(LAUNCHPAD_VARIABLE, location)
    with pytest.raises(InputError, match="not the URI of a MongoDB server"):
        find_launchpad(run)


def test_the_password_of_a_wrong_uri_is_not_shown(run):
    for location in ("http://anna:hunter2@host/db", "mongodb://anna:hunter2@host:port/db"):
        with pytest.raises(InputError, match="MongoDB") as error:
            find_launchpad(run, location)
        assert "hunter2" not in str(error.value)


def test_the_server_of_a_run_is_found_again(run):
    note_launchpad(run, "mongodb://host:27017/db")
    assert find_launchpad(run) == "mongodb://host:27017/db"


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://anna:hunter2@host/db",
        "mongodb://host/?tls=true&tlsCertificateKeyFilePassword=hunter2",
        "mongodb://host/?authMechanismProperties=AWS_SESSION_TOKEN:hunter2",
    ],
)
def test_a_secret_is_not_written_down_and_asked_for_again(run, uri):
    note_launchpad(run, uri)
    assert all("hunter2" not in path.read_text() for path in run.root.iterdir())
    with pytest.raises(InputError, match=LAUNCHPAD_VARIABLE) as error:
        find_launchpad(run)
    assert "hunter2" not in str(error.value)
