from pathlib import Path

import numpy as np
import pytest
from builders.photon_files import (
    draw_pulsed_photons,
    encode_hydraharp_t2,
    encode_hydraharp_t3,
    encode_picoharp_t2,
    encode_picoharp_t3,
    encode_timeharp200,
)
from ptufile import PtuFile

from qdcomp.experiment.files.stream_checks import LATEST_TICK, StreamTally
from qdcomp.experiment.files.tttr import (
    HYDRAHARP1_T2,
    HYDRAHARP1_T3,
    HYDRAHARP2_T2,
    HYDRAHARP2_T3,
    PICOHARP_T2,
    PICOHARP_T3,
    SYNC_CHANNEL,
    TIMEHARP200_T3,
    RecordLayout,
    decode_records,
)

OVERFLOW = 1 << 31 | 63 << 25


def pack(*records: int) -> np.ndarray:
    return np.array(records, np.uint32)


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("tsb_hydraharp_v20_t3.ptu", HYDRAHARP2_T3),
        ("tsb_hydraharp_v20_t2.ptu", HYDRAHARP2_T2),
        ("tsb_picoharp_v30_t2.ptu", PICOHARP_T2),
    ],
)
def test_real_records_decode_as_in_ptufile(
    shared_data: Path, name: str, layout: RecordLayout
) -> None:
    with PtuFile(shared_data / "photon" / name) as file:
        records = file.read_records()
        theirs = file.decode_records(records)
    theirs = theirs[theirs["channel"] >= 0]
    ours = decode_records(records, layout, 1 << 15, StreamTally())
    assert np.array_equal(ours.macrotimes, theirs["time"])
    assert np.array_equal(ours.channels, theirs["channel"])
    if layout.mode == "T3":
        assert np.array_equal(ours.microtimes, theirs["dtime"])


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_result_does_not_depend_on_the_chunks(size: int) -> None:
    records = encode_hydraharp_t3(*draw_pulsed_photons(3000, 1))
    records[::100] = OVERFLOW | 1
    whole_tally, tally = StreamTally(), StreamTally()
    whole = decode_records(records, HYDRAHARP2_T3, 2000, whole_tally)
    parts = [
        decode_records(records[n : n + size], HYDRAHARP2_T3, 2000, tally)
        for n in range(0, len(records), size)
    ]
    assert np.array_equal(np.concatenate([p.macrotimes for p in parts]), whole.macrotimes)
    assert np.array_equal(np.concatenate([p.microtimes for p in parts]), whole.microtimes)
    assert np.array_equal(tally.counts, whole_tally.counts)
    assert (tally.end, tally.backward, tally.beyond) == (
        whole_tally.end,
        whole_tally.backward,
        whole_tally.beyond,
    )
    assert tally.beyond > 0


@pytest.mark.parametrize(
    ("layout", "version"), [(HYDRAHARP1_T3, 1), (HYDRAHARP2_T3, 2)], ids=["V1", "V2"]
)
def test_hydraharp_t3_returns_what_was_encoded(layout: RecordLayout, version: int) -> None:
    pulses, channels, delays = draw_pulsed_photons(2000, 2)
    records = encode_hydraharp_t3(pulses, channels, delays, version=version)
    chunk = decode_records(records, layout, 3125, StreamTally())
    assert np.array_equal(chunk.macrotimes, pulses)
    assert np.array_equal(chunk.channels, channels)
    assert np.array_equal(chunk.microtimes, delays)


def test_picoharp_and_timeharp_return_what_was_encoded() -> None:
    pulses, channels, delays = draw_pulsed_photons(2000, 3)
    for encode, layout in (
        (encode_picoharp_t3, PICOHARP_T3),
        (encode_timeharp200, TIMEHARP200_T3),
    ):
        chunk = decode_records(encode(pulses, channels, delays), layout, 4096, StreamTally())
        assert np.array_equal(chunk.macrotimes, pulses)
        assert np.array_equal(chunk.channels, channels)
        assert np.array_equal(chunk.microtimes, delays)


def test_t2_times_pass_the_overflow() -> None:
    times = np.array([5, 33554431, 33554432, 10**9, 10**12])
    channels = np.array([0, 1, 0, 1, 0])
    for records, layout in (
        (encode_hydraharp_t2(times, channels), HYDRAHARP2_T2),
        (encode_picoharp_t2(times, channels), PICOHARP_T2),
    ):
        chunk = decode_records(records, layout, 0, StreamTally())
        assert np.array_equal(chunk.macrotimes, times)
        assert np.array_equal(chunk.channels, channels)
        assert chunk.microtimes is None


def test_overflows_count_one_in_v1_and_several_in_v2() -> None:
    photon = 1 << 25 | 5
    three = pack(OVERFLOW | 3, photon)
    none = pack(OVERFLOW, photon)
    for layout, records, expected in (
        (HYDRAHARP1_T2, three, 33552000 + 5),
        (HYDRAHARP2_T2, three, 3 * 33554432 + 5),
        (HYDRAHARP2_T2, none, 33554432 + 5),
        (HYDRAHARP1_T3, three, 1024 + 5),
        (HYDRAHARP2_T3, three, 3 * 1024 + 5),
        (HYDRAHARP2_T3, none, 1024 + 5),
    ):
        assert decode_records(records, layout, 10, StreamTally()).macrotimes.tolist() == [expected]


def test_sync_events_keep_apart_from_the_first_input() -> None:
    chunk = decode_records(pack(1 << 31 | 7, 8), HYDRAHARP2_T2, 0, StreamTally())
    assert chunk.channels.tolist() == [SYNC_CHANNEL, 0]


def test_markers_have_times_and_bits_and_are_no_photons() -> None:
    for layout, record, time, bits in (
        (HYDRAHARP2_T3, 1 << 31 | 3 << 25 | 9, 9, 3),
        (HYDRAHARP2_T2, 1 << 31 | 2 << 25 | 9, 9, 2),
        (PICOHARP_T3, 15 << 28 | 4 << 16 | 9, 9, 4),
        (PICOHARP_T2, 15 << 28 | 0x105, 0x100, 5),
        (TIMEHARP200_T3, 7 << 16 | 9, 9, 7),
    ):
        chunk = decode_records(pack(record), layout, 10, StreamTally())
        assert chunk.markers.macrotimes.tolist() == [time]
        assert chunk.markers.bits.tolist() == [bits]
        assert len(chunk.macrotimes) == 0


def test_records_of_no_kind_are_counted_and_left_out() -> None:
    for layout, record in (
        (HYDRAHARP2_T3, 1 << 31 | 20 << 25),
        (HYDRAHARP2_T2, 1 << 31 | 20 << 25),
        (PICOHARP_T3, 0),
        (PICOHARP_T2, 9 << 28),
        (TIMEHARP200_T3, 0),
    ):
        tally = StreamTally()
        assert len(decode_records(pack(record), layout, 10, tally).macrotimes) == 0
        assert tally.unknown == 1


def test_photons_that_go_back_in_time_are_counted_and_left_out() -> None:
    tally = StreamTally()
    chunk = decode_records(pack(5, 9, 6, 9, 10), HYDRAHARP2_T2, 0, tally)
    assert chunk.macrotimes.tolist() == [5, 9, 9, 10]
    assert tally.backward == 1


def test_overflows_without_end_do_not_wrap_around() -> None:
    tally = StreamTally()
    records = np.full(100_000, OVERFLOW | 0x1FFFFFF, np.uint32)
    decode_records(records, HYDRAHARP2_T2, 0, tally)
    assert tally.end == LATEST_TICK


def test_last_overflow_ends_the_stream() -> None:
    tally = StreamTally()
    decode_records(pack(5, OVERFLOW | 2), HYDRAHARP2_T3, 10, tally)
    assert tally.end == 2048
