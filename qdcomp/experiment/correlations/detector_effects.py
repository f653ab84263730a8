"""What a detector does to the autocorrelation of its counts: dead time and afterpulses.

A count blinds its detector for the dead time t_d, and is followed by a false count with probability
p, at an exponential delay of mean τ_a after the dead time; the false one may be followed by
another. A count therefore has, up to a delay e,

    P(e) = Σ_k p^k γ(k, (e − k t_d)/τ_a)

false counts behind it on average, γ the regularised incomplete gamma function. Counts of steady
light of rate r are a renewal process: up to a delay e behind a count there are

    H(e) = Σ_k γ(k, λ (e − k t_d)),    λ = r/(1 − r t_d)

of them (Cox, Renewal Theory, 1962), none below t_d, more than r per time just above it. The two are
added, and what they do to each other is taken to first order in r p, with f and F the density and
the distribution of the first false count's delay: at a delay d

    −r p f(d) min(d − t_d, t_d)      false counts in the dead time of counts of light
    −r p [F(d) − F(d − t_d)]         light in the dead time of false counts
    −r p [F(d + t_d) − F(d − t_d)]   false counts of counts that the dead time forbids

A cross-correlation of two detectors is free of all that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc

from qdcomp.errors import InputError
from qdcomp.experiment.estimate import Estimate

_NONE, _USUAL_TIME_NS = Estimate(0.0, 0.0), Estimate(50.0, 0.0)
_SMALLEST_CHAIN = 1e-12
_STEP = 1e-3
_RENEWED_DEAD_TIMES = 40
"""Dead times after which counts have forgotten the count that they are counted from."""


@dataclass(frozen=True)
class DetectorEffects:
    """Dead time and afterpulses of one detector.

    Attributes
    ----------
    dead_time_ns
        Time after a count in which nothing is counted [ns].
    afterpulse_probability
        p, chance that a count is followed by a false one.
    afterpulse_time_ns
        τ_a, mean delay of the false one after the dead time [ns].
    """

    dead_time_ns: float = 0.0
    afterpulse_probability: Estimate = _NONE
    afterpulse_time_ns: Estimate = _USUAL_TIME_NS

    def __post_init__(self) -> None:
        """Refuse what no detector does."""
        if not (math.isfinite(self.dead_time_ns) and self.dead_time_ns >= 0.0):
            raise InputError(f"a dead time of {self.dead_time_ns} ns; expected 0 or more")
        if not 0.0 <= self.afterpulse_probability.value < 1.0:
            raise InputError(
                f"an afterpulse probability of {self.afterpulse_probability.value}; expected 0 or "
                "more and less than 1"
            )
        if not self.afterpulse_time_ns.value > 0.0:
            raise InputError(
                f"an afterpulse time of {self.afterpulse_time_ns.value} ns is not a positive time"
            )


def expect_afterpulses(
    detector: DetectorEffects, rate_per_s: float, edges_ns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Count the false counts behind a count, by bins of their delay.

    Parameters
    ----------
    detector
        The detector.
    rate_per_s
        Counts per second as counted.
    edges_ns
        Borders of the bins [ns], rising, shape ``(n_bins + 1,)``.

    Returns
    -------
    NDArray[np.float64]
        Mean number in each bin, shape ``(n_bins,)``.
    """
    dead, time = detector.dead_time_ns, detector.afterpulse_time_ns.value
    chance = detector.afterpulse_probability.value
    below = np.zeros(len(edges_ns))
    generation, share = 1, chance
    while share > _SMALLEST_CHAIN:
        late = np.maximum(edges_ns - generation * dead, 0.0)
        below += share * gammainc(generation, late / time)
        generation += 1
        share *= chance
    below -= chance * rate_per_s * 1e-9 * _integrate_losses(dead, time, edges_ns)
    return np.diff(below)


def _integrate_losses(
    dead: float, time: float, edges_ns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Integrate over delay what dead time and false counts do to each other [ns], over r p."""

    def integrate_distribution(delays: NDArray[np.float64]) -> NDArray[np.float64]:
        late = np.maximum(delays - dead, 0.0)
        return np.asarray(late + time * np.expm1(-late / time), np.float64)

    edges = np.maximum(edges_ns, dead)
    late = edges - dead
    early = np.minimum(late, dead)
    in_light = time - (early + time) * np.exp(-early / time)
    in_light += dead * (np.exp(-early / time) - np.exp(-late / time)) * (late > dead)
    far = integrate_distribution(late)
    light_lost = integrate_distribution(edges) - far
    forbidden = integrate_distribution(edges + dead) - far
    forbidden -= integrate_distribution(np.array([2.0 * dead]))
    return np.asarray(in_light + light_lost + forbidden, np.float64)


def find_afterpulse_errors(
    detector: DetectorEffects, rate_per_s: float, edges_ns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Errors of `expect_afterpulses` by those of probability and time; bins err together."""
    chance, time = detector.afterpulse_probability, detector.afterpulse_time_ns
    found = expect_afterpulses(detector, rate_per_s, edges_ns)
    squares = np.zeros(len(found))
    rarer = replace(detector, afterpulse_probability=_lower(chance))
    sooner = replace(detector, afterpulse_time_ns=_lower(time))
    for number, moved in ((chance, rarer), (time, sooner)):
        if number.value > 0.0:
            change = found - expect_afterpulses(moved, rate_per_s, edges_ns)
            squares += (change / (_STEP * number.value) * number.error) ** 2
    return np.sqrt(squares)


def _lower(number: Estimate) -> Estimate:
    return replace(number, value=(1.0 - _STEP) * number.value)


def compare_with_steady_light(
    dead_time_ns: float, rate_per_s: float, edges_ns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compare counts behind a count of steady light with r Δ, by bins of their delay.

    Parameters
    ----------
    dead_time_ns
        Dead time [ns].
    rate_per_s
        r, counts per second as counted.
    edges_ns
        Borders of the bins [ns], rising, shape ``(n_bins + 1,)``.

    Raises
    ------
    InputError
        If there are more counts than the dead time lets through.
    """
    rate = rate_per_s * 1e-9
    if rate * dead_time_ns >= 1.0:
        raise InputError(
            f"{rate_per_s:g} counts/s with a dead time of {dead_time_ns:g} ns cannot be: at most "
            f"{1e9 / dead_time_ns:g}; is the dead time in ns?"
        )
    if dead_time_ns == 0.0:
        return np.ones(len(edges_ns) - 1)
    light = rate / (1.0 - rate * dead_time_ns)
    horizon = _RENEWED_DEAD_TIMES * dead_time_ns
    near = np.minimum(edges_ns, horizon)
    below = rate * (edges_ns - near)
    for k in range(1, _RENEWED_DEAD_TIMES + 1):
        below += gammainc(k, light * np.maximum(near - k * dead_time_ns, 0.0))
    return np.asarray(np.diff(below) / (rate * np.diff(edges_ns)), np.float64)
