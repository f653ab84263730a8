import h5py
import numpy as np
import pytest
from builders.decays import draw_decay

from qdcomp.errors import InputError
from qdcomp.experiment.decays.decay import make_decay
from qdcomp.experiment.decays.lifetime import fit_lifetime


def within(estimate, truth, sigmas=3.5):
    return abs(estimate.value - truth) < sigmas * estimate.error


def test_one_lifetime_comes_back_with_its_background():
    decay = draw_decay(np.random.default_rng(1), [(50_000, 20.0)], background=5000)
    fit = fit_lifetime(decay, "mono", start_ns=5.0)
    assert within(fit.lifetime_ns, 20.0)
    assert fit.lifetime_ns.error == pytest.approx(20.0 / np.sqrt(50_000), rel=0.3)
    assert within(fit.background_share, 1 / 11)
    assert fit.p_value > 1e-3


def test_the_grey_and_bright_lifetimes_of_damato_come_back_together():
    decay = draw_decay(
        np.random.default_rng(2), [(80_000, 10.2), (20_000, 1.3)], background=4000, period_ns=400.0
    )
    fit = fit_lifetime(decay, start_ns=5.0)
    assert fit.model == "bi"
    bright, grey = fit.components
    assert within(bright.lifetime_ns, 10.2)
    assert within(grey.lifetime_ns, 1.3)
    assert within(grey.photon_share, 0.2)
    heights = np.array([8 / 10.2, 2 / 1.3])
    assert within(grey.amplitude_share, heights[1] / heights.sum())
    assert within(fit.amplitude_average_ns, 10.0 / heights.sum())
    assert within(fit.intensity_average_ns, 0.8 * 10.2 + 0.2 * 1.3)


def test_a_lifetime_near_the_period_is_not_taken_for_background():
    decay = draw_decay(np.random.default_rng(3), [(400_000, 90.0)], background=40_000)
    fit = fit_lifetime(decay, "mono", start_ns=5.0)
    assert within(fit.lifetime_ns, 90.0)
    assert within(fit.background_share, 1 / 11)


def test_a_stretched_exponential_comes_back():
    rng = np.random.default_rng(4)
    # e^{−(t/τ)^β} as a density: t = τ g^{1/β}, g of a gamma distribution of shape 1/β.
    delays = 6.0 * rng.gamma(1 / 0.7, size=80_000) ** (1 / 0.7)
    folded = np.append((5.0 + delays) % 200.0, rng.uniform(0.0, 200.0, 2000))
    counts = np.bincount((folded / 0.064).astype(int), minlength=3125)
    fit = fit_lifetime(make_decay(counts, period_ns=200.0, bin_ns=0.064), start_ns=5.0)
    assert fit.model == "stretched"
    assert within(fit.stretching, 0.7)
    assert within(fit.components[0].lifetime_ns, 6.0)


@pytest.mark.parametrize("measured", [False, True])
def test_a_lifetime_as_short_as_the_response_comes_back_by_reconvolution(measured):
    rng = np.random.default_rng(5)
    decay = draw_decay(rng, [(30_000, 0.4)], background=1000, sigma_ns=0.3)
    light = draw_decay(rng, [(2_000_000, 1e-6)], background=2000, pulse_ns=4.9, sigma_ns=0.3)
    fit = fit_lifetime(decay, "mono", response=light if measured else 0.3)
    assert within(fit.lifetime_ns, 0.4)
    # With a Gaussian the start is the pulse, with a measured response the shift against it.
    assert within(fit.start_ns, 0.1 if measured else 5.0)


def test_two_lifetimes_come_back_behind_a_response():
    decay = draw_decay(
        np.random.default_rng(6), [(60_000, 10.2), (30_000, 1.3)], background=2000, sigma_ns=0.3
    )
    fit = fit_lifetime(decay, response=0.3)
    assert fit.model == "bi"
    assert within(fit.components[0].lifetime_ns, 10.2)
    assert within(fit.components[1].lifetime_ns, 1.3)
    assert fit.p_value > 1e-3


def test_the_start_is_found_past_the_rise_and_the_assumption_is_said():
    decay = draw_decay(
        np.random.default_rng(7), [(100_000, 20.0)], background=5000, pulse_ns=30.0, sigma_ns=0.3
    )
    fit = fit_lifetime(decay, "mono")
    assert within(fit.lifetime_ns, 20.0)
    assert 30.0 < fit.start_ns.value < 33.0
    assert any("found from the peak" in warning for warning in fit.warnings)


def test_a_pulse_at_the_end_of_the_period_is_the_same_as_one_at_its_beginning():
    fits = [
        fit_lifetime(
            draw_decay(np.random.default_rng(8), [(50_000, 20.0)], pulse_ns=pulse, background=500),
            "mono",
        )
        for pulse in (3.2, 199.68)
    ]
    assert fits[0].lifetime_ns.value == pytest.approx(fits[1].lifetime_ns.value, rel=0.01)


def test_the_fit_does_not_need_the_tail_that_was_not_recorded():
    decay = draw_decay(np.random.default_rng(9), [(50_000, 20.0)], background=5000)
    cut = make_decay(decay.counts[:1300], period_ns=200.0, bin_ns=0.064)
    fit = fit_lifetime(cut, "mono", start_ns=5.0)
    assert within(fit.lifetime_ns, 20.0)
    assert not fit.fitted[1310:].any()


def test_wider_bins_give_the_same_lifetime():
    decay = draw_decay(np.random.default_rng(10), [(20_000, 20.0)], background=500)
    wide = make_decay(
        decay.counts[:3120].reshape(-1, 8).sum(axis=1), period_ns=199.68, bin_ns=0.512
    )
    one, other = (fit_lifetime(d, "mono", start_ns=5.12).lifetime_ns for d in (decay, wide))
    assert one.value == pytest.approx(other.value, abs=0.2 * one.error)


def test_a_wrong_model_shows_in_the_deviance():
    decay = draw_decay(np.random.default_rng(11), [(40_000, 10.2), (20_000, 1.3)], background=500)
    fit = fit_lifetime(decay, "mono", start_ns=5.0)
    assert fit.deviance_per_degree > 3
    assert any("misses the decay" in warning for warning in fit.warnings)


def test_a_background_that_is_given_stays():
    decay = draw_decay(np.random.default_rng(12), [(3000, 20.0)], background=400)
    fit = fit_lifetime(decay, "mono", background_per_ns=2.0)
    assert fit.background_per_ns.value == 2.0
    assert fit.background_per_ns.error == 0.0
    assert within(fit.lifetime_ns, 20.0)


def test_too_few_photons_are_refused():
    decay = draw_decay(np.random.default_rng(13), [(10, 20.0)])
    with pytest.raises(InputError, match="photons"):
        fit_lifetime(decay)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"model": "tri"}, "choose mono"),
        ({"start_ns": 300.0}, "outside the period"),
        ({"background_per_ns": -1.0}, "not a rate"),
    ],
)
def test_senseless_requests_are_refused(keywords, message):
    decay = draw_decay(np.random.default_rng(14), [(1000, 20.0)])
    with pytest.raises(InputError, match=message):
        fit_lifetime(decay, **keywords)


def test_the_public_single_dot_has_a_long_and_a_short_lifetime(shared_data):
    path = shared_data / "photon" / "derived_tsb_hydraharp_v20_t3.photon.hdf5"
    with h5py.File(path) as file:
        microtimes = file["photon_data/nanotimes"][:]
    decay = make_decay(np.bincount(microtimes), period_ns=200.0016, bin_ns=0.064)
    fit = fit_lifetime(decay)
    assert fit.model == "bi"
    assert within(fit.components[0].lifetime_ns, 39.0, 1.0)
    assert within(fit.components[1].lifetime_ns, 4.2, 1.0)
    assert fit.background_share.value == pytest.approx(0.087, abs=0.005)
    assert fit.p_value > 0.01
