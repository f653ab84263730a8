"""Levels of intensity: stretches between change points sorted into as few rates as they need.

Stretches are joined first, always the two groups of neighbouring rates whose union costs least
likelihood; each number of groups is then refined by expectation and maximisation and judged by

    BIC = 2 ln P − G ln N − (G − 1) ln m

for G levels, m stretches and N photons, where P is the chance of the photons of every stretch from
a mixture of the levels. Watkins and Yang (J. Phys. Chem. B 109, 617 (2005)) give each stretch to
one level and pay ln m for a rate; but a rate is known from photons, and a false change point, as
there is one in 10⁵ photons at a confidence of 0.99, would then buy itself a level.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.blinking.change_points import ChangePoints
from qdcomp.experiment.estimate import Estimate

MOST_LEVELS = 12

_ROUNDS = 200
_ENOUGH = 1e-9


@dataclass(frozen=True)
class IntensityLevels:
    """Levels of a dot.

    Attributes
    ----------
    rates_per_s
        Photons per second of each level, rising, with their Poisson errors.
    time_shares
        Share of the time in each level, shape ``(n_levels,)``.
    level_of_stretch
        Level of each stretch between change points, shape ``(n_stretches,)``.
    criteria
        Criterion of 1, 2, … levels, shape ``(n_tried,)``; the largest is taken.
    """

    rates_per_s: tuple[Estimate, ...]
    time_shares: NDArray[np.float64]
    level_of_stretch: NDArray[np.int64]
    criteria: NDArray[np.float64]


def cluster_levels(points: ChangePoints, most_levels: int = MOST_LEVELS) -> IntensityLevels:
    """Sort the stretches between change points into levels.

    Parameters
    ----------
    points
        Change points of a measurement.
    most_levels
        Most levels that are tried.

    Raises
    ------
    InputError
        If no level is allowed, or a stretch has no duration.
    """
    if most_levels < 1:
        raise InputError(f"{most_levels} levels at most; expected 1 or more")
    if not np.all(points.durations_s > 0.0):
        raise InputError("stretches between change points take no time; give their lengths in s")
    counts = points.photons.astype(np.float64)
    durations = points.durations_s
    tried = min(most_levels, len(counts))
    groups = _join_neighbours(counts, durations, tried)
    photons, stretches = math.log(max(float(counts.sum()), 2.0)), math.log(len(counts))
    best: tuple[float, NDArray[np.int64]] = (-math.inf, np.zeros(len(counts), np.int64))
    criteria = []
    for number in range(1, tried + 1):
        members, chance = _refine(counts, durations, groups[number])
        score = 2.0 * chance - number * photons - (number - 1) * stretches
        criteria.append(score)
        if score > best[0]:
            best = (score, members)
    return _summarise(points, best[1], np.array(criteria))


def _join_neighbours(
    counts: NDArray[np.float64], durations: NDArray[np.float64], most: int
) -> dict[int, NDArray[np.int64]]:
    """Group of each stretch for every number of groups up to `most`."""
    order = np.argsort(counts / durations, kind="stable")
    firsts = _join_all(counts[order], durations[order], most)
    found: dict[int, NDArray[np.int64]] = {}
    for number in range(1, most + 1):
        groups = np.empty(len(order), np.int64)
        groups[order] = np.cumsum(firsts[number]) - 1
        found[number] = groups
    return found


@njit(cache=True)
def _join_all(
    n: NDArray[np.float64], t: NDArray[np.float64], most: int
) -> NDArray[np.bool_]:  # pragma: no cover - compiled
    """Which stretches, in the order of their rates, begin a group, for each number of groups."""
    last = len(n)
    left = np.arange(-1, last - 1)
    right = np.arange(1, last + 1)
    alive = np.ones(last, np.bool_)
    version = np.zeros(last, np.int64)
    firsts = np.zeros((most + 1, last), np.bool_)
    heap = [(np.inf, 0, 0, 0, 0)]
    for i in range(last - 1):
        heap.append((_join_cost(n, t, i, i + 1), i, i + 1, 0, 0))
    heapq.heapify(heap)
    number = last
    while True:
        if number <= most:
            firsts[number] = alive
        if number == 1:
            return firsts
        _, i, j, vi, vj = heapq.heappop(heap)
        if not (alive[i] and alive[j] and version[i] == vi and version[j] == vj):
            continue
        n[i], t[i] = n[i] + n[j], t[i] + t[j]
        alive[j] = False
        version[i] += 1
        right[i] = right[j]
        number -= 1
        if right[j] < last:
            left[right[j]] = i
        for a, b in ((left[i], i), (i, right[i])):
            if a >= 0 and b < last:
                heapq.heappush(heap, (_join_cost(n, t, a, b), a, b, version[a], version[b]))


@njit(cache=True)
def _join_cost(
    n: NDArray[np.float64], t: NDArray[np.float64], i: int, j: int
) -> float:  # pragma: no cover - compiled
    """Likelihood lost by one rate for both."""
    parts = 0.0
    for k in (i, j):
        if n[k] > 0.0:
            parts += n[k] * math.log(n[k] / t[k])
    total = n[i] + n[j]
    return parts - (total * math.log(total / (t[i] + t[j])) if total > 0.0 else 0.0)


def _refine(
    counts: NDArray[np.float64], durations: NDArray[np.float64], members: NDArray[np.int64]
) -> tuple[NDArray[np.int64], float]:
    """Level of each stretch after expectation and maximisation from the joined groups, and ln P."""
    number = int(members.max()) + 1
    sums = np.array(
        [
            np.bincount(members, values, number)
            for values in (durations, counts, np.ones_like(counts))
        ]
    )
    before = now = -math.inf
    for _ in range(_ROUNDS):
        rates = np.maximum(sums[1], 1e-9) / np.maximum(sums[0], 1e-300)
        members, sums, now = _expect(counts, durations, rates, np.maximum(sums[2], 1e-300))
        if now - before < _ENOUGH * abs(now):
            break
        before = now
    return members, now


@njit(cache=True)
def _expect(
    counts: NDArray[np.float64],
    durations: NDArray[np.float64],
    rates: NDArray[np.float64],
    stretches: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:  # pragma: no cover - compiled
    """Likeliest level of each stretch; times, photons and stretches expected in each; ln P."""
    log_rates, log_shares = np.log(rates), np.log(stretches / len(counts))
    members = np.empty(len(counts), np.int64)
    sums = np.zeros((3, len(rates)))
    logs = np.empty(len(rates))
    chance = 0.0
    for k in range(len(counts)):
        known = counts[k] * math.log(durations[k]) - math.lgamma(counts[k] + 1.0)
        for level in range(len(rates)):
            logs[level] = counts[k] * log_rates[level] - durations[k] * rates[level]
            logs[level] += log_shares[level]
        best = int(np.argmax(logs))
        top = logs[best]
        weights = np.exp(logs - top)
        total = weights.sum()
        members[k] = best
        chance += top + math.log(total) + known
        weights /= total
        sums[0] += durations[k] * weights
        sums[1] += counts[k] * weights
        sums[2] += weights
    return members, sums, chance


def _summarise(
    points: ChangePoints, members: NDArray[np.int64], criteria: NDArray[np.float64]
) -> IntensityLevels:
    used, places = np.unique(members, return_inverse=True)
    n = np.bincount(places, points.photons, minlength=len(used))
    t = np.bincount(places, points.durations_s, minlength=len(used))
    rising = np.argsort(n / t)
    rank = np.empty(len(used), np.int64)
    rank[rising] = np.arange(len(used))
    return IntensityLevels(
        rates_per_s=tuple(
            Estimate(float(n[i] / t[i]), float(math.sqrt(n[i]) / t[i])) for i in rising
        ),
        time_shares=t[rising] / t.sum(),
        level_of_stretch=rank[places],
        criteria=criteria,
    )
