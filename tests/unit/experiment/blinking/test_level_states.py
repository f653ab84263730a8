"""ON and OFF from change points."""

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.blinking.change_points import ChangePoints, find_change_points
from qdcomp.experiment.blinking.level_states import classify_levels
from qdcomp.experiment.blinking.power_law import fit_power_law
from qdcomp.experiment.photon_stream import make_photon_stream


def make_points(durations_s, photons):
    durations = np.array(durations_s)
    return ChangePoints(np.cumsum(durations)[:-1], durations, np.array(photons), 0.99)


def test_neighbours_of_one_state_are_one_stretch():
    found = classify_levels(make_points([1.0, 0.5, 0.25, 2.0, 1.0], [1000, 400, 5, 10, 900]))
    np.testing.assert_array_equal(found.on, [True, True, False, False, True])
    assert found.on_fraction.value == pytest.approx(2.5 / 4.75)
    np.testing.assert_allclose(found.off_durations.durations_s, [2.25])
    assert len(found.on_durations.bins) == 0
    assert found.on_durations.unfinished_bins == 1_000_000
    assert found.switches == 2


def test_a_flash_of_few_photons_does_not_set_the_bright_level():
    found = classify_levels(make_points([1.0, 1e-5, 1.0], [1000, 3, 1000]))
    assert found.bright_per_s == pytest.approx(1000.0)
    assert np.isnan(found.on_fraction.error)


def test_the_on_fraction_of_a_simulated_dot_is_within_its_error():
    rng = np.random.default_rng(2)
    pulls = []
    for _ in range(60):
        lengths = rng.exponential(np.tile([0.04, 0.02], 400))
        ends = np.cumsum(lengths)
        counts = rng.poisson(lengths * np.tile([3e4, 1e3], 400))
        times = np.repeat(ends - lengths, counts) + rng.random(counts.sum()) * np.repeat(
            lengths, counts
        )
        stream = make_photon_stream(
            np.sort(times * 1e9).astype(np.int64), 1e-9, duration_s=ends[-1]
        )
        share = classify_levels(find_change_points(stream)).on_fraction
        pulls.append((share.value - 2 / 3) / share.error)
    assert abs(np.mean(pulls)) < 0.4
    assert 0.55 <= np.mean(np.abs(pulls) < 1) <= 0.80


def test_durations_far_longer_than_their_unit_have_the_same_power_law():
    rng = np.random.default_rng(3)
    lengths = 0.01 * rng.random(600) ** (-1 / 0.7)
    points = make_points(lengths, np.where(np.arange(600) % 2, 1, 1000 * lengths * 1e3).astype(int))
    law = fit_power_law(
        classify_levels(points, 0.01).on_durations,
        minimum_bins=10_001,
        goodness=False,
        cutoff=False,
    )
    assert law.exponent.value == pytest.approx(1.7, abs=3 * law.exponent.error)


def test_a_share_that_cannot_be_and_darkness_are_refused():
    with pytest.raises(InputError, match="between 0 and 1"):
        classify_levels(make_points([1.0], [10]), 1.5)
    with pytest.raises(InputError, match="no photon"):
        classify_levels(make_points([1.0], [0]))
