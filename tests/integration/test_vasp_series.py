"""The series of 0 to 8 bound ligands with VASP, through FireWorks and custodian, on the stand-in.

One configuration fails for good, one fails and is corrected: the curve has a gap that is named, and
after the failure is mended only that job runs again.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from builders.vasp_potcars import write_potcars
from builders.vasp_stand_in import install_stand_in
from pymatgen.io.vasp.inputs import Incar

from qdcomp.recipes.jobs import job_execution
from qdcomp.recipes.jobs.job_execution import read_run_record
from qdcomp.recipes.jobs.job_state import JobState
from qdcomp.recipes.runs.results import load_result
from qdcomp.recipes.runs.run_directory import RESULT_NAME, RunDirectory, create_run
from qdcomp.recipes.stages.surface_results import LigandResult
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.recipes.workflows.run_launching import execute_run, find_launchpad
from qdcomp.resources import find_study

BROKEN, MENDED = "01_relax_N3-a", "01_relax_N5-a"


@pytest.fixture(scope="module")
def patch() -> pytest.MonkeyPatch:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def series(
    tmp_path_factory: pytest.TempPathFactory, shared_data: Path, patch: pytest.MonkeyPatch
) -> RunDirectory:
    """The paper's own study of PEA, with its defaults for VASP."""
    root = tmp_path_factory.mktemp("series")
    patch.setenv("QDCOMP_VASP", str(install_stand_in(root / "bin")))
    patch.delenv("QDCOMP_VASP_GAMMA", raising=False)
    patch.setenv("PMG_VASP_PSP_DIR", str(write_potcars(root / "sets")))
    patch.setenv("QDCOMP_SHARED", str(shared_data.parent))
    patch.setattr(job_execution, "_POLL_S", 0.05)
    study = read_study(find_study("mi2025_pea_surface_energy"), engine="vasp")
    return create_run(root / "run", study)


@pytest.fixture(scope="module")
def broken(series: RunDirectory, patch: pytest.MonkeyPatch) -> dict[str, JobState]:
    told = [
        {"failure": "text", "file": "handler_texts/vasp.dentet", "only": BROKEN},
        {"failure": "text", "file": "handler_texts/vasp.zbrent", "starts": 1, "only": MENDED,
         "at_step": 3},
    ]  # fmt: skip
    patch.setenv("VASP_STAND_IN", json.dumps(told))
    states = execute_run(series, find_launchpad(series))
    return {state.job.directory.rpartition("/")[2]: state for state in states}


@pytest.fixture(scope="module")
def gapped(series: RunDirectory, broken: dict[str, JobState]) -> LigandResult:
    return load_result(series.root / RESULT_NAME, LigandResult)


def test_every_other_job_is_complete(broken: dict[str, JobState]) -> None:
    failed = [name for name, state in broken.items() if state.state != "COMPLETED"]
    assert failed == [BROKEN]
    assert "custodian proposed KPOINTS" in str(broken[BROKEN].failure)
    (correction,) = broken[MENDED].corrections
    assert "NELMIN = 8" in correction and "refused: EDIFF" in correction


def test_the_curve_has_a_gap_that_is_named(gapped: LigandResult) -> None:
    curve = gapped.curve
    assert curve is not None
    assert curve.bound.tolist() == list(range(9))
    known = np.isfinite(curve.free_energy_ev)
    assert known.tolist() == [True, True, True, False, True, True, True, True, True]
    (gap,) = curve.gaps
    assert gap.startswith("N = 3: N3-a has no energy")
    assert gapped.level["functional"] == "PBE" and gapped.level["dispersion"] == "D3BJ"


def test_ligands_are_known_after_the_run(series: RunDirectory, gapped: LigandResult) -> None:
    assert set(gapped.packings) == {"N1", "N2-a", "N4-a", "N5-a", "N6-a", "N7", "N8"}
    for piece in ("N2-a", "N8"):
        built, relaxed = series.read_built(piece), series.read_relaxed(piece)
        assert relaxed.ligands == built.ligands
        np.testing.assert_array_equal(relaxed.ligand_index, built.ligand_index)
        assert (relaxed.atoms.symbols == built.atoms.symbols).all()
        moved = np.abs(relaxed.atoms.positions - built.atoms.positions)
        frozen = built.frozen
        assert moved[frozen].max() < 1e-6 < moved[~frozen].max() < 1.5


def test_inputs_of_all_jobs_have_the_same_physics(
    series: RunDirectory, broken: dict[str, JobState]
) -> None:
    tags = ("ENCUT", "PREC", "GGA", "IVDW", "EDIFF", "ISMEAR", "SIGMA", "LREAL")
    found = {
        tuple(str(Incar.from_file(path).get(tag)) for tag in tags)
        for path in series.root.glob("jobs/*/INCAR*")
    }
    assert found == {("400.0", "Normal", "Pe", "12", "1e-06", "0", "0.05", "False")}
    slabs = {path.read_text() for path in series.root.glob("jobs/*_N*/KPOINTS*")}
    assert len(slabs) == 1 and "4 4 1" in slabs.pop()


def test_what_failed_is_run_again_and_nothing_else(
    series: RunDirectory, gapped: LigandResult, patch: pytest.MonkeyPatch
) -> None:
    patch.setenv("VASP_STAND_IN", "")
    before = {path: path.stat().st_mtime_ns for path in series.root.glob("jobs/*/OUTCAR")}
    states = execute_run(series, find_launchpad(series))
    assert {state.state for state in states} == {"COMPLETED"}
    after = {path: path.stat().st_mtime_ns for path in before}
    changed = [path.parent.name for path in before if before[path] != after[path]]
    assert changed == [BROKEN]
    record = read_run_record(series.root / "jobs" / BROKEN)
    assert record is not None and record.runs == 2
    curve = load_result(series.root / RESULT_NAME, LigandResult).curve
    assert curve is not None and gapped.curve is not None
    assert np.isfinite(curve.free_energy_ev).all() and curve.gaps == ()
    known = np.isfinite(gapped.curve.free_energy_ev)
    np.testing.assert_allclose(
        curve.free_energy_ev[known], gapped.curve.free_energy_ev[known], atol=1e-9
    )


def test_the_differential_is_that_of_the_energies_in_the_outcars(
    series: RunDirectory, gapped: LigandResult
) -> None:
    curve = gapped.curve
    assert curve is not None
    folders = {1: "01_relax_N1", 2: "01_relax_N2-a", 0: "01_relax_ion_pair"}
    energies = {
        key: float(
            (series.root / "jobs" / name / "OUTCAR")
            .read_text()
            .rpartition("energy(sigma->0) =")[2]
            .split()[0]
        )
        for key, name in folders.items()
    }
    expected = energies[2] - energies[1] - (energies[0] - curve.ts_ev)
    assert curve.differential_ev[2] == pytest.approx(expected, abs=1e-6)
