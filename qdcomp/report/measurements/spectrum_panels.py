"""Panels of emission spectra: the line with its fit, and the peak against time."""

from __future__ import annotations

import numpy as np

from qdcomp.experiment.spectra.spectrum_analysis import SpectrumAnalysis
from qdcomp.report.drawing import style
from qdcomp.report.drawing.panel import Guide, Line, Panel, Points, thin_out
from qdcomp.report.measurements.measurement_html import PanelGroup
from qdcomp.report.pages.estimate_text import format_estimate

MODEL_NAMES = {
    "lorentzian": "Lorentzian",
    "gaussian": "Gaussian",
    "voigt": "Voigt",
    "double_half_voigt": "two half-Voigts",
}
"""Shapes in words."""

MEV_PER_EV = 1e3


def list_spectrum_panels(analysis: SpectrumAnalysis) -> tuple[PanelGroup, ...]:
    """Figures of an analysis, in groups."""
    groups = [PanelGroup("Emission line", (draw_line(analysis), draw_residuals(analysis)))]
    if analysis.track is not None:
        groups.append(PanelGroup("Spectral diffusion", (draw_peak_track(analysis),)))
    return tuple(groups)


def draw_line(analysis: SpectrumAnalysis) -> Panel:
    """Draw counts per meV with the fitted line and its half maxima."""
    fit = analysis.fit
    per_mev = 1.0 / (MEV_PER_EV * fit.pixel_widths_ev)
    peak = fit.peak_energy_ev.value
    shape = MODEL_NAMES[fit.model]
    return Panel(
        name="emission_line",
        title="Emission line",
        x_label="photon energy [eV]",
        y_label="counts per meV",
        marks=(
            Points(
                "measured",
                fit.energies_ev,
                fit.counts * per_mev,
                style.TOTAL,
                faint=True,
            ),
            Line(shape, *thin_out(fit.energies_ev, fit.fitted_counts * per_mev), style.SERIES[1]),
        ),
        guides=(
            Guide("half maximum", peak - fit.hwhm_low_mev.value / MEV_PER_EV),
            Guide("", peak + fit.hwhm_high_mev.value / MEV_PER_EV),
        ),
        description=(
            f"{shape}: peak at {format_estimate(fit.peak_energy_ev, 'eV')}, full width at half "
            f"maximum {format_estimate(fit.fwhm_mev, 'meV')}, half widths "
            f"{format_estimate(fit.hwhm_low_mev, 'meV')} on the low- and "
            f"{format_estimate(fit.hwhm_high_mev, 'meV')} on the high-energy side."
        ),
    )


def draw_residuals(analysis: SpectrumAnalysis) -> Panel:
    """Deviation of the counts from the fit in standard deviations of their noise."""
    fit = analysis.fit
    residuals = (fit.counts - fit.fitted_counts) / fit.noise_counts
    return Panel(
        name="emission_residuals",
        title="Residuals of the fit",
        x_label="photon energy [eV]",
        y_label="deviation over the noise",
        marks=(Points("measured − fitted", fit.energies_ev, residuals, style.TOTAL, faint=True),),
        guides=(Guide("", 0.0, "y"),),
        description=(
            f"Reduced χ² = {fit.reduced_chi2:.2f}; the noise is "
            f"{'given' if analysis.settings.counts_per_photon else 'found from the scatter'}."
        ),
    )


def draw_peak_track(analysis: SpectrumAnalysis) -> Panel:
    """Peak energy of each frame, the levels between jumps, and the straight line."""
    track, jumps, shift = analysis.track, analysis.jumps, analysis.blue_shift
    if track is None or jumps is None or shift is None:
        raise ValueError("there is no series")
    borders = np.concatenate([[0], jumps.frames, [len(track)]]).astype(np.int64)
    levels = np.repeat([level.value for level in jumps.levels_ev], np.diff(borders))
    line = shift.energy_line
    times = track.times_s - track.times_s[0]
    diffusion = analysis.diffusion
    spread = None if diffusion is None else diffusion.standard_deviation_mev
    return Panel(
        name="peak_energy",
        title="Peak energy against time",
        x_label="time [s]",
        y_label="peak energy [eV]",
        marks=(
            Points(
                "peak", track.times_s, track.energies_ev, style.SERIES[0], track.energy_errors_ev
            ),
            Line("level", track.times_s, levels, style.SERIES[1]),
            Line(
                "straight line",
                track.times_s,
                line.intercept.value + line.slope.value * times,
                style.SERIES[2],
                dash="dash",
            ),
        ),
        description=(
            f"Standard deviation without the error of the fits {format_estimate(spread, 'meV')}, "
            f"{len(jumps.sizes_mev)} jumps, blue shift "
            f"{format_estimate(shift.rate_mev_per_hour, 'meV/h')}."
        ),
    )
