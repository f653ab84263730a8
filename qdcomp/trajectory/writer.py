"""Writing a trajectory so that a kill at any moment costs no frame that was appended.

HDF5's single-writer mode orders what reaches the file so that a reader, or whoever opens the file
after the writer was killed, finds a whole file; each `TrajectoryWriter.append` returns after the
frame is there. A file left by a killed writer carries HDF5's mark "being written"; its complete
frames are copied to a new file that takes its place.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.errors import InputError, StoreError
from qdcomp.trajectory.frame import Frame
from qdcomp.trajectory.h5md import (
    FIELDS,
    PARTICLES,
    Field,
    Header,
    Metadata,
    check_header,
    count_complete_frames,
    frame_datasets,
    open_to_read,
    read_fields,
    read_header,
    write_empty,
)
from qdcomp.trajectory.locking import lock_for_writing

COPY_FRAMES = 256
"""Frames copied at once in a recovery."""


class TrajectoryWriter:
    """Append frames to a new trajectory file.

    Parameters
    ----------
    path
        File to make (``.h5md``); it must not exist. `reopen` goes on with one that does.
    symbols
        Chemical symbol of each atom.
    masses
        Atomic masses [amu], shape ``(n_atoms,)``.
    timestep_fs
        Time between frames [fs].
    cell
        Three edges or three vectors [Å]; None where nothing is periodic.
    metadata
        Strings and numbers to keep with the trajectory.

    Raises
    ------
    InputError
        If a value is impossible.
    StoreError
        If the file exists, is being written, or cannot be made.
    """

    path: Path
    _header: Header
    _fields: tuple[Field, ...]
    _n_frames: int
    _last: tuple[int, float] | None
    _file: h5py.File | None
    _lock: int | None

    def __init__(
        self,
        path: Path | str,
        symbols: Sequence[str],
        masses: ArrayLike,
        timestep_fs: float,
        *,
        cell: ArrayLike | None = None,
        metadata: Metadata | None = None,
    ) -> None:
        target = Path(path)
        header = check_header(symbols, masses, timestep_fs, cell, metadata)
        if target.exists():
            raise StoreError(
                f"{target} exists; go on with it by TrajectoryWriter.reopen, or remove it first"
            )
        self._start(target, header, (), 0, _replace_file(target, header, (), None, 0))

    @classmethod
    def reopen(cls, path: Path | str) -> Self:
        """Go on with a file, whether its writer closed it or was killed.

        Raises
        ------
        StoreError
            If the file is missing, is no trajectory, has a newer format or another writer.
        """
        target = Path(path)
        if not target.is_file():
            raise StoreError(f"there is no trajectory file {target} to go on with")
        lock = lock_for_writing(target)
        try:
            with open_to_read(target) as file:
                header, fields = read_header(file), read_fields(file)
                n_frames = count_complete_frames(file)
                if _is_marked_open(target) or _is_ragged(file, n_frames):
                    recovered = _replace_file(target, header, fields, file, n_frames)
                    os.close(lock)
                    lock = recovered
        except BaseException:
            os.close(lock)
            raise
        writer = cls.__new__(cls)
        writer._start(target, header, fields, n_frames, lock)
        return writer

    def _start(
        self, path: Path, header: Header, fields: tuple[Field, ...], n_frames: int, lock: int
    ) -> None:
        self.path = path
        self._header = header
        self._fields = fields
        self._n_frames = n_frames
        self._lock = lock
        self._file = None
        self._last = None
        if fields:
            self._open()

    def _open(self) -> None:
        self._file = _open_to_append(self.path)
        self._datasets = {dataset.name: dataset for dataset in frame_datasets(self._file)}
        if self._n_frames:
            step, time = self._step_and_time()
            self._last = (int(step[self._n_frames - 1]), float(time[self._n_frames - 1]))

    def _step_and_time(self) -> tuple[h5py.Dataset, h5py.Dataset]:
        group = f"/{PARTICLES}/position"
        return self._datasets[f"{group}/step"], self._datasets[f"{group}/time"]

    @property
    def n_frames(self) -> int:
        """Frames in the file."""
        return self._n_frames

    @property
    def n_atoms(self) -> int:
        """Atoms in each frame."""
        return self._header.n_atoms

    def append(self, frame: Frame) -> None:
        """Add a frame; when this returns, the frame outlives a kill of this process.

        The first frame decides which quantities the file holds, and every later frame must have
        the same: a gap in a series would make every spectrum of it wrong.

        Raises
        ------
        InputError
            If a quantity has the wrong shape, is not finite, is missing or is new, or if the
            frame is not later than the one before.
        StoreError
            If the file is closed or cannot be written, for example because the disk is full;
            the frames appended before are kept.
        """
        if self._lock is None:
            raise StoreError(f"{self.path} is closed; go on with it by TrajectoryWriter.reopen")
        present = tuple(entry for entry in FIELDS if getattr(frame, entry.name) is not None)
        self._check_order(frame)
        if self._fields and present != self._fields:
            raise _different_fields(self.path, frame.step, self._fields, present)
        rows = {entry: _checked_row(entry, frame, self.n_atoms) for entry in present}
        try:
            if self._file is None:
                self._begin(present)
            self._write(frame, rows)
        except (OSError, RuntimeError) as error:
            raise self._give_up(error) from error
        self._n_frames += 1
        self._last = (frame.step, frame.time_fs)

    def _begin(self, fields: tuple[Field, ...]) -> None:
        lock = _replace_file(self.path, self._header, fields, None, 0)
        if self._lock is not None:
            os.close(self._lock)
        self._lock = lock
        self._fields = fields
        self._open()

    def _check_order(self, frame: Frame) -> None:
        if frame.step < 0 or not np.isfinite(frame.time_fs):
            raise InputError(
                f"a frame needs a step of 0 or more and a finite time, "
                f"got step {frame.step}, time {frame.time_fs} fs"
            )
        if self._last is not None and not (
            frame.step > self._last[0] and frame.time_fs > self._last[1]
        ):
            raise InputError(
                f"step {frame.step} at {frame.time_fs:g} fs does not come after the last frame of "
                f"{self.path} (step {self._last[0]} at {self._last[1]:g} fs); "
                "append each step once, in order"
            )

    def _write(self, frame: Frame, rows: dict[Field, Any]) -> None:
        step, time = self._step_and_time()
        index = self._n_frames
        for entry, row in rows.items():
            _set_row(self._datasets[f"/{entry.group}/value"], index, row)
        edges = self._datasets.get(f"/{PARTICLES}/box/edges/value")
        if edges is not None:
            _set_row(edges, index, self._header.cell)
        _set_row(step, index, frame.step)
        _set_row(time, index, frame.time_fs)
        if self._file is not None:
            self._file.flush()

    def _give_up(self, error: Exception) -> StoreError:
        self._release()
        return StoreError(
            f"{self.path} cannot be written ({error}); its {self._n_frames} earlier frames are "
            "kept. Free space on that disk (or raise the file size limit), then resume"
        )

    def last_frame(self) -> Frame | None:
        """Last frame, positions and velocities to the last bit; None before the first."""
        if self._n_frames == 0:
            return None
        if self._file is None:
            raise StoreError(f"{self.path} is closed; read it with open_trajectory")
        return read_frame(self._file, self._fields, self._n_frames - 1)

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        try:
            self._release()
        except (OSError, RuntimeError) as error:
            raise StoreError(
                f"{self.path} could not be closed ({error}); its frames are kept, "
                "and TrajectoryWriter.reopen goes on with it"
            ) from error

    def _release(self) -> None:
        file, self._file = self._file, None
        lock, self._lock = self._lock, None
        try:
            if file is not None:
                file.close()
        finally:
            if lock is not None:
                os.close(lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def read_frame(file: h5py.File, fields: Sequence[Field], index: int) -> Frame:
    """Read one frame with everything it has."""
    values: dict[str, Any] = {}
    for entry in fields:
        stored = file[f"{entry.group}/value"][index]
        value = np.asarray(stored, dtype=np.float64) / entry.stored_per_internal
        values[entry.name] = float(value) if entry.shape == "scalar" else value
    element = file[f"{PARTICLES}/position"]
    return Frame(step=int(element["step"][index]), time_fs=float(element["time"][index]), **values)


def _set_row(dataset: h5py.Dataset, index: int, row: Any) -> None:
    dataset.resize(index + 1, axis=0)
    dataset[index] = row


def _checked_row(entry: Field, frame: Frame, n_atoms: int) -> NDArray[np.float64]:
    value = np.asarray(getattr(frame, entry.name), dtype=np.float64)
    expected = entry.frame_shape(n_atoms)
    if value.shape != expected:
        raise InputError(
            f"step {frame.step}: {entry.name} has shape {value.shape}, expected {expected}"
        )
    if not np.all(np.isfinite(value)):
        where = f" of atom {int(np.argwhere(~np.isfinite(value))[0][0])}" if value.ndim else ""
        raise InputError(
            f"step {frame.step}: {entry.name}{where} is not a finite number; "
            "the run broke there, look at the engine's output of that step"
        )
    return value * entry.stored_per_internal


def _different_fields(
    path: Path, step: int, declared: tuple[Field, ...], present: tuple[Field, ...]
) -> InputError:
    missing = [entry.name for entry in declared if entry not in present]
    added = [entry.name for entry in present if entry not in declared]
    got = "; ".join(
        f"{word} {', '.join(names)}"
        for word, names in (("lacks", missing), ("adds", added))
        if names
    )
    return InputError(
        f"the frame of step {step} {got}, unlike the first frame of {path}; "
        "give every frame the same quantities, or start another file"
    )


def _replace_file(
    path: Path, header: Header, fields: Sequence[Field], source: h5py.File | None, n_frames: int
) -> int:
    """Make the file anew beside `path`, move it there whole, and return the lock on it."""
    beside = path.with_name(f"{path.name}.partial")
    lock = lock_for_writing(beside, create=True)
    try:
        write_empty(beside, header, fields)
        if source is not None and n_frames:
            _copy_frames(source, beside, n_frames)
        os.fsync(lock)
        beside.replace(path)
    except (OSError, RuntimeError) as error:
        os.close(lock)
        beside.unlink(missing_ok=True)
        raise StoreError(
            f"{path} cannot be written ({error}); what was there is untouched. "
            "Free space on that disk, then try again"
        ) from error
    return lock


def _copy_frames(source: h5py.File, target: Path, n_frames: int) -> None:
    with h5py.File(target, "r+", libver=("v110", "v110"), locking=False) as file:
        for dataset in frame_datasets(file):
            dataset.resize(n_frames, axis=0)
            for start in range(0, n_frames, COPY_FRAMES):
                part = slice(start, min(start + COPY_FRAMES, n_frames))
                dataset[part] = source[dataset.name][part]


def _is_marked_open(path: Path) -> bool:
    """Whether HDF5's superblock (version 3, byte 11) says that a writer did not close it."""
    with path.open("rb") as stream:
        return stream.read(12)[11] != 0


def _is_ragged(file: h5py.File, n_frames: int) -> bool:
    return any(dataset.shape[0] != n_frames for dataset in frame_datasets(file))


def _open_to_append(path: Path) -> h5py.File:
    """Open in single-writer mode at once, so that no kill finds the file in another mode."""
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(h5py.h5f.LIBVER_V110, h5py.h5f.LIBVER_V110)
    access.set_file_locking(False, True)
    flags = h5py.h5f.ACC_RDWR | h5py.h5f.ACC_SWMR_WRITE
    return h5py.File(h5py.h5f.open(os.fsencode(path), flags, access))
