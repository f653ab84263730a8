import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import units
from numpy.typing import NDArray

from qdcomp.engines.base import DynamicsSettings, EngineJob, RelaxationSettings
from qdcomp.engines.model import ModelCalculator, ModelEngine
from qdcomp.engines.model.dynamics import Integrator
from qdcomp.engines.model.runner import run_job
from qdcomp.engines.model.thermal import count_degrees_of_freedom, sample_velocities
from qdcomp.errors import EngineError
from qdcomp.structures import build_quantum_dot
from qdcomp.trajectory import open_trajectory

ENGINE = ModelEngine()


def silent(line: str) -> None:
    pass


@pytest.fixture(scope="module")
def relaxed(tmp_path_factory: pytest.TempPathFactory) -> EngineJob:
    """Relaxed dot of two cells, 63 atoms."""
    dot = build_quantum_dot(cells=2, charge="formal")
    job = EngineJob(
        "relax",
        dot.atoms,
        dot.charge,
        np.zeros(len(dot.atoms), dtype=bool),
        relaxation=RelaxationSettings(1e-4, 2000),
    )
    directory = tmp_path_factory.mktemp("relaxed")
    ENGINE.write_inputs(directory, job)
    run_job(directory, silent)
    return replace(job, task="dynamics", atoms=ENGINE.parse(directory).atoms)


def dynamics_job(relaxed: EngineJob, **settings: float) -> EngineJob:
    defaults = {"temperature_k": 50.0, "timestep_fs": 10.0, "steps": 30}
    return replace(relaxed, dynamics=DynamicsSettings(**{**defaults, **settings}))  # type: ignore[arg-type]


def prepared(directory: Path, job: EngineJob, previous: Path | None = None) -> Path:
    directory.mkdir()
    ENGINE.write_inputs(directory, job)
    if previous is not None:
        ENGINE.restart_from(directory, previous)
    return directory


def finished(directory: Path, job: EngineJob, previous: Path | None = None) -> Path:
    run_job(prepared(directory, job, previous), silent)
    return directory


def integrator(
    relaxed: EngineJob, timestep_fs: float, thermostat_fs: float | None, temperature_k: float
) -> Integrator:
    atoms = relaxed.atoms.copy()
    atoms.calc = ModelCalculator(relaxed.charge)
    velocities = sample_velocities(
        atoms.get_masses(),
        atoms.get_positions(),
        relaxed.frozen,
        temperature_k,
        np.random.default_rng(4),
    )
    atoms.set_velocities(velocities / units.fs)
    dynamics = DynamicsSettings(temperature_k, timestep_fs, 1, thermostat_fs)
    degrees = count_degrees_of_freedom(atoms.get_positions(), relaxed.frozen)
    return Integrator(atoms, dynamics, degrees, 1, 0.0)


def conserved(moving: Integrator, steps: int) -> NDArray[np.float64]:
    return np.array([moving.advance(k).conserved_energy_ev for k in range(1, steps + 1)])


def test_energy_is_conserved_to_second_order_in_the_time_step(relaxed: EngineJob) -> None:
    coarse = conserved(integrator(relaxed, 10.0, None, 100.0), 300)
    fine = conserved(integrator(relaxed, 5.0, None, 100.0), 600)
    assert np.std(coarse) / np.std(fine) == pytest.approx(4.0, rel=0.25)
    assert np.std(fine) < 2e-3
    drift = np.polyfit(np.arange(600) * 5e-3, fine, 1)[0]  # eV/ps
    assert abs(drift) < 1e-3


def test_thermostat_keeps_the_conserved_energy_and_the_momenta(relaxed: EngineJob) -> None:
    moving = integrator(relaxed, 5.0, 100.0, 100.0)
    assert np.std(conserved(moving, 600)) < 5e-3
    momenta = moving.atoms.get_momenta()
    centred = moving.atoms.get_positions() - moving.atoms.get_center_of_mass()
    assert momenta.sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-9)
    assert np.cross(centred, momenta).sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-6)


def test_thermostat_samples_the_canonical_kinetic_energy(relaxed: EngineJob) -> None:
    moving = integrator(relaxed, 5.0, 15.0, 100.0)
    temperatures = np.array([moving.advance(k).temperature_k for k in range(1, 3001)])[300:]
    degrees = 3 * 63 - 6
    assert moving.degrees_of_freedom == degrees
    blocks = temperatures.reshape(27, 100).mean(axis=1)
    error = np.std(blocks, ddof=1) / np.sqrt(len(blocks))
    assert abs(temperatures.mean() - 100.0) < 3.0 * error
    assert error < 1.5
    assert temperatures.std() == pytest.approx(100.0 * np.sqrt(2.0 / degrees), rel=0.15)


def test_frames_carry_what_was_asked_for(relaxed: EngineJob, tmp_path: Path) -> None:
    job = dynamics_job(relaxed, first_step=40, steps=12)
    with open_trajectory(finished(tmp_path / "run", job) / "trajectory.h5") as trajectory:
        assert trajectory.steps.tolist() == list(range(41, 53))
        assert trajectory.times_fs == pytest.approx(10.0 * trajectory.steps)
        assert trajectory.gap_ev is not None
        assert np.all((trajectory.gap_ev > 2.0) & (trajectory.gap_ev < 5.0))
        populations = trajectory.populations("lumo")
        assert populations is not None
        assert populations.sum(axis=1) == pytest.approx(np.ones(12), abs=1e-5)
        assert trajectory.metadata["parameters"] == "cspbbr3_prototype"
    result = ENGINE.parse(tmp_path / "run")
    assert result.steps == 12
    assert result.frontier[0].gap_ev > 2.0
    frames = list(ENGINE.read_frames(tmp_path / "run"))
    assert [frame.step for frame in frames] == list(range(41, 53))
    assert frames[-1].velocities is not None
    assert result.atoms.get_velocities() * units.fs == pytest.approx(frames[-1].velocities)


def test_equilibration_has_no_orbitals(relaxed: EngineJob, tmp_path: Path) -> None:
    job = dynamics_job(relaxed, frontier_orbitals=False, steps=5)
    with open_trajectory(finished(tmp_path / "run", job) / "trajectory.h5") as trajectory:
        assert trajectory.gap_ev is None
        assert trajectory.n_frames == 5


def test_frozen_atoms_stay(relaxed: EngineJob, tmp_path: Path) -> None:
    frozen = np.linalg.norm(relaxed.atoms.get_positions(), axis=1) > 5.0
    job = replace(dynamics_job(relaxed, steps=20), frozen=frozen)
    with open_trajectory(finished(tmp_path / "run", job) / "trajectory.h5") as trajectory:
        positions, velocities = trajectory.positions(), trajectory.velocities()
        temperature = trajectory.series("temperature_k")
    start = relaxed.atoms.get_positions()
    assert np.array_equal(positions[-1][frozen], start[frozen])
    assert velocities is not None
    assert np.all(velocities[:, frozen] == 0.0)
    assert np.all(positions[-1][~frozen] != start[~frozen])
    assert temperature is not None
    assert 20.0 < temperature.mean() < 100.0


def read_all(directory: Path) -> dict[str, NDArray[np.float64] | None]:
    with open_trajectory(directory / "trajectory.h5") as trajectory:
        names = ("homo_ev", "lumo_ev", "potential_energy_ev", "conserved_energy_ev")
        return {
            "steps": trajectory.steps,
            "positions": trajectory.positions(),
            "velocities": trajectory.velocities(),
            **{name: trajectory.series(name) for name in names},
        }


def assert_same_run(one: Path, other: Path) -> None:
    expected, got = read_all(one), read_all(other)
    for name, values in expected.items():
        assert np.array_equal(values, got[name]), name


def start(directory: Path) -> subprocess.Popen[bytes]:
    """Start the engine as qdcomp does: another number of threads rounds matrices differently."""
    environment = {**os.environ, **ENGINE.environment(directory)}
    return subprocess.Popen(
        ENGINE.command(directory), cwd=directory, env=environment, stdout=subprocess.DEVNULL
    )


def test_killed_run_goes_on_as_if_nothing_had_happened(relaxed: EngineJob, tmp_path: Path) -> None:
    job = dynamics_job(relaxed, steps=400)
    whole = prepared(tmp_path / "whole", job)
    assert start(whole).wait() == 0
    killed = prepared(tmp_path / "killed", job)
    store = killed / "trajectory.h5"
    for frames_wanted in (40, 150):
        process = start(killed)
        while process.poll() is None:
            time.sleep(0.02)
            try:
                with open_trajectory(store) as trajectory:
                    if trajectory.n_frames >= frames_wanted:
                        break
            except Exception:  # not begun yet
                continue
        assert process.poll() is None, "the run ended before it could be killed"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert not ENGINE.is_complete(killed)
        ENGINE.restart_from(killed, killed)
    assert start(killed).wait() == 0
    assert ENGINE.is_complete(killed)
    assert_same_run(whole, killed)


def test_two_segments_are_one_run(relaxed: EngineJob, tmp_path: Path) -> None:
    whole = finished(tmp_path / "whole", dynamics_job(relaxed, steps=40))
    first = finished(tmp_path / "first", dynamics_job(relaxed, steps=25))
    second = finished(
        tmp_path / "second", dynamics_job(relaxed, steps=15, first_step=25), previous=first
    )
    expected, parts = read_all(whole), [read_all(first), read_all(second)]
    assert np.array_equal(expected["steps"], np.concatenate([part["steps"] for part in parts]))
    for name, tolerance in (("positions", 1e-9), ("homo_ev", 1e-9), ("conserved_energy_ev", 1e-9)):
        joined = np.concatenate([part[name] for part in parts])
        assert joined == pytest.approx(expected[name], abs=tolerance), name


def test_another_seed_is_another_run(relaxed: EngineJob, tmp_path: Path) -> None:
    one = finished(tmp_path / "one", dynamics_job(relaxed, steps=3))
    same = finished(tmp_path / "same", dynamics_job(relaxed, steps=3))
    other = finished(tmp_path / "other", replace(dynamics_job(relaxed, steps=3), seed=2))
    assert_same_run(one, same)
    first, second = read_all(one)["positions"], read_all(other)["positions"]
    assert first is not None and second is not None
    assert np.max(np.abs(first - second)) > 1e-3


def test_given_velocities_start_the_dynamics(relaxed: EngineJob, tmp_path: Path) -> None:
    atoms = relaxed.atoms.copy()
    velocities = np.zeros((len(atoms), 3))
    velocities[0] = [1e-3, 0.0, 0.0]
    atoms.set_velocities(velocities / units.fs)
    job = replace(
        dynamics_job(relaxed, steps=1, timestep_fs=1.0, thermostat_time_fs=None), atoms=atoms
    )
    frame = next(iter(ENGINE.read_frames(finished(tmp_path / "run", job))))
    assert frame.positions[0, 0] - atoms.positions[0, 0] == pytest.approx(1e-3, abs=2e-5)


def test_exploding_dynamics_names_the_step(relaxed: EngineJob, tmp_path: Path) -> None:
    job = dynamics_job(relaxed, timestep_fs=400.0, steps=50, temperature_k=300.0)
    job = replace(job, settings={"thermal_start": "velocities"})
    with pytest.raises(EngineError, match=r"exploded at step \d+.*400 fs"):
        finished(tmp_path / "run", job)
    with pytest.raises(EngineError, match=r"exploded at step \d+"):
        ENGINE.parse(tmp_path / "run")
    assert not ENGINE.is_complete(tmp_path / "run")
