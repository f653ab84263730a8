"""g2 from nanoseconds to seconds, in logarithmic bins, exactly normalised.

    g2 = N / E

N are the pairs of a bin and E those expected of light that knows nothing of its photons
(`expected_pairs`): g2 is 1 within counting error in every bin, at any rate and with gaps. Pairs of
both orders of the two detectors are added. With pulsed excitation delays are counted in pulses, for
within a period there is only the comb of the pulses.

The autocorrelation of one channel is free neither of its dead time nor of its afterpulses; with
both known (`detector_effects`) bins below the dead time are left out, the afterpulses are taken off
the pairs, and E is that of steady light that the detector counted. Light that blinks is compressed
by the dead time, for bright time loses more counts: an excess of g2 over 1 is low by about 2 r t_d
of itself, which is not corrected.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.correlations.detector_effects import (
    DetectorEffects,
    compare_with_steady_light,
    expect_afterpulses,
    find_afterpulse_errors,
)
from qdcomp.experiment.correlations.expected_pairs import expect_pairs
from qdcomp.experiment.correlations.measured_time import keep_live_photons, list_live_times
from qdcomp.experiment.correlations.pair_counting import count_pairs
from qdcomp.experiment.correlations.pair_windows import (
    Clock,
    Keep,
    iterate_pair_windows,
    make_clock,
    require_channel_pair,
)
from qdcomp.experiment.photon_stream import PhotonSource

BLOCKS = 20
"""Stretches of time."""

SHORTEST_S, LONGEST_S = 1e-8, 1.0
BINS_PER_DECADE = 10


@dataclass(frozen=True)
class DelayBlocks:
    """Pairs by the stretch of time in which the earlier photon came.

    Attributes
    ----------
    pairs
        Pairs of each bin, int64 with shape ``(n_blocks, n_bins)``.
    photons
        Photons of the two channels, int64 with shape ``(n_blocks, 2)``.
    measured_s
        Time of measurement in each stretch [s], shape ``(n_blocks,)``.
    """

    pairs: NDArray[np.int64]
    photons: NDArray[np.int64]
    measured_s: NDArray[np.float64]


@dataclass(frozen=True)
class LongDelayG2:
    """g2 against delay.

    Attributes
    ----------
    edges_s
        Borders of the bins [s], rising, shape ``(n_bins + 1,)``.
    pairs
        Pairs of each bin, int64 with shape ``(n_bins,)``.
    expected
        Pairs of light that knows nothing of its photons, shape ``(n_bins,)``.
    afterpulses
        Pairs that a detector made itself, with its error, shape ``(n_bins,)``; zero unless the
        autocorrelation of one channel was asked for and its detector is known.
    g2, error
        Pairs less afterpulses over those expected, and its error, shape ``(n_bins,)``: Poisson,
        and that of the afterpulses, in which all bins err together. NaN where gaps leave no two
        times of such a delay.
    channels
        The two channels.
    blocks
        The same of equal stretches of time, by which fits find their errors.
    """

    edges_s: NDArray[np.float64]
    pairs: NDArray[np.int64]
    expected: NDArray[np.float64]
    afterpulses: NDArray[np.float64]
    g2: NDArray[np.float64]
    error: NDArray[np.float64]
    channels: tuple[int, int]
    blocks: DelayBlocks

    @property
    def delays_s(self) -> NDArray[np.float64]:
        """Geometric centres of the bins [s], shape ``(n_bins,)``."""
        return np.asarray(np.sqrt(self.edges_s[1:] * self.edges_s[:-1]), np.float64)


def compute_long_delay_g2(
    source: PhotonSource,
    channels: Sequence[int] | None = None,
    *,
    shortest_s: float = SHORTEST_S,
    longest_s: float = LONGEST_S,
    bins_per_decade: int = BINS_PER_DECADE,
    gaps_s: Sequence[tuple[float, float]] = (),
    detector: DetectorEffects | None = None,
) -> LongDelayG2:
    """Count pairs of two detectors, or of one, in logarithmic bins of their delay.

    Borders lie on whole ticks, so that a bin holds what its width says; bins narrower than a tick
    are joined.

    Parameters
    ----------
    source
        Photons.
    channels
        The two channels; the two that there are if absent. The same one twice for its
        autocorrelation.
    shortest_s, longest_s
        Delays [s]; not below one pulse with pulsed excitation.
    bins_per_decade
        Density of the bins.
    gaps_s
        Times without measurement, (from, to) [s], such as `find_gaps` gives, or times that are not
        wanted: photons within them are left out.
    detector
        Dead time and afterpulses of the channel of an autocorrelation, measured or from
        `estimate_afterpulsing`; both stay in it if absent. With pulsed excitation good to one
        pulse. Two channels do not need it.

    Raises
    ------
    InputError
        If there is one channel only, the delays are no rising pair, the longest is not shorter
        than the measurement, gaps overlap or leave nothing, or the dead time leaves no delay or
        does not let that many counts through.
    """
    header = source.header
    pair = require_channel_pair(header, channels)
    own = detector if pair[0] == pair[1] else None
    if own is not None:
        shortest_s = max(shortest_s, 1e-9 * own.dead_time_ns)
    if not 0.0 < shortest_s < longest_s < header.duration_s:
        raise InputError(
            f"delays from {shortest_s:g} to {longest_s:g} s; expected a rising pair below the "
            f"{header.duration_s:g} s of the measurement"
        )
    if bins_per_decade < 1:
        raise InputError(f"{bins_per_decade} bins per decade; expected 1 or more")
    pulsed = header.mode == "T3" and header.metadata.get("macrotimes_count_pulses") is not False
    clock = make_clock(header, "macrotime" if pulsed else "arrival")
    tick_s = clock.tick_s
    edges = choose_edges(clock, shortest_s, longest_s, bins_per_decade)
    edges = edges[0 if own is None else np.searchsorted(edges, 1e-9 * own.dead_time_ns / tick_s) :]
    if len(edges) < 2:
        raise InputError("the dead time leaves no delay")
    live = list_live_times(header.duration_s, gaps_s)
    keep = keep_live_photons(live, clock, header.duration_s) if gaps_s else None
    blocks = _count_blocks(source, pair, clock, edges, live, keep)
    pairs = blocks.pairs.sum(axis=0)
    # A lag of k whole ticks stands for delays from k − ½ to k + ½.
    edges_s = np.asarray((edges - 0.5) * tick_s, np.float64)
    expected = expect_pairs(source, pair, clock, edges_s, live)
    afterpulses, doubt = np.zeros(len(pairs)), np.zeros(len(pairs))
    if own is not None:
        measured = float((live[:, 1] - live[:, 0]).sum())
        # Of the first bin nothing is lost at the ends: E = r² Δ T.
        rate = math.sqrt(expected[0] / ((edges_s[1] - edges_s[0]) * measured))
        delays_ns = 1e9 * edges_s
        afterpulses = rate * measured * expect_afterpulses(own, rate, delays_ns)
        doubt = rate * measured * find_afterpulse_errors(own, rate, delays_ns)
        if not pulsed:
            expected = expected * compare_with_steady_light(own.dead_time_ns, rate, delays_ns)
    return LongDelayG2(
        edges_s=np.asarray(edges * tick_s, np.float64),
        pairs=pairs,
        expected=expected,
        afterpulses=afterpulses,
        g2=_divide(pairs - afterpulses, expected),
        error=_divide(np.hypot(np.sqrt(np.maximum(pairs, 1)), doubt), expected),
        channels=pair,
        blocks=blocks,
    )


def _count_blocks(
    source: PhotonSource,
    pair: tuple[int, int],
    clock: Clock,
    edges: NDArray[np.int64],
    live_s: NDArray[np.float64],
    keep: Keep | None,
) -> DelayBlocks:
    borders_s = np.linspace(0.0, source.header.duration_s, BLOCKS + 1)
    borders = np.rint(borders_s[1:-1] / clock.tick_s).astype(np.int64)
    pairs = np.zeros((BLOCKS, len(edges) - 1), np.int64)
    photons = np.zeros((BLOCKS, 2), np.int64)
    for order, ordered in enumerate(dict.fromkeys((pair, pair[::-1]))):
        for window in iterate_pair_windows(source, ordered, clock, 0, int(edges[-1]), keep=keep):
            cuts = [0, *np.searchsorted(window.starts, borders), len(window.starts)]
            for block, (low, high) in enumerate(pairwise(cuts)):
                if high > low:
                    pairs[block] += count_pairs(window.starts[low:high], window.stops, edges)
                    photons[block, order] += high - low
    if pair[0] == pair[1]:
        photons[:, 1] = photons[:, 0]
    passed = np.concatenate([[0.0], np.cumsum(live_s[:, 1] - live_s[:, 0])])
    known = np.column_stack([passed[:-1], passed[1:]]).ravel()
    measured = np.diff(np.interp(borders_s, live_s.ravel(), known))
    return DelayBlocks(pairs, photons, np.asarray(measured, np.float64))


def _divide(pairs: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide by what is expected; NaN where gaps leave no pair of times of such a delay."""
    ratio = np.full(len(pairs), np.nan)
    np.divide(pairs, expected, out=ratio, where=expected > 0.0)
    return ratio


def choose_edges(
    clock: Clock, shortest_s: float, longest_s: float, bins_per_decade: int
) -> NDArray[np.int64]:
    """Borders of logarithmic bins in whole ticks, none twice."""
    number = max(1, math.ceil(math.log10(longest_s / shortest_s) * bins_per_decade - 1e-9))
    edges = np.logspace(math.log10(shortest_s), math.log10(longest_s), number + 1)
    ticks = np.unique(np.maximum(np.rint(edges / clock.tick_s), 1.0)).astype(np.int64)
    if len(ticks) < 2:
        raise InputError(
            f"no bin of {shortest_s:g} to {longest_s:g} s is as wide as a tick of "
            f"{clock.tick_s:g} s"
        )
    return ticks
