"""A sweep through the command line: run, status, a part of it again, plan."""

import pytest
from builders.small_studies import write_study
from typer.testing import CliRunner

from qdcomp.cli.application import application
from qdcomp.recipes.jobs.job_execution import read_run_record
from qdcomp.recipes.runs.run_directory import open_run
from qdcomp.report.campaigns import campaign_page
from qdcomp.report.dots.content import MadeReport

runner = CliRunner()


def call(*arguments, code=0):
    result = runner.invoke(application, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("campaign")


@pytest.fixture(scope="module")
def study(folder):
    """Two members that differ in the analysis alone, so that the second takes over all jobs."""
    path = folder / "small.yaml"
    sweep = "sweep:\n  analysis.emission_temperature: [200 K, 300 K]\n"
    return write_study(path, more=sweep + "analysis: {window: hann}\npriority: 3\n")


@pytest.fixture(scope="module")
def finished(folder, study):
    """What the command says; the page of the campaign has tests of its own, and is not made."""
    with pytest.MonkeyPatch.context() as patch:
        page = MadeReport(path=folder / "index.html", headline=("2 of 2",), warnings=())
        patch.setattr(campaign_page, "report_campaign", lambda *arguments: page)
        return call("run", study, "--out", folder / "runs")


def test_members_run_one_after_another_and_jobs_in_common_once(folder, finished):
    assert f"report: {folder / 'index.html'}" in finished
    records = [
        read_run_record(path.parent)
        for path in sorted((folder / "runs").glob("*/jobs/*/run_record.json"))
    ]
    assert [bool(record.reused_from) for record in records] == [False] * 3 + [True] * 3


def test_status_is_short_when_all_is_done(folder, finished):
    assert call("status", folder / "runs").splitlines()[1:] == [
        "2 of 2 members complete",
        "jobs: 12 COMPLETED",
    ]
    (_, second) = sorted((folder / "runs").glob("small-*"))
    assert "not run again: small-emission_temperature300K: 01 relax" in call("status", second)


def test_a_part_is_put_back_and_named_in_the_status(folder, finished):
    runs = folder / "runs"
    said = call("jobs", "rerun", runs, "--match", "*300K: 05 analyse*")
    assert "put back: 1 job\n" in said and "earlier results: " in said
    said = call("status", runs)
    assert "small-emission_temperature300K: 5 of 6 jobs" in said
    assert f"go on with: qdcomp resume {runs}" in said
    assert "paused: 1 job\n" in call("jobs", "pause", runs)
    assert f"go on with: qdcomp jobs continue {runs}" in call("status", runs)
    said = call("jobs", "continue", runs)
    assert "going on: 1 job\n" in said and f"run them with: qdcomp resume {runs}" in said
    assert "let them go on" not in call("jobs", "pause", runs, "--match", "* build")
    member = open_run(runs / "small-emission_temperature300K")
    assert not member.has_result(member.jobs[-1])


def test_resume_does_what_is_left(folder, finished, monkeypatch):
    page = MadeReport(path=folder / "index.html", headline=(), warnings=())
    monkeypatch.setattr(campaign_page, "report_campaign", lambda *arguments: page)
    call("resume", folder / "runs")
    assert "2 of 2 members complete" in call("status", folder / "runs")


def test_a_failed_member_does_not_hold_up_the_others(tmp_path, monkeypatch):
    page = MadeReport(path=tmp_path / "index.html", headline=(), warnings=())
    monkeypatch.setattr(campaign_page, "report_campaign", lambda *arguments: page)
    sweep = "sweep: {relaxation.max_steps: [1], seeds: 2}"
    study = write_study(tmp_path / "small.yaml", more=sweep)
    said = call("run", study, "--out", tmp_path / "runs", code=1)
    assert said.count("failed: small-max_steps1-s") == 2
    said = call("status", tmp_path / "runs")
    assert "0 of 2 members complete" in said
    assert said.count("failed: 01 relax: the relaxation stopped after 1 steps") == 2


def test_plan_sums_over_the_members(study):
    said = call("plan", study)
    assert "small with the engine model, 2 members: 2 × analysis.emission_temperature:" in said
    assert "in all 12 jobs" in said
