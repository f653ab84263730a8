"""The surrogate's molecular dynamics against its normal modes, at 10 K."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from qdcomp.engines.base import DynamicsSettings, EngineJob, RelaxationSettings
from qdcomp.engines.model import (
    ModelCalculator,
    ModelEngine,
    compute_frontier_couplings,
    compute_model_hessian,
    synthesise_harmonic_gap,
)
from qdcomp.engines.model.runner import run_job
from qdcomp.structures import build_quantum_dot
from qdcomp.trajectory import open_trajectory
from qdcomp.units import AMU_ANGSTROM2_PER_FS2_EV, BOLTZMANN_EV_PER_K, HBAR_EV_FS

TEMPERATURE_K = 10.0
TIMESTEP_FS = 10.0
STEPS = 300
ENGINE = ModelEngine()


def run(directory: Path, job: EngineJob, previous: Path | None = None) -> Path:
    directory.mkdir()
    ENGINE.write_inputs(directory, job)
    if previous is not None:
        ENGINE.restart_from(directory, previous)
    run_job(directory, lambda line: None)
    return directory


@pytest.fixture(scope="module")
def relaxed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, EngineJob]:
    dot = build_quantum_dot(cells=3, charge="formal")
    frozen = np.zeros(len(dot.atoms), dtype=bool)
    job = EngineJob(
        "relax", dot.atoms, dot.charge, frozen, relaxation=RelaxationSettings(1e-4, 2000)
    )
    return run(tmp_path_factory.mktemp("dot") / "relax", job), job


def mode_energies(atoms: Atoms, trajectory: Path) -> tuple[np.ndarray, np.ndarray]:
    """Mean energy of each mode over kT, and the modes' energies ħω [eV]."""
    masses = np.repeat(atoms.get_masses(), 3)
    squared, modes = np.linalg.eigh(
        compute_model_hessian(atoms) / np.sqrt(np.outer(masses, masses))
    )
    with open_trajectory(trajectory) as run_of:
        velocities = run_of.velocities(stride=5)
    assert velocities is not None
    weighted = velocities.reshape(len(velocities), -1) * np.sqrt(masses * AMU_ANGSTROM2_PER_FS2_EV)
    energies = np.mean((weighted @ modes) ** 2, axis=0)  # twice the kinetic energy
    hbar_omega = HBAR_EV_FS * np.sqrt(np.maximum(squared, 0.0) / AMU_ANGSTROM2_PER_FS2_EV)
    return energies[6:] / (BOLTZMANN_EV_PER_K * TEMPERATURE_K), hbar_omega[6:]


def test_dynamics_and_normal_modes_give_the_same_variance_of_the_gap(
    relaxed: tuple[Path, EngineJob], tmp_path: Path
) -> None:
    # Both over the same stretch of time, because slow modes show only a part of their variance
    # in it. Errors are those across seeds: within a run, a mode keeps its energy.
    directory, job = relaxed
    atoms = ENGINE.parse(directory).atoms
    couplings = compute_frontier_couplings(atoms, ModelCalculator(job.charge))
    assert len(couplings.lumo_energies_ev) == 3  # Pb p at cubic symmetry: there is no gradient
    hessian, masses = compute_model_hessian(atoms), atoms.get_masses()
    harmonic = [
        np.var(
            synthesise_harmonic_gap(
                couplings, hessian, masses, TEMPERATURE_K, TIMESTEP_FS, STEPS, seed
            )
        )
        for seed in range(12)
    ]
    dynamics = DynamicsSettings(TEMPERATURE_K, TIMESTEP_FS, STEPS)
    measured = []
    energies = []
    for seed in range(1, 7):
        moving = EngineJob(
            "dynamics", job.atoms, job.charge, job.frozen, dynamics=dynamics, seed=seed
        )
        done = run(tmp_path / f"seed_{seed}", moving, directory)
        with open_trajectory(done / "trajectory.h5") as trajectory:
            assert trajectory.gap_ev is not None
            measured.append(np.var(trajectory.gap_ev))
        energies.append(mode_energies(atoms, done / "trajectory.h5")[0])
    error = np.hypot(
        np.std(harmonic, ddof=1) / np.sqrt(len(harmonic)),
        np.std(measured, ddof=1) / np.sqrt(len(measured)),
    )
    assert abs(np.mean(measured) - np.mean(harmonic)) < 2.0 * error
    assert error < 0.3 * np.mean(harmonic)

    # Every mode holds kT, the slow ones too.
    _, hbar_omega = mode_energies(atoms, done / "trajectory.h5")
    for low, high in ((0.0, 2e-3), (2e-3, 5e-3), (5e-3, 9e-3), (9e-3, 20e-3)):
        band = np.array(energies)[:, (hbar_omega >= low) & (hbar_omega < high)].mean(axis=1)
        spread = np.std(band, ddof=1) / np.sqrt(len(band))
        assert abs(band.mean() - 1.0) < max(3.0 * spread, 0.06)


def test_velocities_alone_leave_the_slow_modes_too_hot(
    relaxed: tuple[Path, EngineJob], tmp_path: Path
) -> None:
    # Why the start is drawn from the canonical ensemble: a thermostat that rescales all
    # velocities alike never repairs the start.
    directory, job = relaxed
    atoms = ENGINE.parse(directory).atoms
    slow, fast = [], []
    for seed in range(1, 5):
        moving = EngineJob(
            "dynamics",
            job.atoms,
            job.charge,
            job.frozen,
            settings={"thermal_start": "velocities"},
            dynamics=DynamicsSettings(TEMPERATURE_K, TIMESTEP_FS, 600, 15.0, False),
            seed=seed,
        )
        done = run(tmp_path / f"seed_{seed}", moving, directory)
        energies, hbar_omega = mode_energies(atoms, done / "trajectory.h5")
        slow.append(energies[hbar_omega < 2e-3].mean())
        fast.append(energies[hbar_omega > 8e-3].mean())
    assert np.mean(slow) > 1.4
    assert np.mean(fast) < 0.9
