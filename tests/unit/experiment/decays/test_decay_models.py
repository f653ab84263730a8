import numpy as np
import pytest

from qdcomp.experiment.decays.decay_models import (
    DecayShape,
    compute_broadened_cumulative,
    compute_cumulative,
    integrate_cumulative,
)

PERIOD = 50.0
SHAPES = [DecayShape(3.0), DecayShape(80.0), DecayShape(5.0, 0.6), DecayShape(20.0, 1.4)]


@pytest.mark.parametrize("shape", SHAPES)
def test_each_period_holds_each_photon_once(shape):
    times = np.array([-37.0, 0.0, 0.4, 12.0, 49.9])
    whole = compute_cumulative(shape, times + PERIOD, PERIOD) - compute_cumulative(
        shape, times, PERIOD
    )
    np.testing.assert_allclose(whole, 1.0, rtol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_tails_of_earlier_pulses_fold_into_the_period(shape):
    times = np.linspace(0.0, 60 * PERIOD, 60 * 5000 + 1)
    density = np.exp(-((times / shape.lifetime_ns) ** shape.stretching))
    steps = 0.5 * (density[1:] + density[:-1])
    folded = steps.reshape(60, 5000).sum(axis=0)
    expected = np.diff(compute_cumulative(shape, times[:5000], PERIOD))
    np.testing.assert_allclose(folded[:-1] / folded.sum(), expected, rtol=5e-3)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_integral_has_the_cumulative_for_its_slope(shape):
    times = np.array([-60.0, -1.0, 0.3, 7.0, 30.0, 70.0])
    step = 1e-4
    slope = integrate_cumulative(shape, times + step, PERIOD) - integrate_cumulative(
        shape, times - step, PERIOD
    )
    np.testing.assert_allclose(
        slope / (2 * step), compute_cumulative(shape, times, PERIOD), atol=1e-6
    )


def test_a_stretching_of_one_is_an_exponential():
    times = np.linspace(-10.0, 60.0, 101)
    np.testing.assert_allclose(
        compute_cumulative(DecayShape(30.0, 1.0 + 1e-9), times, PERIOD),
        compute_cumulative(DecayShape(30.0), times, PERIOD),
        atol=1e-7,
    )


@pytest.mark.parametrize(("lifetime", "sigma"), [(2.0, 0.3), (0.2, 0.5), (60.0, 1.0)])
def test_a_gaussian_response_is_the_mean_over_its_delays(lifetime, sigma):
    times = np.linspace(0.0, PERIOD, 400)
    delays = np.linspace(-7.0, 7.0, 4001) * sigma
    weights = np.exp(-0.5 * (delays / sigma) ** 2)
    mean = np.array(
        [
            np.average(
                compute_cumulative(DecayShape(lifetime), t - delays, PERIOD), weights=weights
            )
            for t in times
        ]
    )
    broadened = compute_broadened_cumulative(lifetime, times, PERIOD, sigma)
    np.testing.assert_allclose(np.diff(broadened), np.diff(mean), atol=2e-6)


def test_averages_of_a_stretched_exponential_are_its_moments():
    shape = DecayShape(5.0, 0.7)
    times = np.linspace(0.0, 2000.0, 2_000_001)
    density = np.exp(-((times / 5.0) ** 0.7))
    area = np.trapezoid(density, times)
    assert shape.amplitude_average_ns == pytest.approx(area, rel=1e-4)
    mean = np.trapezoid(times * density, times) / area
    assert shape.intensity_average_ns == pytest.approx(mean, rel=1e-4)
