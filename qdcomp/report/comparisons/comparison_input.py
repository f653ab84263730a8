"""From runs, files and published values to a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import qdcomp
from qdcomp.compare.ligands import compare_ligands
from qdcomp.compare.lineshapes import (
    LineshapeComparison,
    compare_lineshape,
    compute_published_lineshape,
)
from qdcomp.compare.linewidths import compare_linewidths
from qdcomp.compare.observable import Observable
from qdcomp.compare.published import load_coupling_table, load_published
from qdcomp.compare.published_linewidths import list_published_linewidths
from qdcomp.compare.surface_share import compute_surface_shares
from qdcomp.compare.temperature import (
    TemperatureDependence,
    compute_published_temperature_dependence,
    compute_temperature_dependence,
)
from qdcomp.errors import InputError
from qdcomp.experiment import Estimate, read_spectrum
from qdcomp.report.comparisons.calculated_dots import (
    CalculatedDot,
    find_surface_routes,
    observe_linewidths,
)
from qdcomp.report.comparisons.comparison_report import Comparison
from qdcomp.report.measurements.measurement_provenance import describe_file

CURVE_TEMPERATURES_K = np.linspace(4.0, 320.0, 80)


@dataclass(frozen=True)
class ComparisonInput:
    """What a user gives to compare.

    Attributes
    ----------
    dots
        His calculated dots.
    measured
        His measured linewidths.
    temperature_k
        Temperature of the emission [K].
    curve
        Sizing curve.
    published
        Whether the papers' numbers stand beside.
    extra_values
        Files of published values of his own.
    spectrum, spectrum_temperature_k
        Measured spectrum and its temperature [K]; None where there is none.
    instrument_fwhm_ev
        Width of the spectrometer's line [eV]; None takes it as sharp.
    """

    dots: tuple[CalculatedDot, ...]
    measured: tuple[Observable, ...]
    temperature_k: float
    curve: str
    published: bool
    extra_values: tuple[Path, ...] = ()
    spectrum: Path | None = None
    spectrum_temperature_k: float | None = None
    instrument_fwhm_ev: float | None = None


def make_comparison(given: ComparisonInput) -> tuple[Comparison, dict[str, Any]]:
    """Compare all that was given; return it with its provenance.

    Raises
    ------
    InputError
        If there is nothing to compare, or a number makes no sense.
    ParseError
        If a file is damaged.
    """
    papers = load_published(given.extra_values)
    printed = list_published_linewidths(published=papers) if given.published else ()
    widths = (*observe_linewidths(given.dots, given.temperature_k), *given.measured, *printed)
    if not widths:
        raise InputError(
            "there is nothing to compare: give runs, measured linewidths or --published"
        )
    linewidths = compare_linewidths(widths, temperature_k=given.temperature_k, curve=given.curve)
    lineshape, label = _compare_spectrum(given)
    comparison = Comparison(
        linewidths=linewidths,
        temperatures=_list_temperatures(given),
        measured=tuple(
            point
            for group in linewidths.groups
            if group.origin == "measured"
            for point in group.points
        ),
        shares=compute_surface_shares(find_surface_routes(given.dots), given.published),
        ligands=compare_ligands((), ()) if given.published else None,
        lineshape=lineshape,
        lineshape_label=label,
        cautions=_list_cautions(given.dots),
    )
    return comparison, _describe_origin(given)


def _list_temperatures(given: ComparisonInput) -> tuple[TemperatureDependence, ...]:
    curves = [
        compute_temperature_dependence(
            dot.analysis.spectrum,
            CURVE_TEMPERATURES_K,
            label=dot.label,
            source=dot.source,
            edge_nm=Estimate(dot.edge_nm, float("nan")),
            assumptions=dot.assumptions,
        )
        for dot in _choose_extremes([dot for dot in given.dots if dot.structure.frozen is None])
    ]
    if given.published:
        cells = {dot.structure.cells for dot in given.dots} or {3, 7}
        rows = [row for row in load_coupling_table() if row.cells in cells and not row.core_shell]
        rows = [rows[0], rows[-1]] if len(rows) > 2 else rows
        curves.extend(
            compute_published_temperature_dependence(row, CURVE_TEMPERATURES_K) for row in rows
        )
    return tuple(curves)


def _choose_extremes(dots: Sequence[CalculatedDot]) -> list[CalculatedDot]:
    """Smallest and largest dot: curves of all would hide each other."""
    ordered = sorted(dots, key=lambda dot: dot.edge_nm)
    return ordered if len(ordered) < 3 else [ordered[0], ordered[-1]]


def _compare_spectrum(given: ComparisonInput) -> tuple[LineshapeComparison | None, str]:
    """Lay the line of the largest calculated dot, else of the largest published one, over it."""
    if given.spectrum is None:
        return None, ""
    free = [dot for dot in given.dots if dot.structure.frozen is None]
    if free:
        dot = max(free, key=lambda one: one.edge_nm)
        line = dot.analysis.lineshape
        error = dot.analysis.spectrum.reorganization_energy_error_ev
        label = f"the {dot.label} dot ({dot.source})"
    else:
        row = max((r for r in load_coupling_table() if not r.core_shell), key=lambda r: r.cells)
        line, error = compute_published_lineshape(row, given.temperature_k), None
        label = f"the {row.dot} dot ({row.where})"
    found = compare_lineshape(
        line,
        read_spectrum(given.spectrum),
        instrument_fwhm_ev=given.instrument_fwhm_ev,
        reorganization_energy_error_ev=error,
        measured_temperature_k=given.spectrum_temperature_k,
    )
    return found, label


def _list_cautions(dots: Sequence[CalculatedDot]) -> tuple[str, ...]:
    sources = sorted({dot.source for dot in dots if dot.is_surrogate})
    return tuple(
        f"{source[0].upper()}{source[1:]} is no DFT: trends are meaningful, absolute values are "
        "not those of PBE."
        for source in sources
    )


def _describe_origin(given: ComparisonInput) -> dict[str, Any]:
    files = [*given.extra_values, *([given.spectrum] if given.spectrum else [])]
    return {
        "qdcomp": qdcomp.__version__,
        "temperature_k": given.temperature_k,
        "sizing_curve": given.curve,
        "published": given.published,
        "instrument_fwhm_ev": given.instrument_fwhm_ev,
        "calculated": [
            {
                "dot": dot.label,
                "source": dot.source,
                "frames": dot.analysis.n_frames,
                "temperature_k": dot.analysis.temperature_k,
            }
            for dot in given.dots
        ],
        "measured": [point.label for point in given.measured],
        "files": [describe_file(path, {}) for path in files],
    }
