"""Decays under periodic excitation: the tail of each pulse runs on into the next periods.

With pulses every T the density of photons of lifetime τ at the delay u after a pulse is

    f(u) = e^{−u/τ} / (τ (1 − e^{−T/τ})),   0 ≤ u < T

because the tails of all earlier pulses add up (a geometric sum). A bin has the difference of the
cumulative C(x) = ∫_0^x f at its borders, so bins of any width are exact. C goes on beyond one
period: it grows by 1 with each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray
from scipy.special import gamma, gammainc, log_ndtr, ndtr

_TAIL = 1e-12
"""Share of a stretched decay that may be left out when the tails of old pulses are summed."""

_MOST_PULSES = 400
_NODES = 16
_FAR = 9.0
"""Standard deviations before a pulse at which a Gaussian response is nil."""


@dataclass(frozen=True)
class DecayShape:
    """One component of a decay, of unit area: e^{−(t/τ)^β}.

    Attributes
    ----------
    lifetime_ns
        τ [ns].
    stretching
        β; 1 for an exponential.
    """

    lifetime_ns: float
    stretching: float = 1.0

    @property
    def amplitude_average_ns(self) -> float:
        """∫I/I(0) = (τ/β) Γ(1/β) [ns]: the decay's area over its height."""
        power = 1.0 / self.stretching
        return float(self.lifetime_ns * power * gamma(power))

    @property
    def intensity_average_ns(self) -> float:
        """∫tI/∫I = τ Γ(2/β)/Γ(1/β) [ns]: the mean arrival time of a photon."""
        power = 1.0 / self.stretching
        return float(self.lifetime_ns * gamma(2.0 * power) / gamma(power))


def compute_cumulative(
    shape: DecayShape, times_ns: NDArray[np.float64], period_ns: float
) -> NDArray[np.float64]:
    """Photons between the pulse and a time, per photon of a period.

    Parameters
    ----------
    shape
        Component.
    times_ns
        Time after the pulse, any sign [ns].
    period_ns
        Time between two pulses [ns].

    Returns
    -------
    NDArray
        C(x), of the shape of `times_ns`.
    """
    turns = np.floor(times_ns / period_ns)
    late = times_ns - turns * period_ns
    if shape.stretching == 1.0:
        rise = np.expm1(-late / shape.lifetime_ns) / np.expm1(-period_ns / shape.lifetime_ns)
    else:
        rise = _sum_stretched(shape, late, period_ns)
    cumulative: NDArray[np.float64] = turns + rise
    return cumulative


def integrate_cumulative(
    shape: DecayShape, times_ns: NDArray[np.float64], period_ns: float
) -> NDArray[np.float64]:
    """∫_0^x C of `compute_cumulative` [ns], for responses that are flat within their bins."""
    turns = np.floor(times_ns / period_ns)
    late = times_ns - turns * period_ns
    whole = float(_integrate_period(shape, np.array([period_ns]), period_ns)[0])
    integral: NDArray[np.float64] = (
        0.5 * turns * (turns - 1.0) * period_ns
        + turns * (late + whole)
        + _integrate_period(shape, late, period_ns)
    )
    return integral


def compute_broadened_cumulative(
    lifetime_ns: float, times_ns: NDArray[np.float64], period_ns: float, sigma_ns: float
) -> NDArray[np.float64]:
    """Cumulative of an exponential behind a Gaussian response of standard deviation σ.

    For one pulse Φ(x/σ) − e^{σ²/2τ² − x/τ} Φ(x/σ − σ/τ), summed over the pulses; defined up to a
    constant, which bins do not see.
    """
    turns = np.floor(times_ns / period_ns)
    late = times_ns - turns * period_ns
    tau, ratio = lifetime_ns, sigma_ns / lifetime_ns
    cumulative: NDArray[np.float64] = turns.copy()
    # The pulse itself, and the next, whose response may begin before it.
    for x in (late, late - period_ns):
        begun = x > -_FAR * sigma_ns
        near = x[begun]
        blurred = np.exp(0.5 * ratio**2 - near / tau + log_ndtr(near / sigma_ns - ratio))
        cumulative[begun] += ndtr(near / sigma_ns) - blurred
    # Earlier pulses are past their response: what is left of them is exponential.
    older = np.exp(0.5 * ratio**2 - (late + period_ns) / tau)
    cumulative += older / np.expm1(-period_ns / tau)
    return cumulative


def _integrate_period(
    shape: DecayShape, late: NDArray[np.float64], period_ns: float
) -> NDArray[np.float64]:
    if shape.stretching != 1.0:
        return _sum_stretched_integral(shape, late, period_ns)
    tau = shape.lifetime_ns
    area: NDArray[np.float64] = -(late + tau * np.expm1(-late / tau)) / np.expm1(-period_ns / tau)
    return area


def _count_pulses(shape: DecayShape, period_ns: float) -> int:
    """Pulses whose tails are felt; the most allowed cost a share of 1e-12 down to β ≈ 0.4."""
    starts = period_ns * np.arange(1.0, _MOST_PULSES)
    kept = _stretched(shape, starts) < 1.0 - _TAIL
    return 1 + int(np.count_nonzero(kept))


def _stretched(
    shape: DecayShape, times_ns: NDArray[np.float64], moment: int = 0
) -> NDArray[np.float64]:
    """∫_0^x t^k e^{−(t/τ)^β} over its whole, for the moment k."""
    power = 1.0 / shape.stretching
    value: NDArray[np.float64] = gammainc(
        (moment + 1) * power, (times_ns / shape.lifetime_ns) ** shape.stretching
    )
    return value


def _sum_stretched(
    shape: DecayShape, late: NDArray[np.float64], period_ns: float
) -> NDArray[np.float64]:
    def rise(starts: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
        return _stretched(shape, starts + times) - _stretched(shape, starts)

    return _sum_pulses(shape, late, period_ns, rise)


def _sum_stretched_integral(
    shape: DecayShape, late: NDArray[np.float64], period_ns: float
) -> NDArray[np.float64]:
    mean = shape.intensity_average_ns

    def antiderivative(times: NDArray[np.float64]) -> NDArray[np.float64]:
        area: NDArray[np.float64] = times * _stretched(shape, times) - mean * _stretched(
            shape, times, 1
        )
        return area

    def area(starts: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
        grown: NDArray[np.float64] = (
            antiderivative(starts + times)
            - antiderivative(starts)
            - times * _stretched(shape, starts)
        )
        return grown

    return _sum_pulses(shape, late, period_ns, area)


def _sum_pulses(
    shape: DecayShape,
    late: NDArray[np.float64],
    period_ns: float,
    share: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Sum what every pulse adds; pulses that are two periods old are smooth and interpolated."""
    pulses = _count_pulses(shape, period_ns)
    starts = period_ns * np.arange(float(pulses))[:, None]
    total: NDArray[np.float64] = share(starts[:2], late).sum(axis=0)
    if pulses > 2:
        angles = np.cos(np.pi * (np.arange(_NODES) + 0.5) / _NODES)
        old = share(starts[2:], 0.5 * period_ns * (angles + 1.0)).sum(axis=0)
        series = chebyshev.chebfit(angles, old, _NODES - 1)
        total = total + chebyshev.chebval(2.0 * late / period_ns - 1.0, series)
    # What the cut left out belongs to the end of the period like the rest: C(T) is 1.
    held = float(_stretched(shape, np.array([pulses * period_ns]))[0])
    return total / held
