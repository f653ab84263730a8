# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # D'Amato et al. 2023: are Zn-treated CsPbBr3 dots pure and steady single-photon sources?
#
# Nano Lett. 23, 10228 (2023). Here: a dot simulated from the paper's numbers, at its saturation
# power, is analysed as the measurement was: g2(0), blinking, lifetimes of high and low intensity,
# flickering too fast for a time bin, and the line through an hour.

# %%
import math

import numpy as np
from drawing import show

from qdcomp.compare import find_published
from qdcomp.experiment import (
    Estimate,
    SimulatedSource,
    SpectrumSettings,
    analyse_photons,
    analyse_spectra,
    simulate_spectral_series,
)
from qdcomp.experiment.simulation.simulated_presets import make_damato_preset
from qdcomp.experiment.simulation.simulated_spectrum import SimulatedLine, SpectralWandering
from qdcomp.experiment.spectra.spectrum import HC_EV_NM
from qdcomp.report.measurements.blinking_panels import draw_trace
from qdcomp.report.measurements.decay_panels import draw_windows
from qdcomp.report.measurements.g2_panels import draw_long_delay_g2, draw_pulsed_g2
from qdcomp.report.measurements.spectrum_panels import draw_line, draw_peak_track
from qdcomp.report.pages.estimate_text import format_estimate
from qdcomp.units import FWHM_PER_SIGMA

DURATION_S = 20.0  # the paper's is 600 s
SHIFT_NM_PER_H = 3.0  # assumed: the paper prints less than 4 nm
SIMULATED = "Simulated from the paper's numbers, not measured"

# %% [markdown]
# ## Figs 3c, 4 and 5b: photons

# %%
preset = make_damato_preset()
photons = analyse_photons(SimulatedSource(preset.dot, preset.experiment, DURATION_S, seed=1))
show(draw_pulsed_g2(photons.g2), draw_long_delay_g2(photons.g2), note=SIMULATED)
show(draw_trace(photons.blinking), draw_windows(photons.decay), note=SIMULATED)

# %% [markdown]
# ## Figs 2b and 3b: the line, every five minutes for an hour

# %%
typical = find_published("damato2023.typical").value
peak_ev = HC_EV_NM / typical["cew_nm"]
ev_per_nm = peak_ev / typical["cew_nm"]
side_ev = typical["fwhm_nm"] * ev_per_nm / FWHM_PER_SIGMA
hour = simulate_spectral_series(
    SimulatedLine(peak_ev, 200.0, gaussian_sd_ev=(side_ev, side_ev), lorentzian_hwhm_ev=(0.0, 0.0)),
    np.linspace(460.0, 570.0, 256),
    exposure_s=300.0,
    frames=13,
    seed=1,
    wandering=SpectralWandering(blue_shift_ev_per_h=SHIFT_NM_PER_H * ev_per_nm),
)
spectra = analyse_spectra(hour.series, SpectrumSettings())
show(draw_line(spectra), draw_peak_track(spectra), note=SIMULATED)

# %% [markdown]
# ## The answer

# %%
bright, *_, dark = (
    max(window.fit.components, key=lambda one: one.photon_share.value).lifetime_ns
    for window in photons.decay.windows
    if window.fit is not None
)
flicker = photons.g2.bunching
short = Estimate(
    flicker.amplitude.value + flicker.plateau.value,
    math.hypot(flicker.amplitude.error, flicker.plateau.error),
)
printed = preset.printed
limit = find_published("damato2023.cew_blue_shift_nm_per_h").value
steady = find_published("damato2023.still_emitting_after_1h").value
print(
    f"{SIMULATED}: without background g2(0) = {format_estimate(photons.g2.corrected_zero_delay)} "
    f"(paper {printed['g2_zero']:g}), ON for "
    f"{format_estimate(photons.blinking.states.on_fraction, '%', 100.0)} of the time, lifetimes "
    f"{format_estimate(bright, 'ns')} bright and {format_estimate(dark, 'ns')} dark (paper "
    f"{printed['bright_lifetime_ns']:g} and {printed['grey_lifetime_ns']:g} ns); it flickers "
    f"at {format_estimate(flicker.rate_per_s, 'kHz', 1e-3)}, g2 = {format_estimate(short)} at "
    f"short delays (paper {printed['short_delay_g2']:g}); the line, "
    f"{format_estimate(spectra.fit.fwhm_nm, 'nm')} wide (paper {typical['fwhm_nm']:g} nm), shifts "
    f"to the blue by {format_estimate(spectra.blue_shift.rate_nm_per_hour, 'nm/h')} (set to "
    f"{SHIFT_NM_PER_H:g}, paper {limit}). Still emitting after an hour, as published: "
    f"{100.0 * steady['1:10']:.0f} % of the dots at a dilution of 1:10, "
    f"{100.0 * steady['1:100']:.0f} % at 1:100."
)
