"""ON and OFF: thresholds, fractions, durations."""

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.blinking.blinking import classify_blinking, find_durations
from qdcomp.experiment.intensity_trace import BlinkingTrace


def make_telegraph(rng, n_bins, on_s=0.4, off_s=0.2, bin_s=0.01, levels=(100.0, 5.0)):
    """Counts of a dot that switches with exponential dwell times, started at random."""
    time, state, borders = 0.0, rng.random() < on_s / (on_s + off_s), [0.0]
    states = [state]
    while time < n_bins * bin_s:
        time += rng.exponential(on_s if state else off_s)
        state = not state
        borders.append(time)
        states.append(state)
    grid = np.arange(n_bins * 10) * bin_s / 10
    fine = np.array(states)[np.searchsorted(borders, grid, side="right") - 1]
    share = fine.reshape(n_bins, 10).mean(axis=1)
    return rng.poisson(share * levels[0] + (1 - share) * levels[1])


def test_two_levels_are_told_apart():
    counts = np.repeat([100, 4, 100], [50, 30, 20])
    states = classify_blinking(BlinkingTrace(0.01, counts))
    assert states.threshold == pytest.approx(50.0)
    assert states.on_fraction.value == pytest.approx(0.70)
    assert (states.on_level, states.off_level, states.switches) == (100.0, 4.0, 2)
    np.testing.assert_array_equal(states.off_durations.bins, [30])
    assert states.on_durations.unfinished_bins == 20
    assert len(states.on_durations.bins) == 0


def test_durations_leave_the_first_and_the_last_stretch_out():
    on = np.array([1, 1, 0, 1, 1, 1, 0, 0, 1, 0], bool)
    np.testing.assert_array_equal(find_durations(on, True, 0.5).durations_s, [1.5, 0.5])
    off = find_durations(on, False, 0.5)
    np.testing.assert_array_equal(off.bins, [1, 2])
    assert off.unfinished_bins == 1


def test_the_on_fraction_and_its_error_over_200_dots():
    rng = np.random.default_rng(7)
    found = [
        classify_blinking(BlinkingTrace(0.01, make_telegraph(rng, 6000))).on_fraction
        for _ in range(200)
    ]
    values = np.array([one.value for one in found])
    errors = np.array([one.error for one in found])
    truth = 2 / 3
    assert abs(values.mean() - truth) < 2 * values.std() / np.sqrt(200)
    assert 0.62 <= np.mean(np.abs(values - truth) < errors) <= 0.74


@pytest.mark.parametrize("level", [80, 1000])
def test_a_dot_that_is_always_on_has_no_durations_and_no_error(level):
    counts = np.random.default_rng(3).poisson(level, 2000)
    states = classify_blinking(BlinkingTrace(0.01, counts))
    assert states.on_fraction.value == 1.0
    assert np.isnan(states.on_fraction.error)
    assert states.off_level is None
    assert len(states.on_durations.bins) == len(states.off_durations.bins) == 0
    assert any("never switched" in text for text in states.warnings)


def test_a_threshold_within_the_noise_is_said():
    counts = np.random.default_rng(4).poisson(6, 2000)
    states = classify_blinking(BlinkingTrace(0.001, counts))
    assert any("longer bins" in text for text in states.warnings)


@pytest.mark.parametrize("share", [0.0, 1.0, np.nan, -0.5])
def test_a_share_that_cannot_be_is_refused(share):
    with pytest.raises(InputError, match="between 0 and 1"):
        classify_blinking(BlinkingTrace(0.01, np.full(10, 5)), share)


def test_a_given_threshold_is_taken():
    counts = np.array([1, 5, 9, 5])
    states = classify_blinking(BlinkingTrace(0.01, counts), threshold=4.5)
    np.testing.assert_array_equal(states.on, [False, True, True, True])
    with pytest.raises(InputError, match="0 or more"):
        classify_blinking(BlinkingTrace(0.01, counts), threshold=-1.0)
