"""Stretches between change points, sorted into the levels that they came from."""

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.blinking.change_points import ChangePoints, find_change_points
from qdcomp.experiment.blinking.level_clustering import cluster_levels
from qdcomp.experiment.photon_stream import make_photon_stream


def make_steps(seed, rates_per_s, stretches=120, mean_s=0.3):
    """A stream that goes through levels, each for an exponential time, never one twice."""
    rng = np.random.default_rng(seed)
    start, parts, level = 0.0, [], 0
    time_in_level = np.zeros(len(rates_per_s))
    for _ in range(stretches):
        length = rng.exponential(mean_s) + 0.02
        parts.append(start + np.sort(rng.random(rng.poisson(rates_per_s[level] * length))) * length)
        time_in_level[level] += length
        start += length
        level = (level + rng.integers(1, len(rates_per_s))) % len(rates_per_s)
    times = (np.concatenate(parts) * 1e12).astype(np.int64)
    return make_photon_stream(times, 1e-12, duration_s=start), time_in_level / start


@pytest.mark.parametrize("rates", [(2e3, 2e4), (1e3, 6e3, 2e4)])
def test_levels_and_their_shares_come_back(rates):
    stream, shares = make_steps(3, rates)
    found = cluster_levels(find_change_points(stream))
    assert len(found.rates_per_s) == len(rates)
    for level, rate in zip(found.rates_per_s, rates, strict=True):
        assert level.value == pytest.approx(rate, rel=0.03)
    np.testing.assert_allclose(found.time_shares, shares, atol=0.02)


def test_the_number_of_levels_is_right_nearly_always():
    right = [
        len(cluster_levels(find_change_points(make_steps(seed, (3e3, 1.5e4, 2e4))[0])).rates_per_s)
        for seed in range(12)
    ]
    assert right.count(3) >= 11


def test_steady_light_is_one_level():
    stream, _ = make_steps(4, (1e4, 1e4))
    found = cluster_levels(find_change_points(stream))
    assert len(found.rates_per_s) == 1
    rate = found.rates_per_s[0]
    assert rate.value == pytest.approx(1e4, abs=4 * rate.error)
    assert found.time_shares.sum() == pytest.approx(1.0)


def test_no_level_at_all_is_refused():
    stream, _ = make_steps(4, (1e4, 1e4))
    with pytest.raises(InputError, match="1 or more"):
        cluster_levels(find_change_points(stream), most_levels=0)


def test_a_stretch_without_a_duration_is_refused():
    points = ChangePoints(np.array([1.0]), np.array([1.0, 0.0]), np.array([9, 2]), 0.99)
    with pytest.raises(InputError, match="no time"):
        cluster_levels(points)
