"""Photons of a stream, time bin by time bin, whatever the chunks they come in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.photon_stream import (
    PICOSECONDS,
    PhotonSource,
    PhotonStream,
    compute_arrival_times,
    select_channels,
)


@dataclass(frozen=True)
class BinnedPhotons:
    """Photons of whole time bins that follow each other.

    Attributes
    ----------
    first_bin
        Number of the first time bin.
    counts
        Photons in every bin, int64 with shape ``(n_bins,)``.
    microtimes
        Of all of them in order [ticks], int64 with shape ``(sum of counts,)``.
    """

    first_bin: int
    counts: NDArray[np.int64]
    microtimes: NDArray[np.int64]


class TimeBinner:
    """Cuts the chunks of a stream into whole time bins, whatever the chunks.

    A bin that a chunk leaves unfinished waits for the next; bins beyond the last whole one of the
    measurement are dropped.
    """

    def __init__(self, n_bins: int, bin_s: float) -> None:
        self._n_bins = n_bins
        self._bin_s = bin_s
        self._next_bin = 0
        self._bins = np.empty(0, np.int64)
        self._microtimes = np.empty(0, np.int64)

    def add(self, chunk: PhotonStream) -> BinnedPhotons:
        """Take a chunk and give the bins that are whole with it."""
        if chunk.microtimes is None or len(chunk) == 0:
            return self._cut(self._next_bin)
        bins = find_time_bins(chunk, self._bin_s)
        inside = bins < self._n_bins
        # Photons of one pulse may swap places at a border of two bins: they stay in the later one.
        bins = np.maximum.accumulate(np.maximum(bins[inside], self._next_bin))
        self._bins = np.concatenate([self._bins, bins])
        self._microtimes = np.concatenate(
            [self._microtimes, chunk.microtimes[inside].astype(np.int64)]
        )
        return self._cut(int(self._bins[-1]) if len(self._bins) else self._next_bin)

    def finish(self) -> BinnedPhotons:
        """Give the bins that are left."""
        return self._cut(self._n_bins)

    def _cut(self, below: int) -> BinnedPhotons:
        first = self._next_bin
        ready = int(np.searchsorted(self._bins, below))
        counts = np.bincount(self._bins[:ready] - first, minlength=below - first)
        whole = BinnedPhotons(first, counts.astype(np.int64), self._microtimes[:ready])
        self._bins, self._microtimes = self._bins[ready:], self._microtimes[ready:]
        self._next_bin = below
        return whole


def iterate_binned_photons(
    source: PhotonSource, n_bins: int, bin_s: float, channels: tuple[int, ...] | None
) -> Iterator[BinnedPhotons]:
    """Read a stream once and yield all its whole time bins, in order, some at a time.

    Parameters
    ----------
    source
        Photons with microtimes.
    n_bins, bin_s
        Number of bins and their width [s].
    channels
        Detectors to use; all if absent.
    """
    binner = TimeBinner(n_bins, bin_s)
    for chunk in source.iterate_chunks():
        yield binner.add(chunk if channels is None else select_channels(chunk, channels))
    yield binner.finish()


def find_time_bins(stream: PhotonStream, bin_s: float) -> NDArray[np.int64]:
    """Find the time bin of every photon, shape ``(n_photons,)``.

    Raises
    ------
    InputError
        If a bin is not a positive time.
    """
    bin_ps = round(bin_s * PICOSECONDS) if np.isfinite(bin_s) else 0
    if bin_ps <= 0:
        raise InputError(f"a time bin of {bin_s} s is not a positive time")
    bins: NDArray[np.int64] = compute_arrival_times(stream) // np.int64(bin_ps)
    return bins


def count_time_bins(duration_s: float, bin_s: float) -> int:
    """Count the whole bins of a measurement.

    Raises
    ------
    InputError
        If the bin is no time, or the measurement is shorter than one.
    """
    if not (np.isfinite(bin_s) and bin_s > 0.0):
        raise InputError(f"a time bin of {bin_s} s is not a positive time")
    # A duration that misses a whole number of bins by rounding still has the last.
    n_bins = int(np.floor(duration_s / bin_s + 1e-9))
    if n_bins < 1:
        raise InputError(f"a measurement of {duration_s:g} s has no whole bin of {bin_s:g} s")
    return n_bins
