"""Compiled loops that draw the detected photons of a simulated dot.

Only pulses of which something is detected are drawn (the number of pulses in between is
geometric), and only waits from one detected photon to the next under continuous excitation. A
photon is one integer, 2 · arrival time [ps] + channel, so that sorting photons is sorting numbers.

Each loop draws from one generator in the order of the emission and carries what it has drawn
beyond the end of a piece over to the next: photons do not depend on how time is cut into pieces.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from qdcomp.experiment.simulation.switching import FOREVER_PS

_LATEST_PS = 2.0**61

_OVER = 40.0
"""Lifetimes after which the faster exponentials are over: e^-40 is below rounding."""


class PulseTable(NamedTuple):
    """Per state: what one pulse gives.

    Attributes
    ----------
    period_ps
        Time between pulses [ps].
    log_miss
        ln of the chance that nothing is detected; 0 for a dark state, shape ``(n_states,)``.
    cumulative
        Summed chances of the four outcomes, shape ``(n_states, 4)``.
    lifetimes_ps
        Of exciton and biexciton [ps], shape ``(n_states, 2)``.
    """

    period_ps: int
    log_miss: NDArray[np.float64]
    cumulative: NDArray[np.float64]
    lifetimes_ps: NDArray[np.float64]


class WaitTable(NamedTuple):
    """Per state: the wait between detected photons, as `CwWaiting`, but in ps.

    Attributes
    ----------
    rates
        Rates [1/ps], shape ``(n_states, 3)``.
    survival
        Weights of the survival, shape ``(n_states, 2, 3)``.
    biexciton
        Weights of the density of XX photons [1/ps], shape ``(n_states, 2, 3)``.
    """

    rates: NDArray[np.float64]
    survival: NDArray[np.float64]
    biexciton: NDArray[np.float64]


class Dimming(NamedTuple):
    """Intensity against time, over a ceiling that it never exceeds.

    Attributes
    ----------
    constant
        True if the intensity does not change.
    ceiling
        Largest intensity, over that of the start.
    drift, darkening
        Linear drift and rate of photodarkening [1/ps].
    levels, first, step_ps
        Fluctuation 1 + σ x in steps of time [ps], number `first` and on; empty for none.
    """

    constant: bool
    ceiling: float
    drift: float
    darkening: float
    levels: NDArray[np.float64]
    first: int
    step_ps: int


class Optics(NamedTuple):
    """What moves a photon in time and chooses its detector.

    Attributes
    ----------
    share
        Share of channel 0.
    offset_ps
        Delay of all light [ps].
    sigma_ps
        Gaussian timing error [ps].
    edges_ps, cumulative
        Timing error of any shape; empty for the Gaussian.
    """

    share: float
    offset_ps: float
    sigma_ps: float
    edges_ps: NDArray[np.float64]
    cumulative: NDArray[np.float64]


class TrapRates(NamedTuple):
    """Rates into and out of the fast trap [1/ps]; zero for none."""

    enter: float
    leave: float


@njit(cache=True)
def _is_kept(rng, time, dimming):  # type: ignore[no-untyped-def]
    if dimming.constant:
        return True
    level = max(1.0 + dimming.drift * time, 0.0) * math.exp(-dimming.darkening * time)
    if len(dimming.levels):
        level *= dimming.levels[time // dimming.step_ps - dimming.first]
    return rng.random() * dimming.ceiling < level


@njit(cache=True)
def _draw_key(rng, time, delay, optics):  # type: ignore[no-untyped-def]
    error = optics.offset_ps
    if len(optics.cumulative):
        u = rng.random()
        right = np.searchsorted(optics.cumulative, u, side="right")
        low, high = optics.cumulative[right - 1], optics.cumulative[right]
        width = optics.edges_ps[right] - optics.edges_ps[right - 1]
        error += optics.edges_ps[right - 1] + (u - low) / (high - low) * width
    elif optics.sigma_ps > 0.0:
        # ten standard deviations: nobody sees the cut, and pieces of time can be closed
        normal = min(max(rng.standard_normal(), -10.0), 10.0)
        error += optics.sigma_ps * normal
    channel = 0 if rng.random() < optics.share else 1
    return 2 * (time + np.int64(math.floor(delay + error))) + channel


@njit(cache=True)
def _append(keys, n, key):  # type: ignore[no-untyped-def]
    if n == len(keys):
        keys = np.concatenate((keys, np.empty(n, np.int64)))
    keys[n] = key
    return keys


@njit(cache=True, nogil=True)
def scatter_pulses(rng, carry, until, period, mean, optics, expected):  # type: ignore[no-untyped-def]
    """Photons of light scattered from the pulses before `until` [ps], not in order.

    With exponential gaps of 1/`mean` pulses, every pulse has a Poisson number of photons. `carry`
    holds the place of the next one [pulses]; it is moved on.
    """
    keys = np.empty(max(expected, 16), np.int64)
    n = 0
    place = carry[0]
    while np.int64(place) * period < until:
        keys = _append(keys, n, _draw_key(rng, np.int64(place) * period, 0.0, optics))
        n += 1
        place += rng.standard_exponential() / mean
    carry[0] = place
    return keys[:n]


@njit(cache=True)
def _draw_trap_end(rng, time, rate):  # type: ignore[no-untyped-def]
    if rate <= 0.0:
        return FOREVER_PS
    return time + np.int64(min(rng.standard_exponential() / rate, _LATEST_PS)) + 1


@njit(cache=True)
def start_trap(rng, trap):  # type: ignore[no-untyped-def]
    """Draw whether the dot begins in its trap, and when that ends [ps]."""
    if trap.enter <= 0.0:
        return 0, FOREVER_PS
    trapped = 1 if rng.random() * (trap.enter + trap.leave) < trap.enter else 0
    return trapped, _draw_trap_end(rng, 0, trap.leave if trapped else trap.enter)


@njit(cache=True, nogil=True)
def emit_after_pulses(  # type: ignore[no-untyped-def]
    rng, carry, until, states, ends, table, trap, dimming, optics, expected
):
    """Photons of the pulses before `until` [ps], not in order.

    `carry` holds the time reached, the next pulse that gives something (-1: not drawn yet),
    whether the dot is trapped, and until when; it is moved on.
    """
    time, pulse, trapped, trap_end = carry[0], carry[1], carry[2], carry[3]
    keys = np.empty(max(expected, 16), np.int64)
    n = 0
    dwell = 0
    period = table.period_ps
    while True:
        while ends[dwell] <= time:
            dwell += 1
        state = states[dwell]
        segment_end = min(ends[dwell], trap_end)
        if pulse < 0:
            pulse = FOREVER_PS // period
            if trapped == 0 and table.log_miss[state] < 0.0:
                skip = math.log(1.0 - rng.random()) / table.log_miss[state]
                pulse = (time + period - 1) // period + np.int64(min(skip, _LATEST_PS / period))
        start = pulse * period
        if start >= segment_end and segment_end < until:
            time, pulse = segment_end, -1
            if segment_end == trap_end:
                trapped = 1 - trapped
                trap_end = _draw_trap_end(rng, time, trap.leave if trapped else trap.enter)
            continue
        if start >= until or start >= segment_end:
            break
        u = rng.random() * table.cumulative[state, 3]
        exciton = rng.standard_exponential() * table.lifetimes_ps[state, 0]
        if u < table.cumulative[state, 0]:
            if _is_kept(rng, start, dimming):
                keys = _append(keys, n, _draw_key(rng, start, exciton, optics))
                n += 1
        else:
            biexciton = rng.standard_exponential() * table.lifetimes_ps[state, 1]
            if u >= table.cumulative[state, 1] and _is_kept(rng, start, dimming):
                keys = _append(keys, n, _draw_key(rng, start, biexciton, optics))
                n += 1
            seen = u < table.cumulative[state, 1] or u >= table.cumulative[state, 2]
            if seen and _is_kept(rng, start, dimming):
                keys = _append(keys, n, _draw_key(rng, start, biexciton + exciton, optics))
                n += 1
        time, pulse = start + 1, -1
    carry[0], carry[1], carry[2], carry[3] = time, pulse, trapped, trap_end
    return keys[:n]


@njit(cache=True)
def _is_of_biexciton(rng, survival, biexciton, rates, wait):  # type: ignore[no-untyped-def]
    if rates[1] * wait > _OVER:
        return rng.random() * survival[0] * rates[0] < biexciton[0]
    density = -_sum_of_exponentials(survival, rates, wait)[1]
    return rng.random() * density < _sum_of_exponentials(biexciton, rates, wait)[0]


@njit(cache=True)
def _sum_of_exponentials(weights, rates, time):  # type: ignore[no-untyped-def]
    value = 0.0
    slope = 0.0
    for k in range(3):
        term = weights[k] * math.exp(-rates[k] * time)
        value += term
        slope -= rates[k] * term
    return value, slope


@njit(cache=True)
def _draw_wait(rng, weights, rates):  # type: ignore[no-untyped-def]
    """Time at which the survival has fallen to a random number: Newton's rule within brackets."""
    u = 1.0 - rng.random()
    guess = math.log(weights[0] / u) / rates[0] if weights[0] > u else 0.0
    if rates[1] * guess > _OVER:
        return guess
    low, high = 0.0, guess + 40.0 / rates[1]
    while _sum_of_exponentials(weights, rates, high)[0] > u:
        low, high = high, 2.0 * high
    time = guess
    for _ in range(100):
        value, slope = _sum_of_exponentials(weights, rates, time)
        if value > u:
            low = time
        else:
            high = time
        step = (u - value) / slope if slope < 0.0 else high - low
        if abs(step) < 0.1:
            return time + step
        time += step
        if not low <= time <= high:
            time = 0.5 * (low + high)
    return time


@njit(cache=True, nogil=True)
def emit_continuously(  # type: ignore[no-untyped-def]
    rng, carry, until, states, ends, table, trap, dimming, optics, expected
):
    """Photons emitted before `until` [ps], not in order.

    `carry` holds the time reached, the next photon (-1: not drawn yet), whether the dot is
    trapped, and until when, whether the last photon was of a biexciton, and whether the next one
    is; it is moved on. A dot that changes its state begins in its ground state.
    """
    time, photon, trapped, trap_end = carry[0], carry[1], carry[2], carry[3]
    last, following = carry[4], carry[5]
    keys = np.empty(max(expected, 16), np.int64)
    n = 0
    dwell = 0
    while True:
        while ends[dwell] <= time:
            dwell += 1
        state = states[dwell]
        segment_end = min(ends[dwell], trap_end)
        if photon < 0:
            photon = FOREVER_PS
            rates = table.rates[state]
            if trapped == 0 and rates[0] > 0.0:
                weights = table.survival[state, last]
                wait = _draw_wait(rng, weights, rates)
                of_last = table.biexciton[state, last]
                following = 1 if _is_of_biexciton(rng, weights, of_last, rates, wait) else 0
                photon = time + np.int64(min(max(wait, 0.0), _LATEST_PS) + 0.5)
        if photon >= segment_end and segment_end < until:
            time, photon, last = segment_end, -1, 0
            if segment_end == trap_end:
                trapped = 1 - trapped
                trap_end = _draw_trap_end(rng, time, trap.leave if trapped else trap.enter)
            continue
        if photon >= until or photon >= segment_end:
            break
        if _is_kept(rng, photon, dimming):
            keys = _append(keys, n, _draw_key(rng, photon, 0.0, optics))
            n += 1
        time, last, photon = photon, following, -1
    carry[0], carry[1], carry[2], carry[3] = time, photon, trapped, trap_end
    carry[4], carry[5] = last, following
    return keys[:n]
