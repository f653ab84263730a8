import numpy as np
import pytest
from builders.decays import draw_decay

from qdcomp.errors import InputError
from qdcomp.experiment.decays.decay_start import choose_fit_bins, find_rise, find_start


@pytest.mark.parametrize("pulse", [5.0, 120.0, 199.9])
def test_the_start_is_just_behind_the_pulse_wherever_it_is(pulse):
    decay = draw_decay(
        np.random.default_rng(1), [(50_000, 20.0)], background=5000, pulse_ns=pulse, sigma_ns=0.2
    )
    late = (find_start(decay) - pulse + 100.0) % 200.0 - 100.0
    assert 0.2 < late < 4.0


def test_the_rise_reaches_back_over_the_response():
    decay = draw_decay(
        np.random.default_rng(2), [(500_000, 20.0)], background=50_000, pulse_ns=50.0, sigma_ns=0.5
    )
    start = find_start(decay)
    assert 1.0 < start - 50.0 + find_rise(decay, start) < 20.0
    assert start - find_rise(decay, start) < 50.0 - 1.0


def test_bins_hold_each_photon_behind_the_start_once_and_none_of_the_rise():
    decay = draw_decay(np.random.default_rng(3), [(20_000, 20.0)], background=2000, pulse_ns=50.0)
    bins = choose_fit_bins(decay, 51.2, 3.2, None)
    assert bins.counts.sum() == decay.counts[bins.used].sum()
    left_out = decay.times_ns[~bins.used]
    assert left_out.min() == pytest.approx(48.0, abs=0.07)
    assert left_out.max() == pytest.approx(51.2, abs=0.07)
    assert len(bins.counts) < 400 < len(decay.counts)


def test_the_first_bins_are_as_fine_as_the_decay():
    decay = draw_decay(np.random.default_rng(4), [(20_000, 20.0)])
    bins = choose_fit_bins(decay, 5.12, 0.0, None)
    np.testing.assert_allclose((bins.upper_ns - bins.lower_ns)[:20], 0.064)


def test_a_few_photons_have_no_start():
    with pytest.raises(InputError, match="photons"):
        find_start(draw_decay(np.random.default_rng(5), [(5, 20.0)]))
