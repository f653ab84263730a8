"""Counting pairs of photons by the time between them, exactly: the compiled loops.

All times are whole ticks. A pair has a lag of `stop − start`; bin k of edges e holds the lags
e_k ≤ lag < e_(k+1). Two ways give the same numbers:

- **Short lags**, of which a start has a few: every pair is visited.
- **Long lags**: bin k holds C(e_(k+1)) − C(e_k) with C(e) = Σ_i #{j: stop_j < start_i + e}. A table
  of how many stops come before each cell of a fine grid of time, ⅛ to ¼ stop a cell, gives each
  term with a look-up and a comparison or two. The grid is laid anew for every block of starts, so
  it is as fine as the light there is strong, and it stays in the cache.
"""

from __future__ import annotations

import numpy as np
from numba import int64, njit, uint64
from numpy.typing import NDArray

VISITED_PAIRS = 2.0
"""Visiting up to so many pairs for each start is faster than the table (measured)."""

_BLOCK = 65536
"""Fewest starts that share one grid."""

_TILE = 2048
"""Starts that stay in the innermost cache while all edges are gone through."""

_CELLS_PER_STOP = 4

_OCTAVE_BITS = 4
"""Each octave of lags has 2⁴ entries in the table that finds a lag's bin."""

_SAMPLE = 256


def count_pairs(
    starts: NDArray[np.int64], stops: NDArray[np.int64], edges: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Pairs of every start with the stops after it, by lag.

    Parameters
    ----------
    starts, stops
        Ticks that never fall, int64 with shapes ``(n_starts,)`` and ``(n_stops,)``.
    edges
        Edges of the bins [ticks], positive and rising, int64 with shape ``(n_bins + 1,)``.

    Returns
    -------
    NDArray[np.int64]
        Pairs of each bin, shape ``(n_bins,)``.
    """
    counts = np.zeros(len(edges) - 1, np.int64)
    if len(starts) == 0 or len(stops) == 0:
        return counts
    visited = _choose_visited(starts, stops, edges)
    if visited > 0:
        table = _tabulate_octaves(edges[: visited + 1])
        _visit_pairs(starts, stops, edges[: visited + 1], table, counts)
    if visited < len(counts):
        _count_by_grid(starts, stops, edges[visited:], counts[visited:])
    return counts


def _choose_visited(
    starts: NDArray[np.int64], stops: NDArray[np.int64], edges: NDArray[np.int64]
) -> int:
    """Bins whose pairs are visited: those up to `VISITED_PAIRS` of a start, by a sample."""
    sample = starts[:: max(1, len(starts) // _SAMPLE)]
    first = np.searchsorted(stops, sample + edges[0])
    low, high = 0, len(edges) - 1
    while low < high:
        middle = (low + high + 1) // 2
        pairs = np.searchsorted(stops, sample + edges[middle]) - first
        if pairs.mean() <= VISITED_PAIRS:
            low = middle
        else:
            high = middle - 1
    return low


def _tabulate_octaves(edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """First bin that a lag can be in, by the leading bits of the lag as a double."""
    last = int(_take_leading_bits(float(edges[-1])))
    entries = np.arange(_take_leading_bits(1.0), last + 1, dtype=np.int64)
    smallest = (entries << (52 - _OCTAVE_BITS)).view(np.float64)
    bins = np.searchsorted(edges, np.floor(smallest).astype(np.int64), side="right") - 1
    return np.maximum(bins, 0)


@njit(cache=True)
def _take_leading_bits(lag):  # type: ignore[no-untyped-def]
    """Exponent and first bits of the mantissa: rises with the lag."""
    return np.float64(lag).view(np.int64) >> (52 - _OCTAVE_BITS)


@njit(cache=True, nogil=True)
def _visit_pairs(starts, stops, edges, table, counts):  # type: ignore[no-untyped-def]
    origin = _take_leading_bits(1.0)
    n_stops = len(stops)
    first = np.searchsorted(stops, starts[0] + edges[0])
    reach = edges[-1]
    for i in range(len(starts)):
        start = starts[i]
        while first < n_stops and stops[first] < start + edges[0]:
            first += 1
        j = first
        while j < n_stops and stops[j] - start < reach:
            lag = stops[j] - start
            k = table[_take_leading_bits(lag) - origin]
            while edges[k + 1] <= lag:
                k += 1
            counts[k] += 1
            j += 1


def _count_by_grid(
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    edges: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    begin = 0
    below = np.zeros(len(edges), np.int64)
    while begin < len(starts):
        # A grid reaches over the longest lag beyond its starts; with fewer starts than that lag
        # holds, laying the grid would take longer than using it.
        seen = np.searchsorted(stops, starts[begin] + edges[[0, -1]])
        end = min(begin + max(_BLOCK, int(seen[1] - seen[0])), len(starts))
        block = starts[begin:end]
        last = np.searchsorted(stops, block[-1] + edges[-1])
        inside = np.append(stops[seen[0] : last], np.iinfo(np.int64).max)
        _add_pairs_below(block, inside, edges, below)
        begin = end
    counts += np.diff(below)


@njit(cache=True, nogil=True)
def _add_pairs_below(starts, stops, edges, below):  # type: ignore[no-untyped-def]
    """Add #{stop < start + e} to `below` for every edge e; stops end with one that is never."""
    n_stops = len(stops) - 1
    origin = starts[0] + edges[0]
    span = starts[-1] + edges[-1] - origin + 1
    shift = 0
    while span >> (shift + 1) >= _CELLS_PER_STOP * (n_stops + 1):
        shift += 1
    before = np.zeros((span >> shift) + 2, np.int32)
    for j in range(n_stops):
        before[uint64((stops[j] - origin) >> shift) + uint64(1)] += 1
    total = 0
    for cell in range(len(before)):
        total += before[cell]
        before[cell] = total

    one = uint64(1)
    for begin in range(0, len(starts), _TILE):
        end = min(begin + _TILE, len(starts))
        for k in range(len(edges)):
            edge = edges[k]
            latest = uint64(0)
            pairs = uint64(0)
            for i in range(begin, end):
                limit = starts[i] + edge
                # Unsigned indices spare the test for negative ones.
                j = uint64(before[uint64((limit - origin) >> shift)])
                j += uint64(stops[j] < limit)
                if stops[j] < limit:
                    # A burst crowds its cells: go on from where the last start was.
                    j = max(j, latest)
                    while stops[j] < limit:
                        j += one
                latest = j
                pairs += j
            below[k] += int64(pairs)


@njit(cache=True, nogil=True)
def add_lag_histogram(starts, stops, lowest, width, own, counts):  # type: ignore[no-untyped-def]
    """Add all pairs to a histogram of bins of one width.

    Parameters
    ----------
    starts, stops
        Ticks that never fall, int64.
    lowest
        Lag at which the first bin begins [ticks].
    width
        Width of a bin [ticks].
    own
        Index in `stops` of the first start itself where both are the same photons, so that no
        photon pairs with itself; −1 where they are not.
    counts
        Pairs of each bin, int64; added to.
    """
    n_stops = len(stops)
    span = width * len(counts)
    divisor = uint64(width)
    first = 0
    for i in range(len(starts)):
        begin = starts[i] + lowest
        while first < n_stops and stops[first] < begin:
            first += 1
        j = first
        while j < n_stops and stops[j] - begin < span:
            if own < 0 or j != own + i:
                counts[uint64(stops[j] - begin) // divisor] += 1
            j += 1


@njit(cache=True, nogil=True)
def add_pulse_pairs(  # type: ignore[no-untyped-def]
    starts, stops, start_delays, stop_delays, per_tick, per_delay, half, own, peaks, valleys
):
    """Add pairs to the peaks of a pulsed correlation and to the valleys between them.

    The lag of a pair in periods is x = (stop − start) `per_tick` + (their delays' difference)
    `per_delay`.

    Parameters
    ----------
    starts, stops
        Pulses, or times, that never fall; int64 ticks.
    start_delays, stop_delays
        Microtimes [ticks]; empty where there are none.
    per_tick, per_delay
        Periods in a tick, and in a tick of the delays.
    half
        Peak k holds |x − k| ≤ `half`, valley k holds |x − k − ½| ≤ `half`; negative to give a
        pair to the peak that its pulses say, whatever the delays.
    own
        As in `add_lag_histogram`.
    peaks
        Pairs at lags −n…n, int64 with shape ``(2 n + 1,)``; added to.
    valleys
        Pairs between them, −n − ½ … n + ½, shape ``(2 n + 2,)``; added to; not with negative
        `half`.
    """
    largest = len(peaks) // 2
    reach = int64(np.ceil((largest + 1) / per_tick)) + 1
    timed = len(start_delays) > 0
    n_stops = len(stops)
    first = 0
    for i in range(len(starts)):
        while first < n_stops and stops[first] < starts[i] - reach:
            first += 1
        j = first
        while j < n_stops and stops[j] - starts[i] <= reach:
            lag = stops[j] - starts[i]
            if own < 0 or j != own + i:
                if half < 0.0:
                    if abs(lag) <= largest:
                        peaks[largest + lag] += 1
                else:
                    x = lag * per_tick
                    if timed:
                        x += (int64(stop_delays[j]) - int64(start_delays[i])) * per_delay
                    k = int64(np.rint(x))
                    if abs(k) <= largest and abs(x - k) <= half:
                        peaks[largest + k] += 1
                    below = int64(np.floor(x))
                    if -largest - 1 <= below <= largest and abs(x - below - 0.5) <= half:
                        valleys[largest + 1 + below] += 1
            j += 1


@njit(cache=True, nogil=True)
def add_gated_pairs(  # type: ignore[no-untyped-def]
    starts, stops, start_gates, stop_gates, counts
):
    """Add pairs of two channels by their lag in pulses and by the gates that let both through.

    Parameters
    ----------
    starts, stops
        Pulses that never fall, int64.
    start_gates, stop_gates
        Number of gates, of those in the order of their opening, that let a photon through.
    counts
        Pairs at lags −n…n that so many gates let through, int64 with shape
        ``(2 n + 1, n_gates + 1)``; added to.
    """
    largest = counts.shape[0] // 2
    n_stops = len(stops)
    first = 0
    for i in range(len(starts)):
        while first < n_stops and stops[first] < starts[i] - largest:
            first += 1
        j = first
        while j < n_stops and stops[j] - starts[i] <= largest:
            counts[largest + stops[j] - starts[i], min(start_gates[i], stop_gates[j])] += 1
            j += 1
