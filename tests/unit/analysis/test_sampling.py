import numpy as np
import pytest

from qdcomp.analysis.power_spectrum import compute_power_density, window_coherence
from qdcomp.analysis.sampling import (
    block_bootstrap_error,
    count_effective_cells,
    detect_drift,
    relative_spectral_error,
)


def autoregressive(generator, coefficient, n_samples):
    noise = generator.normal(size=n_samples + 500)
    series = np.zeros_like(noise)
    for i in range(1, len(noise)):
        series[i] = coefficient * series[i - 1] + noise[i]
    return series[500:]


@pytest.mark.parametrize("window", ["rectangular", "hann"])
def test_white_noise_has_as_many_cells_as_its_window_leaves(window):
    generator = np.random.default_rng(1)
    n = 4096
    coherence = window_coherence(window, n, n)
    counted = [
        count_effective_cells(
            compute_power_density(generator.normal(size=n), 1.0, window=window, n_transform=n),
            coherence,
        )
        for _ in range(20)
    ]
    # The variance of white noise under a window w has (Σw²)² / 2Σw⁴ cells of two degrees each.
    expected = n / 2 if window == "rectangular" else n / 2 * (3 / 8) ** 2 / (35 / 128)
    assert np.mean(counted) == pytest.approx(expected, rel=0.03)


def test_a_single_cell_counts_one():
    assert count_effective_cells(np.array([0.0, 0.0, 3.0, 0.0]), np.array([1.0])) == 1.0
    assert count_effective_cells(np.zeros(4), np.array([1.0])) == 1.0


def test_zero_padding_adds_bins_and_no_knowledge():
    series = np.random.default_rng(4).normal(size=512)
    errors = [
        relative_spectral_error(
            compute_power_density(series, 1.0, window="hann", n_transform=512 * padding),
            window_coherence("hann", 512, 512 * padding),
        )
        for padding in (1, 4)
    ]
    assert errors[1] == pytest.approx(errors[0], rel=0.05)


@pytest.mark.parametrize("coefficient", [0.0, 0.8, 0.95])
def test_error_of_a_variance_covers_the_truth_two_times_in_three(coefficient):
    generator = np.random.default_rng(8)
    truth = 1.0 / (1.0 - coefficient**2)
    n, hits = 600, 0
    coherence = window_coherence("hann", n, n)
    for _ in range(200):
        power = compute_power_density(
            autoregressive(generator, coefficient, n), 1.0, window="hann", n_transform=n
        )
        estimate = power.sum() * 4.135667696 / n
        hits += abs(estimate - truth) < estimate * relative_spectral_error(power, coherence)
    assert 0.60 <= hits / 200 <= 0.76


def test_block_bootstrap_covers_the_mean_of_a_correlated_series():
    generator = np.random.default_rng(3)
    hits = 0
    for seed in range(200):
        series = autoregressive(generator, 0.8, 1500)
        hits += abs(series.mean()) < block_bootstrap_error(series, seed=seed)
    assert 0.58 <= hits / 200 <= 0.76


def test_block_bootstrap_of_too_short_a_series_is_not_a_number():
    assert np.isnan(block_bootstrap_error(np.arange(15.0)))


def test_drift_is_seen_and_measured():
    noise = np.random.default_rng(6).normal(size=1000)
    drift = detect_drift(noise + np.linspace(0.0, 2.0, 1000))
    assert drift.significant
    assert drift.change == pytest.approx(2.0, abs=0.5)


@pytest.mark.parametrize("coefficient", [0.0, 0.9])
def test_stationary_series_are_seldom_called_drifting(coefficient):
    generator = np.random.default_rng(7)
    alarms = [
        detect_drift(autoregressive(generator, coefficient, 800)).significant for _ in range(300)
    ]
    assert np.mean(alarms) < 0.05


def test_a_constant_does_not_drift():
    assert not detect_drift(np.ones(100)).significant
