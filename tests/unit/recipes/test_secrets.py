"""A study that runs through a launchpad server writes its password nowhere."""

import pytest
from builders.campaign_runs import DOT_STUDY
from typer.testing import CliRunner

from qdcomp.cli.application import application
from qdcomp.cli.run import FAILED
from qdcomp.recipes.launchpads import LAUNCHPAD_VARIABLE, open_launchpad

SECRET = "hidden-in-the-uri"


@pytest.fixture
def secret_uri(database_server, monkeypatch):
    """Where a real server is that lets any user in."""
    server = database_server.removeprefix("mongodb://")
    uri = f"mongodb://anna:{SECRET}@{server}?authMechanism=PLAIN"
    monkeypatch.setenv(LAUNCHPAD_VARIABLE, uri)
    return uri


def test_a_run_with_a_job_that_fails_leaves_the_password_in_no_file_and_no_document(
    secret_uri, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    study = tmp_path / "small.yaml"
    study.write_text(
        DOT_STUDY.format(
            name="small", cells=2, seed=1, more="", reference="", temperatures="[10 K]"
        )
    )
    for arguments, code in (
        (["run", "small.yaml", "--out", "run"], FAILED),
        (["status", "run"], 0),
    ):
        result = CliRunner().invoke(application, arguments)
        assert result.exit_code == code, result.exception or result.output
        assert SECRET not in result.output
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"run_record.json", "custodian.log"} <= {path.name for path in written}
    assert [path for path in written if SECRET.encode() in path.read_bytes()] == []
    with open_launchpad(secret_uri, read_only=True) as pad:
        documents = [str(document) for name in pad.db.list_collection_names()
                     for document in pad.db[name].find()]  # fmt: skip
    assert any("RunEngine" in document for document in documents)
    assert any("_stacktrace" in document for document in documents)
    assert not any(SECRET in document for document in documents)
    assert "***" in (tmp_path / "run" / "launchpad.uri").read_text()
