"""Where a measurement comes from: its file by content, and how it was read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import qdcomp

_BLOCK_BYTES = 1 << 20


def describe_file(path: Path, reading: Mapping[str, Any]) -> dict[str, Any]:
    """Give name, size and SHA-256 of a file, the options of its reader, and the version here."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return {
        "file": {"name": path.name, "bytes": path.stat().st_size, "sha256": digest.hexdigest()},
        "reader": {name: value for name, value in reading.items() if value is not None},
        "qdcomp": qdcomp.__version__,
    }
