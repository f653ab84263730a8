"""The page that puts calculation beside measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qdcomp.compare.ligands import LigandComparison
from qdcomp.compare.lineshapes import LineshapeComparison
from qdcomp.compare.linewidths import LinewidthComparison, LinewidthRow
from qdcomp.compare.observable import Observable
from qdcomp.compare.surface_share import SurfaceShares
from qdcomp.compare.temperature import TemperatureDependence
from qdcomp.compare.verdict import state_verdict
from qdcomp.report.comparisons.ligand_comparison import tabulate_ligands
from qdcomp.report.comparisons.lineshape_comparison import (
    draw_lineshape,
    state_share,
    tabulate_lineshape,
)
from qdcomp.report.comparisons.linewidth_comparison_panels import (
    draw_linewidths,
    draw_surface_shares,
    draw_temperatures,
    list_hidden_dots,
)
from qdcomp.report.measurements.measurement_html import (
    MeasurementReport,
    PanelGroup,
    write_measurement_report,
)
from qdcomp.report.pages.number_text import MISSING, format_measured
from qdcomp.report.pages.text_table import TextTable

ERROR_NOTE = (
    "Errors are standard errors (68 %); bands are 68 % confidence bands of the trends, drawn over "
    "the sizes of their own dots only. A distance in combined errors is an upper bound where only "
    "one of the two numbers has an error. A number without an error is shown without a bar, hollow."
)


@dataclass(frozen=True, eq=False)
class Comparison:
    """All that is compared on one page.

    Attributes
    ----------
    linewidths
        Linewidths of all origins.
    temperatures
        Γ(T) of calculated and published dots.
    measured
        Measured widths that stand beside them.
    lineshape
        Calculated line on a measured spectrum; None where no spectrum was given.
    lineshape_label
        What calculated it.
    shares
        The surface's share of the linewidth.
    ligands
        Ligands; None where nothing is known of one.
    cautions
        Why it is not what it looks like: surrogates.
    """

    linewidths: LinewidthComparison
    temperatures: tuple[TemperatureDependence, ...]
    measured: tuple[Observable, ...]
    shares: SurfaceShares
    ligands: LigandComparison | None = None
    lineshape: LineshapeComparison | None = None
    lineshape_label: str = ""
    cautions: tuple[str, ...] = ()


def write_comparison_report(
    comparison: Comparison, directory: Path | str, provenance: Mapping[str, Any]
) -> Path:
    """Write the page; errors as of `write_measurement_report`."""
    return write_measurement_report(describe_comparison(comparison, provenance), directory)


def describe_comparison(comparison: Comparison, provenance: Mapping[str, Any]) -> MeasurementReport:
    """Put a comparison into sentences, tables and figures."""
    widths = comparison.linewidths
    return MeasurementReport(
        title="Calculation beside measurement",
        origin="; ".join(f"{len(g.points)} × {g.name}" for g in widths.groups) + ".",
        headlines=list_headlines(comparison),
        tables=tuple(_list_tables(comparison)),
        groups=tuple(_list_groups(comparison)),
        results=collect_comparison_results(comparison),
        caution=" ".join(comparison.cautions),
        warnings=_list_notes(comparison),
        absent=_list_absent(comparison),
        provenance=provenance,
        error_note=ERROR_NOTE,
    )


def list_headlines(comparison: Comparison) -> tuple[str, ...]:
    """Say what the page says, a sentence or two for each part."""
    headlines = [state_verdict(comparison.linewidths)]
    if comparison.lineshape is not None:
        headlines.append(state_share(comparison.lineshape, comparison.lineshape_label))
    headlines.append(comparison.shares.agreement.sentence)
    if comparison.ligands is not None:
        headlines.append(comparison.ligands.verdict)
    return tuple(line for line in headlines if line)


def collect_comparison_results(comparison: Comparison) -> dict[str, Any]:
    """Give all numbers, nested, for ``results.json`` and ``--json``."""
    return {
        "verdict": list_headlines(comparison),
        "linewidths": comparison.linewidths,
        "temperatures": comparison.temperatures,
        "lineshape": comparison.lineshape,
        "surface_share": comparison.shares,
        "ligands": comparison.ligands,
    }


def tabulate_differences(rows: Sequence[LinewidthRow]) -> TextTable:
    """Each calculated dot beside what it is held against, in units of the combined error."""
    return TextTable(
        "Differences of the linewidth",
        ("Dot", "Calculated", "Held against", "Its width", "Difference", "Combined errors"),
        tuple(_tabulate_row(row) for row in rows),
        "≤ marks a distance of which only one of the two numbers has an error.",
    )


def _tabulate_row(row: LinewidthRow) -> tuple[str, ...]:
    own = format_measured(row.calculated.value, row.calculated.error, row.calculated.unit)
    start = (f"{row.calculated.label}, {row.group}", own)
    if row.reference is None or row.difference is None:
        return (*start, f"{row.against} of {row.reference_group}", row.reason, MISSING, MISSING)
    other, distance = row.reference, row.difference
    against = f"{row.against} of {row.reference_group}: {other.label}"
    sigmas = MISSING if distance.sigmas is None else f"{distance.sigmas:.1f}"
    return (
        *start,
        against,
        format_measured(other.value, other.error, other.unit),
        format_measured(distance.value, distance.error, other.unit),
        f"≤ {sigmas}" if distance.one_sided and distance.sigmas is not None else sigmas,
    )


def _list_tables(comparison: Comparison) -> list[TextTable]:
    tables = [tabulate_differences(comparison.linewidths.rows)]
    if comparison.lineshape is not None:
        tables.append(tabulate_lineshape(comparison.lineshape))
    tables.append(_tabulate_shares(comparison.shares))
    if comparison.ligands is not None:
        tables.append(tabulate_ligands(comparison.ligands))
    return [table for table in tables if table.rows]


def _tabulate_shares(shares: SurfaceShares) -> TextTable:
    rows = []
    for origin, entries in (("calculated here", shares.own), ("published", shares.published)):
        for entry in entries:
            cells = [
                MISSING if one is None else format_measured(one.value, one.error)
                for one in (entry.of_linewidth, entry.of_coupling)
            ]
            rows.append(
                (entry.route, origin, entry.label, *cells, entry.reason or entry.definition)
            )
    header = ("Route", "Origin", "Dot", "Share of Γ", "Share of Λ", "Definition, or why absent")
    return TextTable("The surface's share of the linewidth", header, tuple(rows))


def _list_groups(comparison: Comparison) -> list[PanelGroup]:
    widths = comparison.linewidths
    groups = [
        PanelGroup(
            "Linewidths",
            (draw_linewidths(widths, "edge"), draw_linewidths(widths, "energy")),
        )
    ]
    if comparison.temperatures:
        panel = draw_temperatures(comparison.temperatures, comparison.measured)
        groups.append(PanelGroup("Temperature", (panel,)))
    if comparison.lineshape is not None:
        groups.append(
            draw_lineshape(comparison.lineshape, comparison.lineshape_label, comparison.cautions)
        )
    shares = draw_surface_shares(comparison.shares)
    if shares is not None:
        groups.append(PanelGroup("Surface", (shares,)))
    return groups


def _list_notes(comparison: Comparison) -> tuple[str, ...]:
    notes = [*comparison.linewidths.notes]
    for curve in comparison.temperatures:
        notes.extend(f"{curve.label}: {note}" for note in curve.notes)
    if comparison.lineshape is not None:
        notes.extend(comparison.lineshape.notes)
    return tuple(dict.fromkeys(notes))


def _list_absent(comparison: Comparison) -> tuple[str, ...]:
    absent = [
        f"{one.observable.label}, {one.observable.source}: {one.reason}"
        for one in comparison.linewidths.left_out
    ]
    absent.extend(trend.reason for trend in comparison.linewidths.trends if trend.reason)
    for axis in ("edge", "energy"):
        hidden = list_hidden_dots(comparison.linewidths, axis)
        absent.extend(f"against {axis}: {text}" for text in hidden)
    return tuple(dict.fromkeys(absent))
