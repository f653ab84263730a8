"""A small dot whose atoms and gap are sums of a few cosines, analysed once for all tests."""

import dataclasses

import numpy as np
import pytest

from qdcomp.analysis import DotAnalysis, analyse_dot, compute_mode_coupling, compute_normal_modes
from qdcomp.report import DotRun, JobRow, PublishedRow, ReportInput
from qdcomp.structures import build_quantum_dot
from qdcomp.units import BOLTZMANN_EV_PER_K, HBAR_EV_FS

MODE_ENERGIES_EV = np.array([0.0018, 0.0024, 0.0068, 0.0075, 0.0165])
HUANG_RHYS_FACTORS = np.array([12.0, 8.0, 3.0, 2.0, 0.6])


def simulate(temperature_k: float, **options) -> DotAnalysis:
    rng = np.random.default_rng(7)
    dot = build_quantum_dot(2)
    masses = dot.atoms.get_masses()
    times = 10.0 * np.arange(600)
    frequencies = MODE_ENERGIES_EV / HBAR_EV_FS
    positions = np.repeat(dot.atoms.positions[None], len(times), axis=0)
    velocities = np.zeros_like(positions)
    for frequency in frequencies:
        phases = rng.uniform(0.0, 2.0 * np.pi, (len(masses), 3))
        size = 0.02 * np.sqrt(temperature_k / (len(frequencies) * masses))[:, None] / frequency
        size *= 1e-2
        angle = frequency * times[:, None, None] + phases
        positions += size * np.cos(angle)
        velocities -= size * frequency * np.sin(angle)
    amplitudes = np.sqrt(
        4.0 * HUANG_RHYS_FACTORS * MODE_ENERGIES_EV * BOLTZMANN_EV_PER_K * temperature_k
    )
    phases = np.array([0.3, 2.0, 4.0, 5.0, 1.0])
    gap = 2.4 + np.cos(np.outer(times, frequencies) + phases) @ amplitudes
    share = rng.uniform(0.5, 1.5, (len(times), len(masses)))
    given = {
        "depth_cells": dot.depth_cells,
        "homo_populations": share,
        "lumo_populations": share[::-1],
    } | options
    return analyse_dot(
        positions=positions,
        velocities=velocities,
        gap_ev=gap,
        masses=masses,
        symbols=dot.atoms.get_chemical_symbols(),
        timestep_fs=10.0,
        temperature_k=temperature_k,
        **given,
    )


@pytest.fixture(scope="session")
def cold() -> DotAnalysis:
    return simulate(10.0)


@pytest.fixture(scope="session")
def warm() -> DotAnalysis:
    return simulate(300.0)


@pytest.fixture(scope="session")
def bare() -> DotAnalysis:
    """No layers, no orbitals: what a directory of foreign outputs may hold."""
    return simulate(10.0, depth_cells=None, homo_populations=None, lumo_populations=None)


@pytest.fixture(scope="session")
def modes():
    rng = np.random.default_rng(3)
    dot = build_quantum_dot(2)
    size = 3 * len(dot.atoms)
    root = rng.normal(size=(size, size)) / size
    coupled = compute_normal_modes(
        root @ root.T + 0.2 * np.eye(size), dot.atoms.get_masses(), dot.atoms.positions
    )
    gradient = rng.normal(size=(len(dot.atoms), 3))
    return compute_mode_coupling(coupled, gradient, groups={"surface": dot.depth_cells == 0.0})


@pytest.fixture(scope="session")
def report(cold, modes) -> ReportInput:
    return ReportInput(
        title="CsPbBr3 dot of 1.2 nm",
        engine_name="model",
        engine_version="1.0",
        is_surrogate=True,
        surrogate_note="Trends, not absolute values.",
        structure=build_quantum_dot(2),
        runs=(DotRun("10 K", cold, modes),),
        published=(PublishedRow("Γ(300 K)", "meV", 128.0, 19.0, 200.0, "SI Table 1"),),
        provenance={"study": {"sha256": "ab" * 32}, "jobs": [{"name": "relax", "seed": 1}]},
        warnings=("charge chosen by hand",),
        jobs=(JobRow("relax", "COMPLETED", 120, 33.0, ("another minimiser",)),),
    )


@pytest.fixture(scope="session")
def temperature_series(report, cold, warm) -> ReportInput:
    return dataclasses.replace(report, runs=(DotRun("10 K", cold), DotRun("300 K", warm)))
