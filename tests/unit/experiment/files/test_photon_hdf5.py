from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from builders.photon_files import (
    draw_pulsed_photons,
    encode_hydraharp_t3,
    encode_timeharp200,
    make_ptu,
    make_t3r,
)

from qdcomp.errors import InputError, ParseError
from qdcomp.experiment.files.photon_files import open_photons, read_photons
from qdcomp.experiment.files.photon_hdf5_writer import write_photon_hdf5
from qdcomp.experiment.photon_stream import PhotonStream, make_photon_stream

PULSES, CHANNELS, DELAYS = draw_pulsed_photons(2000, 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dot.hdf5"


def make_stream() -> PhotonStream:
    return make_photon_stream(
        PULSES,
        2e-7,
        channels=CHANNELS,
        microtimes=DELAYS,
        microtime_resolution_ns=0.064,
        duration_s=5.0,
        source="dot.ptu",
    )


def write_changed(path: Path, name: str, value: object) -> None:
    """Write a sound file and replace one of its fields; None takes it out."""
    write_photon_hdf5(make_stream(), path)
    with h5py.File(path, "a") as file:
        if name in file:
            del file[name]
        if value is not None:
            file[name] = value


def test_stream_of_mode_t3_comes_back(path: Path) -> None:
    stream = make_stream()
    write_photon_hdf5(stream, path, description="dot 7")
    back = read_photons(path)
    assert np.array_equal(back.macrotimes, stream.macrotimes)
    assert np.array_equal(back.channels, stream.channels)
    assert stream.microtimes is not None
    assert back.microtimes is not None
    assert np.array_equal(back.microtimes, stream.microtimes)
    assert back.microtimes.dtype == stream.microtimes.dtype
    for name in ("mode", "macrotime_resolution_s", "duration_s", "photons_per_channel"):
        assert getattr(back.header, name) == getattr(stream.header, name)
    assert back.header.microtime_bins == 3125
    assert back.header.microtime_resolution_ns == pytest.approx(0.064)
    assert back.header.metadata["description"] == "dot 7"
    assert back.header.metadata["provenance/filename"] == "dot.ptu"
    assert back.header.warnings == ()


def test_stream_of_mode_t2_comes_back(path: Path) -> None:
    stream = make_photon_stream(PULSES, 1e-9, channels=CHANNELS)
    write_photon_hdf5(stream, path)
    back = read_photons(path)
    assert back.header.mode == "T2"
    assert back.microtimes is None
    assert np.array_equal(back.macrotimes, stream.macrotimes)
    assert back.header.duration_s == pytest.approx(stream.header.duration_s)


def test_file_is_written_in_pieces(path: Path, tmp_path: Path) -> None:
    ptu = tmp_path / "dot.ptu"
    ptu.write_bytes(make_ptu(encode_hydraharp_t3(PULSES, CHANNELS, DELAYS), 0x01010304))
    write_photon_hdf5(open_photons(ptu, chunk_photons=300), path)
    assert np.array_equal(read_photons(path).macrotimes, PULSES)


def test_warnings_and_estimated_pulses_are_kept(path: Path, tmp_path: Path) -> None:
    t3r = tmp_path / "dot.t3r"
    t3r.write_bytes(make_t3r(encode_timeharp200(PULSES, CHANNELS, DELAYS)))
    source = open_photons(t3r)
    write_photon_hdf5(source, path)
    header = open_photons(path).header
    assert header.warnings == source.header.warnings != ()
    assert header.metadata["macrotimes_count_pulses"] is False


def test_timestamps_of_a_clock_become_pulse_numbers(path: Path) -> None:
    """A clock of 12.5 ns beside a laser of 20 MHz, as other makers' boards write."""
    write_changed(path, "photon_data/timestamps_specs/timestamps_unit", 12.5e-9)
    with h5py.File(path, "a") as file:
        file["photon_data/measurement_specs/laser_repetition_rate"][()] = 5e6
    stream = read_photons(path)
    assert stream.header.sync_period_ns == pytest.approx(200.0)
    assert np.array_equal(stream.macrotimes, PULSES // 16)
    assert "timestamps count a clock of 12.5 ns" in stream.header.warnings[0]
    assert stream.header.metadata["macrotimes_count_pulses"] is False


def test_a_file_that_cannot_say_what_its_timestamps_count_warns(path: Path) -> None:
    write_changed(path, "photon_data/measurement_specs/laser_repetition_rate", None)
    assert read_photons(path).header.warnings == ()
    with h5py.File(path, "a") as file:
        del file["user/qdcomp/macrotimes_count_pulses"]
    warnings = read_photons(path).header.warnings
    assert "are taken to count the pulses" in " ".join(warnings)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("photon_data", None, "without /photon_data"),
        ("photon_data", 5, "expected a group"),
        ("photon_data1", 5, "photons of 2 spots"),
        ("photon_data/timestamps", None, "has no timestamps"),
        ("photon_data/timestamps", np.zeros((2, 1000), int), "not a list of integers"),
        ("photon_data/timestamps", np.zeros(2000), "not a list of integers"),
        ("photon_data/detectors", np.zeros(1999, np.uint8), "differ in length"),
        ("photon_data/detectors", np.full(2000, 300), "outside 0–255"),
        ("photon_data/timestamps", np.zeros(2000, int)[::-1], None),
        ("photon_data/timestamps", np.arange(2000)[::-1], "earlier than one before"),
        ("photon_data/timestamps_specs/timestamps_unit", None, "times have no unit"),
        ("photon_data/timestamps_specs/timestamps_unit", np.nan, "times have no unit"),
        ("photon_data/nanotimes_specs/tcspc_unit", None, "no nanotimes_specs/tcspc_unit"),
        ("photon_data/nanotimes_specs/tcspc_num_bins", 100, "beyond the sync period"),
        ("photon_data/nanotimes", np.full(2000, 9000), "beyond the sync period"),
    ],
)
def test_files_that_make_no_sense_are_refused(
    path: Path, name: str, value: object, message: str | None
) -> None:
    write_changed(path, name, value)
    if message is None:
        assert open_photons(path).header.photons == 2000
        return
    with pytest.raises(ParseError, match=message):
        open_photons(path)


def test_column_that_is_not_in_the_file_is_refused(path: Path) -> None:
    """HDF5 returns zeros for what was never written, for as many photons as are claimed."""
    write_photon_hdf5(make_stream(), path)
    with h5py.File(path, "a") as file:
        for name in ("timestamps", "detectors", "nanotimes"):
            del file["photon_data"][name]
            file["photon_data"].create_dataset(name, (2**40,), np.uint16, chunks=(2**16,))
    with pytest.raises(ParseError, match="is not in the file"):
        open_photons(path)


def test_file_cut_in_the_middle_is_refused(path: Path) -> None:
    write_photon_hdf5(make_stream(), path)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(ParseError, match="HDF5 says"):
        open_photons(path)


def test_broken_stream_leaves_the_old_file(path: Path) -> None:
    write_photon_hdf5(make_stream(), path)
    stream = make_stream()
    broken = replace(stream, header=replace(stream.header, photons_per_channel={0: 5}))
    before = path.read_bytes()
    with pytest.raises((TypeError, ValueError)):
        write_photon_hdf5(broken, path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write"):
        write_photon_hdf5(make_stream(), tmp_path / "none" / "dot.hdf5")


@pytest.mark.parametrize("kind", ["link", "storage", "virtual"])
def test_photons_that_stand_in_another_file_are_refused(path: Path, kind: str) -> None:
    other = path.with_name("other.hdf5")
    write_photon_hdf5(make_stream(), other)
    write_changed(path, "photon_data/timestamps", None)
    with h5py.File(path, "a") as file:
        group = file["photon_data"]
        n = len(PULSES)
        if kind == "link":
            group["timestamps"] = h5py.ExternalLink("other.hdf5", "photon_data/timestamps")
        elif kind == "storage":
            stored = [(str(other), 0, h5py.h5f.UNLIMITED)]
            group.create_dataset("timestamps", (n,), np.int64, external=stored)
        else:
            layout = h5py.VirtualLayout((n,), np.int64)
            layout[:] = h5py.VirtualSource(other, "photon_data/timestamps", (n,))
            group.create_virtual_dataset("timestamps", layout)
    with pytest.raises(ParseError, match=r"/photon_data/timestamps is .*in the file itself"):
        open_photons(path)
