"""Averages over many dots."""

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.attempts import Attempts
from qdcomp.experiment.blinking.blinking_analysis import analyse_blinking
from qdcomp.experiment.blinking.blinking_statistics import (
    BlinkingSummary,
    average_blinking,
    find_median_t70_s,
    fit_pooled_power_laws,
    summarise_blinking,
)
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.photon_stream import make_photon_stream


def make_summary(on=None, t70=None, longer=None):
    return BlinkingSummary(
        on_fraction=None if on is None else Estimate(on, 0.01),
        mandel_q=None,
        mandel_q_on_bins=None,
        mandel_q_all_bins=None,
        on_exponent=None,
        off_exponent=None,
        t70_s=None if t70 is None else Estimate(t70, 1.0),
        longer_than_s=longer,
        mean_rate_per_s=1e4,
        switches_per_s=None,
    )


def test_the_mean_has_the_standard_error_of_the_scatter():
    found = average_blinking([make_summary(on) for on in (0.90, 0.94, 0.98)] + [make_summary()])
    mean = found.averages["on_fraction"]
    assert mean.mean.value == pytest.approx(0.94)
    assert mean.spread == pytest.approx(0.04)
    assert mean.mean.error == pytest.approx(0.04 / np.sqrt(3))
    assert (mean.n_dots, found.n_dots) == (3, 4)
    assert set(found.averages) == {"on_fraction"}


def test_one_dot_has_no_standard_error():
    mean = average_blinking([make_summary(0.9)]).averages["on_fraction"]
    assert np.isnan(mean.mean.error) and np.isnan(mean.spread)
    with pytest.raises(InputError, match="no dot"):
        average_blinking([])


def test_dots_that_never_darkened_hold_the_median_up():
    fell = [make_summary(t70=t) for t in (10.0, 20.0, 30.0)]
    assert find_median_t70_s(fell) == 20.0
    assert find_median_t70_s([*fell, *[make_summary(longer=25.0)] * 2]) == 30.0
    assert find_median_t70_s([*fell, *[make_summary(longer=100.0)] * 4]) is None
    assert find_median_t70_s([]) is None


def test_the_median_of_exponential_times_that_are_cut_off_early():
    rng = np.random.default_rng(1)
    medians = []
    for _ in range(100):
        times, limits = rng.exponential(100.0, 80), rng.uniform(60.0, 200.0, 80)
        medians.append(
            find_median_t70_s(
                [
                    make_summary(t70=t) if t < limit else make_summary(longer=limit)
                    for t, limit in zip(times, limits, strict=True)
                ]
            )
        )
    known = np.array(medians, dtype=float)
    assert known.mean() == pytest.approx(100 * np.log(2), abs=4 * known.std() / 10 + 1.0)


def test_a_dot_becomes_a_line_and_dots_a_common_law():
    rng = np.random.default_rng(2)
    analyses = []
    for _ in range(3):
        lengths = 0.03 * rng.random(120) ** (-1 / 0.8)
        lengths = np.minimum(lengths, 3.0)
        counts = rng.poisson(lengths * np.where(np.arange(120) % 2, 300, 1e4))
        starts = np.cumsum(lengths) - lengths
        times = np.sort(
            np.repeat(starts, counts) + rng.random(counts.sum()) * np.repeat(lengths, counts)
        )
        stream = make_photon_stream((times * 1e9).astype(np.int64), 1e-9)
        analyses.append(analyse_blinking(stream, Attempts()))
    line = summarise_blinking(analyses[0])
    assert 0.0 < line.on_fraction.value < 1.0
    assert line.switches_per_s == pytest.approx(
        analyses[0].states.switches / analyses[0].trace.duration_s
    )
    on, off = fit_pooled_power_laws(analyses)
    assert on.n_durations + off.n_durations > 200
    assert on.exponent.error < max(
        one.on_law.exponent.error for one in analyses if one.on_law.exponent is not None
    )
