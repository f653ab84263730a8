"""Mandel's Q: how far the counts of the ON state spread beyond Poisson statistics.

    Q = σ²/μ − 1,

0 for a steady dot and more for one that flickers (Mandel, Opt. Lett. 4, 205 (1979); Mi et al.
2025, SI Note 6). μ and σ² of the ON state come from a Gaussian fitted to its peak of the intensity
histogram, as in the paper, and beside it from the ON bins themselves; Q over all bins takes the
OFF time in. Poisson counts are skewed and a Gaussian is not: below 50 counts per bin its Q comes
out too large by about 1/μ. The ON bins lack what the threshold cuts off, and their Q comes out too
small where that is within the peak.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.blinking.blinking import BlinkingStates
from qdcomp.experiment.block_jackknife import jackknife_blocks
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.intensity_trace import BlinkingTrace

FITTED_WIDTH = 2.0
"""The Gaussian is fitted within so many standard deviations of its centre: a bin that was ON in
part, or another level, lies beyond."""

FEWEST_ON_BINS = 20

_MOST_ROUNDS = 50
_PRECISE = 1e-9


@dataclass(frozen=True)
class MandelQ:
    """Mandel's Q of a trace.

    Attributes
    ----------
    gaussian
        From the Gaussian fitted to the ON peak; None where there are too few ON bins, or no peak.
    on_bins
        From mean and variance of the ON bins; None where there are too few.
    all_bins
        From mean and variance of all bins.
    peak_mean, peak_width
        μ and σ of the Gaussian [counts per bin]; None with it.
    fitted_range
        Counts per bin between which it was fitted; None with it.
    reason
        Why one is absent; empty where none is.
    """

    gaussian: Estimate | None
    on_bins: Estimate | None
    all_bins: Estimate
    peak_mean: Estimate | None
    peak_width: Estimate | None
    fitted_range: tuple[float, float] | None
    reason: str


def compute_mandel_q(trace: BlinkingTrace, states: BlinkingStates) -> MandelQ:
    """Compute Mandel's Q of the ON state, both ways, and of all bins.

    Parameters
    ----------
    trace, states
        Blinking trace and its bins told apart.

    Raises
    ------
    InputError
        If the trace and the states have different lengths, or there are fewer than two bins.
    """
    if len(trace) != len(states.on):
        raise InputError(f"{len(trace)} bins in the trace, {len(states.on)} in the states")
    if len(trace) < 2:
        raise InputError("Mandel's Q needs at least two bins")
    counts = trace.counts
    everything = jackknife_blocks(len(counts), lambda kept: np.array([_measure_q(counts[kept])]))[0]
    on = counts[states.on]
    if len(on) < FEWEST_ON_BINS:
        reason = f"{len(on)} bins are ON; Q of the ON state needs {FEWEST_ON_BINS}"
        return MandelQ(None, None, everything, None, None, None, reason)
    direct = jackknife_blocks(len(on), lambda kept: np.array([_measure_q(on[kept])]))[0]
    window = _find_peak_window(on, states.threshold)
    if window is None:
        reason = "the ON bins have no peak that a Gaussian could be fitted to"
        return MandelQ(None, direct, everything, None, None, None, reason)
    mean, width, q = jackknife_blocks(
        len(on), lambda kept: _fit_peak(_bin_counts(on[kept]), window)
    )
    return MandelQ(q, direct, everything, mean, width, window, "")


def _measure_q(counts: NDArray[np.int64]) -> float:
    mean = float(counts.mean())
    return float(counts.var(ddof=1)) / mean - 1.0 if mean > 0.0 and len(counts) > 1 else math.nan


def _bin_counts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    histogram: NDArray[np.int64] = np.bincount(counts)
    return histogram


def _find_peak_window(on: NDArray[np.int64], threshold: float) -> tuple[float, float] | None:
    """Find the counts between which to fit the peak: fit until they stay the same."""
    histogram = _bin_counts(on)
    center = float(np.median(on))
    width = max(math.sqrt(center), 1.4826 * float(np.median(np.abs(on - center))))
    window = (0.0, 0.0)
    for _ in range(_MOST_ROUNDS):
        low = max(math.floor(threshold) + 0.5, math.floor(center - FITTED_WIDTH * width) + 0.5)
        high = math.ceil(center + FITTED_WIDTH * width) + 0.5
        if (low, high) == window:
            break
        window = (low, high)
        inside = histogram[int(low + 0.5) : int(high + 0.5)]
        if np.count_nonzero(inside) < 3:
            return None
        center, width, _ = _fit_peak(histogram, window)
        if not (low < center < high and 0.0 < width < 10.0 * (high - low)):
            return None
    return window


def _fit_peak(histogram: NDArray[np.int64], window: tuple[float, float]) -> NDArray[np.float64]:
    """μ, σ and Q of the Gaussian of greatest likelihood for the counts within the window.

    Within it p(n) ∝ exp(a x + b x²) at whole n with x = (n − m)/s, so that the likelihood is
    greatest where ⟨x⟩ and ⟨x²⟩ are those of the data: Newton's method. NaN where b would not be
    negative, which is no peak.
    """
    low, high = window
    values = np.arange(int(low + 0.5), min(int(high + 0.5), len(histogram)))
    seen = histogram[values]
    total = int(seen.sum())
    if total < 3:
        return np.full(3, np.nan)
    mean = float(values @ seen) / total
    scale = math.sqrt(max(float((values - mean) ** 2 @ seen) / total, 0.25))
    inside = np.arange(int(low + 0.5), int(high + 0.5))
    powers = ((inside[None, :] - mean) / scale) ** np.array([[1], [2]])
    wanted = powers[:, : len(seen)] @ seen / total
    point = np.array([0.0, -0.4])
    for _ in range(_MOST_ROUNDS):
        logs = point @ powers
        chances = np.exp(logs - logs.max())
        chances /= chances.sum()
        found = powers @ chances
        spread = (powers * chances) @ powers.T - np.outer(found, found)
        step = np.linalg.lstsq(spread, wanted - found, rcond=None)[0]
        point = point + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < _PRECISE:
            break
    if point[1] >= 0.0:
        return np.full(3, np.nan)
    center = mean - scale * point[0] / (2.0 * point[1])
    width = scale / math.sqrt(-2.0 * point[1])
    return np.array([center, width, width**2 / center - 1.0])
