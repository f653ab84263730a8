"""Photons of some intensities, and g2 of them."""

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.attempts import Attempts
from qdcomp.experiment.blinking.blinking import classify_blinking
from qdcomp.experiment.correlations.cw_g2 import compute_cw_g2
from qdcomp.experiment.correlations.g2_analysis import analyse_g2
from qdcomp.experiment.correlations.intensity_selection import select_intensities
from qdcomp.experiment.intensity_trace import compute_blinking_trace
from qdcomp.experiment.photon_stream import make_photon_stream


def draw_blinking_light(seed, duration=20.0):
    """Bright for a second, dim for the next, and so on: 20000 and 4000 counts/s."""
    rng = np.random.default_rng(seed)
    times = np.sort(rng.random(rng.poisson(2e4 * duration))) * duration
    bright = times % 2 < 1
    times = times[bright | (rng.random(len(times)) < 0.2)]
    channels = rng.integers(0, 2, len(times))
    ticks = (times * 1e12).astype(np.int64)
    return make_photon_stream(ticks, 1e-12, channels=channels, duration_s=duration + 0.005)


def select(stream, choice):
    trace = compute_blinking_trace(stream)
    return select_intensities(trace, choice, classify_blinking(trace))


def test_on_time_is_the_bright_time():
    stream = draw_blinking_light(1)
    chosen = select(stream, "on")
    assert chosen.time_share == pytest.approx(0.5, abs=0.01)
    assert chosen.selected_s == pytest.approx(10.0, abs=0.2)
    kept = chosen.keep(stream)
    assert np.count_nonzero(kept) == chosen.photons
    assert np.all(stream.macrotimes[kept] % (2 * 10**12) < 10**12)
    left_out = chosen.list_left_out(stream.header.duration_s)
    assert sum(high - low for low, high in left_out) + chosen.selected_s == pytest.approx(20.005)


def test_grey_time_and_windows_of_counts():
    stream = draw_blinking_light(2)
    window = select(stream, (100.0, np.inf))
    assert window.name == "time of 100 to below inf counts per bin"
    np.testing.assert_array_equal(window.bins, select(stream, "on").bins)
    assert not np.any(select(stream, "grey").bins & window.bins)


def test_g2_of_the_bright_time_does_not_bunch():
    stream = draw_blinking_light(3)
    trace = compute_blinking_trace(stream)
    everything = analyse_g2(stream, trace, Attempts())
    chosen = analyse_g2(stream, trace, Attempts(), selection=select(stream, "on"))
    bunched = everything.long_delay.g2[everything.long_delay.delays_s < 0.01]
    assert bunched[-10:].mean() == pytest.approx(1.44, abs=0.05)
    delays = chosen.long_delay
    pulls = (delays.pairs - delays.expected) / np.sqrt(np.maximum(delays.expected, 1e-9))
    seen = delays.expected > 5
    assert np.mean(np.abs(pulls[seen]) < 3) >= 0.95
    assert chosen.cw.g2.mean() == pytest.approx(1.0, abs=4 / np.sqrt(chosen.cw.pairs.sum()))
    assert chosen.numbers["photons_of"] == "ON time"
    assert "ON time alone, 50" in " ".join(chosen.warnings)


def test_choices_that_leave_nothing_say_so():
    stream = draw_blinking_light(4, 2.0)
    trace = compute_blinking_trace(stream)
    with pytest.raises(InputError, match="no time bin"):
        select(stream, (1e6, 1e7))
    with pytest.raises(InputError, match="no window"):
        select(stream, (5.0, 2.0))
    with pytest.raises(InputError, match="not told apart"):
        select_intensities(trace, "on")
    with pytest.raises(InputError, match="none of the photons"):
        compute_cw_g2(stream, keep=lambda chunk: np.zeros(len(chunk), bool), kept_s=1.0)
