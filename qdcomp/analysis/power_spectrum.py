"""Windows and the one-sided power spectral density on an energy axis.

    X_j = Σ_n w_n x_n exp(−2πi jn/N'),  E_j = h j / (N' δt),  ΔE = h / (N' δt)
    P_j = c_j |X_j|² δt / (h Σ w²),  c_j = 2 (1 at zero and Nyquist)
    Σ_j P_j ΔE = Σ w² x² / Σ w²

(PHYSICS.md section 4.) Sums over bins are exact by Parseval's theorem; no trapezoid is used.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from qdcomp.errors import InputError
from qdcomp.units import PLANCK_EV_FS

WINDOW_FWHM_BINS = {"hann": 1.4406, "rectangular": 0.8859}
"""Full width at half maximum of |W|² in units of 1/(N δt), by window (Harris 1978)."""


def build_window(name: str, n_samples: int) -> NDArray[np.float64]:
    """Return the periodic window of a name, shape ``(n_samples,)``.

    Raises
    ------
    InputError
        If there is no such window.
    """
    if name == "hann":
        return 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n_samples) / n_samples)
    if name == "rectangular":
        return np.ones(n_samples)
    raise InputError(f"no window {name!r}; expected one of {', '.join(sorted(WINDOW_FWHM_BINS))}")


def energy_axis(n_transform: int, timestep_fs: float) -> NDArray[np.float64]:
    """Energies of the bins of a real transform of ``n_transform`` points [eV]."""
    step: float = PLANCK_EV_FS / (n_transform * timestep_fs)
    return step * np.arange(n_transform // 2 + 1, dtype=np.float64)


def one_sided_weights(n_transform: int) -> NDArray[np.float64]:
    """Return c_j, 2 and 1 at zero and Nyquist, shape ``(n_transform // 2 + 1,)``."""
    weights = np.full(n_transform // 2 + 1, 2.0)
    weights[0] = 1.0
    if n_transform % 2 == 0:
        weights[-1] = 1.0
    return weights


def energy_resolution(window: str, n_samples: int, timestep_fs: float) -> float:
    """Full width at half maximum that a sharp line has after the window [eV]."""
    return WINDOW_FWHM_BINS[window] * PLANCK_EV_FS / (n_samples * timestep_fs)


def compute_power_density(
    series: NDArray[np.float64], timestep_fs: float, *, window: str, n_transform: int
) -> NDArray[np.float64]:
    """One-sided power spectral density of a series.

    Parameters
    ----------
    series
        Samples [any unit u], shape ``(n_samples,)``; the mean is not removed here.
    timestep_fs
        Time between samples [fs].
    window
        ``"hann"`` or ``"rectangular"``.
    n_transform
        Points of the transform, zero padding included; at least ``n_samples``.

    Returns
    -------
    NDArray
        P_j [u²/eV], shape ``(n_transform // 2 + 1,)``.

    Raises
    ------
    InputError
        If the window is unknown.
    """
    weights = build_window(window, len(series))
    amplitude = fft.rfft(weights * series, n_transform)
    norm = timestep_fs / (PLANCK_EV_FS * float(weights @ weights))
    power: NDArray[np.float64] = amplitude.real**2 + amplitude.imag**2
    return power * one_sided_weights(n_transform) * norm


def window_coherence(window: str, n_samples: int, n_transform: int) -> NDArray[np.float64]:
    """Squared correlation |ρ_l|² of bins l apart, for noise that is flat over the window's width.

    ρ_l = Σ w² exp(−2πi ln/N') / Σ w². Without padding it is 1, 4/9, 1/36 for a Hann window and 1
    for a rectangular one. Bins further apart than those returned correlate by less than 10⁻³.

    Returns
    -------
    NDArray
        Shape ``(n_lags,)``, beginning with 1.
    """
    squared = build_window(window, n_samples) ** 2
    transform = fft.rfft(squared, n_transform)
    lags = min(len(transform), 16 * -(-n_transform // n_samples))
    coherence: NDArray[np.float64] = np.abs(transform[:lags]) ** 2 / abs(transform[0]) ** 2
    last = int(np.flatnonzero(coherence > 1e-3)[-1])
    return coherence[: last + 1]
