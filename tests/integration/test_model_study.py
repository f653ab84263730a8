"""A small study with the engine model, through the command line."""

import json
import subprocess
import sys

import pytest

from qdcomp.analysis import compute_dephasing
from qdcomp.trajectory import open_trajectory

STUDY = """
name: small
description: the smallest dot, a few steps of everything
recipe: dot_linewidth
engine: model
reference: {{paper: raino2022, dot: 1.8 nm}}
structure: {{kind: quantum_dot, cells: 1, composition: CsPbBr3, charge: neutral}}
relaxation: {{max_force: 1 meV/angstrom, max_steps: {max_steps}}}
equilibration: [{{duration: 100 fs, timestep: 10 fs, thermostat_time: 15 fs}}]
sampling:
  temperatures: [10 K, 50 K]
  duration: 400 fs
  timestep: 10 fs
  thermostat_time: 1 ps
  segments: 2
analysis: {{normal_modes: true}}
seed: 2
"""


def call(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "qdcomp", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def finished(folder):
    (folder / "small.yaml").write_text(STUDY.format(max_steps=2000))
    return call("run", "small.yaml", cwd=folder)


@pytest.fixture
def root(folder, finished):
    assert finished.returncode == 0, finished.stderr
    return folder / "runs" / "small-model"


def test_a_study_ends_with_a_line_of_results_and_the_path_of_the_report(root, finished):
    lines = finished.stdout.splitlines()
    assert "Γ(300 K) = " in lines[0]
    assert "surrogate" in lines[0]
    assert lines[-1] == f"report: {root / 'report' / 'index.html'}"
    assert (root / "report" / "index.html").is_file()


def test_temperatures_are_summarised(root):
    rows = json.loads((root / "summary.json").read_text())["linewidths"]
    assert [row["temperature_k"] for row in rows] == [10.0, 50.0]
    assert all(row["linewidth_ev"] > 0 and row["linewidth_error_ev"] > 0 for row in rows)
    for row in rows:
        folder = root / f"T{row['temperature_k']:g}K"
        with open_trajectory(folder / "trajectory.h5") as trajectory:
            own = compute_dephasing(trajectory.gap_ev, trajectory.timestep_fs)
        assert row["linewidth_ev"] == pytest.approx(own.linewidth_ev)


def test_the_chain_from_a_number_to_its_study_is_whole(root):
    provenance = json.loads((root / "report" / "provenance.json").read_text())
    assert provenance["study"]["content"]["name"] == "small"
    assert provenance["structure"]["atoms"] == 11
    assert provenance["engine"] == {"name": "model", "version": "0.1.0", "is_surrogate": True}
    for job in provenance["jobs"]:
        assert job["inputs_sha256"]
        assert job["run"]["runs"] >= 1
    assert [one["frames"] for one in provenance["trajectories"]] == [40, 40]


def test_status_and_lpad_agree_that_all_is_done(root):
    status = call("status", str(root))
    assert "COMPLETED" in status.stdout and "FIZZLED" not in status.stdout
    shown = json.loads(call("lpad", str(root), "get_wflows").stdout)
    assert shown["state"] == "COMPLETED"


def test_running_the_study_again_runs_nothing_again(root, folder):
    before = {path: path.stat().st_mtime_ns for path in root.glob("jobs/*/run_record.json")}
    again = call("run", "small.yaml", cwd=folder)
    assert again.returncode == 0, again.stderr
    assert len(before) == 7
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_changed_study_is_not_run_in_the_folder_of_another(root, folder):
    (folder / "changed.yaml").write_text(STUDY.format(max_steps=2001))
    refused = call("run", "changed.yaml", "--out", str(root), cwd=folder)
    assert refused.returncode == 2
    assert "holds a run of another study" in refused.stderr


def test_analyse_takes_another_emission_temperature(root):
    analysed = call("analyse", str(root), "--emission-temperature", "200")
    assert analysed.returncode == 0, analysed.stderr
    assert "Γ(200 K) = " in analysed.stdout


def test_a_job_that_fails_is_named_with_its_reason_and_the_way_on(tmp_path):
    (tmp_path / "small.yaml").write_text(STUDY.format(max_steps=2))
    failed = call("run", "small.yaml", cwd=tmp_path)
    assert failed.returncode == 1
    assert "failed: small: 01 relax: " in failed.stderr
    assert "qdcomp resume" in failed.stderr
    assert "Traceback" not in failed.stderr + failed.stdout
    status = call("status", str(tmp_path / "runs" / "small-model"))
    assert "FIZZLED" in status.stdout and "WAITING" in status.stdout


def test_a_missing_binary_is_found_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("QDCOMP_CP2K_COMMAND", raising=False)
    refused = call("run", "smoke_cp2k", "--out", str(tmp_path / "run"))
    assert refused.returncode == 2
    assert "CP2K" in refused.stderr and "apt-get install cp2k" in refused.stderr
    assert not (tmp_path / "run").exists()
