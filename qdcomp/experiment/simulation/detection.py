"""Compiled loops of the detectors: background, dead time, afterpulses.

A photon is one integer, 2 · arrival time [ps] + channel. A count blinds its channel for the dead
time (not extended by light that falls in meanwhile), and makes a false count with some chance at
an exponential delay after the dead time; that one blinds, and may make another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit


class DetectorTable(NamedTuple):
    """Dead time and afterpulses.

    Attributes
    ----------
    dead_ps
        Dead time [ps].
    afterpulse_chance
        Probability of a false count after a count.
    afterpulse_ps
        Mean delay of it after the dead time [ps].
    """

    dead_ps: int
    afterpulse_chance: float
    afterpulse_ps: float


@njit(cache=True, nogil=True)
def draw_flat_counts(rng, carry, until, rate, share, expected):  # type: ignore[no-untyped-def]
    """Draw counts at a constant rate [1/ps] before `until` [ps], a `share` of them on channel 0.

    `carry` holds the time of the next one; it is moved on.
    """
    keys = np.empty(max(expected, 16), np.int64)
    n = 0
    time = carry[0]
    while time < until:
        if n == len(keys):
            keys = np.concatenate((keys, np.empty(n, np.int64)))
        keys[n] = 2 * time + (0 if rng.random() < share else 1)
        n += 1
        time += np.int64(rng.standard_exponential() / rate + 0.5)
    carry[0] = time
    return keys[:n]


@njit(cache=True, nogil=True)
def count_photons(rng, keys, border, blind_until, pending, table):  # type: ignore[no-untyped-def]
    """Count sorted photons, and afterpulses, before `border` [ps].

    `blind_until` holds the end of the dead time of either channel [ps] and is moved on; `pending`
    are the sorted afterpulses still to come. Returns the counts and the afterpulses left.
    """
    counts = np.empty(len(keys) + len(pending) + 16, np.int64)
    n = 0
    photon = 0
    while True:
        key = border * 2
        if photon < len(keys):
            key = keys[photon]
        if len(pending) and pending[0] < min(key, border * 2):
            key = pending[0]
            pending = pending[1:]
        elif photon < len(keys):
            photon += 1
        else:
            break
        time, channel = key >> 1, key & 1
        if time < blind_until[channel]:
            continue
        if n == len(counts):
            counts = np.concatenate((counts, np.empty(n, np.int64)))
        counts[n] = key
        n += 1
        blind_until[channel] = time + table.dead_ps
        if table.afterpulse_chance > 0.0 and rng.random() < table.afterpulse_chance:
            delay = np.int64(rng.standard_exponential() * table.afterpulse_ps)
            later = 2 * (time + table.dead_ps + delay) + channel
            place = np.searchsorted(pending, later)
            pending = np.concatenate(
                (pending[:place], np.array([later], np.int64), pending[place:])
            )
    return counts[:n], pending
