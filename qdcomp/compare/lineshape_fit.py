"""A calculated line laid over measured counts with two free numbers: shift and amplitude.

    counts_i = A ∫_pixel f(E − Δ) dE + b_i + noise_i

f has unit area, b is the background as measured. Weighted least squares with the counting errors.
The errors of Δ and A are those of the counts and, in quadrature, of the background. A background
that was found together with some shape of the line is known no better than that shape: the step it
would take if it were free beside the calculated line is then one of its errors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.optimize import least_squares

from qdcomp.experiment import Estimate


@dataclass(frozen=True)
class MeasuredPixels:
    """The measured line in its pixels, on the energy axis.

    Attributes
    ----------
    energies_ev, pixel_widths_ev
        Energy of each pixel, rising, and the range ΔE it covers [eV], shape ``(n_pixels,)``.
    counts, errors
        Counts per pixel and their standard deviation, shape ``(n_pixels,)``.
    background
        Background, the same in all pixels [counts per pixel].
    background_error
        Its standard error [counts per pixel].
    background_from_shape
        Whether it was found in a fit of some shape of the line, not measured by itself.
    """

    energies_ev: NDArray[np.float64]
    pixel_widths_ev: NDArray[np.float64]
    counts: NDArray[np.float64]
    errors: NDArray[np.float64]
    background: float
    background_error: float
    background_from_shape: bool


@dataclass(frozen=True)
class LineOverlay:
    """The calculated line on the measured counts.

    Attributes
    ----------
    shift_ev
        Δ, added to the calculated energies [eV].
    amplitude_counts
        A, counts under the whole line.
    fitted_counts
        Line and background [counts per pixel], shape ``(n_pixels,)``.
    reduced_chi2
        χ² over the number of pixels less two.
    """

    shift_ev: Estimate
    amplitude_counts: Estimate
    fitted_counts: NDArray[np.float64]
    reduced_chi2: float


def overlay_line(
    energies_ev: NDArray[np.float64],
    intensity: NDArray[np.float64],
    pixels: MeasuredPixels,
    start_shift_ev: float,
) -> LineOverlay:
    """Find shift and amplitude of a line of unit area.

    Parameters
    ----------
    energies_ev, intensity
        The calculated line as the instrument shows it [eV; 1/eV], shape ``(n_energies,)``.
    pixels
        What was measured.
    start_shift_ev
        Where the search for the shift begins, that of the peaks for example [eV].
    """
    line = CubicSpline(energies_ev, intensity, extrapolate=False)
    area = line.antiderivative()
    low = pixels.energies_ev - 0.5 * pixels.pixel_widths_ev
    high = pixels.energies_ev + 0.5 * pixels.pixel_widths_ev
    first, last = float(energies_ev[0]), float(energies_ev[-1])

    def collect(shift: float) -> NDArray[np.float64]:
        below, above = (np.clip(edge - shift, first, last) for edge in (low, high))
        collected: NDArray[np.float64] = area(above) - area(below)
        return collected

    def differentiate(shift: float) -> NDArray[np.float64]:
        change: NDArray[np.float64] = np.nan_to_num(line(low - shift) - line(high - shift))
        return change

    signal = pixels.counts - pixels.background
    begin = collect(start_shift_ev)
    weights = pixels.errors**-2
    amplitude = float((weights * begin) @ signal) / float((weights * begin) @ begin)
    # the shift moves on the scale of the line's width, the amplitude on its own
    scales = np.array([1.0 / float(intensity.max()), abs(amplitude)])

    def residuals(trial: NDArray[np.float64]) -> NDArray[np.float64]:
        model = trial[1] * scales[1] * collect(float(trial[0]) * scales[0])
        standardised: NDArray[np.float64] = (model - signal) / pixels.errors
        return standardised

    def jacobian(trial: NDArray[np.float64]) -> NDArray[np.float64]:
        shift = float(trial[0]) * scales[0]
        columns = (
            trial[1] * scales[1] * differentiate(shift) * scales[0],
            collect(shift) * scales[1],
        )
        return np.column_stack(columns) / pixels.errors[:, None]

    start = np.array([start_shift_ev / scales[0], amplitude / scales[1]])
    result = least_squares(residuals, start, jac=jacobian, xtol=1e-12, ftol=1e-12, gtol=1e-12)
    covariance = np.linalg.inv(result.jac.T @ result.jac)
    background_error = pixels.background_error
    if pixels.background_from_shape:
        free = np.column_stack((result.jac, 1.0 / pixels.errors))
        step = np.linalg.lstsq(free, -result.fun, rcond=None)[0]
        background_error = math.hypot(background_error, float(step[2]))
    pull = covariance @ result.jac.T @ (background_error / pixels.errors)
    errors = np.sqrt(np.diag(covariance) + pull**2)
    return LineOverlay(
        shift_ev=Estimate(float(result.x[0] * scales[0]), float(errors[0] * scales[0])),
        amplitude_counts=Estimate(float(result.x[1] * scales[1]), float(errors[1] * scales[1])),
        fitted_counts=signal + result.fun * pixels.errors + pixels.background,
        reduced_chi2=float(result.fun @ result.fun) / (len(signal) - 2),
    )
