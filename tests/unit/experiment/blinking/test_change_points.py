"""Jumps of the rate: found where they are, and not where there are none."""

from dataclasses import replace

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.blinking.change_points import find_change_points
from qdcomp.experiment.photon_stream import make_photon_stream


def make_steps(rng, rates_per_s, durations_s):
    """A stream that has each rate for its time."""
    borders = np.concatenate([[0.0], np.cumsum(durations_s)])
    parts = [
        start + np.sort(rng.random(rng.poisson(rate * length))) * length
        for rate, length, start in zip(rates_per_s, durations_s, borders, strict=False)
    ]
    times = (np.concatenate(parts) * 1e12).astype(np.int64)
    return make_photon_stream(times, 1e-12, duration_s=float(borders[-1]))


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
            )


def test_steady_light_is_left_whole_as_often_as_the_confidence_says():
    rng = np.random.default_rng(1)
    false = [
        len(find_change_points(make_steps(rng, [1e5], [1.0]), 0.9).times_s) > 0 for _ in range(150)
    ]
    assert np.mean(false) <= 0.1 + 3 * np.sqrt(0.09 / 150)
    assert np.mean(false) >= 0.01


@pytest.mark.parametrize("background", [0.0, 20.0, 2000.0])
@pytest.mark.parametrize("length", [0.01, 0.2])
def test_dark_stretches_are_found_however_few_photons_they_hold(background, length):
    rng = np.random.default_rng(2)
    for _ in range(20):
        found = find_change_points(make_steps(rng, [2e4, background, 2e4], [1.0, length, 1.0]))
        np.testing.assert_allclose(found.times_s, [1.0, 1.0 + length], atol=1.5e-3)


def test_a_short_dark_stretch_in_a_long_bright_one_is_found():
    found = find_change_points(make_steps(np.random.default_rng(3), [2e4, 0, 2e4], [10, 0.005, 10]))
    np.testing.assert_allclose(found.times_s, [10.0, 10.005], atol=5e-4)


def test_jumps_lie_within_their_errors():
    rng = np.random.default_rng(4)
    pulls = []
    for _ in range(200):
        found = find_change_points(make_steps(rng, [2e4, 5e3, 2e4], [0.5, 0.3, 0.7]))
        if len(found.times_s) == 2:
            pulls.append((found.times_s - [0.5, 0.8]) / found.time_errors_s)
    pulls = np.array(pulls)
    assert len(pulls) > 190
    assert np.std(pulls) == pytest.approx(1.0, abs=0.15)
    # Errors of jumps have long tails: more than 68 % lie within one.
    assert 0.66 <= np.mean(np.abs(pulls) < 1) <= 0.82


def test_all_photons_and_all_time_are_kept():
    stream = make_steps(np.random.default_rng(5), np.tile([1.5e4, 1e3], 200), np.full(400, 0.1))
    found = find_change_points(stream)
    assert found.photons.sum() == len(stream)
    assert found.durations_s.sum() == pytest.approx(40.0)
    assert abs(len(found.times_s) - 399) <= 3
    expected = np.where(found.rates_per_s > 5e3, 1.5e4, 1e3)
    pulls = (found.rates_per_s - expected) / found.rate_errors_per_s
    assert np.abs(np.median(pulls)) < 0.3
    assert pulls.std() < 1.5


@pytest.mark.parametrize("photons", [999, 77_777, 131_073])
def test_chunks_do_not_matter(photons):
    stream = make_steps(np.random.default_rng(6), np.tile([1.5e4, 5e3], 200), np.full(400, 0.15))
    whole, parts = find_change_points(stream), find_change_points(Pieces(stream, photons))
    np.testing.assert_array_equal(whole.times_s, parts.times_s)
    np.testing.assert_array_equal(whole.photons, parts.photons)


def test_seams_of_blocks_neither_lose_nor_make_jumps():
    rng = np.random.default_rng(7)
    found = find_change_points(make_steps(rng, np.tile([2e4, 4e3], 250), np.full(500, 0.1)))
    assert len(found.times_s) == 499
    assert len(find_change_points(make_steps(rng, [1e5], [10.0]), 0.9999).times_s) == 0


def test_a_confidence_that_cannot_be_and_no_photons_are_refused():
    stream = make_steps(np.random.default_rng(8), [100.0], [1.0])
    with pytest.raises(InputError, match="confidence"):
        find_change_points(stream, 1.0)
    with pytest.raises(InputError, match="no photon"):
        find_change_points(make_photon_stream(np.empty(0, np.int64), 1e-12, duration_s=1.0))
