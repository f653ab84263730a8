"""Where the frontier orbitals are, element by element and layer by layer.

The share of each atom in the HOMO and the LUMO (from the engine's projected densities) is summed
over the atoms of an element or a layer in every frame (PHYSICS.md section 4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.analysis.sampling import block_bootstrap_error
from qdcomp.analysis.validity import list_layers, require_depths
from qdcomp.errors import InputError


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


def compute_orbital_localization(
    symbols: Sequence[str],
    *,
    homo_populations: ArrayLike | None = None,
    lumo_populations: ArrayLike | None = None,
    depth_cells: ArrayLike | None = None,
) -> OrbitalLocalization:
    """Share of each element and layer in the frontier orbitals.

    Parameters
    ----------
    symbols
        Chemical symbols, one per atom.
    homo_populations, lumo_populations
        Share of each atom in each frame, shape ``(n_frames, n_atoms)``; each frame is normalised
        to a sum of 1.
    depth_cells
        Depth of each atom below the surface [unit cells], shape ``(n_atoms,)``; an atom where it
        is nan is in no layer.

    Raises
    ------
    InputError
        If shapes do not match, a value is not finite, or an orbital is nowhere in some frame.
    """
    depths = None
    if depth_cells is not None:
        depths = require_depths(depth_cells, len(symbols))
    return OrbitalLocalization(
        homo=_localize("HOMO", homo_populations, symbols, depths),
        lumo=_localize("LUMO", lumo_populations, symbols, depths),
    )


def _localize(
    name: str,
    populations: ArrayLike | None,
    symbols: Sequence[str],
    depths: NDArray[np.float64] | None,
) -> OrbitalPopulation | None:
    if populations is None:
        return None
    shares = _normalize(name, np.asarray(populations, dtype=np.float64), len(symbols))
    elements = np.asarray(symbols)
    by_element = {s: shares[:, elements == s].sum(axis=1) for s in sorted(set(symbols))}
    layers = np.array([]) if depths is None else list_layers(depths)
    by_layer = [shares[:, depths == depth].sum(axis=1) for depth in layers]
    return OrbitalPopulation(
        by_element={s: float(series.mean()) for s, series in by_element.items()},
        by_element_error={s: block_bootstrap_error(series) for s, series in by_element.items()},
        by_element_series=by_element,
        depths_cells=layers,
        by_layer=np.array([series.mean() for series in by_layer]),
        by_layer_error=np.array([block_bootstrap_error(series) for series in by_layer]),
        per_atom=shares.mean(axis=0),
        participating_atoms=1.0 / (shares**2).sum(axis=1),
    )


def _normalize(name: str, populations: NDArray[np.float64], n_atoms: int) -> NDArray[np.float64]:
    if populations.ndim != 2 or populations.shape[1] != n_atoms or len(populations) == 0:
        raise InputError(
            f"{name} populations have shape {populations.shape}; expected (n_frames, {n_atoms})"
        )
    total = populations.sum(axis=1)
    bad = ~(np.isfinite(total) & (total > 0.0))
    if bad.any():
        frame = int(np.argmax(bad))
        raise InputError(
            f"the {name} populations of frame {frame} (counted from 0) sum to {total[frame]}; "
            "expected a positive number"
        )
    normalized: NDArray[np.float64] = populations / total[:, None]
    return normalized
