"""Saying that a disk is full, and how much is left on it, where something could not be written."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qdcomp.errors import StoreError

_FULL = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "over its quota",
    errno.EFBIG: "full, or a file would be larger than is allowed",
}

_TEXTS = {
    "No space left on device": _FULL[errno.ENOSPC],
    "Disk quota exceeded": _FULL[errno.EDQUOT],
    "File too large": _FULL[errno.EFBIG],
    "File size limit exceeded": _FULL[errno.EFBIG],
}

_NEARLY_NOTHING = 2**20
"""Free bytes below which a disk counts as full although nothing said so."""


@contextmanager
def explain_full_disk(directory: Path) -> Iterator[None]:
    """Turn the error of a write to a full disk into one that says so.

    Raises
    ------
    StoreError
        The disk of `directory` is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise StoreError(_describe(directory, _FULL[error.errno])) from error


def find_full_disk(directory: Path, said: str) -> str:
    """Say that the disk of `directory` is full if that is what a program `said`, else nothing."""
    for text, how in _TEXTS.items():
        if text in said:
            return _describe(directory, how)
    if shutil.disk_usage(directory).free < _NEARLY_NOTHING:
        return _describe(directory, _FULL[errno.ENOSPC])
    return ""


def _describe(directory: Path, how: str) -> str:
    usage = shutil.disk_usage(directory)
    return (
        f"the disk of {directory} is {how}: {usage.free / 2**20:.1f} MiB of "
        f"{usage.total / 2**30:.1f} GiB are free. What was computed is kept; free space there, "
        "then resume"
    )
