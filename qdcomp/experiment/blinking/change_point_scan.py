"""Compiled search for jumps of the rate among photon arrival times.

For a stretch between two photons with N photons inside, the ratio of the likelihood of two rates
with a jump at time V (as a share of the stretch), k photons before it, to that of one rate is

    ln R = k ln(k/NV) + (N − k) ln((N − k)/N(1 − V))

(Watkins and Yang, J. Phys. Chem. B 109, 617 (2005)), looked at just before and just after every
photon. 2 ln R ≤ 2 (k − NV)²/(NV(1 − V)), which costs no logarithm: only photons whose bound beats
the best so far are worked out. Everything else is integer ticks.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import brentq

BLOCK_PHOTONS = 131_072
"""Photons that are searched together."""

WINDOWS = (32, 128, 1024, 8192, BLOCK_PHOTONS)
"""Photons in the windows, which overlap by half: a short flash drowns in a long stretch."""

QUOTED_PHOTONS = 100_000.0
"""Photons of steady light for which a confidence is quoted."""

_DROP = 7.0
"""ln R below its maximum where the posterior of a jump's time is taken to end."""

_POWERS = 41


def find_critical_values(confidence: float) -> NDArray[np.float64]:
    """Critical values of max 2 ln R for stretches of 1, 2, 4, … 2^40 photons.

    The chance that N photons of steady light exceed b² is

        P = φ(b) [(b − 1/b) ln N² + 4/b]

    (James, James and Siegmund, Biometrika 74, 71 (1987), for a Brownian bridge over its standard
    deviation between 1/N and 1 − 1/N). For the exact statistic it is right within a fifth from
    P = 10⁻¹ to 10⁻⁴ and N = 1 to 65 536 (simulated), on the safe side but for N = 2. Each stretch
    gets its share of the chance 1 − confidence that is due to `QUOTED_PHOTONS`, in proportion to
    its length and to the number of windows that hold a photon.
    """
    shares = 2.0 * len(WINDOWS) * QUOTED_PHOTONS
    values = []
    for power in range(_POWERS):
        photons = 2.0**power
        chance = (1.0 - confidence) * min(1.0, photons / shares)
        b = brentq(lambda b, n=photons, p=chance: _find_excess_chance(b, n) - p, 1.5, 38.0)
        values.append(b**2)
    return np.array(values)


def _find_excess_chance(b: float, photons: float) -> float:
    length = 2.0 * math.log(max(photons, 3.0))
    density = math.exp(-0.5 * b * b) / math.sqrt(2.0 * math.pi)
    return density * ((b - 1.0 / b) * length + 4.0 / b)


@njit(cache=True, nogil=True)
def _read_critical(table, photons):  # type: ignore[no-untyped-def]
    place = math.log2(max(photons, 1))
    low = int(place)
    return table[low] + (place - low) * (table[low + 1] - table[low])


@njit(cache=True, nogil=True)
def _measure_split(k, n, early, late):  # type: ignore[no-untyped-def]
    """2 ln R of k photons in `early` ticks against n − k in `late`."""
    whole = early + late
    value = 0.0
    if k > 0:
        value += k * math.log(k * whole / (n * early))
    if k < n:
        value += (n - k) * math.log((n - k) * whole / (n * late))
    return 2.0 * value


@njit(cache=True, nogil=True)
def _find_split(t, a, b, best):  # type: ignore[no-untyped-def]
    """Photon of a < j < b with the greatest 2 ln R, if that beats `best`; else −1."""
    n = b - a - 1
    where = -1
    start, whole = t[a], float(t[b] - t[a])
    if n < 1 or whole <= 0.0:
        return where, best
    density, inverse = n / whole, 1.0 / n
    step = min(max(int(math.sqrt(n) / 4.0), 1), 64)
    # Every step-th photon first: a high `best` early spares most of the others.
    for j in range(a + step, b, step):
        where, best = _try_photon(t, a, j, b, density, inverse, where, best)
    if step == 1:
        return where, best
    low, e_low = a, 0.0
    while low < b - 1:
        high = min(low + step, b)
        e_high = (t[high] - start) * density
        # Between two photons of the grid neither number of photons can leave these bounds.
        deviation = max(abs(high - a - e_low), abs(e_high - (low - a))) + 1.0
        scale = min(e_low * (1.0 - e_low * inverse), e_high * (1.0 - e_high * inverse))
        if 2.0 * deviation * deviation > best * scale:
            for j in range(low + 1, high):
                where, best = _try_photon(t, a, j, b, density, inverse, where, best)
        low, e_low = high, e_high
    return where, best


@njit(cache=True, nogil=True, inline="always")
def _try_photon(t, a, j, b, density, inverse, where, best):  # type: ignore[no-untyped-def]
    expected = (t[j] - t[a]) * density
    deviation = abs(j - a - 0.5 - expected) + 0.5
    if 2.0 * deviation * deviation > best * expected * (1.0 - expected * inverse):
        early, late = float(t[j] - t[a]), float(t[b] - t[j])
        if early > 0.0 and late > 0.0:
            k = j - a if j - a - 0.5 > expected else j - a - 1
            value = _measure_split(k, b - a - 1, early, late)
            if value > best:
                return j, value
    return where, best


@njit(cache=True, nogil=True)
def _split_all(t, a, b, table, marks, stack):  # type: ignore[no-untyped-def]
    """Split a < … < b where it pays, then both halves, and so on."""
    stack[0, 0], stack[0, 1] = a, b
    depth = 1
    while depth > 0:
        depth -= 1
        a, b = stack[depth, 0], stack[depth, 1]
        where, _ = _find_split(t, a, b, _read_critical(table, b - a - 1))
        if where < 0:
            continue
        marks[where] = True
        stack[depth, 0], stack[depth, 1] = a, where
        stack[depth + 1, 0], stack[depth + 1, 1] = where, b
        depth += 2


@njit(cache=True, nogil=True)
def _search_windows(t, offset, window, shortest, table, marks, stack):  # type: ignore[no-untyped-def]
    """Search windows end to end: the pieces that earlier jumps leave, if they are not too short."""
    borders = np.flatnonzero(marks)
    place = 0
    first = offset
    while first < len(t) - 1:
        last = min(first + window, len(t) - 1)
        while borders[place] <= first:
            place += 1
        a = first
        while a < last:
            b = min(borders[place], last)
            if b - a - 1 >= shortest:
                _split_all(t, a, b, table, marks, stack)
            if b == borders[place] and b < last:
                place += 1
            a = b
        first = last


@njit(cache=True, nogil=True)
def prune_borders(index, ticks, table):  # type: ignore[no-untyped-def]
    """Tell which borders stand the test against both their neighbours.

    Of borders that do not, the weakest goes first, since its going lengthens the others' stretches.
    `index` counts photons, `ticks` are their times; both hold the ends, which stay.
    """
    kept = np.arange(len(index))
    while len(kept) > 2:
        excess = np.empty(len(kept))
        excess[0] = excess[-1] = np.inf
        for i in range(1, len(kept) - 1):
            low, here, high = kept[i - 1], kept[i], kept[i + 1]
            n = index[high] - index[low] - 1
            k = index[here] - index[low]
            early, late = float(ticks[here] - ticks[low]), float(ticks[high] - ticks[here])
            value = max(_measure_split(k, n, early, late), _measure_split(k - 1, n, early, late))
            excess[i] = value - _read_critical(table, n)
        stays = np.ones(len(kept), np.bool_)
        for i in range(1, len(kept) - 1):
            if excess[i] < 0.0 and excess[i] < excess[i - 1] and excess[i] <= excess[i + 1]:
                stays[i] = False
        if stays.all():
            break
        kept = kept[stays]
    return kept


@njit(cache=True, nogil=True)
def _measure_spread(t, a, j, b):  # type: ignore[no-untyped-def]
    """Root mean square distance [ticks] of the jump from t[j], with weight R and a flat prior.

    Between two photons ln R is taken as linear in the time of the jump.
    """
    n = b - a - 1
    start, end = t[a], t[b]
    early, late = float(t[j] - start), float(end - t[j])
    top = 0.5 * max(
        _measure_split(j - a, n, early, late), _measure_split(j - a - 1, n, early, late)
    )
    weight, square = 0.0, 0.0
    for side in (-1, 1):
        i = j
        while a < i < b:
            near, far = t[i], t[i + side]
            k = i - a if side > 0 else i - a - 1
            width = float(abs(far - near))
            i += side
            if width == 0.0:
                continue
            value = 0.5 * _measure_split(k, n, float(near - start), float(end - near)) - top
            distant = value
            if i in (a, b):
                far -= side
            if start < far < end:
                distant = 0.5 * _measure_split(k, n, float(far - start), float(end - far)) - top
            if value < -_DROP and distant < -_DROP:
                break
            slope = distant - value
            low, high = math.exp(value), math.exp(distant)
            if abs(slope) < 1e-3:
                m0, m1, m2 = (low + high) / 2.0, (low + 2.0 * high) / 6.0, (low + 3.0 * high) / 12.0
            else:
                m0 = (high - low) / slope
                m1 = (high - m0) / slope
                m2 = (high - 2.0 * m1) / slope
            gap = float(abs(near - t[j]))
            weight += width * m0
            square += width * (gap * gap * m0 + 2.0 * gap * width * m1 + width * width * m2)
    return math.sqrt(square / weight) if weight > 0.0 else 0.0


@njit(cache=True, nogil=True)
def scan_block(t, windows, table):  # type: ignore[no-untyped-def]
    """Find the jumps within a block of arrival times.

    The first and the last photon are its ends. Windows are searched from the shortest, each piece
    between jumps already found on its own; then jumps that do not stand against both neighbours
    go, and the others move to the best place between their neighbours.

    Returns
    -------
    photons, spreads
        Index of the photon at each jump, and the error of its time [ticks].
    """
    n = len(t)
    marks = np.zeros(n, np.bool_)
    marks[0] = marks[n - 1] = True
    stack = np.empty((n + 2, 2), np.int64)
    shortest = 1
    for window in windows:
        for offset in (0, window // 2):
            _search_windows(t, offset, window, shortest, table, marks, stack)
        shortest = window // 2
    index = np.flatnonzero(marks)
    index = index[prune_borders(index, t[index], table)]
    for i in range(1, len(index) - 1):
        a, j, b = index[i - 1], index[i], index[i + 1]
        count = b - a - 1
        early, late = float(t[j] - t[a]), float(t[b] - t[j])
        value = max(
            _measure_split(j - a, count, early, late), _measure_split(j - a - 1, count, early, late)
        )
        better, _ = _find_split(t, a, b, value)
        if better >= 0:
            index[i] = better
    index = index[prune_borders(index, t[index], table)]
    spreads = np.empty(len(index) - 2)
    for i in range(1, len(index) - 1):
        spreads[i - 1] = _measure_spread(t, index[i - 1], index[i], index[i + 1])
    return index[1:-1].copy(), spreads
