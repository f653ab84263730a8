import numpy as np
import pytest

from qdcomp.analysis.correlation import (
    compute_autocorrelation,
    find_correlation_time,
    integrate_twice,
)
from qdcomp.errors import InputError


def test_the_transform_gives_the_sum_over_pairs():
    series = np.random.default_rng(1).normal(size=53)
    deviation = series - series.mean()
    direct = [
        sum(deviation[n] * deviation[n + k] for n in range(53 - k)) / (53 - k) for k in range(53)
    ]
    assert compute_autocorrelation(series, n_delays=53) == pytest.approx(direct, abs=1e-13)


def test_it_begins_with_the_variance():
    series = np.random.default_rng(2).normal(size=1000)
    assert compute_autocorrelation(series)[0] == pytest.approx(series.var(), rel=1e-12)


def test_more_delays_than_samples_are_refused():
    with pytest.raises(InputError, match="ask for 1 to 10"):
        compute_autocorrelation(np.arange(10.0), n_delays=11)


def test_double_integral_of_a_cosine():
    # ∫∫ cos ωt = (1 − cos ωt) / ω²
    step, omega = 10.0, 2 * np.pi / 240.0
    correlation = np.cos(omega * step * np.arange(200))
    times = np.linspace(0.0, 1900.0, 771)
    expected = (1 - np.cos(omega * times)) / omega**2
    got = integrate_twice(correlation, step, times)
    assert got == pytest.approx(expected, abs=3e-5 / omega**2)


def test_double_integral_of_a_constant_is_half_t_squared():
    times = np.linspace(0.0, 90.0, 31)
    got = integrate_twice(np.full(10, 0.3), 10.0, times)
    assert got == pytest.approx(0.15 * times**2, rel=1e-12)


def test_too_few_delays_to_integrate():
    with pytest.raises(InputError, match="at least 4"):
        integrate_twice(np.ones(3), 1.0, np.array([0.0]))


def test_correlation_time_of_an_exponential():
    correlation = np.exp(-np.arange(100) * 5.0 / 73.0)
    assert find_correlation_time(correlation, 5.0) == pytest.approx(73.0, rel=1e-3)


def test_correlation_time_of_what_never_decays_is_the_last_delay():
    assert find_correlation_time(np.ones(11), 5.0) == 50.0
