import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.saturation import (
    compute_power_dependent_g2,
    fit_biexciton_yield,
    fit_saturation,
)

POWERS = np.array([0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0])


def curve(saturation=1.3, exciton=50_000.0, linear=2_000.0):
    return exciton * -np.expm1(-POWERS / saturation) + linear * POWERS


def test_a_curve_without_noise_gives_its_parameters_back():
    fit = fit_saturation(POWERS, curve(), exposure_s=1.0)
    assert fit.saturation_power.value == pytest.approx(1.3, rel=1e-6)
    assert fit.exciton_per_s.value == pytest.approx(50_000.0, rel=1e-6)
    assert fit.linear_per_s.value == pytest.approx(2_000.0, rel=1e-4)
    assert fit.chi_square < 1e-6


def test_parameters_are_unbiased_and_their_errors_cover_the_truth():
    rng = np.random.default_rng(1)
    found = []
    for _ in range(200):
        fit = fit_saturation(POWERS, rng.poisson(curve() * 0.1) / 0.1, exposure_s=0.1)
        found.append([fit.saturation_power, fit.exciton_per_s, fit.linear_per_s])
    for column, truth in zip(zip(*found, strict=True), (1.3, 50_000.0, 2_000.0), strict=True):
        values = np.array([one.value for one in column])
        errors = np.array([one.error for one in column])
        assert abs(values.mean() - truth) < 2.0 * values.std() / np.sqrt(200)
        assert 0.62 < np.mean(np.abs(values - truth) < errors) < 0.74


def test_given_errors_weigh_the_points():
    rates = curve()
    rates[4] += 20_000.0
    errors = np.full(8, 100.0)
    errors[4] = 1e9
    fit = fit_saturation(POWERS, rates, errors_per_s=errors)
    assert fit.saturation_power.value == pytest.approx(1.3, rel=1e-3)


def test_without_the_linear_term_a_perfect_saturation_comes_back():
    fit = fit_saturation(POWERS, curve(linear=0.0), exposure_s=1.0, linear=False)
    assert fit.saturation_power.value == pytest.approx(1.3, rel=1e-6)
    assert (fit.linear_per_s.value, fit.linear_per_s.error) == (0.0, 0.0)


def test_powers_far_below_saturation_are_reported():
    rates = 1e6 * -np.expm1(-POWERS / 20.0)
    fit = fit_saturation(POWERS, rates, errors_per_s=0.01 * rates)
    assert any("below saturation" in warning for warning in fit.warnings)


@pytest.mark.parametrize(
    ("powers", "rates", "keywords"),
    [
        ([1, 2], [1, 2], {"exposure_s": 1.0}),
        ([1, 2, 3, 4], [1, 2, 3], {"exposure_s": 1.0}),
        ([1, 2, 3, 4], [1, 2, 3, np.nan], {"exposure_s": 1.0}),
        ([-1, 2, 3, 4], [1, 2, 3, 4], {"exposure_s": 1.0}),
        ([1, 2, 3, 4], [1, 2, 3, 4], {}),
        ([1, 2, 3, 4], [1, 2, 3, 4], {"errors_per_s": [1, 1, 1, 0]}),
    ],
)
def test_points_that_do_not_fit_are_refused(powers, rates, keywords):
    with pytest.raises(InputError):
        fit_saturation(powers, rates, **keywords)


def test_weak_pulses_show_the_ratio_of_the_quantum_yields():
    weak = compute_power_dependent_g2([0.0, 1e-6, 1e-3, 2e-3], 0.12)
    np.testing.assert_allclose(weak, 0.12, rtol=1e-3)
    np.testing.assert_allclose(
        np.diff(compute_power_dependent_g2([0.999e-3, 1.001e-3], 0.1)), 0.0, atol=1e-7
    )


def test_strong_pulses_show_a_pair_in_each():
    assert compute_power_dependent_g2([60.0], 0.12)[0] == pytest.approx(0.24 / 1.12**2)


def test_g2_is_that_of_drawn_photons():
    rng = np.random.default_rng(2)
    excitons = rng.poisson(0.8, 3_000_000)
    photons = (excitons >= 1).astype(int) + ((excitons >= 2) & (rng.random(3_000_000) < 0.2))
    drawn = np.mean(photons * (photons - 1)) / photons.mean() ** 2
    assert compute_power_dependent_g2([0.8], 0.2)[0] == pytest.approx(drawn, rel=0.01)


def test_the_yield_of_the_biexciton_comes_back_from_several_powers():
    rng = np.random.default_rng(3)
    ratios = np.array([0.25, 0.5, 1.0, 1.5, 2.0, 3.0])
    truth = compute_power_dependent_g2(ratios, 0.1)
    errors = np.full(6, 0.02)
    found = [
        fit_biexciton_yield(ratios, truth + errors * rng.standard_normal(6), errors)
        for _ in range(200)
    ]
    values = np.array([one.value for one in found])
    assert abs(values.mean() - 0.1) < 2.0 * values.std() / np.sqrt(200)
    assert 0.62 < np.mean([abs(one.value - 0.1) < one.error for one in found]) < 0.74
