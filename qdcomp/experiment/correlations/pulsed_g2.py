"""g2 of pulsed excitation: coincidences of two detectors by the number of pulses between them.

    g2(0) = N₀ / N̄,

the coincidences of one pulse over the mean of those of different pulses: 0 for a single emitter
that gives at most one photon a pulse, 1 for light that knows nothing of its photons. Of each photon
only the pulse counts, whatever its delay: the full period is integrated, and a detector that clicks
twice after one pulse, as by an afterpulse, clicked once.

Background that does not come from the dot lifts g2(0). Where it is a share b of all photons,

    g2 = (g2_measured − (1 − s²)) / s²,   s = 1 − b

(Brouri et al., Opt. Lett. 25, 1294 (2000)); Mi et al. 2025 subtract the share that the decay's
baseline shows. D'Amato et al. 2023 correct the coincidences M by those that background alone would
give, M_c = M + M_b − 2 √(M M_b).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.correlations.pair_counting import add_pulse_pairs
from qdcomp.experiment.correlations.pair_windows import (
    Keep,
    iterate_pair_windows,
    make_clock,
    require_channel_pair,
)
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.photon_stream import PhotonSource

LARGEST_LAG = 5

_NO_DELAYS = np.empty(0, np.uint16)


@dataclass(frozen=True)
class PulsedG2:
    """Coincidences by pulses.

    Attributes
    ----------
    lags
        Pulses from the start to the stop photon, −n…n, int64 with shape ``(2 n + 1,)``.
    coincidences
        Pairs at each lag, int64 of the same shape.
    g2, error
        Coincidences over the mean of the lags that are not 0, and Poisson errors, same shape.
    zero_delay
        g2(0).
    channels
        Start and stop channel.
    period_ns
        Time between pulses [ns].
    """

    lags: NDArray[np.int64]
    coincidences: NDArray[np.int64]
    g2: NDArray[np.float64]
    error: NDArray[np.float64]
    zero_delay: Estimate
    channels: tuple[int, int]
    period_ns: float

    @property
    def purity(self) -> Estimate:
        """Single-photon purity, 1 − g2(0)."""
        return Estimate(1.0 - self.zero_delay.value, self.zero_delay.error)


def compute_pulsed_g2(
    source: PhotonSource,
    channels: Sequence[int] | None = None,
    *,
    largest_lag: int = LARGEST_LAG,
    keep: Keep | None = None,
) -> PulsedG2:
    """Count coincidences by pulses.

    Parameters
    ----------
    source
        Photons of mode T3, macrotimes counting pulses.
    channels
        Start and stop channel; the two that there are if absent.
    largest_lag
        n: lags −n…n are counted.
    keep
        Gives which photons of a chunk count, as of some intensities or delays; all if absent.

    Raises
    ------
    InputError
        If the stream is of mode T2, its macrotimes do not count pulses, it has one channel, the
        largest lag is less than 1, or there are no coincidences of different pulses.
    """
    header = source.header
    period = header.sync_period_ns
    if period is None:
        raise InputError(
            "the stream is of mode T2 and does not know its pulses; for pulsed g2 measure in mode "
            "T3 with the laser's sync, or use the long-delay g2"
        )
    if header.metadata.get("macrotimes_count_pulses") is False:
        raise InputError(
            "this instrument's macrotimes are a clock and do not count pulses: which photons came "
            "from one pulse cannot be told"
        )
    if largest_lag < 1:
        raise InputError(f"a largest lag of {largest_lag} pulses; expected 1 or more")
    pair = require_channel_pair(header, channels)
    peaks = np.zeros(2 * largest_lag + 1, np.int64)
    valleys = np.zeros(2 * largest_lag + 2, np.int64)
    clock = make_clock(header, "macrotime")
    for window in iterate_pair_windows(source, pair, clock, largest_lag, largest_lag, keep=keep):
        starts, stops = _drop_repeats(window.starts), _drop_repeats(window.stops)
        own = int(np.searchsorted(stops, starts[0])) if window.own >= 0 else -1
        add_pulse_pairs(starts, stops, _NO_DELAYS, _NO_DELAYS, 1.0, 0.0, -1.0, own, peaks, valleys)
    return _normalise(peaks, pair, period)


def _drop_repeats(pulses: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each pulse once; they never fall, which `numpy.unique` could not know."""
    first = np.ones(len(pulses), np.bool_)
    np.not_equal(pulses[1:], pulses[:-1], out=first[1:])
    return pulses[first]


def _normalise(peaks: NDArray[np.int64], pair: tuple[int, int], period_ns: float) -> PulsedG2:
    middle = len(peaks) // 2
    lags = np.arange(-middle, middle + 1)
    side = int(peaks[lags != 0].sum())
    if side == 0:
        raise InputError("there are no coincidences of different pulses, so g2 has no scale")
    mean = side / (len(peaks) - 1)
    g2 = peaks / mean
    # A peak without a coincidence is as uncertain as one with one.
    own = np.sqrt(np.maximum(peaks, 1)) / mean
    error = np.hypot(own, g2 / math.sqrt(side))
    return PulsedG2(
        lags=lags,
        coincidences=peaks,
        g2=g2,
        error=error,
        zero_delay=Estimate(float(g2[middle]), float(error[middle])),
        channels=pair,
        period_ns=period_ns,
    )


def subtract_background(g2: Estimate, background_share: Estimate) -> Estimate:
    """Take what background adds off a g2: (g2 − (1 − s²)) / s², s = 1 − b.

    Parameters
    ----------
    g2
        As measured.
    background_share
        b, share of all photons that is background, as from the baseline of the decay.

    Raises
    ------
    InputError
        If the share is not between 0 and 1.
    """
    share = background_share.value
    if not 0.0 <= share < 1.0:
        raise InputError(f"a background share of {share}; expected 0 or more and less than 1")
    signal = 1.0 - share
    value = (g2.value - 1.0 + signal**2) / signal**2
    by_share = 2.0 * (1.0 - g2.value) / signal**3 * background_share.error
    return Estimate(value, math.hypot(g2.error / signal**2, by_share))


def subtract_background_coincidences(measured: Estimate, background: Estimate) -> Estimate:
    """Coincidences without those of background, M + M_b − 2 √(M M_b) (D'Amato et al. 2023).

    Parameters
    ----------
    measured, background
        Coincidences M, and those that background alone would give, M_b.

    Raises
    ------
    InputError
        If one is negative.
    """
    if measured.value < 0.0 or background.value < 0.0:
        raise InputError("coincidences are negative; expected counts")
    roots = math.sqrt(measured.value), math.sqrt(background.value)
    value = (roots[0] - roots[1]) ** 2
    slopes = (
        1.0 - roots[1] / roots[0] if roots[0] else 1.0,
        1.0 - roots[0] / roots[1] if roots[1] else 1.0,
    )
    return Estimate(value, math.hypot(slopes[0] * measured.error, slopes[1] * background.error))
