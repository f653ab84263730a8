"""Streaming readers of xyz trajectories: CP2K's positions, velocities and forces, extended xyz.

A number read is the double nearest to its text (bit for bit ``float(text)``), then multiplied
once by the unit's factor where that is not one. Memory is one frame, whatever the file's size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError, ParseError
from qdcomp.trajectory.xyz_atoms import read_symbols, read_values
from qdcomp.trajectory.xyz_columns import FixedColumns
from qdcomp.trajectory.xyz_comment import Quantity, find_columns, find_factor
from qdcomp.trajectory.xyz_index import FrameSpan, OnRestart, index_frames

MANY_ATOMS = 48
"""Frames of fewer atoms are read faster one by one than as arrays."""


@dataclass(frozen=True)
class XyzFrame:
    """One frame of an xyz file.

    Attributes
    ----------
    step, time_fs, energy_ev
        Step number, time [fs] and energy [eV], where the comment line gives them.
    symbols
        Chemical symbol of each atom.
    values
        Positions [Å], velocities [Å/fs] or forces [eV/Å], shape ``(n_atoms, 3)``.
    cell
        Cell vectors [Å], shape ``(3, 3)``, where given.
    info
        Every key of an extended xyz comment with its text.
    """

    step: int | None
    time_fs: float | None
    energy_ev: float | None
    symbols: tuple[str, ...]
    values: NDArray[np.float64]
    cell: NDArray[np.float64] | None
    info: Mapping[str, str]


@dataclass(frozen=True)
class XyzTrajectory:
    """All frames of an xyz file.

    Attributes
    ----------
    quantity
        ``position``, ``velocity`` or ``force``.
    symbols
        Chemical symbol of each atom.
    values
        Positions [Å], velocities [Å/fs] or forces [eV/Å], shape ``(n_frames, n_atoms, 3)``.
    steps, times_fs, energies_ev
        Step numbers, times [fs] and energies [eV], shape ``(n_frames,)``; None unless every
        frame gives them.
    cells
        Cell vectors [Å], shape ``(n_frames, 3, 3)``; None unless every frame gives them.
    warnings
        Frames that were left out, and why.
    """

    quantity: Quantity
    symbols: tuple[str, ...]
    values: NDArray[np.float64]
    steps: NDArray[np.int64] | None
    times_fs: NDArray[np.float64] | None
    energies_ev: NDArray[np.float64] | None
    cells: NDArray[np.float64] | None
    warnings: tuple[str, ...]


def open_xyz(
    path: Path | str,
    quantity: Quantity = "position",
    *,
    unit: str | None = None,
    on_restart: OnRestart = "error",
) -> XyzFile:
    """Find the frames of an xyz file, and read them as they are asked for.

    Parameters
    ----------
    path
        The file.
    quantity
        What its three numbers an atom are; in extended xyz, which columns to take.
    unit
        Unit in the file: ``angstrom``, ``bohr``, ``nm``; ``angstrom/fs``, ``angstrom/ps``,
        ``bohr/au_time``; ``ev/angstrom``, ``hartree/bohr``. None takes CP2K's defaults (Å,
        bohr per atomic time, hartree/bohr), in other files Å and, in extended xyz, eV/Å.
    on_restart
        What to do where the step number goes back: ``error``, or ``keep_last`` to let the
        frames of the restarted run replace those of the same steps before it.

    Raises
    ------
    InputError
        If quantity or unit is unknown, or the unit cannot be known.
    ParseError
        Naming the line, if the file is not such a trajectory.
    """
    return XyzFile(Path(path), quantity, unit, on_restart)


def iterate_xyz(
    path: Path | str,
    quantity: Quantity = "position",
    *,
    unit: str | None = None,
    on_restart: OnRestart = "error",
) -> Iterator[XyzFrame]:
    """Read an xyz file frame by frame; arguments and errors as in `open_xyz`."""
    with open_xyz(path, quantity, unit=unit, on_restart=on_restart) as file:
        yield from file


def read_xyz(
    path: Path | str,
    quantity: Quantity = "position",
    *,
    unit: str | None = None,
    on_restart: OnRestart = "error",
) -> XyzTrajectory:
    """Read all frames of an xyz file; arguments and errors as in `open_xyz`."""
    with open_xyz(path, quantity, unit=unit, on_restart=on_restart) as file:
        values = np.empty((file.n_frames, len(file.symbols), 3))
        for index in range(file.n_frames):
            file.read_into(index, values[index])
        comments = [span.comment for span in file.spans]
        steps = [comment.step for comment in comments]
        times = [comment.time_fs for comment in comments]
        energies = [comment.energy_ev for comment in comments]
        cells = [comment.cell for comment in comments]
        return XyzTrajectory(
            quantity=quantity,
            symbols=file.symbols,
            values=values,
            steps=None if None in steps else np.array(steps, dtype=np.int64),
            times_fs=None if None in times else np.array(times, dtype=np.float64),
            energies_ev=None if None in energies else np.array(energies, dtype=np.float64),
            cells=None if any(cell is None for cell in cells) else np.array(cells),
            warnings=file.warnings,
        )


class XyzFile:
    """An xyz file whose frames are known and read on demand; made by `open_xyz`.

    Attributes
    ----------
    path
        The file.
    symbols
        Chemical symbol of each atom.
    spans
        Place and comment of each frame.
    warnings
        Frames that were left out, and why.
    """

    def __init__(
        self, path: Path, quantity: Quantity, unit: str | None, on_restart: OnRestart
    ) -> None:
        self.path = path
        self._data = _map_file(path)
        try:
            index = index_frames(self._data, path, on_restart)
            self.spans: tuple[FrameSpan, ...] = index.frames
            self.warnings: tuple[str, ...] = index.warnings
            first = self.spans[0]
            self._factor = find_factor(first.comment.convention, quantity, unit, path)
            self._columns = find_columns(first.comment, quantity, path, first.line + 1)
            self.symbols: tuple[str, ...] = read_symbols(
                self._data[first.start : first.stop], self._columns, path, first.line + 2
            )
        except BaseException:
            self._data.close()
            raise
        self._bytes: NDArray[np.uint8] | None = np.frombuffer(self._data, dtype=np.uint8)
        self._fixed: FixedColumns | None = None
        if len(self.symbols) >= MANY_ATOMS:
            block = self._data[first.start : first.stop]
            self._fixed = FixedColumns.detect(block, self._columns)

    @property
    def n_frames(self) -> int:
        """Number of whole frames."""
        return len(self.spans)

    def read_into(self, index: int, target: NDArray[np.float64]) -> None:
        """Read the numbers of one frame into an array of shape ``(n_atoms, 3)``."""
        span = self.spans[index]
        if self._bytes is None:
            raise InputError(f"{self.path} is closed; read its frames before closing it")
        if self._fixed is None or not self._fixed.read(self._bytes[span.start : span.stop], target):
            block = self._data[span.start : span.stop]
            target[:] = read_values(block, self._columns, self.symbols, self.path, span.line + 2)
        if self._factor != 1.0:
            target *= self._factor

    def __iter__(self) -> Iterator[XyzFrame]:
        for index, span in enumerate(self.spans):
            values = np.empty((len(self.symbols), 3))
            self.read_into(index, values)
            comment = span.comment
            yield XyzFrame(
                step=comment.step,
                time_fs=comment.time_fs,
                energy_ev=comment.energy_ev,
                symbols=self.symbols,
                values=values,
                cell=comment.cell,
                info=comment.info,
            )

    def close(self) -> None:
        """Close the file."""
        self._bytes = None
        self._data.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _map_file(path: Path) -> mmap:
    try:
        with path.open("rb") as stream:
            if path.stat().st_size == 0:
                raise ParseError("the file is empty; the run has not written a frame", path)
            return mmap(stream.fileno(), 0, access=ACCESS_READ)
    except OSError as error:
        raise ParseError(f"cannot be read ({error.strerror}); check the path", path) from error
