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
# # Does the calculated coupling explain the line that we measure?
#
# Calculated dots beside measured ones of their size, with errors on both sides, and the calculated
# line laid over one measured spectrum. Without files of yours the measured dots are simulated, so
# that the published linewidth is 70 % of theirs: what the last sentence must find again.

# %%
import math

import numpy as np
from drawing import show
from stored_results import load_dot

from qdcomp.compare import find_coupling_row
from qdcomp.compare.lineshapes import compare_lineshape, compute_published_lineshape
from qdcomp.compare.linewidths import compare_linewidths
from qdcomp.compare.measured_linewidths import observe_fitted_line
from qdcomp.compare.sizes import estimate_dot_peak
from qdcomp.compare.temperature import (
    compute_published_temperature_dependence,
    compute_temperature_dependence,
)
from qdcomp.compare.verdict import state_row, state_verdict
from qdcomp.experiment import Estimate, fit_emission_spectrum, read_spectrum, simulate_spectrum
from qdcomp.experiment.simulation.simulated_spectrum import SimulatedLine
from qdcomp.report.comparisons.calculated_dots import observe_linewidths
from qdcomp.report.comparisons.lineshape_comparison import draw_lineshape, state_share
from qdcomp.report.comparisons.linewidth_comparison_panels import draw_linewidths, draw_temperatures
from qdcomp.units import FWHM_PER_SIGMA

ENGINE = "model"  # or "cp2k", "vasp": what is not stored is run, which takes a cluster
SPECTRA = ()  # or your files, the one to lay the line over first: "dot1.asc", "dot2.asc"
INSTRUMENT_EV = 0.003
TRUE_SHARE = 0.7

# %% [markdown]
# ## Measured dots
#
# Simulated: of the sizes of the two largest published dots, wider than those by 1/0.7, and wider on
# the low-energy side.

# %%
pixels_nm = np.linspace(420.0, 560.0, 512)
rows = [find_coupling_row(cells) for cells in (6, 7)]


def simulate(row, seed):
    """Expose a camera to a dot of which the published linewidth is the true share."""
    fwhm_ev = 1e-3 * row.fwhm_300k_mev / TRUE_SHARE
    peak_ev = estimate_dot_peak(Estimate(0.6 * row.cells, math.nan)).peak_ev.value
    sides = (2 * 0.53 * fwhm_ev / FWHM_PER_SIGMA, 2 * 0.47 * fwhm_ev / FWHM_PER_SIGMA)
    line = SimulatedLine(peak_ev, 1e4, gaussian_sd_ev=sides, lorentzian_hwhm_ev=(0.0, 0.0))
    return simulate_spectrum(line, pixels_nm, exposure_s=10.0, seed=seed).spectrum


spectra = [read_spectrum(path) for path in SPECTRA] or [
    simulate(row, seed) for seed, row in enumerate(rows)
]
kind = "measured" if SPECTRA else "simulated"
measured = [
    observe_fitted_line(fit_emission_spectrum(spectrum), f"{kind} dot {number}", 300.0)
    for number, spectrum in enumerate(spectra, 1)
]

# %% [markdown]
# ## Linewidth against size and temperature

# %%
dots = [load_dot(f"raino2022_dot_{size}", ENGINE) for size in ("2p4nm", "2p9nm", "3p6nm")]
largest = dots[-1]
comparison = compare_linewidths([*observe_linewidths(dots, 300.0), *measured])
temperatures_k = np.linspace(4.0, 320.0, 80)
curves = [
    compute_temperature_dependence(
        largest.analysis.spectrum, temperatures_k, label=largest.label, source=largest.source
    ),
    compute_published_temperature_dependence(rows[0], temperatures_k),
]
note = "" if SPECTRA else "Measured dots are simulated"
print(state_verdict(comparison))
show(draw_linewidths(comparison, "edge"), draw_temperatures(curves, measured), note=note)

# %% [markdown]
# ## The calculated line on one spectrum, with two free numbers: shift and amplitude

# %%
found = compare_lineshape(
    largest.analysis.lineshape,
    spectra[0],
    instrument_fwhm_ev=INSTRUMENT_EV,
    reorganization_energy_error_ev=largest.analysis.spectrum.reorganization_energy_error_ev,
)
label = f"the {largest.label} dot, {largest.source}"
published = compute_published_lineshape(rows[0])
known = compare_lineshape(published, spectra[0], instrument_fwhm_ev=INSTRUMENT_EV)
known_label = f"the {rows[0].dot} dot as published (PBE)"
show(
    draw_lineshape(found, label).panels[0], draw_lineshape(known, known_label).panels[0], note=note
)

# %% [markdown]
# ## The answer

# %%
row = next(
    row
    for row in comparison.rows
    if row.calculated.label == largest.label and row.against == "nearest dot"
)
print(
    f"{note + '. ' if note else ''}{state_row(row)} {state_share(found, label)} "
    f"{state_share(known, known_label)}"
)
