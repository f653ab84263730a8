"""Power laws of ON and OFF durations by maximum likelihood.

    p(t) ∝ t^(−α) e^(−t/τ),   t ≥ t_min,   1/τ ≥ 0

A trace knows durations only in whole bins. A stretch of true length t that begins anywhere within
a bin is seen as k or k + 1 bins, with the weights of a triangle, so that

    P(k) ∝ ∫ p(t) Λ(t/b − k) dt,   Λ(x) = 1 − |x| for |x| < 1,

and for τ → ∞ this is a second difference of t^(2−α), which needs no quadrature. A stretch whose end
was not seen counts with the probability of one at least as long. Fitting a line to a log-binned
histogram instead is biased (Clauset, Shalizi and Newman, SIAM Rev. 51, 661 (2009)); log bins are
for display only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import chdtrc

from qdcomp.errors import InputError
from qdcomp.experiment.blinking.blinking import Durations
from qdcomp.experiment.blinking.power_law_goodness import judge_fit
from qdcomp.experiment.blinking.power_law_likelihood import (
    EXPONENT_RANGE,
    DurationTally,
    cost_cut,
    cost_pure,
    fit_pure,
)
from qdcomp.experiment.estimate import Estimate

FEWEST_DURATIONS = 20
"""Durations below which no exponent is given."""

CUTOFF_P_VALUE = 0.08
"""A cut-off is kept where a pure power law is less likely than this: where it betters Akaike's
criterion. A stricter choice leaves out cut-offs that are there and moves the exponent by more than
its error."""


@dataclass(frozen=True)
class PowerLawFit:
    """Power law of the durations of one state.

    Attributes
    ----------
    exponent
        α; None where there are too few durations.
    cutoff_s
        τ of the exponential cut-off [s]; None where a pure power law does as well.
    cutoff_p_value
        Chance of the gain in likelihood by a cut-off if there is none; None without a fit.
    goodness_p_value
        Share of series drawn from the fit that lie further from it than the data do, by the
        distance of Kolmogorov and Smirnov: below 0.1 the law does not hold. None without a fit.
    minimum_s
        t_min, the shortest duration that was fitted [s].
    n_durations, n_unfinished
        Durations that were fitted, and among them those whose end was not seen.
    reason
        Why there is no fit; empty where there is one.
    """

    exponent: Estimate | None
    cutoff_s: Estimate | None
    cutoff_p_value: float | None
    goodness_p_value: float | None
    minimum_s: float
    n_durations: int
    n_unfinished: int
    reason: str = ""


@dataclass(frozen=True)
class LoggedDurations:
    """Density of durations in logarithmic bins, for display.

    Attributes
    ----------
    durations_s
        Geometric centres of the bins that hold any [s], shape ``(n_bins,)``.
    density_per_s, error_per_s
        Probability per time and its Poisson error [1/s], shape ``(n_bins,)``.
    """

    durations_s: NDArray[np.float64]
    density_per_s: NDArray[np.float64]
    error_per_s: NDArray[np.float64]


def fit_power_law(
    durations: Durations | Sequence[Durations],
    *,
    minimum_bins: int = 3,
    cutoff: bool = True,
    goodness: bool = True,
    seed: int = 1,
) -> PowerLawFit:
    """Fit a power law to the durations of one state.

    Parameters
    ----------
    durations
        Stretches of the state; of several dots together, if the law is to be theirs.
    minimum_bins
        Shortest stretch that is fitted [bins], at least 2: single bins are made by noise, too, and
        among those of two bins a few are missing, or joined over a short one that no bin shows.
    cutoff
        Whether to try an exponential cut-off.
    goodness
        Whether to judge the fit, which takes most of the time.
    seed
        Of the series that the goodness of fit draws.

    Raises
    ------
    InputError
        If `minimum_bins` is less than 2, or the dots have different time bins.
    """
    if minimum_bins < 2:
        raise InputError(f"a shortest duration of {minimum_bins} bins; expected 2 or more")
    series = [durations] if isinstance(durations, Durations) else list(durations)
    bin_s = _require_one_bin(series)
    data = DurationTally(series, minimum_bins)
    minimum = minimum_bins * bin_s
    finished = data.total - data.n_unfinished
    if finished < FEWEST_DURATIONS:
        return PowerLawFit(
            None,
            None,
            None,
            None,
            minimum,
            data.total,
            data.n_unfinished,
            f"{finished} durations of {minimum:g} s and more have an end; a power law needs "
            f"{FEWEST_DURATIONS}",
        )
    pure, cost = fit_pure(data)
    exponent = _correct_bias(data, pure)
    rate, p_value = 0.0, None
    scale: Estimate | None = None
    if cutoff:
        point, cut_cost, errors = _fit_cut(data, pure)
        p_value = 0.5 * float(chdtrc(1, max(2.0 * (cost - cut_cost), 0.0)))
        if p_value < CUTOFF_P_VALUE:
            exponent, rate = Estimate(point[0], errors[0]), point[1]
            scale = Estimate(bin_s / rate, bin_s * errors[1] / rate**2)
    judged = pure if rate == 0.0 else exponent.value
    return PowerLawFit(
        exponent=exponent,
        cutoff_s=scale,
        cutoff_p_value=p_value,
        goodness_p_value=judge_fit(data, judged, rate, seed) if goodness else None,
        minimum_s=minimum,
        n_durations=data.total,
        n_unfinished=data.n_unfinished,
    )


def log_bin_durations(durations: Durations, bins_per_decade: int = 5) -> LoggedDurations:
    """Put durations into logarithmic bins, whose borders lie between whole numbers of time bins."""
    lengths = durations.bins
    if len(lengths) == 0:
        empty = np.empty(0)
        return LoggedDurations(empty, empty, empty)
    decades = math.log10(float(lengths.max()) + 1.0)
    raw = np.logspace(0.0, decades, max(2, math.ceil(decades * bins_per_decade) + 1))
    edges = np.unique(np.floor(raw)) - 0.5
    edges[-1] = max(edges[-1], lengths.max() + 0.5)
    found, _ = np.histogram(lengths, edges)
    widths = np.diff(edges) * durations.bin_s
    kept = found > 0
    centers = np.sqrt(np.maximum(edges[:-1] + 0.5, 0.5) * (edges[1:] - 0.5)) * durations.bin_s
    norm = len(lengths) * widths
    return LoggedDurations(centers[kept], (found / norm)[kept], (np.sqrt(found) / norm)[kept])


def _require_one_bin(series: Sequence[Durations]) -> float:
    bins = {one.bin_s for one in series}
    if len(bins) != 1:
        raise InputError(f"durations in time bins of {sorted(bins)} s; expected one width")
    return bins.pop()


def _correct_bias(data: DurationTally, exponent: float) -> Estimate:
    """Take off the bias of the likelihood's maximum, for n durations or for a time.

    θ = α − 1 comes out too large by θ/n for a chosen number n of durations. A trace holds as many
    as fit into its time T, and fewer where they are long, which takes a part c of that away: θ̂ is
    N/S with S the sum of x = ln(t/t_min), N − θS is a martingale, and to first order

        E[θ̂] − θ = −Cov(N − θS, S)/S² = (θ/n)(1 − c),   c = θ Σ (x − mean x) t / T.
    """
    n = max(int(data.times.sum()), 2)
    shrink = 1.0 - (1.0 - _find_time_share(data, exponent)) / n
    return Estimate(1.0 + shrink * (exponent - 1.0), shrink * _find_pure_error(data, exponent))


def _find_time_share(data: DurationTally, exponent: float) -> float:
    """Part c of `_correct_bias`: 0 for a chosen number, 1 for exponential durations in a time."""
    if not data.trace_bins:
        return 0.0
    t = np.concatenate([np.repeat(data.values.astype(np.float64), data.times), data.unfinished])
    x = np.log(t)
    return float((exponent - 1.0) * ((x - x.mean()) @ t) / data.trace_bins)


def _find_pure_error(data: DurationTally, exponent: float) -> float:
    step = 1e-3
    low, middle, high = (cost_pure(data, exponent + move) for move in (-step, 0.0, step))
    curvature = (low - 2.0 * middle + high) / step**2
    return 1.0 / math.sqrt(curvature) if curvature > 0.0 else math.nan


def _fit_cut(
    data: DurationTally, start: float
) -> tuple[tuple[float, float], float, tuple[float, float]]:
    """α and r [1/bins] of greatest likelihood, the cost there, and their errors."""
    longest = float(max([1.0, *data.values[-1:], *data.unfinished]))

    def cost(point: NDArray[np.float64]) -> float:
        return cost_cut(data, float(point[0]), math.exp(float(point[1])))

    found = minimize(
        cost,
        np.array([max(start - 0.2, 0.1), math.log(2.0 / longest)]),
        method="Nelder-Mead",
        bounds=[(0.0, EXPONENT_RANGE[1]), (math.log(1e-3 / longest), math.log(5.0))],
        options={"xatol": 1e-5, "fatol": 1e-8},
    )
    exponent, rate = float(found.x[0]), math.exp(float(found.x[1]))
    return (exponent, rate), float(found.fun), _find_cut_errors(cost, found.x, rate)


def _find_cut_errors(cost: object, point: NDArray[np.float64], rate: float) -> tuple[float, float]:
    steps = np.array([1e-3, 1e-2])
    hessian = np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            a, b = np.eye(2)[i] * steps, np.eye(2)[j] * steps
            corners = (point + a + b, point + a - b, point - a + b, point - a - b)
            values = [cost(corner) for corner in corners]  # type: ignore[operator]
            hessian[i, j] = (values[0] - values[1] - values[2] + values[3]) / (
                4.0 * steps[i] * steps[j]
            )
    if np.linalg.det(hessian) <= 0.0 or hessian[0, 0] <= 0.0:
        return math.nan, math.nan
    covariance = np.linalg.inv(hessian)
    return math.sqrt(covariance[0, 0]), rate * math.sqrt(covariance[1, 1])
