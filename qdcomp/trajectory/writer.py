"""Writing a trajectory so that a kill at any moment costs no frame that was appended.

HDF5's single-writer mode orders what reaches the file so that a reader, or whoever opens the file
after the writer was killed, finds a whole file; each `TrajectoryWriter.append` returns after the
frame is there. It outlives the process, not a power failure before the disk has it.
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
from qdcomp.trajectory.contents import (
    count_complete_frames,
    explain_damage,
    frame_datasets,
    open_to_read,
    read_fields,
    read_frame,
    read_header,
)
from qdcomp.trajectory.disk import abandon, describe_failure, reserve_space, return_space
from qdcomp.trajectory.frame import Frame
from qdcomp.trajectory.h5md import (
    FIELDS,
    PAGE_BYTES,
    Field,
    Header,
    Metadata,
    check_header,
)
from qdcomp.trajectory.locking import lock_for_writing
from qdcomp.trajectory.replacement import (
    ROOM_TO_BEGIN,
    begin_file,
    needs_recovery,
    open_to_append,
    recover_file,
)

INDEX_BYTES_PER_CHUNK = 64
"""Room for HDF5's index of a chunk, generously."""


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
        self._start(target, header, (), 0, begin_file(target, header))

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
            with open_to_read(target, writer_is_gone=True) as file:
                with explain_damage(target):
                    header, fields = read_header(file), read_fields(file)
                    n_frames = count_complete_frames(file)
                if needs_recovery(target, file, n_frames):
                    recovered = recover_file(target, header, fields, file, n_frames)
                    os.close(lock)
                    lock = recovered
            writer = cls.__new__(cls)
            writer._start(target, header, fields, n_frames, lock)
        except BaseException:
            os.close(lock)
            raise
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
        self._datasets: dict[str, h5py.Dataset] = {}
        self._last = None
        self._reserved = 0
        if fields:
            self._open()

    def _open(self) -> None:
        self._file = open_to_append(self.path)
        self._datasets = frame_datasets(self._file)
        self._reserved = self.path.stat().st_size + ROOM_TO_BEGIN
        if self._n_frames:
            last = self._n_frames - 1
            with explain_damage(self.path):
                step, time = self._datasets["step"][last], self._datasets["time"][last]
            self._last = (int(step), float(time))

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
        rows = {entry.name: _checked_row(entry, frame, self.n_atoms) for entry in present}
        if self._file is None:
            self._begin(present)
        self._reserve_chunks()
        try:
            self._write(frame, rows)
        except (OSError, RuntimeError) as error:
            raise self._give_up(error) from error
        self._n_frames += 1
        self._last = (frame.step, frame.time_fs)

    def _begin(self, fields: tuple[Field, ...]) -> None:
        lock = begin_file(self.path, self._header, fields)
        if self._lock is not None:
            os.close(self._lock)
        self._lock = lock
        self._fields = fields
        self._open()

    def _reserve_chunks(self) -> None:
        """Make room for the chunks that this frame begins, before HDF5 is asked to write."""
        if self._lock is None:
            return
        begun = [
            _chunk_row_bytes(dataset)
            for dataset in self._datasets.values()
            if self._n_frames % dataset.chunks[0] == 0
        ]
        if not begun:
            return
        self._reserved += sum(begun)
        try:
            reserve_space(self._lock, self._reserved)
        except OSError as error:
            self._release()
            raise self._full(error) from error

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

    def _write(self, frame: Frame, rows: dict[str, Any]) -> None:
        """Write all of a frame, and, when that is in the file, its step and time."""
        assert self._file is not None
        if self._header.cell is not None:
            rows["edges"] = self._header.cell
        for name, row in rows.items():
            self._set_row(name, row)
        self._file.flush()
        self._set_row("step", frame.step)
        self._set_row("time", frame.time_fs)
        self._file.flush()

    def _set_row(self, name: str, row: Any) -> None:
        dataset = self._datasets[name]
        dataset.resize(self._n_frames + 1, axis=0)
        dataset[self._n_frames] = row

    def _give_up(self, error: Exception) -> StoreError:
        """Leave a file that HDF5 could not write, as it is."""
        file, self._file = self._file, None
        if file is not None:
            abandon(file)
        self._datasets = {}
        self._unlock()
        return self._full(error)

    def _full(self, error: Exception) -> StoreError:
        return StoreError(
            f"{self.path} cannot be written ({describe_failure(error)}); its {self._n_frames} "
            "earlier frames are kept. Free space on that disk (or raise the file size limit), "
            "then resume"
        )

    def last_frame(self) -> Frame | None:
        """Last frame, positions and velocities to the last bit; None before the first."""
        if self._n_frames == 0:
            return None
        if self._file is None:
            raise StoreError(f"{self.path} is closed; read it with open_trajectory")
        return read_frame(self._file, self._fields, self._n_frames - 1)

    def close(self) -> None:
        """Close the file; closing twice does nothing.

        Raises
        ------
        StoreError
            If HDF5 cannot finish the file; its frames are kept.
        """
        try:
            self._release()
        except (OSError, RuntimeError) as error:
            raise self._give_up(error) from error

    def _release(self) -> None:
        """Finish the file and let others write it."""
        if self._file is not None:
            self._file.flush()
            self._datasets = {}
            self._file.close()
            self._file = None
            if self._lock is not None:
                return_space(self._lock)
        self._unlock()

    def _unlock(self) -> None:
        lock, self._lock = self._lock, None
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


def _chunk_row_bytes(dataset: h5py.Dataset) -> int:
    """Bytes of the chunks that hold the same frames, each in pages of its own."""
    chunks = [-(-size // chunk) for size, chunk in zip(dataset.shape, dataset.chunks, strict=True)]
    n_chunks = int(np.prod(chunks[1:], dtype=np.int64))
    chunk_bytes = int(np.prod(dataset.chunks)) * int(dataset.dtype.itemsize)
    return n_chunks * (-(-chunk_bytes // PAGE_BYTES) * PAGE_BYTES + INDEX_BYTES_PER_CHUNK)


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
