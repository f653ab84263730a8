import time

import numpy as np
import pytest
from builders.decays import ChunkedStream, draw_stream

from qdcomp.errors import InputError
from qdcomp.experiment.decays.decay import compute_decay
from qdcomp.experiment.decays.delay_gate import choose_gate
from qdcomp.experiment.decays.lifetime_trace import compute_lifetime_trace
from qdcomp.experiment.photon_stream import make_photon_stream

RATES = np.array([20_000.0, 4_000.0])
LIFETIMES = np.array([10.2, 1.3])


def blinking_stream(n_bins=600, seed=1):
    rng = np.random.default_rng(seed)
    levels = np.repeat(rng.integers(0, 2, n_bins // 20), 20)
    return levels, draw_stream(rng, levels, RATES, LIFETIMES, background_per_s=500.0)


def test_each_bin_has_the_lifetime_of_its_level():
    levels, stream = blinking_stream()
    trace = compute_lifetime_trace(stream)
    assert len(trace.counts) == len(levels)
    deviations = (trace.lifetimes_ns - LIFETIMES[levels])[trace.known]
    pulls = deviations / trace.errors_ns[trace.known]
    assert trace.known.mean() > 0.95
    assert 0.62 < np.mean(np.abs(pulls) < 1.0) < 0.74
    for level, truth in enumerate(LIFETIMES):
        values = trace.lifetimes_ns[(levels == level) & trace.known]
        # 12,000 grey photons tell 1 %, and 40 in a bin leave a likelihood 1 % of bias.
        assert values.mean() == pytest.approx(truth, rel=0.035)


def test_the_mean_arrival_is_that_of_the_photons_with_background():
    levels, stream = blinking_stream()
    trace = compute_lifetime_trace(stream)
    bright = trace.mean_arrivals_ns[levels == 0].mean()
    # 5 background photons of 205, at half the gate on average.
    expected = (200 * 10.2 + 5 * trace.gate.length_ns / 2) / 205
    assert bright == pytest.approx(expected, rel=0.03)


def test_the_assumed_start_and_background_are_said():
    _, stream = blinking_stream()
    text = " ".join(compute_lifetime_trace(stream).warnings)
    assert "found from the peak" in text
    assert "background of" in text


def test_the_trace_does_not_depend_on_the_chunks():
    _, stream = blinking_stream(200)
    gate = choose_gate(compute_decay(stream))
    whole = compute_lifetime_trace(stream, gate=gate)
    pieces = compute_lifetime_trace(ChunkedStream(stream, [1, 333, 4]), gate=gate)
    for name in ("counts", "gated_counts", "mean_arrivals_ns", "lifetimes_ns", "errors_ns"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(pieces, name))


def test_the_last_bin_in_part_and_empty_bins_count_as_they_are():
    # Bins of 10 ms are 50,000 pulses: photons in bins 0, 2 and 3, the third of them cut.
    pulses = np.array([10, 20, 120_000, 160_000])
    stream = make_photon_stream(
        pulses, 200e-9, microtimes=[5, 6, 7, 8], microtime_resolution_ns=1.0, duration_s=0.034
    )
    gate = choose_gate(compute_decay(blinking_stream()[1]), start_ns=5.0, background_per_s=0.0)
    trace = compute_lifetime_trace(stream, gate=gate)
    assert trace.counts.tolist() == [2, 0, 1]
    assert np.isnan(trace.mean_arrivals_ns[1])
    assert not trace.known.any()


def test_a_million_photons_take_less_than_a_second():
    levels = np.zeros(5000, int)
    rates = np.array([20_000.0])
    stream = draw_stream(np.random.default_rng(2), levels, rates, LIFETIMES[:1])
    gate = choose_gate(compute_decay(stream), background_per_s=500.0)
    compute_lifetime_trace(stream, gate=gate)
    begin = time.perf_counter()
    compute_lifetime_trace(stream, gate=gate)
    assert time.perf_counter() - begin < 1.0


def test_a_stream_without_microtimes_is_refused():
    with pytest.raises(InputError, match="mode T3"):
        compute_lifetime_trace(make_photon_stream([1, 2], 1e-3))
