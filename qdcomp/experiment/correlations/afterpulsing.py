"""Dead time and afterpulses of a detector, from the light that it counted.

The autocorrelation of one detector holds the correlations of the light, dead time and afterpulses;
the cross-correlation with another one behind the same beam splitter holds those of the light alone.
Their difference is the detector's, whatever the light. With one detector the light is taken to know
nothing of its photons over the range that is looked at.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeWarning, curve_fit

from qdcomp.errors import InputError
from qdcomp.experiment.correlations.detector_effects import (
    DetectorEffects,
    compare_with_steady_light,
    expect_afterpulses,
)
from qdcomp.experiment.correlations.pair_counting import count_pairs
from qdcomp.experiment.correlations.pair_windows import Clock, iterate_pair_windows, make_clock
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.photon_stream import PhotonSource

RANGE_NS = 5000.0
"""Delays behind the dead time: afterpulses of avalanche diodes come within microseconds (Ziarkash
et al., Sci. Rep. 8, 5076 (2018))."""

_BINS = 60
_SHORTEST_NS = 2.0
_ROUNDS = 5


@dataclass(frozen=True)
class _Pairs:
    """Pairs of counts by delay, and those that the light gives, with its variance."""

    edges_ns: NDArray[np.float64]
    counted: NDArray[np.float64]
    light: NDArray[np.float64]
    light_variance: NDArray[np.float64]


def estimate_afterpulsing(
    source: PhotonSource,
    channel: int,
    *,
    dead_time_ns: float | None = None,
    range_ns: float = RANGE_NS,
) -> DetectorEffects:
    """Find dead time and afterpulses of one detector.

    Parameters
    ----------
    source
        Photons; with a second channel the correlations of the light itself do not matter.
    channel
        The detector.
    dead_time_ns
        Its dead time [ns]; the shortest delay between two of its counts if absent.
    range_ns
        Delays behind the dead time that are looked at [ns].

    Raises
    ------
    InputError
        If the channel has no photon, no two counts are that close, or no afterpulses stand out.
    """
    header = source.header
    count = header.photons_per_channel.get(channel, 0)
    if count == 0:
        raise InputError(f"no photon on channel {channel}; the stream has {list(header.channels)}")
    clock = make_clock(header, "arrival")
    tick_ns = clock.tick_s * 1e9
    dead = dead_time_ns
    if dead is None:
        dead = _find_shortest_delay(source, channel, clock, range_ns)
    others = [other for other in header.channels if other != channel]
    pairs = _count(source, clock, (channel, others[0] if others else None), dead, range_ns)
    known = DetectorEffects(dead_time_ns=max(dead - 0.5 * tick_ns, 0.0))

    def model(edges: NDArray[np.float64], chance: float, log_time: float) -> NDArray[np.float64]:
        detector = DetectorEffects(
            known.dead_time_ns,
            Estimate(min(max(chance, 0.0), 0.99), 0.0),
            Estimate(float(np.exp(log_time)), 0.0),
        )
        return count * expect_afterpulses(detector, count / header.duration_s, edges)

    excess = pairs.counted - pairs.light
    variance = pairs.light + 1.0 + pairs.light_variance
    point = np.array([0.01, np.log(0.02 * range_ns)])
    try:
        # Parameters that the data do not tell apart are an error here, not a warning.
        with warnings.catch_warnings():
            warnings.simplefilter("error", OptimizeWarning)
            for _ in range(_ROUNDS):
                point, covariance = curve_fit(
                    model,
                    pairs.edges_ns,
                    excess,
                    point,
                    np.sqrt(variance),
                    absolute_sigma=True,
                    bounds=([0.0, np.log(tick_ns)], [0.9, np.log(range_ns)]),
                )
                variance = (
                    np.maximum(model(pairs.edges_ns, *point) + pairs.light, 1.0)
                    + pairs.light_variance
                )
    except (RuntimeError, OptimizeWarning) as error:
        raise InputError("no afterpulses could be fitted to the autocorrelation") from error
    errors = np.sqrt(np.diag(covariance))
    if not np.all(np.isfinite(errors)) or point[0] < 3.0 * errors[0] or errors[1] > 1.0:
        raise InputError("no afterpulses stand out of the counting error of the autocorrelation")
    time = float(np.exp(point[1]))
    return DetectorEffects(
        dead_time_ns=known.dead_time_ns,
        afterpulse_probability=Estimate(float(point[0]), float(errors[0])),
        afterpulse_time_ns=Estimate(time, time * float(errors[1])),
    )


def _find_shortest_delay(
    source: PhotonSource, channel: int, clock: Clock, range_ns: float
) -> float:
    shortest = None
    reach = max(1, round(range_ns * 1e-9 / clock.tick_s))
    for window in iterate_pair_windows(source, (channel, channel), clock, 0, reach):
        waits = np.diff(window.stops)
        if len(waits):
            least = int(waits.min())
            shortest = least if shortest is None else min(shortest, least)
    if shortest is None or shortest > reach:
        raise InputError(f"no two counts of channel {channel} are within {range_ns:g} ns")
    return shortest * clock.tick_s * 1e9


def _count(
    source: PhotonSource,
    clock: Clock,
    channels: tuple[int, int | None],
    dead_ns: float,
    range_ns: float,
) -> _Pairs:
    """Count pairs of a channel with itself and with another, in bins of the delay."""
    header = source.header
    tick_ns = clock.tick_s * 1e9
    first = max(1, round(dead_ns / tick_ns))
    steps = np.logspace(np.log10(_SHORTEST_NS), np.log10(range_ns), _BINS)
    edges = np.unique(np.append(first, first + np.rint(steps / tick_ns).astype(np.int64)))
    own, other = channels

    def count(pair: tuple[int, int]) -> NDArray[np.float64]:
        counts = np.zeros(len(edges) - 1, np.int64)
        for window in iterate_pair_windows(source, pair, clock, 0, int(edges[-1])):
            counts += count_pairs(window.starts, window.stops, edges)
        return counts.astype(np.float64)

    counted = count((own, own))
    number = header.photons_per_channel[own]
    edges_ns = np.asarray((edges - 0.5) * tick_ns, np.float64)
    if other is None:
        light = number**2 * np.diff(edges_ns) * 1e-9 / header.duration_s
        variance = np.zeros(len(light))
    else:
        cross = count((own, other)) + count((other, own))
        scale = number / (2.0 * header.photons_per_channel[other])
        light, variance = scale * cross, scale**2 * cross
    if header.mode == "T2":
        rate = number / header.duration_s
        # The shortest delay of the counts may lie below the dead time that was asked for.
        light = light * compare_with_steady_light(edges_ns[0], rate, edges_ns)
    return _Pairs(edges_ns, counted, light, variance)
