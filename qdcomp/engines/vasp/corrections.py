"""Corrections that handlers made or were refused, kept beside the job they were made in."""

from __future__ import annotations

import json
from pathlib import Path

CORRECTIONS_NAME = "vasp_corrections.json"
"""What was changed in a job directory, oldest first."""

REFUSAL_NAME = "vasp_refused.json"
"""The correction that was proposed last and refused, because of which the run stopped."""


def read_corrections(directory: Path) -> tuple[str, ...]:
    """Corrections made in a job directory, oldest first."""
    path = directory / CORRECTIONS_NAME
    return tuple(json.loads(path.read_text())) if path.is_file() else ()


def record_correction(directory: Path, text: str) -> None:
    """Add a correction to those of a job directory."""
    _write(directory / CORRECTIONS_NAME, [*read_corrections(directory), text])


def read_refusal(directory: Path) -> str | None:
    """Say which correction was refused and stopped the run; None where none was."""
    path = directory / REFUSAL_NAME
    return str(json.loads(path.read_text())) if path.is_file() else None


def record_refusal(directory: Path, text: str) -> None:
    """Keep the correction because of which the run stopped."""
    _write(directory / REFUSAL_NAME, text)


def forget_refusal(directory: Path) -> None:
    """Forget a refused correction, as the run starts again."""
    (directory / REFUSAL_NAME).unlink(missing_ok=True)


def _write(path: Path, content: object) -> None:
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    partial.replace(path)
