"""What a trajectory file holds after its writer was killed, or its disk was full."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from qdcomp.errors import StoreError
from qdcomp.trajectory import TrajectoryWriter, open_trajectory

FRAMES = """
    import os, resource, sys
    from pathlib import Path
    import numpy as np
    from qdcomp.errors import StoreError
    from qdcomp.trajectory import Frame, TrajectoryWriter, open_trajectory

    def frame(step):
        positions = np.random.default_rng(step).normal(size=(191, 3))
        return Frame(step, 10.0 * step, positions, velocities=2 * positions,
                     homo_ev=-5.0, lumo_ev=-3.0 + step)

    def open_writer(path):
        if path.exists():
            return TrajectoryWriter.reopen(path)
        return TrajectoryWriter(path, ["Cs"] * 191, np.full(191, 132.9), 10.0)

    path = Path(sys.argv[1])
"""

APPEND_FOREVER = """
    writer = open_writer(path)
    step = writer.n_frames
    while True:
        writer.append(frame(step))
        os.write(1, b"%d\\n" % step)
        step += 1
"""

APPEND_UNTIL_FULL = """
    writer = open_writer(path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    try:
        for step in range(100_000):
            writer.append(frame(step))
    except StoreError as error:
        print(error)
    writer.close()
    with open_trajectory(path) as trajectory:
        assert trajectory.n_frames == step == writer.n_frames
"""

WITHOUT_RESERVING = """
    import qdcomp.trajectory.writer as module
    module.reserve_space = lambda descriptor, size: None
"""


def start(path: Path, *parts: str, arguments: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    code = "".join(textwrap.dedent(part) for part in (FRAMES, *parts))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
    )


def positions(step: int) -> np.ndarray:
    return np.random.default_rng(step).normal(size=(191, 3))


def test_every_acknowledged_frame_survives_sigkill_once(tmp_path):
    path = tmp_path / "dot.h5md"
    rng = np.random.default_rng(2)
    acknowledged = -1
    for _ in range(7):
        with start(path, APPEND_FOREVER) as child:
            for _ in range(rng.integers(1, 40)):
                child.stdout.readline()
            child.kill()
            steps = child.stdout.read().split(b"\n")[:-1]
        acknowledged = max([acknowledged, *map(int, steps)])
        with open_trajectory(path) as trajectory:
            assert trajectory.n_frames > acknowledged
            np.testing.assert_array_equal(trajectory.steps, np.arange(trajectory.n_frames))
            stored = trajectory.positions()
        expected = np.array([positions(step) for step in range(len(stored))])
        np.testing.assert_array_equal(stored, expected)
    with TrajectoryWriter.reopen(path) as writer:
        assert writer.n_frames == len(stored)
        np.testing.assert_array_equal(
            writer.last_frame().velocities, 2 * positions(writer.n_frames - 1)
        )


def test_a_frame_begun_by_a_killed_writer_is_left_out(tmp_path, symbols, masses, make_frame):
    """A row in some datasets, and one in all but without its step, are no frames."""
    path = tmp_path / "dot.h5md"
    writer = TrajectoryWriter(path, symbols, masses, 10.0)
    for step in range(3):
        writer.append(make_frame(step))
    for name, dataset in writer._datasets.items():
        dataset.resize(4, axis=0)
        if name == "positions":
            dataset.resize(5, axis=0)
    writer.close()
    with open_trajectory(path) as trajectory:
        assert trajectory.n_frames == 3
        assert trajectory.positions().shape == (3, 5, 3)
        assert trajectory.gap_ev.shape == (3,)
    with TrajectoryWriter.reopen(path) as writer:
        writer.append(make_frame(3))
    with open_trajectory(path) as trajectory:
        np.testing.assert_array_equal(trajectory.steps, np.arange(4))
        np.testing.assert_array_equal(trajectory.positions()[3], make_frame(3).positions)


@pytest.mark.parametrize("limit", [700_000, 2_000_001])
@pytest.mark.parametrize("reserving", [True, False])
def test_a_full_disk_costs_no_earlier_frame(tmp_path, limit, reserving):
    """With space reserved the error comes before HDF5 writes; without, HDF5's write fails."""
    path = tmp_path / "dot.h5md"
    parts = (APPEND_UNTIL_FULL,) if reserving else (WITHOUT_RESERVING, APPEND_UNTIL_FULL)
    with start(path, *parts, arguments=(str(limit),)) as child:
        said = child.stdout.read().decode()
    assert child.returncode == 0, said
    assert f"{path} cannot be written (File too large)" in said
    assert "earlier frames are kept. Free space on that disk" in said
    with open_trajectory(path) as trajectory:
        kept = trajectory.n_frames
        assert kept >= 32
        expected = np.array([positions(step) for step in range(kept)])
        np.testing.assert_array_equal(trajectory.positions(), expected)
    with TrajectoryWriter.reopen(path) as writer:
        assert writer.n_frames == kept


@pytest.mark.parametrize("damage", ["superblock", "tail"])
def test_a_damaged_file_of_a_killed_writer_is_an_error_at_once(tmp_path, damage):
    path = tmp_path / "dot.h5md"
    with start(path, APPEND_FOREVER) as child:
        for _ in range(5):
            child.stdout.readline()
        child.kill()
    content = bytearray(path.read_bytes())
    if damage == "superblock":
        content[20] ^= 1
    else:
        content[48:16384] = bytes(16384 - 48)
    path.write_bytes(content)
    for use in (open_trajectory, TrajectoryWriter.reopen):
        with pytest.raises(StoreError, match="damaged, cut off or not HDF5"):
            use(path)
    assert path.read_bytes() == content


def test_no_room_for_a_new_file_is_an_error(tmp_path, symbols, masses, monkeypatch):
    def full(descriptor: int, size: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("qdcomp.trajectory.replacement.reserve_space", full)
    path = tmp_path / "dot.h5md"
    with pytest.raises(StoreError, match="cannot be written \\(No space left on device\\)"):
        TrajectoryWriter(path, symbols, masses, 10.0)
    assert list(tmp_path.iterdir()) == []


def test_no_room_to_recover_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "dot.h5md"
    with start(path, APPEND_FOREVER) as child:
        for _ in range(5):
            child.stdout.readline()
        child.kill()
    before = path.read_bytes()

    def full(descriptor: int, size: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("qdcomp.trajectory.replacement.reserve_space", full)
        with pytest.raises(StoreError, match="what was there is untouched"):
            TrajectoryWriter.reopen(path)
    assert path.read_bytes() == before
    with TrajectoryWriter.reopen(path) as writer:
        assert writer.n_frames >= 5
