"""Photodarkening: how long a dot takes to fall to 70 % of its first brightness.

The counts are averaged over stretches of the trace and replaced by the never rising curve nearest
to them, which a dot that only blinks does not pull down. Where that curve says about when, a
straight line through the first quarter of that time gives the first brightness, and one from four
to six fifths of it the moment at which 70 % of that is crossed, both with their errors. Ranges so
short keep a curved fall from moving them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from qdcomp.errors import InputError
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.intensity_trace import BlinkingTrace
from qdcomp.experiment.straight_line import fit_straight_line

LEVEL = 0.70
"""Share of the first brightness."""

STRETCHES = 120
"""Stretches that the trace is averaged over."""

_FEWEST_POINTS = 4
"""Stretches that a straight line goes through, at least."""


@dataclass(frozen=True)
class Photodarkening:
    """Loss of brightness.

    Attributes
    ----------
    t70_s
        Time to 70 % of the first brightness [s]; None where it was not reached.
    longer_than_s
        Time for which the dot stayed above, where `t70_s` is None [s]; else None.
    remaining
        Last brightness over the first.
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
    parts = np.array_split(trace.counts, min(STRETCHES, len(trace)))
    means = np.array([part.mean() for part in parts]) / trace.bin_s
    sizes = np.array([len(part) for part in parts], dtype=np.float64)
    times = (np.cumsum(sizes) - 0.5 * sizes) * trace.bin_s
    curve = np.asarray(isotonic_regression(means, weights=sizes, increasing=False).x)
    about = _cross(times, curve, LEVEL * float(curve[0]))
    first = _fit_line(times, means, 0.0, about / 4.0, at=0.0)
    remaining = float(curve[-1]) / first.value if first.value > 0.0 else math.inf
    if remaining > LEVEL:
        return Photodarkening(
            None,
            trace.duration_s,
            remaining,
            times,
            means,
            curve,
            f"the dot never fell to {LEVEL:.0%} of its first brightness in "
            f"{trace.duration_s:.4g} s",
        )
    time = _find_crossing(times, means, about, first)
    if time is None:
        reason = "the brightness falls too unevenly for a time at which it crosses 70 %"
        return Photodarkening(None, None, remaining, times, means, curve, reason)
    return Photodarkening(time, None, remaining, times, means, curve)


def _fit_line(
    times: NDArray[np.float64], means: NDArray[np.float64], low: float, high: float, at: float
) -> Estimate:
    """Brightness at one time by a straight line through a range of times."""
    kept = _choose_points(times, low, high)
    return fit_straight_line(times[kept] - at, means[kept]).intercept


def _find_crossing(
    times: NDArray[np.float64], means: NDArray[np.float64], about: float, first: Estimate
) -> Estimate | None:
    """When the line about there crosses the level; None where it does not fall, or not there."""
    kept = _choose_points(times, 0.8 * about, 1.2 * about)
    line = fit_straight_line(times[kept] - about, means[kept])
    slope = line.slope.value
    if slope >= 0.0:
        return None
    time = about + (LEVEL * first.value - line.intercept.value) / slope
    if not times[kept[0]] - about / 5.0 <= time <= times[kept[-1]] + about / 5.0:
        return None
    at_level = math.hypot(line.intercept.error, LEVEL * first.error)
    return Estimate(time, math.hypot(at_level, (time - about) * line.slope.error) / -slope)


def _choose_points(times: NDArray[np.float64], low: float, high: float) -> NDArray[np.int64]:
    """Stretches within a range of times, and the nearest ones where they are too few."""
    inside = np.flatnonzero((times >= low) & (times <= high))
    if len(inside) >= _FEWEST_POINTS:
        return inside
    nearest = np.argsort(np.abs(times - 0.5 * (low + high)), kind="stable")[:_FEWEST_POINTS]
    return np.sort(nearest)


def _cross(times: NDArray[np.float64], curve: NDArray[np.float64], level: float) -> float:
    """Time at which a falling curve goes below a level; its ends where it does not."""
    below = np.flatnonzero(curve <= level)
    if len(below) == 0:
        return float(times[-1])
    i = int(below[0])
    if i == 0:
        return float(times[0])
    drop = curve[i - 1] - curve[i]
    return float(times[i - 1] + (times[i] - times[i - 1]) * (curve[i - 1] - level) / drop)
