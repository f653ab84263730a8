import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.decays.radiative_rate import compute_recombination_rates
from qdcomp.experiment.estimate import Estimate


def test_the_two_rates_make_up_the_decay():
    rates = compute_recombination_rates(Estimate(10.2, 0.1), Estimate(0.8, 0.05))
    total = rates.radiative_per_ns.value + rates.nonradiative_per_ns.value
    assert total == pytest.approx(1.0 / 10.2)
    assert rates.radiative_per_ns.value == pytest.approx(0.8 / 10.2)


def test_a_lifetime_of_5_ns_saturates_at_the_200_mhz_of_mi():
    rates = compute_recombination_rates(Estimate(5.0, 0.0), Estimate(1.0, 0.0))
    assert rates.saturation_per_s.value == pytest.approx(200e6)
    assert rates.nonradiative_per_ns.value == 0.0


def test_errors_are_the_spread_of_the_rates():
    rng = np.random.default_rng(1)
    lifetimes = 10.0 + 0.3 * rng.standard_normal(200_000)
    shares = 0.7 + 0.04 * rng.standard_normal(200_000)
    rates = compute_recombination_rates(Estimate(10.0, 0.3), Estimate(0.7, 0.04))
    assert rates.radiative_per_ns.error == pytest.approx(np.std(shares / lifetimes), rel=0.02)
    assert rates.nonradiative_per_ns.error == pytest.approx(
        np.std((1.0 - shares) / lifetimes), rel=0.02
    )


@pytest.mark.parametrize(
    ("lifetime", "share"), [(0.0, 0.5), (-1.0, 0.5), (np.nan, 0.5), (5.0, 1.2), (5.0, -0.1)]
)
def test_senseless_numbers_are_refused(lifetime, share):
    with pytest.raises(InputError):
        compute_recombination_rates(Estimate(lifetime, 0.1), Estimate(share, 0.1))
