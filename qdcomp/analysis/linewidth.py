"""Linewidth of the emission at any temperature.

    Γ(T) = 2√(2 ln 2) √(2 Λ kT)                       classical (PHYSICS.md section 4)
    Γ(T) = 2√(2 ln 2) √(Σ S (ħω)² coth(ħω / 2kT))     quantum

The classical one needs no spectrum: Γ(T) = 2.3548 σ_U(T_sim) √(T / T_sim), which is kept beside it
as a check of every run.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LinewidthTable:
    """Full width at half maximum of the emission against temperature.

    Attributes
    ----------
    temperatures_k
        Temperatures [K], shape ``(n_temperatures,)``.
    classical_ev, classical_error_ev
        Γ(T) from the reorganization energy, and its standard error [eV], shape
        ``(n_temperatures,)``.
    quantum_ev, quantum_error_ev
        Γ(T) with quantum phonons, and its standard error [eV], shape ``(n_temperatures,)``.
    from_variance_ev
        2.3548 σ_U √(T / T_sim) from the plain variance of the gap [eV], shape
        ``(n_temperatures,)``.
    consistency
        Largest relative difference between ``classical_ev`` and ``from_variance_ev``; the two
        differ by the window only.
    """

    temperatures_k: NDArray[np.float64]
    classical_ev: NDArray[np.float64]
    classical_error_ev: NDArray[np.float64]
    quantum_ev: NDArray[np.float64]
    quantum_error_ev: NDArray[np.float64]
    from_variance_ev: NDArray[np.float64]
    consistency: float
