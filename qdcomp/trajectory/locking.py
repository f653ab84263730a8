"""One writer at a time: an advisory lock on the trajectory file itself, gone with its process."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from qdcomp.errors import StoreError

_NO_LOCKS_HERE = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}
"""What file systems without flock answer (some Lustre and NFS mounts); they go unguarded."""


def lock_for_writing(path: Path, *, create: bool = False) -> int:
    """Open and lock a file; the descriptor holds the lock until it is closed.

    A recovered file takes the place of the old one, so the lock counts only if the path still
    names the file that was locked.

    Raises
    ------
    StoreError
        If another writer has it, or it cannot be opened.
    """
    flags = os.O_RDWR | (os.O_CREAT if create else 0)
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be opened for writing ({error.strerror}); "
            "give a path in a folder that exists and that you may write to"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise _taken(path) from error
    except OSError as error:
        if error.errno not in _NO_LOCKS_HERE:
            os.close(descriptor)
            raise StoreError(f"{path} cannot be locked ({error.strerror})") from error
    if not path.exists() or os.fstat(descriptor).st_ino != path.stat().st_ino:
        os.close(descriptor)
        raise _taken(path)
    return descriptor


def is_being_written(path: Path) -> bool:
    """Whether a writer has the file; True where that cannot be known."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        finally:
            os.close(descriptor)
    except OSError:
        return True
    return False


def _taken(path: Path) -> StoreError:
    return StoreError(
        f"{path} is being written by another process or another writer of this one; "
        "wait until it ends, or stop it, then try again"
    )
