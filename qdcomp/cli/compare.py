"""``qdcomp compare``: calculated linewidths, lines and ligands beside measured ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qdcomp.cli.console import notes, output, print_warnings

if TYPE_CHECKING:
    from qdcomp.compare.observable import Observable
    from qdcomp.report.comparisons.calculated_dots import CalculatedDot

COMPARISON = Path("comparison")
"""Folder of the page, where none is given."""

EV_PER_MEV = 1e-3


def compare(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders of finished runs of dots (any engine, several seeds)."),
    ] = None,
    measured: Annotated[
        list[Path] | None,
        typer.Option(
            "--measured",
            help="Measured linewidths: what qdcomp spectrum --table --json wrote, or the "
            "results.json of its report. Can be given several times.",
        ),
    ] = None,
    spectrum: Annotated[
        Path | None,
        typer.Option(help="Measured spectrum to lay the calculated line over."),
    ] = None,
    instrument: Annotated[
        float | None,
        typer.Option(help="Width of the spectrometer's line in meV, FWHM (default: sharp, noted)."),
    ] = None,
    temperature: Annotated[float, typer.Option(help="Temperature of the emission in K.")] = 300.0,
    measured_temperature: Annotated[
        float | None,
        typer.Option(help="Temperature of the measured dots in K (default: 300 K, noted)."),
    ] = None,
    curve: Annotated[
        str, typer.Option(help="Sizing curve between edge and peak energy.")
    ] = "mi2025_damato2023",
    values: Annotated[
        list[Path] | None,
        typer.Option(help="Your own YAML of published values, in the form of the package's."),
    ] = None,
    published: Annotated[
        bool, typer.Option(help="Whether the papers' numbers stand beside.")
    ] = True,
    out: Annotated[Path, typer.Option(help="Folder of the page.")] = COMPARISON,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all numbers as JSON and write no page.")
    ] = False,
) -> None:
    """Put calculated dots beside measured and published ones, with errors on both sides.

    For example:
      qdcomp compare runs/demo
      qdcomp spectrum --table --json dot*.csv > dots.json
      qdcomp compare runs/dot* --measured dots.json --spectrum dot1.csv --instrument 3
    """
    from qdcomp.report.comparisons.comparison_input import ComparisonInput, make_comparison
    from qdcomp.report.comparisons.comparison_report import (
        collect_comparison_results,
        list_headlines,
        write_comparison_report,
    )
    from qdcomp.report.pages.strict_json import write_json

    with notes.status("comparing"):
        given = ComparisonInput(
            dots=_load_dots(runs or []),
            measured=_read_measured(measured or [], measured_temperature),
            temperature_k=temperature,
            curve=curve,
            published=published,
            extra_values=tuple(values or ()),
            spectrum=spectrum,
            spectrum_temperature_k=measured_temperature,
            instrument_fwhm_ev=None if instrument is None else EV_PER_MEV * instrument,
        )
        comparison, provenance = make_comparison(given)
        if as_json:
            output.print(write_json(collect_comparison_results(comparison)))
            return
        page = write_comparison_report(comparison, out, provenance)
    print_warnings(comparison.linewidths.notes)
    for line in list_headlines(comparison):
        output.print(line)
    output.print(f"report: {page}")


def _load_dots(runs: list[Path]) -> tuple[CalculatedDot, ...]:
    from qdcomp.recipes.runs.run_directory import open_run
    from qdcomp.report.comparisons.calculated_dots import load_calculated_dot

    return tuple(load_calculated_dot(open_run(run)) for run in runs)


def _read_measured(files: list[Path], temperature_k: float | None) -> tuple[Observable, ...]:
    from qdcomp.compare.measured_linewidths import read_measured_linewidths

    return tuple(width for path in files for width in read_measured_linewidths(path, temperature_k))
