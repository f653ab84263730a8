"""``qdcomp spectrum``: the emission line of a dot from its spectra."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from qdcomp.cli.console import notes, output, print_table, print_warnings
from qdcomp.errors import QdcompError

if TYPE_CHECKING:
    from qdcomp.experiment.spectra.spectrum_analysis import SpectrumAnalysis, SpectrumSettings

MODELS = ("lorentzian", "gaussian", "voigt", "double_half_voigt")


def _read_window(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        raise typer.BadParameter(f"{text!r}; expected FROM:TO in nm, like 490:540") from None
    if not 0.0 < low < high:
        raise typer.BadParameter(f"{text!r}; expected a rising range in nm, like 490:540")
    return low, high


def spectrum(
    files: Annotated[
        list[Path], typer.Argument(help="Andor .sif or .asc, CSV or columns of text; one a dot.")
    ],
    model: Annotated[
        str, typer.Option(help=f"Shape of the line: {', '.join(MODELS)}.")
    ] = "double_half_voigt",
    window: Annotated[
        str | None, typer.Option(help="Wavelengths to fit in nm, FROM:TO (default: all).")
    ] = None,
    background: Annotated[
        str, typer.Option(help="Background beside the line: none, constant, linear.")
    ] = "constant",
    unit: Annotated[
        str | None,
        typer.Option(help="Unit of the axis of a text file that does not say: nm, eV, meV, cm-1."),
    ] = None,
    medium: Annotated[
        str | None,
        typer.Option(help="What the wavelengths are of: vacuum or air (default: vacuum, noted)."),
    ] = None,
    frame_period: Annotated[
        float | None, typer.Option(help="Time from frame to frame in s, where no file says.")
    ] = None,
    gain: Annotated[
        float | None,
        typer.Option(help="Counts that one photon makes (default: found from the scatter)."),
    ] = None,
    saturation: Annotated[
        float | None, typer.Option(help="Counts from which a pixel is full.")
    ] = None,
    background_subtracted: Annotated[
        bool, typer.Option(help="The background is off already; counts may be negative.")
    ] = False,
    cosmic_rays: Annotated[bool, typer.Option(help="Replace pixels that cosmic rays hit.")] = True,
    sizing: Annotated[
        str, typer.Option(help="Sizing curve: mi2025, mi2025_damato2023, effective_mass, mapbbr3.")
    ] = "mi2025_damato2023",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the report (default: FILE-spectrum).")
    ] = None,
    table: Annotated[
        bool, typer.Option("--table", help="One line a dot; also for several files.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print all numbers as JSON.")] = False,
) -> None:
    """Fit the emission line of a dot, follow its peak, and write the report.

    A file with several frames is a series: its sum is fitted, and the peak is followed through the
    frames. Of several files, each is a dot: they come out in one table.

    For example:
      qdcomp spectrum dot.asc --window 480:560
      qdcomp spectrum dot*.csv --unit nm --model voigt
      qdcomp spectrum dot*.csv --table --json > dots.json
    """
    from qdcomp.experiment.spectra.spectrum_analysis import SpectrumSettings

    settings = SpectrumSettings(
        model=cast("Literal['voigt']", model),
        window_nm=_read_window(window),
        background=cast("Literal['constant']", background),
        counts_per_photon=gain,
        saturation_counts=saturation,
        cosmic_rays=cosmic_rays,
        sizing_curve=sizing,
    )
    reading = {
        "axis_unit": unit,
        "medium": medium,
        "frame_period_s": frame_period,
        "background_subtracted": True if background_subtracted else None,
    }
    if len(files) == 1 and not table:
        _report_one(files[0], settings, reading, out, as_json=json)
    else:
        _tabulate_many(files, settings, reading, as_json=json)


def _analyse(path: Path, settings: SpectrumSettings, reading: dict[str, Any]) -> SpectrumAnalysis:
    from qdcomp.experiment.files.spectrum_files import read_spectra
    from qdcomp.experiment.spectra.spectrum_analysis import analyse_spectra

    return analyse_spectra(read_spectra(path, **reading), settings)


def _report_one(
    path: Path,
    settings: SpectrumSettings,
    reading: dict[str, Any],
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    from qdcomp.report.measurements.measurement_provenance import describe_file
    from qdcomp.report.measurements.spectrum_report import (
        collect_spectrum_results,
        summarise_spectrum,
        write_spectrum_report,
    )
    from qdcomp.report.pages.strict_json import write_json

    with notes.status(f"fitting {path.name}"):
        found = _analyse(path, settings, reading)
        if as_json:
            output.print(write_json(collect_spectrum_results(found)))
            return
        target = out or Path(f"{path.stem}-spectrum")
        page = write_spectrum_report(found, target, describe_file(path, reading))
    print_warnings(found.warnings)
    output.print(summarise_spectrum(found))
    output.print(f"report: {page}")


def _tabulate_many(
    files: list[Path], settings: SpectrumSettings, reading: dict[str, Any], *, as_json: bool
) -> None:
    from qdcomp.report.measurements.spectrum_report import collect_spectrum_results
    from qdcomp.report.measurements.spectrum_table import tabulate_spectra
    from qdcomp.report.pages.strict_json import write_json

    found: dict[str, SpectrumAnalysis] = {}
    failed: dict[str, str] = {}
    with notes.status(f"fitting {len(files)} files"):
        for path in files:
            try:
                found[str(path)] = _analyse(path, settings, reading)
            except QdcompError as error:
                failed[str(path)] = str(error)
    if as_json:
        results = {name: collect_spectrum_results(one) for name, one in found.items()}
        output.print(write_json({"dots": results, "failed": failed}))
    elif found:
        rows, means = tabulate_spectra(found)
        print_table(rows)
        for line in means:
            output.print(line)
    print_warnings([f"left out, {name}: {reason}" for name, reason in failed.items()])
    if not found:
        raise typer.Exit(2)
