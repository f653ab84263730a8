"""What a trajectory file holds, as HDF5 gives it: header, quantities, complete frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from qdcomp import __version__
from qdcomp.errors import StoreError
from qdcomp.hdf5_references import find_outside_reference
from qdcomp.trajectory.frame import Frame
from qdcomp.trajectory.h5md import FIELDS, FORMAT_VERSION, PARTICLES, Field, Header
from qdcomp.trajectory.locking import is_being_written
from qdcomp.trajectory.unclosed import UnclosedFile, is_marked_open

POSITION = f"{PARTICLES}/position"
EDGES = f"{PARTICLES}/box/edges"


def open_to_read(path: Path, *, writer_is_gone: bool | None = None) -> h5py.File:
    """Open a trajectory file, finished, being written or cut off, for reading.

    Parameters
    ----------
    path
        The file.
    writer_is_gone
        Whether a file that was not closed has no writer any more; None finds out.

    Raises
    ------
    StoreError
        If it is missing, not such a file, or of a version that this qdcomp does not know.
    """
    if not path.is_file():
        raise StoreError(f"there is no trajectory file {path}; check the path")
    try:
        if not is_marked_open(path):
            file = h5py.File(path, "r", locking=False)
        elif writer_is_gone or (writer_is_gone is None and not is_being_written(path)):
            file = h5py.File(UnclosedFile(path), "r")
        else:
            file = h5py.File(path, "r", swmr=True, locking=False)
    except OSError as error:
        raise _damaged(path, error) from error
    try:
        with explain_damage(path):
            _refuse_references(file, path)
            _check_version(file, path)
    except StoreError:
        file.close()
        raise
    return file


@contextmanager
def explain_damage(path: Path) -> Iterator[None]:
    """Turn what HDF5 says of damaged bytes into an error that names the file.

    Raises
    ------
    StoreError
        In place of HDF5's errors.
    """
    try:
        yield
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"{path} cannot be read as a trajectory: it is damaged, cut off or not HDF5 ({error}); "
        "give the .h5md file of a run, or remove it and run 'qdcomp resume', which makes it "
        "again from the job's outputs"
    )


def _refuse_references(file: h5py.File, path: Path) -> None:
    reference = find_outside_reference(file)
    if reference:
        raise StoreError(
            f"{path}: {reference}, and a trajectory of qdcomp holds all of its frames itself; do "
            "not open it unless you know who made it, and why"
        )


def _check_version(file: h5py.File, path: Path) -> None:
    if "h5md" not in file or "parameters/qdcomp" not in file:
        kind = "an H5MD file of another program" if "h5md" in file else "an HDF5 file, not H5MD"
        raise StoreError(f"{path} is {kind}, not a qdcomp trajectory; give the .h5md file of a run")
    version = int(file["parameters/qdcomp"].attrs["format_version"])
    if version > FORMAT_VERSION:
        raise StoreError(
            f"{path} has trajectory format {version}, this qdcomp reads up to {FORMAT_VERSION}; "
            f"open it with the newer qdcomp that wrote it (here: {__version__})"
        )


def read_header(file: h5py.File) -> Header:
    """Read what all frames share."""
    ours = file["parameters/qdcomp"]
    species = file[f"{PARTICLES}/species"]
    names = {number: name for name, number in h5py.check_enum_dtype(species.dtype).items()}
    return Header(
        symbols=tuple(names[number] for number in species[:].tolist()),
        masses=file[f"{PARTICLES}/mass"][:],
        timestep_fs=float(ours["timestep"][()]),
        cell=ours["cell"][:] if "cell" in ours else None,
        metadata={key: _plain(value) for key, value in ours["metadata"].attrs.items()},
    )


def _plain(value: Any) -> str | float | int:
    plain: str | float | int = value.item() if isinstance(value, np.generic) else value
    return plain


def read_fields(file: h5py.File) -> tuple[Field, ...]:
    """Quantities that every frame of the file has."""
    return tuple(entry for entry in FIELDS if f"{entry.group}/value" in file)


def frame_datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    """Find every dataset that grows by one row a frame; none before the first frame.

    Their names are those of the fields and ``edges``, then ``step`` and ``time``: the order in
    which a frame is written.
    """
    fields = read_fields(file)
    if not fields:
        return {}
    datasets = {entry.name: file[f"{entry.group}/value"] for entry in fields}
    if EDGES in file:
        datasets["edges"] = file[f"{EDGES}/value"]
    return datasets | {name: file[f"{POSITION}/{name}"] for name in ("step", "time")}


def count_complete_frames(file: h5py.File) -> int:
    """Count the frames that are there in full.

    A writer that is killed may leave a frame begun. Its step and time are written when all else
    of the frame is in the file, so a frame without them (fewer rows, or still their fill values)
    is none.
    """
    datasets = frame_datasets(file)
    count = min((dataset.shape[0] for dataset in datasets.values()), default=0)
    while count and not (
        datasets["step"][count - 1] >= 0 and np.isfinite(datasets["time"][count - 1])
    ):
        count -= 1
    return count


def read_frame(file: h5py.File, fields: Sequence[Field], index: int) -> Frame:
    """Read one frame with everything it has."""
    values: dict[str, Any] = {}
    for entry in fields:
        stored = file[f"{entry.group}/value"][index]
        value = np.asarray(stored, dtype=np.float64) / entry.stored_per_internal
        values[entry.name] = float(value) if entry.shape == "scalar" else value
    element = file[POSITION]
    return Frame(step=int(element["step"][index]), time_fs=float(element["time"][index]), **values)
