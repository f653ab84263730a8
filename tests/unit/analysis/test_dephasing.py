import numpy as np
import pytest

from qdcomp.analysis import compute_dephasing
from qdcomp.errors import InputError
from qdcomp.units import FWHM_PER_SIGMA, HBAR_EV_FS

STEP = 10.0


def slow_gap(sigma_ev, energy_ev=0.0003, n=4000):
    """One cosine of whole periods: C(t) = σ² cos ωt."""
    periods = round(energy_ev / HBAR_EV_FS / (2 * np.pi) * n * STEP)
    return 2.0 + np.sqrt(2) * sigma_ev * np.cos(2 * np.pi * periods * np.arange(n) / n)


def test_a_slow_bath_gives_a_gaussian_of_h_bar_over_sigma():
    dephasing = compute_dephasing(slow_gap(0.05), STEP)
    assert dephasing.standard_deviation_ev == pytest.approx(0.05, rel=1e-3)
    assert dephasing.dephasing_time_fs == pytest.approx(HBAR_EV_FS / 0.05, rel=1e-3)
    assert dephasing.linewidth_ev == pytest.approx(FWHM_PER_SIGMA * 0.05, rel=1e-3)
    assert np.abs(dephasing.gaussian_fit - dephasing.dephasing_function).max() < 2e-3
    assert dephasing.warnings == ()
    assert "sqrt(2)" in dephasing.convention


def test_cumulant_of_one_mode_is_exact():
    # g(t) = σ² (1 − cos ωt) / (ħω)²
    energy, sigma = 0.005, 0.01
    n = 2000
    periods = round(energy / HBAR_EV_FS / (2 * np.pi) * n * STEP)
    frequency = 2 * np.pi * periods / (n * STEP)
    gap = 2.0 + np.sqrt(2) * sigma * np.cos(frequency * STEP * np.arange(n))
    # At 20 delays the estimator's missing pairs change C by less than a per cent.
    dephasing = compute_dephasing(gap, STEP, n_delays=20)
    expected = (sigma / (HBAR_EV_FS * frequency)) ** 2 * (
        1 - np.cos(frequency * dephasing.times_fs)
    )
    assert dephasing.cumulant == pytest.approx(expected, rel=0.01, abs=1e-9)


def test_time_does_not_depend_on_the_sampling():
    fine = compute_dephasing(slow_gap(0.07), STEP)
    coarse = compute_dephasing(slow_gap(0.07)[::2], 2 * STEP)
    assert coarse.dephasing_time_fs == pytest.approx(fine.dephasing_time_fs, rel=1e-3)


def test_linewidth_scales_as_the_root_of_temperature():
    gap = slow_gap(0.01)
    cold = compute_dephasing(gap, STEP, simulation_temperature_k=10.0)
    hot = compute_dephasing(gap, STEP, simulation_temperature_k=10.0, temperature_k=250.0)
    assert hot.linewidth_ev == pytest.approx(5 * cold.linewidth_ev, rel=0.02)
    assert (cold.temperature_k, hot.temperature_k) == (10.0, 250.0)
    assert hot.correlation_ev2 == pytest.approx(25 * cold.correlation_ev2)


def test_a_fast_bath_is_told():
    generator = np.random.default_rng(1)
    gap = 2.0 + 0.002 * generator.normal(size=2000)
    dephasing = compute_dephasing(gap, STEP)
    assert dephasing.slow_bath_parameter < 5
    assert any("not slow" in text for text in dephasing.warnings)


def test_coherence_that_does_not_decay_is_told():
    dephasing = compute_dephasing(slow_gap(1e-5), STEP, n_delays=100)
    assert any("extrapolation" in text for text in dephasing.warnings)


def test_error_is_that_of_the_width():
    dephasing = compute_dephasing(slow_gap(0.05), STEP)
    relative = dephasing.dephasing_time_error_fs / dephasing.dephasing_time_fs
    assert dephasing.linewidth_error_ev / dephasing.linewidth_ev == pytest.approx(relative)
    assert relative > 0.1  # a single mode: its energy was drawn once


def test_a_temperature_without_that_of_the_trajectory():
    with pytest.raises(InputError, match="simulation_temperature_k"):
        compute_dephasing(slow_gap(0.05), STEP, temperature_k=300.0)
