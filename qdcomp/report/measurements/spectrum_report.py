"""The report on the spectra of one dot, and the table of many dots."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qdcomp.experiment.spectra.emission_fit import EmissionFit
from qdcomp.experiment.spectra.spectrum_analysis import SpectrumAnalysis
from qdcomp.report.measurements.measurement_html import MeasurementReport, write_measurement_report
from qdcomp.report.measurements.spectrum_panels import MODEL_NAMES, list_spectrum_panels
from qdcomp.report.pages.estimate_text import format_estimate, format_estimates
from qdcomp.report.pages.number_text import format_plain
from qdcomp.report.pages.text_table import TextTable


def write_spectrum_report(
    analysis: SpectrumAnalysis, directory: Path | str, provenance: Mapping[str, Any]
) -> Path:
    """Write the report of an analysis into a folder; errors as of `write_measurement_report`.

    Parameters
    ----------
    analysis
        What to show.
    directory
        Made if it is not there.
    provenance
        From the file to its reader.
    """
    return write_measurement_report(describe_spectrum(analysis, provenance), directory)


def describe_spectrum(
    analysis: SpectrumAnalysis, provenance: Mapping[str, Any]
) -> MeasurementReport:
    """Put an analysis into headlines, tables and figures."""
    source = Path(analysis.spectrum.source).name or "spectrum"
    frames = f"{analysis.n_frames} spectra, added up" if analysis.n_frames > 1 else "one spectrum"
    exposure = analysis.spectrum.exposure_s
    exposed = "" if exposure is None else f", exposure {format_plain(exposure)} s"
    return MeasurementReport(
        title=f"Emission spectrum: {source}",
        origin=f"{source}: {frames}{exposed}.",
        headlines=(summarise_spectrum(analysis),),
        tables=tuple(list_tables(analysis)),
        groups=list_spectrum_panels(analysis),
        results=collect_spectrum_results(analysis),
        warnings=analysis.warnings,
        absent=analysis.absent,
        provenance={**provenance, "analysis": analysis.settings},
    )


def summarise_spectrum(analysis: SpectrumAnalysis) -> str:
    """Give the main numbers in one line."""
    fit = analysis.fit
    parts = [
        f"peak {format_estimate(fit.peak_energy_ev, 'eV')}",
        f"({format_estimate(fit.peak_wavelength_nm, 'nm')}),",
        f"FWHM {format_estimate(fit.fwhm_mev, 'meV')}",
    ]
    if analysis.size is not None and analysis.size.edge_nm is not None:
        parts.append(f", edge {format_estimate(analysis.size.edge_nm, 'nm')}")
        parts.append(f"by {analysis.size.curve}")
    return " ".join(parts).replace(" ,", ",")


def list_tables(analysis: SpectrumAnalysis) -> list[TextTable]:
    """All numbers of an analysis."""
    tables = [_tabulate_line(analysis), _tabulate_models(analysis)]
    if analysis.track is not None:
        tables.append(_tabulate_series(analysis))
    return tables


def collect_spectrum_results(analysis: SpectrumAnalysis) -> dict[str, Any]:
    """Give all numbers, nested, for ``results.json`` and ``--json``."""
    track = analysis.track
    return {
        "source": analysis.spectrum.source,
        "frames": analysis.n_frames,
        "line": _collect_fit(analysis.fit),
        "models": {fit.model: _collect_fit(fit) for fit in analysis.comparison.fits},
        "best_by_aic": analysis.comparison.best_by_aic,
        "best_by_bic": analysis.comparison.best_by_bic,
        "size": analysis.size,
        "diffusion": analysis.diffusion,
        "jumps": analysis.jumps,
        "blue_shift": analysis.blue_shift,
        "dark_frames": None if track is None else [frame for frame, _ in track.failed],
        "replaced_pixels": analysis.replaced_pixels,
        "absent": analysis.absent,
        "warnings": analysis.warnings,
    }


def _collect_fit(fit: EmissionFit) -> dict[str, Any]:
    arrays = {"energies_ev", "counts", "fitted_counts", "noise_counts", "pixel_widths_ev"}
    return {name: value for name, value in vars(fit).items() if name not in arrays}


def _tabulate_line(analysis: SpectrumAnalysis) -> TextTable:
    fit, size = analysis.fit, analysis.size
    rows = [
        ("Peak energy", format_estimate(fit.peak_energy_ev, "eV")),
        ("Peak wavelength, in vacuum", format_estimate(fit.peak_wavelength_nm, "nm")),
        ("FWHM", format_estimate(fit.fwhm_mev, "meV")),
        ("FWHM in wavelength", format_estimate(fit.fwhm_nm, "nm")),
        ("HWHM of the low-energy side", format_estimate(fit.hwhm_low_mev, "meV")),
        ("HWHM of the high-energy side", format_estimate(fit.hwhm_high_mev, "meV")),
        ("Share of the Lorentzian in the width", format_estimates(fit.lorentz_shares)),
        ("Counts under the line", format_estimate(fit.area_counts)),
        ("Background per pixel", format_estimate(fit.background_counts, "counts")),
        ("Reduced χ²", format_plain(fit.reduced_chi2)),
    ]
    if size is not None:
        rows.append((f"Edge of the dot, curve {size.curve}", format_estimate(size.edge_nm, "nm")))
    source = "" if size is None else f"Sizing curve {size.curve}: {size.source}."
    shape = MODEL_NAMES[fit.model]
    return TextTable(f"Emission line, {shape}", ("Quantity", "Value"), tuple(rows), source)


def _tabulate_models(analysis: SpectrumAnalysis) -> TextTable:
    comparison = analysis.comparison
    lowest = min(fit.bic for fit in comparison.fits)
    rows = [
        (
            MODEL_NAMES[fit.model],
            format_estimate(fit.peak_energy_ev, "eV"),
            format_estimate(fit.fwhm_mev, "meV"),
            format_plain(fit.reduced_chi2),
            format_plain(fit.bic - lowest) if fit.bic > lowest else "0",
        )
        for fit in comparison.fits
    ]
    failed = "; ".join(f"{MODEL_NAMES[model]}: {reason}" for model, reason in comparison.failed)
    return TextTable(
        "Shapes compared",
        ("Shape", "Peak", "FWHM", "Reduced χ²", "BIC above the lowest"),
        tuple(rows),
        f"Not fitted: {failed}." if failed else "",
    )


def _tabulate_series(analysis: SpectrumAnalysis) -> TextTable:
    track, diffusion = analysis.track, analysis.diffusion
    jumps, shift = analysis.jumps, analysis.blue_shift
    rows = []
    if track is not None:
        rows.append(("Frames with a line", f"{len(track)} of {analysis.n_frames}"))
    if diffusion is not None:
        deviation = format_estimate(diffusion.standard_deviation_mev, "meV")
        rows.append(("Spectral diffusion, s.d. without the error of the fits", deviation))
        rows.append(("Range of the peak", f"{format_plain(diffusion.range_mev)} meV"))
    if jumps is not None:
        rows.append(("Jumps", str(len(jumps.sizes_mev))))
        rows.append(("Their sizes", format_estimates(jumps.sizes_mev, "meV")))
    if shift is not None:
        rows.append(("Blue shift", format_estimate(shift.rate_mev_per_hour, "meV/h")))
        rows.append(("Blue shift in wavelength", format_estimate(shift.rate_nm_per_hour, "nm/h")))
    reason = "" if diffusion is None or not diffusion.reason else f"{diffusion.reason}."
    return TextTable("Peak against time", ("Quantity", "Value"), tuple(rows), reason)
