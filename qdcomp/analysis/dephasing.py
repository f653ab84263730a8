"""Pure dephasing of the exciton in the second-cumulant approximation.

    g(t) = ħ⁻² ∫_0^t dτ1 ∫_0^τ1 dτ2 C(τ2),   D(t) = exp(−g(t))

with C the autocorrelation of the gap (PHYSICS.md section 4). The pure dephasing time t* is that of
D ≈ exp(−t² / 2t*²), fitted on the first decay, and Γ = 2√(2 ln 2) ħ / t*. Others write
exp(−(t/τ)²): τ = √2 t*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONVENTION = "D(t) = exp(-t^2 / (2 t*^2)); with exp(-(t/tau)^2), tau = sqrt(2) t*"
"""What t* means."""


@dataclass(frozen=True)
class Dephasing:
    """Autocorrelation of the gap and the decay of coherence that follows from it.

    Attributes
    ----------
    correlation_times_fs
        Delays of the autocorrelation [fs], shape ``(n_delays,)``.
    correlation_ev2
        C(t) at ``temperature_k`` [eV²], shape ``(n_delays,)``.
    times_fs
        Times of the decay, a finer grid [fs], shape ``(n_times,)``.
    cumulant
        g(t), shape ``(n_times,)``.
    dephasing_function
        D(t) = exp(−g), shape ``(n_times,)``.
    gaussian_fit
        exp(−t² / 2t*²) at ``times_fs``, shape ``(n_times,)``.
    dephasing_time_fs, dephasing_time_error_fs
        t* and its standard error, of sampling and of the fit together [fs].
    linewidth_ev, linewidth_error_ev
        Γ = 2√(2 ln 2) ħ / t* and its standard error [eV].
    standard_deviation_ev
        σ of the gap at ``temperature_k`` [eV].
    correlation_time_fs
        τ_c, the delay at which C has fallen to C(0)/e for the first time [fs].
    slow_bath_parameter
        σ τ_c / ħ; the Gaussian decay is right where this is well above 5.
    simulation_temperature_k
        Temperature of the trajectory [K]; None if no temperature was given.
    temperature_k
        Temperature that everything here is scaled to, C ∝ T [K]; None likewise.
    convention
        What t* means.
    warnings
        What the user should know.
    """

    correlation_times_fs: NDArray[np.float64]
    correlation_ev2: NDArray[np.float64]
    times_fs: NDArray[np.float64]
    cumulant: NDArray[np.float64]
    dephasing_function: NDArray[np.float64]
    gaussian_fit: NDArray[np.float64]
    dephasing_time_fs: float
    dephasing_time_error_fs: float
    linewidth_ev: float
    linewidth_error_ev: float
    standard_deviation_ev: float
    correlation_time_fs: float
    slow_bath_parameter: float
    simulation_temperature_k: float | None
    temperature_k: float | None
    convention: str
    warnings: tuple[str, ...]
