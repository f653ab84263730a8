import h5py
import numpy as np
import pytest

from qdcomp.errors import InputError, StoreError
from qdcomp.trajectory import TrajectoryWriter, open_trajectory
from qdcomp.trajectory.h5md import FORMAT_VERSION


@pytest.fixture
def path(tmp_path, symbols, masses, make_frame):
    path = tmp_path / "dot.h5md"
    with TrajectoryWriter(path, symbols, masses, 10.0) as writer:
        for step in range(20):
            writer.append(make_frame(step))
    return path


@pytest.mark.parametrize(
    ("start", "stop", "stride", "atoms"),
    [
        (0, None, 1, None),
        (3, 11, 2, slice(1, 3)),
        (-4, None, 3, None),
        (5, 5, 1, None),
        (0, None, 1, slice(0, 0)),
    ],
)
def test_frames_and_atoms_are_selected_as_numpy_would(path, start, stop, stride, atoms):
    with open_trajectory(path) as trajectory:
        everything = trajectory.positions()
        expected = everything[start:stop:stride, atoms or slice(None)]
        got = trajectory.positions(start, stop, stride, atoms)
        np.testing.assert_array_equal(got, expected)


def test_series_and_gap_follow_the_frames(path, make_frame):
    frames = [make_frame(step) for step in range(20)]
    with open_trajectory(path) as trajectory:
        np.testing.assert_array_equal(trajectory.times_fs, 10.0 * np.arange(20))
        for name in ("potential_energy_ev", "temperature_k", "homo_ev"):
            expected = [getattr(frame, name) for frame in frames]
            np.testing.assert_array_equal(trajectory.series(name), expected)
        gap = [frame.lumo_ev - frame.homo_ev for frame in frames]
        np.testing.assert_array_equal(trajectory.gap_ev, gap)
        assert trajectory.populations("homo").dtype == np.float64
        np.testing.assert_allclose(trajectory.populations("homo").sum(axis=1), 1.0, rtol=1e-6)
        assert trajectory.warnings == ()


def test_names_that_no_frame_has_are_refused(path):
    with open_trajectory(path) as trajectory:
        with pytest.raises(InputError, match="no 'gap'; it may have"):
            trajectory.series("gap")
        with pytest.raises(InputError, match="no 'positions'"):
            trajectory.series("positions")
        with pytest.raises(InputError, match="'homo' and 'lumo', got 'valence'"):
            trajectory.populations("valence")
        with pytest.raises(InputError, match="stride must be 1 or more"):
            trajectory.positions(stride=-1)
        with pytest.raises(InputError, match="has 20 frames, got index 20"):
            trajectory.frame(20)


def test_missing_frames_are_told(tmp_path, symbols, masses, make_frame):
    path = tmp_path / "dot.h5md"
    with TrajectoryWriter(path, symbols, masses, 10.0) as writer:
        for step in (0, 1, 2, 5, 6):
            writer.append(make_frame(step))
    with open_trajectory(path) as trajectory:
        (warning,) = trajectory.warnings
        assert "1 of 4 intervals" in warning
        assert "after step 2 (30 fs)" in warning


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"there is no trajectory file .*none\.h5md"):
        open_trajectory(tmp_path / "none.h5md")


def test_a_text_file_is_no_trajectory(tmp_path):
    path = tmp_path / "dot.h5md"
    path.write_text("not HDF5")
    with pytest.raises(StoreError, match="damaged, cut off or not HDF5"):
        open_trajectory(path)
    with pytest.raises(StoreError, match="damaged, cut off or not HDF5"):
        TrajectoryWriter.reopen(path)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.9])
def test_a_truncated_file_is_an_error(path, share):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(StoreError, match="damaged, cut off or not HDF5"):
        open_trajectory(path)


def test_hdf5_that_is_not_h5md_is_refused(tmp_path):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file["x"] = 1
    with pytest.raises(StoreError, match="an HDF5 file, not H5MD"):
        open_trajectory(path)


def test_h5md_of_another_program_is_refused(tmp_path):
    path = tmp_path / "other.h5md"
    with h5py.File(path, "w", libver="latest") as file:
        file.create_group("h5md")
    with pytest.raises(StoreError, match="an H5MD file of another program"):
        open_trajectory(path)


def test_a_newer_format_asks_for_a_newer_qdcomp(path):
    with h5py.File(path, "r+", libver="latest") as file:
        file["parameters/qdcomp"].attrs["format_version"] = FORMAT_VERSION + 1
    for use in (open_trajectory, TrajectoryWriter.reopen):
        with pytest.raises(StoreError, match=f"format {FORMAT_VERSION + 1}, this qdcomp reads up"):
            use(path)
