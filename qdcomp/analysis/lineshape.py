"""Emission and absorption lineshape with quantum phonons, by the generating function.

    g(t) = Σ_k S_k [ coth(ħω_k / 2kT) (1 − cos ω_k t) + i (sin ω_k t − ω_k t) ]
    absorption ∝ Re ∫_0^∞ exp(i (E − E_v) t/ħ − g(t)) dt
    emission   ∝ Re ∫_0^∞ exp(i (E − E_v + 2Λ) t/ħ − g*(t)) dt

(PHYSICS.md section 4), E_v the vertical gap of the ground-state geometry. Absorption has its mean
at E_v, emission at E_v − 2Λ, the zero-phonon line lies at E_v − Λ, and the variance of both is
Σ S_k (ħω_k)² coth(ħω_k / 2kT).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft
from scipy.interpolate import CubicSpline

from qdcomp.analysis.huang_rhys import HuangRhysSpectrum
from qdcomp.analysis.linewidth import thermal_energies
from qdcomp.analysis.validity import require_positive, require_series
from qdcomp.errors import InputError
from qdcomp.units import BOLTZMANN_EV_PER_K, FWHM_PER_SIGMA, HBAR_EV_FS, PLANCK_EV_FS

DEFAULT_BROADENING_EV = 0.001
"""Gaussian broadening [eV] where none is asked for: about a spectrometer's resolution, and enough
to hide the spacing of the bins of a 10 ps spectrum."""

BROADENING_DECAY = 8.0
"""Standard deviations of the broadening in time after which coherence counts as gone (1e-14)."""

MAXIMUM_MODES = 4096
"""Bins of a spectrum above which neighbours are merged, ΣS and Λ kept."""

Kind = Literal["emission", "absorption"]


@dataclass(frozen=True)
class Lineshape:
    """A spectrum of unit area.

    Attributes
    ----------
    kind
        ``"emission"`` or ``"absorption"``.
    energies_ev
        Photon energies [eV], shape ``(n_energies,)``.
    intensity
        Normalised to ∫ dE = 1 [1/eV], shape ``(n_energies,)``.
    temperature_k
        Temperature of the phonons [K].
    vertical_energy_ev
        E_v, the vertical gap [eV]; 0 if none was given, energies are then relative to it.
    peak_energy_ev
        Energy of the maximum [eV].
    fwhm_ev
        Full width at half maximum [eV], the broadening included.
    half_width_low_ev, half_width_high_ev
        Half widths at half maximum on the low- and the high-energy side of the peak [eV].
    mean_energy_ev, variance_ev2
        First moment [eV] and second central moment [eV²] of ``intensity``.
    expected_mean_energy_ev, expected_variance_ev2
        The same by the exact sum rules [eV, eV²], the broadening included.
    reorganization_energy_ev
        Λ [eV].
    stokes_shift_ev
        2Λ, between the means of absorption and emission [eV].
    zero_phonon_energy_ev
        E_v − Λ [eV].
    zero_phonon_weight
        Share of the zero-phonon line, exp(−Σ S coth(ħω/2kT)).
    broadening_ev
        Full width at half maximum of the Gaussian that every line was broadened with [eV].
    warnings
        What the user should know.
    """

    kind: str
    energies_ev: NDArray[np.float64]
    intensity: NDArray[np.float64]
    temperature_k: float
    vertical_energy_ev: float
    peak_energy_ev: float
    fwhm_ev: float
    half_width_low_ev: float
    half_width_high_ev: float
    mean_energy_ev: float
    variance_ev2: float
    expected_mean_energy_ev: float
    expected_variance_ev2: float
    reorganization_energy_ev: float
    stokes_shift_ev: float
    zero_phonon_energy_ev: float
    zero_phonon_weight: float
    broadening_ev: float
    warnings: tuple[str, ...]


def compute_emission_lineshape(
    spectrum: HuangRhysSpectrum,
    temperature_k: float,
    *,
    kind: Kind = "emission",
    vertical_energy_ev: float = 0.0,
    broadening_ev: float = DEFAULT_BROADENING_EV,
    time_step_fs: float | None = None,
    duration_fs: float | None = None,
) -> Lineshape:
    """Lineshape from the Huang–Rhys spectrum of a trajectory.

    Each bin above E = 0 is a mode. The zero bin, slower than the trajectory, adds a static Gaussian
    of variance 2 Λ_0 kT.

    Parameters
    ----------
    spectrum
        Huang–Rhys spectrum, of a trajectory at any temperature.
    temperature_k
        Temperature of the phonons [K].
    kind
        ``"emission"`` or ``"absorption"``.
    vertical_energy_ev
        Mean gap [eV]; at 0 the energies are relative to it.
    broadening_ev
        Full width at half maximum of the Gaussian that every line is broadened with [eV].
    time_step_fs, duration_fs
        Grid of the generating function [fs]; chosen from the spectrum if not given.

    Raises
    ------
    InputError
        If a number is not positive, or the time grid is too coarse or too short.
    """
    energies, factors = _merge_modes(
        spectrum.energies_ev[1:], spectrum.huang_rhys_density[1:] * spectrum.energy_step_ev
    )
    shape = compute_mode_lineshape(
        energies,
        factors,
        temperature_k,
        kind=kind,
        vertical_energy_ev=vertical_energy_ev,
        broadening_ev=broadening_ev,
        static_reorganization_energy_ev=spectrum.zero_bin_reorganization_energy_ev,
        time_step_fs=time_step_fs,
        duration_fs=duration_fs,
    )
    if broadening_ev < spectrum.energy_step_ev:
        note = (
            f"the broadening of {broadening_ev * 1e3:.2g} meV is finer than the bins of the "
            f"spectrum ({spectrum.energy_step_ev * 1e3:.2g} meV): sharp lines are an artefact"
        )
        return replace(shape, warnings=(*shape.warnings, note))
    return shape


def compute_mode_lineshape(
    mode_energies_ev: ArrayLike,
    huang_rhys_factors: ArrayLike,
    temperature_k: float,
    *,
    kind: Kind = "emission",
    vertical_energy_ev: float = 0.0,
    broadening_ev: float = DEFAULT_BROADENING_EV,
    static_reorganization_energy_ev: float = 0.0,
    time_step_fs: float | None = None,
    duration_fs: float | None = None,
) -> Lineshape:
    """Lineshape from discrete modes.

    Parameters
    ----------
    mode_energies_ev
        ħω_k [eV], shape ``(n_modes,)``, positive.
    huang_rhys_factors
        S_k, shape ``(n_modes,)``, not negative.
    temperature_k
        Temperature of the phonons [K].
    kind
        ``"emission"`` or ``"absorption"``.
    vertical_energy_ev
        E_v [eV]; at 0 the energies are relative to it.
    broadening_ev
        Full width at half maximum of the Gaussian that every line is broadened with [eV].
    static_reorganization_energy_ev
        Λ_0 of modes too slow to resolve [eV].
    time_step_fs, duration_fs
        Grid of the generating function [fs]; chosen from the modes if not given.

    Raises
    ------
    InputError
        If a number is not positive, or the time grid is too coarse or too short.
    """
    energies = require_series("mode energies", mode_energies_ev)
    factors = require_series("Huang-Rhys factors", huang_rhys_factors, n_frames=len(energies))
    if (energies <= 0.0).any() or (factors < 0.0).any():
        raise InputError("mode energies must be positive and Huang-Rhys factors not negative")
    if kind not in ("emission", "absorption"):
        raise InputError(f"no lineshape {kind!r}; expected 'emission' or 'absorption'")
    temperature = require_positive("temperature", temperature_k, "K")
    broadening = require_positive("broadening", broadening_ev, "eV")

    reorganization = float(factors @ energies) + static_reorganization_energy_ev
    thermal = thermal_energies(energies, temperature)
    static = (
        2.0 * static_reorganization_energy_ev * BOLTZMANN_EV_PER_K * temperature
        + (broadening / FWHM_PER_SIGMA) ** 2
    )
    variance = float(factors @ (energies * thermal)) + static
    times = _choose_times(
        energies, factors, math.sqrt(variance), broadening, time_step_fs, duration_fs
    )
    coherence = _generating_function(times, energies, factors, thermal / energies, static)
    if kind == "emission":
        coherence = coherence.conj()
    detuning, intensity = _transform(coherence, float(times[1]))

    mean = float(intensity @ detuning) / float(intensity.sum())
    spread = float(intensity @ (detuning - mean) ** 2) / float(intensity.sum())
    origin = vertical_energy_ev - (2.0 * reorganization if kind == "emission" else 0.0)
    kept = _shown(intensity)
    peak, low, high = find_half_maxima(detuning[kept], intensity[kept])
    return Lineshape(
        kind=kind,
        energies_ev=origin + detuning[kept],
        intensity=intensity[kept],
        temperature_k=temperature,
        vertical_energy_ev=vertical_energy_ev,
        peak_energy_ev=origin + peak,
        fwhm_ev=high - low,
        half_width_low_ev=peak - low,
        half_width_high_ev=high - peak,
        mean_energy_ev=origin + mean,
        variance_ev2=spread,
        expected_mean_energy_ev=origin,
        expected_variance_ev2=variance,
        reorganization_energy_ev=reorganization,
        stokes_shift_ev=2.0 * reorganization,
        zero_phonon_energy_ev=vertical_energy_ev - reorganization,
        zero_phonon_weight=math.exp(-float(factors @ (thermal / energies))),
        broadening_ev=broadening,
        warnings=(),
    )


def _merge_modes(
    energies: NDArray[np.float64], factors: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Merge neighbouring bins until there are few enough, keeping ΣS and ΣSE of each group."""
    group = -(-len(energies) // MAXIMUM_MODES)
    if group > 1:
        starts = np.arange(0, len(energies), group)
        summed = np.add.reduceat(factors, starts)
        weighted = np.add.reduceat(factors * energies, starts)
        empty = summed <= 0.0
        middle = np.where(empty, energies[starts], weighted / np.where(empty, 1.0, summed))
        return middle, summed
    return energies, factors


def _choose_times(
    energies: NDArray[np.float64],
    factors: NDArray[np.float64],
    sigma: float,
    broadening: float,
    time_step: float | None,
    duration: float | None,
) -> NDArray[np.float64]:
    """Return times from 0 on [fs] that span the whole line and outlast the broadening."""
    order = np.argsort(energies)
    second = np.cumsum((factors * energies**2)[order])
    reached = int(np.searchsorted(second, (1.0 - 1e-9) * second[-1]))
    highest = float(energies[order][min(reached, len(energies) - 1)])
    half_range = 10.0 * (sigma + highest)
    longest_step = PLANCK_EV_FS / (2.0 * half_range)
    shortest_duration = BROADENING_DECAY * HBAR_EV_FS * FWHM_PER_SIGMA / broadening
    step = longest_step if time_step is None else require_positive("time step", time_step, "fs")
    length = shortest_duration if duration is None else require_positive("duration", duration, "fs")
    if step > 1.001 * longest_step or length < 0.999 * shortest_duration:
        raise InputError(
            f"a time grid of {length:.0f} fs in steps of {step:.3g} fs does not hold this line; "
            f"at least {shortest_duration:.0f} fs in steps of at most {longest_step:.3g} fs do"
        )
    # hfft is fast for 2 (n − 1) with small factors.
    half = fft.next_fast_len(math.ceil(length / step), real=True)
    return step * np.arange(half + 1, dtype=np.float64)


def _generating_function(
    times: NDArray[np.float64],
    energies: NDArray[np.float64],
    factors: NDArray[np.float64],
    occupation: NDArray[np.float64],
    static: float,
) -> NDArray[np.complex128]:
    """exp(−g(t)) with the static Gaussian; times beyond its 1e-14 are never evaluated."""
    coupled = factors > 0.0
    frequencies = energies[coupled] / HBAR_EV_FS
    strength = factors[coupled]
    thermal = strength * occupation[coupled]
    exponent = np.empty(len(times), dtype=np.complex128)
    chunk = max(1, 500_000 // max(1, len(frequencies)))
    for first in range(0, len(times), chunk):
        phase = np.outer(times[first : first + chunk], frequencies)
        real = -2.0 * np.sin(0.5 * phase) ** 2 @ thermal
        imaginary = -(np.sin(phase) - phase) @ strength
        exponent[first : first + chunk] = real + 1j * imaginary
    result: NDArray[np.complex128] = np.exp(exponent - 0.5 * static * (times / HBAR_EV_FS) ** 2)
    return result


def _transform(
    coherence: NDArray[np.complex128], step: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Energies from the vertical one, ascending [eV], and the spectrum of unit area [1/eV]."""
    n_points = 2 * (len(coherence) - 1)
    raw = fft.fftshift(fft.hfft(coherence.conj(), n_points)) * step / PLANCK_EV_FS
    energies = fft.fftshift(fft.fftfreq(n_points, step)) * PLANCK_EV_FS
    return energies, raw


def _shown(intensity: NDArray[np.float64]) -> slice:
    """Range in which the line is above 1e-9 of its maximum."""
    inside = np.flatnonzero(intensity > 1e-9 * intensity.max())
    return slice(max(0, int(inside[0]) - 2), int(inside[-1]) + 3)


def find_half_maxima(
    energies_ev: NDArray[np.float64], intensity: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Peak and the outermost crossings of half its height, on a cubic spline [eV].

    Parameters
    ----------
    energies_ev
        Rising [eV], shape ``(n_energies,)``.
    intensity
        A line that falls below half its height on both sides, shape ``(n_energies,)``.
    """
    high = np.flatnonzero(intensity > 0.4 * intensity.max())
    # a spline forgets its ends by a factor of four a point
    near = slice(max(0, int(high[0]) - 20), int(high[-1]) + 21)
    spline = CubicSpline(energies_ev[near], intensity[near])
    turning = spline.derivative().roots(extrapolate=False)
    heights = spline(turning)
    peak = float(turning[int(np.argmax(heights))])
    crossings = spline.solve(0.5 * float(heights.max()), extrapolate=False)
    return peak, float(crossings.min()), float(crossings.max())
