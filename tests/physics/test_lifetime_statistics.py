"""Lifetimes of 200 drawn decays: no bias, honest errors, few false second lifetimes."""

import numpy as np
import pytest
from builders.decays import draw_decay

from qdcomp.experiment.decays.lifetime import fit_lifetime

REPEATS = 200
"""Two standard errors of a mean are too few once in twenty cases by chance: seeds are fixed."""


def fit_repeats(parts, seed, model, keywords, **drawing):
    rng = np.random.default_rng(seed)
    return [
        fit_lifetime(draw_decay(rng, parts, **drawing), model, **keywords) for _ in range(REPEATS)
    ]


CASES = {
    "one lifetime, start found": ([(5000, 20.0)], "mono", {}, {"background": 1000}),
    "one lifetime, few photons": ([(300, 20.0)], "mono", {}, {"background": 50}),
    "one lifetime, no background": (
        [(3000, 20.0)],
        "mono",
        {"background_per_ns": 0.0, "start_ns": 5.0},
        {},
    ),
    "lifetime of half the period": ([(20_000, 80.0)], "mono", {}, {"background": 4000}),
    "bright and grey of D'Amato": (
        [(8000, 10.2), (2000, 1.3)],
        "bi",
        {"start_ns": 5.12},
        {"background": 400, "pulse_ns": 5.12, "period_ns": 400.0, "bin_ns": 0.128},
    ),
    "short lifetime behind a Gaussian response": (
        [(5000, 2.0)],
        "mono",
        {"response": 0.3},
        {"background": 500, "sigma_ns": 0.3, "period_ns": 100.0},
    ),
    "two lifetimes behind a Gaussian response": (
        [(10_000, 10.2), (5000, 1.3)],
        "bi",
        {"response": 0.3},
        {"background": 500, "sigma_ns": 0.3, "period_ns": 100.0},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_lifetimes_are_unbiased_and_their_errors_cover_the_truth(case):
    parts, model, keywords, drawing = CASES[case]
    fits = fit_repeats(parts, 1, model, keywords, **drawing)
    truths = sorted((lifetime for _, lifetime in parts), reverse=True)
    for i, truth in enumerate(truths):
        values = np.array([fit.components[i].lifetime_ns.value for fit in fits])
        errors = np.array([fit.components[i].lifetime_ns.error for fit in fits])
        assert abs(values.mean() - truth) < 2.0 * values.std() / np.sqrt(REPEATS)
        assert 0.62 < np.mean(np.abs(values - truth) < errors) < 0.74


@pytest.mark.slow
def test_shares_and_averages_have_honest_errors():
    fits = fit_repeats(
        [(8000, 10.2), (2000, 1.3)], 31, "bi", {"start_ns": 5.12}, background=400, pulse_ns=5.12
    )
    heights = np.array([0.8 / 10.2, 0.2 / 1.3])
    truths = {
        "amplitude_average_ns": 1.0 / heights.sum(),
        "intensity_average_ns": 0.8 * 10.2 + 0.2 * 1.3,
        "background_share": 400 / 10_400,
    }
    for name, truth in truths.items():
        found = [getattr(fit, name) for fit in fits]
        inside = [abs(estimate.value - truth) < estimate.error for estimate in found]
        assert 0.62 < np.mean(inside) < 0.74, name
    share = [fit.components[0].amplitude_share for fit in fits]
    truth = heights[0] / heights.sum()
    assert 0.62 < np.mean([abs(one.value - truth) < one.error for one in share]) < 0.74


@pytest.mark.slow
def test_a_measured_response_does_not_bias_a_lifetime_of_its_own_length():
    rng = np.random.default_rng(4)
    shape = {"sigma_ns": 0.3, "period_ns": 40.0}
    light = draw_decay(rng, [(1_000_000, 1e-6)], background=1000, pulse_ns=4.9, **shape)
    fits = fit_repeats([(5000, 0.4)], 5, "mono", {"response": light}, background=300, **shape)
    values = np.array([fit.lifetime_ns.value for fit in fits])
    errors = np.array([fit.lifetime_ns.error for fit in fits])
    assert abs(values.mean() - 0.4) < 2.0 * values.std() / np.sqrt(REPEATS)
    assert 0.62 < np.mean(np.abs(values - 0.4) < errors) < 0.74


@pytest.mark.slow
def test_one_lifetime_is_seldom_taken_for_two():
    # Two tests at 1 % each; 200 repeats of 2 % give at most 10 but once in a thousand.
    fits = fit_repeats([(5000, 20.0)], 6, "auto", {}, background=500)
    assert sum(fit.model != "mono" for fit in fits) <= 10


@pytest.mark.slow
def test_the_bright_and_the_grey_lifetime_are_always_told_apart():
    rng = np.random.default_rng(7)
    for _ in range(50):
        decay = draw_decay(rng, [(4000, 10.2), (1000, 1.3)], background=100)
        assert fit_lifetime(decay).model == "bi"


@pytest.mark.slow
def test_the_p_value_of_a_right_model_is_even():
    fits = fit_repeats([(20_000, 20.0)], 8, "mono", {}, background=2000)
    p_values = np.array([fit.p_value for fit in fits])
    assert 0.02 < np.mean(p_values < 0.1) < 0.18
    assert 0.4 < np.mean(p_values < 0.5) < 0.6
