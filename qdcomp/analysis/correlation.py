"""Autocorrelation by the fast Fourier transform, and its double time integral.

    C(kδt) = 1/(N − k) Σ_n δx_n δx_{n+k}

exactly, by the Wiener–Khinchin theorem with zero padding to twice the length, in O(N log N).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.interpolate import CubicSpline

from qdcomp.errors import InputError


def compute_autocorrelation(
    series: NDArray[np.float64], *, n_delays: int | None = None
) -> NDArray[np.float64]:
    """Autocorrelation of the deviations from the mean.

    Parameters
    ----------
    series
        Samples [any unit u], shape ``(n_samples,)``.
    n_delays
        Delays wanted, from 0 on; half the samples if not given, since beyond that few pairs are
        left.

    Returns
    -------
    NDArray
        C [u²], shape ``(n_delays,)``; C[0] is the variance.

    Raises
    ------
    InputError
        If more delays are asked for than there are samples.
    """
    n_samples = len(series)
    wanted = max(1, n_samples // 2) if n_delays is None else n_delays
    if not 1 <= wanted <= n_samples:
        raise InputError(f"{wanted} delays asked of {n_samples} samples; ask for 1 to {n_samples}")
    padded = fft.next_fast_len(2 * n_samples, real=True)
    transform = fft.rfft(series - series.mean(), padded)
    products = fft.irfft(transform.real**2 + transform.imag**2, padded)[:wanted]
    correlation: NDArray[np.float64] = products / (n_samples - np.arange(wanted))
    return correlation


def find_correlation_time(correlation: NDArray[np.float64], timestep_fs: float) -> float:
    """Delay at which an autocorrelation has fallen to C(0)/e for the first time [fs].

    Linear between samples; the last delay if it never falls that far.
    """
    level = correlation[0] / np.e
    below = np.flatnonzero(correlation < level)
    if len(below) == 0:
        return float((len(correlation) - 1) * timestep_fs)
    after = int(below[0])
    before_value, after_value = correlation[after - 1], correlation[after]
    fraction = (before_value - level) / (before_value - after_value)
    return float((after - 1 + fraction) * timestep_fs)


def integrate_twice(
    correlation: NDArray[np.float64], timestep_fs: float, times_fs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Double integral ∫_0^t dτ1 ∫_0^τ1 dτ2 C(τ2).

    Two cumulative integrals of the cubic spline through C, which is even, so that its slope at 0
    is 0: O(N), and exact for a C that is cubic between samples.

    Parameters
    ----------
    correlation
        C(kδt) [u²], shape ``(n_delays,)``, at least four.
    timestep_fs
        δt [fs].
    times_fs
        Times at which the integral is wanted, within the delays [fs], shape ``(n_times,)``.

    Returns
    -------
    NDArray
        The integral [u² fs²], shape ``(n_times,)``.

    Raises
    ------
    InputError
        If fewer than four delays are given.
    """
    if len(correlation) < 4:
        raise InputError(f"{len(correlation)} delays of an autocorrelation; at least 4 are needed")
    delays = timestep_fs * np.arange(len(correlation))
    spline = CubicSpline(delays, correlation, bc_type=((1, 0.0), "not-a-knot"))
    integral: NDArray[np.float64] = spline.antiderivative(2)(times_fs)
    return integral
