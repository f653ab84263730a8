"""The shipped smoke study of a ligand on a slab with real CP2K: jobs, binding energy, report."""

import json
import subprocess
import sys

import numpy as np
import pytest

from qdcomp.recipes.runs.results import load_result
from qdcomp.recipes.runs.run_directory import RESULT_NAME, open_run
from qdcomp.recipes.stages.surface_results import LigandResult
from qdcomp.settings import read_machine_settings

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
    finished = call("run", "smoke_slab_cp2k", "--out", str(folder))
    assert finished.returncode == 0, finished.stderr
    assert "binding energy of MA = " in finished.stdout
    return folder


def test_lpad_shows_every_job_completed(root):
    shown = json.loads(call("lpad", str(root), "get_wflows").stdout)
    assert shown["state"] == "COMPLETED"
    assert shown["states_list"] == "-".join("C" * len(open_run(root).jobs))


def test_the_ligand_is_bound_by_the_energies_of_its_jobs(root):
    run = open_run(root)
    binding = load_result(root / RESULT_NAME, LigandResult).binding
    energies = {
        job.piece: run.engine.parse(run.job_directory(job)).energy_ev
        for job in run.jobs
        if job.kind in ("relax", "energy")
    }
    assert binding.value_ev > 0.0
    by_hand = energies["without"] + energies["ion_pair"] - energies["complex"]
    assert binding.value_ev == pytest.approx(by_hand, abs=1e-9)


def test_only_the_ligand_moved_and_kept_its_identity(root):
    run = open_run(root)
    built, relaxed = run.read_built("complex"), run.read_relaxed("complex")
    moved = np.linalg.norm(relaxed.atoms.positions - built.atoms.positions, axis=1) > 1e-6
    assert not moved[built.frozen].any()
    assert moved[~built.frozen].any()
    np.testing.assert_array_equal(relaxed.ligand_index, built.ligand_index)
    assert relaxed.atoms.get_chemical_symbols() == built.atoms.get_chemical_symbols()


def test_the_report_has_the_number_and_its_provenance(root):
    page = (root / "report" / "index.html").read_text()
    assert "Binding energy of one ligand" in page
    provenance = json.loads((root / "report" / "provenance.json").read_text())
    text = json.dumps(provenance)
    assert "2023.1" in text or "CP2K" in text
    assert "sha256" in text
