"""Panels of exciton-phonon coupling: Huang-Rhys spectrum, coherence, emission."""

from __future__ import annotations

import numpy as np

from qdcomp.analysis import DotAnalysis, HuangRhysSpectrum, ModeCoupling
from qdcomp.report.drawing import style
from qdcomp.report.drawing.panel import Guide, Line, Panel, Span, cut_to_range, thin_out
from qdcomp.report.pages.number_text import format_measured, format_plain

MEV = 1e3
"""meV per eV."""

MINIMUM_SHOWN_MEV = 30.0
"""Energy axes of the coupling reach at least this far: beyond the highest band."""

HELD_BY_AXIS = 0.995
"""Share of Λ that the energy axis holds."""


def coupling_panels(analysis: DotAnalysis) -> tuple[Panel, Panel]:
    """Huang-Rhys spectrum S(E) and spectral density E·S(E), the bands shaded."""
    spectrum = analysis.spectrum
    limit = coupling_limit(spectrum)
    energies = spectrum.energies_ev * MEV
    resolved = (spectrum.energies_ev >= spectrum.energy_resolution_ev) & (energies <= limit)
    factors = spectrum.huang_rhys_density / MEV
    bands = "; ".join(
        f"{band.name}: {format_measured(band.huang_rhys_factor, band.huang_rhys_factor_error)}"
        for band in spectrum.bands
    )
    total = format_measured(
        spectrum.reorganization_energy_ev * MEV,
        spectrum.reorganization_energy_error_ev * MEV,
        "meV",
    )
    resolution = format_plain(spectrum.energy_resolution_ev * MEV, 2)
    shown = energies[1:], factors[1:]
    huang_rhys = Panel(
        name="huang_rhys_spectrum",
        title="Huang–Rhys spectrum S(E)",
        x_label="Phonon energy (meV)",
        y_label="S(E) (1/meV)",
        marks=(Line("S(E)", *thin_out(*cut_to_range(*shown, limit)), style.SERIES[0], fill=True),),
        spans=band_spans(spectrum, limit),
        x_range=(0.0, limit),
        y_range=(0.0, 1.25 * float(factors[resolved].max(initial=1e-12))),
        description=(
            f"Huang-Rhys density against phonon energy at a resolution of {resolution} meV. "
            f"Summed in bands: {bands}."
        ),
    )
    coupled = cut_to_range(energies, spectrum.spectral_density, limit)
    density = Panel(
        name="spectral_density",
        title="Spectral density E·S(E)",
        x_label="Phonon energy (meV)",
        y_label="E·S(E) (meV/meV)",
        marks=(Line("E·S(E)", *thin_out(*coupled), style.SERIES[1], fill=True),),
        spans=band_spans(spectrum, limit),
        x_range=(0.0, limit),
        y_range=(0.0, 1.25 * float(coupled[1].max(initial=1e-12))),
        description=(
            "Reorganization energy per phonon energy; its integral is the reorganization energy "
            f"Λ = {total}."
        ),
    )
    return huang_rhys, density


def coupling_limit(spectrum: HuangRhysSpectrum) -> float:
    """Upper end of the energy axis [meV]."""
    held = np.cumsum(spectrum.spectral_density)
    index = int(np.searchsorted(held, HELD_BY_AXIS * held[-1]))
    reach = float(spectrum.energies_ev[min(index, len(held) - 1)]) * MEV
    return float(min(max(MINIMUM_SHOWN_MEV, 1.1 * reach), spectrum.energies_ev[-1] * MEV))


def band_spans(coupling: HuangRhysSpectrum | ModeCoupling, limit_mev: float) -> tuple[Span, ...]:
    """Shaded ranges of the bands that begin within the axis."""
    return tuple(
        Span(
            band.name,
            band.lower_ev * MEV,
            min(band.upper_ev * MEV, limit_mev),
            style.cycle(style.BANDS, index),
        )
        for index, band in enumerate(coupling.bands)
        if band.lower_ev * MEV < limit_mev
    )


def correlation_panel(analysis: DotAnalysis) -> Panel:
    """Autocorrelation of the gap."""
    dephasing = analysis.dephasing
    x, y = thin_out(dephasing.correlation_times_fs / 1e3, dephasing.correlation_ev2 * MEV**2)
    return Panel(
        name="gap_correlation",
        title=f"Autocorrelation of the gap{_at(dephasing.temperature_k)}",
        x_label="Delay (ps)",
        y_label="C(t) = ⟨δU(t) δU(0)⟩ (meV²)",
        marks=(Line("C(t)", x, y, style.SERIES[2]),),
        guides=(
            Guide(
                f"τc = {format_plain(dephasing.correlation_time_fs)} fs",
                dephasing.correlation_time_fs / 1e3,
            ),
        ),
        x_range=(0.0, float(x[-1])),
        description=(
            "Autocorrelation of the gap; standard deviation "
            f"{format_plain(dephasing.standard_deviation_ev * MEV)} meV, first fall to 1/e after "
            f"{format_plain(dephasing.correlation_time_fs)} fs."
        ),
        notes=_scaling_note(analysis),
    )


def dephasing_panel(analysis: DotAnalysis) -> Panel:
    """Decay of coherence with its Gaussian and t*."""
    dephasing = analysis.dephasing
    time = format_measured(dephasing.dephasing_time_fs, dephasing.dephasing_time_error_fs, "fs")
    width = format_measured(dephasing.linewidth_ev * MEV, dephasing.linewidth_error_ev * MEV, "meV")
    end = min(6.0 * dephasing.dephasing_time_fs, float(dephasing.times_fs[-1]))
    decay = cut_to_range(dephasing.times_fs, dephasing.dephasing_function, end)
    fit = cut_to_range(dephasing.times_fs, dephasing.gaussian_fit, end)
    return Panel(
        name="dephasing",
        title=f"Pure dephasing{_at(dephasing.temperature_k)}",
        x_label="Time (fs)",
        y_label="Coherence D(t)",
        marks=(
            Line("D(t)", *thin_out(*decay), style.SERIES[0]),
            Line("exp(−t²/2t*²)", *thin_out(*fit), style.SERIES[1], dash="dash"),
        ),
        guides=(Guide(f"t* = {time}", dephasing.dephasing_time_fs),),
        x_range=(0.0, end),
        y_range=(0.0, 1.12),
        description=(
            f"Decay of coherence with a Gaussian fit: t* = {time}, linewidth {width}; "
            f"convention exp(−t²/2t*²); σ τc/ħ = {format_plain(dephasing.slow_bath_parameter, 2)} "
            "(a Gaussian decay needs more than 5)."
        ),
        notes=_scaling_note(analysis),
    )


def _at(temperature_k: float | None) -> str:
    return "" if temperature_k is None else f" at {temperature_k:g} K"


def _scaling_note(analysis: DotAnalysis) -> tuple[str, ...]:
    dephasing = analysis.dephasing
    if dephasing.temperature_k is None or dephasing.temperature_k == analysis.temperature_k:
        return ()
    return (f"C scaled ∝ T from the trajectory at {analysis.temperature_k:g} K",)


def lineshape_panel(analysis: DotAnalysis) -> Panel:
    """Emission with quantum phonons."""
    shape = analysis.lineshape
    half = 2.2 * shape.fwhm_ev
    low, high = shape.peak_energy_ev - half, shape.peak_energy_ev + half
    x, y = cut_to_range(shape.energies_ev, shape.intensity, high, low)
    width = format_plain(shape.fwhm_ev * MEV)
    return Panel(
        name="emission_lineshape",
        title=f"Emission at {shape.temperature_k:g} K",
        x_label="Photon energy (eV)",
        y_label="Emission, unit area (1/eV)",
        marks=(Line(f"FWHM {width} meV", *thin_out(x, y), style.SERIES[3], fill=True),),
        guides=(
            Guide(
                f"zero-phonon energy {shape.zero_phonon_energy_ev:.3f} eV",
                shape.zero_phonon_energy_ev,
            ),
        ),
        x_range=(low, high),
        y_range=(0.0, 1.2 * float(shape.intensity.max())),
        description=(
            f"Emission line at {shape.temperature_k:g} K: peak {shape.peak_energy_ev:.3f} eV, full "
            f"width at half maximum {width} meV, Stokes shift "
            f"{format_plain(shape.stokes_shift_ev * MEV)} meV, zero-phonon weight "
            f"{format_plain(shape.zero_phonon_weight, 2)}."
        ),
        notes=(
            f"harmonic, phonons of the {analysis.temperature_k:g} K run, broadened by "
            f"{format_plain(shape.broadening_ev * MEV, 2)} meV",
        ),
    )
