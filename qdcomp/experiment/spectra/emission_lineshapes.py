"""Shapes of an emission line: Lorentzian, Gaussian, Voigt, and two half-Voigts with one peak.

    G(x) = exp(−4 ln2 x²/w²)          L(x) = 1 / (1 + 4 x²/w²)          V(x) = G ∗ L

All are given with height 1 at x = 0 and full width at half maximum w, so that a parameter of a fit
is what is reported. A Voigt has besides the share r = w_L/w of its Lorentzian; by Olivero and
Longbothum, J. Quant. Spectrosc. Radiat. Transfer 17, 233 (1977), doi 10.1016/0022-4073(77)90161-3,

    w = 0.5346 w_L + √(0.2166 w_L² + w_G²),

right to 0.02 % of w; r = 0 is a Gaussian, r = 1 a Lorentzian. The double half-Voigt of Mi et al.
2025 (Fig. 6c) is a Voigt of its own on either side of a common peak.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import wofz

EmissionModel = Literal["lorentzian", "gaussian", "voigt", "double_half_voigt"]

PARAMETERS: dict[EmissionModel, tuple[str, ...]] = {
    "lorentzian": ("height", "center", "fwhm"),
    "gaussian": ("height", "center", "fwhm"),
    "voigt": ("height", "center", "fwhm", "lorentz_share"),
    "double_half_voigt": (
        "height",
        "center",
        "hwhm_low",
        "lorentz_share_low",
        "hwhm_high",
        "lorentz_share_high",
    ),
}
"""Parameters of each model in order; height in counts/eV, energies in eV."""

_LINEAR = 0.5346
_QUADRATIC = (1.0 - _LINEAR) ** 2
"""0.2166, such that a Lorentzian has w = w_L exactly."""


def gaussian_shape(offsets: NDArray[np.float64], fwhm: float) -> NDArray[np.float64]:
    """Gaussian of height 1.

    Parameters
    ----------
    offsets
        Energies from the peak [eV], any shape.
    fwhm
        Full width at half maximum [eV].
    """
    shape: NDArray[np.float64] = np.exp(-4.0 * math.log(2.0) * (offsets / fwhm) ** 2)
    return shape


def lorentzian_shape(offsets: NDArray[np.float64], fwhm: float) -> NDArray[np.float64]:
    """Lorentzian of height 1.

    Parameters
    ----------
    offsets
        Energies from the peak [eV], any shape.
    fwhm
        Full width at half maximum [eV].
    """
    return 1.0 / (1.0 + 4.0 * (offsets / fwhm) ** 2)


def voigt_shape(
    offsets: NDArray[np.float64], fwhm: float, lorentz_share: float
) -> NDArray[np.float64]:
    """Voigt profile of height 1.

    Parameters
    ----------
    offsets
        Energies from the peak [eV], any shape.
    fwhm
        Full width at half maximum of the whole [eV].
    lorentz_share
        r = w_L/w, from 0 (Gaussian) to 1 (Lorentzian).
    """
    scale, sigma = _split_width(fwhm, lorentz_share)
    if sigma <= 1e-6 * fwhm:
        return lorentzian_shape(offsets, fwhm)
    damping = scale / (sigma * math.sqrt(2.0))
    profile = wofz(offsets / (sigma * math.sqrt(2.0)) + 1j * damping).real
    shape: NDArray[np.float64] = profile / wofz(1j * damping).real
    return shape


def voigt_area(fwhm: float, lorentz_share: float) -> float:
    """Area under `voigt_shape` [eV].

    Parameters
    ----------
    fwhm
        Full width at half maximum of the whole [eV].
    lorentz_share
        r = w_L/w, from 0 (Gaussian) to 1 (Lorentzian).
    """
    scale, sigma = _split_width(fwhm, lorentz_share)
    if sigma <= 1e-6 * fwhm:
        return math.pi * fwhm / 2.0
    peak = float(wofz(1j * scale / (sigma * math.sqrt(2.0))).real)
    return sigma * math.sqrt(2.0 * math.pi) / peak


def evaluate_emission_model(
    model: EmissionModel, parameters: NDArray[np.float64], energies_ev: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Emission per energy [counts/eV] of a model, without background.

    Parameters
    ----------
    model
        Which.
    parameters
        As named in `PARAMETERS`.
    energies_ev
        Photon energies [eV], any shape.
    """
    height, center = float(parameters[0]), float(parameters[1])
    offsets = energies_ev - center
    if model == "lorentzian":
        return height * lorentzian_shape(offsets, float(parameters[2]))
    if model == "gaussian":
        return height * gaussian_shape(offsets, float(parameters[2]))
    if model == "voigt":
        return height * voigt_shape(offsets, float(parameters[2]), float(parameters[3]))
    low = offsets < 0.0
    values = np.empty_like(offsets)
    values[low] = voigt_shape(offsets[low], 2.0 * float(parameters[2]), float(parameters[3]))
    values[~low] = voigt_shape(offsets[~low], 2.0 * float(parameters[4]), float(parameters[5]))
    return height * values


def compute_emission_area(model: EmissionModel, parameters: NDArray[np.float64]) -> float:
    """Compute the counts under the whole line, its wings included.

    Parameters
    ----------
    model
        Which.
    parameters
        As named in `PARAMETERS`.
    """
    height = float(parameters[0])
    if model == "double_half_voigt":
        low = voigt_area(2.0 * float(parameters[2]), float(parameters[3]))
        high = voigt_area(2.0 * float(parameters[4]), float(parameters[5]))
        return height * 0.5 * (low + high)
    share = {"gaussian": 0.0, "lorentzian": 1.0}.get(model)
    return height * voigt_area(
        float(parameters[2]), float(parameters[3]) if share is None else share
    )


def compute_half_widths(
    model: EmissionModel, parameters: NDArray[np.float64]
) -> tuple[float, float]:
    """Half widths at half maximum of the low- and the high-energy side [eV].

    Parameters
    ----------
    model
        Which.
    parameters
        As named in `PARAMETERS`.
    """
    if model == "double_half_voigt":
        return float(parameters[2]), float(parameters[4])
    return 0.5 * float(parameters[2]), 0.5 * float(parameters[2])


def _split_width(fwhm: float, lorentz_share: float) -> tuple[float, float]:
    """Half width of the Lorentzian and standard deviation of the Gaussian."""
    squared = (1.0 - _LINEAR * lorentz_share) ** 2 - _QUADRATIC * lorentz_share**2
    gaussian = fwhm * math.sqrt(max(squared, 0.0))
    return 0.5 * fwhm * lorentz_share, gaussian / (2.0 * math.sqrt(2.0 * math.log(2.0)))
