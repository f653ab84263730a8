"""Maximum likelihood for counts: log L = Σ n ln μ − μ, without the terms of the data alone.

Fisher scoring with Levenberg–Marquardt damping: the information I = Jᵀ diag(1/μ) J stands for the
curvature, parameters at a bound that the likelihood pushes outwards rest there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Model = Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Parameters to expected counts, ``(n_bins,)``, and their slopes, ``(n_bins, n_parameters)``."""

_SMALLEST_MEAN = 1e-12
_GAIN = 1e-7
"""Gain of log L below which a step is the last."""

_UPPER_LIMIT = 1.14
"""−ln 0.32: how far a likelihood that falls as e^{−x} leaves 68 % behind it."""


@dataclass(frozen=True)
class LikelihoodFit:
    """Parameters that make counts most likely.

    Attributes
    ----------
    parameters
        Shape ``(n_parameters,)``.
    covariance
        Inverse Fisher information, shape ``(n_parameters, n_parameters)``; 0 for parameters at a
        bound.
    errors
        Standard errors, shape ``(n_parameters,)``; at a bound the distance from it that holds 68 %
        of the likelihood; NaN where the data do not say.
    expected
        Expected counts, shape ``(n_bins,)``.
    log_likelihood
        At the maximum.
    at_bound
        Which parameters rest at a bound, shape ``(n_parameters,)``.
    converged
        False if the steps ran out.
    """

    parameters: NDArray[np.float64]
    covariance: NDArray[np.float64]
    errors: NDArray[np.float64]
    expected: NDArray[np.float64]
    log_likelihood: float
    at_bound: NDArray[np.bool_]
    converged: bool


def compute_log_likelihood(counts: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Σ n ln μ − μ."""
    mean = np.maximum(expected, _SMALLEST_MEAN)
    return float(np.dot(counts, np.log(mean)) - mean.sum())


def compute_deviance(counts: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """2 Σ n ln(n/μ) − (n − μ): twice the log-likelihood that the model loses against the data."""
    mean = np.maximum(expected, _SMALLEST_MEAN)
    some = counts > 0
    return float(
        2.0 * (np.dot(counts[some], np.log(counts[some] / mean[some])) - (counts - mean).sum())
    )


def maximise_likelihood(
    counts: NDArray[np.float64],
    model: Model,
    start: NDArray[np.float64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    *,
    steps: int = 100,
) -> LikelihoodFit:
    """Find the parameters that make the counts most likely.

    Parameters
    ----------
    counts
        Observed counts, shape ``(n_bins,)``.
    model
        Expected counts and their derivatives.
    start
        First parameters, shape ``(n_parameters,)``.
    lower, upper
        Bounds, shape ``(n_parameters,)``.
    steps
        Most steps to take.
    """
    point = np.clip(start, lower, upper)
    expected, slopes = model(point)
    likelihood = compute_log_likelihood(counts, expected)
    damping, converged = 1e-3, False
    for _ in range(steps):
        gradient, information = _measure(counts, expected, slopes)
        free = _find_free(point, gradient, lower, upper)
        if not np.any(free):
            converged = True
            break
        moved = False
        while damping < 1e12:
            trial = point.copy()
            trial[free] += _solve(information[np.ix_(free, free)], gradient[free], damping)
            trial = np.clip(trial, lower, upper)
            expected_there, slopes_there = model(trial)
            there = compute_log_likelihood(counts, expected_there)
            if np.isfinite(there) and there >= likelihood:
                moved = True
                break
            damping = max(damping, 1e-9) * 8.0
        if not moved:
            # No step however small goes up: the top, to the last digits.
            converged = True
            break
        gain = there - likelihood
        point, expected, slopes, likelihood = trial, expected_there, slopes_there, there
        damping /= 12.0
        if gain < _GAIN:
            converged = True
            break
    return _describe(counts, point, expected, slopes, likelihood, converged, lower, upper)


def _measure(
    counts: NDArray[np.float64], expected: NDArray[np.float64], slopes: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean = np.maximum(expected, _SMALLEST_MEAN)
    gradient: NDArray[np.float64] = slopes.T @ (counts / mean - 1.0)
    information: NDArray[np.float64] = slopes.T @ (slopes / mean[:, None])
    return gradient, information


def _find_free(
    point: NDArray[np.float64],
    gradient: NDArray[np.float64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
) -> NDArray[np.bool_]:
    pushed: NDArray[np.bool_] = ((point <= lower) & (gradient <= 0.0)) | (
        (point >= upper) & (gradient >= 0.0)
    )
    return ~pushed


def _solve(
    information: NDArray[np.float64], gradient: NDArray[np.float64], damping: float
) -> NDArray[np.float64]:
    scale = np.sqrt(np.maximum(np.diag(information), 1e-300))
    scaled = information / np.outer(scale, scale)
    scaled[np.diag_indices_from(scaled)] += damping + 1e-12
    step: NDArray[np.float64] = np.linalg.solve(scaled, gradient / scale) / scale
    return step


def _describe(
    counts: NDArray[np.float64],
    point: NDArray[np.float64],
    expected: NDArray[np.float64],
    slopes: NDArray[np.float64],
    likelihood: float,
    converged: bool,
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
) -> LikelihoodFit:
    gradient, information = _measure(counts, expected, slopes)
    at_bound = (point <= lower) | (point >= upper)
    free = ~at_bound
    covariance = np.zeros((len(point), len(point)))
    errors = np.full(len(point), np.nan)
    inverse = _invert(information[np.ix_(free, free)])
    if inverse is not None:
        covariance[np.ix_(free, free)] = inverse
        errors[free] = np.sqrt(np.diag(inverse))
    else:
        covariance[np.ix_(free, free)] = np.nan
    push = np.abs(gradient[at_bound])
    errors[at_bound] = np.where(push > 0.0, _UPPER_LIMIT / np.maximum(push, 1e-300), np.nan)
    return LikelihoodFit(point, covariance, errors, expected, likelihood, at_bound, converged)


def _invert(information: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Inverse, or none where some combination of parameters leaves no mark on the counts."""
    diagonal = np.diag(information)
    if np.any(diagonal <= 0.0) or not np.all(np.isfinite(information)):
        return None
    scale = np.sqrt(diagonal)
    scaled = information / np.outer(scale, scale)
    if np.linalg.cond(scaled) > 1e12:
        return None
    inverse: NDArray[np.float64] = np.linalg.inv(scaled) / np.outer(scale, scale)
    return inverse
