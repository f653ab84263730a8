"""A study that runs through a launchpad server writes its password nowhere."""

import fireworks.core.launchpad
import mongomock
import mongomock.gridfs
import pytest
from builders.campaign_runs import DOT_STUDY
from typer.testing import CliRunner

from qdcomp.cli.application import application
from qdcomp.cli.run import FAILED
from qdcomp.recipes.launchpads import LAUNCHPAD_VARIABLE

SECRET = "hidden-in-the-uri"
URI = f"mongodb://anna:{SECRET}@127.0.0.1:27017/secrets?authSource=secrets"


@pytest.fixture
def server(monkeypatch):
    """A server of mongomock for every connection of this process, whatever its URI."""
    made = mongomock.MongoClient()
    mongomock.gridfs.enable_gridfs_integration()
    monkeypatch.setattr(made, "close", lambda: None)
    monkeypatch.setattr(fireworks.core.launchpad, "MongoClient", lambda *a, **options: made)
    monkeypatch.setenv(LAUNCHPAD_VARIABLE, URI)
    return made


def test_a_run_with_a_job_that_fails_leaves_the_password_in_no_file_and_no_document(
    server, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    study = tmp_path / "small.yaml"
    study.write_text(
        DOT_STUDY.format(name="small", cells=2, more="", reference="", temperatures="[10 K]")
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
    database = server["secrets"]
    documents = [str(document) for name in database.list_collection_names()
                 for document in database[name].find()]  # fmt: skip
    assert any("RunEngine" in document for document in documents)
    assert any("_stacktrace" in document for document in documents)
    assert not any(SECRET in document for document in documents)
    assert "***" in (tmp_path / "run" / "launchpad.uri").read_text()
