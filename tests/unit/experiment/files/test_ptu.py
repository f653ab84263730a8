import logging
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from builders.photon_files import (
    draw_pulsed_photons,
    encode_hydraharp_t2,
    encode_hydraharp_t3,
    encode_picoharp_t2,
    encode_picoharp_t3,
    make_ptu,
)

from qdcomp.errors import ParseError
from qdcomp.experiment.files.photon_files import open_photons, read_photons

PULSES, CHANNELS, DELAYS = draw_pulsed_photons(2000, 1)
RECORDS = encode_hydraharp_t3(PULSES, CHANNELS, DELAYS)
HYDRAHARP2_T3 = 0x01010304


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dot.ptu"


@pytest.mark.parametrize(
    ("record_type", "records"),
    [
        (0x00010303, encode_picoharp_t3(PULSES, CHANNELS, DELAYS)),
        (0x00010304, encode_hydraharp_t3(PULSES, CHANNELS, DELAYS, version=1)),
        (0x01010304, RECORDS),
        (0x00010305, RECORDS),
        (0x00010306, RECORDS),
        (0x00010307, RECORDS),
    ],
    ids=["PicoHarp", "HydraHarp 1", "HydraHarp 2", "TimeHarp 260 N", "TimeHarp 260 P", "MultiHarp"],
)
def test_every_device_in_mode_t3(path: Path, record_type: int, records: np.ndarray) -> None:
    path.write_bytes(make_ptu(records, record_type))
    stream = read_photons(path)
    assert np.array_equal(stream.macrotimes, PULSES)
    assert np.array_equal(stream.channels, CHANNELS)
    assert stream.microtimes is not None
    assert np.array_equal(stream.microtimes, DELAYS)
    header = stream.header
    assert (header.mode, header.microtime_bins) == ("T3", 3125)
    assert header.sync_period_ns == pytest.approx(200.0)
    assert header.microtime_resolution_ns == pytest.approx(0.064)
    assert header.warnings == ()


@pytest.mark.parametrize(
    ("record_type", "encode"),
    [
        (0x00010203, encode_picoharp_t2),
        (0x01010204, encode_hydraharp_t2),
        (0x00010205, encode_hydraharp_t2),
        (0x00010206, encode_hydraharp_t2),
        (0x00010207, encode_hydraharp_t2),
    ],
)
def test_every_device_in_mode_t2(
    path: Path, record_type: int, encode: Callable[..., np.ndarray]
) -> None:
    times = PULSES * 10_000
    path.write_bytes(make_ptu(encode(times, CHANNELS), record_type, mode=2, period_s=1e-12))
    stream = read_photons(path)
    assert np.array_equal(stream.macrotimes, times)
    assert stream.header.mode == "T2"
    assert stream.microtimes is None
    assert stream.header.duration_s == pytest.approx(times[-1] * 1e-12)


def test_microtime_bins_end_where_the_device_ends(path: Path) -> None:
    path.write_bytes(make_ptu(RECORDS, HYDRAHARP2_T3, period_s=1e-3, tick_s=1e-12))
    assert open_photons(path).header.microtime_bins == 32768


def test_t2_records_read_as_t3_are_refused(path: Path) -> None:
    records = encode_hydraharp_t2(PULSES * 10_000, CHANNELS)
    path.write_bytes(make_ptu(records, HYDRAHARP2_T3))
    with pytest.raises(ParseError, match=r"beyond the sync period|not T3 records \(T2\?\)"):
        open_photons(path)


def test_t3_records_read_as_t2_are_refused(path: Path) -> None:
    path.write_bytes(make_ptu(RECORDS, 0x01010204, mode=2, period_s=1e-12))
    with pytest.raises(ParseError, match=r"not T2 records \(T3\?\)"):
        open_photons(path)


def test_mode_that_contradicts_the_records_is_told(path: Path) -> None:
    path.write_bytes(make_ptu(RECORDS, HYDRAHARP2_T3, Measurement_Mode=2))
    header = open_photons(path).header
    assert header.mode == "T3"
    assert "says mode T2" in header.warnings[0]


def test_wrong_sync_rate_is_told(path: Path) -> None:
    path.write_bytes(make_ptu(RECORDS, HYDRAHARP2_T3, TTResult_SyncRate=40_000_000))
    assert "4e+07 Hz, which disagree" in open_photons(path).header.warnings[0]


def test_sync_period_shorter_than_the_decay_is_refused(path: Path) -> None:
    path.write_bytes(make_ptu(RECORDS, HYDRAHARP2_T3, period_s=12.5e-9))
    with pytest.raises(ParseError, match=r"microtime beyond the sync period of 12\.5 ns"):
        open_photons(path)


def test_few_microtimes_beyond_the_period_are_left_out(path: Path) -> None:
    path.write_bytes(make_ptu(RECORDS, HYDRAHARP2_T3, period_s=1500 * 64e-12))
    late = int(np.sum(DELAYS >= 1500))
    assert 0 < late < 100
    header = open_photons(path).header
    assert header.photons == len(DELAYS) - late
    assert f"{late} of 2000 photons have a microtime beyond" in header.warnings[0]


@pytest.mark.parametrize("period_s", [0.0, -1.0, float("nan"), float("inf"), 1e300, 1e-13])
def test_impossible_sync_periods_are_refused(path: Path, period_s: float) -> None:
    path.write_bytes(make_ptu(RECORDS, HYDRAHARP2_T3, MeasDesc_GlobalResolution=period_s))
    with pytest.raises(ParseError, match="gives a sync period"):
        open_photons(path)


@pytest.mark.parametrize("name", ["MeasDesc_GlobalResolution", "MeasDesc_Resolution"])
def test_missing_resolution_is_named(path: Path, name: str) -> None:
    path.write_bytes(make_ptu(RECORDS, HYDRAHARP2_T3, **{name: None}))
    with pytest.raises(ParseError, match=f"no number {name}"):
        open_photons(path)


def test_unknown_record_type_is_refused(path: Path) -> None:
    path.write_bytes(make_ptu(RECORDS, 12345))
    with pytest.raises(ParseError, match="of type 12345, which is not known"):
        open_photons(path)


def test_file_cut_in_the_middle_gives_the_photons_before(path: Path) -> None:
    data = make_ptu(RECORDS, HYDRAHARP2_T3)
    path.write_bytes(data[:-4002])
    stream = read_photons(path)
    # 4002 bytes are 1000 records and half of another.
    assert "1001 of" in stream.header.warnings[0]
    assert "part of one more" in stream.header.warnings[0]
    assert np.array_equal(stream.macrotimes, PULSES[: len(stream)])
    assert 0 < len(stream) < 2000


def test_records_without_a_number_are_all_read(path: Path) -> None:
    path.write_bytes(make_ptu(RECORDS, HYDRAHARP2_T3, TTResult_NumberOfRecords=0))
    header = open_photons(path).header
    assert header.photons == 2000
    assert "does not say how many" in header.warnings[0]


def test_bytes_after_the_last_record_are_told(path: Path) -> None:
    path.write_bytes(make_ptu(RECORDS, HYDRAHARP2_T3) + b"abc")
    assert open_photons(path).header.warnings == ("3 bytes after the last record are not read",)


def test_duration_unlike_the_headers_is_told(path: Path) -> None:
    path.write_bytes(make_ptu(RECORDS, HYDRAHARP2_T3, TTResult_StopAfter=60_000))
    (warning,) = open_photons(path).header.warnings
    assert "but the header says 60 s" in warning


@pytest.mark.parametrize("size", [9, 16, 40, 70, 200])
def test_cut_header_is_refused(path: Path, size: int) -> None:
    path.write_bytes(make_ptu(RECORDS, HYDRAHARP2_T3)[:size])
    with pytest.raises(ParseError, match="header is cut or damaged"):
        open_photons(path)


def test_unknown_tag_is_refused_rather_than_read_as_records(path: Path) -> None:
    data = bytearray(make_ptu(RECORDS, HYDRAHARP2_T3))
    second = 16 + 48 + 40
    data[second + 36 : second + 40] = struct.pack("<I", 0x12345678)
    path.write_bytes(data)
    with pytest.raises(ParseError, match="tag of unknown type"):
        open_photons(path)


def test_header_without_photons_is_refused(path: Path) -> None:
    path.write_bytes(make_ptu(np.array([1 << 31 | 63 << 25 | 1], np.uint32), HYDRAHARP2_T3))
    with pytest.raises(ParseError, match="none of its 1 records is a photon"):
        open_photons(path)
    path.write_bytes(make_ptu(RECORDS[:0], HYDRAHARP2_T3))
    with pytest.raises(ParseError, match="a header and no record"):
        open_photons(path)


def test_damaged_overflow_is_refused(path: Path) -> None:
    records = np.full(1000, 1 << 31 | 63 << 25 | 0x1FFFFFF, np.uint32)
    records[0] = 5
    path.write_bytes(make_ptu(records, 0x01010204, mode=2, period_s=1e-12))
    with pytest.raises(ParseError, match="an overflow record is damaged"):
        open_photons(path)


def test_sync_events_of_mode_t2_are_told(path: Path) -> None:
    records = np.array([1 << 31 | 7, 8], np.uint32)
    path.write_bytes(make_ptu(records, 0x01010204, mode=2, period_s=1e-12))
    header = open_photons(path).header
    assert header.channels == (0, 64)
    assert "the sync input has 1 events" in header.warnings[0]


def test_odd_tags_are_not_logged(shared_data: Path, caplog: pytest.LogCaptureFixture) -> None:
    """ptufile complains of the list of laser heads in this sound file."""
    with caplog.at_level(logging.DEBUG):
        open_photons(shared_data / "photon" / "tsb_hydraharp_v20_t3.ptu")
    assert caplog.records == []
    assert logging.getLogger("ptufile").filters == []


def test_readable_tags_are_kept(path: Path) -> None:
    path.write_bytes(make_ptu(RECORDS, HYDRAHARP2_T3, File_Comment="dot 7"))
    header = open_photons(path).header
    assert header.metadata["File_Comment"] == "dot 7"
    assert header.instrument == "Device, HydraHarp V2 T3 records"
