"""A calculated emission lineshape laid over a measured spectrum.

The calculated line (full cumulant, quantum phonons: PHYSICS.md section 4) is convolved with the
instrument and brought onto the measured counts with exactly two free numbers, a shift and an
amplitude. The background is the measured one. What the two leave over is the residual; beside it
stand the half widths of either side of both lines, and the share of the measured width that the
sidebands explain (`sideband_share`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.analysis import Lineshape, compute_mode_lineshape
from qdcomp.analysis.lineshape import find_half_maxima
from qdcomp.compare.instrument_line import (
    InstrumentLine,
    convolve_with_instrument,
    make_gaussian_instrument,
    make_measured_instrument,
)
from qdcomp.compare.lineshape_fit import MeasuredPixels, overlay_line
from qdcomp.compare.lineshape_notes import (
    describe_errors,
    describe_instrument,
    describe_result,
)
from qdcomp.compare.observable import TEMPERATURE_TOLERANCE_K
from qdcomp.compare.published import BAND_ENERGIES_EV, PublishedCoupling
from qdcomp.compare.sideband_share import (
    LineWidths,
    SidebandShare,
    compute_calculated_widths,
    compute_sideband_share,
    measure_widths,
)
from qdcomp.errors import InputError
from qdcomp.experiment import EmissionFit, Estimate, Spectrum, fit_emission_spectrum
from qdcomp.experiment.spectra.spectrum import convert_to_energy

PUBLISHED_BROADENING_EV = 0.002
"""Gaussian broadening [eV] of a line from the three published bands. All sums of 2, 7 and 17 meV
fall on a comb of 1 meV, which the default of 1 meV leaves as a ripple of 6 % and 2 meV does not
(1e-6); the bands are wider than that. It adds less than 0.03 % to the width."""

LEAST_PIXELS = 5
"""Fewest pixels within the full width at half maximum of a measured line."""

LEAST_REACH = 2.0
"""Half widths that must have been measured on either side of the peak."""


@dataclass(frozen=True)
class LineshapeComparison:
    """A calculated line on a measured spectrum.

    Attributes
    ----------
    energies_ev, pixel_widths_ev
        Energy of each pixel, rising, and the range it covers [eV], shape ``(n_pixels,)``.
    counts, count_errors
        Measured counts per pixel and their standard deviation, shape ``(n_pixels,)``.
    fitted_counts
        Calculated line and background [counts per pixel], shape ``(n_pixels,)``.
    residuals
        Counts less `fitted_counts`, in standard deviations, shape ``(n_pixels,)``.
    background_counts
        Background as measured [counts per pixel].
    curve_energies_ev, curve_counts_per_ev
        The calculated line as the instrument shows it, shifted and scaled, without background
        [eV; counts/eV], shape ``(n_curve,)``.
    shift_ev
        What was added to the calculated energies [eV].
    amplitude_counts
        Counts under the calculated line.
    reduced_chi2
        χ² over the number of pixels less two.
    measured, calculated
        Widths of both lines, as the instrument shows them.
    share
        Share of the measured width that the sidebands explain.
    instrument_fwhm_ev
        Width of the instrument [eV]; None where it was taken as sharp.
    temperature_k
        Temperature of the phonons of the calculated line [K].
    measured_fit
        The double half-Voigt that the measured widths are of.
    notes
        What was assumed, and what the user should know.
    """

    energies_ev: NDArray[np.float64]
    pixel_widths_ev: NDArray[np.float64]
    counts: NDArray[np.float64]
    count_errors: NDArray[np.float64]
    fitted_counts: NDArray[np.float64]
    residuals: NDArray[np.float64]
    background_counts: float
    curve_energies_ev: NDArray[np.float64]
    curve_counts_per_ev: NDArray[np.float64]
    shift_ev: Estimate
    amplitude_counts: Estimate
    reduced_chi2: float
    measured: LineWidths
    calculated: LineWidths
    share: SidebandShare
    instrument_fwhm_ev: float | None
    temperature_k: float
    measured_fit: EmissionFit
    notes: tuple[str, ...]


def compute_published_lineshape(
    coupling: PublishedCoupling,
    temperature_k: float = 300.0,
    *,
    vertical_energy_ev: float = 0.0,
    broadening_ev: float = PUBLISHED_BROADENING_EV,
) -> Lineshape:
    """Compute the emission lineshape from published coupling factors alone.

    Three modes, at 2, 7 and 17 meV, each with the S of its band.

    Parameters
    ----------
    coupling
        Row of the published table.
    temperature_k
        Temperature of the phonons [K].
    vertical_energy_ev
        Mean gap [eV]; at 0 the energies are relative to it.
    broadening_ev
        Full width at half maximum of the Gaussian that every line is broadened with [eV]. It is
        in the widths and in the variance of the result.

    Raises
    ------
    InputError
        If a number is not positive.
    """
    return compute_mode_lineshape(
        BAND_ENERGIES_EV,
        coupling.huang_rhys_factors,
        temperature_k,
        vertical_energy_ev=vertical_energy_ev,
        broadening_ev=broadening_ev,
    )


def compare_lineshape(
    calculated: Lineshape,
    measured: Spectrum,
    *,
    instrument_fwhm_ev: float | None = None,
    instrument_line: Spectrum | None = None,
    count_errors: ArrayLike | None = None,
    reorganization_energy_error_ev: float | None = None,
    measured_temperature_k: float | None = None,
    window_nm: tuple[float, float] | None = None,
    background: Estimate | Literal["none", "constant"] = "constant",
    counts_per_photon: float | None = None,
) -> LineshapeComparison:
    """Lay a calculated emission line over a measured spectrum.

    Parameters
    ----------
    calculated
        Emission lineshape at the temperature of the measurement.
    measured
        Counts per pixel, with cosmic rays taken out if there were any.
    instrument_fwhm_ev
        Width of a Gaussian instrument line at the dot's energy [eV].
    instrument_line
        Spectrum of a sharp line instead of that; without either the instrument is sharp.
    count_errors
        Standard deviations of the counts in the pixels' order, shape ``(n_pixels,)``; without them
        they are counting noise, of `counts_per_photon` or as the scatter of the counts tells.
    reorganization_energy_error_ev
        Standard error of Λ of the calculation [eV].
    measured_temperature_k
        Temperature of the measurement [K]; taken as that of the calculation if absent.
    window_nm
        Vacuum wavelengths that are used (from, to) [nm]; all if absent.
    background
        Counts per pixel with their error, as measured without the dot or beside it; ``"constant"``
        as the fit of the measured line finds it; or ``"none"``.
    counts_per_photon
        1 for counted photons; found from the scatter if absent.

    Raises
    ------
    InputError
        If the lineshape is not one of emission, the temperatures differ, the spectrum has no line,
        does not cover it, has too few pixels on it or is no broader than the instrument, or an
        error is not positive.
    """
    if calculated.kind != "emission":
        raise InputError(
            f"the calculated lineshape is one of {calculated.kind}; a photoluminescence spectrum "
            "is compared with one of emission"
        )
    notes = _check_temperature(calculated, measured_temperature_k)
    relative_error = _find_relative_error(calculated, reorganization_energy_error_ev)
    fit = fit_emission_spectrum(
        measured,
        "double_half_voigt",
        window_nm=window_nm,
        background="none" if background == "none" else "constant",
        counts_per_photon=counts_per_photon,
    )
    instrument = _choose_instrument(fit, instrument_fwhm_ev, instrument_line)
    _require_measurable(fit, instrument)
    pixels = _collect_pixels(measured, fit, count_errors, background)
    energies, intensity = convolve_with_instrument(
        calculated.energies_ev, calculated.intensity, instrument
    )
    peak = find_half_maxima(energies, intensity)[0]
    overlay = overlay_line(energies, intensity, pixels, fit.peak_energy_ev.value - peak)
    fwhm = Estimate(1e-3 * fit.fwhm_mev.value, 1e-3 * fit.fwhm_mev.error)
    line = (calculated.energies_ev, calculated.intensity, instrument)
    share = compute_sideband_share(*line, fwhm, relative_error)
    notes += describe_errors(count_errors is None, counts_per_photon, relative_error)
    notes += describe_instrument(fit, instrument, calculated)
    notes += describe_result(calculated, fit, overlay, share, background)
    return LineshapeComparison(
        energies_ev=pixels.energies_ev,
        pixel_widths_ev=pixels.pixel_widths_ev,
        counts=pixels.counts,
        count_errors=pixels.errors,
        fitted_counts=overlay.fitted_counts,
        residuals=(pixels.counts - overlay.fitted_counts) / pixels.errors,
        background_counts=pixels.background,
        curve_energies_ev=energies + overlay.shift_ev.value,
        curve_counts_per_ev=intensity * overlay.amplitude_counts.value,
        shift_ev=overlay.shift_ev,
        amplitude_counts=overlay.amplitude_counts,
        reduced_chi2=overlay.reduced_chi2,
        measured=measure_widths(fit),
        calculated=compute_calculated_widths(*line, relative_error),
        share=share,
        instrument_fwhm_ev=None if instrument is None else instrument.fwhm_ev,
        temperature_k=calculated.temperature_k,
        measured_fit=fit,
        notes=tuple(
            dict.fromkeys((*notes, *calculated.warnings, *measured.warnings, *fit.warnings))
        ),
    )


def _check_temperature(calculated: Lineshape, measured_k: float | None) -> list[str]:
    if measured_k is None:
        return [
            f"the measurement has no temperature: taken to be at {calculated.temperature_k:g} K "
            "like the calculation"
        ]
    if not abs(measured_k - calculated.temperature_k) <= TEMPERATURE_TOLERANCE_K:
        raise InputError(
            f"the lineshape is calculated at {calculated.temperature_k:g} K and the spectrum "
            f"measured at {measured_k:g} K; calculate the lineshape at that temperature"
        )
    return []


def _find_relative_error(calculated: Lineshape, error_ev: float | None) -> float | None:
    if error_ev is None:
        return None
    if not (math.isfinite(error_ev) and error_ev >= 0.0):
        raise InputError(
            f"the error of the reorganization energy is {error_ev} eV; give a standard error of "
            "zero or more, or none"
        )
    if not calculated.reorganization_energy_ev > 0.0:
        raise InputError(
            "the calculated line has no coupling at all (Λ = 0): its error has nothing to act on"
        )
    return error_ev / calculated.reorganization_energy_ev


def _choose_instrument(
    fit: EmissionFit, fwhm_ev: float | None, line: Spectrum | None
) -> InstrumentLine | None:
    if fwhm_ev is not None and line is not None:
        raise InputError("the instrument has both a width and a measured line; give one of them")
    if line is not None:
        return make_measured_instrument(line, fit.peak_energy_ev.value)
    return None if fwhm_ev is None else make_gaussian_instrument(fwhm_ev)


def _require_measurable(fit: EmissionFit, instrument: InstrumentLine | None) -> None:
    """Refuse a line that is not in the spectrum as a whole, or is the instrument's own."""
    fwhm = 1e-3 * fit.fwhm_mev.value
    if instrument is not None and fwhm <= instrument.fwhm_ev:
        raise InputError(
            f"the measured line is {1e3 * fwhm:.3g} meV wide and the instrument's "
            f"{1e3 * instrument.fwhm_ev:.3g} meV: a line cannot be narrower than the instrument "
            "shows it; check the instrument's width, or that it is no cosmic ray"
        )
    peak = fit.peak_energy_ev.value
    low, high = 1e-3 * fit.hwhm_low_mev.value, 1e-3 * fit.hwhm_high_mev.value
    on_line = (fit.energies_ev > peak - low) & (fit.energies_ev < peak + high)
    if int(on_line.sum()) < LEAST_PIXELS:
        raise InputError(
            f"{int(on_line.sum())} pixels lie on the {1e3 * fwhm:.3g} meV of the line; its shape "
            f"needs at least {LEAST_PIXELS}"
        )
    for side, reach, width in (
        ("low", peak - float(fit.energies_ev[0]), low),
        ("high", float(fit.energies_ev[-1]) - peak, high),
    ):
        if reach < LEAST_REACH * width:
            raise InputError(
                f"the spectrum does not cover the line: on the {side}-energy side it reaches "
                f"{1e3 * reach:.3g} meV from the peak at {peak:.4g} eV, where the half width is "
                f"{1e3 * width:.3g} meV; at least {LEAST_REACH:g} half widths are needed"
            )


def _collect_pixels(
    measured: Spectrum,
    fit: EmissionFit,
    count_errors: ArrayLike | None,
    background: Estimate | str,
) -> MeasuredPixels:
    errors = fit.noise_counts
    if count_errors is not None:
        given = np.asarray(count_errors, dtype=np.float64)
        if given.shape != measured.counts.shape:
            raise InputError(
                f"{len(measured)} pixels but errors of shape {given.shape}; give one per pixel"
            )
        if not (np.isfinite(given).all() and (given > 0.0).all()):
            raise InputError(
                "an error of the counts is not positive and finite; a pixel without light still "
                "has the noise of the background"
            )
        energies = convert_to_energy(measured).energies_ev
        errors = given[::-1][np.isin(energies, fit.energies_ev)]
    given_base = isinstance(background, Estimate)
    base = background if isinstance(background, Estimate) else fit.background_counts
    if base is not None and not (math.isfinite(base.value) and base.error >= 0.0):
        raise InputError(
            f"the background is {base.value} ± {base.error} counts; give a finite number and an "
            "error of zero or more"
        )
    return MeasuredPixels(
        energies_ev=fit.energies_ev,
        pixel_widths_ev=fit.pixel_widths_ev,
        counts=fit.counts,
        errors=errors,
        background=0.0 if base is None else base.value,
        background_error=0.0 if base is None else base.error,
        background_from_shape=base is not None and not given_base,
    )
