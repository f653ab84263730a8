"""Sum rules that hold for any trajectory."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qdcomp.analysis import (
    compute_autocorrelation,
    compute_huang_rhys_spectrum,
    compute_linewidth,
    compute_mode_lineshape,
    compute_normal_modes,
    compute_phonon_dos,
    remove_rigid_body_motion,
)
from qdcomp.units import AMU_ANGSTROM2_PER_FS2_EV, BOLTZMANN_EV_PER_K, FWHM_PER_SIGMA

SEEDS = st.integers(0, 2**32 - 1)
settings.register_profile("physics", max_examples=30, deadline=None, derandomize=True)
settings.load_profile("physics")

FLUCTUATING_GAPS = arrays(
    np.float64, st.integers(16, 200), elements=st.floats(0.25, 4.0, width=32)
).filter(lambda gap: gap.std() > 1e-3)


@given(gap=FLUCTUATING_GAPS, step=st.floats(0.5, 20.0), temperature=st.floats(1.0, 600.0))
def test_spectrum_sums_to_the_variance_and_both_linewidths_agree(gap, step, temperature):
    spectrum = compute_huang_rhys_spectrum(gap, step, temperature, window="rectangular")
    total = spectrum.power_density.sum() * spectrum.energy_step_ev
    np.testing.assert_allclose(total, gap.var(), rtol=1e-9)
    np.testing.assert_allclose(
        compute_linewidth(spectrum.reorganization_energy_ev, 300.0),
        FWHM_PER_SIGMA * gap.std() * np.sqrt(300.0 / temperature),
        rtol=1e-9,
    )


@given(gap=FLUCTUATING_GAPS, temperature=st.floats(1.0, 600.0))
def test_windowed_spectrum_sums_to_the_windowed_variance(gap, temperature):
    spectrum = compute_huang_rhys_spectrum(gap, 10.0, temperature)
    window = np.sin(np.pi * np.arange(len(gap)) / len(gap)) ** 2
    variance = (window**2 @ (gap - gap.mean()) ** 2) / (window @ window)
    expected = variance / (2 * BOLTZMANN_EV_PER_K * temperature)
    np.testing.assert_allclose(spectrum.reorganization_energy_ev, expected, rtol=1e-9)
    known = [band.reorganization_energy_ev for band in spectrum.bands]
    in_bands = np.nansum(known)  # nan where a short run has no energy in a band
    np.testing.assert_allclose(
        in_bands + spectrum.unassigned_reorganization_energy_ev, expected, rtol=1e-9
    )
    assert spectrum.reorganization_energy_error_ev > 0


@given(gap=FLUCTUATING_GAPS)
def test_autocorrelation_begins_with_the_variance_and_weighs_to_nothing(gap):
    n = len(gap)
    correlation = compute_autocorrelation(gap, n_delays=n)
    np.testing.assert_allclose(correlation[0], gap.var(), rtol=1e-9)
    # Σ_nm δU_n δU_m = (Σ δU)² = 0.
    pairs = n - np.arange(n)
    total = correlation[0] * n + 2 * (correlation[1:] @ pairs[1:])
    assert abs(total) < 1e-9 * n * n


@given(seed=SEEDS, n_atoms=st.integers(3, 12), n_frozen=st.integers(0, 2))
def test_phonons_count_the_free_degrees_of_freedom(seed, n_atoms, n_frozen):
    generator = np.random.default_rng(seed)
    masses = generator.uniform(10.0, 210.0, n_atoms)
    velocities = 1e-3 * generator.normal(size=(40, n_atoms, 3))
    frozen = np.arange(n_atoms) < n_frozen
    group = generator.integers(0, 3, n_atoms)
    dos = compute_phonon_dos(
        velocities,
        masses,
        5.0,
        300.0,
        frozen=frozen,
        groups={str(i): group == i for i in range(3)},
    )
    expected = 3 * (n_atoms - n_frozen) if n_frozen else 3 * n_atoms - 6
    np.testing.assert_allclose(dos.density.sum() * dos.energy_step_ev, expected, rtol=1e-9)
    np.testing.assert_allclose(sum(dos.partial.values()), dos.density, rtol=1e-9, atol=1e-12)
    energy = AMU_ANGSTROM2_PER_FS2_EV * np.einsum("fni,n->f", velocities**2, masses * ~frozen)
    np.testing.assert_allclose(
        dos.kinetic_temperature_k, energy.mean() / (expected * BOLTZMANN_EV_PER_K), rtol=1e-9
    )


@given(seed=SEEDS)
def test_a_rigid_motion_of_every_frame_changes_nothing(seed):
    generator = np.random.default_rng(seed)
    masses = generator.uniform(10.0, 210.0, 8)
    frames = generator.normal(scale=4.0, size=(8, 3)) + 0.1 * generator.normal(size=(12, 8, 3))
    turns, _ = np.linalg.qr(generator.normal(size=(12, 3, 3)))
    turns *= np.sign(np.linalg.det(turns))[:, None, None]
    moved = frames @ turns.transpose(0, 2, 1) + 20 * generator.normal(size=(12, 1, 3))
    plain = remove_rigid_body_motion(frames, masses)
    again = remove_rigid_body_motion(moved, masses)
    np.testing.assert_allclose(again.rmsd, plain.rmsd, atol=1e-6)


@given(
    energies=arrays(np.float64, 4, elements=st.floats(0.001, 0.03)),
    factors=arrays(np.float64, 4, elements=st.floats(0.0, 10.0)),
    temperature=st.floats(2.0, 400.0),
    kind=st.sampled_from(["emission", "absorption"]),
)
def test_lineshape_obeys_its_moments(energies, factors, temperature, kind):
    shape = compute_mode_lineshape(energies, factors, temperature, kind=kind, broadening_ev=0.004)
    np.testing.assert_allclose(shape.variance_ev2, shape.expected_variance_ev2, rtol=1e-6)
    np.testing.assert_allclose(shape.mean_energy_ev, shape.expected_mean_energy_ev, atol=1e-9)
    assert shape.intensity.min() > -1e-9 * shape.intensity.max()


@given(seed=SEEDS, n_atoms=st.integers(3, 8))
def test_squared_frequencies_sum_to_the_trace(seed, n_atoms):
    generator = np.random.default_rng(seed)
    masses = generator.uniform(10.0, 210.0, n_atoms)
    root = generator.normal(size=(3 * n_atoms, 3 * n_atoms))
    hessian = root @ root.T
    frozen = np.arange(n_atoms) == 0
    modes = compute_normal_modes(hessian, masses, frozen=frozen)
    trace = (np.diag(hessian) / np.repeat(masses, 3))[3:].sum()
    frequencies = modes.energies_ev / 0.6582119569
    np.testing.assert_allclose(AMU_ANGSTROM2_PER_FS2_EV * (frequencies**2).sum(), trace, rtol=1e-9)
