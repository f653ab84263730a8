import numpy as np
import pytest
from builders.decays import ChunkedStream, draw_stream

from qdcomp.errors import InputError
from qdcomp.experiment.decays.decay import compute_decay, make_decay
from qdcomp.experiment.photon_stream import make_photon_stream


def steady_stream(seed=1, seconds=2.0):
    levels = np.zeros(round(seconds / 0.01), int)
    return draw_stream(np.random.default_rng(seed), levels, np.array([5000.0]), np.array([10.0]))


def test_every_photon_is_in_the_bin_of_its_microtime():
    stream = make_photon_stream(
        [0, 1, 2, 3], 200e-9, microtimes=[0, 5, 5, 9], microtime_resolution_ns=20.0
    )
    decay = compute_decay(stream)
    assert decay.counts.tolist() == [1, 0, 0, 0, 0, 2, 0, 0, 0, 1]
    assert decay.edges_ns[-1] == pytest.approx(200.0)


def test_the_last_bin_ends_with_the_period():
    decay = make_decay(np.ones(8), period_ns=7.5, bin_ns=1.0)
    assert np.diff(decay.edges_ns).tolist() == [1.0] * 7 + [0.5]


def test_the_decay_does_not_depend_on_the_chunks():
    stream = steady_stream()
    selected = np.random.default_rng(2).random(200) < 0.5
    whole = compute_decay(stream, (0,), ticks_per_bin=3, selected=selected)
    pieces = compute_decay(
        ChunkedStream(stream, [1, 17, 901]), (0,), ticks_per_bin=3, selected=selected
    )
    np.testing.assert_array_equal(whole.counts, pieces.counts)


def test_selected_and_other_bins_make_up_the_whole_decay():
    stream = steady_stream()
    selected = np.arange(200) % 3 == 0
    parts = [compute_decay(stream, selected=chosen) for chosen in (selected, ~selected)]
    np.testing.assert_array_equal(parts[0].counts + parts[1].counts, compute_decay(stream).counts)
    assert parts[0].duration_s == pytest.approx(0.67)


def test_a_stream_without_microtimes_is_refused_with_the_remedy():
    stream = make_photon_stream([1, 2, 3], 1e-12)
    with pytest.raises(InputError, match="mode T3"):
        compute_decay(stream)


def test_a_channel_that_saw_nothing_is_refused():
    with pytest.raises(InputError, match="channels \\[7\\]"):
        compute_decay(steady_stream(), (7,))


def test_a_range_that_ends_early_is_found_and_said():
    rng = np.random.default_rng(3)
    delays = rng.exponential(20.0, 20000)
    counts = np.bincount((delays[delays < 60.0] / 0.1).astype(int))
    decay = make_decay(counts, period_ns=200.0, bin_ns=0.1)
    assert decay.recorded_ns[1] == pytest.approx(60.0, abs=0.3)
    assert "60" in decay.warnings[0]


@pytest.mark.parametrize("lifetime", [0.5, 5.0, 20.0])
def test_a_decay_that_has_died_out_is_not_taken_for_a_range_that_ends(lifetime):
    rng = np.random.default_rng(4)
    counts = np.bincount((rng.exponential(lifetime, 20000) % 200.0 / 0.1).astype(int))
    assert make_decay(counts, period_ns=200.0, bin_ns=0.1).recorded_ns == (0.0, 200.0)


def test_a_crowded_detector_is_reported():
    pulses = np.arange(0, 100000, 10)
    stream = make_photon_stream(
        pulses, 200e-9, microtimes=pulses % 100, microtime_resolution_ns=1.0
    )
    assert any("pile-up" in warning for warning in compute_decay(stream).warnings)


@pytest.mark.parametrize("counts", [[1.5, 2.0], [-1, 3], [np.nan, 1.0]])
def test_a_normalised_or_broken_histogram_is_refused(counts):
    with pytest.raises(InputError, match="photons"):
        make_decay(counts, period_ns=10.0, bin_ns=1.0)
