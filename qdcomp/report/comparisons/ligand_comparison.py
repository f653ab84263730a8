"""Ligands in one table: the calculated shell beside the blinking of the dots under it."""

from __future__ import annotations

from qdcomp.compare.ligand_entries import Bound, Entry, LigandCell
from qdcomp.compare.ligands import LigandComparison
from qdcomp.report.pages.number_text import MISSING, format_measured, format_plain
from qdcomp.report.pages.text_table import TextTable


def tabulate_ligands(comparison: LigandComparison) -> TextTable:
    """Put every quantity of every ligand that anyone knows into a row."""
    rows = [
        (row.ligand, cell.quantity, _write(cell.own), _write(cell.published), _cite(cell))
        for row in comparison.rows
        for cell in row.cells
        if cell.own or cell.published
    ]
    notes = dict.fromkeys(note for row in comparison.rows for note in row.notes)
    return TextTable(
        "Ligands: shell and blinking",
        ("Ligand", "Quantity", "Own", "Published", "Where"),
        tuple(rows),
        " ".join(f"{note.rstrip('.')}." for note in notes),
    )


def _write(entries: tuple[Entry, ...]) -> str:
    return "; ".join(_write_entry(entry) for entry in entries) or MISSING


def _write_entry(entry: Entry) -> str:
    unit = "" if entry.unit == "1" else entry.unit
    if isinstance(entry, Bound):
        return f"{entry.relation} {format_plain(entry.limit)} {unit}".rstrip()
    return format_measured(entry.value, entry.error, unit)


def _cite(cell: LigandCell) -> str:
    return "; ".join(dict.fromkeys(entry.source for entry in cell.published)) or MISSING
