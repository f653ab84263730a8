"""Photoluminescence decay: photons of a pulsed measurement against their delay after the pulse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.photon_stream import (
    PhotonSource,
    PhotonStream,
    StreamHeader,
    require_channels,
    select_channels,
)
from qdcomp.experiment.time_bins import find_time_bins

PILE_UP_SHARE = 0.05
"""Photons per pulse and detector above which later photons go missing (O'Connor and Phillips)."""

UNRECORDED_COUNTS = 30.0
"""A stretch that should have held so many counts and holds none was not recorded."""

_CUT_PHOTONS = 100
_CUT_BINS = 5
"""Photons and bins at the end of the range that tell a cut from a decay that has died out."""


@dataclass(frozen=True)
class Decay:
    """Histogram of microtimes over one period of the laser.

    Attributes
    ----------
    edges_ns
        Borders of the bins from 0 to the period [ns], shape ``(n_bins + 1,)``; the last bin may be
        narrower than the others.
    counts
        Photons, int64 with shape ``(n_bins,)``.
    period_ns
        Time between two pulses [ns].
    recorded_ns
        First and last delay that the instrument recorded [ns].
    duration_s
        Time over which the photons were collected [s]; None where unknown.
    warnings
        What was assumed or looks wrong, one sentence each.
    """

    edges_ns: NDArray[np.float64]
    counts: NDArray[np.int64]
    period_ns: float
    recorded_ns: tuple[float, float]
    duration_s: float | None = None
    warnings: tuple[str, ...] = ()

    @property
    def times_ns(self) -> NDArray[np.float64]:
        """Centres of the bins [ns], shape ``(n_bins,)``."""
        centres: NDArray[np.float64] = 0.5 * (self.edges_ns[1:] + self.edges_ns[:-1])
        return centres

    @property
    def bin_ns(self) -> float:
        """Width of all bins but perhaps the last [ns]."""
        return float(self.edges_ns[1] - self.edges_ns[0])

    @property
    def photons(self) -> int:
        """Number of photons."""
        return int(self.counts.sum())


def compute_decay(
    source: PhotonSource,
    channels: Sequence[int] | None = None,
    *,
    ticks_per_bin: int = 1,
    selected: NDArray[np.bool_] | None = None,
    bin_s: float = 0.01,
) -> Decay:
    """Histogram of the microtimes of a measurement of mode T3.

    Parameters
    ----------
    source
        Photons; read once, chunk by chunk.
    channels
        Detectors to use; all if absent.
    ticks_per_bin
        Microtime ticks in one bin of the decay.
    selected
        Time bins of `bin_s` whose photons count, shape ``(n_time_bins,)``; all photons if absent.
        Photons after the last time bin do not count.
    bin_s
        Width of the time bins of `selected` [s].

    Raises
    ------
    InputError
        If the stream is of mode T2, a channel or a number of ticks does not exist, or `selected`
        has the wrong kind.
    """
    header = source.header
    _, resolution_ns, ticks = require_microtimes(header)
    if not 1 <= ticks_per_bin <= ticks:
        raise InputError(f"{ticks_per_bin} ticks in a bin; the period has {ticks}, ask for 1 to it")
    wanted = require_channels(header, channels)
    if selected is not None and (selected.ndim != 1 or selected.dtype != np.bool_):
        raise InputError(
            f"selected is {selected.dtype} of shape {selected.shape}; expected one bool a time bin"
        )
    counts = np.zeros(ticks, np.int64)
    for chunk in source.iterate_chunks():
        part = select_channels(chunk, wanted) if channels is not None else chunk
        microtimes = part.microtimes
        if microtimes is None or len(part) == 0:
            continue
        if selected is not None:
            microtimes = microtimes[_find_selected(part, selected, bin_s)]
        counts += np.bincount(microtimes, minlength=ticks)[:ticks]
    duration = header.duration_s if selected is None else float(selected.sum()) * bin_s
    return bin_microtimes(header, counts, ticks_per_bin, duration, resolution_ns, len(wanted))


def bin_microtimes(
    header: StreamHeader,
    tick_counts: NDArray[np.int64],
    ticks_per_bin: int,
    duration_s: float,
    resolution_ns: float,
    n_channels: int,
) -> Decay:
    """Make a decay of the counts of every tick; see `compute_decay`."""
    starts = np.arange(0, len(tick_counts), ticks_per_bin)
    counts = np.add.reduceat(tick_counts, starts)
    decay = make_decay(
        counts,
        period_ns=header.macrotime_resolution_s * 1e9,
        bin_ns=resolution_ns * ticks_per_bin,
        duration_s=duration_s,
    )
    pulses = duration_s / header.macrotime_resolution_s
    load = counts.sum() / pulses / max(1, n_channels) if pulses > 0.0 else 0.0
    if load > PILE_UP_SHARE:
        crowded = (
            f"{load:.1%} of the pulses give a photon on each detector: the detectors miss late "
            "photons (pile-up) and lifetimes come out short"
        )
        return Decay(**{**vars(decay), "warnings": (*decay.warnings, crowded)})
    return decay


def make_decay(
    counts: ArrayLike, *, period_ns: float, bin_ns: float, duration_s: float | None = None
) -> Decay:
    """Make a decay of a histogram, also one that was exported by another program.

    Parameters
    ----------
    counts
        Photons per bin from delay 0 on, shape ``(n_bins,)``; bins that do not reach the end of the
        period are taken as a range that ends early.
    period_ns
        Time between two pulses [ns].
    bin_ns
        Width of a bin [ns]; the last may be cut by the end of the period.
    duration_s
        Time over which the photons were collected [s].

    Raises
    ------
    InputError
        If counts are negative or not whole, or reach beyond the period.
    """
    array = np.asarray(counts)
    if array.ndim != 1 or array.size < 2:
        raise InputError(f"counts have shape {array.shape}; expected two or more bins")
    if not (np.isfinite(period_ns) and 0.0 < bin_ns < period_ns):
        raise InputError(f"bins of {bin_ns} ns do not fit a period of {period_ns} ns")
    if not np.all(np.isfinite(array)) or np.any(array < 0) or np.any(array != np.rint(array)):
        raise InputError("counts are negative or not whole; give photons, not a normalised decay")
    # A rounding error of the period must not make a bin of no width.
    whole = int(np.ceil(period_ns / bin_ns - 1e-6))
    if len(array) > whole:
        raise InputError(f"{len(array)} bins of {bin_ns:g} ns reach beyond {period_ns:g} ns")
    edges = np.append(np.arange(whole) * bin_ns, period_ns)
    full = np.zeros(whole, np.int64)
    full[: len(array)] = array
    first, last = _find_recorded(full)
    recorded = (float(edges[first]), float(edges[last]))
    notes = []
    if first > 0 or last < whole:
        notes.append(
            f"the instrument recorded delays from {recorded[0]:.4g} to {recorded[1]:.4g} ns of the "
            f"{period_ns:.4g} ns period: no photon came outside"
        )
    return Decay(edges, full, float(period_ns), recorded, duration_s, tuple(notes))


def require_microtimes(header: StreamHeader) -> tuple[float, float, int]:
    """Sync period [ns], microtime tick [ns] and ticks in a period, or say why there are none.

    Raises
    ------
    InputError
        If the stream is of mode T2 or its header lacks the microtimes.
    """
    period, tick, ticks = (
        header.sync_period_ns,
        header.microtime_resolution_ns,
        header.microtime_bins,
    )
    if period is None or tick is None or ticks is None:
        raise InputError(
            f"the stream is of mode {header.mode} and has no microtimes; decays and lifetimes need "
            "mode T3 with the laser's sync, so measure with pulses in mode T3"
        )
    return period, tick, ticks


def _find_selected(
    stream: PhotonStream, selected: NDArray[np.bool_], bin_s: float
) -> NDArray[np.bool_]:
    bins = find_time_bins(stream, bin_s)
    padded = np.append(selected, False)
    chosen: NDArray[np.bool_] = padded[np.minimum(bins, len(selected))]
    return chosen


def _find_recorded(counts: NDArray[np.int64]) -> tuple[int, int]:
    """First bin and last bin + 1 that the instrument can record.

    A decay that has died out ends with ever fewer photons, a range that ends cuts it: the last
    photons are then spread evenly up to the end. The period is a circle, so an empty head is
    unrecorded where the end of the period, which it continues, is not empty.
    """
    n = len(counts)
    filled = np.flatnonzero(counts)
    if len(filled) == 0:
        return 0, n
    first, last = int(filled[0]), int(filled[-1]) + 1
    head = int(counts[n - first :].sum()) if first else 0
    return (
        first if head > UNRECORDED_COUNTS else 0,
        last if _is_cut(counts, last) else n,
    )


def _is_cut(counts: NDArray[np.int64], last: int) -> bool:
    after = len(counts) - last
    cumulative = np.cumsum(counts[:last][::-1])
    if cumulative[-1] < _CUT_PHOTONS or after == 0:
        return False
    span = int(np.searchsorted(cumulative, _CUT_PHOTONS)) + 1
    held = int(cumulative[span - 1])
    # Distance of the photons from the end over the span that they take; ½ where they are even.
    distance = float(np.dot(counts[last - span : last][::-1], np.arange(span) + 0.5)) / (
        held * span
    )
    even = abs(distance - 0.5) < 3.0 / np.sqrt(12.0 * held)
    return even and span >= _CUT_BINS and held * after / span > UNRECORDED_COUNTS
