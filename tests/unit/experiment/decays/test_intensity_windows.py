import numpy as np
import pytest
from builders.decays import ChunkedStream, draw_stream

from qdcomp.errors import InputError
from qdcomp.experiment.decays.decay import compute_decay
from qdcomp.experiment.decays.intensity_windows import (
    IntensityWindow,
    choose_intensity_windows,
    fit_intensity_windows,
)

WINDOWS = (IntensityWindow("bright", 100, np.inf), IntensityWindow("grey", 10, 100))


def damato_stream():
    rng = np.random.default_rng(1)
    levels = np.repeat(rng.integers(0, 3, 60), 20)
    rates = np.array([20_000.0, 5_000.0, 0.0])
    return levels, draw_stream(
        rng, levels, rates, np.array([10.2, 1.3, 1.0]), background_per_s=200.0
    )


def test_the_bright_and_the_grey_window_have_their_own_lifetimes():
    levels, stream = damato_stream()
    bright, grey = fit_intensity_windows(stream, WINDOWS)
    for found, truth in ((bright, 10.2), (grey, 1.3)):
        error = found.fit.lifetime_ns.error
        assert abs(found.fit.lifetime_ns.value - truth) < 3.5 * error
        assert error < 0.05 * truth
    assert bright.time_share == np.mean(levels == 0)
    assert grey.n_bins == np.sum(levels == 1)


def test_windows_share_out_all_photons_and_do_not_depend_on_the_chunks():
    _, stream = damato_stream()
    windows = (*WINDOWS, IntensityWindow("dark", 0, 10))
    whole = fit_intensity_windows(stream, windows)
    pieces = fit_intensity_windows(ChunkedStream(stream, [3, 2500]), windows)
    for one, other in zip(whole, pieces, strict=True):
        np.testing.assert_array_equal(one.decay.counts, other.decay.counts)
    assert sum(found.decay.photons for found in whole) == compute_decay(stream).photons


def test_a_window_without_photons_says_so_instead_of_a_lifetime():
    _, stream = damato_stream()
    (empty,) = fit_intensity_windows(stream, [IntensityWindow("brighter", 1000, np.inf)])
    assert empty.fit is None
    assert "0 photons" in empty.reason
    assert empty.time_share == 0.0


def test_default_windows_are_shares_of_the_brightest_level():
    counts = np.array([200] * 50 + [50] * 50 + [2] * 50)
    bright, grey, dark = choose_intensity_windows(counts)
    assert (bright.lowest, grey.lowest, dark.lowest) == (100.0, 40.0, 0.0)
    assert (grey.below, dark.below) == (100.0, 40.0)


@pytest.mark.parametrize("shares", [(0.5, 0.2), (0.2,), (0.0, 0.5)])
def test_borders_that_do_not_rise_are_refused(shares):
    with pytest.raises(InputError, match="rising"):
        choose_intensity_windows(np.array([1, 2, 3]), shares)
