from pathlib import Path

import numpy as np
import pytest
from builders.sif_files import write_sif

from qdcomp.errors import ParseError
from qdcomp.experiment.files.sif import read_sif


@pytest.mark.parametrize(("name", "other"), [("raman1", "asc"), ("cli-0", "csv")])
def test_a_real_file_holds_what_its_export_holds(shared_data: Path, name: str, other: str) -> None:
    folder = shared_data / "photon"
    file = read_sif(folder / f"sif_parser_{name}.sif")
    separator, header = ("\t", 0) if other == "asc" else (",", 1)
    lines = (folder / f"sif_parser_{name}.{other}").read_text().splitlines()[header : 1024 + header]
    export = np.array([[float(word) for word in line.split(separator)[:2]] for line in lines])
    assert file.frames.shape == (1, 1, 1024)
    assert file.wavelengths_nm is not None
    np.testing.assert_allclose(file.wavelengths_nm, export[:, 0], rtol=1e-7)
    # Solis prints six digits
    np.testing.assert_allclose(file.frames[0, 0], export[:, 1], rtol=5e-6)


def test_the_exposure_counts_all_accumulations(shared_data: Path) -> None:
    assert read_sif(shared_data / "photon/sif_parser_raman1.sif").exposure_s == pytest.approx(50.0)


def test_frames_of_a_kinetic_series_come_apart(tmp_path: Path) -> None:
    frames = np.random.default_rng(3).poisson(100.0, (20, 64))
    file = read_sif(write_sif(tmp_path / "a.sif", frames, cycle_s=0.25))
    np.testing.assert_array_equal(file.frames[:, 0], frames)
    np.testing.assert_allclose(file.times_s, 0.25 * np.arange(20))
    assert file.wavelengths_nm is not None
    np.testing.assert_allclose(file.wavelengths_nm, 500.0 + 0.1 * np.arange(1, 65))


def test_stamps_of_32_bits_run_over(tmp_path: Path) -> None:
    stamps = [2**32 - 1_000_000, 1_000_000, 3_000_000]
    file = read_sif(write_sif(tmp_path / "a.sif", np.ones((3, 8)), times_us=stamps))
    np.testing.assert_allclose(file.times_s, [0.0, 2.0, 4.0])


def test_frames_without_stamps_are_a_cycle_apart_and_say_so(tmp_path: Path) -> None:
    file = read_sif(write_sif(tmp_path / "a.sif", np.ones((3, 8)), times_us=[0, 0, 0], cycle_s=5.0))
    np.testing.assert_allclose(file.times_s, [0.0, 5.0, 10.0])
    assert "cycle time" in file.warnings[0]


def test_images_keep_their_rows(tmp_path: Path) -> None:
    frames = np.arange(2 * 4 * 8).reshape(2, 4, 8)
    np.testing.assert_array_equal(read_sif(write_sif(tmp_path / "a.sif", frames)).frames, frames)


def test_another_version_says_that_it_was_not_checked(tmp_path: Path) -> None:
    file = read_sif(write_sif(tmp_path / "a.sif", np.ones((1, 8)), version=65559))
    assert "65559" in file.warnings[0]


def test_a_file_cut_off_says_how_much_is_missing(tmp_path: Path) -> None:
    path = write_sif(tmp_path / "a.sif", np.ones((4, 64)))
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(ParseError, match=r"cut off.*1024 bytes"):
        read_sif(path)


def test_a_count_of_frames_beyond_the_file_takes_no_memory(tmp_path: Path) -> None:
    path = write_sif(tmp_path / "a.sif", np.ones((1, 64)))
    path.write_bytes(
        path.read_bytes().replace(b"65541 1 1 64 1 1 1", b"65541 1 1 64 1 999999999 1")
    )
    with pytest.raises(ParseError, match="cut off"):
        read_sif(path)


def test_a_signalling_nan_makes_no_noise(tmp_path: Path) -> None:
    path = write_sif(tmp_path / "a.sif", np.full((1, 8), 7.0))
    seven = np.float32(7.0).tobytes()
    path.write_bytes(path.read_bytes().replace(seven, b"\x01\x00\xa0\x7f"))
    assert np.all(np.isnan(read_sif(path).frames))


def test_another_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.sif"
    path.write_text("500 1\n")
    with pytest.raises(ParseError, match=r"no Andor .sif file"):
        read_sif(path)
    with pytest.raises(ParseError, match="cannot be read"):
        read_sif(tmp_path / "missing.sif")
