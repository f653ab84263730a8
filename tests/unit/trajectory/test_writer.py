from dataclasses import fields

import numpy as np
import pytest

from qdcomp.errors import InputError, StoreError
from qdcomp.trajectory import Frame, TrajectoryWriter, open_trajectory

SINGLE_PRECISION = {"homo_population", "lumo_population"}
CONVERTED = {"forces"}


def assert_same_frame(read: Frame, written: Frame) -> None:
    for entry in fields(Frame):
        got, expected = getattr(read, entry.name), getattr(written, entry.name)
        if expected is None:
            assert got is None
        elif entry.name in SINGLE_PRECISION:
            np.testing.assert_allclose(got, expected, rtol=2**-23)
        elif entry.name in CONVERTED:
            np.testing.assert_allclose(got, expected, rtol=2**-51)
        else:
            np.testing.assert_array_equal(got, expected)


def test_every_frame_comes_back_to_the_last_bit(tmp_path, symbols, masses, make_frame):
    path = tmp_path / "dot.h5md"
    with TrajectoryWriter(path, symbols, masses, 10.0) as writer:
        for step in range(40):
            writer.append(make_frame(step))
            assert_same_frame(writer.last_frame(), make_frame(step))
    with open_trajectory(path) as trajectory:
        assert trajectory.n_frames == 40
        for frame in trajectory.frames():
            assert_same_frame(frame, make_frame(frame.step))


def test_it_keeps_what_all_frames_share(tmp_path, symbols, masses):
    path = tmp_path / "dot.h5md"
    metadata = {"engine": "model", "seed": 7, "temperature_k": 10.0, "author": "A. B."}
    with TrajectoryWriter(path, symbols, masses, 2.5, cell=[10, 11, 12], metadata=metadata):
        pass
    with open_trajectory(path) as trajectory:
        assert trajectory.symbols == symbols
        np.testing.assert_array_equal(trajectory.masses, masses)
        assert trajectory.timestep_fs == 2.5
        np.testing.assert_array_equal(trajectory.cell, np.diag([10.0, 11.0, 12.0]))
        assert trajectory.metadata == metadata
        assert trajectory.n_frames == 0
        assert trajectory.positions().shape == (0, 5, 3)
        assert trajectory.gap_ev is None


def test_a_closed_file_goes_on(tmp_path, symbols, masses, make_frame):
    path = tmp_path / "dot.h5md"
    with TrajectoryWriter(path, symbols, masses, 10.0, cell=np.eye(3) * 50) as writer:
        for step in range(3):
            writer.append(make_frame(step))
    size = path.stat().st_size
    with TrajectoryWriter.reopen(path) as writer:
        assert writer.n_frames == 3
        assert_same_frame(writer.last_frame(), make_frame(2))
    assert path.stat().st_size == size
    with TrajectoryWriter.reopen(path) as writer:
        for step in range(3, 20):
            writer.append(make_frame(step))
    with open_trajectory(path) as trajectory:
        np.testing.assert_array_equal(trajectory.steps, np.arange(20))
        assert_same_frame(trajectory.frame(-1), make_frame(19))


def test_a_file_without_frames_goes_on(tmp_path, symbols, masses, make_frame):
    path = tmp_path / "dot.h5md"
    TrajectoryWriter(path, symbols, masses, 10.0).close()
    with TrajectoryWriter.reopen(path) as writer:
        assert writer.last_frame() is None
        writer.append(make_frame(0))
        assert writer.n_frames == 1


def test_frames_hold_only_what_was_computed(tmp_path, symbols, masses):
    path = tmp_path / "dot.h5md"
    frame = Frame(0, 0.0, np.zeros((5, 3)), potential_energy_ev=-1.0)
    with TrajectoryWriter(path, symbols, masses, 10.0) as writer:
        writer.append(frame)
    with open_trajectory(path) as trajectory:
        assert trajectory.has("potential_energy_ev")
        assert not trajectory.has("velocities")
        assert trajectory.velocities() is None
        assert trajectory.forces() is None
        assert trajectory.populations("lumo") is None
        assert_same_frame(trajectory.frame(0), frame)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"velocities": None}, "lacks velocities"),
        ({"homo_ev": None, "lumo_ev": None}, "lacks homo_ev, lumo_ev"),
        ({"positions": np.zeros((4, 3))}, r"positions has shape \(4, 3\), expected \(5, 3\)"),
        ({"positions": np.full((5, 3), np.nan)}, "positions of atom 0 is not a finite number"),
        ({"lumo_ev": np.inf}, "lumo_ev is not a finite number"),
    ],
)
def test_a_bad_frame_is_refused_and_costs_nothing(
    tmp_path, symbols, masses, make_frame, changes, said
):
    path = tmp_path / "dot.h5md"
    with TrajectoryWriter(path, symbols, masses, 10.0) as writer:
        writer.append(make_frame(0))
        with pytest.raises(InputError, match=said):
            writer.append(make_frame(1, **changes))
        writer.append(make_frame(1))
        assert writer.n_frames == 2


def test_a_quantity_that_the_first_frame_lacked_is_refused(tmp_path, symbols, masses, make_frame):
    with TrajectoryWriter(tmp_path / "dot.h5md", symbols, masses, 10.0) as writer:
        writer.append(make_frame(0, forces=None))
        with pytest.raises(InputError, match="adds forces"):
            writer.append(make_frame(1))


@pytest.mark.parametrize("again", [5, 4])
def test_a_step_comes_once_and_in_order(tmp_path, symbols, masses, make_frame, again):
    path = tmp_path / "dot.h5md"
    with TrajectoryWriter(path, symbols, masses, 10.0) as writer:
        writer.append(make_frame(5))
        with pytest.raises(InputError, match="does not come after the last frame"):
            writer.append(make_frame(again))
    with TrajectoryWriter.reopen(path) as writer, pytest.raises(InputError, match="step 5 at 50"):
        writer.append(make_frame(again))


def test_an_existing_file_is_not_overwritten(tmp_path, symbols, masses, make_frame):
    path = tmp_path / "dot.h5md"
    with TrajectoryWriter(path, symbols, masses, 10.0) as writer:
        writer.append(make_frame(0))
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"exists; go on with it by TrajectoryWriter\.reopen"):
        TrajectoryWriter(path, symbols, masses, 10.0)
    assert path.read_bytes() == before


@pytest.mark.parametrize("frames", [0, 2])
def test_a_second_writer_is_refused(tmp_path, symbols, masses, make_frame, frames):
    path = tmp_path / "dot.h5md"
    with TrajectoryWriter(path, symbols, masses, 10.0) as writer:
        for step in range(frames):
            writer.append(make_frame(step))
        with pytest.raises(StoreError, match="is being written by another"):
            TrajectoryWriter.reopen(path)
        writer.append(make_frame(frames))
    TrajectoryWriter.reopen(path).close()


def test_a_file_that_this_process_reads_is_not_reopened_beneath_it(
    tmp_path, symbols, masses, make_frame
):
    path = tmp_path / "dot.h5md"
    with TrajectoryWriter(path, symbols, masses, 10.0) as writer:
        writer.append(make_frame(0))
    with (
        open_trajectory(path),
        pytest.raises(StoreError, match="is open for reading in this process; close that"),
    ):
        TrajectoryWriter.reopen(path)
    with TrajectoryWriter.reopen(path) as writer:
        writer.append(make_frame(1))


def test_a_growing_file_can_be_read(tmp_path, symbols, masses, make_frame):
    path = tmp_path / "dot.h5md"
    with TrajectoryWriter(path, symbols, masses, 10.0) as writer:
        for step in range(3):
            writer.append(make_frame(step))
            with open_trajectory(path) as trajectory:
                assert trajectory.n_frames == step + 1


def test_a_closed_writer_says_so(tmp_path, symbols, masses, make_frame):
    writer = TrajectoryWriter(tmp_path / "dot.h5md", symbols, masses, 10.0)
    writer.append(make_frame(0))
    writer.close()
    writer.close()
    with pytest.raises(StoreError, match="is closed"):
        writer.append(make_frame(1))
    with pytest.raises(StoreError, match="is closed"):
        writer.last_frame()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"symbols": ("Cs", "Xx1", "Br", "Br", "Br")}, "Xx1"),
        ({"symbols": ()}, "none"),
        ({"masses": np.ones(4)}, "5 positive numbers"),
        ({"masses": np.zeros(5)}, "5 positive numbers"),
        ({"timestep_fs": 0.0}, "must be positive"),
        ({"timestep_fs": np.nan}, "must be positive"),
        ({"cell": np.zeros((3, 3))}, "three independent vectors"),
        ({"cell": [1.0, 2.0]}, "three edges"),
        ({"metadata": {"a": None}}, "strings or numbers, a are not"),
    ],
)
def test_impossible_headers_are_refused(tmp_path, symbols, masses, change, said):
    path = tmp_path / "dot.h5md"
    given = {"symbols": symbols, "masses": masses, "timestep_fs": 10.0} | change
    with pytest.raises(InputError, match=said):
        TrajectoryWriter(path, **given)
    assert not path.exists()


def test_a_folder_that_is_not_there_is_named(tmp_path, symbols, masses):
    with pytest.raises(StoreError, match=r"nowhere/dot\.h5md\.partial cannot be opened"):
        TrajectoryWriter(tmp_path / "nowhere" / "dot.h5md", symbols, masses, 10.0)


def test_reopening_what_is_not_there_is_an_error(tmp_path):
    with pytest.raises(StoreError, match="there is no trajectory file"):
        TrajectoryWriter.reopen(tmp_path / "dot.h5md")
