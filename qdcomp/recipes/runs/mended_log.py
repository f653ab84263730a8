"""What was mended in a run: a line for each action in ``mended.jsonl`` in its folder."""

from __future__ import annotations

import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MENDED_NAME = "mended.jsonl"
"""File in the folder of a run with what was mended in it, oldest first."""


def note_mended(root: Path, where: str, found: str, done: str) -> None:
    """Write down what was done in a run, and why."""
    line = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "where": where,
        "found": found,
        "done": done,
    }
    with (root / MENDED_NAME).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def read_mended(root: Path) -> list[dict[str, Any]]:
    """Read what was mended in a run, oldest first; a line that was cut off is left out."""
    try:
        lines = (root / MENDED_NAME).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found
