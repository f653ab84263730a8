"""g2 from nanoseconds to seconds: exact counts, exact normalisation, bunching."""

from dataclasses import replace

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.correlations.bunching import fit_bunching
from qdcomp.experiment.correlations.long_delay_g2 import compute_long_delay_g2
from qdcomp.experiment.correlations.pair_counting import count_pairs
from qdcomp.experiment.photon_stream import make_photon_stream


def make_stream(times_s, duration_s, tick_s=1e-12):
    """A stream of the sorted times of two detectors."""
    times = np.concatenate(times_s)
    channels = np.repeat([0, 1], [len(times_s[0]), len(times_s[1])])
    order = np.argsort(times, kind="stable")
    ticks = (times[order] / tick_s).astype(np.int64)
    return make_photon_stream(ticks, tick_s, channels=channels[order], duration_s=duration_s)


def draw_light(rng, rate, duration, gaps=()):
    """Photons that know nothing of each other, on two detectors."""
    times = [np.sort(rng.random(rng.poisson(rate * duration))) * duration for _ in range(2)]
    for low, high in gaps:
        times = [each[(each < low) | (each > high)] for each in times]
    return make_stream(times, duration)


@pytest.mark.parametrize("kind", ["steady", "bursts", "crowded"])
def test_pairs_are_those_of_counting_each(kind):
    rng = np.random.default_rng(5)
    sets = []
    for _ in range(2):
        if kind == "steady":
            times = np.sort(rng.integers(0, 10**8, 700))
        elif kind == "bursts":
            times = np.sort(rng.integers(0, 30, 700) * 10**7 + rng.integers(0, 5000, 700))
        else:
            times = np.sort(rng.integers(0, 900, 700))
        sets.append(times.astype(np.int64))
    edges = np.unique(np.rint(np.logspace(0, 8, 50)).astype(np.int64))
    lags = (sets[1][None, :] - sets[0][:, None]).ravel()
    expected, _ = np.histogram(lags[(lags >= edges[0]) & (lags < edges[-1])], edges)
    np.testing.assert_array_equal(count_pairs(*sets, edges)[:-1], expected[:-1])
    inside = (lags >= edges[-2]) & (lags < edges[-1])
    assert count_pairs(*sets, edges)[-1] == inside.sum()


@pytest.mark.parametrize(("rate", "duration"), [(1e3, 40), (1e4, 20), (1e5, 5), (1e6, 1.5)])
def test_light_that_knows_nothing_of_its_photons_gives_one(rate, duration):
    rng = np.random.default_rng(round(rate))
    pulls = []
    for _ in range(6):
        found = compute_long_delay_g2(draw_light(rng, rate, duration))
        pulls.append((found.pairs - found.expected) / np.sqrt(found.expected))
    pulls = np.concatenate(pulls)
    assert np.mean(np.abs(pulls) < 3) >= 0.95
    assert pulls.std() == pytest.approx(1.0, abs=0.15)


def test_gaps_of_the_measurement_do_not_matter_once_they_are_known():
    gaps = ((3.0, 8.0), (14.0, 15.5))
    rng = np.random.default_rng(9)
    pulls = []
    for _ in range(10):
        found = compute_long_delay_g2(draw_light(rng, 1e4, 20.0, gaps), gaps_s=gaps)
        pulls.append((found.pairs - found.expected) / np.sqrt(found.expected))
    pulls = np.array(pulls)
    assert np.mean(np.abs(pulls) < 3) >= 0.95
    assert np.abs(pulls.mean(axis=0)).max() < 4 / np.sqrt(10)
    blind = compute_long_delay_g2(draw_light(rng, 1e4, 20.0, gaps))
    assert blind.g2[-5] > 1.2


def test_an_emitter_that_goes_dark_bunches_with_its_rates():
    rng = np.random.default_rng(11)
    amplitude, rate, duration = 0.5, 2e4, 60.0
    share = 1 / (1 + amplitude)
    off, on = rate * (1 - share), rate * share
    number = int(duration * on * off / rate * 1.2)
    lengths = np.empty(2 * number)
    lengths[::2] = rng.exponential(1 / off, number)
    lengths[1::2] = rng.exponential(1 / on, number)
    borders = np.cumsum(lengths)
    times = []
    for _ in range(2):
        each = np.sort(rng.random(rng.poisson(3e4 * duration))) * duration
        times.append(each[np.searchsorted(borders, each) % 2 == 0])
    found = fit_bunching(compute_long_delay_g2(make_stream(times, duration)), 1e-7)
    assert found.amplitude.value == pytest.approx(amplitude, abs=4 * found.amplitude.error)
    assert found.rate_per_s.value == pytest.approx(rate, abs=4 * found.rate_per_s.error)
    assert found.plateau.value == pytest.approx(1.0, abs=0.01)


def test_steady_light_does_not_bunch():
    found = compute_long_delay_g2(draw_light(np.random.default_rng(12), 1e4, 20.0))
    with pytest.raises(InputError, match="bunching"):
        fit_bunching(found)


def test_chunks_do_not_matter():
    stream = draw_light(np.random.default_rng(13), 3e3, 20.0)

    class Pieces:
        header = stream.header

        def iterate_chunks(self):
            for first in range(0, len(stream), 777):
                part = slice(first, first + 777)
                yield replace(
                    stream, macrotimes=stream.macrotimes[part], channels=stream.channels[part]
                )

    whole, parts = compute_long_delay_g2(stream), compute_long_delay_g2(Pieces())
    np.testing.assert_array_equal(whole.pairs, parts.pairs)
    np.testing.assert_array_equal(whole.blocks.pairs, parts.blocks.pairs)
    np.testing.assert_array_equal(whole.blocks.photons, parts.blocks.photons)
    np.testing.assert_allclose(whole.expected, parts.expected)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"shortest_s": 1.0, "longest_s": 0.1}, "rising pair"),
        ({"longest_s": 100.0}, "rising pair"),
        ({"bins_per_decade": 0}, "bins per decade"),
        ({"gaps_s": [(1.0, 3.0), (2.0, 4.0)]}, "overlaps"),
    ],
)
def test_what_cannot_be_is_refused(options, reason):
    stream = draw_light(np.random.default_rng(14), 1e3, 20.0)
    with pytest.raises(InputError, match=reason):
        compute_long_delay_g2(stream, **options)
