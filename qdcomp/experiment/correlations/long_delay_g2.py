"""g2 from nanoseconds to seconds, in logarithmic bins, exactly normalised.

    g2 = N / E

N are the pairs of a bin and E those expected of light that knows nothing of its photons
(`expected_pairs`): g2 is 1 within counting error in every bin, at any rate and with gaps. Pairs of
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
from qdcomp.experiment.correlations.expected_pairs import expect_pairs
from qdcomp.experiment.correlations.measured_time import keep_live_photons, list_live_times
from qdcomp.experiment.correlations.pair_counting import count_pairs
from qdcomp.experiment.correlations.pair_windows import (
    Clock,
    iterate_pair_windows,
    make_clock,
    require_channel_pair,
)
from qdcomp.experiment.photon_stream import PhotonSource

SHORTEST_S, LONGEST_S = 1e-8, 1.0
BINS_PER_DECADE = 10


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
        Times without measurement, (from, to) [s], such as `find_gaps` gives, or times that are not
        wanted: photons within them are left out.

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
    live = list_live_times(header.duration_s, gaps_s)
    keep = keep_live_photons(live, clock, header.duration_s) if gaps_s else None
    for ordered in (pair, pair[::-1]):
        for window in iterate_pair_windows(source, ordered, clock, 0, int(edges[-1]), keep=keep):
            pairs += count_pairs(window.starts, window.stops, edges)
    edges_s = np.asarray(edges * clock.tick_s, np.float64)
    # A lag of k whole ticks stands for delays from k − ½ to k + ½.
    expected = expect_pairs(source, pair, clock, edges_s - 0.5 * clock.tick_s, live)
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
