"""Where the frames of an xyz file begin and end, before any coordinate is read.

The index is made from count and comment lines alone: atom lines are skipped in one stride where
the frames have equal length. It settles what a file is: cut off in its last frame, two runs in
one file, atoms added on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from mmap import mmap
from pathlib import Path
from typing import Literal

from qdcomp.errors import InputError, ParseError
from qdcomp.trajectory.xyz_comment import XyzComment, parse_comment

OnRestart = Literal["error", "keep_last"]


@dataclass(frozen=True)
class FrameSpan:
    """One frame's place in the file.

    Attributes
    ----------
    line
        One-based number of its count line.
    start, stop
        Bytes of its atom lines.
    comment
        What its comment line says.
    """

    line: int
    start: int
    stop: int
    comment: XyzComment


@dataclass(frozen=True)
class XyzIndex:
    """Frames of a file.

    Attributes
    ----------
    n_atoms
        Atoms in every frame.
    frames
        Frames to be read, in order.
    warnings
        Frames that were left out, and why.
    """

    n_atoms: int
    frames: tuple[FrameSpan, ...]
    warnings: tuple[str, ...]


def index_frames(data: mmap, path: Path, on_restart: OnRestart) -> XyzIndex:
    """Find the frames of an xyz file.

    Raises
    ------
    InputError
        If `on_restart` is unknown.
    ParseError
        If the file is no xyz file, has no complete frame, changes its number of atoms, or holds
        two runs (and `on_restart` is ``error``).
    """
    if on_restart not in ("error", "keep_last"):
        raise InputError(f"on_restart must be 'error' or 'keep_last', got {on_restart!r}")
    scan = _Scan(data, path, on_restart)
    scan.run()
    if not scan.frames:
        raise ParseError(
            f"holds no complete frame ({len(data)} bytes); give a trajectory of at least one frame",
            path,
        )
    warnings = (*scan.warnings, *_missing_frames(scan.frames, path))
    return XyzIndex(scan.n_atoms, tuple(scan.frames), warnings)


def _missing_frames(frames: list[FrameSpan], path: Path) -> Iterator[str]:
    """Warn where steps are skipped that are not skipped elsewhere."""
    steps = [(span.line, span.comment.step) for span in frames if span.comment.step is not None]
    jumps = [(line, after - before) for (_, before), (line, after) in pairwise(steps)]
    usual = min((jump for _, jump in jumps), default=0)
    uneven = [(line, jump) for line, jump in jumps if jump != usual]
    if uneven:
        line, jump = uneven[0]
        yield (
            f"{path}, line {line}: {jump} steps after the frame before, where others come every "
            f"{usual}; frames are missing in {len(uneven)} places"
        )


class _Scan:
    """One pass over the count and comment lines."""

    def __init__(self, data: mmap, path: Path, on_restart: OnRestart) -> None:
        self.data = data
        self.path = path
        self.on_restart = on_restart
        self.frames: list[FrameSpan] = []
        self.warnings: list[str] = []
        self.n_atoms = 0
        self.line = 1
        self.position = 0
        self.block_length = 0

    def run(self) -> None:
        """Find every frame."""
        while self._skip_blank_lines():
            count_end = self.data.find(b"\n", self.position)
            if count_end < 0:
                self._check_is_count(self.data[self.position :])
                return self._warn_cut_off()
            count_line = self.data[self.position : count_end]
            if not count_line.strip().isdigit():
                self._recover_from_broken_frame(count_line)
                continue
            self._check_count(int(count_line))
            comment_end = self.data.find(b"\n", count_end + 1)
            if comment_end < 0:
                return self._warn_cut_off()
            stop = self._skip_atoms(comment_end + 1)
            if stop is None:
                return self._warn_cut_off()
            self._add(count_end + 1, comment_end, stop)
        return None

    def _skip_blank_lines(self) -> bool:
        while self.position < len(self.data):
            end = self.data.find(b"\n", self.position)
            line = self.data[self.position : end if end >= 0 else len(self.data)]
            if line.strip():
                return True
            if end < 0:
                return False
            self.position = end + 1
            self.line += 1
        return False

    def _check_is_count(self, text: bytes) -> None:
        if not self.frames and not text.strip().isdigit():
            raise ParseError(
                f"an xyz file begins with its number of atoms, this one with {_shown(text)}; "
                "give an xyz trajectory",
                self.path,
                self.line,
            )

    def _check_count(self, count: int) -> None:
        if count == 0:
            raise ParseError("this frame has no atoms", self.path, self.line)
        if self.frames and count != self.n_atoms:
            raise ParseError(
                f"this frame has {count} atoms, the frames before it {self.n_atoms}; "
                "a trajectory has the same atoms in every frame: split the file here",
                self.path,
                self.line,
            )
        self.n_atoms = count

    def _skip_atoms(self, start: int) -> int | None:
        """Byte after the last atom line; None if the file ends before."""
        guess = start + self.block_length
        if self.block_length and self._is_frame_end(guess):
            return guess
        position = start
        for done in range(self.n_atoms):
            end = self.data.find(b"\n", position)
            if end < 0:
                return self._end_without_newline(position, done)
            position = end + 1
        self.block_length = position - start
        return position

    def _is_frame_end(self, position: int) -> bool:
        if position > len(self.data) or self.data[position - 1] != 10:
            return False
        if position == len(self.data):
            return True
        end = self.data.find(b"\n", position, position + 32)
        text = self.data[position : end if end >= 0 else position + 32].strip()
        return end >= 0 and text == str(self.n_atoms).encode()

    def _end_without_newline(self, position: int, lines_done: int) -> int | None:
        """End of a file whose last line has no line end; None if that line may be cut.

        It is taken as whole if it is the first frame's (a file by hand), or if its last number
        has the decimals of the line before.
        """
        last = self.data[position:].split()
        if lines_done < self.n_atoms - 1 or not last:
            return None
        if not self.frames:
            return len(self.data)
        previous = self.data.rfind(b"\n", 0, max(position - 1, 0))
        before = self.data[previous + 1 : position].split()
        same = len(before) == len(last) and _decimals(before[-1]) == _decimals(last[-1])
        return len(self.data) if same else None

    def _add(self, comment_start: int, comment_end: int, stop: int) -> None:
        text = self.data[comment_start:comment_end].decode("utf-8", errors="replace")
        comment = parse_comment(text, self.path, self.line + 1)
        span = FrameSpan(self.line, comment_end + 1, stop, comment)
        self._check_order(span)
        self.frames.append(span)
        self.position = stop
        self.line += self.n_atoms + 2

    def _check_order(self, span: FrameSpan) -> None:
        if not self.frames:
            return
        last, new = self.frames[-1].comment, span.comment
        step_back = last.step is not None and new.step is not None and new.step <= last.step
        time_back = (
            last.time_fs is not None and new.time_fs is not None and new.time_fs <= last.time_fs
        )
        if step_back and self.on_restart == "keep_last":
            self._drop_from_step(span)
        elif step_back or time_back:
            raise ParseError(
                f"two runs in one file: {_moment(new)} follows {_moment(last)}. Split the file "
                "here, or read it with on_restart='keep_last' if the second run is a restart of "
                "the first",
                self.path,
                span.line + 1,
            )

    def _drop_from_step(self, span: FrameSpan) -> None:
        step = span.comment.step
        before = len(self.frames)
        while self.frames and _is_at_or_after(self.frames[-1], step):
            self.frames.pop()
        self.warnings.append(
            f"{self.path}, line {span.line}: the run was restarted at step {step}; "
            f"{before - len(self.frames)} earlier frames from that step on were replaced"
        )

    def _recover_from_broken_frame(self, count_line: bytes) -> None:
        """Step back into a frame that another run's output cut short, to where that begins."""
        self._check_is_count(count_line)
        broken = self.frames[-1]
        end = self.position + len(count_line) + 1
        match = _header_pattern(self.n_atoms).search(self.data, broken.start)
        if match is None or match.start() >= end:
            raise ParseError(
                f"expected a frame's number of atoms ({self.n_atoms}), got {_shown(count_line)}; "
                "the frame before has lines too many, remove them",
                self.path,
                self.line,
            )
        line = broken.line + 2 + self.data[broken.start : match.start()].count(b"\n")
        if self.on_restart == "error":
            raise ParseError(
                "two runs in one file: the output of a second run begins here, inside the frame "
                f"of line {broken.line}. Split the file here, or read it with "
                "on_restart='keep_last' if the second run is a restart of the first",
                self.path,
                line,
            )
        self.frames.pop()
        self.warnings.append(
            f"{self.path}: the frame of line {broken.line} was cut off at line {line}, where the "
            "run was restarted; it is left out"
        )
        self.position, self.line = match.start(), line

    def _warn_cut_off(self) -> None:
        self.warnings.append(
            f"{self.path}: the last frame, from line {self.line}, is cut off and left out; "
            f"{len(self.frames)} whole frames are used"
        )


def _header_pattern(n_atoms: int) -> re.Pattern[bytes]:
    return re.compile(
        rb"(?:(?<=\n)|[ \t])[ \t]*%d[ \t]*\r?\n"
        rb"(?=[ \t]*i[ \t]*=|[^\n]*(?:Properties|Lattice)=)" % n_atoms
    )


def _is_at_or_after(span: FrameSpan, step: int | None) -> bool:
    return step is not None and span.comment.step is not None and span.comment.step >= step


def _decimals(text: bytes) -> int:
    return len(text.partition(b".")[2])


def _moment(comment: XyzComment) -> str:
    step = "a frame" if comment.step is None else f"step {comment.step}"
    return step if comment.time_fs is None else f"{step} at {comment.time_fs:g} fs"


def _shown(text: bytes) -> str:
    return repr(text[:40].decode("utf-8", errors="replace").strip())
