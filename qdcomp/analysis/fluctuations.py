"""How far atoms and the gap stray from their means.

    ρ_i = √⟨|r_i − ⟨r_i⟩|²⟩      (PHYSICS.md section 3)

per atom, and as the root mean square over the atoms of one element in one layer. The gap histogram
is fitted with a Gaussian (PHYSICS.md section 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LayerFluctuation:
    """Fluctuation of the atoms of one element in one layer.

    Attributes
    ----------
    symbol
        Chemical symbol.
    depth_cells
        Depth below the surface [unit cells]; None for the whole dot.
    fluctuation, fluctuation_error
        Root mean square of ρ_i over these atoms, and its standard error from the scatter among
        them [Å]; the error is nan for a single atom.
    n_atoms
        How many atoms, frozen ones not counted.
    """

    symbol: str
    depth_cells: float | None
    fluctuation: float
    fluctuation_error: float
    n_atoms: int


@dataclass(frozen=True)
class PositionFluctuations:
    """Position fluctuations about the mean structure.

    Attributes
    ----------
    per_atom
        ρ_i [Å], shape ``(n_atoms,)``; 0 for frozen atoms.
    by_element
        One entry per element.
    by_layer
        One entry per element and layer, from the surface inwards; empty if no depths were given.
    """

    per_atom: NDArray[np.float64]
    by_element: tuple[LayerFluctuation, ...]
    by_layer: tuple[LayerFluctuation, ...]


@dataclass(frozen=True)
class GapHistogram:
    """Distribution of the gap with a Gaussian fit.

    Attributes
    ----------
    bin_edges_ev
        Edges of the bins [eV], shape ``(n_bins + 1,)``.
    counts
        Samples in each bin, shape ``(n_bins,)``.
    density
        The same, normalised to ∫ dE = 1 [1/eV], shape ``(n_bins,)``.
    mean_ev, standard_deviation_ev
        Moments of the samples themselves [eV].
    skewness, excess_kurtosis
        Of the samples; 0 for a Gaussian.
    fit_energies_ev, fit_density
        The fitted Gaussian on a fine grid [eV, 1/eV], shape ``(n_points,)``.
    fit_mean_ev, fit_sigma_ev
        Its centre and standard deviation [eV].
    fwhm_ev
        Its full width at half maximum [eV], at the temperature of the trajectory.
    """

    bin_edges_ev: NDArray[np.float64]
    counts: NDArray[np.int64]
    density: NDArray[np.float64]
    mean_ev: float
    standard_deviation_ev: float
    skewness: float
    excess_kurtosis: float
    fit_energies_ev: NDArray[np.float64]
    fit_density: NDArray[np.float64]
    fit_mean_ev: float
    fit_sigma_ev: float
    fwhm_ev: float
