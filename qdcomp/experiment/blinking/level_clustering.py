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
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

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
        If no level is allowed.
    """
    if most_levels < 1:
        raise InputError(f"{most_levels} levels at most; expected 1 or more")
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
    n, t = counts[order].copy(), durations[order].copy()
    left = np.arange(-1, len(n) - 1)
    right = np.arange(1, len(n) + 1)
    alive = np.ones(len(n), np.bool_)
    version = np.zeros(len(n), np.int64)
    heap = [(_join_cost(n, t, i, i + 1), i, i + 1, 0, 0) for i in range(len(n) - 1)]
    heapq.heapify(heap)
    number = len(n)
    found: dict[int, NDArray[np.int64]] = {}
    while True:
        if number <= most:
            found[number] = _number_groups(alive, order)
        if number == 1:
            return found
        _, i, j, vi, vj = heapq.heappop(heap)
        if not (alive[i] and alive[j] and version[i] == vi and version[j] == vj):
            continue
        n[i], t[i] = n[i] + n[j], t[i] + t[j]
        alive[j] = False
        version[i] += 1
        right[i] = right[j]
        number -= 1
        if right[j] < len(n):
            left[right[j]] = i
        for a, b in ((left[i], i), (i, right[i])):
            if a >= 0 and b < len(n):
                cost = _join_cost(n, t, a, b)
                heapq.heappush(heap, (cost, a, b, version[a], version[b]))


def _join_cost(n: NDArray[np.float64], t: NDArray[np.float64], i: int, j: int) -> float:
    """Likelihood lost by one rate for both."""
    parts = sum(float(n[k]) * math.log(n[k] / t[k]) for k in (i, j) if n[k] > 0)
    total = float(n[i] + n[j])
    return parts - (total * math.log(total / (t[i] + t[j])) if total > 0 else 0.0)


def _number_groups(alive: NDArray[np.bool_], order: NDArray[np.int64]) -> NDArray[np.int64]:
    groups = np.empty(len(order), np.int64)
    groups[order] = np.cumsum(alive) - 1
    return groups


def _refine(
    counts: NDArray[np.float64], durations: NDArray[np.float64], members: NDArray[np.int64]
) -> tuple[NDArray[np.int64], float]:
    """Level of each stretch after expectation and maximisation from the joined groups, and ln P."""
    number = int(members.max()) + 1
    weights = np.eye(number)[members]
    before = now = -math.inf
    for _ in range(_ROUNDS):
        time = durations @ weights
        rates = np.maximum(counts @ weights, 1e-9) / np.maximum(time, 1e-300)
        shares = weights.mean(axis=0)
        logs = _log_chances(counts, durations, rates) + np.log(np.maximum(shares, 1e-300))
        total = logsumexp(logs, axis=1)
        weights = np.exp(logs - total[:, None])
        now = float(total.sum())
        if now - before < _ENOUGH * abs(now):
            break
        before = now
    return np.asarray(np.argmax(weights, axis=1), np.int64), now


def _log_chances(
    counts: NDArray[np.float64], durations: NDArray[np.float64], rates: NDArray[np.float64]
) -> NDArray[np.float64]:
    means = durations[:, None] * rates[None, :]
    logs: NDArray[np.float64] = (
        counts[:, None] * np.log(means) - means - gammaln(counts + 1)[:, None]
    )
    return logs


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
