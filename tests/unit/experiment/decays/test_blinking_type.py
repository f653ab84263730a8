import numpy as np
import pytest
from builders.decays import draw_stream
from builders.traces import make_trace

from qdcomp.errors import InputError
from qdcomp.experiment.decays.blinking_type import judge_blinking_type
from qdcomp.experiment.decays.delay_gate import DelayGate
from qdcomp.experiment.decays.lifetime_trace import compute_lifetime_trace


def judge(rates, lifetimes, *, n_bins=2000, seed=1, stay=20):
    rng = np.random.default_rng(seed)
    levels = np.repeat(rng.integers(0, 2, n_bins // stay), stay)
    stream = draw_stream(rng, levels, np.array(rates), np.array(lifetimes), background_per_s=300.0)
    gate = DelayGate(5.056, 199.9, 300.0 * 199.9 / 200.0)
    return judge_blinking_type(compute_lifetime_trace(stream, gate=gate))


def test_a_lifetime_that_falls_with_the_intensity_is_type_a():
    found = judge([10_000.0, 4_000.0], [10.0, 4.0])
    assert found.verdict == "A"
    assert abs(found.exponent.value - 1.0) < 3.5 * found.exponent.error
    assert found.p_value < 1e-6
    assert found.correlation.value > 0.8


def test_a_trion_that_radiates_twice_as_fast_is_type_a_with_a_larger_exponent():
    found = judge([10_000.0, 4_000.0], [10.0, 2.0])
    assert found.verdict == "A"
    assert found.exponent.value == pytest.approx(np.log(5) / np.log(2.5), abs=0.1)


def test_fewer_photons_of_the_same_lifetime_are_type_b():
    found = judge([10_000.0, 4_000.0], [10.0, 10.0])
    assert found.verdict == "B"
    assert found.interval[0] < 0.0 < found.interval[1]
    assert found.p_value > 0.01


def test_a_dot_between_the_two_is_left_open():
    found = judge([10_000.0, 4_000.0], [10.0, 7.95], n_bins=400)
    assert found.verdict == "undetermined"
    assert "on both sides" in found.reason


def test_counting_noise_alone_is_no_blinking():
    found = judge([10_000.0, 10_000.0], [10.0, 10.0])
    assert found.verdict == "undetermined"
    assert "counting noise" in found.reason
    assert found.exponent is None


def test_a_dark_state_without_photons_cannot_tell():
    found = judge([10_000.0, 0.0], [10.0, 1.0])
    assert found.verdict == "undetermined"


def test_a_short_measurement_cannot_tell():
    found = judge([10_000.0, 4_000.0], [10.0, 4.0], n_bins=60, stay=5)
    assert found.verdict == "undetermined"
    assert "measure longer" in found.reason


def test_verdicts_on_independent_lifetimes_are_false_as_seldom_as_the_p_value_says():
    p_values = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        counts = rng.poisson(np.where(rng.random(400) < 0.5, 200, 80))
        lifetimes = 10.0 * rng.gamma(counts) / counts
        p_values.append(judge_blinking_type(make_trace(counts, lifetimes)).p_value)
    assert np.mean(np.array(p_values) < 0.05) < 0.09
    assert 0.4 < np.mean(np.array(p_values) < 0.5) < 0.6


def test_the_exponent_covers_the_truth_as_often_as_its_error_says():
    inside = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        mean = np.where(rng.random(400) < 0.5, 200, 80)
        counts = rng.poisson(mean)
        lifetimes = mean / 20.0 * rng.gamma(counts) / counts
        found = judge_blinking_type(make_trace(counts, lifetimes)).exponent
        inside.append(abs(found.value - 1.0) < found.error)
    assert 0.62 < np.mean(inside) < 0.74


def test_an_empty_trace_is_refused():
    with pytest.raises(InputError, match="no bins"):
        judge_blinking_type(make_trace([], []))
