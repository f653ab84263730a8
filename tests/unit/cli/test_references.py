"""A reference to numbers that there are not is found before anything runs."""

import pytest
from typer.testing import CliRunner

from qdcomp.cli.application import application
from qdcomp.errors import InputError
from qdcomp.resources import find_study


@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_dot_that_the_paper_does_not_have_is_refused(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = find_study("demo").read_text(encoding="utf-8")
    (tmp_path / "study.yaml").write_text(text.replace("dot: 1.8 nm", "dot: 1.9 nm"))
    result = CliRunner().invoke(application, [command, "study.yaml"])
    assert isinstance(result.exception, InputError)
    assert "nearest: '1.8 nm'" in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]
