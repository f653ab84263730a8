"""Plain YAML only: mappings, lists and scalars, without aliases, of a size that a person writes.

A few lines of aliases unfold to billions of values, and a tag may ask for any Python object: what
qdcomp reads has neither.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from qdcomp.errors import InputError, ParseError

MAX_BYTES = 200_000
"""Largest YAML file that is read; those of qdcomp are a few kilobytes."""

MAX_DEPTH = 20
"""Deepest nesting that is read; studies nest four deep."""


def load_plain_yaml(path: Path) -> Any:
    """Read a file of plain YAML.

    Raises
    ------
    InputError
        The file cannot be read.
    ParseError
        It is not YAML, or not plain; the line is named.
    """
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot read {path}: {reason}") from None
    text = decode_text(content, path)
    refuse_unusual_yaml(text, path)
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2022-13-45
        raise describe_syntax_error(error, text, path) from None


def decode_text(content: bytes, path: Path) -> str:
    """Decode a text in UTF-8.

    Raises
    ------
    ParseError
        It is none; the line is named.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ParseError("not a text in UTF-8; save the file as UTF-8", path, line) from None


def refuse_unusual_yaml(text: str, path: Path) -> None:
    """Refuse what is too long, too deep or has aliases, before anything is made of it.

    Raises
    ------
    ParseError
        It is such, or not YAML.
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise ParseError(f"longer than {MAX_BYTES} bytes; this is no file for qdcomp", path, 1)
    try:
        _walk_events(text, path)
    except yaml.YAMLError as error:
        raise describe_syntax_error(error, text, path) from None


def _walk_events(text: str, path: Path) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = line_of(event)
        if isinstance(event, yaml.AliasEvent):
            raise ParseError("YAML aliases (*name) are not used here; repeat it", path, line)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise ParseError(
                f"nested deeper than {MAX_DEPTH}; this is no file for qdcomp", path, line
            )


def line_of(part: yaml.Node | yaml.Event) -> int:
    """One-based line at which a part of a YAML text begins."""
    return 1 if part.start_mark is None else int(part.start_mark.line) + 1


def describe_syntax_error(error: Exception, text: str, path: Path) -> ParseError:
    """Say what is wrong with a YAML text, and in which line."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return ParseError(
            f"not valid YAML: the character {_name(error.character)} may not stand in it; "
            "remove it",
            path,
            line,
        )
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    hint = "; check the indentation and that every 'key:' is followed by a space"
    return ParseError(f"not valid YAML: {problem}{hint}", path, mark.line + 1 if mark else 1)


def _name(character: int | str) -> str:
    return f"U+{character if isinstance(character, int) else ord(character):04X}"
