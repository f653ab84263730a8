"""Real files, and what is no file of photons."""

import os
from pathlib import Path

import numpy as np
import pytest

from qdcomp.errors import InputError, ParseError
from qdcomp.experiment.files.photon_files import open_photons, read_photons

# Counts, modes and resolutions of MANIFEST.md.
MANIFEST = {
    "tsb_hydraharp_v20_t3.ptu": ("T3", {0: 45012, 1: 32871}, 200.0016e-9, 0.064, 10.0),
    "derived_tsb_hydraharp_v20_t3.photon.hdf5": (
        "T3",
        {0: 45012, 1: 32871},
        200.0016e-9,
        0.064,
        10.0,
    ),
    "tsb_hydraharp_v20_t2.ptu": ("T2", {0: 305565}, 1e-12, None, 5.0),
    "tsb_picoharp_v30_t2.ptu": ("T2", {0: 531477, 1: 388700}, 4e-12, None, 7.65),
}


@pytest.mark.parametrize("name", MANIFEST)
def test_real_files_are_as_the_manifest_says(shared_data: Path, name: str) -> None:
    mode, counts, tick_s, microtime_ns, duration_s = MANIFEST[name]
    source = open_photons(shared_data / "photon" / name)
    header = source.header
    assert header.mode == mode
    assert dict(header.photons_per_channel) == counts
    assert header.macrotime_resolution_s == pytest.approx(tick_s, rel=1e-6)
    assert header.microtime_resolution_ns == pytest.approx(microtime_ns)
    assert header.duration_s == pytest.approx(duration_s, rel=1e-3)
    # A Photon-HDF5 file without a laser's rate leaves open what its timestamps count.
    assert [text for text in header.warnings if "laser_repetition_rate" not in text] == []
    assert bool(header.warnings) == (name == "derived_tsb_hydraharp_v20_t3.photon.hdf5")
    assert sum(len(chunk) for chunk in source.iterate_chunks()) == header.photons


def test_hdf5_has_the_photons_of_the_ptu_it_was_made_of(shared_data: Path) -> None:
    ptu = read_photons(shared_data / "photon" / "tsb_hydraharp_v20_t3.ptu")
    hdf5 = read_photons(shared_data / "photon" / "derived_tsb_hydraharp_v20_t3.photon.hdf5")
    assert np.array_equal(ptu.macrotimes, hdf5.macrotimes)
    assert np.array_equal(ptu.channels, hdf5.channels)
    assert ptu.microtimes is not None
    assert np.array_equal(ptu.microtimes, hdf5.microtimes)


def test_timeharp_200_file_is_as_its_header_says(shared_data: Path) -> None:
    """86997 records, 9.344 s, pulses at 4999168 Hz, delays of 0.0702 ns, a clock of 100 ns."""
    source = open_photons(shared_data / "photon" / "tsb_timeharp_v50.t3r")
    header = source.header
    assert header.mode == "T3"
    assert header.sync_period_ns == pytest.approx(1e9 / 4999168)
    assert header.microtime_resolution_ns == pytest.approx(0.070237, rel=1e-5)
    assert header.duration_s == pytest.approx(9.344, abs=1e-3)
    assert header.metadata["Records"] == 86997
    assert header.metadata["InputRate"] == 7624
    assert header.instrument == "TimeHarp 200, TimeHarp 200 T3 records, format 5.0"
    # 1425 overflows of 6.5536 ms and one marker are no photons.
    (markers,) = [chunk.markers for chunk in source.iterate_chunks()]
    assert len(markers.macrotimes) == 1
    assert dict(header.photons_per_channel) == {0: 86997 - 1425 - 1}
    assert header.warnings[0] == "1 bytes after the last record are not read"
    assert header.metadata["macrotimes_count_pulses"] is False


def test_timeharp_200_photons_are_those_of_libpicoquant(shared_data: Path) -> None:
    """Clock ticks and raw delays as tsbischof/libpicoquant prints them for this file."""
    stream = read_photons(shared_data / "photon" / "tsb_timeharp_v50.t3r")
    ticks = np.array([1033, 1237, 1301, 1401, 1889, 2071, 2301, 2621, 3931])
    delays = np.array([2195, 2768, 2299, 2845, 2393, 2673, 2698, 2702, 2942])
    assert stream.macrotimes[:9].tolist() == np.floor(ticks * 1e-7 * 4999168).astype(int).tolist()
    assert stream.microtimes is not None
    assert stream.microtimes[:9].tolist() == ((4095 - delays) % 2848).tolist()


def test_timeharp_200_decay_runs_forwards(shared_data: Path) -> None:
    """A decay rises faster than it falls; the device measures it from its end."""
    stream = read_photons(shared_data / "photon" / "tsb_timeharp_v50.t3r")
    histogram = np.bincount(stream.microtimes, minlength=2848)
    peak = int(np.argmax(histogram))
    assert histogram[peak + 1 : peak + 500].sum() > 5 * histogram[peak - 500 : peak].sum()


@pytest.mark.parametrize("chunk", [1, 1000, 77883, 10**9])
def test_chunks_do_not_change_the_photons(shared_data: Path, chunk: int) -> None:
    path = shared_data / "photon" / "derived_tsb_hydraharp_v20_t3.photon.hdf5"
    if chunk == 1:
        path, chunk = shared_data / "photon" / "tsb_timeharp_v50.t3r", 777
    whole = read_photons(path)
    parts = list(open_photons(path, chunk_photons=chunk).iterate_chunks())
    assert max(len(part) for part in parts) <= chunk
    assert np.array_equal(np.concatenate([p.macrotimes for p in parts]), whole.macrotimes)
    assert np.array_equal(np.concatenate([p.microtimes for p in parts]), whole.microtimes)


def test_file_can_be_read_again_and_again(shared_data: Path) -> None:
    source = open_photons(shared_data / "photon" / "tsb_hydraharp_v20_t3.ptu")
    first, second = ([len(c) for c in source.iterate_chunks()] for _ in range(2))
    assert first == second


def test_reader_goes_by_content_and_not_by_name(shared_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "renamed.csv"
    path.write_bytes((shared_data / "photon" / "tsb_hydraharp_v20_t3.ptu").read_bytes())
    assert open_photons(path).header.photons == 77883


def test_spectra_are_told_apart(shared_data: Path) -> None:
    with pytest.raises(ParseError, match="read it as a spectrum"):
        open_photons(shared_data / "photon" / "sif_parser_raman1.sif")
    with pytest.raises(ParseError, match="'wavelength,counts' is neither"):
        open_photons(shared_data / "photon" / "sif_parser_cli-0.csv")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("dot.ptu", b"", "it is empty"),
        ("dot.ptu", b"Dear all, the file is attached.\n", "begins with b'Dear all"),
        ("dot.ptu", b"\0" * 5000, "none of the known files"),
        ("dot.phu", b"PQHISTO\0" + b"\0" * 100, "histogram of PicoQuant"),
        ("dot.txt", b"Dear all, the file is attached.\n", "neither a line of numbers nor"),
        ("dot.hdf5", b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "HDF5 says"),
    ],
)
def test_what_is_no_file_of_photons_is_refused(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ParseError, match=message):
        open_photons(path)


def test_folders_missing_files_and_pipes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        open_photons(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        open_photons(tmp_path / "none.ptu")
    pipe = tmp_path / "pipe.ptu"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="not a regular file"):
        open_photons(pipe)


def test_chunks_need_a_positive_size(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give a positive number"):
        open_photons(tmp_path / "dot.ptu", chunk_photons=0)
