"""Which coverage is stable at which chemical potential of LBr.

The stable number of ligands minimises Ω(N, Δμ) = ΔG(N) − N Δμ. As Δμ rises N runs through the
corners of the lower convex hull of ΔG(N), and it steps from N to N' at

    Δμ = [ΔG(N') − ΔG(N)] / (N' − N)

(the grand-canonical construction of ab initio thermodynamics: Reuter and Scheffler, Phys. Rev. B
65, 035406, 2001).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.analysis.surface_energy import SurfaceEnergyCurve
from qdcomp.errors import InputError

EQUAL_EV = 1e-6
"""Slopes of the hull that differ by less [eV] are one edge: total energies are not better known."""


@dataclass(frozen=True, eq=False)
class StableCoverage:
    """Number of ligands of lowest Ω against the chemical potential of LBr.

    Attributes
    ----------
    chemical_potentials_ev
        Δμ on top of what the curve was made with [eV], shape ``(n_potentials,)``.
    bound
        Stable N at each, shape ``(n_potentials,)``.
    free_energy_ev
        Ω of it [eV], shape ``(n_potentials,)``.
    corners
        Every N that is stable at some Δμ, ascending, shape ``(n_corners,)``.
    transitions_ev
        Δμ of the steps between them, ascending [eV], shape ``(n_corners − 1,)``.
    warnings
        What the user should know.
    """

    chemical_potentials_ev: NDArray[np.float64]
    bound: NDArray[np.int64]
    free_energy_ev: NDArray[np.float64]
    corners: NDArray[np.int64]
    transitions_ev: NDArray[np.float64]
    warnings: tuple[str, ...]


def compute_stable_coverage(
    curve: SurfaceEnergyCurve, chemical_potentials_ev: ArrayLike
) -> StableCoverage:
    """Stable number of ligands at each chemical potential, and where it steps.

    Parameters
    ----------
    curve
        Surface free energies; an N without one cannot come out stable, and that is warned of.
    chemical_potentials_ev
        Δμ of LBr against that of the curve [eV], shape ``(n_potentials,)``.

    Raises
    ------
    InputError
        If a chemical potential is not a finite number, or there is none.
    """
    potentials = np.atleast_1d(np.asarray(chemical_potentials_ev, dtype=np.float64))
    if potentials.ndim != 1 or potentials.size == 0 or not np.isfinite(potentials).all():
        raise InputError(
            f"the chemical potentials are {potentials.tolist()}; expected a list of finite numbers"
        )
    known = ~np.isnan(curve.free_energy_ev)
    bound, free_energy = curve.bound[known], curve.free_energy_ev[known]
    grand = free_energy[:, None] - bound[:, None] * potentials[None, :]
    stable = np.argmin(grand, axis=0)
    hull = _find_lower_hull(bound, free_energy)
    return StableCoverage(
        chemical_potentials_ev=potentials,
        bound=bound[stable],
        free_energy_ev=grand.min(axis=0),
        corners=bound[hull],
        transitions_ev=np.diff(free_energy[hull]) / np.diff(bound[hull]),
        warnings=tuple(f"cannot come out stable: {gap}" for gap in curve.gaps),
    )


def _find_lower_hull(bound: NDArray[np.int64], free_energy: NDArray[np.float64]) -> list[int]:
    """Return the corners of the lower convex hull, as indices; points on an edge are none."""
    hull: list[int] = []
    for index in range(len(bound)):
        while len(hull) > 1 and (
            _slope(bound, free_energy, hull[-1], index)
            <= _slope(bound, free_energy, hull[-2], hull[-1]) + EQUAL_EV
        ):
            hull.pop()
        hull.append(index)
    return hull


def _slope(
    bound: NDArray[np.int64], free_energy: NDArray[np.float64], first: int, second: int
) -> float:
    return float((free_energy[second] - free_energy[first]) / (bound[second] - bound[first]))
