"""Lifetime of a few photons, from their delays themselves.

Within the gate 0 ≤ u < L photons of one lifetime over a known background have the density

    λ(u) = S f(u; τ) + β/L,   f = e^{−u/τ} / (τ (1 − e^{−L/τ}))

with β background photons; S and τ are those that make the delays most likely.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.estimate import Estimate

_STEPS = 60
_STEP_TOLERANCE = 1e-3
"""Of ln τ; Newton's steps leave less than a thousandth of the last one."""
_SMALL, _LARGE = 1e-100, 1e100
"""Range that a product of densities may reach before its logarithm is taken."""


def estimate_lifetime(
    delays_ns: NDArray[np.float64], length_ns: float, background: float = 0.0
) -> Estimate:
    """Lifetime of a few photons [ns].

    Parameters
    ----------
    delays_ns
        Delays after the start, from 0 to the length of the gate [ns], shape ``(n_photons,)``.
    length_ns
        Length of the gate [ns].
    background
        Background photons to expect among them.

    Returns
    -------
    Estimate
        τ and its error; both NaN where no τ within the gate makes the photons most likely.

    Raises
    ------
    InputError
        If a delay lies outside the gate.
    """
    delays = np.asarray(delays_ns, float)
    if len(delays) and not 0.0 <= delays.min() <= delays.max() <= length_ns:
        raise InputError(f"delays reach outside the gate of {length_ns} ns")
    return Estimate(*maximise_delays(delays, length_ns, background))


@njit(cache=True, nogil=True)
def maximise_delays(
    delays: NDArray[np.float64], length: float, background: float
) -> tuple[float, float]:
    """Lifetime and error by Newton steps in S and ln τ, with the observed information.

    Without background S drops out and the delays' sum is all that is needed.
    """
    n = len(delays)
    if n < 2:
        return np.nan, np.nan
    signal = max(n - background, 0.5)
    mean = delays.mean()
    # Method of moments for a first τ; a mean near half the gate is background or no decay.
    tau = (mean * n - 0.5 * background * length) / signal
    tau = min(max(tau, 1e-3 * length), 0.45 * length)
    flat = background / length
    likelihood, g1, g2, h11, h12, h22 = _measure(delays, length, flat, signal, tau)
    damping = 1e-3
    for _ in range(_STEPS):
        a, b = h11 * (1.0 + damping), h22 * (1.0 + damping)
        determinant = a * b - h12 * h12
        if not (a > 0.0 and b > 0.0 and determinant > 0.0):
            # Not at a top yet: walk up the slope on the scale of the counts.
            d1, d2 = g1 * signal / (1.0 + damping), 0.3 * np.sign(g2) / (1.0 + damping)
        else:
            d1 = (b * g1 - h12 * g2) / determinant
            d2 = (a * g2 - h12 * g1) / determinant
        d2 = min(max(d2, -1.0), 1.0)
        tried = max(signal + d1, 0.1 * signal)
        tau_there = tau * np.exp(d2)
        there = _measure(delays, length, flat, tried, tau_there)
        if there[0] >= likelihood - 1e-10:
            signal, tau = tried, tau_there
            likelihood, g1, g2, h11, h12, h22 = there
            damping *= 0.1
            if abs(d2) < _STEP_TOLERANCE:
                break
        else:
            damping = max(damping, 1e-3) * 10.0
            if damping > 1e12:
                break
        if tau > 20.0 * length or tau < 1e-6 * length:
            return np.nan, np.nan
    determinant = h11 * h22 - h12 * h12
    if not (h11 > 0.0 and determinant > 0.0):
        return np.nan, np.nan
    return tau, tau * np.sqrt(h11 / determinant)


@njit(cache=True, nogil=True)
def _measure(
    delays: NDArray[np.float64], length: float, flat: float, signal: float, tau: float
) -> tuple[float, float, float, float, float, float]:
    """Log-likelihood, its slopes in S and θ = ln τ and its curvatures, with reversed sign."""
    # ln f = −u/τ − ln τ − ln(1 − e^{−x}), x = L/τ; with q = x/(e^x − 1),
    # ∂ ln f/∂θ = u/τ − 1 + q and ∂² ln f/∂θ² = −u/τ + q (x e^x/(e^x − 1) − 1).
    x = length / tau
    q = x / np.expm1(x) if x < 700.0 else 0.0
    bend = q * (x / -np.expm1(-x) - 1.0)
    height = 1.0 / (tau * -np.expm1(-x))
    likelihood = -signal
    g1, g2, h11, h12, h22 = -1.0, 0.0, 0.0, 0.0, 0.0
    product = 1.0  # one logarithm for many photons
    for u in delays:
        late = u / tau
        f = height * np.exp(-late)
        total = signal * f + flat
        share = f / total
        weight = signal * share
        slope = late - 1.0 + q
        product *= total
        if not _SMALL < product < _LARGE:
            likelihood += np.log(product)
            product = 1.0
        g1 += share
        g2 += weight * slope
        h11 += share * share
        h12 -= share * (1.0 - weight) * slope
        h22 -= weight * (bend - late + (1.0 - weight) * slope * slope)
    likelihood += np.log(product)
    return likelihood, g1, g2, h11, h12, h22
