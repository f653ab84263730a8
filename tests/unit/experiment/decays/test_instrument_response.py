import numpy as np
import pytest
from builders.decays import draw_decay

from qdcomp.errors import InputError
from qdcomp.experiment.decays.decay import make_decay
from qdcomp.experiment.decays.decay_models import DecayShape
from qdcomp.experiment.decays.instrument_response import (
    compute_response_cumulative,
    make_gaussian_response,
    make_measured_response,
)


def scattered_light(photons=3_000_000.0, background=0.0, sigma=0.3):
    rng = np.random.default_rng(5)
    return draw_decay(
        rng, [(photons, 1e-9)], background=background, period_ns=50.0, bin_ns=0.05, sigma_ns=sigma
    )


@pytest.mark.parametrize("lifetime", [0.7, 6.0, 90.0])
def test_a_measured_gaussian_response_acts_like_the_closed_form(lifetime):
    measured = make_measured_response(scattered_light(), 50.0)
    borders = np.linspace(0.0, 50.0, 1001)
    shape = DecayShape(lifetime)
    # The light came 5 ns after the zero of the axis.
    closed = compute_response_cumulative(
        shape, borders, 5.0, 50.0, make_gaussian_response(0.3, 50.0)
    )
    convolved = compute_response_cumulative(shape, borders, 0.0, 50.0, measured)
    np.testing.assert_allclose(convolved - convolved[0], closed - closed[0], atol=1.5e-3)


def test_a_stretched_exponential_behind_a_gaussian_goes_over_into_a_plain_one():
    borders = np.linspace(0.0, 50.0, 501)
    response = make_gaussian_response(0.4, 50.0)
    masses = [
        np.diff(compute_response_cumulative(DecayShape(6.0, beta), borders, 7.03, 50.0, response))
        for beta in (1.0, 1.0 + 1e-9)
    ]
    np.testing.assert_allclose(masses[1], masses[0], atol=2e-5)


def test_the_floor_of_a_measured_response_is_taken_off():
    noisy = make_measured_response(scattered_light(100_000.0, background=20_000.0), 50.0)
    assert noisy.photons == pytest.approx(100_000, rel=0.02)
    assert noisy.peak_ns == pytest.approx(5.0, abs=0.3)


def test_a_response_of_another_repetition_rate_is_refused():
    with pytest.raises(InputError, match="repetition rate"):
        make_measured_response(scattered_light(1000.0), 100.0)


def test_a_response_without_a_peak_is_refused():
    flat = make_decay(np.full(1000, 3), period_ns=50.0, bin_ns=0.05)
    with pytest.raises(InputError, match="no peak"):
        make_measured_response(flat, 50.0)


@pytest.mark.parametrize("sigma", [0.0, -1.0, np.nan, 10.0])
def test_a_gaussian_response_is_short_and_positive(sigma):
    with pytest.raises(InputError, match="σ"):
        make_gaussian_response(sigma, 50.0)
