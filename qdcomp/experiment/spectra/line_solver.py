"""Weighted least squares of an emission line whose noise is found along with it.

The variance of a pixel is that of the fitted counts, not of the measured ones, which would pull the
fit down; for photons (g = 1, a = 0) the solution is that of Poisson maximum likelihood.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.optimize import least_squares, nnls

from qdcomp.experiment.spectra.emission_lineshapes import (
    PARAMETERS,
    EmissionModel,
    evaluate_emission_model,
)
from qdcomp.experiment.spectra.spectrum import EnergySpectrum
from qdcomp.experiment.spectra.spectrum_cleaning import measure_noise

Background = Literal["none", "constant", "linear"]

ROUNDS = 8
"""Most fits in turn with the search for the noise."""

SETTLED = 1e-5
"""Change of the parameters between two rounds, as a share of their size, that ends the search."""

FAINTEST_PHOTONS = 0.1
"""Photons per pixel below which the variance is not taken to fall further."""

AT_BOUND = 1e-3
"""Distance from a bound within which a Lorentzian share counts as on it."""


@dataclass(frozen=True)
class LineProblem:
    """One spectrum in its window, and what is fitted to it.

    Attributes
    ----------
    model
        Shape of the line.
    background
        Background in the pixels of the window.
    data
        Counts, on the energy axis.
    gain
        g, counts per photon; None if it is to be found.
    floor_counts
        √a, the noise without light [counts]; used only with `gain`.
    """

    model: EmissionModel
    background: Background
    data: EnergySpectrum
    gain: float | None
    floor_counts: float

    @property
    def n_line(self) -> int:
        """Number of parameters of the line itself."""
        return len(PARAMETERS[self.model])

    def compute_counts(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute counts per pixel of line and background, shape ``(n_pixels,)``."""
        line = evaluate_emission_model(self.model, parameters, self.data.energies_ev)
        counts = line * self.data.pixel_widths_ev
        if self.background != "none":
            counts = counts + parameters[self.n_line]
        if self.background == "linear":
            counts = counts + parameters[self.n_line + 1] * np.linspace(-1.0, 1.0, len(counts))
        return counts


@dataclass(frozen=True)
class LineSolution:
    """The fitted line.

    Attributes
    ----------
    parameters
        Those of the line in order, then background and its slope, shape ``(n_parameters,)``.
    covariance
        Of the parameters, shape ``(n_parameters, n_parameters)``; zero for those on a bound.
    fitted
        Counts per pixel, shape ``(n_pixels,)``.
    variance
        Of the noise [counts²], shape ``(n_pixels,)``.
    gain
        g, counts per photon.
    floor_variance
        a [counts²].
    on_bound
        Lorentzian shares that the fit left at a limit.
    """

    parameters: NDArray[np.float64]
    covariance: NDArray[np.float64]
    fitted: NDArray[np.float64]
    variance: NDArray[np.float64]
    gain: float
    floor_variance: float
    on_bound: tuple[str, ...]


def solve_line(problem: LineProblem) -> LineSolution:
    """Fit the line and find its noise in turn.

    Parameters
    ----------
    problem
        What is fitted to what.
    """
    data = problem.data
    start, lower, upper = _guess(problem)
    floor_variance = max(measure_noise(data.counts) ** 2, 1e-18 * float(np.ptp(data.counts)) ** 2)
    gain = 0.0
    if problem.gain is not None:
        gain, floor_variance = problem.gain, problem.floor_counts**2
        fitted = uniform_filter1d(data.counts, 5)
    else:
        fitted = np.zeros(len(data.counts))
    parameters = start
    for _ in range(ROUNDS):
        variance = _variance(problem, fitted, gain, floor_variance)
        weights = 1.0 / np.sqrt(variance)

        def residuals(
            trial: NDArray[np.float64], weights: NDArray[np.float64] = weights
        ) -> NDArray[np.float64]:
            return (data.counts - problem.compute_counts(trial)) * weights

        result = least_squares(
            residuals,
            parameters,
            bounds=(lower, upper),
            x_scale=scale_parameters(start),
            max_nfev=200,
        )
        moved = float(np.max(np.abs(result.x - parameters) / scale_parameters(start)))
        parameters = result.x
        fitted = problem.compute_counts(parameters)
        if problem.gain is None:
            gain, floor_variance = _find_noise(problem, fitted, variance, result.jac)
        if moved < SETTLED:
            break
    names = (*PARAMETERS[problem.model], "background", "background slope")
    on_bound = tuple(
        name
        for name, value in zip(names, parameters, strict=False)
        if name.startswith("lorentz") and not AT_BOUND < value < 1.0 - AT_BOUND
    )
    free = np.array([name not in on_bound for name in names[: len(parameters)]])
    variance = _variance(problem, fitted, gain, floor_variance)
    jacobian = differentiate(problem.compute_counts, parameters, scale_parameters(start))[:, free]
    curvature = jacobian.T @ (jacobian / variance[:, None])
    scale = np.sqrt(np.diag(curvature))
    covariance = np.zeros((len(parameters), len(parameters)))
    if np.all(scale > 0.0):
        inverse = np.linalg.pinv(curvature / np.outer(scale, scale)) / np.outer(scale, scale)
        covariance[np.ix_(free, free)] = inverse
    return LineSolution(parameters, covariance, fitted, variance, gain, floor_variance, on_bound)


def _variance(
    problem: LineProblem, fitted: NDArray[np.float64], gain: float, floor_variance: float
) -> NDArray[np.float64]:
    photons = fitted + problem.data.subtracted_counts
    variance = gain * np.maximum(photons, FAINTEST_PHOTONS * gain) + floor_variance
    tiny = 1e-18 * float(np.max(np.abs(problem.data.counts))) ** 2
    return np.maximum(variance, tiny)


def _find_noise(
    problem: LineProblem,
    fitted: NDArray[np.float64],
    variance: NDArray[np.float64],
    jacobian: NDArray[np.float64],
) -> tuple[float, float]:
    """Find counts per photon and the floor's variance by regression of the squared residuals."""
    data = problem.data
    # a fit takes the share h_i of the noise of a pixel with it, more in the line than beside it
    basis, _ = np.linalg.qr(jacobian)
    taken = np.minimum(np.sum(basis**2, axis=1), 0.9)
    squares = (data.counts - fitted) ** 2 / (1.0 - taken)
    light = np.maximum(fitted + data.subtracted_counts, 0.0)
    design = np.column_stack((light, np.ones(len(light))))
    # the standard deviation of a squared Gaussian is √2 times its variance
    (gain, floor), _ = nnls(design / variance[:, None], squares / variance)
    return float(gain), float(floor)


def _guess(
    problem: LineProblem,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Start of the fit, and its bounds."""
    data = problem.data
    n = len(data.counts)
    smooth = uniform_filter1d(data.counts, max(3, n // 60))
    base = float(np.percentile(smooth, 10)) if problem.background != "none" else 0.0
    top = int(np.argmax(smooth))
    half = base + 0.5 * (smooth[top] - base)
    below = np.flatnonzero(smooth < half)
    left = int(np.max(below[below < top], initial=0))
    right = int(np.min(below[below > top], initial=n - 1))
    energies = data.energies_ev
    pixel = float(np.median(data.pixel_widths_ev))
    span = float(energies[-1] - energies[0])
    low = max(float(energies[top] - energies[left]), pixel)
    high = max(float(energies[right] - energies[top]), pixel)
    height = max(float(smooth[top]) - base, 1e-3 * float(np.ptp(data.counts))) / pixel
    center = float(energies[top])
    widths: dict[str, tuple[float, float, float]] = {
        "height": (height, 0.0, np.inf),
        "center": (center, float(energies[0]), float(energies[-1])),
        "fwhm": (low + high, 0.2 * pixel, 4.0 * span),
        "hwhm_low": (low, 0.1 * pixel, 2.0 * span),
        "hwhm_high": (high, 0.1 * pixel, 2.0 * span),
    }
    share = (0.5, 0.0, 1.0)
    rows = [widths.get(name, share) for name in PARAMETERS[problem.model]]
    if problem.background != "none":
        rows.append((base, -np.inf, np.inf))
    if problem.background == "linear":
        rows.append((0.0, -np.inf, np.inf))
    table = np.array(rows, dtype=np.float64)
    start = np.clip(table[:, 0], table[:, 1], table[:, 2])
    return start, table[:, 1], table[:, 2]


def scale_parameters(start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sizes of the parameters; the energy moves on the scale of the width.

    Parameters
    ----------
    start
        Parameters of a line, shape ``(n_parameters,)``.
    """
    scales = np.abs(start)
    scales[1] = scales[2]
    scales[scales == 0.0] = 1.0
    return scales


def differentiate(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    parameters: NDArray[np.float64],
    scales: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Differentiate by central differences, shape ``(n_values, n_parameters)``.

    Parameters
    ----------
    function
        Of the parameters; gives shape ``(n_values,)``.
    parameters
        Where, shape ``(n_parameters,)``.
    scales
        Sizes of the parameters, of which 1e-4 is the step, shape ``(n_parameters,)``.
    """
    columns = []
    for number, scale in enumerate(scales):
        step = np.zeros(len(parameters))
        step[number] = 1e-4 * scale
        columns.append((function(parameters + step) - function(parameters - step)) / (2e-4 * scale))
    return np.column_stack(columns)
