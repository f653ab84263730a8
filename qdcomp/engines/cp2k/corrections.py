"""Corrections that handlers made, kept beside the job they were made in."""

from __future__ import annotations

from pathlib import Path

from qdcomp.engines.records import read_texts, write_record

CORRECTIONS_NAME = "cp2k_corrections.json"
"""What was changed in a job directory, oldest first."""


def read_corrections(directory: Path) -> tuple[str, ...]:
    """Corrections made in a job directory, oldest first.

    Raises
    ------
    ParseError
        The file that they are in is damaged.
    """
    return read_texts(directory / CORRECTIONS_NAME)


def record_correction(directory: Path, text: str) -> None:
    """Add a correction to those of a job directory.

    Raises
    ------
    ParseError
        The file that they are in is damaged.
    """
    write_record(directory / CORRECTIONS_NAME, [*read_corrections(directory), text])
