"""Histogram of the counts per bin."""

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.blinking.blinking import classify_blinking
from qdcomp.experiment.blinking.intensity_histogram import compute_intensity_histogram
from qdcomp.experiment.blinking.mandel import compute_mandel_q
from qdcomp.experiment.intensity_trace import BlinkingTrace


@pytest.fixture
def blinking():
    rng = np.random.default_rng(1)
    counts = np.where(np.arange(6000) % 300 < 200, rng.poisson(90, 6000), rng.poisson(6, 6000))
    trace = BlinkingTrace(0.01, counts)
    states = classify_blinking(trace)
    return trace, states, compute_mandel_q(trace, states)


@pytest.mark.parametrize("width", [None, 1, 7])
def test_every_bin_is_counted_once(blinking, width):
    found = compute_intensity_histogram(blinking[0], width=width)
    assert found.bins.sum() == 6000
    assert found.poisson is None and found.gaussian is None


def test_a_steady_on_state_follows_poisson_and_the_gaussian(blinking):
    found = compute_intensity_histogram(*blinking)
    on = (found.edges[:-1] > 50) & (found.poisson > 5)
    chi = (found.bins - found.poisson)[on] / np.sqrt(found.poisson[on])
    assert np.mean(chi**2) == pytest.approx(1.0, abs=0.6)
    assert found.poisson.sum() == pytest.approx(4000, rel=0.02)
    assert found.gaussian.sum() == pytest.approx(4000, rel=0.04)
    peak = np.argmax(found.gaussian)
    assert found.edges[peak] - 2 <= 90 <= found.edges[peak + 1] + 2


def test_no_bin_and_no_width_are_refused(blinking):
    with pytest.raises(InputError, match="without a bin"):
        compute_intensity_histogram(BlinkingTrace(0.01, np.empty(0, np.int64)))
    with pytest.raises(InputError, match="1 or more"):
        compute_intensity_histogram(blinking[0], width=0)
