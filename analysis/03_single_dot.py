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
from qdcomp.report.measurements.blinking_panels import draw_trace
from qdcomp.report.measurements.decay_panels import list_decay_panels
from qdcomp.report.measurements.g2_panels import list_g2_panels
from qdcomp.report.measurements.photon_report import summarise_photons
from qdcomp.report.measurements.spectrum_panels import draw_line, draw_residuals
from qdcomp.report.measurements.spectrum_report import summarise_spectrum

PHOTONS = None  # or your file: "dot.ptu"
SPECTRUM = None  # or your file: "dot.asc"
WINDOW_NM = (480.0, 550.0)

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
#
# What a stream does not allow, lifetimes without a laser's sync for example, is named below.

# %%
photons = analyse_photons(open_photons(PHOTONS) if PHOTONS else simulated)
note = "" if PHOTONS else "Simulated, not measured"
g2_panels = list_g2_panels(photons.g2) if photons.g2 is not None else ()
show(draw_trace(photons.blinking), *g2_panels[:1], note=note)
if photons.decay is not None:
    decay, *_, last = list_decay_panels(photons.decay)
    show(decay, last, note=note)
for reason in photons.absent:
    print(f"not shown: {reason}")

# %% [markdown]
# ## Spectrum

# %%
series = read_spectra(SPECTRUM) if SPECTRUM else make_spectral_series((exposure,), [0.0])
spectra = analyse_spectra(series, SpectrumSettings(window_nm=WINDOW_NM))
show(
    draw_line(spectra),
    draw_residuals(spectra),
    note="" if SPECTRUM else "Simulated, not measured",
)

# %% [markdown]
# ## The answer

# %%
zero_delay = None if photons.g2 is None else photons.g2.zero_delay
if zero_delay is None:
    emitters = "whether it is one emitter is open, without g2"
elif zero_delay.value + zero_delay.error < 0.5:
    emitters = "one emitter"
else:
    emitters = "not shown to be one emitter"
truth = compute_simulation_truth(simulated)
lifetimes = " and ".join(f"{value:g}" for value in truth.lifetimes_ns.values())
print(
    f"{'Measured' if PHOTONS else 'Simulated'} photons: {emitters}, {summarise_photons(photons)}"
    + ("" if PHOTONS else f" (truth: ON {truth.on_fraction:.3f}, ")
    + (
        ""
        if PHOTONS
        else f"g2(0) = {truth.g2_zero_with_background:.3f}, τ of its states {lifetimes} ns)"
    )
    + f". {'Measured' if SPECTRUM else 'Simulated'} spectrum: {summarise_spectrum(spectra)}"
    + ("." if SPECTRUM else f" (truth: {1e3 * line.fwhm_ev:.1f} meV).")
)
