"""Huang–Rhys spectrum from the fluctuating gap of a classical trajectory.

Ground state harmonic, excited state shifted: the gap U(t) has the correlation function

    C(t) = ⟨δU(t) δU(0)⟩ = Σ_k 2 S_k ħω_k kT cos ω_k t,   σ² = C(0) = 2 Λ kT,   Λ = Σ_k S_k ħω_k

and S(E) follows from its power spectral density P(E) as S = P / (2 E kT) (PHYSICS.md section 4; for
a single line this is Eq. 1 of Rainò et al. 2022, S = |F|² / 4ħωkT).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class HuangRhysBand:
    """Coupling to the phonons of one band.

    Attributes
    ----------
    name
        For example ``"2 meV"``.
    center_ev
        Nominal energy Ē of the band [eV], by which Λ is turned into S.
    lower_ev, upper_ev
        Edges [eV]; the band holds lower ≤ E < upper.
    reorganization_energy_ev, reorganization_energy_error_ev
        Λ_b and its standard error [eV]; the error is 0 where nothing was sampled (normal modes).
    huang_rhys_factor, huang_rhys_factor_error
        S_b = Λ_b / Ē_b and its standard error.
    """

    name: str
    center_ev: float
    lower_ev: float
    upper_ev: float
    reorganization_energy_ev: float
    reorganization_energy_error_ev: float
    huang_rhys_factor: float
    huang_rhys_factor_error: float


@dataclass(frozen=True)
class HuangRhysSpectrum:
    """Exciton–phonon coupling resolved in phonon energy.

    Attributes
    ----------
    energies_ev
        Phonon energies E_j, from zero to the Nyquist energy [eV], shape ``(n_energies,)``.
    power_density
        P(E), one-sided power spectral density of the gap [eV²/eV], shape ``(n_energies,)``.
    huang_rhys_density
        S(E) = P / (2 E kT) [1/eV], shape ``(n_energies,)``; 0 at E = 0, where S is not defined.
    spectral_density
        E·S(E) = P / (2 kT) [dimensionless: eV per eV], shape ``(n_energies,)``.
    energy_step_ev
        Spacing of ``energies_ev`` [eV].
    energy_resolution_ev
        Full width at half maximum that a sharp mode has here [eV].
    temperature_k
        Temperature of the trajectory [K].
    timestep_fs
        Time between samples [fs].
    n_samples
        Number of samples of the gap.
    window
        Name of the window.
    reorganization_energy_ev, reorganization_energy_error_ev
        Λ = Σ_j P_j ΔE / 2kT over all bins, the zero bin included, and its standard error [eV].
    huang_rhys_factor, huang_rhys_factor_error
        Σ_j S(E_j) ΔE over E > 0, and its standard error.
    zero_bin_reorganization_energy_ev
        What the zero bin adds to Λ [eV]: variance too slow for this trajectory to resolve. It is
        part of Λ and of the band that begins at 0, and of no S(E).
    variance_ev2
        Plain variance of the gap [eV²].
    bands
        The bands around 2, 7 and 17 meV.
    unassigned_reorganization_energy_ev
        Λ outside all bands [eV].
    warnings
        What the user should know.
    """

    energies_ev: NDArray[np.float64]
    power_density: NDArray[np.float64]
    huang_rhys_density: NDArray[np.float64]
    spectral_density: NDArray[np.float64]
    energy_step_ev: float
    energy_resolution_ev: float
    temperature_k: float
    timestep_fs: float
    n_samples: int
    window: str
    reorganization_energy_ev: float
    reorganization_energy_error_ev: float
    huang_rhys_factor: float
    huang_rhys_factor_error: float
    zero_bin_reorganization_energy_ev: float
    variance_ev2: float
    bands: tuple[HuangRhysBand, ...]
    unassigned_reorganization_energy_ev: float
    warnings: tuple[str, ...]
