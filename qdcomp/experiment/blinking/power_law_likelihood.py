"""Likelihood of durations in whole time bins under a power law with an exponential cut-off.

    P(k) ∝ ∫ t^(−α) e^(−rt) Λ(t − k) dt,   Λ(x) = 1 − |x| for |x| < 1,   k ≥ k_min

in units of bins (see `power_law`). Chances of a length of at least k have the same integral with a
ramp from k − 1 to k.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import gamma, gammaincc

from qdcomp.experiment.blinking.blinking import Durations

EXPONENT_RANGE = (1.001, 6.0)

_SERIES_FROM = 100.0
"""Bins from which the series of the second difference is exact to ten digits."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)


class DurationTally:
    """Different durations and how often each came.

    Parameters
    ----------
    durations
        Stretches of one state, of one dot or more.
    minimum_bins
        Shortest that counts [bins].
    """

    def __init__(self, durations: Sequence[Durations], minimum_bins: int) -> None:
        lengths = np.concatenate([one.bins for one in durations])
        self.minimum = minimum_bins
        self.values, self.times = np.unique(lengths[lengths >= minimum_bins], return_counts=True)
        ends = [one.unfinished_bins or 0 for one in durations]
        self.unfinished = np.array([end for end in ends if end >= minimum_bins], np.float64)
        self.n_unfinished = len(self.unfinished)
        self.total = int(self.times.sum()) + self.n_unfinished
        traces = [one.trace_bins for one in durations]
        self.trace_bins = None if None in traces else sum(filter(None, traces))


def cost_pure(data: DurationTally, exponent: float) -> float:
    """−ln of the likelihood of a pure power law."""
    cost = -float(data.times @ np.log(find_pure(data.values.astype(float), data.minimum, exponent)))
    rest = find_pure_survival(data.unfinished, data.minimum, exponent)
    return cost - float(np.log(rest).sum())


def fit_pure(data: DurationTally, tolerance: float = 1e-6) -> tuple[float, float]:
    """Exponent of greatest likelihood of a pure power law, and the cost there."""
    found = minimize_scalar(
        lambda exponent: cost_pure(data, exponent),
        bounds=EXPONENT_RANGE,
        method="bounded",
        options={"xatol": tolerance},
    )
    return float(found.x), float(found.fun)


def _integrate_cut(k: NDArray[np.float64], exponent: float, rate: float) -> NDArray[np.float64]:
    """∫ t^(−α) e^(−rt) Λ(t − k) dt in units of bins."""
    half = 0.5 * (_NODES + 1.0)
    total = np.zeros(len(k))
    for side in (-1.0, 1.0):
        t = k[:, None] + side * (1.0 - half)
        total += (0.5 * _WEIGHTS * half * t**-exponent * np.exp(-rate * t)).sum(axis=1)
    return total


def find_tail(k: NDArray[np.float64], exponent: float, rate: float) -> NDArray[np.float64]:
    """∫ from k of t^(−α) e^(−rt) dt = r^(α−1) Γ(1 − α, rk), plus the ramp from k − 1 to k."""
    half = 0.5 * (_NODES + 1.0)
    t = k[:, None] - 1.0 + half
    ramp = (0.5 * _WEIGHTS * half * t**-exponent * np.exp(-rate * t)).sum(axis=1)
    tail: NDArray[np.float64] = ramp + rate ** (exponent - 1.0) * _upper_gamma(
        1.0 - exponent, rate * k
    )
    return tail


def _upper_gamma(order: float, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Γ(a, x) also for negative a: Γ(a, x) = (Γ(a + 1, x) − x^a e^(−x)) / a."""
    if abs(order - round(order)) < 1e-6:
        order -= 1e-6
    if order > 0.0:
        value: NDArray[np.float64] = gamma(order) * gammaincc(order, x)
        return value
    return (_upper_gamma(order + 1.0, x) - x**order * np.exp(-x)) / order


def cost_cut(data: DurationTally, exponent: float, rate: float) -> float:
    """−ln of the likelihood of a power law with a cut-off; `rate` is that of its decay [1/bin]."""
    norm = float(find_tail(np.array([float(data.minimum)]), exponent, rate)[0])
    seen = _integrate_cut(data.values.astype(float), exponent, rate)
    if not (norm > 0.0 and np.all(seen > 0.0)):
        return 1e12
    cost = -float(data.times @ np.log(seen)) + data.total * math.log(norm)
    rest = find_tail(data.unfinished, exponent, rate)
    return cost - float(np.log(rest).sum()) if np.all(rest > 0.0) else 1e12


def _primitive(k: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """(k^s − 1)/s with s = 2 − α: its second difference is that of the triangle's integral."""
    s = 2.0 - exponent
    logs = np.log(k)
    result: NDArray[np.float64] = logs if abs(s) < 1e-9 else np.expm1(s * logs) / s
    return result


def find_pure(k: NDArray[np.float64], minimum: int, exponent: float) -> NDArray[np.float64]:
    """P(k) of a pure power law; by the series of the second difference where it would cancel."""
    near = np.minimum(k, _SERIES_FROM)
    below, here, above = (_primitive(near + step, exponent) for step in (-1.0, 0.0, 1.0))
    series = (exponent - 1.0) * k**-exponent * (1.0 + exponent * (exponent + 1.0) / (12.0 * k**2))
    curvature = np.where(k < _SERIES_FROM, 2.0 * here - below - above, series)
    chances: NDArray[np.float64] = curvature / _find_pure_norm(minimum, exponent)
    return chances


def _find_pure_norm(minimum: int, exponent: float) -> float:
    start = _primitive(np.array([minimum - 1.0, float(minimum)]), exponent)
    return float(start[1] - start[0])


def find_pure_survival(
    k: NDArray[np.float64], minimum: int, exponent: float
) -> NDArray[np.float64]:
    """Chance of k bins or more."""
    s = 2.0 - exponent
    step = -np.log1p(-1.0 / k) if abs(s) < 1e-9 else -(k**s) * np.expm1(s * np.log1p(-1.0 / k)) / s
    survival: NDArray[np.float64] = step / _find_pure_norm(minimum, exponent)
    return survival
