"""The terminal: results on standard output, progress and notes on standard error."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 200
"""Columns of a table that goes into a file or another program."""

output = Console(
    highlight=False,
    markup=False,
    soft_wrap=True,
    width=None if sys.stdout.isatty() else PIPE_WIDTH,
)
"""Results."""

notes = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
"""Everything else."""


def print_table(rows: Sequence[Sequence[str]], title: str | None = None) -> None:
    """Print rows of texts as a table; the first is the heading."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for heading in rows[0]:
        table.add_column(heading, overflow="fold")
    for row in rows[1:]:
        table.add_row(*row)
    output.print(table)


def print_warnings(warnings: Sequence[str]) -> None:
    """Print warnings, each once."""
    for warning in dict.fromkeys(warnings):
        notes.print(f"warning: {warning}", style="yellow")
