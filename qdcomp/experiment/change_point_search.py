"""Search of a block of arrival times for jumps of the rate: the compiled loops.

As 2 S = 2 (k − N V)² / N V (1 − V) is never below L (χ² bounds the Kullback–Leibler divergence),
most photons need no logarithm. A long block with many jumps would be cut over and over along its
whole length, so the strong jumps are found within short windows first, at a confidence that allows
for their number.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import brentq

BLOCK_PHOTONS = 1 << 20
"""Photons that are searched at a time."""

WINDOW_PHOTONS = 1 << 12
"""Photons of a window in which strong jumps are looked for first."""

FEWEST_PHOTONS = 5
"""Photons on either side of a jump."""

_STEPS_PER_DECADE = 20


def compute_critical_value(photons: int, confidence: float) -> float:
    """Largest √L that a stretch of so many photons without a jump reaches with 1 − confidence."""
    h = min(math.log(photons) ** 1.5 / photons, 0.45)
    log_ratio = 2.0 * math.log((1.0 - h) / h)

    def excess(x: float) -> float:
        bracket = (1.0 - 1.0 / x**2) * log_ratio + 4.0 / x**2
        return x * math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi) * bracket - (1.0 - confidence)

    return float(brentq(excess, 1.5, 12.0))


def tabulate_critical_values(confidence: float) -> NDArray[np.float64]:
    """Critical L of stretches of 10^(i/20) photons, shape ``(n_sizes,)``."""
    sizes = math.ceil(math.log10(2.0 * BLOCK_PHOTONS) * _STEPS_PER_DECADE) + 1
    photons = [max(round(10 ** (i / _STEPS_PER_DECADE)), 10) for i in range(sizes)]
    return np.array([compute_critical_value(n, confidence) ** 2 for n in photons])


@njit(cache=True, nogil=True)
def find_cuts(times, start, end, critical):  # type: ignore[no-untyped-def]
    """Find the numbers of photons before each jump, rising.

    Parameters
    ----------
    times
        Arrival times [ps], int64 with shape ``(n_photons,)``, never falling.
    start, end
        Beginning and end of the block [ps].
    critical
        Critical L, as `tabulate_critical_values` gives it.
    """
    n = len(times)
    strong = np.empty(n // FEWEST_PHOTONS + 2, np.int64)
    n_strong = 0
    windows = n // WINDOW_PHOTONS
    if windows > 1:
        strict = critical + 2.0 * np.log(8.0 * windows)
        for first in range(0, n, WINDOW_PHOTONS):
            last = min(first + WINDOW_PHOTONS, n)
            n_strong = _split(times, first, last, start, end, strict, strong, n_strong)
    strong = np.sort(strong[:n_strong])
    found = np.empty(n // FEWEST_PHOTONS + 2, np.int64)
    n_found = 0
    for i in range(n_strong + 1):
        first = strong[i - 1] if i > 0 else 0
        last = strong[i] if i < n_strong else n
        if i > 0:
            found[n_found] = first
            n_found += 1
        n_found = _split(times, first, last, start, end, critical, found, n_found)
    return _drop_weak_cuts(times, np.sort(found[:n_found]), start, end, critical)


@njit(cache=True, nogil=True)
def _split(times, first, last, start, end, critical, found, n_found):  # type: ignore[no-untyped-def]
    """Cut the photons from `first` to `last` until no jump is left; returns the number of cuts."""
    stack = [(first, last)]
    while len(stack) > 0:
        first, last = stack.pop()
        low, high = _find_border(times, first, start, end), _find_border(times, last, start, end)
        cut = _find_cut(times, first, last, low, high, critical)
        if cut > 0:
            found[n_found] = cut
            n_found += 1
            stack.append((first, cut))
            stack.append((cut, last))
    return n_found


@njit(cache=True, nogil=True)
def _find_border(times, photon, start, end):  # type: ignore[no-untyped-def]
    """Time [ps] halfway to the photon before; the ends of the block at its ends."""
    if photon == 0:
        return start
    if photon == len(times):
        return end
    return times[photon - 1] + (times[photon] - times[photon - 1]) // 2


@njit(cache=True, nogil=True)
def _drop_weak_cuts(times, cuts, start, end, critical):  # type: ignore[no-untyped-def]
    """Cuts that are still critical between their neighbours, moved to where they are strongest."""
    kept = np.empty(len(cuts), np.int64)
    n_kept = 0
    for i in range(len(cuts)):
        first = kept[n_kept - 1] if n_kept > 0 else 0
        last = cuts[i + 1] if i + 1 < len(cuts) else len(times)
        low, high = _find_border(times, first, start, end), _find_border(times, last, start, end)
        cut = _find_cut(times, first, last, low, high, critical)
        if cut > 0:
            kept[n_kept] = cut
            n_kept += 1
    return kept[:n_kept]


@njit(cache=True, nogil=True)
def _find_cut(times, first, last, low, high, critical):  # type: ignore[no-untyped-def]
    """Find how many photons come before the strongest jump; 0 where there is none."""
    n = last - first
    if n < 2 * FEWEST_PHOTONS or high <= low:
        return 0
    place = int(np.log10(n) * _STEPS_PER_DECADE + 0.5)
    best = critical[min(place, len(critical) - 1)]
    cut = 0
    span = float(high - low)
    for k in range(FEWEST_PHOTONS, n - FEWEST_PHOTONS + 1):
        share = (times[first + k - 1] - low) / span
        excess = k - n * share
        if 2.0 * excess * excess <= best * n * share * (1.0 - share):
            continue
        if share <= 0.0 or share >= 1.0:
            continue
        ratio = 2.0 * (
            k * np.log(k / (n * share)) + (n - k) * np.log((n - k) / (n * (1.0 - share)))
        )
        if ratio > best:
            best = ratio
            cut = first + k
    return cut
