"""Autocorrelation of the intensity."""

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.blinking.intensity_correlation import compute_intensity_correlation
from qdcomp.experiment.intensity_trace import BlinkingTrace


def draw_telegraph(rng, n_bins, mean_bins):
    """ON (100) and OFF (0) half of the time each, switching with a chance 1/mean in each bin."""
    return np.cumsum(rng.random(n_bins) < 1 / mean_bins) % 2 * 100.0


def test_steady_light_is_uncorrelated_at_every_lag():
    rng = np.random.default_rng(1)
    pulls = []
    for _ in range(60):
        found = compute_intensity_correlation(BlinkingTrace(0.01, rng.poisson(50, 4000)))
        pulls.append(found.correlation / found.error)
    pulls = np.array(pulls)
    assert abs(pulls.mean()) < 0.15
    assert pulls.std() == pytest.approx(1.0, abs=0.15)


def test_a_random_telegraph_decays_with_twice_its_rate():
    rng = np.random.default_rng(2)
    counts = rng.poisson(draw_telegraph(rng, 400_000, 50.0))
    found = compute_intensity_correlation(BlinkingTrace(0.01, counts))
    near = found.lags_s < 0.6
    expected = np.exp(-2 * found.lags_s[near] / 0.5)
    np.testing.assert_allclose(found.correlation[near], expected, atol=0.05)


def test_errors_hold_the_truth_also_where_the_dot_blinks():
    rng = np.random.default_rng(3)
    pulls = []
    for _ in range(200):
        counts = rng.poisson(draw_telegraph(rng, 20_000, 20.0))
        found = compute_intensity_correlation(BlinkingTrace(0.01, counts))
        bins = np.round(found.lags_s / 0.01)
        pulls.append((found.correlation - 0.9**bins) / found.error)
    pulls = np.array(pulls)
    covered = np.mean(np.abs(pulls) < 1, axis=0)
    assert 0.62 <= covered.mean() <= 0.74
    assert covered.min() > 0.58
    assert abs(pulls.mean()) < 0.2


def test_a_short_or_an_empty_trace_is_refused():
    with pytest.raises(InputError, match="needs 100"):
        compute_intensity_correlation(BlinkingTrace(0.01, np.ones(50, np.int64)))
    with pytest.raises(InputError, match="no photon"):
        compute_intensity_correlation(BlinkingTrace(0.01, np.zeros(500, np.int64)))
