"""Pauses of a measurement, found from its photons."""

from dataclasses import replace

import numpy as np
import pytest

from qdcomp.experiment.correlations.long_delay_g2 import compute_long_delay_g2
from qdcomp.experiment.correlations.measured_time import find_gaps
from qdcomp.experiment.intensity_trace import compute_blinking_trace
from qdcomp.experiment.photon_stream import make_photon_stream


def draw_light(rng, rate, duration, gaps=(), dim=()):
    """Photons that know nothing of each other, none in the gaps, a tenth in dim stretches."""
    times = np.sort(rng.random(rng.poisson(rate * duration))) * duration
    for low, high in gaps:
        times = times[(times < low) | (times > high)]
    for low, high in dim:
        times = times[(times < low) | (times > high) | (rng.random(len(times)) < 0.1)]
    channels = rng.integers(0, 2, len(times))
    ticks = (times * 1e12).astype(np.int64)
    return make_photon_stream(ticks, 1e-12, channels=channels, duration_s=duration)


def find(stream):
    return find_gaps(stream, compute_blinking_trace(stream))


def test_edges_are_those_of_the_pauses_without_bias():
    pauses = ((3.00123, 3.0402), (7.1, 8.98765))
    rng = np.random.default_rng(1)
    found = np.array([find(draw_light(rng, 1e4, 10.0, pauses)) for _ in range(100)])
    misses = found - np.array(pauses)
    wait = 1e-4
    assert np.abs(misses).max() < 10 * wait
    assert np.abs(misses.mean(axis=0)).max() < 4 * wait / np.sqrt(100)


def test_pauses_at_the_ends_reach_the_ends():
    found = find(draw_light(np.random.default_rng(2), 1e4, 10.0, ((0, 1.5), (9, 10))))
    (start, low), (high, end) = found
    assert (start, end) == (0.0, 10.0)
    assert low == pytest.approx(1.5, abs=1e-3) and high == pytest.approx(9.0, abs=1e-3)


@pytest.mark.parametrize("rate", [2.0, 30.0, 1e3, 1e5])
def test_steady_and_dim_light_has_no_pause(rate):
    stream = draw_light(np.random.default_rng(3), rate, 20.0, dim=[(4.0, 11.0)])
    assert find(stream) == ()


def test_no_photon_has_no_pause():
    stream = make_photon_stream(np.empty(0, np.int64), 1e-12, duration_s=1.0)
    assert (
        find_gaps(
            stream,
            replace(
                compute_blinking_trace(draw_light(np.random.default_rng(4), 1e3, 1.0)),
                counts=np.zeros(100, np.int64),
            ),
        )
        == ()
    )


def test_chunks_do_not_matter():
    stream = draw_light(np.random.default_rng(5), 1e4, 5.0, ((2.0, 2.5),))

    class Pieces:
        header = stream.header

        def iterate_chunks(self):
            for first in range(0, len(stream), 777):
                part = slice(first, first + 777)
                yield replace(
                    stream, macrotimes=stream.macrotimes[part], channels=stream.channels[part]
                )

    assert find(stream) == find(Pieces())


def test_uncorrelated_light_gives_one_with_the_gaps_that_were_found():
    rng = np.random.default_rng(6)
    pauses = ((1.0123, 1.0377), (3.3, 8.21), (14.0, 15.505), (15.75, 15.813))
    pulls = []
    for _ in range(12):
        stream = draw_light(rng, 4e4, 20.0, pauses)
        gaps = find(stream)
        assert len(gaps) == len(pauses)
        found = compute_long_delay_g2(stream, gaps_s=gaps)
        pulls.append((found.pairs - found.expected) / np.sqrt(found.expected))
    pulls = np.array(pulls)
    assert np.mean(np.abs(pulls) < 3) >= 0.95
    assert np.abs(pulls.mean(axis=0)).max() < 4 / np.sqrt(12)
    assert pulls.std() == pytest.approx(1.0, abs=0.1)


def test_photons_within_a_gap_are_left_out():
    rng = np.random.default_rng(7)
    stream = draw_light(rng, 1e4, 10.0, dim=[(2.0, 6.0)])
    found = compute_long_delay_g2(stream, gaps_s=[(2.0, 6.0)])
    pulls = (found.pairs - found.expected) / np.sqrt(found.expected)
    assert np.mean(np.abs(pulls) < 3) >= 0.95
    with_dim = compute_long_delay_g2(stream)
    assert with_dim.g2[-1] > 1.2
