"""The end of a growing output, looked at again and again without reading the rest again."""

from __future__ import annotations

import os
from pathlib import Path

from qdcomp.engines.cp2k.job_file import OUTPUT_NAME, REPLICA_OUTPUTS

START = "PROGRAM STARTED AT"
"""In the head of each run that an output holds."""

END = "PROGRAM ENDED AT"
"""At the end of each that came to one."""

_TAIL_BYTES = 65536
_STEP_BYTES = 2**22


class OutputWatch:
    """Whether a text stands in the last run of an SCF's output, each byte of which is read once."""

    def __init__(self, text: str) -> None:
        self._text = text.encode()
        self._offset = 0
        self._found = False
        self._path: Path | None = None

    def look(self, directory: Path) -> bool:
        """Read what is new; return whether the last run has the text."""
        path = find_scf_output(directory)
        size = path.stat().st_size if path.is_file() else 0
        if size < self._offset or path != self._path:
            self.forget()
            self._path = path
        if size > self._offset:
            with path.open("rb") as stream:
                stream.seek(self._offset)
                while block := stream.read(_STEP_BYTES):
                    self._take(block + stream.readline())
                self._offset = stream.tell()
        return self._found

    def skip(self, directory: Path) -> None:
        """Forget what the output holds so far."""
        self._path = find_scf_output(directory)
        self._offset = self._path.stat().st_size if self._path.is_file() else 0
        self._found = False

    def forget(self) -> None:
        """Read from the beginning again."""
        self._offset, self._found = 0, False

    def _take(self, block: bytes) -> None:
        _, started, last = block.rpartition(START.encode())
        self._found = self._text in last or (not started and self._found)


def find_scf_output(directory: Path) -> Path:
    """Find the output that the self-consistent fields of a run are reported in.

    It is the main output, but for the displaced geometries of vibrational frequencies, which CP2K
    reports in outputs of their own.
    """
    return next(iter(sorted(directory.glob(REPLICA_OUTPUTS))), directory / OUTPUT_NAME)


def read_tail(directory: Path) -> str:
    """Last 64 KiB of the main output, or as much of it as belongs to the last run."""
    return _read_end(directory / OUTPUT_NAME)


def read_scf_tail(directory: Path) -> str:
    """Last 64 KiB of the output with the self-consistent fields, as far as of the last run."""
    return _read_end(find_scf_output(directory))


def _read_end(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - _TAIL_BYTES))
        return stream.read().decode(errors="replace").rpartition(START)[2]
