"""Pure dephasing of the exciton in the second-cumulant approximation.

    g(t) = ħ⁻² ∫_0^t dτ1 ∫_0^τ1 dτ2 C(τ2),   D(t) = exp(−g(t))

with C the autocorrelation of the gap (PHYSICS.md section 4). The pure dephasing time t* is that of
D ≈ exp(−t² / 2t*²), fitted on the first decay, and Γ = 2√(2 ln 2) ħ / t*. Others write
exp(−(t/τ)²): τ = √2 t*.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import curve_fit

from qdcomp.analysis.correlation import (
    compute_autocorrelation,
    find_correlation_time,
    integrate_twice,
)
from qdcomp.analysis.sampling import relative_variance_error
from qdcomp.analysis.validity import MINIMUM_FRAMES, require_positive, require_series
from qdcomp.errors import InputError
from qdcomp.units import FWHM_PER_SIGMA, HBAR_EV_FS

SLOW_BATH_MINIMUM = 5.0
"""σ τ_c / ħ below which the Gaussian decay is not to be trusted (PHYSICS.md section 4)."""

DECAYED = 12.0
"""g at which the grid ends: D is 6e-6."""

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


def compute_dephasing(
    gap_ev: ArrayLike,
    timestep_fs: float,
    *,
    simulation_temperature_k: float | None = None,
    temperature_k: float | None = None,
    n_delays: int | None = None,
) -> Dephasing:
    """Pure dephasing time and linewidth from the gap along a trajectory.

    Parameters
    ----------
    gap_ev
        Gap in each frame [eV], shape ``(n_frames,)``.
    timestep_fs
        Time between frames [fs].
    simulation_temperature_k
        Temperature of the trajectory [K].
    temperature_k
        Temperature of the result [K], by C ∝ T; that of the trajectory if not given.
    n_delays
        Delays of C; half the frames if not given.

    Raises
    ------
    InputError
        If the gap has fewer than 16 frames, is not finite or does not change, if a number is not
        positive, or if only ``temperature_k`` is given.
    """
    step = require_positive("time step", timestep_fs, "fs")
    gap = require_series("gap", gap_ev, minimum=MINIMUM_FRAMES)
    scale = _temperature_ratio(simulation_temperature_k, temperature_k)
    correlation = scale * compute_autocorrelation(gap, n_delays=n_delays)
    if correlation[0] <= 0.0:
        raise InputError(f"the gap is {gap[0]} eV in all frames; without fluctuation no dephasing")
    sigma = math.sqrt(correlation[0])
    times, cumulant = _integrate_until_decayed(correlation, step)
    decay = np.exp(-cumulant)
    time, fit_error = _fit_first_decay(times, decay, HBAR_EV_FS / sigma)
    # t* goes as 1/σ, so its relative error is half that of σ².
    sampling = 0.5 * relative_variance_error(gap)
    error = math.hypot(time * sampling, fit_error)
    linewidth = FWHM_PER_SIGMA * HBAR_EV_FS / time
    correlation_time = find_correlation_time(correlation, step)
    slow_bath = sigma * correlation_time / HBAR_EV_FS
    return Dephasing(
        correlation_times_fs=step * np.arange(len(correlation), dtype=np.float64),
        correlation_ev2=correlation,
        times_fs=times,
        cumulant=cumulant,
        dephasing_function=decay,
        gaussian_fit=np.exp(-0.5 * (times / time) ** 2),
        dephasing_time_fs=time,
        dephasing_time_error_fs=error,
        linewidth_ev=linewidth,
        linewidth_error_ev=linewidth * error / time,
        standard_deviation_ev=sigma,
        correlation_time_fs=correlation_time,
        slow_bath_parameter=slow_bath,
        simulation_temperature_k=simulation_temperature_k,
        temperature_k=simulation_temperature_k if temperature_k is None else temperature_k,
        convention=CONVENTION,
        warnings=_warn(slow_bath, decay),
    )


def _temperature_ratio(simulation: float | None, wanted: float | None) -> float:
    if simulation is not None:
        require_positive("simulation temperature", simulation, "K")
    if wanted is None:
        return 1.0
    if simulation is None:
        raise InputError(
            f"dephasing asked at {wanted} K without the temperature of the trajectory; "
            "give simulation_temperature_k too"
        )
    return require_positive("temperature", wanted, "K") / simulation


def _integrate_until_decayed(
    correlation: NDArray[np.float64], step: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return times and g(t) on a grid that resolves the decay until D is gone or C ends."""
    delays = step * np.arange(len(correlation), dtype=np.float64)
    coarse = integrate_twice(correlation, step, delays) / HBAR_EV_FS**2
    decayed = np.flatnonzero(coarse > DECAYED)
    end = delays[decayed[0]] if len(decayed) else delays[-1]
    natural = HBAR_EV_FS / math.sqrt(correlation[0])
    n_times = int(np.clip(end / min(step, natural / 40.0), 64, 20_000))
    times = np.linspace(0.0, end, n_times + 1)
    return times, integrate_twice(correlation, step, times) / HBAR_EV_FS**2


def _fit_first_decay(
    times: NDArray[np.float64], decay: NDArray[np.float64], guess: float
) -> tuple[float, float]:
    """Return t* and the standard error of the fit, over the times until D first falls below e⁻²."""
    low = np.flatnonzero(decay < math.exp(-2.0))
    last = int(low[0]) + 1 if len(low) else len(times)

    def gaussian(time: NDArray[np.float64], width: float) -> NDArray[np.float64]:
        return np.exp(-0.5 * (time / width) ** 2)

    best, covariance = curve_fit(gaussian, times[:last], decay[:last], p0=[guess])
    return abs(float(best[0])), math.sqrt(float(covariance[0, 0]))


def _warn(slow_bath: float, decay: NDArray[np.float64]) -> tuple[str, ...]:
    warnings = []
    if slow_bath < SLOW_BATH_MINIMUM:
        warnings.append(
            f"σ τ_c / ħ is {slow_bath:.1f}, below {SLOW_BATH_MINIMUM:g}: the bath is not slow, "
            "the decay of coherence is not Gaussian and t* only a rough figure; "
            "use the lineshape instead"
        )
    if decay.min() > math.exp(-0.5):
        warnings.append(
            f"coherence falls only to {decay.min():.2f} within the delays: "
            "t* is an extrapolation; run longer"
        )
    return tuple(warnings)
