"""Blinking traces: photons in equal bins, whatever the chunks."""

from dataclasses import replace

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.files.photon_files import read_photons
from qdcomp.experiment.intensity_trace import (
    BlinkingTrace,
    compute_blinking_trace,
    find_bright_level,
    rebin_trace,
    smooth_counts,
)
from qdcomp.experiment.photon_stream import make_photon_stream


class Pieces:
    """A stream in chunks of some photons."""

    def __init__(self, stream, photons):
        self.stream, self.photons = stream, photons
        self.header = stream.header

    def iterate_chunks(self):
        for first in range(0, len(self.stream), self.photons):
            part = slice(first, first + self.photons)
            yield replace(
                self.stream,
                macrotimes=self.stream.macrotimes[part],
                channels=self.stream.channels[part],
                microtimes=None,
            )


@pytest.fixture
def stream():
    rng = np.random.default_rng(1)
    times = np.sort(rng.integers(0, 10**12, 5000))
    return make_photon_stream(times, 1e-12, channels=rng.integers(0, 2, 5000), duration_s=1.0035)


def test_counts_are_those_of_a_histogram(stream):
    trace = compute_blinking_trace(stream, 0.01)
    expected, _ = np.histogram(stream.macrotimes, np.arange(101) * 10**10)
    np.testing.assert_array_equal(trace.counts, expected)
    assert trace.duration_s == pytest.approx(1.0)
    assert trace.mean_rate_per_s == pytest.approx(expected.sum())
    assert trace.times_s[0] == pytest.approx(0.005)


@pytest.mark.parametrize("photons", [1, 7, 1000, 4999])
def test_chunks_do_not_matter(stream, photons):
    whole = compute_blinking_trace(stream, 0.003)
    parts = compute_blinking_trace(Pieces(stream, photons), 0.003)
    np.testing.assert_array_equal(whole.counts, parts.counts)


def test_channels_add_up(stream):
    both = compute_blinking_trace(stream)
    one, other = (compute_blinking_trace(stream, channels=[k]) for k in (0, 1))
    np.testing.assert_array_equal(one.counts + other.counts, both.counts)


def test_joined_bins_hold_the_same_photons():
    trace = BlinkingTrace(0.01, np.arange(10))
    joined = rebin_trace(trace, 3)
    np.testing.assert_array_equal(joined.counts, [3, 12, 21])
    assert joined.bin_s == pytest.approx(0.03)
    with pytest.raises(InputError, match="cannot join 11"):
        rebin_trace(trace, 11)


def test_the_bright_level_is_not_a_maximum_of_noise():
    counts = np.random.default_rng(2).poisson(100, 20000)
    level = find_bright_level(BlinkingTrace(0.01, counts))
    assert 100 < level < 118 < counts.max()
    assert smooth_counts(BlinkingTrace(0.01, counts), 1).max() == counts.max()


@pytest.mark.parametrize("bin_s", [0.0, -1.0, np.nan, 2.0])
def test_a_bin_that_cannot_be_is_refused(stream, bin_s):
    with pytest.raises(InputError):
        compute_blinking_trace(stream, bin_s)


def test_a_missing_channel_and_an_empty_trace_are_refused(stream):
    with pytest.raises(InputError, match="channels"):
        compute_blinking_trace(stream, channels=[5])
    with pytest.raises(InputError, match="no photon"):
        find_bright_level(BlinkingTrace(0.01, np.zeros(10, np.int64)))


def test_the_real_dot_has_all_its_photons(shared_data):
    stream = read_photons(shared_data / "photon/tsb_hydraharp_v20_t3.ptu")
    trace = compute_blinking_trace(stream, 0.01)
    assert len(trace) == 999
    assert 77883 - trace.counts.sum() < 200
