"""A table as data, for the page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TextTable:
    """A table of texts.

    Attributes
    ----------
    caption
        What it shows.
    header
        Names of the columns.
    rows
        Texts, one per column.
    note
        What the reader should know of it; may be empty.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
