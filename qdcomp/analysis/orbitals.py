"""Where the frontier orbitals are, element by element and layer by layer.

The share of each atom in the HOMO and the LUMO (from the engine's projected densities) is summed
over the atoms of an element or a layer in every frame (PHYSICS.md section 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class OrbitalPopulation:
    """One frontier orbital along a trajectory.

    Attributes
    ----------
    by_element, by_element_error
        Mean share of each element and its standard error (block bootstrap over time).
    by_element_series
        Share of each element in each frame, each of shape ``(n_frames,)``.
    depths_cells
        Depths of the layers below the surface [unit cells], shape ``(n_layers,)``; empty if no
        depths were given.
    by_layer, by_layer_error
        Mean share of each layer and its standard error, shape ``(n_layers,)``.
    per_atom
        Mean share of each atom, shape ``(n_atoms,)``.
    participating_atoms
        1 / Σ_i p_i² in each frame: over how many atoms the orbital extends, shape
        ``(n_frames,)``.
    """

    by_element: Mapping[str, float]
    by_element_error: Mapping[str, float]
    by_element_series: Mapping[str, NDArray[np.float64]]
    depths_cells: NDArray[np.float64]
    by_layer: NDArray[np.float64]
    by_layer_error: NDArray[np.float64]
    per_atom: NDArray[np.float64]
    participating_atoms: NDArray[np.float64]


@dataclass(frozen=True)
class OrbitalLocalization:
    """Both frontier orbitals.

    Attributes
    ----------
    homo, lumo
        The orbitals; None where populations were not written.
    """

    homo: OrbitalPopulation | None
    lumo: OrbitalPopulation | None
