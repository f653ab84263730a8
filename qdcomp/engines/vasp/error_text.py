"""What VASP said when it stopped with an error, from its standard output and error."""

from __future__ import annotations

import re
from pathlib import Path

from qdcomp.engines.vasp.job_file import ERROR_NAME, OUTPUT_NAME

_FATAL = re.compile(
    r"VERY BAD NEWS|internal error|\bERROR\b|^\s*Error |LAPACK|ZBRENT: fatal|Sub-Space-Matrix|"
    r"BRMIX: very serious|TOO FEW BANDS|REAL_OPTLAY|forrtl: severe|oom-kill|Segmentation fault|"
    r"E    R R O R|RRRR",
    re.IGNORECASE,
)
_BOX = re.compile(r"^\s*\|(.*)\|\s*$")
_LETTERS = re.compile(r"[A-Za-z]{4,}")
_TAIL_BYTES = 2**17
_MOST = 300


def find_error_text(directory: Path) -> str:
    """Find the last thing VASP said about an error, in one line; empty where it said nothing."""
    for name in (OUTPUT_NAME, ERROR_NAME):
        path = directory / name
        if not path.is_file():
            continue
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - _TAIL_BYTES))
            lines = stream.read().decode("utf-8", errors="replace").splitlines()
        found = [number for number, line in enumerate(lines) if _FATAL.search(line)]
        if found:
            return _collect(lines[found[-1] :])
    return ""


def _collect(lines: list[str]) -> str:
    """Join the lines of one message, without the frame and the letters of a banner."""
    words: list[str] = []
    for line in lines[:20]:
        box = _BOX.match(line)
        text = (box[1] if box else line).strip(" |-=*")
        if not text and words:
            break
        if _LETTERS.search(text) and "RRRR" not in text:
            words.append(" ".join(text.split()))
        if not box and words:
            break
    return " ".join(words)[:_MOST]
