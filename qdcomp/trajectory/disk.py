"""Room on the disk before HDF5 writes: HDF5 cannot recover from a write that fails.

A failed write leaves HDF5 with a file that it can neither flush nor close, and the process crashes
when it ends (seen with HDF5 2.0). So space is reserved first, where a full disk is an ordinary
error; and a file that failed all the same is cut off from HDF5's copy in memory.
"""

from __future__ import annotations

import contextlib
import os
import re
import struct
from pathlib import Path

import h5py

_END_OF_FILE_AT = 28
"""Byte of the end-of-file address in HDF5's superblock, versions 2 and 3."""


def reserve_space(descriptor: int, size: int) -> None:
    """Let a file have room for `size` bytes in all.

    Raises
    ------
    OSError
        If the disk is full, or the file may not become that large.
    """
    if hasattr(os, "posix_fallocate") and os.fstat(descriptor).st_size < size:
        os.posix_fallocate(descriptor, 0, size)


def return_space(descriptor: int) -> None:
    """Cut an HDF5 file to the size that it says it has, which holds once it was closed."""
    head = os.pread(descriptor, _END_OF_FILE_AT + 8, 0)
    if len(head) == _END_OF_FILE_AT + 8:
        (size,) = struct.unpack("<Q", head[_END_OF_FILE_AT:])
        if size < os.fstat(descriptor).st_size:
            os.ftruncate(descriptor, size)


def abandon(file: h5py.File) -> None:
    """Close a file that cannot be written, leaving on disk what is there.

    What HDF5 still holds goes to the null device in its stead.
    """
    with Path(os.devnull).open("r+b", buffering=0) as nowhere:
        os.dup2(nowhere.fileno(), file.id.get_vfd_handle(file.id.get_access_plist()))
    with contextlib.suppress(OSError, RuntimeError):
        file.close()


def describe_failure(error: BaseException) -> str:
    """Reason of a failed write in a few words, from HDF5's page of them."""
    match = re.search(r"error message = '([^']*)'", str(error))
    if match:
        return match.group(1)
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error).partition("\n")[0]
