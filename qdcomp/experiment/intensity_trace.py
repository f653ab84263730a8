"""Blinking trace: photons in equal time bins, and the level that counts as bright."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.photon_stream import PhotonSource, require_channels, select_channels
from qdcomp.experiment.time_bins import count_time_bins, find_time_bins

SMOOTHED_PHOTONS = 400.0
"""Photons that a smoothed bright level holds: 5 % counting noise."""

FEWEST_SMOOTHED_BINS = 5

_BRIGHT_QUANTILE = 0.99


@dataclass(frozen=True)
class BlinkingTrace:
    """Photons in equal time bins.

    Attributes
    ----------
    bin_s
        Width of a bin [s].
    counts
        Photons in each bin, int64 with shape ``(n_bins,)``; an unfinished last bin is left out.
    channels
        Detector channels that were counted.
    """

    bin_s: float
    counts: NDArray[np.int64]
    channels: tuple[int, ...] = ()

    def __len__(self) -> int:
        """Count the bins."""
        return len(self.counts)

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Centres of the bins [s], shape ``(n_bins,)``."""
        return np.asarray((np.arange(len(self.counts)) + 0.5) * self.bin_s, np.float64)

    @property
    def duration_s(self) -> float:
        """Length of all bins [s]."""
        return len(self.counts) * self.bin_s

    @property
    def mean_rate_per_s(self) -> float:
        """Photons per second over all bins."""
        return float(self.counts.sum()) / self.duration_s


def compute_blinking_trace(
    source: PhotonSource, bin_s: float = 0.01, channels: Sequence[int] | None = None
) -> BlinkingTrace:
    """Count the photons of a measurement in equal time bins.

    Parameters
    ----------
    source
        Photons.
    bin_s
        Width of a bin [s], rounded to 1 ps.
    channels
        Detector channels to count together; all if absent.

    Raises
    ------
    InputError
        If the bin is not a positive time, the measurement is shorter than one bin, or a channel
        has no photon.
    """
    n_bins = count_time_bins(source.header.duration_s, bin_s)
    wanted = require_channels(source.header, channels)
    counts = np.zeros(n_bins, np.int64)
    for chunk in source.iterate_chunks():
        kept = chunk if channels is None else select_channels(chunk, wanted)
        bins = find_time_bins(kept, bin_s)
        bins = bins[bins < n_bins]
        if len(bins):
            first = int(bins.min())
            found = np.bincount(bins - first)
            counts[first : first + len(found)] += found
    return BlinkingTrace(float(bin_s), counts, wanted)


def rebin_trace(trace: BlinkingTrace, factor: int) -> BlinkingTrace:
    """Join each `factor` bins to one; bins that are left over at the end are dropped.

    Raises
    ------
    InputError
        If the factor is less than 1 or leaves no bin.
    """
    if not 1 <= factor <= len(trace):
        raise InputError(f"cannot join {factor} bins of a trace of {len(trace)}")
    whole = len(trace) // factor
    counts = trace.counts[: whole * factor].reshape(whole, factor).sum(axis=1)
    return BlinkingTrace(trace.bin_s * factor, counts, trace.channels)


def smooth_counts(trace: BlinkingTrace, bins: int) -> NDArray[np.float64]:
    """Average over so many bins running [counts per bin], shape ``(n_bins − bins + 1,)``."""
    width = min(max(bins, 1), len(trace))
    total = np.concatenate([[0], np.cumsum(trace.counts)])
    means: NDArray[np.float64] = (total[width:] - total[:-width]) / width
    return means


def find_bright_level(trace: BlinkingTrace) -> float:
    """Find the maximum of the smoothed counts [counts per bin].

    The running mean is over so many bins that a bright one holds `SMOOTHED_PHOTONS`, at least
    `FEWEST_SMOOTHED_BINS`: the maximum of unsmoothed counts is one of their noise.

    Raises
    ------
    InputError
        If there is no photon.
    """
    bright = float(np.quantile(trace.counts, _BRIGHT_QUANTILE)) if len(trace) else 0.0
    level = max(bright, float(trace.counts.mean()) if len(trace) else 0.0)
    if level <= 0.0:
        raise InputError("the trace holds no photon: is the detector channel right?")
    bins = max(FEWEST_SMOOTHED_BINS, math.ceil(SMOOTHED_PHOTONS / level))
    return float(smooth_counts(trace, bins).max())
