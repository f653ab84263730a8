import os

import pytest
from builders.campaign_runs import make_binding_run, make_dot_run

from qdcomp.errors import InputError, StoreError
from qdcomp.recipes.jobs.job_state import JobState
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.report.campaigns import campaign_rows
from qdcomp.report.campaigns.campaign_facts import describe_study
from qdcomp.report.campaigns.campaign_rows import judge_run, read_row
from qdcomp.resources import find_study


def states_of(run, *states, failure=""):
    """States of the first jobs of a run, the last state for all that follow."""
    padded = [*states, *[states[-1]] * len(run.jobs)][: len(run.jobs)]
    return [
        JobState(job, state, 0, None, (), failure if state == "FIZZLED" else "")
        for job, state in zip(run.jobs, padded, strict=True)
    ]


def test_a_finished_dot_has_its_numbers(tmp_path, cold, monkeypatch):
    run = make_dot_run(tmp_path / "dot", (cold,))
    monkeypatch.setattr(campaign_rows, "read_run_states", lambda *_: states_of(run, "COMPLETED"))
    row = read_row("dot", run.root)
    assert (row.state, row.reason) == ("finished", "")
    assert row.facts.size == "1.17 nm" and row.facts.edge_nm == pytest.approx(1.174)
    assert row.result.startswith("Γ(300 K) = ") and "Λ = " in row.result
    assert row.caution == "surrogate engine model, not first principles"
    assert row.n_warnings == 1 and row.page == run.root / "report"


def test_a_copied_run_keeps_its_numbers_and_says_what_is_not_known(tmp_path, cold):
    run = make_dot_run(tmp_path / "copy", (cold,))
    row = read_row("copy", run.root)
    assert row.state == "finished" and row.dots
    assert row.reason.startswith("how its jobs stood is not known")


def test_a_page_older_than_the_results_is_written_again(tmp_path, cold, monkeypatch):
    run = make_dot_run(tmp_path / "dot", (cold,))
    written = []
    monkeypatch.setattr(campaign_rows, "report_run", lambda run, jobs: written.append(run.root))
    read_row("dot", run.root)
    assert written == []
    os.utime(run.root / "report" / "index.html", (1, 1))
    read_row("dot", run.root)
    assert written == [run.root]


def test_a_stand_in_is_no_first_principles_code(tmp_path):
    row = read_row("pea", make_binding_run(tmp_path / "pea", "5.4.4.stand-in", 1.5).root)
    assert row.caution == "VASP stand-in: not a DFT result"
    assert row.result == "binding energy of PEA = 1.5 eV"
    assert read_row("x", make_binding_run(tmp_path / "x", "5.4.4", 1.5).root).caution == ""


def test_a_cut_result_is_damage_with_its_file(tmp_path, cold):
    run = make_dot_run(tmp_path / "dot", (cold,))
    path = run.root / "T10K" / "analysis.h5"
    path.write_bytes(path.read_bytes()[:60000])
    row = read_row("dot", run.root)
    assert row.state == "damaged" and row.dots == () and row.page is None
    assert "dot/T10K/analysis.h5" in row.reason and "qdcomp resume" in row.reason
    assert str(tmp_path) not in row.reason
    assert row.facts.kind == "dot linewidth"


@pytest.mark.parametrize("name", ["results.json", "provenance.json"])
def test_a_damaged_file_of_the_page_is_named(tmp_path, cold, name):
    run = make_dot_run(tmp_path / "dot", (cold,))
    (run.root / "report" / name).write_text("{")
    row = read_row("dot", run.root)
    assert row.state == "damaged" and f"{name}" in row.reason and "qdcomp report dot" in row.reason


@pytest.mark.parametrize("content", [b"name: [", b"\xff\xfe\x00", b"", b"recipe: unheard_of\n"])
def test_a_damaged_study_is_a_row(tmp_path, content):
    (tmp_path / "study.yaml").write_bytes(content)
    row = read_row("x", tmp_path)
    assert row.state == "damaged" and row.reason and row.run is None


def test_unforeseen_damage_ends_nothing(tmp_path, cold, monkeypatch):
    run = make_dot_run(tmp_path / "dot", (cold,))

    def fail(*_):
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(campaign_rows, "load_result", fail)
    row = read_row("dot", run.root)
    assert (row.state, row.reason) == ("damaged", "cannot be read: ZeroDivisionError: by nothing")


def test_folders_without_a_run_say_what_they_hold(tmp_path):
    assert read_row("x", tmp_path).reason == "the folder is empty"
    for number in range(6):
        (tmp_path / f"file{number}").touch()
    row = read_row("x", tmp_path)
    assert row.state == "no run"
    assert "no study.yaml" in row.reason
    assert row.reason.endswith("file0, file1, file2, file3 and 2 more")


def test_states_of_jobs_become_the_state_of_the_run(tmp_path, cold):
    run = make_dot_run(tmp_path / "begun")
    n_jobs = len(run.jobs)
    running = judge_run(run, states_of(run, "COMPLETED", "RUNNING", "WAITING"), None)
    assert running[0] == "unfinished"
    assert running[1].startswith(f"1 of {n_jobs} jobs are complete; 01 relax runs, or was cut off")
    waiting = judge_run(run, states_of(run, "READY", "WAITING"), None)
    assert waiting[0] == "unfinished" and f"0 of {n_jobs}" in waiting[1]
    failed = judge_run(run, states_of(run, "COMPLETED", "FIZZLED", failure="no SCF"), None)
    assert failed == ("failed", f"01 relax: no SCF; and {n_jobs - 2} more failed")
    gone = judge_run(run, states_of(run, "COMPLETED"), None)
    assert gone[0] == "damaged" and "results are gone" in gone[1]
    finished = make_dot_run(tmp_path / "whole", (cold,))
    assert judge_run(finished, states_of(finished, "COMPLETED"), None) == ("finished", "")


def test_without_a_launchpad_the_reason_decides(tmp_path):
    run = make_dot_run(tmp_path / "begun")
    assert judge_run(run, (), StoreError("missing"))[1].startswith("it was not started")
    assert judge_run(run, (), InputError("no jobs")) == ("unfinished", "no jobs")
    (run.root / "launchpad.sqlite").touch()
    assert judge_run(run, (), StoreError("torn")) == ("damaged", "torn")


@pytest.mark.parametrize(
    ("name", "kind", "material", "size", "ligand", "temperature"),
    [
        ("raino2022_core_shell_3p6nm", "dot linewidth", "CsPbBr3/CsCaBr3", "3.52 nm", "", "10 K"),
        (
            "raino2022_frozen_shell_0p5",
            "dot linewidth",
            "CsPbBr3, 0.5-cell shell frozen",
            "2.94 nm",
            "",
            "300 K",
        ),
        ("raino2022_temperature_2p4nm", "dot linewidth", "CsPbBr3", "2.35 nm", "", "10–300 K (8)"),
        ("mi2025_pea_binding", "ligand binding", "CsPbBr3 (100)", "2×2×1 slab", "PEA", "298.15 K"),
        ("mi2025_dda_entropy", "ligand entropy", "", "molecule", "DDA", "298.15 K"),
    ],
)
def test_a_study_is_described_in_words(name, kind, material, size, ligand, temperature):
    facts = describe_study(read_study(find_study(name)))
    assert (facts.kind, facts.material, facts.size) == (kind, material, size)
    assert (facts.ligand, facts.temperature) == (ligand, temperature)


def test_a_built_dot_knows_its_edge_better_than_the_study():
    study = read_study(find_study("demo"))
    assert describe_study(study, 18.0).size == "1.80 nm"
