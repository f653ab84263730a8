from pathlib import Path

import numpy as np
import pytest

from qdcomp.errors import ParseError
from qdcomp.experiment.files.stream_checks import (
    StreamTally,
    check_photons,
    check_sync_rate,
    check_ticks,
    count_microtime_bins,
    count_records,
    keep_possible_photons,
)

PATH = Path("dot.ptu")


def make_tally(**counted: int) -> StreamTally:
    tally = StreamTally(records=1000, end=5_000_000, **counted)
    tally.counts[0] = 500
    return tally


def test_few_impossible_photons_are_a_warning_and_many_an_error() -> None:
    for name in ("unknown", "backward", "beyond"):
        (warning,) = check_photons(PATH, make_tally(**{name: 10}), "T3", 2e-7, None)
        assert "10 of" in warning
        with pytest.raises(ParseError, match="100 of"):
            check_photons(PATH, make_tally(**{name: 100}), "T3", 2e-7, None)


def test_sound_stream_has_no_warnings() -> None:
    assert check_photons(PATH, make_tally(), "T3", 2e-7, 1.0) == ()


@pytest.mark.parametrize("stop_after_s", [0.5, 2.0])
def test_durations_are_compared(stop_after_s: float) -> None:
    (warning,) = check_photons(PATH, make_tally(), "T3", 2e-7, stop_after_s)
    assert f"last 1 s but the header says {stop_after_s:g} s" in warning


def test_a_month_is_refused() -> None:
    with pytest.raises(ParseError, match="days"):
        check_photons(PATH, make_tally(), "T2", 0.6, None)


def test_sync_rate_may_differ_by_a_percent() -> None:
    assert check_sync_rate(2e-7, 5_030_000) == ()
    assert check_sync_rate(2e-7, 0) == check_sync_rate(2e-7, None) == ()
    assert "disagree" in check_sync_rate(2e-7, 5_100_000)[0]


def test_microtime_tick_is_not_longer_than_the_period() -> None:
    check_ticks(PATH, "T3", 2e-7, 2e-7)
    with pytest.raises(ParseError, match="not more than the sync period"):
        check_ticks(PATH, "T3", 2e-7, 3e-7)


def test_last_microtime_bin_may_be_cut() -> None:
    assert count_microtime_bins(200e-9, 64e-12, 32768) == 3125
    assert count_microtime_bins(200.01e-9, 64e-12, 32768) == 3126
    assert count_microtime_bins(1e-3, 64e-12, 32768) == 32768


def test_records_missing_and_left_over() -> None:
    assert count_records(PATH, 10, 40) == (10, ())
    assert count_records(PATH, 10, 43)[0] == 10
    count, (warning,) = count_records(PATH, 10, 23)
    assert count == 5
    assert "5 of 10 records are missing" in warning
    assert count_records(PATH, -3, 40)[0] == 10


def test_possible_photons_do_not_depend_on_the_chunks() -> None:
    rng = np.random.default_rng(5)
    times = np.cumsum(rng.integers(0, 3, 1000))
    times[rng.integers(0, 1000, 30)] -= 20
    channels = rng.integers(0, 2, 1000).astype(np.uint8)
    delays = rng.integers(0, 105, 1000)
    whole, tally = StreamTally(), StreamTally()
    kept = keep_possible_photons(times, channels, delays, 100, whole)
    parts = [
        keep_possible_photons(times[n : n + 7], channels[n : n + 7], delays[n : n + 7], 100, tally)
        for n in range(0, 1000, 7)
    ]
    assert np.array_equal(np.concatenate(parts), kept)
    assert np.all(np.diff(times[kept]) >= 0)
    assert np.all(delays[kept] < 100)
    assert whole.photons == tally.photons == int(kept.sum())
    assert (whole.backward, whole.beyond) == (tally.backward, tally.beyond)
    assert whole.backward + whole.beyond == 1000 - int(kept.sum())
    assert whole.end == tally.end == times[kept][-1] + 1


def test_negative_times_are_left_out() -> None:
    tally = StreamTally()
    kept = keep_possible_photons(np.array([-5, 3]), np.zeros(2, np.uint8), None, 0, tally)
    assert kept.tolist() == [False, True]
