from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders.photon_files import draw_pulsed_photons

from qdcomp.errors import ParseError
from qdcomp.experiment.files.photon_files import open_photons, read_photons

PULSES, CHANNELS, DELAYS = draw_pulsed_photons(2000, 1)
PULSED: dict[str, Any] = {
    "macrotimes": PULSES,
    "channels": CHANNELS,
    "microtimes": DELAYS,
    "macrotime_resolution_s": 2e-7,
    "microtime_resolution_ns": 0.064,
}


def write_text(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_npy_of_whole_numbers_is_in_ps(tmp_path: Path) -> None:
    path = tmp_path / "dot.npy"
    np.save(path, PULSES)
    stream = read_photons(path)
    assert np.array_equal(stream.macrotimes, PULSES)
    assert stream.header.mode == "T2"
    assert stream.header.macrotime_resolution_s == 1e-12
    assert "whole numbers are taken for ps" in stream.header.warnings[0]


def test_npy_of_decimals_is_in_seconds(tmp_path: Path) -> None:
    path = tmp_path / "dot.npy"
    np.save(path, PULSES * 1e-6)
    stream = read_photons(path)
    assert np.array_equal(stream.macrotimes, PULSES * 10**6)
    assert "numbers are taken for s" in stream.header.warnings[0]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_of_mode_t3(tmp_path: Path, save: Any) -> None:
    path = tmp_path / "dot.npz"
    save(path, **PULSED, duration_s=60.0, unknown=np.zeros(3))
    stream = read_photons(path)
    assert np.array_equal(stream.macrotimes, PULSES)
    assert np.array_equal(stream.channels, CHANNELS)
    assert stream.microtimes is not None
    assert np.array_equal(stream.microtimes, DELAYS)
    assert stream.header.mode == "T3"
    assert stream.header.microtime_bins == 3125
    assert stream.header.duration_s == 60.0


@pytest.mark.parametrize("size", [1, 333, 5000])
def test_chunks_do_not_change_the_photons(tmp_path: Path, size: int) -> None:
    path = tmp_path / "dot.npz"
    np.savez(path, **{k: v[:500] if np.ndim(v) else v for k, v in PULSED.items()})
    parts = list(open_photons(path, chunk_photons=size).iterate_chunks())
    assert max(len(part) for part in parts) <= size
    assert np.array_equal(np.concatenate([p.macrotimes for p in parts]), PULSES[:500])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"macrotimes": None}, "0 columns of arrival times"),
        ({"times_s": PULSES}, "2 columns of arrival times"),
        ({"macrotime_resolution_s": None}, "need the number macrotime_resolution_s"),
        ({"microtime_resolution_ns": None}, "microtimes need macrotimes"),
        ({"macrotime_resolution_s": -1.0}, "sync period of -1 s"),
        ({"channels": CHANNELS[:5]}, "differ in length"),
        ({"channels": CHANNELS + 300}, "outside 0–255"),
        ({"channels": CHANNELS * 0.5}, "channels are not whole numbers"),
        ({"channels": np.array(["a"] * 2000)}, "expected a list of numbers"),
        ({"macrotimes": PULSES[::-1]}, "earlier than one before"),
        ({"microtimes": DELAYS + 3000}, "beyond the sync period"),
        ({"duration_s": np.nan}, "duration of nan s"),
        ({"duration_s": np.zeros(3)}, "expected a number"),
        ({"macrotimes": PULSES[:0], "channels": [], "microtimes": []}, "not whole numbers"),
    ],
)
def test_npz_that_makes_no_sense_is_refused(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    path = tmp_path / "dot.npz"
    arrays = {k: v for k, v in (PULSED | changed).items() if v is not None}
    np.savez(path, **arrays)
    with pytest.raises(ParseError, match=message):
        open_photons(path)


def test_several_columns_in_a_npy_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "dot.npy"
    np.save(path, np.zeros((5, 2)))
    with pytest.raises(ParseError, match=r"has shape \(5, 2\)"):
        open_photons(path)


def test_pickled_and_cut_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "dot.npy"
    np.save(path, np.array([{}], object))
    with pytest.raises(ParseError, match="type object"):
        open_photons(path)
    np.save(path, PULSES)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ParseError, match="it is cut"):
        open_photons(path)


@pytest.mark.parametrize(
    ("text", "ticks", "tick_s", "channels"),
    [
        ("times_ps,channels\n5,0\n9,1\n", [5, 9], 1e-12, [0, 1]),
        ("channel;time_ns\n1;5\n0;9\n", [5, 9], 1e-9, [1, 0]),
        ("# times_s channels\n0.5 0\n1.5 1\n", [5 * 10**11, 15 * 10**11], 1e-12, [0, 1]),
        ("\ufefftimes_us\t note\n5\tfirst\n9\tsecond\n", [5, 9], 1e-6, [0, 0]),
        ("0\n1e-3\n", [0, 10**9], 1e-12, [0, 0]),
        ("9007199254740993\n9007199254740995", [2**53 + 1, 2**53 + 3], 1e-12, [0, 0]),
        ("5 0\n\n# a remark\n9 3\n", [5, 9], 1e-12, [0, 3]),
        ("# macrotime_resolution_s = 1e-8\nmacrotimes\r\n5\r\n9\r\n", [5, 9], 1e-8, [0, 0]),
    ],
)
def test_text_tables(
    tmp_path: Path, text: str, ticks: list[int], tick_s: float, channels: list[int]
) -> None:
    stream = read_photons(write_text(tmp_path / "dot.csv", text))
    assert stream.macrotimes.tolist() == ticks
    assert stream.channels.tolist() == channels
    assert stream.header.macrotime_resolution_s == pytest.approx(tick_s)


def test_text_of_mode_t3_and_duration(tmp_path: Path) -> None:
    text = (
        "# macrotime_resolution_s = 2e-7\n# microtime_resolution_ns = 0.1\n# duration_s = 3\n"
        "macrotimes,channels,microtimes\n5,0,17\n9,1,1999\n"
    )
    stream = read_photons(write_text(tmp_path / "dot.csv", text))
    assert stream.header.mode == "T3"
    assert stream.header.microtime_bins == 2000
    assert stream.header.duration_s == 3.0
    assert stream.microtimes is not None
    assert stream.microtimes.tolist() == [17, 1999]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("times_s\n1.5\nx\n", 3, "'x' does not have the numbers"),
        ("times_ps,channels\n" + "1,0\n" * 1500 + "1.5,0\n", 1502, "does not have the numbers"),
        ("times_ps,channels\n1,0\n1\n", 3, "does not have the numbers"),
        ("hello\n1\n", 1, "neither a line of numbers nor"),
        ("# duration_s = long\n1\n", 1, "'long' is not a number"),
        ("1 2 3\n", None, "3 columns without names"),
        ("times_s,times_s\n1,2\n", None, "the same name"),
        ("times_s\n", None, "names and no line of numbers"),
        ("# only this\n", None, "no line of numbers"),
        ("times_s\nnan\n1.0\n", None, "not numbers or too long"),
        ("times_s\n1e300\n", None, "not numbers or too long"),
        ("times_s,channels\n1,0.5\n", None, "channels are not whole"),
    ],
)
def test_text_that_makes_no_sense_is_refused(
    tmp_path: Path, text: str, line: int | None, message: str
) -> None:
    with pytest.raises(ParseError, match=message) as caught:
        open_photons(write_text(tmp_path / "dot.csv", text))
    if line is not None:
        assert caught.value.line == line


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "dot.csv"
    path.write_bytes(b"times_s\n1.0\n\xff\xfe\xfd\n")
    with pytest.raises(ParseError, match="neither text nor"):
        open_photons(path)


def test_long_text_is_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qdcomp.experiment.files.text_columns.BLOCK_BYTES", 100)
    text = "times_us\n" + "".join(f"{pulse}\n" for pulse in PULSES)
    stream = read_photons(write_text(tmp_path / "dot.csv", text))
    assert np.array_equal(stream.macrotimes, PULSES)
