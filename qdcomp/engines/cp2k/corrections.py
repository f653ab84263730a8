"""Corrections that handlers made, kept beside the job they were made in."""

from __future__ import annotations

import json
from pathlib import Path

CORRECTIONS_NAME = "cp2k_corrections.json"
"""What was changed in a job directory, oldest first."""


def read_corrections(directory: Path) -> tuple[str, ...]:
    """Corrections made in a job directory, oldest first."""
    path = directory / CORRECTIONS_NAME
    return tuple(json.loads(path.read_text())) if path.is_file() else ()


def record_correction(directory: Path, text: str) -> None:
    """Add a correction to those of a job directory."""
    made = [*read_corrections(directory), text]
    partial = directory / f"{CORRECTIONS_NAME}.partial"
    partial.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    partial.replace(directory / CORRECTIONS_NAME)
