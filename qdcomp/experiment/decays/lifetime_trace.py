"""Lifetime of a dot against time: one value for each time bin, beside the blinking trace.

Each bin has the mean arrival time of its photons, as D'Amato et al. (2023) plot it, and the
lifetime by maximum likelihood over the background known from the whole measurement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.decays.decay import compute_decay, require_microtimes
from qdcomp.experiment.decays.delay_gate import DelayGate, choose_gate, tabulate_gated_delays
from qdcomp.experiment.decays.photon_lifetime import maximise_delays
from qdcomp.experiment.photon_stream import PhotonSource, require_channels
from qdcomp.experiment.time_bins import count_time_bins, iterate_binned_photons


@dataclass(frozen=True)
class LifetimeTrace:
    """Lifetime in every time bin.

    Attributes
    ----------
    bin_s
        Width of a bin [s].
    counts
        Photons in every bin, within the gate or not, int64 with shape ``(n_bins,)``.
    gated_counts
        Photons within the gate, int64 with shape ``(n_bins,)``.
    mean_arrivals_ns
        Mean delay of the photons in the gate [ns], float32 with shape ``(n_bins,)``, as the next
        two are, for a trace of days; NaN in bins without any. Background pulls it to half the gate.
    lifetimes_ns
        Lifetime without the background [ns], shape ``(n_bins,)``; NaN where `known` is false.
    errors_ns
        Its standard error [ns], shape ``(n_bins,)``; NaN where `known` is false.
    known
        Bins that have enough photons for a lifetime that the gate can hold, shape ``(n_bins,)``.
    gate
        Delays that were looked at.
    warnings
        What was assumed, one sentence each.
    """

    bin_s: float
    counts: NDArray[np.int64]
    gated_counts: NDArray[np.int64]
    mean_arrivals_ns: NDArray[np.float32]
    lifetimes_ns: NDArray[np.float32]
    errors_ns: NDArray[np.float32]
    known: NDArray[np.bool_]
    gate: DelayGate
    warnings: tuple[str, ...]

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Centres of the bins [s], shape ``(n_bins,)``."""
        centres: NDArray[np.float64] = self.bin_s * (
            0.5 + np.arange(len(self.counts), dtype=np.float64)
        )
        return centres


def compute_lifetime_trace(
    source: PhotonSource,
    bin_s: float = 0.01,
    channels: Sequence[int] | None = None,
    *,
    gate: DelayGate | None = None,
    fewest_photons: int = 20,
) -> LifetimeTrace:
    """Mean arrival time and maximum-likelihood lifetime of every time bin.

    Parameters
    ----------
    source
        Photons of mode T3; read twice without a gate, once with one.
    bin_s
        Width of a bin [s]; the last one, in part, is dropped.
    channels
        Detectors to use; all if absent.
    gate
        Delays to look at and background in them; `choose_gate` of the whole decay if absent.
    fewest_photons
        Photons above background that a lifetime needs.

    Raises
    ------
    InputError
        If the stream is of mode T2, a channel does not exist, there is no whole bin, or there are
        too few photons to find the start.
    """
    header = source.header
    require_microtimes(header)
    wanted = require_channels(header, channels)
    n_bins = count_time_bins(header.duration_s, bin_s)
    if fewest_photons < 2:
        raise InputError(f"{fewest_photons} photons cannot tell a lifetime; ask for two or more")
    limits = choose_gate(compute_decay(source, channels)) if gate is None else gate
    background = limits.background_per_s * bin_s
    delays = tabulate_gated_delays(header, limits)
    counts, gated = np.zeros((2, n_bins), np.int64)
    means, lifetimes, errors = np.full((3, n_bins), np.nan, np.float32)
    for whole in iterate_binned_photons(source, n_bins, bin_s, wanted if channels else None):
        there = slice(whole.first_bin, whole.first_bin + len(whole.counts))
        counts[there] = whole.counts
        gated[there], means[there], lifetimes[there], errors[there] = _fit_each(
            delays[whole.microtimes],
            np.concatenate([[0], np.cumsum(whole.counts)]),
            limits.length_ns,
            background,
            fewest_photons,
        )
    return LifetimeTrace(
        bin_s=bin_s,
        counts=counts,
        gated_counts=gated,
        mean_arrivals_ns=means,
        lifetimes_ns=lifetimes,
        errors_ns=errors,
        known=np.isfinite(lifetimes),
        gate=limits,
        warnings=limits.warnings,
    )


@njit(cache=True, nogil=True)
def _fit_each(
    delays: NDArray[np.float64],
    borders: NDArray[np.int64],
    length: float,
    background: float,
    fewest: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    n = len(borders) - 1
    gated = np.zeros(n, np.int64)
    means = np.full(n, np.nan)
    lifetimes = np.full(n, np.nan)
    errors = np.full(n, np.nan)
    for k in range(n):
        inside = delays[borders[k] : borders[k + 1]]
        inside = inside[inside >= 0.0]
        gated[k] = len(inside)
        if len(inside) == 0:
            continue
        means[k] = inside.mean()
        if len(inside) - background >= fewest:
            lifetimes[k], errors[k] = maximise_delays(inside, length, background)
    return gated, means, lifetimes, errors
