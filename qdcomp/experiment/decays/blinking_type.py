"""Type A or type B blinking: whether the lifetime falls with the intensity.

In type A a dot dims because its excitons have a faster way to go (a trion's Auger process): the
lifetime falls with the intensity. In type B carriers are caught before they become an exciton:
fewer photons of the same lifetime (Galland et al., Nature 479, 203 (2011)). The statistic is the
exponent

    τ ∝ I^γ

which is 0 for type B, 1 where a nonradiative way alone dims the dot, and more for a trion, which
radiates twice as fast as the exciton. It is the slope of ln τ against ln I over the time bins,
weighted by photons. Counting noise spreads ln I without moving τ and would flatten the slope; its
variance 1/n is known and taken off. Lifetimes carry noise that does not depend on ln I. The error
is from a jackknife over stretches of time, so that it holds for levels that last many bins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from qdcomp.errors import InputError
from qdcomp.experiment.decays.lifetime_trace import LifetimeTrace
from qdcomp.experiment.estimate import Estimate

TYPE_BORDER = 0.25
"""Exponent between the types: blinking is type A if all of the interval is above it, type B if all
of it is below. A dot whose bright level also drifts at one lifetime mixes in exponents of 0, so the
border lies nearer to type B."""

_CONFIDENCE = 0.95
_BLOCKS = 20
_FEWEST_BINS = 5
"""Time bins with a lifetime in each stretch, on average."""

_LEAST_EXCESS = 0.3
"""Share of the variance of ln I that must be more than counting noise."""


@dataclass(frozen=True)
class BlinkingType:
    """Verdict on how a dot blinks.

    Attributes
    ----------
    verdict
        ``A``, ``B`` or ``undetermined``.
    reason
        Why, in one sentence.
    exponent
        γ of τ ∝ I^γ; None where the intensity does not vary enough.
    interval
        Its 95 % interval; None with it.
    p_value
        Chance of a γ at least as far from 0 if lifetime and intensity are independent; None with
        it.
    correlation
        Pearson's coefficient of lifetime and intensity over the time bins, counting noise
        included; None where it cannot be computed.
    excess_share
        Share of the variance of ln I that is more than counting noise; None without bins.
    n_bins
        Time bins that have a lifetime.
    """

    verdict: Literal["A", "B", "undetermined"]
    reason: str
    exponent: Estimate | None
    interval: tuple[float, float] | None
    p_value: float | None
    correlation: Estimate | None
    excess_share: float | None
    n_bins: int


@dataclass(frozen=True)
class _Sums:
    """Weighted sums over the bins of each stretch of time, shape ``(n_blocks,)`` each."""

    weight: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    xx: NDArray[np.float64]
    yy: NDArray[np.float64]
    xy: NDArray[np.float64]
    noise: NDArray[np.float64]

    def total(self, without: int | None = None) -> NDArray[np.float64]:
        """Add all stretches, or all but one."""
        columns = np.stack([self.weight, self.x, self.y, self.xx, self.yy, self.xy, self.noise])
        total: NDArray[np.float64] = columns.sum(axis=1)
        return total if without is None else total - columns[:, without]


@dataclass(frozen=True)
class _Points:
    """Intensity and lifetime of some bins, as they are compared; weights, and the noise of x."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    weights: NDArray[np.float64]
    noise: NDArray[np.float64]


def judge_blinking_type(trace: LifetimeTrace) -> BlinkingType:
    """Tell type A from type B blinking.

    Parameters
    ----------
    trace
        Counts and lifetimes per time bin; the lifetimes by maximum likelihood are used, so that
        background does not feign a longer lifetime in dim bins.

    Returns
    -------
    BlinkingType
        The verdict; ``undetermined`` where the data do not decide.

    Raises
    ------
    InputError
        If the trace has no bins.
    """
    if len(trace.counts) == 0:
        raise InputError("the lifetime trace has no bins")
    known = np.flatnonzero(trace.known)
    if len(known) < _BLOCKS * _FEWEST_BINS:
        return _leave_open(
            f"{len(known)} time bins have a lifetime; the test needs {_BLOCKS * _FEWEST_BINS}, so "
            "measure longer or use wider bins",
            len(known),
        )
    background = trace.gate.background_per_s * trace.bin_s

    def take_logarithms(bins: NDArray[np.intp]) -> _Points:
        counts = trace.gated_counts[bins].astype(float)
        signal, tau = counts - background, trace.lifetimes_ns[bins].astype(float)
        spread = trace.errors_ns[bins] / tau
        # ln of an unbiased estimate is low by half its relative variance.
        y = np.log(tau) + 0.5 * spread**2
        return _Points(np.log(signal), y, spread**-2.0, counts / signal**2)

    def take_plain(bins: NDArray[np.intp]) -> _Points:
        signal = trace.gated_counts[bins].astype(float) - background
        ones = np.ones(len(bins))
        return _Points(signal, trace.lifetimes_ns[bins].astype(float), ones, 0.0 * ones)

    sums = _sum_blocks(known, len(trace.counts), take_logarithms)
    whole = sums.total()
    excess = _find_excess(whole)
    if excess < _LEAST_EXCESS:
        return _leave_open(
            f"the intensity of the time bins with a lifetime hardly varies beyond counting noise "
            f"({max(excess, 0.0):.0%} of its variance)",
            len(known),
            excess,
        )
    exponent = _jackknife(sums, _find_slope)
    correlation = _jackknife(_sum_blocks(known, len(trace.counts), take_plain), _find_correlation)
    return _decide(exponent, correlation, excess, len(known))


def _decide(exponent: Estimate, correlation: Estimate, excess: float, n_bins: int) -> BlinkingType:
    if not (np.isfinite(exponent.value) and exponent.error > 0.0):
        return _leave_open("the exponent has no error: the dim time is too short", n_bins, excess)
    half = float(stdtrit(_BLOCKS - 1, 0.5 + 0.5 * _CONFIDENCE)) * exponent.error
    low, high = exponent.value - half, exponent.value + half
    p_value = float(2.0 * stdtr(_BLOCKS - 1, -abs(exponent.value) / exponent.error))
    verdict: Literal["A", "B", "undetermined"] = "undetermined"
    text = f"γ = {exponent}, from {low:.2f} to {high:.2f} at 95 % (p = {p_value:.1g} for γ = 0)"
    if low > TYPE_BORDER:
        verdict, text = "A", f"the lifetime falls with the intensity: {text}"
    elif high < TYPE_BORDER:
        verdict, text = "B", f"the intensity falls and the lifetime does not: {text}"
    else:
        text = f"{text}, on both sides of {TYPE_BORDER} between the types"
    return BlinkingType(verdict, text, exponent, (low, high), p_value, correlation, excess, n_bins)


def _leave_open(reason: str, n_bins: int, excess: float | None = None) -> BlinkingType:
    return BlinkingType("undetermined", reason, None, None, None, None, excess, n_bins)


def _sum_blocks(
    known: NDArray[np.intp], n_bins: int, take: Callable[[NDArray[np.intp]], _Points]
) -> _Sums:
    """Sum over stretches of the trace, one after another: a long trace has millions of bins."""
    borders = np.searchsorted(known * _BLOCKS // n_bins, np.arange(_BLOCKS + 1))
    stretches = [known[low:high] for low, high in pairwise(borders)]
    # Around the means, so that the sums lose no digits.
    means = np.sum([_add_up(take(bins)) for bins in stretches], axis=0) / len(known)
    columns = [_sum_stretch(take(bins), *means) for bins in stretches]
    return _Sums(*np.array(columns).T)


def _add_up(points: _Points) -> NDArray[np.float64]:
    return np.array([points.x.sum(), points.y.sum()])


def _sum_stretch(points: _Points, mean_x: float, mean_y: float) -> list[float]:
    x, y = points.x - mean_x, points.y - mean_y
    summed = (np.ones_like(x), x, y, x * x, y * y, x * y, points.noise)
    return [float(points.weights @ values) for values in summed]


def _find_moments(total: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Variances of x and y, their covariance and the noise of x."""
    weight, x, y, xx, yy, xy, noise = (float(value) for value in total)
    return (
        xx / weight - (x / weight) ** 2,
        yy / weight - (y / weight) ** 2,
        xy / weight - x * y / weight**2,
        noise / weight,
    )


def _find_excess(total: NDArray[np.float64]) -> float:
    variance, _, _, noise = _find_moments(total)
    return 1.0 - noise / variance if variance > 0.0 else 0.0


def _find_slope(total: NDArray[np.float64]) -> float:
    variance, _, covariance, noise = _find_moments(total)
    return covariance / (variance - noise) if variance > noise else float("nan")


def _find_correlation(total: NDArray[np.float64]) -> float:
    variance, other, covariance, _ = _find_moments(total)
    return covariance / float(np.sqrt(variance * other)) if variance * other > 0 else float("nan")


def _jackknife(sums: _Sums, quantity: Callable[[NDArray[np.float64]], float]) -> Estimate:
    """Value of all stretches, error from leaving each out."""
    values = np.array([quantity(sums.total(without=k)) for k in range(_BLOCKS)])
    variance = (_BLOCKS - 1) / _BLOCKS * float(np.sum((values - values.mean()) ** 2))
    return Estimate(quantity(sums.total()), float(np.sqrt(variance)))
