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
# # Is this one emitter, does it blink, and how bright and wide is its line?
#
# Photons and spectrum of a single dot, from arrival times to g2, blinking, lifetimes and
# linewidth. Without files of yours the dot is simulated, and its truth stands beside.

# %%
import numpy as np
from drawing import show

from qdcomp.experiment import (
    SimulatedDot,
    SimulatedExperiment,
    SimulatedSource,
    SpectrumSettings,
    analyse_photons,
    analyse_spectra,
    open_photons,
    read_spectra,
    simulate_spectrum,
)
from qdcomp.experiment.simulation.emission_states import EmissionState
from qdcomp.experiment.simulation.simulated_experiment import PulsedExcitation, TimingResponse
from qdcomp.experiment.simulation.simulated_spectrum import SimulatedLine
from qdcomp.experiment.simulation.simulation_truth import compute_simulation_truth
from qdcomp.experiment.simulation.switching import ExponentialDwell, Switching
from qdcomp.experiment.spectra.spectrum import make_spectral_series
from qdcomp.report.blinking_panels import draw_trace
from qdcomp.report.decay_panels import draw_decay, draw_flid
from qdcomp.report.estimate_text import format_estimate
from qdcomp.report.g2_panels import draw_pulsed_g2
from qdcomp.report.spectrum_panels import draw_line, draw_residuals

PHOTONS = None  # or your file: "dot.ptu"
SPECTRUM = None  # or your file: "dot.asc"

# %% [markdown]
# ## A dot with a known truth
#
# It switches between a bright and a grey state of a third of its lifetime and yield.

# %%
simulated = SimulatedSource(
    SimulatedDot(
        (
            EmissionState("bright", lifetime_ns=6.0, quantum_yield=1.0, biexciton_yield=0.06),
            EmissionState("grey", lifetime_ns=2.0, quantum_yield=1 / 3, is_on=False),
        ),
        Switching((ExponentialDwell(0.8), ExponentialDwell(0.4))),
    ),
    SimulatedExperiment(
        PulsedExcitation(2.5e6, excitons_per_pulse=0.2),
        efficiency=0.06,
        background_per_s=50.0,
        response=TimingResponse(sigma_ns=0.1),
    ),
    duration_s=20.0,
    seed=1,
)
line = SimulatedLine(2.42, 1e4, gaussian_sd_ev=(0.028, 0.024), lorentzian_hwhm_ev=(0.015, 0.012))
pixels_nm = np.linspace(470.0, 560.0, 512)
exposure = simulate_spectrum(line, pixels_nm, exposure_s=10.0, seed=1).spectrum

# %% [markdown]
# ## Photons

# %%
photons = analyse_photons(open_photons(PHOTONS) if PHOTONS else simulated)
note = "" if PHOTONS else "Simulated, not measured"
show(draw_trace(photons.blinking), draw_pulsed_g2(photons.g2), note=note)
show(
    draw_decay(photons.decay.decay, photons.decay.lifetime),
    draw_flid(photons.decay.flid, photons.decay),
    note=note,
)

# %% [markdown]
# ## Spectrum

# %%
series = read_spectra(SPECTRUM) if SPECTRUM else make_spectral_series((exposure,), [0.0])
spectra = analyse_spectra(series, SpectrumSettings(window_nm=(480.0, 550.0)))
show(draw_line(spectra), draw_residuals(spectra), note="" if SPECTRUM else note)

# %% [markdown]
# ## The answer

# %%
states, g2, decay, fit = photons.blinking.states, photons.g2, photons.decay, spectra.fit
emitters = "one emitter" if g2.zero_delay.value + g2.zero_delay.error < 0.5 else "not one emitter"
truth = compute_simulation_truth(simulated)
known = (
    f" The truth of the simulation: g2(0) = {truth.g2_zero_with_background:.3f}, ON "
    f"{truth.on_fraction:.3f}, lifetimes "
    f"{' and '.join(f'{value:g}' for value in truth.lifetimes_ns.values())} ns, line "
    f"{1e3 * line.fwhm_ev:.1f} meV."
)
print(
    f"{note + ': ' if note else ''}{emitters}, g2(0) = {format_estimate(g2.zero_delay)}; it blinks "
    f"(type {decay.blinking_type.verdict}), ON for {format_estimate(states.on_fraction)} of the "
    f"time at {photons.blinking.trace.mean_rate_per_s:.3g} counts/s, lifetimes "
    f"{', '.join(format_estimate(one.lifetime_ns, 'ns') for one in decay.lifetime.components)}; "
    f"its line at {format_estimate(fit.peak_energy_ev, 'eV')} is "
    f"{format_estimate(fit.fwhm_mev, 'meV')} wide.{'' if PHOTONS or SPECTRUM else known}"
)
