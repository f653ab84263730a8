"""Bunching at long delays: amplitude and rate of a dot that goes dark and comes back.

    g2(τ) = 1 + A e^(−k τ)

for switching at a total rate k = k_off + k_on, with A = (1 − f)/f for a share f of bright time and
background taken off. Slow blinking adds a plateau, which is fitted as a constant. The dot goes dark
so many times, and all bins of delay see the same times: their noise is not only that of counting
and goes together. Errors are those of a jackknife over stretches of time. Bins are compared with
the mean of the model over them.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeWarning, curve_fit

from qdcomp.errors import InputError
from qdcomp.experiment.block_jackknife import jackknife_blocks
from qdcomp.experiment.correlations.long_delay_g2 import LongDelayG2
from qdcomp.experiment.estimate import Estimate


@dataclass(frozen=True)
class Bunching:
    """Exponential bunching.

    Attributes
    ----------
    amplitude
        A.
    rate_per_s
        k [1/s].
    plateau
        g2 at delays long against 1/k, 1 without slow blinking.
    reduced_chi2
        Of the fit, by counting errors.
    delays_s, fitted
        Delays that were fitted [s] and g2 of the fit there, shape ``(n,)``.
    """

    amplitude: Estimate
    rate_per_s: Estimate
    plateau: Estimate
    reduced_chi2: float
    delays_s: NDArray[np.float64]
    fitted: NDArray[np.float64]


def fit_bunching(
    found: LongDelayG2, shortest_s: float = 1e-6, longest_s: float | None = None
) -> Bunching:
    """Fit an exponential bunching.

    Parameters
    ----------
    found
        Long-delay g2.
    shortest_s, longest_s
        Delays that are fitted [s], beyond antibunching; the longest there is if absent.

    Raises
    ------
    InputError
        If fewer than 6 bins with pairs lie in the range, or no bunching stands out.
    """
    delays = found.delays_s
    kept = (delays >= shortest_s) & (found.pairs > 0)
    if longest_s is not None:
        kept &= delays <= longest_s
    if np.count_nonzero(kept) < 6:
        raise InputError(
            f"{np.count_nonzero(kept)} bins with pairs from {shortest_s:g} s on; bunching needs 6"
        )
    x, y, sigma = delays[kept], found.g2[kept], found.error[kept]
    excess = y - y[-1]
    first = float(np.median(excess[:3]))
    half = int(np.argmax(excess < 0.5 * first)) if np.any(excess < 0.5 * first) else len(x) // 2
    start = (max(first, 1e-3), float(np.log(1.0 / max(x[half], x[0]))), float(y[-1]))

    edges = _list_edges(found, kept)
    point, covariance = _fit_decay(edges, y, sigma, np.array(start))
    errors = np.sqrt(np.diag(covariance))
    if not np.all(np.isfinite(errors)) or point[0] < 2.0 * errors[0]:
        raise InputError("no bunching stands out of the counting error")
    fitted = _evaluate(edges, *point)
    reduced = float((((y - fitted) / sigma) ** 2).sum()) / max(len(x) - 3, 1)
    by_time = _find_errors(found, kept, point)
    errors = np.where(np.isfinite(by_time), by_time, errors * max(1.0, reduced**0.5))
    rate = float(np.exp(point[1]))
    return Bunching(
        amplitude=Estimate(float(point[0]), float(errors[0])),
        rate_per_s=Estimate(rate, rate * float(errors[1])),
        plateau=Estimate(float(point[2]), float(errors[2])),
        reduced_chi2=reduced,
        delays_s=x,
        fitted=fitted,
    )


def _list_edges(found: LongDelayG2, kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.array([found.edges_s[:-1][kept], found.edges_s[1:][kept]])


def _evaluate(
    edges_s: NDArray[np.float64], amplitude: float, log_rate: float, plateau: float
) -> NDArray[np.float64]:
    """Mean of the model over bins whose lower and upper edges have the shape ``(2, n)``."""
    rate = np.exp(log_rate)
    width = edges_s[1] - edges_s[0]
    mean = np.exp(-rate * edges_s[0]) * -np.expm1(-rate * width) / (rate * width)
    return np.asarray(plateau + amplitude * mean, np.float64)


def _fit_decay(
    edges_s: NDArray[np.float64],
    y: NDArray[np.float64],
    sigma: NDArray[np.float64],
    start: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    try:
        # Parameters that the data do not tell apart are an error here, not a warning.
        with warnings.catch_warnings():
            warnings.simplefilter("error", OptimizeWarning)
            point, covariance = curve_fit(
                _evaluate, edges_s, y, start, sigma, absolute_sigma=True, maxfev=20000
            )
    except (RuntimeError, OptimizeWarning) as error:
        raise InputError("no exponential bunching could be fitted") from error
    return np.asarray(point, np.float64), np.asarray(covariance, np.float64)


def _find_errors(
    found: LongDelayG2, kept: NDArray[np.bool_], point: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Errors of amplitude, logarithm of the rate and plateau, NaN where a stretch is too little.

    The delays of the fit are short against a stretch: of fewer of them the pairs of light without
    correlation are n₁ n₂/T of them over n₁ n₂/T of all.
    """
    blocks, edges = found.blocks, _list_edges(found, kept)
    filled = np.flatnonzero(blocks.measured_s > 0.0)

    def expect(taken: NDArray[np.int64]) -> float:
        photons = blocks.photons[taken].sum(axis=0)
        return float(photons[0]) * float(photons[1]) / float(blocks.measured_s[taken].sum())

    def estimate(indices: NDArray[np.int64]) -> NDArray[np.float64]:
        taken = filled[indices]
        share = expect(taken) / expect(filled)
        if share <= 0.0:
            return np.full(3, np.nan)
        own = found.afterpulses[kept] * len(taken) / len(filled)
        y = (blocks.pairs[taken][:, kept].sum(axis=0) - own) / (share * found.expected[kept])
        try:
            return _fit_decay(edges, y, found.error[kept], point)[0]
        except InputError:
            return np.full(3, np.nan)

    return np.array([one.error for one in jackknife_blocks(len(filled), estimate)])
