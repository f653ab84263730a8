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
from qdcomp.experiment.correlations.detector_effects import (
    DetectorEffects,
    compare_with_steady_light,
    expect_afterpulses,
    find_afterpulse_errors,
)
from qdcomp.experiment.correlations.pair_counting import add_lag_histogram
from qdcomp.experiment.correlations.pair_windows import (
    Keep,
    count_pair_photons,
    iterate_pair_windows,
    make_clock,
    require_channel_pair,
)
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.photon_stream import PhotonSource

RANGE_NS = 200.0
BIN_NS = 1.0

_FEWEST_PAIRS = 50
_FEWEST_BINS = 4
_ROUNDS = 6


@dataclass(frozen=True)
class CwG2:
    """g2 at short delays.

    Attributes
    ----------
    delays_ns
        Centres of the bins [ns], shape ``(n_bins,)``; positive only in an autocorrelation, whose
        two sides are the same pairs.
    pairs
        Pairs of each bin, int64 with shape ``(n_bins,)``.
    expected
        Pairs of light that knows nothing of its photons, shape ``(n_bins,)``.
    afterpulses
        Pairs that a detector made itself, shape ``(n_bins,)``; zero unless the autocorrelation of
        one channel was asked for and its detector is known.
    g2, error
        Pairs less afterpulses over those expected, and its error, shape ``(n_bins,)``: Poisson,
        and that of the afterpulses, in which all bins err together.
    channels
        Start and stop channel.
    """

    delays_ns: NDArray[np.float64]
    pairs: NDArray[np.int64]
    expected: NDArray[np.float64]
    afterpulses: NDArray[np.float64]
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
    detector: DetectorEffects | None = None,
    keep: Keep | None = None,
    kept_s: float | None = None,
) -> CwG2:
    """Count pairs against their delay from −range to +range.

    Parameters
    ----------
    source
        Photons.
    channels
        Start and stop channel; the two that there are if absent. The same one twice for its
        autocorrelation.
    range_ns, bin_ns
        Largest delay and width of a bin [ns]; the width is rounded to whole ticks.
    detector
        Dead time and afterpulses of the channel of an autocorrelation, measured or from
        `estimate_afterpulsing`: delays below the dead time are left out, afterpulses taken off.
        Both stay in it if absent. Two channels do not need it.
    keep, kept_s
        Gives which photons of a chunk count, as of some intensities, and how long those
        intensities lasted together [s]; all photons and the whole measurement if absent.

    Raises
    ------
    InputError
        If there is one channel only, the bin is no positive time, the range or what the dead time
        leaves of it holds fewer than four bins, or a channel has no chosen photon.
    """
    header = source.header
    pair = require_channel_pair(header, channels)
    clock = make_clock(header, "arrival")
    tick_ns = clock.tick_s * 1e9
    if not (np.isfinite(bin_ns) and bin_ns > 0.0):
        raise InputError(f"a bin of {bin_ns} ns is not a positive time")
    width = max(1, round(bin_ns / tick_ns))
    half = int(range_ns / (width * tick_ns)) if np.isfinite(range_ns) else 0
    if 2 * half < _FEWEST_BINS:
        raise InputError(f"a range of {range_ns} ns holds no four bins of {width * tick_ns:g} ns")
    pairs = np.zeros(2 * half + 1, np.int64)
    lowest = -half * width - width // 2
    reach = (half + 1) * width
    own = detector if pair[0] == pair[1] else None
    for window in iterate_pair_windows(source, pair, clock, reach, reach, keep=keep):
        add_lag_histogram(window.starts, window.stops, lowest, width, window.own, pairs)
    edges_ns = (lowest + width * np.arange(len(pairs) + 1) - 0.5) * tick_ns
    measured = header.duration_s if kept_s is None else kept_s
    rates = [count / measured for count in count_pair_photons(source, pair, keep)]
    expected = rates[0] * rates[1] * measured * width * clock.tick_s
    return _normalise(pairs, np.asarray(edges_ns, np.float64), expected, pair, own, rates[0])


def _normalise(
    pairs: NDArray[np.int64],
    edges_ns: NDArray[np.float64],
    expected: float,
    pair: tuple[int, int],
    detector: DetectorEffects | None,
    rate: float,
) -> CwG2:
    level = np.full(len(pairs), expected)
    own, doubt = np.zeros(len(pairs)), np.zeros(len(pairs))
    seen = np.ones(len(pairs), np.bool_)
    if pair[0] == pair[1]:
        # Half a tick below the first bin there is the photon itself.
        seen = edges_ns[:-1] > 0.0 if detector is None else edges_ns[:-1] >= detector.dead_time_ns
        if np.count_nonzero(seen) < _FEWEST_BINS:
            raise InputError("the dead time leaves no four bins; give a larger range")
    if detector is not None:
        photons = expected / (rate * 1e-9 * (edges_ns[1] - edges_ns[0]))
        behind = np.maximum(edges_ns, 0.0)
        own = photons * expect_afterpulses(detector, rate, behind)
        doubt = photons * find_afterpulse_errors(detector, rate, behind)
        level[seen] *= compare_with_steady_light(
            detector.dead_time_ns, rate, edges_ns[np.append(seen, True)]
        )
    error = np.hypot(np.sqrt(np.maximum(pairs, 1)), doubt) / level
    return CwG2(
        delays_ns=0.5 * (edges_ns[1:] + edges_ns[:-1])[seen],
        pairs=pairs[seen],
        expected=level[seen],
        afterpulses=own[seen],
        g2=((pairs - own) / level)[seen],
        error=error[seen],
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
