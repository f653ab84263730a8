"""The last step in an ``.ener`` file, without reading the rest."""

from __future__ import annotations

import os
from pathlib import Path

_TAIL_BYTES = 1024


def read_last_step(path: Path) -> int | None:
    """Read the step of the last whole line; None where there is none."""
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - _TAIL_BYTES))
            lines = stream.read().split(b"\n")[:-1]
    except FileNotFoundError:
        return None
    for line in reversed(lines):
        words = line.split()
        if words and words[0].isdigit():
            return int(words[0])
    return None
