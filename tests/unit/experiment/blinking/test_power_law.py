"""Power laws of durations that a trace knows only in whole bins."""

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.blinking.blinking import Durations
from qdcomp.experiment.blinking.power_law import fit_power_law, log_bin_durations
from qdcomp.experiment.blinking.power_law_likelihood import (
    DurationTally,
    find_pure,
    find_pure_survival,
    find_tail,
)


def draw_bins(rng, exponent, number, cutoff=np.inf):
    """Lengths in bins of stretches that begin anywhere in a bin; the shortest is one bin."""
    t = rng.random(4 * number) ** (-1.0 / (exponent - 1.0))
    t = t[rng.random(len(t)) < np.exp(-(t - 1.0) / cutoff)][:number]
    whole = np.floor(t)
    return (whole + (rng.random(len(t)) < t - whole)).astype(np.int64)


@pytest.mark.parametrize("exponent", [1.5, 2.0, 2.5])
def test_exponents_over_200_dots(exponent):
    rng = np.random.default_rng(2)
    found = [
        fit_power_law(
            Durations(draw_bins(rng, exponent, 400), None, 0.01), cutoff=False, goodness=False
        ).exponent
        for _ in range(200)
    ]
    values = np.array([one.value for one in found])
    errors = np.array([one.error for one in found])
    assert abs(values.mean() - exponent) < 2 * values.std() / np.sqrt(200)
    assert 0.62 <= np.mean(np.abs(values - exponent) < errors) <= 0.74


def draw_durations_of_a_time(rng, exponent, total):
    """Draw what a trace of `total` bins shows of a dot that is OFF for as long, on the average."""
    on, off = draw_bins(rng, exponent, total), draw_bins(rng, 2.5, total)
    n = min(len(on), len(off))
    starts = np.cumsum(on[:n] + off[:n]) - on[:n] - off[:n]
    last = int(np.searchsorted(starts, total)) - 1
    left = int(total - starts[last])
    if on[last] < left:
        return Durations(on[: last + 1], None, 0.01, total)
    return Durations(on[:last], left, 0.01, total)


@pytest.mark.parametrize(("exponent", "bins"), [(1.7, 20_000), (2.0, 3000), (2.5, 3000)])
def test_exponents_of_as_many_durations_as_a_time_holds_over_200_dots(exponent, bins):
    rng = np.random.default_rng(11)
    found = [
        fit_power_law(draw_durations_of_a_time(rng, exponent, bins), cutoff=False, goodness=False)
        for _ in range(200)
    ]
    exponents = [fit.exponent for fit in found if fit.exponent is not None]
    values = np.array([one.value for one in exponents])
    errors = np.array([one.error for one in exponents])
    assert len(values) > 190
    assert abs(values.mean() - exponent) < 2 * values.std() / np.sqrt(200)
    assert 0.62 <= np.mean(np.abs(values - exponent) < errors) <= 0.74


def test_a_cut_off_is_found_where_there_is_one_and_only_there():
    rng = np.random.default_rng(3)
    cut = fit_power_law(Durations(draw_bins(rng, 1.5, 3000, cutoff=100.0), None, 0.01))
    assert cut.cutoff_s.value == pytest.approx(1.0, abs=3 * cut.cutoff_s.error)
    assert cut.exponent.value == pytest.approx(1.5, abs=3 * cut.exponent.error)
    pure = fit_power_law(Durations(draw_bins(rng, 1.8, 3000), None, 0.01))
    assert pure.cutoff_s is None and pure.cutoff_p_value > 0.08


def test_exponent_and_cut_off_over_200_dots():
    rng = np.random.default_rng(8)
    found = [
        fit_power_law(Durations(draw_bins(rng, 1.5, 300, 100.0), None, 0.01), goodness=False)
        for _ in range(200)
    ]
    for truth, ones in ((1.5, [f.exponent for f in found]), (1.0, [f.cutoff_s for f in found])):
        pulls = np.array([(one.value - truth) / one.error for one in ones if one is not None])
        assert len(pulls) > 190
        assert 0.62 <= np.mean(np.abs(pulls) < 1) <= 0.76


def test_dots_are_fitted_together_with_all_their_unfinished_stretches():
    rng = np.random.default_rng(9)
    dots = [Durations(draw_bins(rng, 1.7, 12), 40, 0.01) for _ in range(50)]
    assert fit_power_law(dots[0]).exponent is None
    together = fit_power_law(dots, cutoff=False, goodness=False)
    assert together.n_unfinished == 50
    alone = fit_power_law([Durations(d.bins, None, 0.01) for d in dots], cutoff=False)
    assert together.exponent.value < alone.exponent.value
    assert alone.exponent.value == pytest.approx(1.7, abs=3 * alone.exponent.error)
    with pytest.raises(InputError, match="one width"):
        fit_power_law([dots[0], Durations(dots[0].bins, None, 0.02)])


def test_what_is_no_power_law_is_told():
    rng = np.random.default_rng(4)
    lengths = np.maximum(rng.normal(40, 5, 500), 2).astype(np.int64)
    assert fit_power_law(Durations(lengths, None, 0.01)).goodness_p_value < 0.02
    good = fit_power_law(Durations(draw_bins(rng, 1.7, 500), None, 0.01))
    assert good.goodness_p_value > 0.05


def test_an_unfinished_stretch_makes_the_tail_longer():
    rng = np.random.default_rng(5)
    lengths = draw_bins(rng, 2.0, 200)
    seen = fit_power_law(Durations(lengths, None, 0.01), cutoff=False, goodness=False)
    left = fit_power_law(Durations(lengths, 100_000, 0.01), cutoff=False, goodness=False)
    assert left.n_unfinished == 1
    assert left.exponent.value < seen.exponent.value


@pytest.mark.parametrize("exponent", [1.2, 2.0, 3.1])
def test_chances_add_up_to_those_of_the_rest(exponent):
    k = np.arange(2.0, 5000.0)
    chances = find_pure(k, 2, exponent)
    rest = find_pure_survival(np.array([2.0, 5000.0]), 2, exponent)
    assert rest[0] == pytest.approx(1.0)
    assert chances.sum() + rest[1] == pytest.approx(1.0, abs=1e-8)
    slow = find_tail(np.array([2.0, 50.0]), exponent, 1e-15)
    survival = find_pure_survival(np.array([50.0]), 2, exponent)[0]
    assert slow[1] / slow[0] == pytest.approx(survival, rel=0.02)


def test_too_few_durations_have_no_exponent():
    fit = fit_power_law(Durations(np.array([3, 4, 5]), None, 0.01))
    assert fit.exponent is None and "3 durations" in fit.reason
    assert DurationTally([Durations(np.array([1, 1, 3]), None, 1.0)], 2).total == 1
    with pytest.raises(InputError, match="2 or more"):
        fit_power_law(Durations(np.array([3]), None, 0.01), minimum_bins=1)


def test_logarithmic_bins_hold_all_durations():
    lengths = draw_bins(np.random.default_rng(6), 1.6, 1000)
    logged = log_bin_durations(Durations(lengths, None, 0.01))
    assert np.all(np.diff(logged.durations_s) > 0)
    assert np.all(logged.density_per_s > 0)
    slope = np.polyfit(np.log(logged.durations_s[:8]), np.log(logged.density_per_s[:8]), 1)[0]
    assert slope == pytest.approx(-1.6, abs=0.25)
    assert len(log_bin_durations(Durations(np.empty(0, int), None, 0.01)).durations_s) == 0
