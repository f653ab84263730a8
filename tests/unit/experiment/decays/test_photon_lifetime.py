import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.decays.photon_lifetime import estimate_lifetime


def test_without_background_and_cut_it_is_the_mean_delay():
    delays = np.random.default_rng(1).exponential(5.0, 300)
    found = estimate_lifetime(delays, 1000.0)
    assert found.value == pytest.approx(delays.mean(), rel=1e-5)
    assert found.error == pytest.approx(delays.mean() / np.sqrt(300), rel=1e-3)


def test_no_lifetime_near_the_found_one_is_more_likely():
    rng = np.random.default_rng(2)
    delays = np.append(rng.exponential(12.0, 150), rng.uniform(0.0, 100.0, 30))
    delays = delays[delays < 100.0]
    found = estimate_lifetime(delays, 100.0, 30.0)

    def best(tau):
        shape = np.exp(-delays / tau) / (tau * -np.expm1(-100.0 / tau))
        signals = np.linspace(100.0, 190.0, 901)[:, None]
        return np.max(np.log(signals * shape + 0.3).sum(axis=1) - signals[:, 0])

    top = best(found.value)
    assert top >= max(best(found.value * 0.99), best(found.value * 1.01))
    # One standard error away the profile is half a unit lower.
    assert top - best(found.value + found.error) == pytest.approx(0.5, abs=0.12)


@pytest.mark.parametrize(
    ("photons", "lifetime", "background"), [(200, 20.0, 0), (200, 20.0, 20), (40, 10.0, 4)]
)
def test_errors_cover_the_truth_as_often_as_they_say(photons, lifetime, background):
    rng = np.random.default_rng(3)
    found = []
    for _ in range(1000):
        delays = rng.exponential(lifetime, rng.poisson(photons)) % 200.0
        delays = np.append(delays, rng.uniform(0.0, 200.0, rng.poisson(background)))
        found.append(estimate_lifetime(delays, 200.0, background))
    values = np.array([f.value for f in found])
    errors = np.array([f.error for f in found])
    assert 0.62 < np.mean(np.abs(values - lifetime) < errors) < 0.74
    assert abs(values.mean() - lifetime) < 0.1 * values.std()


def test_even_delays_have_no_lifetime():
    delays = np.linspace(0.0, 100.0, 200)
    assert np.isnan(estimate_lifetime(delays, 100.0, 0.0).value)


def test_delays_outside_the_gate_are_refused():
    with pytest.raises(InputError, match="gate"):
        estimate_lifetime(np.array([1.0, 300.0]), 200.0)
