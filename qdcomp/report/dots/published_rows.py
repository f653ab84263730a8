"""The numbers that a study refers to, each beside the one that its run gave."""

from __future__ import annotations

import math

from qdcomp.analysis import DotAnalysis, compute_linewidth
from qdcomp.compare import PublishedCoupling, find_coupling_row, find_published
from qdcomp.recipes.study_files.dot_schema import DotStudy
from qdcomp.report.dots.content import PublishedRow

TABLE_TEMPERATURE_K = 300.0
"""Temperature of the linewidths in the published table of couplings [K]."""

FREE_DOT_ENTRY = "frozen_shell_2p9nm_300K"
"""Entry with the widths of the gap's histogram, of the free dot and of one with a frozen shell."""

MOBILITY_ENTRY = "surface_br_extra_mobility"
"""Entry with the mobility of surface Br over that of Br deeper in the same free dot."""

MOBILITY_DEPTH_CELLS = 1.5
"""Depth of the Br that those of the surface are held against [unit cells] (SI Fig. 9)."""


def compare_with_published(study: DotStudy, analysis: DotAnalysis) -> tuple[PublishedRow, ...]:
    """Put what the run gave beside the numbers that its study refers to.

    A dot of the paper's table has its coupling, linewidth and, with a shell, orbital shares; other
    entries have a number or two each. A study that names neither is held against nothing, whatever
    its size: a dot with frozen atoms has no row in the table.

    Raises
    ------
    InputError
        The study names an entry that there is not.
    """
    reference = study.reference
    if reference is None:
        return ()
    if reference.entry is not None:
        histogram = _compare_histogram(f"{reference.paper}.{FREE_DOT_ENTRY}", study, analysis)
        if reference.entry == FREE_DOT_ENTRY:
            return histogram
        if reference.entry == MOBILITY_ENTRY:
            return (
                *_compare_mobility(f"{reference.paper}.{reference.entry}", analysis),
                *histogram,
            )
        return ()
    row = find_coupling_row(study.structure.cells, study.structure.shell is not None)
    if row is None or row.dot != reference.dot:
        return ()
    orbitals = _compare_orbitals(f"{reference.paper}.core_shell_orbitals", analysis)
    return (*_compare_coupling(row, analysis), *(orbitals if row.core_shell else ()))


def _compare_coupling(row: PublishedCoupling, analysis: DotAnalysis) -> tuple[PublishedRow, ...]:
    spectrum = analysis.spectrum
    energy, error = spectrum.reorganization_energy_ev, spectrum.reorganization_energy_error_ev
    width = compute_linewidth(energy, TABLE_TEMPERATURE_K)
    factors = [
        PublishedRow(
            f"S around {band.name}",
            "",
            _keep_known(band.huang_rhys_factor),
            _keep_known(band.huang_rhys_factor_error),
            published,
            row.where,
        )
        for band, published in zip(spectrum.bands, row.huang_rhys_factors, strict=True)
    ]
    return (
        *factors,
        PublishedRow(
            "reorganization energy Λ",
            "meV",
            energy * 1e3,
            error * 1e3,
            row.reorganization_energy_ev * 1e3,
            f"{row.where}, from its S",
        ),
        PublishedRow(
            f"linewidth Γ({TABLE_TEMPERATURE_K:g} K)",
            "meV",
            width * 1e3,
            0.5 * width * error / energy * 1e3,
            row.fwhm_300k_mev,
            row.where,
        ),
    )


def _compare_histogram(
    entry: str, study: DotStudy, analysis: DotAnalysis
) -> tuple[PublishedRow, ...]:
    """Put the width of the gap's histogram beside the paper's free and frozen dots."""
    published = find_published(entry)
    frozen = study.structure.frozen
    key = None
    if frozen is None:
        key = "free_fwhm_mev"
    elif frozen.region == "shell" and frozen.shell_cells == 2.0:
        key = "frozen_two_cells_fwhm_mev"
    if key is None:
        return ()
    return (
        PublishedRow(
            f"FWHM of the gap histogram at {analysis.temperature_k:g} K",
            "meV",
            analysis.gap_histogram.fwhm_ev * 1e3,
            analysis.gap_histogram.fwhm_error_ev * 1e3,
            float(published.value[key]),
            published.where or entry,
        ),
    )


def _compare_mobility(entry: str, analysis: DotAnalysis) -> tuple[PublishedRow, ...]:
    """Put the extra mobility of Br at the surface beside the paper's, ρ₀ / ρ₁.₅ − 1."""
    published = find_published(entry)
    by_depth = {
        layer.depth_cells: layer for layer in analysis.fluctuations.by_layer if layer.symbol == "Br"
    }
    surface, deep = by_depth.get(0.0), by_depth.get(MOBILITY_DEPTH_CELLS)
    if surface is None or deep is None:
        return ()
    ratio = surface.fluctuation / deep.fluctuation
    relative = math.hypot(
        surface.fluctuation_error / surface.fluctuation, deep.fluctuation_error / deep.fluctuation
    )
    return (
        PublishedRow(
            f"mobility of surface Br over Br {MOBILITY_DEPTH_CELLS:g} cells deep, less 1",
            "",
            ratio - 1.0,
            ratio * relative,
            float(published.value["value"]),
            published.where or entry,
        ),
    )


def _compare_orbitals(entry: str, analysis: DotAnalysis) -> tuple[PublishedRow, ...]:
    """Put the shares of Ca and Pb in the LUMO of a core/shell dot beside the paper's."""
    published = find_published(entry)
    lumo = None if analysis.orbitals is None else analysis.orbitals.lumo
    if lumo is None:
        return ()
    return tuple(
        PublishedRow(
            f"share of {symbol} in the LUMO",
            "",
            lumo.by_element[symbol],
            lumo.by_element_error[symbol],
            float(published.value[key]),
            published.where or entry,
        )
        for symbol, key in (("Ca", "cbm_on_ca"), ("Pb", "cbm_on_pb"))
        if symbol in lumo.by_element
    )


def _keep_known(value: float) -> float | None:
    return value if math.isfinite(value) else None
