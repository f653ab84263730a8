"""Mandel's Q of steady, flickering and blinking dots."""

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.blinking.blinking import classify_blinking
from qdcomp.experiment.blinking.mandel import compute_mandel_q
from qdcomp.experiment.files.photon_files import read_photons
from qdcomp.experiment.intensity_trace import BlinkingTrace, compute_blinking_trace


def measure(counts):
    trace = BlinkingTrace(0.01, counts)
    return compute_mandel_q(trace, classify_blinking(trace))


def draw_flicker(rng, n_bins, mean, q):
    """Counts whose mean fluctuates by itself so that σ²/μ − 1 = q."""
    return rng.poisson(rng.gamma(mean / q, q, n_bins)) if q else rng.poisson(mean, n_bins)


@pytest.mark.parametrize("q", [0.0, 0.3])
def test_q_of_a_steady_and_of_a_flickering_dot_over_200_repeats(q):
    rng = np.random.default_rng(11)
    found = [measure(draw_flicker(rng, 1500, 80.0, q)) for _ in range(200)]
    for kind in ("gaussian", "on_bins"):
        values = np.array([getattr(one, kind).value for one in found])
        errors = np.array([getattr(one, kind).error for one in found])
        assert abs(values.mean() - q) < 2 * values.std() / np.sqrt(200)
        assert 0.62 <= np.mean(np.abs(values - q) < errors) <= 0.74


def test_off_time_enters_only_the_q_of_all_bins():
    rng = np.random.default_rng(5)
    counts = np.where(np.arange(6000) % 600 < 400, rng.poisson(90, 6000), rng.poisson(6, 6000))
    q = measure(counts)
    assert abs(q.gaussian.value) < 4 * q.gaussian.error
    assert q.all_bins.value > 15
    assert q.peak_mean.value == pytest.approx(90.0, abs=4 * q.peak_mean.error)


def test_a_dot_with_hardly_any_on_time_has_no_q_of_it():
    counts = np.full(500, 2)
    counts[100:110] = 200
    q = measure(counts)
    assert q.gaussian is None and q.on_bins is None
    assert "10 bins are ON" in q.reason


def test_q_of_the_real_dot_over_all_bins_is_24(shared_data):
    stream = read_photons(shared_data / "photon/tsb_hydraharp_v20_t3.ptu")
    trace = compute_blinking_trace(stream, 0.01)
    q = compute_mandel_q(trace, classify_blinking(trace))
    assert q.all_bins.value == pytest.approx(24.0, abs=0.5)
    assert q.gaussian is None and "no peak" in q.reason


def test_states_of_another_trace_are_refused():
    trace = BlinkingTrace(0.01, np.full(10, 5))
    with pytest.raises(InputError, match="10 bins in the trace"):
        compute_mandel_q(trace, classify_blinking(BlinkingTrace(0.01, np.full(9, 5))))
