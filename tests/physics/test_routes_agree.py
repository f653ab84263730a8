"""Trajectory and normal modes are two ways to one Huang–Rhys spectrum."""

import numpy as np
import pytest

from qdcomp.analysis import (
    BandDefinition,
    compute_emission_lineshape,
    compute_huang_rhys_spectrum,
    compute_mode_coupling,
    compute_mode_lineshape,
    compute_normal_modes,
    compute_phonon_dos,
    remove_rigid_body_motion,
)
from qdcomp.units import AMU_ANGSTROM2_PER_FS2_EV, BOLTZMANN_EV_PER_K, HBAR_EV_FS

MASSES = np.array([132.9, 207.2, 79.9, 79.9, 79.9, 132.9, 40.1])
TEMPERATURE, STEP, N_FRAMES = 10.0, 10.0, 20_000


@pytest.fixture(scope="module")
def harmonic():
    """A free cluster held by random springs, and a gap linear in its internal coordinates."""
    generator = np.random.default_rng(4)
    positions = generator.normal(scale=4.0, size=(7, 3))
    hessian, gradient = np.zeros((21, 21)), np.zeros((7, 3))
    for i in range(7):
        for j in range(i):
            along = positions[i] - positions[j]
            along /= np.linalg.norm(along)
            block = generator.uniform(0.05, 0.6) * np.outer(along, along)
            for a, b, sign in ((i, i, 1), (j, j, 1), (i, j, -1), (j, i, -1)):
                hessian[3 * a : 3 * a + 3, 3 * b : 3 * b + 3] += sign * block
            pull = 0.2 * generator.normal()
            gradient[i] += pull * along
            gradient[j] -= pull * along
    modes = compute_normal_modes(hessian, MASSES, positions)
    return positions, modes, gradient


def run(positions, modes, gradient, energies_kt, phases, n_frames=N_FRAMES):
    """Exact harmonic dynamics: positions, velocities, gap."""
    frequency = modes.energies_ev / HBAR_EV_FS
    amplitude = np.sqrt(
        2 * energies_kt * BOLTZMANN_EV_PER_K * TEMPERATURE / AMU_ANGSTROM2_PER_FS2_EV
    )
    angle = np.outer(STEP * np.arange(n_frames), frequency) + phases
    shapes = modes.eigenvectors / np.sqrt(MASSES)[:, None]
    displacement = np.tensordot(np.sin(angle) * (amplitude / frequency), shapes, axes=1)
    velocities = np.tensordot(np.cos(angle) * amplitude, shapes, axes=1)
    gap = 2.0 + np.einsum("fni,ni->f", displacement, gradient)
    return positions + displacement, velocities, gap


def test_each_band_agrees_when_every_mode_holds_kt(harmonic):
    positions, modes, gradient = harmonic
    coupling = compute_mode_coupling(modes, gradient)
    phases = np.random.default_rng(1).uniform(0, 2 * np.pi, len(modes.energies_ev))
    _, _, gap = run(positions, modes, gradient, 1.0, phases)
    edges = np.array([0.0, *0.5 * (modes.energies_ev[1:] + modes.energies_ev[:-1]), 0.1])
    bands = [
        BandDefinition(float(center), float(low), float(high))
        for center, low, high in zip(modes.energies_ev, edges[:-1], edges[1:], strict=True)
    ]
    spectrum = compute_huang_rhys_spectrum(gap, STEP, TEMPERATURE, bands=bands)
    assert spectrum.reorganization_energy_ev == pytest.approx(
        coupling.reorganization_energy_ev, rel=2e-3
    )
    resolved = np.diff(edges) > 4 * spectrum.energy_resolution_ev
    assert resolved.sum() > 8
    found = np.array([band.huang_rhys_factor for band in spectrum.bands])
    strength = coupling.huang_rhys_factors
    assert found[resolved] == pytest.approx(strength[resolved], rel=0.01, abs=1e-3 * strength.max())


def test_thermal_trajectories_agree_within_their_error(harmonic):
    positions, modes, gradient = harmonic
    truth = compute_mode_coupling(modes, gradient).reorganization_energy_ev
    generator = np.random.default_rng(2)
    hits = []
    for _ in range(200):
        energies = generator.exponential(size=len(modes.energies_ev))
        phases = generator.uniform(0, 2 * np.pi, len(modes.energies_ev))
        _, _, gap = run(positions, modes, gradient, energies, phases, n_frames=1500)
        spectrum = compute_huang_rhys_spectrum(gap, STEP, TEMPERATURE)
        deviation = spectrum.reorganization_energy_ev - truth
        hits.append(abs(deviation) < spectrum.reorganization_energy_error_ev)
    assert 0.60 <= np.mean(hits) <= 0.76


def test_density_of_states_has_the_modes_and_their_number(harmonic):
    positions, modes, gradient = harmonic
    phases = np.random.default_rng(3).uniform(0, 2 * np.pi, len(modes.energies_ev))
    frames, velocities, _ = run(positions, modes, gradient, 1.0, phases)
    aligned = remove_rigid_body_motion(frames, MASSES, velocities)
    dos = compute_phonon_dos(aligned.velocities, MASSES, STEP, TEMPERATURE)
    assert dos.n_degrees_of_freedom == len(modes.energies_ev)
    counted = np.cumsum(dos.density) * dos.energy_step_ev
    between = 0.5 * (modes.energies_ev[1:] + modes.energies_ev[:-1])
    apart = np.diff(modes.energies_ev) > 6 * dos.energy_resolution_ev
    number = np.interp(between[apart], dos.energies_ev, counted)
    assert number == pytest.approx(1.0 + np.flatnonzero(apart), abs=0.25)
    assert dos.kinetic_temperature_k == pytest.approx(TEMPERATURE, rel=0.01)


@pytest.mark.parametrize("temperature", [10.0, 300.0])
def test_lineshapes_of_both_routes_agree(harmonic, temperature):
    positions, modes, gradient = harmonic
    phases = np.random.default_rng(5).uniform(0, 2 * np.pi, len(modes.energies_ev))
    _, _, gap = run(positions, modes, gradient, 1.0, phases)
    coupling = compute_mode_coupling(modes, gradient)
    from_modes = compute_mode_lineshape(
        coupling.energies_ev, coupling.huang_rhys_factors, temperature, broadening_ev=0.005
    )
    spectrum = compute_huang_rhys_spectrum(gap, STEP, TEMPERATURE)
    from_run = compute_emission_lineshape(spectrum, temperature, broadening_ev=0.005)
    assert from_run.fwhm_ev == pytest.approx(from_modes.fwhm_ev, rel=0.01)
    assert from_run.stokes_shift_ev == pytest.approx(from_modes.stokes_shift_ev, rel=0.01)
