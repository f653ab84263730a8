import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from ase import Atoms

from qdcomp.engines.base import (
    DynamicsSettings,
    Engine,
    EngineJob,
    RelaxationSettings,
)
from qdcomp.engines.model import ModelEngine, compute_harmonic_response
from qdcomp.engines.model.jobs import format_structure, read_job, read_structure
from qdcomp.engines.model.parameters import find_parameter_file
from qdcomp.engines.model.runner import run_job
from qdcomp.errors import ConvergenceError, EngineError, InputError, ParseError
from qdcomp.structures import build_quantum_dot

ENGINE = ModelEngine()


def silent(line: str) -> None:
    pass


def dot_job(cells: int = 2) -> EngineJob:
    dot = build_quantum_dot(cells=cells, charge="formal")
    return EngineJob("energy", dot.atoms, dot.charge, np.zeros(len(dot.atoms), dtype=bool))


def run(directory: Path, job: EngineJob) -> Path:
    directory.mkdir(exist_ok=True)
    ENGINE.write_inputs(directory, job)
    run_job(directory, silent)
    return directory


def test_it_is_an_engine() -> None:
    assert isinstance(ENGINE, Engine)
    assert ENGINE.name == "model"
    assert ENGINE.is_surrogate


def test_energy_job(tmp_path: Path) -> None:
    job = dot_job()
    result = ENGINE.parse(run(tmp_path / "energy", job))
    assert (result.engine, result.task, result.charge) == ("model", "energy", job.charge)
    assert result.forces_ev_per_angstrom is not None
    assert result.forces_ev_per_angstrom.shape == (63, 3)
    assert result.energy_ev is not None and result.energy_ev < -100.0
    frontier = result.frontier[0]
    assert frontier.gap_ev > 2.0
    assert frontier.lumo_population is not None
    assert frontier.lumo_population.sum() == pytest.approx(1.0, abs=1e-10)
    assert ENGINE.is_complete(tmp_path / "energy")
    assert list(ENGINE.handlers(tmp_path / "energy")) == []


def test_relaxation_ends_at_a_minimum(tmp_path: Path) -> None:
    job = replace(dot_job(3), task="relax", relaxation=RelaxationSettings(1e-3, 1000))
    result = ENGINE.parse(run(tmp_path / "relax", job))
    forces = result.forces_ev_per_angstrom
    assert forces is not None
    assert np.max(np.abs(forces)) <= 1e-3
    assert 20 < result.steps < 500
    assert result.warnings == ()


def test_coarse_relaxation_says_what_energy_is_left(tmp_path: Path) -> None:
    job = replace(dot_job(3), task="relax", relaxation=RelaxationSettings(0.1, 1000))
    result = ENGINE.parse(run(tmp_path / "relax", job))
    assert any("above the minimum" in text for text in result.warnings)


def test_relaxation_leaves_a_saddle_point(tmp_path: Path) -> None:
    # Square-planar PbBr4²⁻ has no force out of its plane, and is no minimum.
    square = 2.9 * np.array([[0, 0, 0], [1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]], float)
    job = EngineJob(
        "relax",
        Atoms("PbBr4", square),
        -2,
        np.zeros(5, dtype=bool),
        settings={"rattle_angstrom": 0.0},
        relaxation=RelaxationSettings(1e-3, 500),
    )
    relaxed = ENGINE.parse(run(tmp_path / "checked", job)).atoms
    angles = sorted(relaxed.get_angle(i, 0, j) for i in range(1, 5) for j in range(1, i))
    assert angles == pytest.approx(6 * [109.47], abs=0.5)
    unchecked = replace(job, settings={"rattle_angstrom": 0.0, "check_minimum": False})
    planar = ENGINE.parse(run(tmp_path / "unchecked", unchecked)).atoms
    assert np.max(np.abs(planar.positions[:, 2])) < 1e-10


def test_frozen_atoms_are_not_relaxed(tmp_path: Path) -> None:
    job = dot_job()
    frozen = np.array([symbol == "Cs" for symbol in job.atoms.get_chemical_symbols()])
    job = replace(job, task="relax", frozen=frozen, relaxation=RelaxationSettings(1e-3, 1000))
    relaxed = ENGINE.parse(run(tmp_path / "relax", job)).atoms
    moved = np.linalg.norm(relaxed.positions - job.atoms.positions, axis=1)
    assert np.all(moved[frozen] == 0.0)
    assert np.all(moved[~frozen] > 0.0)


def test_response_of_a_relaxed_dot(tmp_path: Path) -> None:
    job = dot_job()
    frozen = np.array([symbol == "Cs" for symbol in job.atoms.get_chemical_symbols()])
    job = replace(job, task="relax", frozen=frozen, relaxation=RelaxationSettings(1e-3, 1000))
    response = compute_harmonic_response(run(tmp_path / "relax", job))
    held = np.repeat(frozen, 3)
    assert np.all(response.hessian[held] == 0.0) and np.all(response.hessian[:, held] == 0.0)
    assert np.all(np.linalg.eigvalsh(response.hessian[np.ix_(~held, ~held)]) > 0.0)
    assert response.couplings.lumo.shape[2:] == (63, 3)
    assert len(response.couplings.lumo_energies_ev) == response.gap_gradient.lumo_degeneracy


def test_relaxation_that_does_not_converge(tmp_path: Path) -> None:
    job = replace(dot_job(3), task="relax", relaxation=RelaxationSettings(1e-3, 5))
    with pytest.raises(ConvergenceError, match="stopped after 5 steps"):
        run(tmp_path / "relax", job)
    with pytest.raises(ConvergenceError, match="stopped after 5 steps"):
        ENGINE.parse(tmp_path / "relax")
    assert not ENGINE.is_complete(tmp_path / "relax")


def test_closed_gap_is_told(tmp_path: Path) -> None:
    job = dot_job(3)
    job = replace(job, charge=job.charge - 2)  # two electrons in the threefold LUMO
    result = ENGINE.parse(run(tmp_path / "energy", job))
    assert result.frontier[0].gap_ev < 0.1
    assert any("gap is closed" in text for text in result.warnings)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": {"paramters": "x"}}, "did you mean 'parameters'"),
        ({"settings": {"parameters": "pbe_fit"}}, "no parameter set 'pbe_fit'"),
        ({"settings": {"rattle_angstrom": 3.0}}, "between 0 and 0.5"),
        ({"settings": {"thermal_start": "cold"}}, "canonical, velocities"),
        ({"settings": {"check_minimum": "no"}}, "true or false"),
        ({"charge": 0}, "odd number"),
        ({"atoms": Atoms("SnBr2", np.eye(3)), "frozen": np.zeros(3, bool)}, "parameters for Sn"),
        ({"frozen": np.zeros(5, bool)}, "5 entries for 63 atoms"),
        ({"task": "relax", "frozen": np.ones(63, bool)}, "every atom is frozen"),
        ({"task": "dynamics"}, "needs dynamics settings"),
        ({"task": "dynamics", "dynamics": DynamicsSettings(-10.0, 10.0, 5)}, "temperature_k"),
        ({"task": "dynamics", "dynamics": DynamicsSettings(10.0, 0.0, 5)}, "timestep_fs"),
        ({"task": "dynamics", "dynamics": DynamicsSettings(10.0, 1.0, -5)}, "not be negative"),
        ({"task": "phonons"}, "unknown task"),
    ],
)
def test_impossible_jobs_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ENGINE.check(replace(dot_job(), **changes))


def test_periodic_structures_are_refused() -> None:
    job = dot_job()
    job.atoms.pbc = True
    with pytest.raises(InputError, match="periodic"):
        ENGINE.check(job)


def test_box_is_ignored(tmp_path: Path) -> None:
    ENGINE.check(replace(dot_job(), box_angstrom=1.0))


def test_job_survives_its_files_to_the_last_bit(tmp_path: Path) -> None:
    job = dot_job()
    job.atoms.rattle(0.1, seed=8)
    job.atoms.set_momenta(np.random.default_rng(1).standard_normal((63, 3)))
    job.atoms.set_array("depth", np.linspace(0.0, 1.0, 63))
    job.atoms.info["provenance"] = "made for this test"
    frozen = np.arange(63) < 7
    job = replace(
        job, task="dynamics", frozen=frozen, dynamics=DynamicsSettings(10.0, 5.0, 7), seed=9
    )
    ENGINE.write_inputs(tmp_path, job)
    read = read_job(tmp_path)
    assert np.array_equal(read.atoms.get_positions(), job.atoms.get_positions())
    assert np.array_equal(read.atoms.get_momenta(), job.atoms.get_momenta())
    assert np.array_equal(read.atoms.get_array("depth"), job.atoms.get_array("depth"))
    assert read.atoms.info["provenance"] == "made for this test"
    assert np.array_equal(read.frozen, frozen)
    assert (read.dynamics, read.seed, read.charge) == (job.dynamics, 9, job.charge)


def test_directory_stands_alone(tmp_path: Path) -> None:
    content = yaml.safe_load(find_parameter_file("cspbbr3_prototype").read_text())
    content["pairs"][0]["A"] = 2400.0
    source = tmp_path / "mine.yaml"
    source.write_text(yaml.safe_dump(content))
    job = dot_job()
    usual = ENGINE.parse(run(tmp_path / "usual", job)).energy_ev
    directory = tmp_path / "other"
    directory.mkdir()
    ENGINE.write_inputs(directory, replace(job, settings={"parameters": str(source)}))
    source.unlink()
    run_job(directory, silent)
    assert usual is not None
    assert abs((ENGINE.parse(directory).energy_ev or 0.0) - usual) > 0.1


def test_dynamics_goes_on_from_a_relaxation(tmp_path: Path) -> None:
    job = replace(dot_job(), task="relax", relaxation=RelaxationSettings(1e-2, 500))
    relaxed = run(tmp_path / "relax", job)
    directory = tmp_path / "dynamics"
    directory.mkdir()
    ENGINE.write_inputs(
        directory, replace(job, task="dynamics", dynamics=DynamicsSettings(10.0, 5.0, 3))
    )
    ENGINE.restart_from(directory, relaxed)
    start = read_structure(directory / "start.extxyz")
    assert np.array_equal(start.positions, ENGINE.parse(relaxed).atoms.positions)
    assert not start.has("momenta") or not np.any(start.get_momenta())


def test_cut_off_relaxation_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    job = replace(dot_job(3), task="relax", relaxation=RelaxationSettings(1e-3, 60))
    with pytest.raises(ConvergenceError):
        run(tmp_path / "relax", job)
    checkpoint = read_structure(tmp_path / "relax" / "checkpoint.extxyz")
    assert np.max(np.abs(checkpoint.positions - job.atoms.positions)) > 0.1
    lines: list[str] = []
    run_job(tmp_path / "relax", lines.append)
    assert float(lines[0].split()[4]) < 0.1  # force at the first step, no longer the start's
    assert ENGINE.parse(tmp_path / "relax").steps < 60


def test_nothing_to_go_on_from(tmp_path: Path) -> None:
    (tmp_path / "next").mkdir()
    ENGINE.write_inputs(tmp_path / "next", dot_job())
    with pytest.raises(ParseError, match="has not started"):
        ENGINE.restart_from(tmp_path / "next", tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("job.json", "{"),
        ("job.json", "[]"),
        ("job.json", '{"format": 99}'),
        ("start.extxyz", "2\n"),
    ],
)
def test_damaged_job_directory(tmp_path: Path, name: str, text: str) -> None:
    ENGINE.write_inputs(tmp_path, dot_job())
    (tmp_path / name).write_text(text)
    with pytest.raises(ParseError, match=name):
        read_job(tmp_path)


def test_outputs_that_are_missing(tmp_path: Path) -> None:
    ENGINE.write_inputs(tmp_path, dot_job())
    with pytest.raises(ParseError, match=r"result\.json"):
        ENGINE.parse(tmp_path)
    with pytest.raises(ParseError, match=r"trajectory\.h5"):
        list(ENGINE.read_frames(tmp_path))


def test_atoms_on_top_of_each_other(tmp_path: Path) -> None:
    job = dot_job()
    job.atoms.positions[1] = job.atoms.positions[0]
    relax = replace(job, task="relax", settings={"rattle_angstrom": 0.0})
    with pytest.raises(EngineError, match="on top of each other"):
        run(tmp_path / "relax", relax)


def test_command_runs_the_job_and_reports(tmp_path: Path) -> None:
    job = replace(dot_job(), task="relax", relaxation=RelaxationSettings(1e-2, 500))
    ENGINE.write_inputs(tmp_path, job)
    done = subprocess.run(ENGINE.command(tmp_path), cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.startswith("step 0/500")
    assert done.stdout.endswith("done\n")
    (tmp_path / ENGINE.output_name).write_text(done.stdout)
    assert ENGINE.count_steps(tmp_path) <= ENGINE.parse(tmp_path).steps
    again = subprocess.run(ENGINE.command(tmp_path), cwd=tmp_path, capture_output=True, text=True)
    assert "done already" in again.stdout


def test_command_fails_with_one_line(tmp_path: Path) -> None:
    failed = subprocess.run(ENGINE.command(tmp_path), cwd=tmp_path, capture_output=True, text=True)
    assert failed.returncode == 2
    assert failed.stderr.count("\n") == 1
    assert "job.json" in failed.stderr


def test_cost_grows_with_size_and_counts_electrons() -> None:
    dynamics = DynamicsSettings(10.0, 10.0, 1000)
    small, large = (
        ENGINE.estimate_cost(replace(dot_job(cells), task="dynamics", dynamics=dynamics))
        for cells in (3, 6)
    )
    assert small.electrons == 2 * (27 + 4 * 108)
    assert large.core_hours > 5 * small.core_hours
    assert large.memory_gib > small.memory_gib
    assert "measured" in small.basis


def test_structure_file_opens_in_ase(tmp_path: Path) -> None:
    atoms = dot_job().atoms
    forces = np.random.default_rng(1).standard_normal((63, 3))
    (tmp_path / "a.extxyz").write_text(format_structure(atoms, -3.25, {"forces": forces}))
    read = read_structure(tmp_path / "a.extxyz")
    assert read.get_chemical_symbols() == atoms.get_chemical_symbols()
    assert read.get_potential_energy() == -3.25
    assert np.array_equal(read.get_forces(), forces)


def test_structure_of_other_atoms_is_not_gone_on_from(tmp_path: Path) -> None:
    done = run(tmp_path / "small", dot_job(2))
    (tmp_path / "next").mkdir()
    ENGINE.write_inputs(tmp_path / "next", dot_job(3))
    with pytest.raises(ParseError, match="63 atoms, but the job"):
        ENGINE.restart_from(tmp_path / "next", done)


def test_disk_that_cannot_be_written_stops_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ENGINE.write_inputs(tmp_path, dot_job())

    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("qdcomp.engines.model.runner.replace_file", full)
    monkeypatch.setattr("qdcomp.engines.model.jobs.replace_file", full)
    with pytest.raises(EngineError, match="No space left"):
        run_job(tmp_path, silent)
    assert not ENGINE.is_complete(tmp_path)


def test_dot_too_large_is_refused_before_it_starts() -> None:
    dot = build_quantum_dot(cells=16, charge="formal")
    job = EngineJob("energy", dot.atoms, dot.charge, np.zeros(len(dot.atoms), dtype=bool))
    with pytest.raises(InputError, match="4096 cations"):
        ENGINE.check(job)
