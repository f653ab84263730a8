import time

import numpy as np
import pytest
from builders.traces import make_trace

from qdcomp.errors import InputError
from qdcomp.experiment.decays.flid import compute_flid


def two_levels(n, seed=1):
    rng = np.random.default_rng(seed)
    bright = rng.random(n) < 0.7
    counts = rng.poisson(np.where(bright, 200, 50))
    lifetimes = np.where(bright, 10.2, 1.3) * (1.0 + rng.standard_normal(n) / np.sqrt(counts))
    return counts, lifetimes


def integrate(flid, values):
    cell = np.diff(flid.intensities_per_s[:2])[0] * np.diff(flid.lifetimes_ns[:2])[0]
    return float(np.sum(values * flid.density) * cell)


def test_the_density_is_one_over_the_plane_with_the_mean_of_the_bins():
    counts, lifetimes = two_levels(3000)
    flid = compute_flid(make_trace(counts, lifetimes))
    assert integrate(flid, 1.0) == pytest.approx(1.0, abs=1e-9)
    assert integrate(flid, flid.lifetimes_ns) == pytest.approx(lifetimes.mean(), rel=1e-3)
    assert integrate(flid, flid.intensities_per_s[:, None]) == pytest.approx(
        counts.mean() / 0.01, rel=1e-3
    )


def test_each_bin_adds_its_kernel():
    rng = np.random.default_rng(2)
    counts, lifetimes = rng.poisson(1000, 400), 5.0 + 0.5 * rng.standard_normal(400)
    weights = rng.random(400)
    flid = compute_flid(make_trace(counts, lifetimes), bandwidths=(2000.0, 0.25), weights=weights)
    for intensity, lifetime in ((100_000.0, 5.0), (103_000.0, 5.4), (98_000.0, 4.3)):
        i = np.argmin(np.abs(flid.intensities_per_s - intensity))
        j = np.argmin(np.abs(flid.lifetimes_ns - lifetime))
        far = ((counts / 0.01 - flid.intensities_per_s[i]) / 2000.0) ** 2 + (
            (lifetimes - flid.lifetimes_ns[j]) / 0.25
        ) ** 2
        kernels = np.exp(-0.5 * far) / (2.0 * np.pi * 2000.0 * 0.25)
        assert flid.density[i, j] == pytest.approx(np.average(kernels, weights=weights), rel=0.02)


def test_the_peak_is_at_the_level_where_the_dot_is_most():
    flid = compute_flid(make_trace(*two_levels(5000)))
    assert flid.peak[0] == pytest.approx(20_000, rel=0.05)
    assert flid.peak[1] == pytest.approx(10.2, rel=0.05)


def test_narrower_kernels_come_with_more_bins():
    few, many = (compute_flid(make_trace(*two_levels(n))).bandwidths for n in (500, 50_000))
    assert few[1] / many[1] == pytest.approx(100 ** (1 / 6), rel=0.1)


def test_bins_without_a_lifetime_are_left_out_and_counted():
    counts, lifetimes = two_levels(300)
    lifetimes[:40] = np.nan
    flid = compute_flid(make_trace(counts, lifetimes))
    assert (flid.n_points, flid.n_left_out) == (260, 40)


def test_a_hundred_thousand_bins_take_less_than_half_a_second():
    trace = make_trace(*two_levels(100_000))
    begin = time.perf_counter()
    compute_flid(trace)
    assert time.perf_counter() - begin < 0.5


def test_bins_that_are_all_the_same_have_a_density():
    flid = compute_flid(make_trace([100] * 10, [5.0] * 10))
    assert flid.peak[1] == pytest.approx(5.0, rel=0.01)


@pytest.mark.parametrize("keywords", [{"bandwidths": (0.0, 1.0)}, {"weights": np.full(50, -1.0)}])
def test_senseless_kernels_and_weights_are_refused(keywords):
    with pytest.raises(InputError):
        compute_flid(make_trace(*two_levels(50)), **keywords)


def test_one_bin_is_no_distribution():
    with pytest.raises(InputError, match="needs two"):
        compute_flid(make_trace([100], [5.0]))
