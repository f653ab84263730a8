"""Opening a file of single photons, whatever wrote it.

The reader is chosen by what the file begins with, not by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qdcomp.errors import InputError, ParseError
from qdcomp.experiment.files.file_source import FileSource, collect_photons
from qdcomp.experiment.files.old_picoquant import (
    HYDRAHARP,
    PICOHARP,
    TIMEHARP,
    open_hydraharp,
    open_picoharp,
    open_timeharp,
)
from qdcomp.experiment.files.photon_hdf5 import open_photon_hdf5
from qdcomp.experiment.files.photon_table import open_npy, open_npz, open_text_table
from qdcomp.experiment.files.ptu import open_ptu
from qdcomp.experiment.photon_stream import PhotonStream

KNOWN = (
    "PicoQuant .ptu, .pt3, .pt2, .ht3, .ht2 (version 2) and .t3r, Photon-HDF5, .npy, .npz and CSV "
    "of arrival times"
)

_READERS: tuple[tuple[bytes, Callable[[Path, int], FileSource]], ...] = (
    (b"PQTTTR\0\0", open_ptu),
    (PICOHARP, open_picoharp),
    (HYDRAHARP, open_hydraharp),
    (TIMEHARP, open_timeharp),
    (b"\x89HDF\r\n\x1a\n", open_photon_hdf5),
    (b"\x93NUMPY", open_npy),
    (b"PK\x03\x04", open_npz),
)

_OTHERS = (
    (b"PQHISTO", "a histogram of PicoQuant (.phu): it has no single photons, use the .ptu"),
    (b"Andor Technology", "an Andor spectrum (.sif): read it as a spectrum"),
)

_TEXT_NAMES = ("", ".csv", ".txt", ".tsv", ".dat", ".asc")
_BEGINNING = 512


def open_photons(path: Path | str, *, chunk_photons: int = 250_000) -> FileSource:
    """Open a file of single photons without keeping them in memory.

    The file is read once to count its photons and to check its header against them.

    Parameters
    ----------
    path
        PicoQuant ``.ptu``, ``.pt3``, ``.pt2``, ``.ht3``, ``.ht2`` or ``.t3r``, Photon-HDF5, or
        arrival times in ``.npy``, ``.npz`` or CSV (see ``photon_table``).
    chunk_photons
        A chunk has at most this many photons.

    Returns
    -------
    FileSource
        A ``PhotonSource``; its header carries the warnings.

    Raises
    ------
    InputError
        If there is no such file, it is a folder or cannot be read, or `chunk_photons` is not
        positive.
    ParseError
        If it is no file of photons, has none, is damaged, or its header does not describe them.
    """
    if chunk_photons < 1:
        raise InputError(f"chunks of {chunk_photons} photons; give a positive number")
    file = Path(path)
    start = _read_beginning(file)
    for magic, reader in _READERS:
        if start.startswith(magic):
            return reader(file, chunk_photons)
    for magic, what in _OTHERS:
        if start.startswith(magic):
            raise ParseError(f"it is {what}", file)
    if file.suffix.lower() not in _TEXT_NAMES or b"\0" in start:
        raise ParseError(
            f"it begins with {start[:16]!r}, as none of the known files of photons does: {KNOWN}",
            file,
        )
    return open_text_table(file, chunk_photons)


def read_photons(path: Path | str) -> PhotonStream:
    """Read all photons of a file into memory; see ``open_photons`` for formats and errors."""
    return collect_photons(open_photons(path))


def _read_beginning(path: Path) -> bytes:
    if path.is_dir():
        raise InputError(f"{path} is a folder; give the files in it")
    if not path.exists():
        raise InputError(f"{path} does not exist; check its name and folder")
    if not path.is_file():
        raise InputError(f"{path} is not a regular file; copy the photons to one first")
    try:
        with path.open("rb") as file:
            start = file.read(_BEGINNING)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if not start:
        raise ParseError("it is empty; copy it again from the instrument", path)
    return start
