"""When a measurement measured: pauses of it, and the photons outside them.

A pause begins after the last photon before it and ends before the first one after it, each by the
mean wait for a photon, 1/r. Edges are therefore known to 1/r, and without bias for steady light.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.correlations.pair_windows import Clock, Keep
from qdcomp.experiment.intensity_trace import BlinkingTrace, rebin_trace
from qdcomp.experiment.photon_stream import (
    PICOSECONDS,
    PhotonSource,
    PhotonStream,
    compute_arrival_times,
    select_channels,
)

FEWEST_MISSING = 30.0
"""Photons that a pause should have held at the lowest rate of the trace: chance does not make one
of 30, e⁻³⁰."""

_COUNTS_OF_A_RATE = 30.0
_DIMMEST_QUANTILE = 0.01


def find_gaps(
    source: PhotonSource, trace: BlinkingTrace, fewest_missing: float = FEWEST_MISSING
) -> tuple[tuple[float, float], ...]:
    """Find stretches without a photon that should have held many: times without measurement.

    Parameters
    ----------
    source
        Photons; read once.
    trace
        Their blinking trace, with the channels that count. A gap is as long as a bin or longer.
    fewest_missing
        Photons that a stretch should have held at the lowest rate that the trace shows.

    Returns
    -------
    tuple of (float, float)
        Beginning and end of each gap [s], rising.
    """
    total = int(trace.counts.sum())
    if total == 0:
        return ()
    enough = min(len(trace), int(np.ceil(_COUNTS_OF_A_RATE * len(trace) / total)))
    coarse = rebin_trace(trace, enough)
    lit = coarse.counts[coarse.counts > 0]
    # Photons beyond the last whole bin may be the only ones.
    dimmest = float(np.quantile(lit, _DIMMEST_QUANTILE)) / coarse.bin_s if len(lit) else np.inf
    shortest = max(trace.bin_s, fewest_missing / dimmest)
    found = _find_waits(source, trace.channels, shortest)
    duration = source.header.duration_s
    measured = duration - sum(high - low for low, high in found)
    if measured <= 0.0:
        return ()
    wait = measured / total
    return tuple(
        (low if low == 0.0 else low + wait, high if high == duration else high - wait)
        for low, high in found
    )


def _find_waits(
    source: PhotonSource, channels: tuple[int, ...], shortest_s: float
) -> list[tuple[float, float]]:
    """List waits for a photon, also at the ends, of a length or longer, (from, to) [s]."""
    waits = []
    last = 0
    every = set(channels) >= set(source.header.channels)
    shortest_ps = round(shortest_s * PICOSECONDS)
    for chunk in source.iterate_chunks():
        part = chunk if every else select_channels(chunk, channels)
        if len(part) == 0:
            continue
        times = np.concatenate([[last], compute_arrival_times(part)])
        waits += [
            (float(times[i] / PICOSECONDS), float(times[i + 1] / PICOSECONDS))
            for i in np.flatnonzero(np.diff(times) >= shortest_ps)
        ]
        last = int(times[-1])
    duration = source.header.duration_s
    if duration - last / PICOSECONDS >= shortest_s:
        waits.append((last / PICOSECONDS, duration))
    return waits


def merge_gaps(gaps_s: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Join gaps that overlap or touch; they rise."""
    merged: list[tuple[float, float]] = []
    for low, high in sorted(gaps_s):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def list_live_times(
    duration_s: float, gaps_s: Sequence[tuple[float, float]]
) -> NDArray[np.float64]:
    """List the times of measurement between the gaps, (from, to) [s], shape ``(n, 2)``.

    Raises
    ------
    InputError
        If gaps overlap, lie outside the measurement or leave nothing of it.
    """
    starts: list[float] = [0.0]
    ends: list[float] = []
    for low, high in sorted(gaps_s):
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


def keep_live_photons(live_s: NDArray[np.float64], clock: Clock, duration_s: float) -> Keep:
    """Make a choice of the photons that come within times of measurement.

    Parameters
    ----------
    live_s
        Times (from, to) [s], rising, shape ``(n, 2)``.
    clock
        How photons are timed: a photon comes at its tick.
    duration_s
        Length of the measurement [s].
    """
    borders = find_border_ticks(live_s.ravel(), clock, duration_s)

    def keep(chunk: PhotonStream) -> NDArray[np.bool_]:
        place = np.searchsorted(borders, clock.read(chunk), side="right")
        return np.asarray(place % 2 == 1, np.bool_)

    return keep


def find_border_ticks(
    borders_s: NDArray[np.float64], clock: Clock, duration_s: float
) -> NDArray[np.int64]:
    """First tick at or after each time; the end of the measurement is after every photon."""
    ticks = np.ceil(borders_s / clock.tick_s - 1e-6).astype(np.int64)
    ticks[borders_s >= duration_s] = np.iinfo(np.int64).max
    return ticks
