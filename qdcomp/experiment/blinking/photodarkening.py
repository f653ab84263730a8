"""Photodarkening: how long a dot takes to fall to 70 % of its first brightness.

The counts are averaged over stretches of the trace and replaced by the never rising curve nearest
to them, which says about when 70 % was crossed. The curve

    I(t) = A exp(b t + c t²)

by least squares from the beginning to 1.6 times that moment, found again until it stays, then gives
the first brightness A and the moment T itself, b T + c T² = ln 0.7, with the error that follows
from the scatter of the averages about it, wider where neighbours scatter together. A fall that is
exponential is met exactly, one that begins late or levels off nearly so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.special import stdtrit

from qdcomp.errors import InputError
from qdcomp.experiment.block_jackknife import ONE_SIGMA
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.intensity_trace import BlinkingTrace

LEVEL = 0.70
"""Share of the first brightness."""

STRETCHES = 120
"""Stretches that the trace is averaged over."""

FITTED_STRETCHES = 40
"""Averages that the curve goes through, at most."""

FITTED_TIMES = 1.6
"""Range of the curve over T70."""

SURE = 3.0
"""T70 over its error, below which the brightness scatters too much for one."""

_ROUNDS = 20
_MIDWAY = 0.5 * (1.0 + LEVEL)


@dataclass(frozen=True)
class Photodarkening:
    """Loss of brightness.

    Attributes
    ----------
    t70_s
        Time to 70 % of the first brightness [s]; None where it was not reached.
    longer_than_s
        Time for which the dot stayed above [s]; None where it did not.
    remaining
        Brightness of the last tenth of the trace over the first.
    times_s, rates_per_s
        Averages of the stretches: their middles [s] and counts per second, shape ``(n,)``.
    curve_per_s
        The never rising curve [1/s], shape ``(n,)``.
    reason
        Why there is no T70; empty where there is one.
    """

    t70_s: Estimate | None
    longer_than_s: float | None
    remaining: float
    times_s: NDArray[np.float64]
    rates_per_s: NDArray[np.float64]
    curve_per_s: NDArray[np.float64]
    reason: str = ""


def compute_photodarkening(trace: BlinkingTrace) -> Photodarkening:
    """Find the time to 70 % of the first brightness.

    Parameters
    ----------
    trace
        Blinking trace of at least 10 bins.

    Raises
    ------
    InputError
        If the trace is too short or holds no photon.
    """
    if len(trace) < 10:
        raise InputError(f"{len(trace)} bins; photodarkening needs 10 and more")
    if trace.counts.sum() == 0:
        raise InputError("the trace holds no photon, so there is nothing that could darken")
    times, means, sizes = _average(trace, len(trace), STRETCHES)
    curve = np.asarray(isotonic_regression(means, weights=sizes, increasing=False).x)
    fit, time = _find_crossing(trace, times, curve)
    late = trace.counts[-max(len(trace) // 10, 1) :]
    remaining = float(late.mean()) / trace.bin_s / fit.first_per_s
    reason = _find_reason(trace, fit, time)
    return Photodarkening(
        t70_s=None if reason else time,
        longer_than_s=trace.duration_s if time is None else None,
        remaining=remaining,
        times_s=times,
        rates_per_s=means,
        curve_per_s=curve,
        reason=reason,
    )


@dataclass(frozen=True)
class _Decline:
    """ln A, b and c in units of the range, their covariance, and the range [s]."""

    values: NDArray[np.float64]
    covariance: NDArray[np.float64]
    range_s: float

    @property
    def first_per_s(self) -> float:
        """Brightness at the beginning [1/s]."""
        return math.exp(self.values[0])

    def find_crossing(self) -> float | None:
        """Where it first falls to the level, as a share of its range; None where it does not."""
        _, b, c = self.values
        roots = np.roots([c, b, -math.log(LEVEL)])
        real = roots.real[(np.abs(roots.imag) < 1e-12) & (roots.real > 0.0) & (roots.real <= 1.0)]
        return float(real.min()) if len(real) else None

    def estimate_crossing_s(self, x: float) -> Estimate:
        """Time [s] of a crossing and its error."""
        height, slope = np.array([0.0, x, x * x]), np.array([0.0, 1.0, 2.0 * x])
        fall = -float(slope @ self.values)
        variance = float(height @ self.covariance @ height)
        error = math.sqrt(variance) / fall if fall > 0.0 else math.inf
        return Estimate(x * self.range_s, error * self.range_s)


def _average(
    trace: BlinkingTrace, bins: int, stretches: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Middles [s], counts per second and numbers of bins of stretches of the first `bins`."""
    borders = np.linspace(0, bins, min(stretches, bins) + 1).astype(np.int64)
    sizes = np.diff(borders).astype(np.float64)
    total = np.concatenate([[0], np.cumsum(trace.counts)])
    middles = 0.5 * (borders[1:] + borders[:-1]) * trace.bin_s
    rates: NDArray[np.float64] = np.diff(total[borders]) / (sizes * trace.bin_s)
    return np.asarray(middles, np.float64), rates, sizes


def _find_crossing(
    trace: BlinkingTrace, times: NDArray[np.float64], curve: NDArray[np.float64]
) -> tuple[_Decline, Estimate | None]:
    """Fit the curve and find the crossing; None where 70 % is never reached."""
    below = np.flatnonzero(curve <= LEVEL * float(curve[0]))
    about = float(times[below[0]]) if len(below) else trace.duration_s
    fewest = 10.0 * trace.bin_s
    span = min(max(FITTED_TIMES * about, fewest), trace.duration_s)
    for _ in range(_ROUNDS):
        fit = _fit_decline(trace, span)
        x = fit.find_crossing()
        if x is None and span >= trace.duration_s:
            return fit, None
        wanted = 1.5 * span if x is None else FITTED_TIMES * x * fit.range_s
        wanted = min(max(wanted, fewest), trace.duration_s)
        if x is not None and abs(wanted - span) < 0.1 * span:
            break
        span = wanted
    return fit, None if x is None else fit.estimate_crossing_s(x)


def _fit_decline(trace: BlinkingTrace, span_s: float) -> _Decline:
    bins = min(max(round(span_s / trace.bin_s), 10), len(trace))
    times, means, sizes = _average(trace, bins, FITTED_STRETCHES)
    length = bins * trace.bin_s
    root = np.sqrt(sizes)
    powers = (times / length)[:, None] ** np.arange(3)
    values = np.array([math.log(max(float(means.mean()), 1e-300)), 0.0, 0.0])
    for _ in range(_ROUNDS):
        curve = np.exp(powers @ values)
        design = powers * (curve * root)[:, None]
        left = (means - curve) * root
        step = np.linalg.lstsq(design, left, rcond=None)[0]
        values = values + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-8:
            break
    variance = float(left @ left) / (len(times) - 3)
    together = float(left[1:] @ left[:-1]) / max(float(left @ left), 1e-300)
    wider = 1.0 + 2.0 * max(together, 0.0)
    # Student's factor of 37 degrees of freedom is 1 %; of the 7 that are fewest, 7 %.
    student = float(stdtrit(len(times) - 3, ONE_SIGMA))
    covariance = np.linalg.inv(design.T @ design) * variance * wider * student**2
    return _Decline(values, covariance, length)


def _find_reason(trace: BlinkingTrace, fit: _Decline, time: Estimate | None) -> str:
    """Why there is no T70; empty where there is one."""
    if time is None:
        return (
            f"the dot never fell to {LEVEL:.0%} of its first brightness in {trace.duration_s:.4g} s"
        )
    if time.value < SURE * time.error:
        return "the brightness scatters too much for a time at which it crosses 70 %"
    later = trace.counts[math.ceil(time.value / trace.bin_s) :]
    if len(later) >= len(trace) // 10 and later.mean() / trace.bin_s > _MIDWAY * fit.first_per_s:
        return "the brightness fell below 70 % and came back"
    return ""
