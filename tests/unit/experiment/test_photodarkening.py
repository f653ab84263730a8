"""Time to 70 % of the first brightness."""

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.intensity_trace import BlinkingTrace
from qdcomp.experiment.photodarkening import compute_photodarkening

TIMES = (np.arange(12000) + 0.5) * 0.01


def test_t70_and_its_error_over_200_dots():
    rng = np.random.default_rng(1)
    truth = -100.0 * np.log(0.7)
    found = [
        compute_photodarkening(BlinkingTrace(0.01, rng.poisson(60 * np.exp(-TIMES / 100.0)))).t70_s
        for _ in range(200)
    ]
    values = np.array([one.value for one in found])
    errors = np.array([one.error for one in found])
    assert values.mean() == pytest.approx(truth, rel=0.01)
    assert 0.60 <= np.mean(np.abs(values - truth) < errors) <= 0.80


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


def test_a_trace_without_photons_is_refused():
    with pytest.raises(InputError, match="no photon"):
        compute_photodarkening(BlinkingTrace(0.01, np.zeros(100, np.int64)))
    with pytest.raises(InputError, match="10 and more"):
        compute_photodarkening(BlinkingTrace(0.01, np.ones(5, np.int64)))
