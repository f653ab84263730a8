"""Making a trajectory file anew beside the old one, and moving it there whole.

So begins every file, so it gets the datasets that its first frame asks for, and so it is recovered
after a kill: HDF5 marks a file that was not closed, refuses to write to it again, and leaves no
way to take the mark off; its complete frames are copied.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import h5py

from qdcomp.errors import StoreError
from qdcomp.trajectory.contents import explain_damage, frame_datasets
from qdcomp.trajectory.disk import describe_failure, reserve_space, return_space
from qdcomp.trajectory.h5md import Field, Header, write_empty
from qdcomp.trajectory.locking import lock_for_writing
from qdcomp.trajectory.unclosed import is_marked_open

COPY_FRAMES = 256
"""Frames copied at once in a recovery."""

ROOM_TO_BEGIN = 2**18
"""Bytes that a file without frames takes at most, and the slack of one with them."""


def begin_file(path: Path, header: Header, fields: Sequence[Field] = ()) -> int:
    """Make a file without frames, and return the lock on it.

    Raises
    ------
    StoreError
        If it cannot be written, or another writer is at it.
    """
    return _replace(path, header, fields, None, 0)


def recover_file(
    path: Path, header: Header, fields: Sequence[Field], source: h5py.File, n_frames: int
) -> int:
    """Put a file with the first `n_frames` of `source` at `path`, and return the lock on it.

    Raises
    ------
    StoreError
        If it cannot be written; what was at `path` is then untouched.
    """
    return _replace(path, header, fields, source, n_frames)


def needs_recovery(path: Path, file: h5py.File, n_frames: int) -> bool:
    """Whether the last writer did not close the file, or left part of a frame."""
    return is_marked_open(path) or any(
        dataset.shape[0] != n_frames for dataset in frame_datasets(file).values()
    )


def _replace(
    path: Path, header: Header, fields: Sequence[Field], source: h5py.File | None, n_frames: int
) -> int:
    beside = path.with_name(f"{path.name}.partial")
    lock = lock_for_writing(beside, create=True)
    try:
        reserve_space(lock, ROOM_TO_BEGIN)
        write_empty(beside, header, fields)
        if source is not None and n_frames:
            reserve_space(lock, path.stat().st_size + ROOM_TO_BEGIN)
            _copy_frames(source, path, beside, n_frames)
        return_space(lock)
        os.fsync(lock)
        beside.replace(path)
    except (OSError, RuntimeError, StoreError) as error:
        os.close(lock)
        beside.unlink(missing_ok=True)
        if isinstance(error, StoreError):
            raise
        raise StoreError(
            f"{path} cannot be written ({describe_failure(error)}); what was there is untouched. "
            "Free space on that disk (or raise the file size limit), then try again"
        ) from error
    return lock


def _copy_frames(source: h5py.File, source_path: Path, target: Path, n_frames: int) -> None:
    with h5py.File(target, "r+", libver=("v110", "v110"), locking=False) as file:
        origin = frame_datasets(source)
        for name, dataset in frame_datasets(file).items():
            dataset.resize(n_frames, axis=0)
            for start in range(0, n_frames, COPY_FRAMES):
                part = slice(start, min(start + COPY_FRAMES, n_frames))
                with explain_damage(source_path):
                    rows = origin[name][part]
                dataset[part] = rows


def open_to_append(path: Path) -> h5py.File:
    """Open in single-writer mode at once, so that no kill finds the file in another mode.

    Raises
    ------
    StoreError
        If this process reads the file, or it is damaged.
    """
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(h5py.h5f.LIBVER_V110, h5py.h5f.LIBVER_V110)
    access.set_file_locking(False, True)
    flags = h5py.h5f.ACC_RDWR | h5py.h5f.ACC_SWMR_WRITE
    with explain_damage(path):
        try:
            return h5py.File(h5py.h5f.open(os.fsencode(path), flags, access))
        except OSError as error:
            if "already open" not in str(error):
                raise
            raise StoreError(
                f"{path} is open for reading in this process; close that Trajectory first"
            ) from error
