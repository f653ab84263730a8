"""A straight line through points with errors that may scatter more than their errors say.

    y = a + b x,    var(y_i) = e_i² + s²

s² is the variance that brings χ² to its degrees of freedom (Paule and Mandel, J. Res. Natl. Bur.
Stand. 87, 377 (1982), doi 10.6028/jres.087.022), zero if the errors alone explain the scatter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import stdtrit

from qdcomp.errors import InputError
from qdcomp.experiment.estimate import Estimate

ONE_SIGMA = 0.8413447460685429
"""Probability below one standard deviation of a Gaussian."""


@dataclass(frozen=True)
class StraightLine:
    """A weighted straight line.

    Attributes
    ----------
    slope
        b, in the unit of y over that of x.
    intercept
        a, in the unit of y.
    scatter
        s, the standard deviation of the points beyond their errors, in the unit of y.
    reduced_chi2
        χ² by the given errors over the degrees of freedom; None where no errors were given.
    n_points
        Number of points.
    """

    slope: Estimate
    intercept: Estimate
    scatter: float
    reduced_chi2: float | None
    n_points: int


def fit_straight_line(
    x: ArrayLike, y: ArrayLike, y_errors: ArrayLike | None = None
) -> StraightLine:
    """Fit a line through points.

    Where the scatter had to be found from the points themselves, the errors are widened by the
    Student factor of their number, so that 68 % of such intervals hold the truth.

    Parameters
    ----------
    x, y
        Points, shape ``(n_points,)``.
    y_errors
        Standard errors of y, shape ``(n_points,)``; all the same and unknown if absent.

    Raises
    ------
    InputError
        If there are fewer than 3 points, all at one x, or a number is not finite, or an error not
        positive.
    """
    xs = np.asarray(x, dtype=np.float64)
    ys = np.asarray(y, dtype=np.float64)
    errors = np.zeros(len(ys)) if y_errors is None else np.asarray(y_errors, dtype=np.float64)
    if not xs.shape == ys.shape == errors.shape or xs.ndim != 1:
        raise InputError(f"x, y and errors have shapes {xs.shape}, {ys.shape} and {errors.shape}")
    if len(xs) < 3:
        raise InputError(f"a line with errors needs at least 3 points, got {len(xs)}")
    if not (np.all(np.isfinite(xs)) and np.all(np.isfinite(ys)) and np.all(np.isfinite(errors))):
        raise InputError("a point of the line is not finite")
    if np.ptp(xs) == 0.0:
        raise InputError(f"all {len(xs)} points of the line are at {xs[0]:g}")
    if y_errors is not None and np.any(errors <= 0.0):
        raise InputError("an error of a point of the line is not positive")
    freedom = len(xs) - 2
    variance = _find_scatter(xs, ys, errors, freedom)
    weights = 1.0 / (errors**2 + variance) if variance or y_errors is not None else np.ones(len(xs))
    intercept, slope, covariance = _solve(xs, ys, weights)
    if not variance and y_errors is None:
        # points exactly on a line: nothing says how far they may lie off it
        covariance = np.zeros((2, 2))
    factor = float(stdtrit(freedom, ONE_SIGMA)) if variance else 1.0
    chi2 = None
    if y_errors is not None:
        a, b, _ = _solve(xs, ys, 1.0 / errors**2)
        chi2 = float(np.sum(((ys - a - b * xs) / errors) ** 2)) / freedom
    return StraightLine(
        slope=Estimate(slope, float(factor * np.sqrt(covariance[1, 1]))),
        intercept=Estimate(intercept, float(factor * np.sqrt(covariance[0, 0]))),
        scatter=float(np.sqrt(variance)),
        reduced_chi2=chi2,
        n_points=len(xs),
    )


def _find_scatter(
    xs: NDArray[np.float64], ys: NDArray[np.float64], errors: NDArray[np.float64], freedom: int
) -> float:
    """Find the variance s² that brings χ² to the degrees of freedom."""
    intercept, slope, _ = _solve(xs, ys, np.ones(len(xs)))
    unweighted = float(np.sum((ys - intercept - slope * xs) ** 2))
    if not np.any(errors):
        return unweighted / freedom

    def excess(variance: float) -> float:
        weights = 1.0 / (errors**2 + variance)
        a, b, _ = _solve(xs, ys, weights)
        return float(np.sum(weights * (ys - a - b * xs) ** 2)) - freedom

    if excess(0.0) <= 0.0:
        return 0.0
    return float(brentq(excess, 0.0, 2.0 * unweighted / freedom + 1e-300, rtol=1e-10, xtol=1e-300))


def _solve(
    xs: NDArray[np.float64], ys: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float, NDArray[np.float64]]:
    """Intercept, slope and their covariance for given weights."""
    total = weights.sum()
    mean_x = float(weights @ xs / total)
    mean_y = float(weights @ ys / total)
    spread = float(weights @ (xs - mean_x) ** 2)
    slope = float(weights @ ((xs - mean_x) * (ys - mean_y)) / spread)
    var_slope = 1.0 / spread
    covariance = np.array(
        [
            [1.0 / total + mean_x**2 * var_slope, -mean_x * var_slope],
            [-mean_x * var_slope, var_slope],
        ]
    )
    return mean_y - slope * mean_x, slope, covariance
