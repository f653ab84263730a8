"""Panels of the route without a trajectory, beside the one with."""

from __future__ import annotations

import numpy as np

from qdcomp.analysis import DotAnalysis, HuangRhysBand, HuangRhysSpectrum, ModeCoupling
from qdcomp.report.dots.coupling_panels import MEV, MINIMUM_SHOWN_MEV, band_spans, coupling_limit
from qdcomp.report.drawing import style
from qdcomp.report.drawing.panel import Bars, Line, Panel, Sticks, cut_to_range, thin_out
from qdcomp.report.pages.number_text import format_measured, format_plain

RELAXED_NOTE = "harmonic at the relaxed structure"


def mode_panels(analysis: DotAnalysis, modes: ModeCoupling) -> tuple[Panel, ...]:
    """Normal-mode route: Λ of each mode, its bands beside the trajectory's, who takes part."""
    limit = max(MINIMUM_SHOWN_MEV, 1.05 * float(modes.energies_ev[-1]) * MEV)
    total = format_plain(modes.reorganization_energy_ev * MEV)
    sticks = Sticks(
        "normal modes",
        modes.energies_ev * MEV,
        modes.reorganization_energies_ev * MEV,
        style.SERIES[2],
    )
    coupling = Panel(
        name="mode_coupling",
        title="Coupling of the normal modes",
        x_label="Phonon energy (meV)",
        y_label="Reorganization energy Λₖ (meV)",
        marks=(sticks,),
        spans=band_spans(modes, limit),
        x_range=(0.0, limit),
        description=(
            f"Reorganization energy of each of {len(modes.energies_ev)} normal modes, "
            f"{total} meV in all; {modes.n_excluded} soft or imaginary modes are left out."
        ),
        notes=(RELAXED_NOTE,),
    )
    comparison = _compare_bands(analysis.spectrum.bands, modes.bands, "normal modes")
    return (coupling, comparison, *_participation_panels(modes))


def harmonic_panels(analysis: DotAnalysis, harmonic: HuangRhysSpectrum) -> tuple[Panel, ...]:
    """Exact harmonic motion beside the trajectory: spectral density and bands of both."""
    limit = coupling_limit(analysis.spectrum)
    lines = tuple(
        Line(
            name,
            *thin_out(*cut_to_range(one.energies_ev * MEV, one.spectral_density, limit)),
            color,
        )
        for name, one, color in (
            ("trajectory", analysis.spectrum, style.SERIES[1]),
            ("normal modes, mean of many draws", harmonic, style.SERIES[2]),
        )
    )
    total = format_measured(
        harmonic.reorganization_energy_ev * MEV,
        harmonic.reorganization_energy_error_ev * MEV,
        "meV",
    )
    density = Panel(
        name="harmonic_spectral_density",
        title="Spectral density by two routes",
        x_label="Phonon energy (meV)",
        y_label="E·S(E) (meV/meV)",
        marks=lines,
        spans=band_spans(harmonic, limit),
        x_range=(0.0, limit),
        description=(
            "Spectral density of the trajectory and of the exact harmonic motion, whose "
            f"reorganization energy is {total}. A level at the gap is degenerate, so that the "
            "gap has no gradient and modes have no Huang-Rhys factor each."
        ),
        notes=(RELAXED_NOTE,),
    )
    names = "normal modes, sampled"
    return density, _compare_bands(analysis.spectrum.bands, harmonic.bands, names)


def _compare_bands(
    sampled: tuple[HuangRhysBand, ...], modes: tuple[HuangRhysBand, ...], name: str
) -> Panel:
    return Panel(
        name="band_comparison",
        title="Huang–Rhys factors by two routes",
        x_label="Band",
        y_label="Huang–Rhys factor S",
        marks=(
            _draw_bands("trajectory", sampled, style.SERIES[0]),
            _draw_bands(name, modes, style.SERIES[2]),
        ),
        description="Huang-Rhys factors of the bands, trajectory and normal modes: "
        + "; ".join(
            f"{ours.name}: {format_measured(ours.huang_rhys_factor, ours.huang_rhys_factor_error)}"
            f" and {_format_factor(theirs)}"
            for ours, theirs in zip(sampled, modes, strict=True)
        )
        + ".",
        notes=(RELAXED_NOTE,),
    )


def _draw_bands(name: str, bands: tuple[HuangRhysBand, ...], color: str) -> Bars:
    errors = np.array([band.huang_rhys_factor_error for band in bands])
    return Bars(
        name,
        tuple(band.name for band in bands),
        np.array([band.huang_rhys_factor for band in bands]),
        color,
        error=errors if errors.any() else None,
    )


def _format_factor(band: HuangRhysBand) -> str:
    if band.huang_rhys_factor_error:
        return format_measured(band.huang_rhys_factor, band.huang_rhys_factor_error)
    return format_plain(band.huang_rhys_factor)


def _participation_panels(modes: ModeCoupling) -> tuple[Panel, ...]:
    shares = modes.coupled_participation
    if not shares:
        return ()
    weights = Bars(
        "weighted with Λₖ", tuple(shares), np.array(list(shares.values())), style.SERIES[4]
    )
    return (
        Panel(
            name="mode_participation",
            title="Atoms that carry the coupling",
            x_label="Group of atoms",
            y_label="Share of the coupled modes",
            marks=(weights,),
            y_range=(0.0, 1.0),
            description="Share of groups of atoms in the modes, weighted with their coupling: "
            + ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
            + ".",
            notes=(RELAXED_NOTE,),
        ),
    )
