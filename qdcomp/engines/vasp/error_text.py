"""What VASP said when it stopped with an error, from its standard output and error."""

from __future__ import annotations

import re
from pathlib import Path

from qdcomp.engines.vasp.job_file import ERROR_NAME, OUTPUT_NAME

_FATAL = re.compile(
    r"VERY BAD NEWS|internal error|\bERROR\b|^\s*Error |LAPACK: Routine|BRIONS problems|"
    r"ZBRENT: fatal|Sub-Space-Matrix|BRMIX: very serious|TOO FEW BANDS|REAL_OPTLAY|"
    r"forrtl: severe|oom-kill|Segmentation fault|"
    r"E{5,} +R{5,}",
    re.IGNORECASE,
)
_BOX = re.compile(r"^\s*\|(.*)\|\s*$")
_BANNER = re.compile(r"RRRR|E {4}R R|EEEEE|R {3}R|R {4}R|I REFUSE TO CONTINUE")
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
            return _collect(lines, found[-1])
    return ""


def _collect(lines: list[str], at: int) -> str:
    """Join the lines of the message that line `at` is in, without frame, banner and advice."""
    if not _BOX.match(lines[at]):
        return " ".join(lines[at].split())[:_MOST]
    while at > 0 and _BOX.match(lines[at - 1]):
        at -= 1
    words: list[str] = []
    for line in lines[at:]:
        box = _BOX.match(line)
        text = "" if box is None else box[1].strip()
        if words and not text:
            break
        if _LETTERS.search(text) and not _BANNER.search(text):
            words.append(" ".join(text.split()))
    return " ".join(words)[:_MOST]
