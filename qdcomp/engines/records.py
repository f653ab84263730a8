"""Small records beside a job: written whole or not at all, and named where they are damaged."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from qdcomp.errors import ParseError


def write_record(path: Path, content: Any) -> None:
    """Write a record in place of the one before; after a kill one of the two is there, whole.

    Parameters
    ----------
    path
        The file.
    content
        What JSON can hold.
    """
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8") as stream:
        stream.write(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)


def read_texts(path: Path) -> tuple[str, ...]:
    """Texts of a list; none where there is no file.

    Raises
    ------
    ParseError
        The file is damaged.
    """
    content = _read(path)
    if content is None:
        return ()
    if not isinstance(content, list) or not all(isinstance(text, str) for text in content):
        raise _damaged(path, f"found {content!r}"[:80])
    return tuple(content)


def read_text(path: Path) -> str | None:
    """Text of a record; None where there is no file.

    Raises
    ------
    ParseError
        The file is damaged.
    """
    content = _read(path)
    if content is not None and not isinstance(content, str):
        raise _damaged(path, f"found {content!r}"[:80])
    return content


def _read(path: Path) -> Any:
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _damaged(path, str(error)) from error
    if content is None:
        raise _damaged(path, "found null")
    return content


def _damaged(path: Path, what: str) -> ParseError:
    return ParseError(
        f"damaged ({what}); expected what qdcomp's handlers changed or refused in this job. Remove "
        "the file: the results of the job are kept, only these notes are then missing",
        path,
    )
