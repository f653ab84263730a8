"""g2 of pulsed excitation: coincidences of two detectors by the number of pulses between them.

    g2(0) = N₀ / N̄,

the coincidences of one pulse over the mean of those of different pulses: 0 for a single emitter
that gives at most one photon a pulse, 1 for light that knows nothing of its photons. Of each photon
only the pulse counts, whatever its delay: the full period is integrated, and a detector that clicks
twice after one pulse, as by an afterpulse, clicked once.

Background that does not come from the dot lifts g2(0). Where it is a share b of all photons,

    g2 = (g2_measured − (1 − s²)) / s²,   s = 1 − b

(Brouri et al., Opt. Lett. 25, 1294 (2000)), where g2 is 1 for light that knows nothing of its
photons. The side peaks of a dot that blinks lie above that, and a background that does not blink
makes a smaller share of them. With U the coincidences of uncorrelated light of the same rates,
X = (1 − s²) U of every peak belong to background, and

    g2(0) = (N₀ − X) / (N̄ − X)

which is the same for a steady dot, N̄ = U. Mi et al. 2025 subtract the share that the decay's
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
    count_pair_photons,
    iterate_pair_windows,
    make_clock,
    require_channel_pair,
)
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.photon_stream import PhotonSource, StreamHeader

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
    uncorrelated
        U, coincidences of a lag of light of the same rates that knows nothing of its photons.
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
    uncorrelated: float
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
    kept_s: float | None = None,
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
    keep, kept_s
        Gives which photons of a chunk count, as of some intensities, and how long those
        intensities lasted together [s]; all photons and the whole measurement if absent.

    Raises
    ------
    InputError
        If the stream is of mode T2, its macrotimes do not count pulses, it has one channel, the
        largest lag is less than 1, or there are no coincidences of different pulses.
    """
    header = source.header
    period = require_pulses(header, largest_lag)
    pair = require_channel_pair(header, channels)
    peaks = np.zeros(2 * largest_lag + 1, np.int64)
    valleys = np.zeros(2 * largest_lag + 2, np.int64)
    clock = make_clock(header, "macrotime")
    for window in iterate_pair_windows(source, pair, clock, largest_lag, largest_lag, keep=keep):
        starts, stops = _drop_repeats(window.starts), _drop_repeats(window.stops)
        own = int(np.searchsorted(stops, starts[0])) if window.own >= 0 else -1
        add_pulse_pairs(starts, stops, _NO_DELAYS, _NO_DELAYS, 1.0, 0.0, -1.0, own, peaks, valleys)
    first, second = count_pair_photons(source, pair, keep)
    pulses = (header.duration_s if kept_s is None else kept_s) / header.macrotime_resolution_s
    return normalise_coincidences(peaks, first * second / pulses, pair, period)


def require_pulses(header: StreamHeader, largest_lag: int) -> float:
    """Period of the pulses [ns] of a stream that counts them.

    Raises
    ------
    InputError
        If the stream is of mode T2, its macrotimes do not count pulses, or the lag is below 1.
    """
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
    return period


def _drop_repeats(pulses: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each pulse once; they never fall, which `numpy.unique` could not know."""
    first = np.ones(len(pulses), np.bool_)
    np.not_equal(pulses[1:], pulses[:-1], out=first[1:])
    return pulses[first]


def normalise_coincidences(
    peaks: NDArray[np.int64], uncorrelated: float, pair: tuple[int, int], period_ns: float
) -> PulsedG2:
    """Compare coincidences of lags −n…n with the mean of those of different pulses.

    Raises
    ------
    InputError
        If there are no coincidences of different pulses.
    """
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
        uncorrelated=uncorrelated,
        channels=pair,
        period_ns=period_ns,
    )


def subtract_pulsed_background(pulsed: PulsedG2, background_share: Estimate) -> Estimate:
    """Take a steady background off g2(0) of a dot that may blink: (N₀ − X)/(N̄ − X).

    Parameters
    ----------
    pulsed
        Coincidences by pulses.
    background_share
        b, share of their photons that is background, as from the baseline of the decay.

    Raises
    ------
    InputError
        If the share is not between 0 and 1, or background alone gives as many coincidences.
    """
    share = background_share.value
    if not 0.0 <= share < 1.0:
        raise InputError(f"a background share of {share}; expected 0 or more and less than 1")
    middle = len(pulsed.coincidences) // 2
    zero = float(pulsed.coincidences[middle])
    side = float(pulsed.coincidences.sum()) - zero
    mean = side / (2 * middle)
    ours = (1.0 - (1.0 - share) ** 2) * pulsed.uncorrelated
    left = mean - ours
    if left <= 0.0:
        raise InputError("background alone gives as many coincidences as there are")
    value = (zero - ours) / left
    errors = (
        math.sqrt(max(zero, 1.0)) / left,
        value * math.sqrt(side) / (2 * middle) / left,
        (value - 1.0) / left * 2.0 * (1.0 - share) * pulsed.uncorrelated * background_share.error,
    )
    return Estimate(value, math.hypot(*errors))


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
