"""Emission and absorption lineshape with quantum phonons, by the generating function.

    g(t) = Σ_k S_k [ coth(ħω_k / 2kT) (1 − cos ω_k t) + i (sin ω_k t − ω_k t) ]
    absorption ∝ Re ∫_0^∞ exp(i (E − E_v) t/ħ − g(t)) dt
    emission   ∝ Re ∫_0^∞ exp(i (E − E_v + 2Λ) t/ħ − g*(t)) dt

(PHYSICS.md section 4), E_v the vertical gap of the ground-state geometry. Absorption has its mean at
E_v, emission at E_v − 2Λ, the zero-phonon line lies at E_v − Λ, and the variance of both is
Σ S_k (ħω_k)² coth(ħω_k / 2kT).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
