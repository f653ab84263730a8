"""g2 of continuous excitation: the dip of a single emitter."""

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.correlations.cw_g2 import compute_cw_g2, fit_antibunching
from qdcomp.experiment.photon_stream import make_photon_stream


def draw_emitter(rng, duration_s=0.02, mean_ns=50.0, efficiency=0.3, background_per_s=0.0):
    """A two-level emitter: each photon needs an excitation (40 ns) and an emission (10 ns)."""
    number = int(duration_s / (mean_ns * 1e-9) * 1.05)
    waits = rng.exponential(0.8 * mean_ns, number) + rng.exponential(0.2 * mean_ns, number)
    times = np.cumsum(waits) * 1e-9
    times = times[(times < duration_s) & (rng.random(number) < efficiency)]
    dark = rng.random(rng.poisson(background_per_s * duration_s)) * duration_s
    times = np.sort(np.concatenate([times, dark]))
    return make_photon_stream(
        (times * 1e12).astype(np.int64),
        1e-12,
        channels=rng.integers(0, 2, len(times)),
        duration_s=duration_s,
    )


def test_light_far_from_zero_delay_gives_one():
    found = compute_cw_g2(draw_emitter(np.random.default_rng(1)), range_ns=600.0, bin_ns=2.0)
    far = np.abs(found.delays_ns) > 200
    pulls = (found.g2[far] - 1) / found.error[far]
    assert abs(pulls.mean()) < 0.5 and pulls.std() == pytest.approx(1.0, abs=0.15)
    assert found.delays_ns[len(found.delays_ns) // 2] == pytest.approx(0.0, abs=0.01)


def test_a_single_emitter_over_many_repeats():
    rng = np.random.default_rng(2)
    fits = [
        fit_antibunching(compute_cw_g2(draw_emitter(rng), range_ns=150.0, bin_ns=1.0))
        for _ in range(60)
    ]
    # Renewal of two exponential steps: g2 = 1 − exp(−(1/40 + 1/10) τ).
    for name, truth in (("zero_delay", 0.0), ("time_ns", 8.0), ("level", 1.0)):
        values = np.array([getattr(fit, name).value for fit in fits])
        errors = np.array([getattr(fit, name).error for fit in fits])
        assert abs(values.mean() - truth) < 3 * values.std() / np.sqrt(60)
        assert values.std() == pytest.approx(errors.mean(), rel=0.3)


def test_background_fills_the_dip():
    rng = np.random.default_rng(3)
    fits = [
        fit_antibunching(compute_cw_g2(draw_emitter(rng, background_per_s=1.5e6), range_ns=150.0))
        for _ in range(10)
    ]
    signal = 6e6 / 7.5e6
    mean = np.mean([fit.zero_delay.value for fit in fits])
    assert mean == pytest.approx(1 - signal**2, abs=0.03)


def test_light_without_a_dip_has_none():
    rng = np.random.default_rng(4)
    times = np.sort(rng.integers(0, 10**10, 40_000))
    stream = make_photon_stream(times, 1e-12, channels=rng.integers(0, 2, 40_000))
    with pytest.raises(InputError, match=r"no antibunching|no dip"):
        fit_antibunching(compute_cw_g2(stream))


@pytest.mark.parametrize("options", [{"bin_ns": 0.0}, {"range_ns": 1.0}, {"range_ns": np.nan}])
def test_what_cannot_be_is_refused(options):
    with pytest.raises(InputError):
        compute_cw_g2(draw_emitter(np.random.default_rng(5), 1e-4), **options)


def test_too_few_pairs_are_not_fitted():
    stream = make_photon_stream(
        np.arange(0, 40_000_000, 1_000_000), 1e-12, channels=np.arange(40) % 2
    )
    with pytest.raises(InputError, match="pairs"):
        fit_antibunching(compute_cw_g2(stream, range_ns=400.0, bin_ns=100.0))
