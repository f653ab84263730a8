"""g2 of continuous excitation: pairs of two detectors against their delay, and the antibunching.

    g2(τ) = N(τ) / (n₁ n₂ Δ / T),      g2(τ) = P (1 − a e^(−|τ|/τ₀))

P is the level beside the dip, 1 without bunching; g2(0) = 1 − a is counted from it. Bins are
compared with the mean of the model over them, for the dip has a cusp at zero delay. The fit weighs
bins by the counts that it expects itself, repeated until nothing changes, which is the maximum of
the Poisson likelihood. The instrument's response is not taken off: a jitter comparable with τ₀
fills the dip.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeWarning, curve_fit

from qdcomp.errors import InputError
from qdcomp.experiment.correlations.pair_counting import add_lag_histogram
from qdcomp.experiment.correlations.pair_windows import (
    iterate_pair_windows,
    make_clock,
    require_channel_pair,
)
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.photon_stream import PhotonSource

RANGE_NS = 200.0
BIN_NS = 1.0

_FEWEST_PAIRS = 50
_ROUNDS = 6


@dataclass(frozen=True)
class CwG2:
    """g2 at short delays.

    Attributes
    ----------
    delays_ns
        Centres of the bins [ns], shape ``(n_bins,)``.
    pairs
        Pairs of each bin, int64 with shape ``(n_bins,)``.
    expected
        Pairs of a bin of light that knows nothing of its photons.
    g2, error
        Pairs over those, and the Poisson error, shape ``(n_bins,)``.
    channels
        Start and stop channel.
    """

    delays_ns: NDArray[np.float64]
    pairs: NDArray[np.int64]
    expected: float
    g2: NDArray[np.float64]
    error: NDArray[np.float64]
    channels: tuple[int, int]


@dataclass(frozen=True)
class Antibunching:
    """The dip of g2.

    Attributes
    ----------
    zero_delay
        g2(0) = 1 − a.
    time_ns
        τ₀ [ns]: 1/τ₀ is the rate of emission and excitation together.
    level
        P, the level beside the dip.
    reduced_chi2
        Of the fit.
    fitted
        g2 of the fit in the bins, shape ``(n_bins,)``.
    """

    zero_delay: Estimate
    time_ns: Estimate
    level: Estimate
    reduced_chi2: float
    fitted: NDArray[np.float64]


def compute_cw_g2(
    source: PhotonSource,
    channels: Sequence[int] | None = None,
    *,
    range_ns: float = RANGE_NS,
    bin_ns: float = BIN_NS,
) -> CwG2:
    """Count pairs against their delay from −range to +range.

    Parameters
    ----------
    source
        Photons.
    channels
        Start and stop channel; the two that there are if absent.
    range_ns, bin_ns
        Largest delay and width of a bin [ns]; the width is rounded to whole ticks.

    Raises
    ------
    InputError
        If there is one channel only, the bin is no positive time, or the range holds fewer than
        four bins.
    """
    header = source.header
    pair = require_channel_pair(header, channels)
    clock = make_clock(header, "arrival")
    tick_ns = clock.tick_s * 1e9
    if not (np.isfinite(bin_ns) and bin_ns > 0.0):
        raise InputError(f"a bin of {bin_ns} ns is not a positive time")
    width = max(1, round(bin_ns / tick_ns))
    half = int(range_ns / (width * tick_ns)) if np.isfinite(range_ns) else 0
    if half < 2:
        raise InputError(f"a range of {range_ns} ns holds no four bins of {width * tick_ns:g} ns")
    pairs = np.zeros(2 * half + 1, np.int64)
    lowest = -half * width - width // 2
    reach = (half + 1) * width
    for window in iterate_pair_windows(source, pair, clock, reach, reach):
        add_lag_histogram(window.starts, window.stops, lowest, width, window.own, pairs)
    counts = [header.photons_per_channel[channel] for channel in pair]
    expected = counts[0] * counts[1] * width * clock.tick_s / header.duration_s
    centres = (lowest + width * (np.arange(len(pairs)) + 0.5) - 0.5) * tick_ns
    return CwG2(
        delays_ns=np.asarray(centres, np.float64),
        pairs=pairs,
        expected=expected,
        g2=pairs / expected,
        error=np.sqrt(np.maximum(pairs, 1)) / expected,
        channels=pair,
    )


def fit_antibunching(found: CwG2) -> Antibunching:
    """Fit the dip of g2 about zero delay.

    Parameters
    ----------
    found
        g2 at short delays.

    Raises
    ------
    InputError
        If there are fewer than 50 pairs, or no dip can be fitted.
    """
    total = int(found.pairs.sum())
    if total < _FEWEST_PAIRS:
        raise InputError(f"{total} pairs; a fit of the dip needs {_FEWEST_PAIRS}")
    delays = np.abs(found.delays_ns)
    width = float(found.delays_ns[1] - found.delays_ns[0])

    def model(
        tau: NDArray[np.float64], level: float, depth: float, time: float
    ) -> NDArray[np.float64]:
        return level * (1.0 - depth * _average_decay(tau, abs(time), width))

    mean = float(np.mean(found.g2))
    point = np.array([mean, 0.5, float(delays.max()) / 10.0])
    sigma = np.full(len(delays), np.sqrt(mean / found.expected))
    try:
        # Parameters that the data do not tell apart are an error here, not a warning.
        with warnings.catch_warnings():
            warnings.simplefilter("error", OptimizeWarning)
            for _ in range(_ROUNDS):
                point, covariance = curve_fit(
                    model, delays, found.g2, point, sigma, absolute_sigma=True, maxfev=20000
                )
                least = 0.2 / found.expected
                sigma = np.sqrt(np.maximum(model(delays, *point), least) / found.expected)
    except (RuntimeError, OptimizeWarning) as error:
        raise InputError("no dip of g2 could be fitted") from error
    errors = np.sqrt(np.diag(covariance))
    if not np.all(np.isfinite(errors)) or point[1] < 2.0 * errors[1]:
        raise InputError("no antibunching stands out of the counting error")
    fitted = model(delays, *point)
    return Antibunching(
        zero_delay=Estimate(1.0 - float(point[1]), float(errors[1])),
        time_ns=Estimate(abs(float(point[2])), float(errors[2])),
        level=Estimate(float(point[0]), float(errors[0])),
        reduced_chi2=float((((found.g2 - fitted) / sigma) ** 2).sum()) / max(len(delays) - 3, 1),
        fitted=fitted,
    )


def _average_decay(delays: NDArray[np.float64], time: float, width: float) -> NDArray[np.float64]:
    """Mean of exp(−|τ|/τ₀) over bins about these delays, shape ``(n_bins,)``."""
    half = 0.5 * width / time
    beside = np.exp(-delays / time) * np.sinh(min(half, 300.0)) / half
    across = -np.expm1(-half) / half
    average: NDArray[np.float64] = np.where(delays < 0.25 * width, across, beside)
    return average
