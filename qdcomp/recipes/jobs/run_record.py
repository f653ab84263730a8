"""How the job in a directory was run: ``run_record.json``, and a note while it runs.

A job may be run in several pieces: the batch job that it runs in ends before it is done, or is
killed. The record has them all, and is written at the end of each. While one runs there is a note
beside it, from which the next one knows that it was cut off.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from qdcomp.engines.records import write_record
from qdcomp.errors import ParseError

RECORD_NAME = "run_record.json"
"""File in a job directory that says how it was run."""

RUNNING_NAME = "running.json"
"""Note in a job directory that a piece is running; left by one that was cut off."""

PieceEnd = Literal["complete", "walltime", "no time", "cut off", "failed"]
"""How a piece ended: ``walltime`` was ended because its batch job ends, ``no time`` not begun."""


@dataclass(frozen=True)
class Piece:
    """One stretch of a run, within one batch job.

    Attributes
    ----------
    started, finished
        ISO 8601, UTC; where it was cut off, when its output was last written.
    host
        Name of the machine.
    seconds
        Wall time [s].
    steps
        Steps of the job that were done at its end.
    end
        How it ended.
    """

    started: str
    finished: str
    host: str
    seconds: float
    steps: int
    end: PieceEnd


@dataclass(frozen=True)
class RunRecord:
    """How a job directory was run.

    Attributes
    ----------
    command
        The engine's command line.
    host
        Name of the machine.
    started, finished
        Times of the last run, ISO 8601, UTC.
    walltime_s
        Wall time over all runs in this directory [s].
    runs
        How often the engine was started here; more than one where a run was cut off.
    corrections
        What custodian's handlers changed, and what was done about damage and kills, oldest first.
    pieces
        The stretches it was run in, oldest first.
    longest_step_s
        Longest time a step took [s]; 0 where none was seen.
    reused_from
        Folder of the job whose outputs were taken over; empty where the engine ran here.
    cores
        Cores that it used: processes times threads; 0 where nobody wrote it down.
    peak_memory_gib
        Largest resident memory of a process of the engine on this machine [GiB]; 0 as above.
    """

    command: list[str]
    host: str
    started: str
    finished: str
    walltime_s: float
    runs: int
    corrections: list[str]
    pieces: list[Piece] = field(default_factory=list)
    longest_step_s: float = 0.0
    reused_from: str = ""
    cores: int = 0
    peak_memory_gib: float = 0.0

    def has_piece(self, piece: Piece) -> bool:
        """Whether the last piece is that one: only its note had not been taken away yet."""
        last = self.pieces[-1] if self.pieces else None
        return last is not None and last.end != "cut off" and last.started == piece.started


def read_run_record(directory: Path) -> RunRecord | None:
    """Record of how the job in `directory` was run; None if it was not.

    Raises
    ------
    ParseError
        If the file is damaged.
    """
    path = directory / RECORD_NAME
    if not path.is_file():
        return None
    try:
        return _build(json.loads(path.read_text()))
    except (ValueError, TypeError, AttributeError) as error:
        raise ParseError(
            f"damaged ({error}); expected how and when this job was run. Remove the file: "
            "the job is then looked at again by qdcomp resume, and its results are kept",
            path,
        ) from error


def write_run_record(directory: Path, record: RunRecord) -> None:
    """Write how a job was run, in place of what was there, and take away the note that it runs."""
    write_record(directory / RECORD_NAME, asdict(record))
    (directory / RUNNING_NAME).unlink(missing_ok=True)


def note_running(directory: Path) -> float:
    """Note that a piece of the job begins; return when [s since 1970]."""
    started = time.time()
    write_record(directory / RUNNING_NAME, {"started": started, "host": platform.node()})
    return started


def is_noted_running(directory: Path) -> bool:
    """Whether a piece of the job runs, or was cut off and is not in the record yet."""
    return (directory / RUNNING_NAME).is_file()


def find_cut_off_piece(directory: Path, output: Path, steps: int, *, done: bool) -> Piece | None:
    """Piece that began and left no record; None where there is none.

    Parameters
    ----------
    directory
        Job directory.
    output
        What the engine wrote last.
    steps
        Steps that are done.
    done
        Whether that is all of the job.
    """
    path = directory / RUNNING_NAME
    if not path.is_file():
        return None
    started, host = _read_note(path)
    finished = max(started, output.stat().st_mtime if output.is_file() else started)
    return make_piece(started, finished, steps, "complete" if done else "cut off", host)


def make_piece(started: float, finished: float, steps: int, end: PieceEnd, host: str = "") -> Piece:
    """Describe a piece by its times [s since 1970]; of this machine where no other is named."""
    return Piece(
        started=format_time(started),
        finished=format_time(finished),
        host=host or platform.node(),
        seconds=round(finished - started, 3),
        steps=steps,
        end=end,
    )


def format_time(seconds: float) -> str:
    """Time [s since 1970] in ISO 8601, UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _build(content: Mapping[str, Any]) -> RunRecord:
    pieces = [Piece(**piece) for piece in content.get("pieces", ())]
    return RunRecord(**{**content, "pieces": pieces})


def _read_note(path: Path) -> tuple[float, str]:
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        return float(note["started"]), str(note["host"])
    except (ValueError, TypeError, KeyError):
        return path.stat().st_mtime, "an unknown machine"
