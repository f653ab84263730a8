"""Counted spectra of emission lines with a known shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qdcomp.experiment.spectra.emission_lineshapes import (
    EmissionModel,
    compute_emission_area,
    evaluate_emission_model,
)
from qdcomp.experiment.spectra.spectrum import Spectrum, convert_to_energy, make_spectrum

LINES: dict[EmissionModel, tuple[float, ...]] = {
    "lorentzian": (1.0, 2.42, 0.080),
    "gaussian": (1.0, 2.42, 0.080),
    "voigt": (1.0, 2.42, 0.080, 0.5),
    "double_half_voigt": (1.0, 2.42, 0.045, 0.5, 0.035, 0.4),
}
"""Lines as of a CsPbBr3 dot at room temperature, of height 1."""


def make_line(model: EmissionModel, counts: float, peak_ev: float = 2.42) -> NDArray[np.float64]:
    """Give the parameters of a line with so many counts."""
    parameters = np.array(LINES[model])
    parameters[0] = counts / compute_emission_area(model, parameters)
    parameters[1] = peak_ev
    return parameters


def expected_counts(
    model: EmissionModel,
    parameters: NDArray[np.float64],
    background: float = 10.0,
    wavelengths_nm: NDArray[np.float64] | None = None,
) -> Spectrum:
    """Give the spectrum without noise."""
    axis = np.linspace(470.0, 560.0, 512) if wavelengths_nm is None else wavelengths_nm
    grid = convert_to_energy(make_spectrum(axis, np.zeros(len(axis))))
    line = evaluate_emission_model(model, parameters, grid.energies_ev) * grid.pixel_widths_ev
    return make_spectrum(axis, line[::-1] + background)


def count_photons(
    spectrum: Spectrum, rng: np.random.Generator, gain: float = 1.0, read_noise: float = 0.0
) -> Spectrum:
    """Give what a detector reads of a spectrum without noise."""
    counts = gain * rng.poisson(spectrum.counts) + rng.normal(0.0, read_noise, len(spectrum))
    return make_spectrum(
        spectrum.wavelengths_nm, counts, exposure_s=1.0, background_subtracted=read_noise > 0.0
    )
