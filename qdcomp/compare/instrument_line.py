"""What a spectrometer makes of an infinitely sharp line, and the convolution with it.

    M(E) = ∫ C(E') K(E − E') dE',    ∫ K = 1

K is a Gaussian of given width, or the measured line of a lamp or laser. That one is kept as
distances in wavelength, which are the same over the detector, and turned into energies at the dot's
peak, dE = hc dλ/λ² (PHYSICS.md section 7).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.signal import fftconvolve

from qdcomp.errors import InputError
from qdcomp.experiment import Spectrum
from qdcomp.experiment.spectra.spectrum import HC_EV_NM, convert_to_vacuum
from qdcomp.units import FWHM_PER_SIGMA

REACH = 5.0
"""Full widths of the instrument line that are kept on either side."""

_BASELINE_SHARE = 0.125
"""Share of the pixels at either end of a lamp's spectrum that are taken for its background."""


@dataclass(frozen=True)
class InstrumentLine:
    """Line of the instrument.

    Attributes
    ----------
    fwhm_ev
        Full width at half maximum [eV].
    offsets_ev
        Energies from the middle of the line [eV], rising, shape ``(n_offsets,)``.
    density
        The line [1/eV], of unit area, shape ``(n_offsets,)``.
    measured
        Whether it was measured; else a Gaussian.
    """

    fwhm_ev: float
    offsets_ev: NDArray[np.float64]
    density: NDArray[np.float64]
    measured: bool


def make_gaussian_instrument(fwhm_ev: float) -> InstrumentLine:
    """Make a Gaussian instrument line of this full width at half maximum [eV].

    Raises
    ------
    InputError
        If the width is not positive and finite.
    """
    if not (math.isfinite(fwhm_ev) and fwhm_ev > 0.0):
        raise InputError(
            f"the instrument's width is {fwhm_ev} eV; expected a positive number, or none where it "
            "is not known"
        )
    sigma = fwhm_ev / FWHM_PER_SIGMA
    offsets = np.linspace(-REACH, REACH, 2001) * fwhm_ev
    density = np.exp(-0.5 * (offsets / sigma) ** 2) / (sigma * math.sqrt(2.0 * math.pi))
    return InstrumentLine(fwhm_ev, offsets, density, measured=False)


def make_measured_instrument(line: Spectrum, peak_energy_ev: float) -> InstrumentLine:
    """Make the instrument line of the spectrum of a lamp's or a laser's line.

    Its background, the median of the outer pixels, is taken off; its width is that between the
    nearest crossings of half its height, linear between pixels.

    Parameters
    ----------
    line
        Spectrum with one sharp line.
    peak_energy_ev
        Where on the detector the dot emits [eV].

    Raises
    ------
    InputError
        If no line with both its sides is in the spectrum.
    """
    axis = convert_to_vacuum(line).wavelengths_nm
    outer = max(2, round(_BASELINE_SHARE * len(axis)))
    counts = line.counts - np.median(np.concatenate((line.counts[:outer], line.counts[-outer:])))
    top = int(np.argmax(counts))
    below = counts < 0.5 * counts[top]
    left, right = np.flatnonzero(below[:top]), np.flatnonzero(below[top:])
    if not (counts[top] > 0.0 and len(left) and len(right)):
        raise InputError(
            f"the instrument line ({line.source or 'no name'}) does not fall to half its height on "
            "both sides; give the spectrum of one sharp line with its background beside it"
        )
    low = _cross(axis, counts, int(left[-1]))
    high = _cross(axis, counts, top + int(right[0]) - 1)
    offsets = (0.5 * (low + high) - axis[::-1]) * peak_energy_ev**2 / HC_EV_NM
    fwhm = (high - low) * peak_energy_ev**2 / HC_EV_NM
    near = np.abs(offsets) <= REACH * fwhm
    kept, values = offsets[near], counts[::-1][near]
    return InstrumentLine(fwhm, kept, values / float(np.trapezoid(values, kept)), measured=True)


def _cross(axis: NDArray[np.float64], counts: NDArray[np.float64], at: int) -> float:
    """Where the line between pixel `at` and the next one is at half the maximum [nm]."""
    half = 0.5 * float(counts.max())
    share = (half - counts[at]) / (counts[at + 1] - counts[at])
    return float(axis[at] + share * (axis[at + 1] - axis[at]))


def convolve_with_instrument(
    energies_ev: NDArray[np.float64],
    intensity: NDArray[np.float64],
    instrument: InstrumentLine | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Convolve a line with the instrument's; energies [eV] and intensity of unit area [1/eV].

    Parameters
    ----------
    energies_ev
        Evenly spaced, rising [eV], shape ``(n_energies,)``.
    intensity
        The line, nothing left of it at either end, shape ``(n_energies,)``.
    instrument
        None leaves the line as it is.
    """
    if instrument is None:
        return energies_ev, intensity / float(np.trapezoid(intensity, energies_ev))
    spacing = float(energies_ev[1] - energies_ev[0])
    width = instrument.fwhm_ev
    # fine enough for the sharper of the two, not finer than the broader one can need
    step = max(min(spacing, width / 8.0), spacing / 32.0, width / 64.0)
    grid = np.arange(energies_ev[0], energies_ev[-1], step)
    line = CubicSpline(energies_ev, intensity)(grid)
    reach = math.ceil(REACH * width / step)
    offsets = step * np.arange(-reach, reach + 1)
    kernel = np.interp(offsets, instrument.offsets_ev, instrument.density, left=0.0, right=0.0)
    result = fftconvolve(line, kernel)
    energies = grid[0] - step * reach + step * np.arange(len(result))
    return energies, result / float(np.trapezoid(result, energies))
