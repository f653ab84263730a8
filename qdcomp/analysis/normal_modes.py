"""Huang–Rhys factors without a trajectory: normal modes and the gradient of the gap.

Eigenvectors e_k of the mass-weighted Hessian H_ij / √(m_i m_j) with eigenvalues ω_k² give

    S_k = (Σ_i e_{k,i} · ∂U/∂r_i / √m_i)² / (2 ħ ω_k³),   Λ_k = S_k ħω_k

(PHYSICS.md section 4). On a harmonic potential with a linear gap this is the same as the spectrum
of a trajectory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.analysis.huang_rhys import HuangRhysBand


@dataclass(frozen=True)
class NormalModes:
    """Harmonic vibrations about a minimum.

    Attributes
    ----------
    energies_ev
        ħω in ascending order [eV], shape ``(n_modes,)``; imaginary modes are negative.
    eigenvectors
        Mass-weighted and orthonormal, shape ``(n_modes, n_atoms, 3)``; zero on frozen atoms.
    masses
        Masses [amu], shape ``(n_atoms,)``.
    frozen
        True where an atom was held, shape ``(n_atoms,)``.
    n_rigid_body_modes
        Overall translations and rotations that were projected out: 6 for a free dot, 0 where atoms
        are frozen.
    n_imaginary
        Modes with ω² < 0: the structure is not a minimum.
    warnings
        What the user should know.
    """

    energies_ev: NDArray[np.float64]
    eigenvectors: NDArray[np.float64]
    masses: NDArray[np.float64]
    frozen: NDArray[np.bool_]
    n_rigid_body_modes: int
    n_imaginary: int
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class ModeCoupling:
    """Coupling of the gap to each normal mode.

    Attributes
    ----------
    energies_ev
        ħω of the modes used, ascending [eV], shape ``(n_modes,)``.
    huang_rhys_factors
        S_k, shape ``(n_modes,)``.
    reorganization_energies_ev
        Λ_k = S_k ħω_k [eV], shape ``(n_modes,)``.
    huang_rhys_factor, reorganization_energy_ev
        Their sums.
    bands
        Sums in the bands around 2, 7 and 17 meV; errors are 0.
    participation
        Share of each named group of atoms in each mode, Σ |e_{k,i}|² over the group, each of shape
        ``(n_modes,)``.
    coupled_participation
        The same averaged over the modes with weight Λ_k: which atoms carry the coupling.
    n_excluded
        Modes left out because imaginary or softer than the threshold.
    warnings
        What the user should know.
    """

    energies_ev: NDArray[np.float64]
    huang_rhys_factors: NDArray[np.float64]
    reorganization_energies_ev: NDArray[np.float64]
    huang_rhys_factor: float
    reorganization_energy_ev: float
    bands: tuple[HuangRhysBand, ...]
    participation: Mapping[str, NDArray[np.float64]]
    coupled_participation: Mapping[str, float]
    n_excluded: int
    warnings: tuple[str, ...]
