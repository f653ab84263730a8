"""Jumps of the rate: found where they are, and not where there are none."""

from dataclasses import replace

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment import change_point_search, change_points
from qdcomp.experiment.change_points import find_change_points
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


@pytest.mark.parametrize("photons", [60, 1000, 20000])
def test_steady_light_is_left_whole_as_often_as_the_confidence_says(photons):
    rng = np.random.default_rng(photons)
    false = [
        len(find_change_points(make_steps(rng, [photons], [1.0]), 0.9).times_s) > 0
        for _ in range(300)
    ]
    assert np.mean(false) <= 0.1 + 3 * np.sqrt(0.09 / 300)
    assert np.mean(false) >= 0.03


def test_a_jump_is_found_where_it_is():
    rng = np.random.default_rng(1)
    found = find_change_points(make_steps(rng, [2e4, 5e3, 2e4], [0.5, 0.3, 0.7]))
    np.testing.assert_allclose(found.times_s, [0.5, 0.8], atol=2e-3)
    np.testing.assert_allclose(found.rates_per_s, [2e4, 5e3, 2e4], rtol=0.06)
    pulls = (found.rates_per_s - [2e4, 5e3, 2e4]) / found.rate_errors_per_s
    assert np.abs(pulls).max() < 4
    assert found.durations_s.sum() == pytest.approx(1.5)


def test_many_jumps_are_found_and_few_are_missed():
    rng = np.random.default_rng(2)
    lengths = np.full(400, 0.1)
    stream = make_steps(rng, np.tile([15e3, 5e3], 200), lengths)
    found = find_change_points(stream)
    true = np.cumsum(lengths)[:-1]
    near = np.abs(found.times_s[:, None] - true).min(axis=0)
    assert np.mean(near < 5e-3) > 0.99
    assert len(found.times_s) < 1.03 * len(true)
    assert found.photons.sum() == len(stream)


def test_chunks_do_not_matter(monkeypatch):
    monkeypatch.setattr(change_points, "BLOCK_PHOTONS", 20000)
    rng = np.random.default_rng(3)
    stream = make_steps(rng, np.tile([15e3, 5e3, 5.1e3], 30), np.full(90, 0.15))
    whole = find_change_points(stream)
    parts = find_change_points(Pieces(stream, 777))
    np.testing.assert_array_equal(whole.times_s, parts.times_s)
    np.testing.assert_array_equal(whole.photons, parts.photons)
    assert whole.photons.sum() == len(stream)
    assert whole.durations_s.sum() == pytest.approx(13.5)


def test_a_long_steady_stretch_goes_through_several_blocks(monkeypatch):
    monkeypatch.setattr(change_points, "BLOCK_PHOTONS", 4000)
    stream = make_steps(np.random.default_rng(4), [1e4, 1e3], [5.0, 2.0])
    found = find_change_points(stream)
    np.testing.assert_allclose(found.times_s, [5.0], atol=0.01)
    assert found.photons[0] == pytest.approx(5e4, rel=0.03)


def test_critical_values_rise_with_photons_and_confidence():
    values = [change_point_search.compute_critical_value(n, 0.99) for n in (20, 1000, 10**6)]
    assert values == sorted(values)
    assert change_point_search.compute_critical_value(1000, 0.999) > values[1]


@pytest.mark.parametrize("confidence", [0.2, 1.0, np.nan])
def test_a_confidence_that_cannot_be_is_refused(confidence):
    stream = make_steps(np.random.default_rng(5), [100], [1.0])
    with pytest.raises(InputError, match="confidence"):
        find_change_points(stream, confidence)


def test_no_photon_has_no_change_points():
    empty = make_photon_stream(np.empty(0, np.int64), 1e-12, duration_s=1.0)
    with pytest.raises(InputError, match="no photon"):
        find_change_points(empty)
