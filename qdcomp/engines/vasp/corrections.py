"""Corrections that handlers made or were refused, kept beside the job they were made in."""

from __future__ import annotations

from pathlib import Path

from qdcomp.engines.records import read_text, read_texts, write_record

CORRECTIONS_NAME = "vasp_corrections.json"
"""What was changed in a job directory, oldest first."""

REFUSAL_NAME = "vasp_refused.json"
"""The correction that was proposed last and refused, because of which the run stopped."""


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


def read_refusal(directory: Path) -> str | None:
    """Say which correction was refused and stopped the run; None where none was.

    Raises
    ------
    ParseError
        The file that says so is damaged.
    """
    return read_text(directory / REFUSAL_NAME)


def record_refusal(directory: Path, text: str) -> None:
    """Keep the correction because of which the run stopped."""
    write_record(directory / REFUSAL_NAME, text)


def forget_refusal(directory: Path) -> None:
    """Forget a refused correction, as the run is started again by hand."""
    (directory / REFUSAL_NAME).unlink(missing_ok=True)
