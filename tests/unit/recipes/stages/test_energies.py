"""Energies of a run's jobs: what counts where several jobs are of one structure."""

from types import SimpleNamespace

import ase
import pytest

from qdcomp.analysis import check_same_level
from qdcomp.engines import EngineResult
from qdcomp.recipes.jobs.planned_job import PlannedJob
from qdcomp.recipes.stages import energies as module
from qdcomp.recipes.stages.energies import read_energies
from qdcomp.recipes.stages.stages import FAILURE_NAME

COARSE, FINE = {"kpoints": "1×1×1"}, {"kpoints": "4×4×1"}


class FakeRun:
    """Jobs in folders, with the results that their names say."""

    def __init__(self, folder, results):
        self.folder, self.results = folder, results
        self.jobs = []
        self.engine = SimpleNamespace(parse=lambda directory: results[directory.name])

    def add(self, kind, piece):
        job = PlannedJob(f"s: {kind} {piece}", kind, f"{kind}_{piece}", piece=piece)
        (self.folder / job.directory).mkdir()
        self.jobs.append(job)

    def job_directory(self, job):
        return self.folder / job.directory


@pytest.fixture
def run(tmp_path, monkeypatch):
    fake = FakeRun(tmp_path, {})
    for piece in ("N0", "N1"):
        for kind in ("relax", "energy"):
            fake.add(kind, piece)
    monkeypatch.setattr(module, "is_done", lambda run, job: job.directory in run.results)
    return fake


def make_result(energy, level, **changes):
    atoms = ase.Atoms("Cs", cell=[5, 5, 20], pbc=(True, True, False))
    return EngineResult(
        engine="none",
        version="1",
        task="energy",
        charge=0,
        atoms=atoms,
        energy_ev=energy,
        level=level,
        **changes,
    )


def test_the_last_job_of_a_structure_counts(run):
    run.results |= {
        "relax_N0": make_result(-10.0, COARSE),
        "energy_N0": make_result(-11.0, FINE),
        "relax_N1": make_result(-20.0, COARSE),
        "energy_N1": make_result(-21.0, FINE),
    }
    table = read_energies(run)
    assert table.energies_ev == {"N0": -11.0, "N1": -21.0}
    assert table.failures == {} and table.slab_level == FINE


def test_a_failed_last_energy_leaves_a_gap_and_no_other_level(run):
    run.results |= {
        "relax_N0": make_result(-10.0, COARSE),
        "energy_N0": make_result(-11.0, FINE),
        "relax_N1": make_result(-20.0, COARSE),
    }
    (run.folder / "energy_N1" / FAILURE_NAME).write_text("out of memory")
    table = read_energies(run)
    assert table.energies_ev == {"N0": -11.0}
    assert "out of memory" in table.failures["N1"]
    check_same_level(table.levels, molecules=table.molecules)


def test_the_first_reason_is_kept_where_later_jobs_could_not_run(run):
    run.results |= {"relax_N0": make_result(-10.0, FINE), "energy_N0": make_result(-11.0, FINE)}
    (run.folder / "relax_N1" / FAILURE_NAME).write_text("did not reach 0.024 eV/Å")
    assert "0.024 eV/Å" in read_energies(run).failures["N1"]


def test_a_structure_with_its_energy_has_no_failure(run):
    run.results |= {
        "relax_N0": make_result(-10.0, FINE),
        "energy_N0": make_result(-11.0, FINE),
        "energy_N1": make_result(-21.0, FINE),
    }
    table = read_energies(run)
    assert table.find("N1") == -21.0 and table.failures == {}


def test_a_field_that_did_not_converge_is_no_energy(run):
    run.results |= {
        "relax_N0": make_result(-10.0, FINE),
        "energy_N0": make_result(-11.0, FINE, steps=1, unconverged_steps=(1,)),
    }
    table = read_energies(run)
    assert table.find("N0") is None and "did not converge" in table.failures["N0"]
