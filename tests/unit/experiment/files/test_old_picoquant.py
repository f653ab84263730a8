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
    make_ht3,
    make_pt2,
    make_pt3,
    make_t3r,
)

from qdcomp.errors import ParseError
from qdcomp.experiment.files.photon_files import open_photons, read_photons

PULSES, CHANNELS, DELAYS = draw_pulsed_photons(2000, 1)
HYDRAHARP = encode_hydraharp_t3(PULSES, CHANNELS, DELAYS)
PICOHARP = encode_picoharp_t3(PULSES, CHANNELS, DELAYS)
TIMEHARP = encode_timeharp200(PULSES, CHANNELS, DELAYS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dot.old"


@pytest.mark.parametrize(
    "data",
    [
        make_pt3(PICOHARP),
        make_ht3(encode_hydraharp_t3(PULSES, CHANNELS, DELAYS, version=1), version=1),
        make_ht3(HYDRAHARP),
        make_ht3(HYDRAHARP, inputs=8, image_header=(1, 2, 3)),
    ],
    ids=["pt3", "ht3 V1", "ht3 V2", "ht3 with image header"],
)
def test_pulsed_files(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    stream = read_photons(path)
    assert np.array_equal(stream.macrotimes, PULSES)
    assert np.array_equal(stream.channels, CHANNELS)
    assert stream.microtimes is not None
    assert np.array_equal(stream.microtimes, DELAYS)
    assert stream.header.sync_period_ns == pytest.approx(200.0)
    assert stream.header.microtime_resolution_ns == pytest.approx(0.064, rel=1e-12)
    assert stream.header.warnings == ()


def test_picoharp_and_hydraharp_files_of_mode_t2(path: Path) -> None:
    times = PULSES * 10_000
    for data, tick_s in (
        (make_pt2(encode_picoharp_t2(times, CHANNELS)), 4e-12),
        (make_ht3(encode_hydraharp_t2(times, CHANNELS), mode=2, sync_rate=0), 1e-12),
    ):
        path.write_bytes(data)
        stream = read_photons(path)
        assert stream.header.mode == "T2"
        assert stream.header.macrotime_resolution_s == tick_s
        assert np.array_equal(stream.macrotimes, times)


@pytest.mark.parametrize("version", ["3.0", "5.0", "6.0"])
def test_timeharp_200_files(path: Path, version: str) -> None:
    """A clock of 100 ns and pulses of 200 ns: two ticks are one pulse."""
    path.write_bytes(make_t3r(TIMEHARP, version=version))
    stream = read_photons(path)
    assert np.array_equal(stream.macrotimes, PULSES // 2)
    assert stream.microtimes is not None
    # 200 ns are 3200 ticks of 0.0625 ns.
    assert np.array_equal(stream.microtimes, (4095 - DELAYS) % 3200)
    assert stream.header.microtime_bins == 3200
    assert stream.header.duration_s == pytest.approx(PULSES[-1] * 1e-7, abs=2e-7)
    assert "not by counting pulses" in stream.header.warnings[0]


def test_timeharp_200_delays_of_a_slow_laser_are_not_folded(path: Path) -> None:
    path.write_bytes(make_t3r(TIMEHARP, sync_rate=100_000))
    stream = read_photons(path)
    assert stream.microtimes is not None
    assert np.array_equal(stream.microtimes, 4095 - DELAYS)
    assert stream.header.microtime_bins == 4096


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (make_pt3(PICOHARP, sync_rate=0), "sync rate of 0 Hz"),
        (make_ht3(HYDRAHARP, sync_rate=-5), "sync rate of -5 Hz"),
        (make_t3r(TIMEHARP, clock_ns=0), "time tick of 0 s"),
        (make_ht3(HYDRAHARP, version=3), "format version '3.0', expected 1.0 or 2.0"),
        (make_ht3(HYDRAHARP, version=1, mode=2), "measurement mode 2, expected 3"),
        (make_pt3(PICOHARP)[:700], "header is cut: it needs 728 bytes, the file has 700"),
        (make_ht3(HYDRAHARP)[:740], "header is cut"),
        (make_t3r(TIMEHARP)[:20], "header is cut"),
        (make_ht3(HYDRAHARP, tick_ps=float("nan")), "microtime tick of nan s"),
        (make_pt3(PICOHARP[:0]), "a header and no record"),
    ],
)
def test_headers_that_make_no_sense_are_refused(path: Path, data: bytes, message: str) -> None:
    path.write_bytes(data)
    with pytest.raises(ParseError, match=message):
        open_photons(path)


def test_file_cut_in_the_middle_gives_the_photons_before(path: Path) -> None:
    path.write_bytes(make_pt3(PICOHARP)[:-400])
    stream = read_photons(path)
    assert "100 of" in stream.header.warnings[0]
    assert np.array_equal(stream.macrotimes, PULSES[: len(stream)])
