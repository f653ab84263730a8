"""How far atoms and the gap stray from their means.

    ρ_i = √⟨|r_i − ⟨r_i⟩|²⟩      (PHYSICS.md section 3)

per atom, and as the root mean square over the atoms of one element in one layer. The gap histogram
is fitted with a Gaussian (PHYSICS.md section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from qdcomp.analysis.sampling import relative_variance_error
from qdcomp.analysis.validity import (
    MINIMUM_FRAMES,
    list_layers,
    require_depths,
    require_mask,
    require_series,
    require_vectors,
)
from qdcomp.errors import InputError
from qdcomp.units import FWHM_PER_SIGMA


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
    fwhm_ev, fwhm_error_ev
        Its full width at half maximum at the temperature of the trajectory, and the standard error
        that the length of the trajectory leaves it [eV].
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
    fwhm_error_ev: float


def compute_position_fluctuations(
    positions: ArrayLike,
    symbols: Sequence[str],
    *,
    depth_cells: ArrayLike | None = None,
    frozen: NDArray[np.bool_] | None = None,
) -> PositionFluctuations:
    """Position fluctuation of each atom, element and layer.

    Parameters
    ----------
    positions
        Cartesian coordinates, for a free dot without rigid-body motion [Å], shape
        ``(n_frames, n_atoms, 3)``.
    symbols
        Chemical symbols, one per atom.
    depth_cells
        Depth of each atom below the surface [unit cells], shape ``(n_atoms,)``; an atom where it
        is nan is in no layer.
    frozen
        True where an atom was held, shape ``(n_atoms,)``; such atoms are in no mean.

    Raises
    ------
    InputError
        If shapes do not match or a value is not finite.
    """
    coordinates = require_vectors("positions", positions)
    n_atoms = coordinates.shape[1]
    if len(symbols) != n_atoms:
        raise InputError(f"{len(symbols)} symbols for {n_atoms} atoms; expected one per atom")
    held = require_mask("frozen", frozen, n_atoms)
    squared = coordinates.var(axis=0).sum(axis=1)
    squared[held] = 0.0
    elements = np.asarray(symbols)
    names = sorted(set(symbols))
    by_element = [_average(squared, name, None, (elements == name) & ~held) for name in names]
    by_layer = []
    if depth_cells is not None:
        depths = require_depths(depth_cells, n_atoms)
        for depth in list_layers(depths):
            for name in names:
                chosen = (elements == name) & (depths == depth) & ~held
                by_layer.append(_average(squared, name, float(depth), chosen))
    return PositionFluctuations(
        per_atom=np.sqrt(squared),
        by_element=tuple(entry for entry in by_element if entry is not None),
        by_layer=tuple(entry for entry in by_layer if entry is not None),
    )


def fit_gap_histogram(gap_ev: ArrayLike, *, n_bins: int | None = None) -> GapHistogram:
    """Histogram of the gap and a least-squares Gaussian.

    Parameters
    ----------
    gap_ev
        Gap in each frame [eV], shape ``(n_frames,)``.
    n_bins
        Number of bins; by the rule of Freedman and Diaconis if not given, 8 to 100.

    Raises
    ------
    InputError
        If the gap has fewer than 16 frames, is not finite or does not change.
    """
    gap = require_series("gap", gap_ev, minimum=MINIMUM_FRAMES)
    mean, sigma = float(gap.mean()), float(gap.std())
    if np.ptp(gap) == 0.0:
        raise InputError(f"the gap is {gap[0]} eV in all frames; there is nothing to fit")
    if n_bins is None:
        quartiles = np.percentile(gap, [25.0, 75.0])
        width = max(2.0 * (quartiles[1] - quartiles[0]) / len(gap) ** (1 / 3), 1e-3 * sigma)
        n_bins = int(np.clip(np.ptp(gap) / width, 8, 100))
    counts, edges = np.histogram(gap, bins=n_bins)
    density = counts / (len(gap) * np.diff(edges))
    centres = 0.5 * (edges[1:] + edges[:-1])
    fit_mean, fit_sigma = _fit_gaussian((centres - mean) / sigma, density * sigma)
    fit_mean, fit_sigma = mean + sigma * fit_mean, sigma * fit_sigma
    fine = np.linspace(mean - 4.0 * sigma, mean + 4.0 * sigma, 201)
    reduced = (gap - mean) / sigma
    return GapHistogram(
        bin_edges_ev=edges,
        counts=counts.astype(np.int64),
        density=density,
        mean_ev=mean,
        standard_deviation_ev=sigma,
        skewness=float((reduced**3).mean()),
        excess_kurtosis=float((reduced**4).mean() - 3.0),
        fit_energies_ev=fine,
        fit_density=_gaussian(fine, fit_mean, fit_sigma),
        fit_mean_ev=fit_mean,
        fit_sigma_ev=fit_sigma,
        fwhm_ev=FWHM_PER_SIGMA * fit_sigma,
        fwhm_error_ev=0.5 * FWHM_PER_SIGMA * fit_sigma * relative_variance_error(gap),
    )


def _average(
    squared: NDArray[np.float64], symbol: str, depth: float | None, chosen: NDArray[np.bool_]
) -> LayerFluctuation | None:
    values = squared[chosen]
    if len(values) == 0:
        return None
    fluctuation = float(np.sqrt(values.mean()))
    error = np.nan
    if len(values) > 1 and fluctuation > 0.0:
        error = float(values.std(ddof=1) / np.sqrt(len(values)) / (2.0 * fluctuation))
    return LayerFluctuation(symbol, depth, fluctuation, error, len(values))


def _gaussian(x: NDArray[np.float64], mean: float, sigma: float) -> NDArray[np.float64]:
    """Evaluate the normal density."""
    height = 1.0 / (sigma * np.sqrt(2.0 * np.pi))
    density: NDArray[np.float64] = height * np.exp(-0.5 * ((x - mean) / sigma) ** 2)
    return density


def _fit_gaussian(x: NDArray[np.float64], density: NDArray[np.float64]) -> tuple[float, float]:
    """Centre and width of the normal density nearest to a histogram of unit area."""
    best = least_squares(
        lambda p: _gaussian(x, p[0], p[1]) - density, x0=[0.0, 1.0], bounds=([-5, 1e-3], [5, 10])
    )
    return float(best.x[0]), float(best.x[1])
