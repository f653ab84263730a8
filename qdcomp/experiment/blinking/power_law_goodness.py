"""Goodness of fit of a power law of durations: how often chance lies as far from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from qdcomp.experiment.blinking.blinking import Durations
from qdcomp.experiment.blinking.power_law_likelihood import (
    DurationTally,
    cost_cut,
    find_pure_survival,
    find_tail,
    fit_pure,
)

_BOOTSTRAPS = 200
_PARETO_FROM = 1.05
_LONGEST = 1e12
_TOLERANCE = 1e-3
"""Of the exponent of a drawn series: far below its error, of a few hundredths at best."""


def judge_fit(data: DurationTally, exponent: float, rate: float, seed: int) -> float:
    """Share of drawn series that lie further from the fit than the data: ends that were seen."""
    distance = _measure_distance(data, exponent, rate)
    generator = np.random.default_rng(seed)
    total = int(data.times.sum())
    further = 0
    for _ in range(_BOOTSTRAPS):
        lengths = _draw_lengths(generator, total, data.minimum, exponent, rate)
        drawn = DurationTally([Durations(lengths, None, 1.0)], data.minimum)
        further += _measure_distance(drawn, _refit(drawn, exponent, rate), rate) >= distance
    return further / _BOOTSTRAPS


def _refit(data: DurationTally, exponent: float, rate: float) -> float:
    """Exponent of a drawn series at the same cut-off."""
    if rate == 0.0:
        return fit_pure(data, _TOLERANCE)[0]
    found = minimize_scalar(
        lambda one: cost_cut(data, one, rate),
        bounds=(max(0.0, exponent - 1.0), exponent + 1.0),
        method="bounded",
        options={"xatol": _TOLERANCE},
    )
    return float(found.x)


def _measure_distance(data: DurationTally, exponent: float, rate: float) -> float:
    """Largest difference of the distribution functions, at the lengths that came."""
    from_here = np.array(data.values, dtype=np.float64)
    if rate == 0.0:
        survival = find_pure_survival(
            np.append(from_here, from_here[-1] + 1.0), data.minimum, exponent
        )
    else:
        ends = np.append(float(data.minimum), np.append(from_here, from_here[-1] + 1.0))
        tails = find_tail(ends, exponent, rate)
        survival = tails[1:] / tails[0]
    seen = np.append(np.cumsum(data.times[::-1])[::-1], 0.0) / data.times.sum()
    return float(np.abs(survival - seen).max())


def _draw_lengths(
    generator: np.random.Generator, total: int, minimum: int, exponent: float, rate: float
) -> NDArray[np.int64]:
    """Draw lengths in bins: true lengths from the law, then where in a bin they begin."""
    shortest = minimum - 1.0
    kept: list[NDArray[np.float64]] = []
    missing = total
    while missing > 0:
        chances = generator.random((2, 4 * missing + 64))
        if exponent > _PARETO_FROM:
            t = shortest * chances[0] ** (-1.0 / (exponent - 1.0))
            accepted = np.exp(-rate * (t - shortest))
        else:
            t = shortest - np.log(chances[0]) / rate
            accepted = (t / shortest) ** -exponent
        t = t[chances[1] < accepted * np.minimum(t - shortest, 1.0)]
        kept.append(t[:missing])
        missing -= len(kept[-1])
    lengths = np.minimum(np.concatenate(kept), _LONGEST)
    whole = np.floor(lengths)
    up = generator.random(total) < lengths - whole
    drawn: NDArray[np.int64] = np.maximum(whole + up, minimum).astype(np.int64)
    return drawn
