"""Widths of either side of a line, and the share of the measured width that sidebands explain.

Rainò et al. 2022, SI Note 1, call "70 % of the overall linewidth" the full width at half maximum
from the coupling (their eq. 2, 164 meV for the 2.4 nm dot at 300 K) over the full width of the
whole line: a ratio of widths, not of variances. Here the whole line is the measured one,

    share = Γ_calculated / Γ_measured,

both as they are before the instrument. Γ_measured is found by stretching the calculated line until
it is, as the instrument shows it, as wide as the measured one: stretched by s, share = 1/s. With a
sharp instrument that is the plain ratio; with any other one nothing is assumed but that the
instrument broadens the measured line as it does a calculated line of that width.

The calculated width is read off the curve, the measured one is that of two half-Voigts. On a line
with the shoulders of a few weakly coupled modes (S about 4) half-Voigts come out 1 % too wide, at
S about 2 by 3 %: where the counts tell, the fit warns that the line has another shape.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from qdcomp.analysis.lineshape import find_half_maxima
from qdcomp.compare.instrument_line import InstrumentLine, convolve_with_instrument
from qdcomp.experiment import EmissionFit, Estimate

_SMALL_STRETCH = 0.01
"""Stretch by which widths are differentiated."""


@dataclass(frozen=True)
class LineWidths:
    """Widths of a line as the instrument shows it.

    Attributes
    ----------
    fwhm_ev, half_width_low_ev, half_width_high_ev
        Full width, and half widths on the low- and the high-energy side of the peak, at half
        maximum [eV].
    asymmetry
        Half width on the low-energy over that on the high-energy side.
    fwhm_error_ev, half_width_low_error_ev, half_width_high_error_ev, asymmetry_error
        Their standard errors; None where nobody gave what they follow from.
    """

    fwhm_ev: float
    half_width_low_ev: float
    half_width_high_ev: float
    asymmetry: float
    fwhm_error_ev: float | None
    half_width_low_error_ev: float | None
    half_width_high_error_ev: float | None
    asymmetry_error: float | None


@dataclass(frozen=True)
class SidebandShare:
    """Share of the measured width that the calculated sidebands explain.

    Attributes
    ----------
    value
        Γ_calculated/Γ_measured; above 1 where the calculated line is the broader one.
    error
        Its standard error: of the measurement, and of the calculation where that has one.
    measured_error, calculated_error
        The two parts of it; the second is None where Λ came without an error.
    calculated_fwhm_ev
        Γ_calculated, before the instrument [eV].
    measured_fwhm_ev
        Γ_measured, the instrument taken out [eV].
    """

    value: float
    error: float
    measured_error: float
    calculated_error: float | None
    calculated_fwhm_ev: float
    measured_fwhm_ev: float


def measure_widths(fit: EmissionFit) -> LineWidths:
    """Collect the widths of a fitted line; of low/high the error with the two sides' covariance.

    Parameters
    ----------
    fit
        Double half-Voigt.
    """
    low, high, full = fit.hwhm_low_mev, fit.hwhm_high_mev, fit.fwhm_mev
    # var(low + high) = var(low) + var(high) + 2 cov
    twice_covariance = full.error**2 - low.error**2 - high.error**2
    ratio = low.value / high.value
    variance = (
        (low.error / low.value) ** 2
        + (high.error / high.value) ** 2
        - twice_covariance / (low.value * high.value)
    )
    return LineWidths(
        fwhm_ev=1e-3 * full.value,
        half_width_low_ev=1e-3 * low.value,
        half_width_high_ev=1e-3 * high.value,
        asymmetry=ratio,
        fwhm_error_ev=1e-3 * full.error,
        half_width_low_error_ev=1e-3 * low.error,
        half_width_high_error_ev=1e-3 * high.error,
        asymmetry_error=ratio * math.sqrt(max(variance, 0.0)),
    )


def compute_calculated_widths(
    energies_ev: NDArray[np.float64],
    intensity: NDArray[np.float64],
    instrument: InstrumentLine | None,
    relative_error: float | None,
) -> LineWidths:
    """Compute the widths of a calculated line as the instrument shows it.

    Parameters
    ----------
    energies_ev, intensity
        The line before the instrument [eV; 1/eV], shape ``(n_energies,)``.
    instrument
        None for a sharp one.
    relative_error
        Standard error of Λ over Λ. All widths before the instrument go as √Λ; the skewness, and
        with it the asymmetry's distance from 1, as 1/√Λ. None gives widths without errors.
    """
    low, high = _find_sides(energies_ev, intensity, instrument, 1.0)
    asymmetry = low / high
    errors: tuple[float | None, float | None, float | None, float | None] = (None,) * 4
    if relative_error is not None:
        half = 0.5 * relative_error
        low_slope, high_slope = _differentiate_sides(energies_ev, intensity, instrument, 1.0)
        errors = (
            half * (low_slope + high_slope),
            half * low_slope,
            half * high_slope,
            half * abs(asymmetry - 1.0),
        )
    return LineWidths(low + high, low, high, asymmetry, *errors)


def compute_sideband_share(
    energies_ev: NDArray[np.float64],
    intensity: NDArray[np.float64],
    instrument: InstrumentLine | None,
    measured_fwhm_ev: Estimate,
    relative_error: float | None,
) -> SidebandShare:
    """Compute the share of the measured width that the calculated line explains.

    Parameters
    ----------
    energies_ev, intensity
        The calculated line before the instrument [eV; 1/eV], shape ``(n_energies,)``.
    instrument
        None for a sharp one.
    measured_fwhm_ev
        Full width at half maximum as the instrument shows it, larger than the instrument's [eV].
    relative_error
        Standard error of Λ over Λ, or None.
    """
    measured = measured_fwhm_ev.value
    calculated = sum(_find_sides(energies_ev, intensity, None, 1.0))
    if instrument is None:
        stretch = measured / calculated
    else:
        # two lines together are at most as wide as their sum, and no narrower than either
        least = 0.9 * (measured - instrument.fwhm_ev) / calculated

        def excess(trial: float) -> float:
            return sum(_find_sides(energies_ev, intensity, instrument, trial)) - measured

        stretch = float(brentq(excess, least, 1.1 * measured / calculated, rtol=1e-9))
    slope = sum(_differentiate_sides(energies_ev, intensity, instrument, stretch))
    share = 1.0 / stretch
    from_measured = share * measured_fwhm_ev.error / slope
    from_calculated = None if relative_error is None else 0.5 * share * relative_error
    return SidebandShare(
        value=share,
        error=math.hypot(from_measured, from_calculated or 0.0),
        measured_error=from_measured,
        calculated_error=from_calculated,
        calculated_fwhm_ev=calculated,
        measured_fwhm_ev=stretch * calculated,
    )


def _find_sides(
    energies: NDArray[np.float64],
    intensity: NDArray[np.float64],
    instrument: InstrumentLine | None,
    stretch: float,
) -> tuple[float, float]:
    """Half widths of the stretched line on the low- and the high-energy side [eV]."""
    middle = float(energies[int(np.argmax(intensity))])
    shown = convolve_with_instrument(stretch * (energies - middle), intensity, instrument)
    peak, low, high = find_half_maxima(*shown)
    return peak - low, high - peak


def _differentiate_sides(
    energies: NDArray[np.float64],
    intensity: NDArray[np.float64],
    instrument: InstrumentLine | None,
    stretch: float,
) -> tuple[float, float]:
    """Change of both half widths per change of ln(stretch) [eV]."""
    factor = math.exp(_SMALL_STRETCH)
    wide = _find_sides(energies, intensity, instrument, stretch * factor)
    narrow = _find_sides(energies, intensity, instrument, stretch / factor)
    low, high = (
        (more - less) / (2.0 * _SMALL_STRETCH) for more, less in zip(wide, narrow, strict=True)
    )
    return low, high
