"""Fit of an emission line: peak, width of either side, area, with errors.

    counts_i = ΔE_i f(E_i) + b_i + noise,    var(noise_i) = g (counts_i + subtracted_i) + a

f is one of the shapes of `emission_lineshapes`, after the Jacobian conversion; b is the same in
every pixel or changes linearly. The fit is weighted least squares with the variance of the fitted,
not of the measured counts, which for photons (g = 1, a = 0) is Poisson maximum likelihood. Where g,
the detector's counts per photon, is not given, g and a are found from the residuals: then the
weights and errors hold for any detector, for a baseline and for a background that is already off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.spectra.emission_lineshapes import (
    PARAMETERS,
    EmissionModel,
    compute_emission_area,
    compute_half_widths,
)
from qdcomp.experiment.spectra.line_solver import (
    Background,
    LineProblem,
    LineSolution,
    differentiate,
    scale_parameters,
    solve_line,
)
from qdcomp.experiment.spectra.spectrum import HC_EV_NM, EnergySpectrum, Spectrum, convert_to_energy
from qdcomp.experiment.spectra.spectrum_cleaning import require_clean_counts

MODELS: tuple[EmissionModel, ...] = ("lorentzian", "gaussian", "voigt", "double_half_voigt")
"""All shapes, the simple ones first."""

SIGNIFICANCE = 3.0
"""Height over its error from which something is called a line."""

CORRELATED = 5.0
"""Correlation of neighbouring residuals, in its standard errors 1/√n, from which a shape does not
fit."""

FEW_PIXELS = 3.0
"""Pixels per full width below which the shape is not resolved."""


@dataclass(frozen=True)
class EmissionFit:
    """A fitted emission line.

    Attributes
    ----------
    model
        Its shape.
    peak_energy_ev
        Energy of the maximum [eV].
    peak_wavelength_nm
        hc over it: the wavelength in vacuum [nm].
    fwhm_mev
        Full width at half maximum [meV].
    fwhm_nm
        Distance in wavelength of the two energies at half maximum [nm].
    hwhm_low_mev, hwhm_high_mev
        Half widths at half maximum of the low- and the high-energy side [meV].
    area_counts
        Counts under the line, its wings included.
    lorentz_shares
        Share of the Lorentzian in the width, one number for a Voigt, two for the low and the high
        side of a double half-Voigt; empty for a Lorentzian or a Gaussian. No error (NaN) where the
        fit left it at 0 or 1.
    background_counts
        Background at the middle of the window [counts per pixel]; None if none was fitted.
    counts_per_photon, noise_floor_counts
        g, and √a [counts]: as given, or as found from the residuals.
    reduced_chi2
        χ² over the degrees of freedom; by construction near 1 where the noise was found.
    aic, bic
        Akaike's and Schwarz' criteria: only differences on one spectrum mean something.
    energies_ev, counts, fitted_counts, noise_counts
        Photon energies [eV], data, fit and standard deviation of the noise [counts per pixel] in
        the window, shape ``(n_pixels,)``.
    pixel_widths_ev
        ΔE of each pixel [eV], shape ``(n_pixels,)``: counts over it are counts per energy.
    warnings
        What the user should know.
    """

    model: EmissionModel
    peak_energy_ev: Estimate
    peak_wavelength_nm: Estimate
    fwhm_mev: Estimate
    fwhm_nm: Estimate
    hwhm_low_mev: Estimate
    hwhm_high_mev: Estimate
    area_counts: Estimate
    lorentz_shares: tuple[Estimate, ...]
    background_counts: Estimate | None
    counts_per_photon: float
    noise_floor_counts: float
    reduced_chi2: float
    aic: float
    bic: float
    energies_ev: NDArray[np.float64]
    counts: NDArray[np.float64]
    fitted_counts: NDArray[np.float64]
    noise_counts: NDArray[np.float64]
    pixel_widths_ev: NDArray[np.float64]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class EmissionModelComparison:
    """Fits of several shapes to one spectrum.

    Attributes
    ----------
    fits
        One per shape that could be fitted.
    best_by_aic, best_by_bic
        The shapes with the lowest criterion.
    failed
        Shapes that could not be fitted, with the reason.
    """

    fits: tuple[EmissionFit, ...]
    best_by_aic: EmissionModel
    best_by_bic: EmissionModel
    failed: tuple[tuple[EmissionModel, str], ...]

    def get(self, model: EmissionModel) -> EmissionFit | None:
        """Give the fit of one shape, None if it failed."""
        return next((fit for fit in self.fits if fit.model == model), None)


def fit_emission_spectrum(
    spectrum: Spectrum,
    model: EmissionModel = "double_half_voigt",
    *,
    window_nm: tuple[float, float] | None = None,
    background: Background = "constant",
    counts_per_photon: float | None = None,
    noise_floor_counts: float = 0.0,
    saturation_counts: float | None = None,
) -> EmissionFit:
    """Fit one emission line.

    Parameters
    ----------
    spectrum
        Counts per pixel; with cosmic rays taken out if there were any.
    model
        Shape of the line.
    window_nm
        Vacuum wavelengths that are fitted (from, to) [nm]; all if absent.
    background
        ``"none"``, ``"constant"`` or ``"linear"`` in the pixels of the window.
    counts_per_photon
        g: 1 for counted photons; found from the residuals if absent.
    noise_floor_counts
        √a, the noise without light [counts]; used only with `counts_per_photon`.
    saturation_counts
        Reading from which a pixel is full [counts].

    Raises
    ------
    InputError
        If an argument is not of those that are known, the window is empty or has too few pixels,
        the detector was saturated, counts are negative where no background was subtracted, or no
        line stands out of the noise.
    """
    if model not in PARAMETERS:
        raise InputError(f"the model is {model!r}; expected one of {', '.join(PARAMETERS)}")
    if background not in ("none", "constant", "linear"):
        raise InputError(f"the background is {background!r}; expected none, constant or linear")
    if counts_per_photon is not None and not (
        np.isfinite(counts_per_photon) and counts_per_photon > 0.0
    ):
        raise InputError(f"{counts_per_photon} counts per photon; expected a positive number")
    if not (np.isfinite(noise_floor_counts) and noise_floor_counts >= 0.0):
        raise InputError(f"a noise floor of {noise_floor_counts} counts; expected 0 or more")
    require_clean_counts(spectrum, saturation_counts)
    data = _cut(convert_to_energy(spectrum), window_nm)
    problem = LineProblem(model, background, data, counts_per_photon, noise_floor_counts)
    least = problem.n_line + 5
    if len(data.counts) < least:
        raise InputError(
            f"{len(data.counts)} pixels in the window; a {model} with {problem.n_line} parameters "
            f"needs at least {least}"
        )
    solution = solve_line(problem)
    _require_line(problem, solution)
    return _summarise(problem, solution)


def compare_emission_models(
    spectrum: Spectrum,
    models: Sequence[EmissionModel] = MODELS,
    *,
    window_nm: tuple[float, float] | None = None,
    background: Background = "constant",
    counts_per_photon: float | None = None,
    noise_floor_counts: float = 0.0,
    saturation_counts: float | None = None,
) -> EmissionModelComparison:
    """Fit several shapes and compare them by AIC and BIC.

    Parameters
    ----------
    spectrum
        Counts per pixel.
    models
        Shapes to compare.
    window_nm, background, counts_per_photon, noise_floor_counts, saturation_counts
        As of `fit_emission_spectrum`.

    Raises
    ------
    InputError
        If none of the shapes can be fitted; the first reason is given.
    """
    fits: list[EmissionFit] = []
    failed: list[tuple[EmissionModel, str]] = []
    for model in models:
        try:
            fits.append(
                fit_emission_spectrum(
                    spectrum,
                    model,
                    window_nm=window_nm,
                    background=background,
                    counts_per_photon=counts_per_photon,
                    noise_floor_counts=noise_floor_counts,
                    saturation_counts=saturation_counts,
                )
            )
        except InputError as error:
            failed.append((model, str(error)))
    if not fits:
        raise InputError(failed[0][1] if failed else "no model to compare")
    return EmissionModelComparison(
        fits=tuple(fits),
        best_by_aic=min(fits, key=lambda fit: fit.aic).model,
        best_by_bic=min(fits, key=lambda fit: fit.bic).model,
        failed=tuple(failed),
    )


def _cut(data: EnergySpectrum, window_nm: tuple[float, float] | None) -> EnergySpectrum:
    if window_nm is None:
        return data
    low, high = window_nm
    if not 0.0 < low < high:
        raise InputError(f"a window from {low:g} to {high:g} nm is empty")
    inside = (data.energies_ev >= HC_EV_NM / high) & (data.energies_ev <= HC_EV_NM / low)
    return EnergySpectrum(
        energies_ev=data.energies_ev[inside],
        pixel_widths_ev=data.pixel_widths_ev[inside],
        counts_per_ev=data.counts_per_ev[inside],
        counts=data.counts[inside],
        subtracted_counts=data.subtracted_counts[inside],
    )


def _require_line(problem: LineProblem, solution: LineSolution) -> None:
    height = float(solution.parameters[0])
    error = float(np.sqrt(solution.covariance[0, 0]))
    center = float(solution.parameters[1])
    energies = problem.data.energies_ev
    if not (error > 0.0 and height > SIGNIFICANCE * error):
        raise InputError(
            "no emission line stands out of the noise: the highest one found is "
            f"{height / error if error > 0.0 else 0.0:.1f} standard errors high at "
            f"{HC_EV_NM / center:.1f} nm"
        )
    if not energies[1] < center < energies[-2]:
        raise InputError(
            f"the line has its peak at the edge of the window, at {HC_EV_NM / center:.1f} nm; "
            "widen the window"
        )


def _summarise(problem: LineProblem, solution: LineSolution) -> EmissionFit:
    data = problem.data
    scales = scale_parameters(solution.parameters)

    def derive(function: Callable[[NDArray[np.float64]], float]) -> Estimate:
        gradient = differentiate(
            lambda trial: np.array([function(trial)]), solution.parameters, scales
        )[0]
        variance = float(gradient @ solution.covariance @ gradient)
        return Estimate(function(solution.parameters), float(np.sqrt(max(variance, 0.0))))

    def widths(trial: NDArray[np.float64]) -> tuple[float, float]:
        return compute_half_widths(problem.model, trial)

    def fwhm_nm(trial: NDArray[np.float64]) -> float:
        low, high = widths(trial)
        return HC_EV_NM / (float(trial[1]) - low) - HC_EV_NM / (float(trial[1]) + high)

    standardised = (data.counts - solution.fitted) ** 2 / solution.variance
    deviance = float(np.sum(standardised + np.log(2.0 * np.pi * solution.variance)))
    n_pixels, n_parameters = len(data.counts), len(solution.parameters)
    n_fitted = n_parameters + (2 if problem.gain is None else 0)
    fwhm = derive(lambda trial: 1e3 * sum(widths(trial)))
    return EmissionFit(
        model=problem.model,
        peak_energy_ev=derive(lambda trial: float(trial[1])),
        peak_wavelength_nm=derive(lambda trial: HC_EV_NM / float(trial[1])),
        fwhm_mev=fwhm,
        fwhm_nm=derive(fwhm_nm),
        hwhm_low_mev=derive(lambda trial: 1e3 * widths(trial)[0]),
        hwhm_high_mev=derive(lambda trial: 1e3 * widths(trial)[1]),
        area_counts=derive(lambda trial: compute_emission_area(problem.model, trial)),
        lorentz_shares=_list_shares(problem, solution),
        background_counts=(
            None
            if problem.background == "none"
            else derive(lambda trial: float(trial[problem.n_line]))
        ),
        counts_per_photon=solution.gain,
        noise_floor_counts=float(np.sqrt(solution.floor_variance)),
        reduced_chi2=float(np.sum(standardised)) / (n_pixels - n_parameters),
        aic=deviance + 2.0 * n_fitted,
        bic=deviance + n_fitted * float(np.log(n_pixels)),
        energies_ev=data.energies_ev,
        counts=data.counts,
        fitted_counts=solution.fitted,
        noise_counts=np.sqrt(solution.variance),
        pixel_widths_ev=data.pixel_widths_ev,
        warnings=_describe(problem, solution, fwhm.value),
    )


def _list_shares(problem: LineProblem, solution: LineSolution) -> tuple[Estimate, ...]:
    """Give the Lorentzian shares; one at its limit has no error."""
    errors = np.sqrt(np.diag(solution.covariance))
    return tuple(
        Estimate(
            float(solution.parameters[at]),
            float("nan") if name in solution.on_bound else float(errors[at]),
        )
        for at, name in enumerate(PARAMETERS[problem.model])
        if name.startswith("lorentz")
    )


def _describe(problem: LineProblem, solution: LineSolution, fwhm_mev: float) -> tuple[str, ...]:
    warnings = []
    pixel_mev = 1e3 * float(np.median(problem.data.pixel_widths_ev))
    span_mev = 1e3 * float(problem.data.energies_ev[-1] - problem.data.energies_ev[0])
    if fwhm_mev < FEW_PIXELS * pixel_mev:
        warnings.append(
            f"the line is {fwhm_mev / pixel_mev:.1f} pixels wide: the detector gives its width"
        )
    if fwhm_mev > 0.5 * span_mev:
        warnings.append(
            f"the line is {fwhm_mev:.0f} meV wide in a window of {span_mev:.0f} meV: width and "
            "background cannot be told apart well"
        )
    residuals = (problem.data.counts - solution.fitted) / np.sqrt(solution.variance)
    correlation = float(residuals[1:] @ residuals[:-1]) / max(float(residuals @ residuals), 1e-300)
    if correlation * np.sqrt(len(residuals)) > CORRELATED:
        warnings.append(
            f"neighbouring residuals go together (correlation {correlation:.2f}): the line is no "
            f"{problem.model.replace('_', ' ')}, and its errors do not know of that"
        )
    warnings += [
        f"the {name.replace('_', ' ')} is at its limit and was held there for the errors"
        for name in solution.on_bound
    ]
    return tuple(warnings)
