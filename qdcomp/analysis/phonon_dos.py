"""Phonon density of states from atomic velocities.

    g(E) = Σ_i m_i P_{v,i}(E) / kT,   ∫ g dE = number of free degrees of freedom

with P_{v,i} the one-sided power spectral density of the velocity of atom i, summed over x, y and z
(PHYSICS.md section 3). Partial densities (per element, layer, ligand atom) are the same sum over
fewer atoms, and add up to the total.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PhononDos:
    """Phonon density of states.

    Attributes
    ----------
    energies_ev
        Phonon energies, from zero to the Nyquist energy [eV], shape ``(n_energies,)``.
    density
        Total density of states [1/eV], shape ``(n_energies,)``; summed times ``energy_step_ev`` it
        is ``n_degrees_of_freedom``.
    partial
        Density of states of each named group of atoms [1/eV], each of shape ``(n_energies,)``.
    n_degrees_of_freedom
        3N − 6 for a free dot, 3 N_free where atoms are frozen.
    energy_step_ev
        Spacing of ``energies_ev`` [eV].
    energy_resolution_ev
        Full width at half maximum that a sharp mode has here [eV].
    kinetic_temperature_k
        Temperature that the velocities have over these degrees of freedom [K].
    temperature_k
        Temperature that was asked for [K].
    top_energy_ev
        Energy below which 99.9 % of the density lies [eV].
    window
        Name of the window.
    warnings
        What the user should know.
    """

    energies_ev: NDArray[np.float64]
    density: NDArray[np.float64]
    partial: Mapping[str, NDArray[np.float64]]
    n_degrees_of_freedom: int
    energy_step_ev: float
    energy_resolution_ev: float
    kinetic_temperature_k: float
    temperature_k: float
    top_energy_ev: float
    window: str
    warnings: tuple[str, ...]
