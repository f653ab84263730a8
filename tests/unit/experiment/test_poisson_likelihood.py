import numpy as np
import pytest

from qdcomp.experiment.poisson_likelihood import compute_deviance, maximise_likelihood

X = np.arange(12.0)


def line(point):
    slopes = np.column_stack([np.ones_like(X), X])
    return slopes @ point, slopes


def maximise(counts, start):
    free = np.full(2, np.inf)
    return maximise_likelihood(counts, line, np.array(start), np.zeros(2), free)


def test_at_the_maximum_no_direction_goes_up():
    counts = np.random.default_rng(1).poisson(5.0 + 2.0 * X).astype(float)
    fit = maximise(counts, [1.0, 1.0])
    expected, slopes = line(fit.parameters)
    # Steps end when log L gains less than 1e-7, which leaves so much of a slope.
    assert np.all(np.abs(slopes.T @ (counts / expected - 1.0)) * fit.errors < 1e-3)
    assert fit.converged


def test_a_constant_has_the_error_of_a_mean_of_counts():
    counts = np.random.default_rng(2).poisson(40.0, 12).astype(float)
    fit = maximise_likelihood(
        counts,
        lambda p: (np.full(12, p[0]), np.ones((12, 1))),
        np.array([3.0]),
        np.zeros(1),
        np.full(1, np.inf),
    )
    assert fit.parameters[0] == pytest.approx(counts.mean(), rel=1e-5)
    assert fit.errors[0] == pytest.approx(np.sqrt(counts.mean() / 12), rel=1e-4)


def test_a_parameter_that_the_data_push_out_rests_at_its_bound_with_a_limit():
    counts = np.array([30.0, 20, 12, 9, 5, 3, 2, 1, 0, 0, 0, 0])
    fit = maximise(counts, [5.0, 1.0])
    assert fit.parameters[1] == 0.0
    assert fit.at_bound.tolist() == [False, True]
    expected, slopes = line(fit.parameters)
    push = -slopes[:, 1] @ (counts / expected - 1.0)
    # e^{−push·limit} is what lies beyond.
    assert np.exp(-push * fit.errors[1]) == pytest.approx(0.32, abs=0.01)


def test_the_deviance_of_a_right_model_is_its_degrees_of_freedom():
    rng = np.random.default_rng(3)
    mean = np.full(200_000, 20.0)
    deviance = compute_deviance(rng.poisson(mean).astype(float), mean)
    assert deviance / 200_000 == pytest.approx(1.0, abs=0.02)
    assert compute_deviance(mean, mean) == 0.0
