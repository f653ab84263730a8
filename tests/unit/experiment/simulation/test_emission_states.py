import numpy as np
import pytest
from scipy import linalg, stats

from qdcomp.errors import InputError
from qdcomp.experiment.simulation.emission_states import (
    EmissionState,
    compute_cw_g2,
    compute_cw_g2_modes,
    compute_cw_moments,
    compute_cw_waiting,
    compute_pulse_moments,
    compute_pulse_outcomes,
)

BRIGHT = EmissionState("bright", 10.0, 0.9, biexciton_lifetime_ns=0.5, biexciton_yield=0.2)


def test_g2_zero_at_low_power_is_the_ratio_of_the_yields():
    mean, pairs = compute_pulse_moments(BRIGHT, 1e-4)
    np.testing.assert_allclose(pairs / mean**2, 0.2 / 0.9, rtol=1e-3)


@pytest.mark.parametrize("excitons", [0.05, 1.0, 4.0])
def test_photons_per_pulse_follow_from_the_poisson_number_of_excitons(excitons):
    mean, pairs = compute_pulse_moments(BRIGHT, excitons)
    one, two = (float(stats.poisson.sf(n, excitons)) for n in (0, 1))
    np.testing.assert_allclose(mean, one * 0.9 + two * 0.2, rtol=1e-12)
    np.testing.assert_allclose(pairs, 2 * two * 0.9 * 0.2, rtol=1e-12)


def test_saturated_dot_gives_no_more_than_its_yields():
    mean, _ = compute_pulse_moments(BRIGHT, 50.0)
    np.testing.assert_allclose(mean, 0.9 + 0.2)


def test_detection_keeps_g2_and_scales_the_rate():
    mean, pairs = compute_pulse_moments(BRIGHT, 0.7)
    seen_mean, seen_pairs = compute_pulse_moments(BRIGHT, 0.7, efficiency=0.03)
    np.testing.assert_allclose(seen_mean, 0.03 * mean, rtol=1e-12)
    np.testing.assert_allclose(seen_pairs / seen_mean**2, pairs / mean**2, rtol=1e-12)


def test_outcomes_of_a_pulse_never_exceed_certainty():
    certain = EmissionState("bright", 10.0, 1.0, biexciton_yield=1.0)
    np.testing.assert_allclose(
        compute_pulse_outcomes(certain, 2.0, 1.0), [2 * np.exp(-2), 0, 0, 1 - 3 * np.exp(-2)]
    )


def test_cw_g2_of_a_two_level_dot_is_one_exponential():
    dot = EmissionState("bright", 5.0, 1.0, biexciton_lifetime_ns=1e-3, biexciton_yield=0.0)
    delays = np.array([-20.0, 0.0, 1.0, 5.0])
    g2 = compute_cw_g2(dot, 1e-3, delays)
    np.testing.assert_allclose(g2, 1 - np.exp(-np.abs(delays) * (1 / 5.0 + 1e-3)), atol=2e-5)


def test_cw_g2_at_zero_is_pairs_over_the_rate_squared():
    rate, pairs = compute_cw_moments(BRIGHT, 0.05)
    np.testing.assert_allclose(compute_cw_g2(BRIGHT, 0.05, 0.0), pairs / rate**2, rtol=1e-9)


def test_cw_rate_saturates_at_the_biexciton_decay():
    slow_rate, _ = compute_cw_moments(BRIGHT, 1e-6)
    np.testing.assert_allclose(slow_rate, 0.9 * 1e-6, rtol=1e-4)
    fast_rate, _ = compute_cw_moments(BRIGHT, 1e6)
    np.testing.assert_allclose(fast_rate, 0.2 / 0.5, rtol=1e-3)


def test_cw_g2_modes_give_g2():
    rates, weights = compute_cw_g2_modes(BRIGHT, 0.05)
    np.testing.assert_allclose(
        compute_cw_g2(BRIGHT, 0.05, 3.0), 1 + np.sum(weights * np.exp(-3.0 * rates))
    )


def test_waiting_time_agrees_with_the_matrix_exponential():
    up, efficiency = 0.02, 0.3
    waiting = compute_cw_waiting(BRIGHT, up, efficiency)
    rates = np.array(
        [
            [-up, up, 0],
            [(1 - 0.3 * 0.9) / 10, -(1 / 10 + up), up],
            [0, (1 - 0.3 * 0.2) / 0.5, -1 / 0.5],
        ]
    )
    for time in (0.1, 4.0, 300.0):
        occupied = linalg.expm(rates * time)
        decays = np.exp(-waiting.rates * time)
        np.testing.assert_allclose(waiting.survival @ decays, occupied[:2].sum(axis=1), rtol=1e-9)
        np.testing.assert_allclose(
            waiting.biexciton @ decays, occupied[:2, 2] * 0.3 * 0.2 / 0.5, rtol=1e-7
        )


def test_dark_state_has_no_g2():
    dark = EmissionState("dark", 1.0, 0.0)
    assert not compute_cw_waiting(dark, 0.1, 0.5).rates.any()
    with pytest.raises(InputError, match="gives no photons"):
        compute_cw_g2(dark, 0.1, 0.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lifetime_ns": 0.0}, "lifetime of state 'x' is 0.0 ns"),
        ({"quantum_yield": 1.1}, "expected 0 to 1"),
        ({"biexciton_lifetime_ns": float("nan")}, "biexciton lifetime"),
        ({"biexciton_yield": -0.1}, "biexciton yield"),
    ],
)
def test_impossible_states_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        EmissionState(**({"name": "x", "lifetime_ns": 1.0, "quantum_yield": 1.0} | change))
