"""Reading a trajectory file: whole series, stretches of frames, or frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.trajectory.contents import (
    POSITION,
    count_complete_frames,
    explain_damage,
    open_to_read,
    read_fields,
    read_frame,
    read_header,
)
from qdcomp.trajectory.frame import Frame
from qdcomp.trajectory.h5md import FIELD_BY_NAME, Header, Metadata

TIME_TOLERANCE = 1e-3
"""Share of the time step by which a frame's time may be off before it is called uneven."""


def open_trajectory(path: Path | str) -> Trajectory:
    """Open a trajectory file for reading; it may still be growing.

    Raises
    ------
    StoreError
        If it is missing, no trajectory of qdcomp, cut off, or of a newer format.
    """
    target = Path(path)
    file = open_to_read(target)
    try:
        with explain_damage(target):
            return Trajectory(target, file)
    except BaseException:
        file.close()
        raise


class Trajectory:
    """Frames of one run, as they were when the file was opened; made by `open_trajectory`.

    Attributes
    ----------
    path
        The file.
    n_frames
        Number of complete frames.
    steps
        Step numbers, shape ``(n_frames,)``.
    times_fs
        Times [fs], shape ``(n_frames,)``.
    """

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path = path
        self._file = file
        self._header: Header = read_header(file)
        self._fields = {entry.name: entry for entry in read_fields(file)}
        self.n_frames = count_complete_frames(file)
        self.steps: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.times_fs: NDArray[np.float64] = np.empty(0)
        if self.n_frames:
            element = file[POSITION]
            self.steps = element["step"][: self.n_frames]
            self.times_fs = element["time"][: self.n_frames]

    @property
    def n_atoms(self) -> int:
        """Number of atoms."""
        return self._header.n_atoms

    @property
    def symbols(self) -> tuple[str, ...]:
        """Chemical symbol of each atom."""
        return self._header.symbols

    @property
    def masses(self) -> NDArray[np.float64]:
        """Atomic masses [amu], shape ``(n_atoms,)``."""
        return self._header.masses

    @property
    def timestep_fs(self) -> float:
        """Time between frames [fs]."""
        return self._header.timestep_fs

    @property
    def cell(self) -> NDArray[np.float64] | None:
        """Cell vectors [Å], shape ``(3, 3)``; None where nothing is periodic."""
        return self._header.cell

    @property
    def metadata(self) -> Metadata:
        """What was kept with the trajectory."""
        return self._header.metadata

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know before trusting a spectrum of this trajectory."""
        spacing = np.diff(self.times_fs)
        uneven = np.flatnonzero(
            np.abs(spacing - self.timestep_fs) > TIME_TOLERANCE * self.timestep_fs
        )
        if uneven.size == 0:
            return ()
        first = int(uneven[0])
        return (
            f"{self.path}: {uneven.size} of {spacing.size} intervals between frames are not "
            f"{self.timestep_fs:g} fs, the first after step {int(self.steps[first])} "
            f"({spacing[first]:g} fs): frames are missing there",
        )

    def has(self, name: str) -> bool:
        """Whether every frame has a quantity, by its name in `Frame`.

        Raises
        ------
        InputError
            If no frame could ever have it.
        """
        _check_name(name)
        return name in self._fields

    def positions(
        self,
        start: int = 0,
        stop: int | None = None,
        stride: int = 1,
        atoms: slice | None = None,
    ) -> NDArray[np.float64]:
        """Read positions [Å], shape ``(n_selected, n_atoms, 3)``, of some frames and atoms."""
        return self._vectors("positions", start, stop, stride, atoms)

    def velocities(
        self,
        start: int = 0,
        stop: int | None = None,
        stride: int = 1,
        atoms: slice | None = None,
    ) -> NDArray[np.float64] | None:
        """Read velocities [Å/fs], like `positions`; None where the file has none."""
        if not self.has("velocities"):
            return None
        return self._vectors("velocities", start, stop, stride, atoms)

    def forces(
        self,
        start: int = 0,
        stop: int | None = None,
        stride: int = 1,
        atoms: slice | None = None,
    ) -> NDArray[np.float64] | None:
        """Read forces [eV/Å], like `positions`; None where the file has none."""
        if not self.has("forces"):
            return None
        return self._vectors("forces", start, stop, stride, atoms)

    def _vectors(
        self, name: str, start: int, stop: int | None, stride: int, atoms: slice | None
    ) -> NDArray[np.float64]:
        frames = range(*slice(start, stop, stride).indices(self.n_frames))
        if stride < 1:
            raise InputError(f"stride must be 1 or more, got {stride}")
        chosen = range(*(atoms or slice(None)).indices(self.n_atoms))
        if name not in self._fields or not frames or not chosen:
            return np.empty((len(frames), len(chosen), 3))
        entry = self._fields[name]
        with explain_damage(self.path):
            stored: NDArray[np.float64] = self._file[f"{entry.group}/value"][
                frames.start : frames.stop : stride, atoms or slice(None)
            ]
        if entry.stored_per_internal != 1.0:
            stored /= entry.stored_per_internal
        return stored

    def series(self, name: str) -> NDArray[np.float64] | None:
        """One number a frame by its name in `Frame`, shape ``(n_frames,)``; None if not there.

        Raises
        ------
        InputError
            If the name is not that of a scalar of `Frame`.
        """
        _check_name(name, shape="scalar")
        return self._read(name)

    @property
    def gap_ev(self) -> NDArray[np.float64] | None:
        """LUMO − HOMO [eV], shape ``(n_frames,)``; None where orbitals were not computed."""
        homo, lumo = self.series("homo_ev"), self.series("lumo_ev")
        return None if homo is None or lumo is None else lumo - homo

    def populations(self, orbital: Literal["homo", "lumo"]) -> NDArray[np.float64] | None:
        """Share of each atom in an orbital, shape ``(n_frames, n_atoms)``; None if not there.

        Stored in single precision.

        Raises
        ------
        InputError
            If the orbital is neither ``homo`` nor ``lumo``.
        """
        if orbital not in ("homo", "lumo"):
            raise InputError(f"populations are kept of 'homo' and 'lumo', got {orbital!r}")
        return self._read(f"{orbital}_population")

    def _read(self, name: str) -> NDArray[np.float64] | None:
        if name not in self._fields:
            return None
        entry = self._fields[name]
        with explain_damage(self.path):
            values = self._file[f"{entry.group}/value"][: self.n_frames].astype(np.float64)
        return np.asarray(values / entry.stored_per_internal)

    def frame(self, index: int) -> Frame:
        """One frame with everything it has; negative indices count from the end.

        Raises
        ------
        InputError
            If there is no such frame.
        """
        if not -self.n_frames <= index < self.n_frames:
            raise InputError(f"{self.path} has {self.n_frames} frames, got index {index}")
        with explain_damage(self.path):
            return read_frame(self._file, tuple(self._fields.values()), index % self.n_frames)

    def frames(self) -> Iterator[Frame]:
        """Frames in order, one in memory at a time."""
        return (self.frame(index) for index in range(self.n_frames))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _check_name(name: str, shape: str | None = None) -> None:
    known = [key for key, entry in FIELD_BY_NAME.items() if shape in (None, entry.shape)]
    if name not in known:
        raise InputError(f"a trajectory has no {name!r}; it may have {', '.join(known)}")
