"""The shipped smoke study with real CP2K: every job, every frontier orbital, the report."""

import json
import subprocess
import sys

import numpy as np
import pytest

from qdcomp.recipes.runs.run_directory import open_run
from qdcomp.settings import read_machine_settings
from qdcomp.trajectory import open_trajectory

pytestmark = [
    pytest.mark.cp2k,
    pytest.mark.slow,
    pytest.mark.skipif(
        not read_machine_settings().cp2k_command,
        reason="cp2k.psmp is not installed (Debian: apt-get install cp2k cp2k-data)",
    ),
]


def call(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "qdcomp", *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smoke") / "run"
    finished = call("run", "smoke_cp2k", "--out", str(folder))
    assert finished.returncode == 0, finished.stderr
    assert "report: " in finished.stdout
    return folder


def test_lpad_shows_every_job_completed(root):
    shown = json.loads(call("lpad", str(root), "get_wflows").stdout)
    assert shown["state"] == "COMPLETED"
    jobs = json.loads(call("lpad", str(root), "get_fws", "-d", "less").stdout)
    assert len(jobs) == len(open_run(root).jobs)
    assert {job["state"] for job in jobs} == {"COMPLETED"}
    assert {job["name"] for job in jobs} == {job.name for job in open_run(root).jobs}


def test_the_frontier_orbitals_are_there_at_every_step(root):
    run = open_run(root)
    with open_trajectory(root / "T10K" / "trajectory.h5") as trajectory:
        np.testing.assert_array_equal(trajectory.steps, np.arange(1, run.study.sampling.steps + 1))
        assert np.all(trajectory.gap_ev > 1.0)
        assert np.all(np.diff(trajectory.series("potential_energy_ev")) != 0.0)


def test_the_provenance_has_versions_and_input_hashes(root):
    provenance = json.loads((root / "report" / "provenance.json").read_text())
    assert provenance["engine"]["name"] == "cp2k"
    assert provenance["engine"]["version"][:2] in {"7.", "8.", "9.", "20"}
    for job in provenance["jobs"]:
        assert job["inputs_sha256"]
        assert all(len(digest) == 64 for digest in job["inputs_sha256"].values())


def test_the_report_says_what_so_short_a_run_cannot_say(root):
    page = (root / "report" / "index.html").read_text()
    assert "surrogate engine" not in page.lower()
    assert "resolution" in page


def test_running_it_again_runs_nothing_again(root):
    before = {path: path.stat().st_mtime_ns for path in root.glob("jobs/*/run_record.json")}
    assert call("resume", str(root)).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
