"""Time to 70 % of the first brightness."""

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.blinking.photodarkening import compute_photodarkening
from qdcomp.experiment.intensity_trace import BlinkingTrace

TIMES = (np.arange(12000) + 0.5) * 0.01


def test_t70_and_its_error_over_200_dots():
    rng = np.random.default_rng(11)
    truth = -100.0 * np.log(0.7)
    found = [
        compute_photodarkening(BlinkingTrace(0.01, rng.poisson(60 * np.exp(-TIMES / 100.0)))).t70_s
        for _ in range(200)
    ]
    values = np.array([one.value for one in found])
    errors = np.array([one.error for one in found])
    assert abs(values.mean() - truth) < 2 * values.std() / np.sqrt(200)
    assert 0.62 <= np.mean(np.abs(values - truth) < errors) <= 0.74


def test_t70_of_a_dot_that_blinks_too():
    rng = np.random.default_rng(4)
    times = (np.arange(60000) + 0.5) * 0.01
    truth = -400.0 * np.log(0.7)
    pulls = []
    for _ in range(200):
        on = np.cumsum(rng.random(60000) < 0.1) % 2
        rate = 80 * np.exp(-times / 400.0) * (0.3 + 0.7 * on)
        found = compute_photodarkening(BlinkingTrace(0.01, rng.poisson(rate))).t70_s
        if found is not None:
            pulls.append((found.value - truth) / found.error)
    assert len(pulls) > 190
    assert 0.62 <= np.mean(np.abs(pulls) < 1) <= 0.74


def test_bleaching_in_one_step_is_met_within_its_error():
    rates = np.where(TIMES < 50.0, 80.0, 4.0)
    found = compute_photodarkening(BlinkingTrace(0.01, np.random.default_rng(5).poisson(rates)))
    assert found.t70_s.value == pytest.approx(50.0, abs=found.t70_s.error)


def test_a_dark_start_or_a_pause_is_not_darkening():
    rates = np.where(np.abs(TIMES - 30.0) < 10.0, 4.0, 80.0)
    found = compute_photodarkening(BlinkingTrace(0.01, np.random.default_rng(6).poisson(rates)))
    assert found.t70_s is None


def test_a_steady_dot_has_a_lower_limit_instead():
    found = compute_photodarkening(BlinkingTrace(0.01, np.random.default_rng(2).poisson(60, 6000)))
    assert found.t70_s is None
    assert found.longer_than_s == pytest.approx(60.0)
    assert found.remaining == pytest.approx(1.0, abs=0.05)
    assert "never fell to 70%" in found.reason


def test_blinking_alone_does_not_darken():
    rng = np.random.default_rng(3)
    on = np.cumsum(rng.random(12000) < 0.05) % 2
    found = compute_photodarkening(BlinkingTrace(0.01, rng.poisson(80 * on + 4)))
    assert found.t70_s is None
    assert found.longer_than_s == pytest.approx(120.0)


def test_a_trace_without_photons_is_refused():
    with pytest.raises(InputError, match="no photon"):
        compute_photodarkening(BlinkingTrace(0.01, np.zeros(100, np.int64)))
    with pytest.raises(InputError, match="10 and more"):
        compute_photodarkening(BlinkingTrace(0.01, np.ones(5, np.int64)))
