"""g2 from nanoseconds to seconds, in logarithmic bins, exactly normalised.

    g2 = N / E,   E = r₂ Σ_i K(t_i) + r₁ Σ_j K'(t_j) − r₁ r₂ ∫ K dt

N are the pairs of a bin and E those expected of light that knows nothing of its photons. K(t) is
how much of the bin's delays after a photon at t was measured, K' the same before it: the width of
the bin, but less near the ends of the measurement and near gaps; r are the rates. Sums over the
photons that came, instead of the means of all that could have, take off the two terms in which E
and N fluctuate together (the first terms of Hoeffding's decomposition), so that what is left is
Poisson noise of N: g2 is 1 within counting error in every bin, at any rate and with gaps. Pairs of
both orders of the two detectors are added. With pulsed excitation delays are counted in pulses, for
within a period there is only the comb of the pulses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.correlations.pair_counting import count_pairs
from qdcomp.experiment.correlations.pair_windows import (
    Clock,
    iterate_pair_windows,
    make_clock,
    require_channel_pair,
)
from qdcomp.experiment.intensity_trace import compute_blinking_trace
from qdcomp.experiment.photon_stream import PhotonSource

SHORTEST_S, LONGEST_S = 1e-8, 1.0
BINS_PER_DECADE = 10

_TRACE_BINS = 20_000
"""Bins of time that the photons are taken together in where only the ends of the measurement and
of gaps tell them apart."""


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
    g2, error
        Their ratio and its Poisson error, shape ``(n_bins,)``.
    channels
        The two channels.
    """

    edges_s: NDArray[np.float64]
    pairs: NDArray[np.int64]
    expected: NDArray[np.float64]
    g2: NDArray[np.float64]
    error: NDArray[np.float64]
    channels: tuple[int, int]

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
) -> LongDelayG2:
    """Count pairs of two detectors in logarithmic bins of their delay.

    Borders lie on whole ticks, so that a bin holds what its width says; bins narrower than a tick
    are joined.

    Parameters
    ----------
    source
        Photons.
    channels
        The two channels; the two that there are if absent.
    shortest_s, longest_s
        Delays [s]; not below one pulse with pulsed excitation.
    bins_per_decade
        Density of the bins.
    gaps_s
        Times without measurement, (from, to) [s], such as `find_gaps` gives.

    Raises
    ------
    InputError
        If there is one channel only, the delays are no rising pair, the longest is not shorter
        than the measurement, or gaps overlap or leave nothing.
    """
    header = source.header
    pair = require_channel_pair(header, channels)
    if pair[0] == pair[1]:
        raise InputError("the long-delay g2 needs two different channels")
    if not 0.0 < shortest_s < longest_s < header.duration_s:
        raise InputError(
            f"delays from {shortest_s:g} to {longest_s:g} s; expected a rising pair below the "
            f"{header.duration_s:g} s of the measurement"
        )
    if bins_per_decade < 1:
        raise InputError(f"{bins_per_decade} bins per decade; expected 1 or more")
    pulsed = header.mode == "T3" and header.metadata.get("macrotimes_count_pulses") is not False
    clock = make_clock(header, "macrotime" if pulsed else "arrival")
    edges = choose_edges(clock, shortest_s, longest_s, bins_per_decade)
    pairs = np.zeros(len(edges) - 1, np.int64)
    for ordered in (pair, pair[::-1]):
        for window in iterate_pair_windows(source, ordered, clock, 0, int(edges[-1])):
            pairs += count_pairs(window.starts, window.stops, edges)
    edges_s = np.asarray(edges * clock.tick_s, np.float64)
    live = _find_live(header.duration_s, gaps_s)
    # A lag of k whole ticks stands for delays from k − ½ to k + ½.
    expected = _expect_pairs(source, pair, edges_s - 0.5 * clock.tick_s, live)
    return LongDelayG2(
        edges_s=edges_s,
        pairs=pairs,
        expected=expected,
        g2=pairs / expected,
        error=np.sqrt(np.maximum(pairs, 1)) / expected,
        channels=pair,
    )


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


def find_gaps(
    counts: NDArray[np.int64], bin_s: float, fewest_missing: float = 30.0
) -> tuple[tuple[float, float], ...]:
    """Find stretches without a photon that should have held many: times without measurement.

    Parameters
    ----------
    counts
        Photons per time bin, shape ``(n_bins,)``.
    bin_s
        Width of a bin [s].
    fewest_missing
        Photons that a stretch should have held at the lowest rate that the trace shows.
    """
    lit = counts[counts > 0]
    if len(lit) == 0:
        return ()
    dimmest = float(np.quantile(lit, 0.01))
    empty = np.concatenate([[False], counts == 0, [False]])
    borders = np.flatnonzero(empty[1:] != empty[:-1]).reshape(-1, 2)
    return tuple(
        (float(low * bin_s), float(high * bin_s))
        for low, high in borders
        if (high - low) * dimmest >= fewest_missing
    )


def _find_live(duration_s: float, gaps_s: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """List the times of measurement between the gaps, (from, to) [s], shape ``(n, 2)``."""
    ordered = sorted(gaps_s)
    starts: list[float] = [0.0]
    ends: list[float] = []
    for low, high in ordered:
        if not starts[-1] <= low < high <= duration_s * (1.0 + 1e-9):
            raise InputError(f"gap {low:g}–{high:g} s overlaps another or the measurement's ends")
        ends.append(low)
        starts.append(high)
    ends.append(duration_s)
    live = np.column_stack([starts, ends])
    live = live[live[:, 1] > live[:, 0]]
    if len(live) == 0:
        raise InputError("the gaps leave no time of measurement")
    return live


def _expect_pairs(
    source: PhotonSource,
    pair: tuple[int, int],
    edges_s: NDArray[np.float64],
    live: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Pairs of each bin, both orders, of photons that know nothing of each other."""
    duration = source.header.duration_s
    step = duration / _TRACE_BINS
    traces = [
        compute_blinking_trace(source, step, (channel,)).counts.astype(np.float64)
        for channel in pair
    ]
    times = np.asarray((np.arange(len(traces[0])) + 0.5) * step, np.float64)
    time = float((live[:, 1] - live[:, 0]).sum())
    rates = [float(trace.sum()) / time for trace in traces]
    expected = np.zeros(len(edges_s) - 1)
    for first, second in ((0, 1), (1, 0)):
        after = _measure_reach(times, edges_s, live)
        before = _measure_reach(-times[::-1], edges_s, -live[::-1, ::-1])[:, ::-1]
        inside = _is_live(times, live)
        expected += rates[second] * (after @ traces[first])
        expected += rates[first] * (before @ traces[second])
        expected -= rates[first] * rates[second] * step * (after @ inside)
    return expected


def _measure_reach(
    times: NDArray[np.float64], edges_s: NDArray[np.float64], live: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How much of each bin of delays after each time is measured [s], shape (n_bins, n_times)."""
    borders = live.ravel()
    passed = np.concatenate(
        [[0.0], np.cumsum(np.diff(borders) * (np.arange(len(borders) - 1) % 2 == 0))]
    )
    cumulative = [np.interp(times + edge, borders, passed) for edge in edges_s]
    reach: NDArray[np.float64] = np.diff(np.array(cumulative), axis=0)
    return reach


def _is_live(times: NDArray[np.float64], live: NDArray[np.float64]) -> NDArray[np.float64]:
    place = np.searchsorted(live.ravel(), times)
    return np.asarray(place % 2 == 1, np.float64)
