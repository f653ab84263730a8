"""The terminal: results on standard output, progress and notes on standard error."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 200
"""Columns of a table that goes into a file or another program."""

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def make_printable(text: str) -> str:
    """Write out the characters that a terminal would act on.

    What a file or a code wrote neither moves the cursor nor changes the title of the window.
    """
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


class PlainConsole(Console):
    """A console on which texts are only shown."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as `rich.console.Console` does."""
        shown = (make_printable(each) if isinstance(each, str) else each for each in objects)
        super().print(*shown, **options)


output = PlainConsole(
    highlight=False,
    markup=False,
    soft_wrap=True,
    width=None if sys.stdout.isatty() else PIPE_WIDTH,
)
"""Results."""

notes = PlainConsole(stderr=True, highlight=False, markup=False, soft_wrap=True)
"""Everything else."""


def print_table(rows: Sequence[Sequence[str]], title: str | None = None) -> None:
    """Print rows of texts as a table; the first is the heading."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for heading in rows[0]:
        table.add_column(heading, overflow="fold")
    for row in rows[1:]:
        table.add_row(*map(make_printable, row))
    output.print(table)


def print_warnings(warnings: Sequence[str]) -> None:
    """Print warnings, each once."""
    for warning in dict.fromkeys(warnings):
        notes.print(f"warning: {warning}", style="yellow")
