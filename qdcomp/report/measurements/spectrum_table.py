"""Many dots in one table: a line each, and what they have in common."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from qdcomp.errors import InputError
from qdcomp.experiment.spectra.linewidth_statistics import compute_linewidth_statistics
from qdcomp.experiment.spectra.spectrum_analysis import SpectrumAnalysis
from qdcomp.report.pages.estimate_text import format_estimate

HEADER = ("dot", "peak", "FWHM", "low-energy HWHM", "high-energy HWHM", "edge")


def tabulate_spectra(
    analyses: Mapping[str, SpectrumAnalysis],
) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    """Give rows of texts, the heading first, and lines on all dots together."""
    rows: list[tuple[str, ...]] = [HEADER]
    for name, one in analyses.items():
        fit = one.fit
        rows.append(
            (
                Path(name).name,
                format_estimate(fit.peak_energy_ev, "eV"),
                format_estimate(fit.fwhm_mev, "meV"),
                format_estimate(fit.hwhm_low_mev, "meV"),
                format_estimate(fit.hwhm_high_mev, "meV"),
                format_estimate(one.size.edge_nm if one.size else None, "nm"),
            )
        )
    return rows, _summarise_dots(list(analyses.values()))


def _summarise_dots(analyses: list[SpectrumAnalysis]) -> tuple[str, ...]:
    fits = [one.fit for one in analyses]
    try:
        statistics = compute_linewidth_statistics(
            [fit.peak_energy_ev.value for fit in fits],
            [fit.fwhm_mev.value for fit in fits],
            [fit.fwhm_mev.error for fit in fits],
        )
    except InputError as error:
        return (f"no statistics of the widths: {error}",)
    return (
        f"{statistics.n_dots} dots: mean FWHM {format_estimate(statistics.mean_width_mev, 'meV')}, "
        f"standard deviation {statistics.standard_deviation_mev:.3g} meV, change with energy "
        f"{format_estimate(statistics.line.slope, 'meV/eV')}",
    )
