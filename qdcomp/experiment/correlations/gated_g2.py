"""g2(0) of late photons: what a gate after the pulse leaves of the biexcitons.

    g2(0; g) = N₀(g) / N̄(g),

the coincidences whose photons both came later than a delay g after their pulse. A biexciton gives
two photons, the first one within its lifetime: with a gate long against that, a pair needs a
biexciton that lived so long, and g2(0) falls to the value of the exciton, as

    N₀(g) ∝ e^(−g/τ_XX)

(Mangum et al., Opt. Express 21, 7419 (2013)). Background is constant in time and weighs more in a
later gate; where its rate is known it is taken off. The pairs of a gate are among those of every
earlier one: errors of different gates go together, and the variance of a difference of counts is
the difference of the counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.correlations.pair_counting import add_gated_pairs
from qdcomp.experiment.correlations.pair_windows import (
    Clock,
    Keep,
    iterate_pair_windows,
    require_channel_pair,
)
from qdcomp.experiment.correlations.pulsed_g2 import (
    LARGEST_LAG,
    PulsedG2,
    normalise_coincidences,
    require_pulses,
    subtract_pulsed_background,
)
from qdcomp.experiment.decays.decay import Decay, require_microtimes
from qdcomp.experiment.decays.decay_start import find_rise, find_start
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.photon_stream import PhotonSource

GATED_SHARES = (1.0, 0.9, 0.75, 0.6, 0.45, 0.3, 0.2, 0.1)
"""Shares of the photons that the usual gates let through."""


@dataclass(frozen=True)
class GatedG2:
    """g2(0) by gates.

    Attributes
    ----------
    gates_ns
        Delays after `start_ns` from which on photons count [ns], rising, shape ``(n_gates,)``.
    start_ns
        Delay zero on the axis of the microtimes [ns].
    coincidences
        Pairs at lags −n…n of each gate, int64 with shape ``(n_gates, 2 n + 1)``.
    photon_shares
        Share of the photons that each gate lets through, shape ``(n_gates,)``.
    zero_delay
        g2(0) of each gate; None where no pairs of different pulses are left. Errors of different
        gates go together.
    without_background
        The same with the background taken off; None where its rate is not known or is as large as
        that of the photons.
    channels
        Start and stop channel.
    """

    gates_ns: NDArray[np.float64]
    start_ns: float
    coincidences: NDArray[np.int64]
    photon_shares: NDArray[np.float64]
    zero_delay: tuple[Estimate | None, ...]
    without_background: tuple[Estimate | None, ...]
    channels: tuple[int, int]


def find_pulse_start(decay: Decay) -> float:
    """Find the foot of the rise of a decay on the axis of the microtimes [ns].

    Raises
    ------
    InputError
        If there are fewer than 30 photons.
    """
    start = find_start(decay)
    return float((start - find_rise(decay, start)) % decay.period_ns)


def choose_gates(decay: Decay, shares: Sequence[float] = GATED_SHARES) -> tuple[float, ...]:
    """Gates after the foot of the rise that let such shares of the photons through [ns].

    Parameters
    ----------
    decay
        Decay of the whole measurement.
    shares
        Falling, from 1 on.

    Raises
    ------
    InputError
        If there are fewer than 30 photons.
    """
    centres = 0.5 * (decay.edges_ns[1:] + decay.edges_ns[:-1])
    delays = (centres - find_pulse_start(decay)) % decay.period_ns
    order = np.argsort(delays)
    later = 1.0 - np.cumsum(decay.counts[order]) / decay.counts.sum()
    found = [0.0 if share >= 1.0 else float(delays[order][later <= share][0]) for share in shares]
    return tuple(sorted(set(found)))


def compute_gated_g2(
    source: PhotonSource,
    gates_ns: Sequence[float],
    channels: Sequence[int] | None = None,
    *,
    start_ns: float = 0.0,
    background_per_s: Estimate | None = None,
    largest_lag: int = LARGEST_LAG,
    keep: Keep | None = None,
    kept_s: float | None = None,
) -> GatedG2:
    """Count coincidences of photons that come later than a series of delays after their pulse.

    Parameters
    ----------
    source
        Photons of mode T3, macrotimes counting pulses.
    gates_ns
        Delays after `start_ns` [ns], rising from 0 or more, within the period.
    channels
        Two different channels; the two that there are if absent.
    start_ns
        Where on the axis of the microtimes the light of a pulse begins [ns], as of
        `find_pulse_start`; photons before it are late ones of the pulse before.
    background_per_s
        Counts per second of both channels that are constant in time.
    largest_lag
        n: lags −n…n are counted.
    keep, kept_s
        Gives which photons of a chunk count, as of some intensities, and how long those
        intensities lasted together [s]; all photons and the whole measurement if absent.

    Raises
    ------
    InputError
        If the stream does not count pulses, gates do not rise within the period, there are not
        two different channels, or there are no coincidences of different pulses at all.
    """
    header = source.header
    period = require_pulses(header, largest_lag)
    pair = require_channel_pair(header, channels)
    if pair[0] == pair[1]:
        raise InputError("gated g2 needs two different channels")
    gates = np.asarray(gates_ns, np.float64)
    if gates.ndim != 1 or len(gates) == 0 or np.any(np.diff(gates) <= 0.0):
        raise InputError(f"gates {list(gates_ns)}; expected delays that rise")
    if not 0.0 <= gates[0] <= gates[-1] < period or not 0.0 <= start_ns < period:
        raise InputError(f"gates or their start lie outside the period of {period:g} ns")
    _, tick_ns, ticks = require_microtimes(header)
    fold = round(start_ns / tick_ns)
    delays = ((np.arange(ticks) - fold) * tick_ns) % period
    # A tick opens a gate whole where it begins at the gate or within a rounding before it.
    opened = np.searchsorted(gates, delays + 1e-6 * tick_ns, side="right")
    pairs = np.zeros((2 * largest_lag + 1, len(gates) + 1), np.int64)
    clock = Clock("macrotime", header.macrotime_resolution_s, int(fold > 0), fold)
    for window in iterate_pair_windows(
        source, pair, clock, largest_lag, largest_lag, keep=keep, with_delays=True
    ):
        starts = _take_last_clicks(window.starts, opened[window.start_delays])
        stops = _take_last_clicks(window.stops, opened[window.stop_delays])
        add_gated_pairs(starts[0], stops[0], starts[1], stops[1], pairs)
    coincidences = np.cumsum(pairs[:, ::-1], axis=1)[:, ::-1][:, 1:].T
    if coincidences[0].sum() == coincidences[0, largest_lag]:
        raise InputError("there are no coincidences of different pulses, so g2 has no scale")
    photons = _count_photons(source, pair, opened, len(gates), keep)
    measured = header.duration_s if kept_s is None else kept_s
    zero: list[Estimate | None] = []
    corrected: list[Estimate | None] = []
    for row, number, gate in zip(coincidences, photons[:, 1:].T, gates, strict=True):
        try:
            uncorrelated = float(number[0]) * float(number[1]) * period * 1e-9 / measured
            found = normalise_coincidences(row, uncorrelated, pair, period)
        except InputError:
            zero.append(None)
            corrected.append(None)
            continue
        zero.append(found.zero_delay)
        flat_s = measured * (1.0 - gate / period) / float(number.sum())
        corrected.append(_correct(found, background_per_s, flat_s))
    return GatedG2(
        gates_ns=gates,
        start_ns=float(start_ns),
        coincidences=coincidences,
        photon_shares=photons.sum(axis=0)[1:] / photons[:, 0].sum(),
        zero_delay=tuple(zero),
        without_background=tuple(corrected),
        channels=pair,
    )


def _take_last_clicks(
    pulses: NDArray[np.int64], opened: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Join the clicks of a pulse: the last one is in every gate that any of them is in."""
    if len(pulses) == 0:
        return pulses, opened
    first = np.flatnonzero(np.append(True, pulses[1:] != pulses[:-1]))
    return pulses[first], np.maximum.reduceat(opened, first)


def _count_photons(
    source: PhotonSource,
    pair: tuple[int, int],
    opened: NDArray[np.int64],
    n_gates: int,
    keep: Keep | None,
) -> NDArray[np.int64]:
    """Photons of either channel: all, and those that each gate lets through, (2, n_gates + 1)."""
    counts = np.zeros((2, n_gates + 1), np.int64)
    for chunk in source.iterate_chunks():
        if chunk.microtimes is None:
            continue
        gates = opened[chunk.microtimes]
        kept = np.ones(len(chunk), np.bool_) if keep is None else keep(chunk)
        for k, channel in enumerate(pair):
            mine = gates[kept & (chunk.channels == channel)]
            counts[k] += np.bincount(mine, minlength=n_gates + 1)
    return np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]


def _correct(found: PulsedG2, background_per_s: Estimate | None, flat_s: float) -> Estimate | None:
    """Take off the background; `flat_s` is its share of the photons for each of it a second."""
    if background_per_s is None:
        return None
    share = Estimate(background_per_s.value * flat_s, background_per_s.error * flat_s)
    try:
        return subtract_pulsed_background(found, share)
    except InputError:
        return None
