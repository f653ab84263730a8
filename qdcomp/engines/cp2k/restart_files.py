"""Which restart file and wavefunction of a run are whole, after whatever stopped it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from qdcomp.engines.cp2k.job_file import OUTPUT_NAME, PROJECT, RESTART_SOURCE
from qdcomp.errors import EngineError

_COPIES = ("", ".bak-1", ".bak-2", ".bak-3")
"""Suffixes of the last file and of those before it."""

_STEP = re.compile(r"^\s*STEP_START_VAL\s+(\d+)", re.MULTILINE)
_END = re.compile(r"&END (FORCE_EVAL|EXT_RESTART)\s*\Z")
_TAIL_BYTES = 200
_BLOCK_BYTES = 65536
_MARKER_BYTES = 4


@dataclass(frozen=True)
class RestartFile:
    """A whole restart file.

    Attributes
    ----------
    path
        Where it is.
    step
        Number of the step it was written after.
    """

    path: Path
    step: int


def find_restart(directory: Path, *, before: int | None = None) -> RestartFile | None:
    """Newest whole restart file in a job directory.

    Parameters
    ----------
    directory
        Job directory.
    before
        Only files of earlier steps count; None takes any.

    Returns
    -------
    The file; None where there is none.
    """
    for suffix in _COPIES:
        path = directory / f"{PROJECT}-1.restart{suffix}"
        step = read_restart_step(path)
        if step is not None and (before is None or step < before):
            return RestartFile(path, step)
    return None


def read_restart_step(path: Path) -> int | None:
    """Step that a restart file was written after; None if it is missing or was cut off."""
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - _TAIL_BYTES))
        if not _END.search(stream.read().decode(errors="replace")):
            return None
    text = path.read_text(errors="replace")
    if "&COORD" not in text:
        return None
    match = _STEP.search(text)
    return int(match[1]) if match else 0


def describe_damage(directory: Path, wavefunction_name: str) -> tuple[str, ...]:
    """Say which of the newest restart files and wavefunctions cannot be used, and what can."""
    restart = f"{PROJECT}-1.restart"
    said = (
        _describe_fallback(directory, restart, is_whole_restart, "the start"),
        _describe_fallback(directory, wavefunction_name, is_whole_wavefunction, "an atomic guess"),
    )
    return tuple(filter(None, said))


def _describe_fallback(
    directory: Path, name: str, is_whole: Callable[[Path], bool], without: str
) -> str:
    found = [path for suffix in _COPIES if (path := directory / f"{name}{suffix}").is_file()]
    damaged = [path.name for path in takewhile(lambda path: not is_whole(path), found)]
    if not damaged:
        return ""
    instead = found[len(damaged)].name if len(damaged) < len(found) else without
    return f"{', '.join(damaged)} cut off or empty: went on from {instead}"


def is_whole_restart(path: Path) -> bool:
    """Whether a restart file was written to its end."""
    return read_restart_step(path) is not None


def copy_restart(source: RestartFile, directory: Path) -> None:
    """Put a restart file where the run in `directory` will read it."""
    _copy_whole(source.path, directory / RESTART_SOURCE)


def copy_wavefunction(source: Path, directory: Path, name: str) -> bool:
    """Put the newest whole wavefunction `name` of `source` where the run in `directory` reads it.

    A damaged newest one is replaced by the one before it. Returns whether there is any.
    """
    target = directory / name
    for suffix in _COPIES:
        path = source / f"{name}{suffix}"
        if path.is_file() and is_whole_wavefunction(path):
            if path != target:
                _copy_whole(path, target)
            return True
    if source == directory:
        target.unlink(missing_ok=True)
    return False


def is_whole_wavefunction(path: Path) -> bool:
    """Whether every record of a Fortran file is as long as its two markers say.

    A file that a power failure filled with zeros looks like one of empty records: the first record
    is never empty, nor are two in a row.
    """
    size = path.stat().st_size
    position = records = before = 0
    with path.open("rb") as stream:
        while position < size:
            stream.seek(position)
            length = _read_marker(stream.read(_MARKER_BYTES))
            if length == before == 0:
                return False
            before = length
            end = position + _MARKER_BYTES + abs(length)
            if end + _MARKER_BYTES > size:
                return False
            stream.seek(end)
            if _read_marker(stream.read(_MARKER_BYTES)) != abs(length) and length >= 0:
                return False
            position = end + _MARKER_BYTES
            records += 1
    return records > 1


def trim_cut_ends(directory: Path) -> None:
    """Remove what a kill left of a line or a frame at the end of files CP2K will append to."""
    for path in (*directory.glob(f"{PROJECT}-*.ener"), *directory.glob(OUTPUT_NAME)):
        _truncate(path, _find_last(path, b"\n") + 1)
    for path in directory.glob(f"{PROJECT}-*.xyz"):
        _truncate(path, _find_whole_frames_end(path))


def _find_whole_frames_end(path: Path) -> int:
    """Offset at which the last whole frame of a CP2K xyz file ends."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        count = stream.readline()
        if not count.strip().isdigit():
            return 0
        lines = int(count) + 2
        for _ in range(lines - 1):
            stream.readline()
        start = max(0, size - 3 * stream.tell())
        stream.seek(start)
        tail = stream.read()
    heading = re.compile(rb"^[ \t]*%d[ \t]*\n[ \t]*i[ \t]*=" % int(count), re.MULTILINE)
    places = [match.start() for match in heading.finditer(tail)]
    if not places:
        return 0
    if tail.count(b"\n", places[-1]) >= lines and tail.endswith(b"\n"):
        return size
    return start + places[-1]


def _find_last(path: Path, mark: bytes) -> int:
    with path.open("rb") as stream:
        position = stream.seek(0, os.SEEK_END)
        while position > 0:
            start = max(0, position - _BLOCK_BYTES)
            stream.seek(start)
            found = stream.read(position - start).rfind(mark)
            if found >= 0:
                return start + found
            position = start
    return -1


def _truncate(path: Path, size: int) -> None:
    if size < path.stat().st_size:
        with path.open("rb+") as stream:
            stream.truncate(size)


def require_restart(directory: Path, previous: Path) -> RestartFile:
    """Newest whole restart file of `previous`.

    Raises
    ------
    EngineError
        There is none.
    """
    found = find_restart(previous)
    if found is None:
        raise EngineError(
            f"cannot go on from {previous}: it has no whole restart file "
            f"({PROJECT}-1.restart or its .bak copies); run that job first",
            directory,
        )
    return found


def _read_marker(content: bytes) -> int:
    return int.from_bytes(content, "little", signed=True)


def _copy_whole(source: Path, target: Path) -> None:
    partial = target.with_name(f"{target.name}.partial")
    shutil.copyfile(source, partial)
    partial.replace(target)
