import pytest
from builders.campaign_runs import make_binding_run, make_dot_run
from typer.testing import CliRunner

from qdcomp.cli.application import application
from qdcomp.report import run_report
from qdcomp.report.campaigns import campaign_rows
from qdcomp.report.dots.content import MadeReport

runner = CliRunner()


@pytest.fixture
def told(monkeypatch, tmp_path):
    """Which page was asked for, of which runs."""
    asked = []

    def alone(run, states):
        asked.append(("alone", run.root.name))
        return MadeReport(run.root / "report" / "index.html", ("one",), ())

    def together(runs, states, directory):
        asked.append(("together", *(run.root.name for run in runs)))
        return MadeReport(directory / "index.html", ("two",), ())

    monkeypatch.setattr(run_report, "report_run", alone)
    monkeypatch.setattr(run_report, "report_side_by_side", together)
    monkeypatch.setattr(campaign_rows, "read_job_states", lambda run, pad: ())
    monkeypatch.setattr(campaign_rows, "open_launchpad", lambda *_, **__: _Pad())
    monkeypatch.chdir(tmp_path)
    return asked


class _Pad:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


def report(*arguments):
    return runner.invoke(application, ["report", *map(str, arguments)])


def test_one_run_is_reported_as_ever(told, tmp_path):
    make_dot_run(tmp_path / "dot")
    result = report("dot")
    assert result.exit_code == 0 and told == [("alone", "dot")]
    assert result.output.splitlines()[-1].endswith("dot/report/index.html")


def test_finished_runs_of_one_ligand_study_stand_side_by_side(told, tmp_path):
    make_binding_run(tmp_path / "v", "1", 1.5)
    make_binding_run(tmp_path / "c", "1", 1.5, "cp2k")
    result = report("v", "c")
    assert result.exit_code == 0 and told == [("together", "v", "c")]
    assert "side_by_side/index.html" in result.output


def test_with_an_unfinished_one_it_is_a_campaign(told, tmp_path):
    make_binding_run(tmp_path / "v", "1", 1.5)
    (make_binding_run(tmp_path / "c", "1", 1.5, "cp2k").root / "result.h5").unlink()
    result = report("v", "c")
    assert result.exit_code == 0, result.output
    assert told == []
    assert "1 of 2 runs finished; 1 unfinished" in result.output
    assert (tmp_path / "campaign" / "index.html").is_file()


def test_a_folder_of_runs_is_a_campaign(told, tmp_path):
    make_dot_run(tmp_path / "runs" / "dot")
    (tmp_path / "runs" / "nothing").mkdir()
    result = report("runs", "--out", "pages_of_all")
    assert result.exit_code == 0, result.output
    assert "0 of 1 run finished; 1 unfinished; 1 folder without a run" in result.output
    assert (tmp_path / "pages_of_all" / "index.html").is_file()


@pytest.mark.parametrize("arguments", [("nowhere",), ("empty",), ("runs", "nowhere")])
def test_what_is_no_run_is_told(told, tmp_path, arguments):
    make_dot_run(tmp_path / "runs" / "dot")
    (tmp_path / "empty").mkdir()
    result = report(*arguments)
    assert result.exit_code != 0
    assert "folder of a run" in str(result.exception)
