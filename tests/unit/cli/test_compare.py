import json

import pytest
from builders.campaign_runs import make_dot_run
from typer.testing import CliRunner

from qdcomp.cli.application import application

runner = CliRunner()


@pytest.fixture(autouse=True)
def empty_directory(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def compare(*arguments):
    return runner.invoke(application, ["compare", *map(str, arguments)])


def test_the_papers_alone_make_a_page(tmp_path):
    result = compare()
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "report: comparison/index.html"
    assert "4.2 nm dot is 122 meV" in result.stdout
    assert (tmp_path / "comparison" / "index.html").is_file()


def test_json_writes_no_page(tmp_path):
    result = compare("--json")
    content = json.loads(result.stdout)
    assert {"verdict", "linewidths", "ligands", "surface_share"} <= set(content)
    assert not (tmp_path / "comparison").exists()


def test_measured_dots_of_a_file_take_part(tmp_path):
    line = {
        "fwhm_mev": {"value": 124.0, "error": 2.0},
        "peak_energy_ev": {"value": 2.60, "error": 0.001},
    }
    (tmp_path / "dots.json").write_text(json.dumps({"dots": {"mine.csv": {"line": line}}}))
    result = compare("--measured", "dots.json", "--measured-temperature", 300)
    assert result.exit_code == 0
    assert "mine.csv" in result.stdout


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (["nowhere"], "nowhere"),
        (["--measured", "missing.json"], "missing.json"),
        (["--no-published"], "nothing to compare"),
        (["--curve", "mine"], "no sizing curve 'mine'"),
        (["--temperature", "10"], "none of"),
        (["--spectrum", "missing.csv"], "missing.csv"),
    ],
)
def test_wrong_arguments_are_named_without_a_traceback(tmp_path, arguments, reason):
    result = compare(*arguments)
    assert result.exit_code != 0
    assert reason in f"{result.output}{result.exception}"
    assert not (tmp_path / "comparison").exists()


def test_a_run_that_is_not_finished_says_how_to_go_on(tmp_path):
    make_dot_run(tmp_path / "begun")
    result = compare("begun")
    assert "qdcomp resume" in f"{result.output}{result.exception}"
