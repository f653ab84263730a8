"""Reading an HDF5 file whose writer was killed, without HDF5's patience for living writers.

HDF5 opens a file that is marked as being written only in the mode for readers beside a writer, and
there waits for damaged entries to become whole, in sleeps that double a hundred times. When the
writer is dead nothing becomes whole, so the file is shown to HDF5 as one that was closed: with
the mark off and the size that it has. The file itself is not touched.
"""

from __future__ import annotations

import io
import struct
from pathlib import Path

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_VERSION_AT, _FLAGS_AT, _END_AT, _CHECKSUM_AT, _SIZE = 8, 11, 28, 44, 48
"""Bytes of HDF5's superblock, version 3 (HDF5 File Format Specification 3.0, II.A)."""
_VERSION = 3


def is_marked_open(path: Path) -> bool:
    """Whether the last writer of an HDF5 file did not close it (or is at it)."""
    with path.open("rb") as stream:
        head = stream.read(_SIZE)
    return head[:_VERSION_AT] == _SIGNATURE and len(head) == _SIZE and head[_FLAGS_AT] != 0


class UnclosedFile(io.RawIOBase):
    """The bytes of a file that was not closed, as if it had been.

    Raises
    ------
    OSError
        If it cannot be opened, or its first bytes are damaged.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._stream = path.open("rb", buffering=0)
        self._size = path.stat().st_size
        head = self._stream.read(_SIZE)
        (checksum,) = struct.unpack_from("<I", head, _CHECKSUM_AT)
        if head[_VERSION_AT] != _VERSION or checksum != _checksum(head[:_CHECKSUM_AT]):
            self._stream.close()
            raise OSError("its first bytes are damaged")
        patched = bytearray(head[:_CHECKSUM_AT])
        patched[_FLAGS_AT] = 0
        struct.pack_into("<Q", patched, _END_AT, self._size)
        self._head = bytes(patched) + struct.pack("<I", _checksum(bytes(patched)))

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a byte, not past the size that the file had when it was opened."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: self._size}[whence]
        return self._stream.seek(start + offset)

    def tell(self) -> int:
        """Byte that is read next."""
        return self._stream.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read bytes, the first of them as if the file had been closed."""
        position = self.tell()
        if position >= _SIZE:
            return self._stream.readinto(buffer) or 0
        part = self._head[position : position + len(buffer)]
        buffer[: len(part)] = part
        self._stream.seek(position + len(part))
        return len(part)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        super().close()


def _checksum(data: bytes) -> int:
    """HDF5's checksum of metadata: Bob Jenkins' lookup3, ``hashlittle`` with initial value 0."""
    mask = 0xFFFFFFFF

    def rotate(value: int, bits: int) -> int:
        return (value << bits | value >> (32 - bits)) & mask

    a = b = c = (0xDEADBEEF + len(data)) & mask
    padded = data + bytes(-len(data) % 12)
    words: tuple[int, ...] = struct.unpack(f"<{len(padded) // 4}I", padded)
    for first in range(0, len(words) - 3, 3):
        a, b, c = ((x + y) & mask for x, y in zip((a, b, c), words[first : first + 3], strict=True))
        a = (a - c) & mask ^ rotate(c, 4)
        c = (c + b) & mask
        b = (b - a) & mask ^ rotate(a, 6)
        a = (a + c) & mask
        c = (c - b) & mask ^ rotate(b, 8)
        b = (b + a) & mask
        a = (a - c) & mask ^ rotate(c, 16)
        c = (c + b) & mask
        b = (b - a) & mask ^ rotate(a, 19)
        a = (a + c) & mask
        c = (c - b) & mask ^ rotate(b, 4)
        b = (b + a) & mask
    a, b, c = ((x + y) & mask for x, y in zip((a, b, c), words[-3:], strict=True))
    c = ((c ^ b) - rotate(b, 14)) & mask
    a = ((a ^ c) - rotate(c, 11)) & mask
    b = ((b ^ a) - rotate(a, 25)) & mask
    c = ((c ^ b) - rotate(b, 16)) & mask
    a = ((a ^ c) - rotate(c, 4)) & mask
    b = ((b ^ a) - rotate(a, 14)) & mask
    return ((c ^ b) - rotate(b, 24)) & mask
