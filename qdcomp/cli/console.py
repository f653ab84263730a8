"""The terminal: results on standard output, progress and notes on standard error."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

output = Console(highlight=False, markup=False, soft_wrap=True)
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
