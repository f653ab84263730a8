"""Interaction energy of ligands with each other.

    ΔE = E(cluster) − Σ_i E(monomer i),   ΔE < 0 attractive

for two or more ligands (or their tails) with the atoms where they are on the surface; with pairs,
ΔE − Σ_{i<j} ΔE_ij is what more than two at once add. Along a scan of the distance a cubic spline
gives the minimum. Mi et al. 2025, SI Note 5: PEA pair −0.08 eV, DDA tail with three neighbours
+0.09 eV on average.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from qdcomp.errors import InputError

MINIMUM_SCAN_POINTS = 4
"""Points that a cubic spline needs."""

FINE_POINTS = 400
"""Points of the spline that a figure draws."""

UNDECIDED_SIGMAS = 1.0
"""An energy within this many standard errors of zero has no sign."""


@dataclass(frozen=True)
class PairInteraction:
    """Interaction energy of two or more molecules.

    Attributes
    ----------
    energy_ev, error_ev
        ΔE and its standard error [eV]; None unless the energies came with theirs.
    molecules
        Number of molecules.
    pairs_ev
        ΔE_ij by ``i-j``, counted from 0 [eV]; empty where not given.
    many_body_ev
        ΔE − Σ ΔE_ij [eV]; None unless all pairs are given. 0 for two molecules.
    mean_pair_ev
        Mean of the given pairs [eV], None without; the paper's figure for a tail of DDA.
    verdict
        ``attractive``, ``repulsive`` or ``undecided`` (within one standard error of zero).
    warnings
        What the user should know.
    """

    energy_ev: float
    error_ev: float | None
    molecules: int
    pairs_ev: Mapping[str, float]
    many_body_ev: float | None
    mean_pair_ev: float | None
    verdict: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class InteractionScan:
    """Interaction energy against distance.

    Attributes
    ----------
    distances_angstrom, energies_ev
        The points, ascending in distance [Å], [eV], shape ``(n_points,)``.
    fine_distances_angstrom, fine_energies_ev
        The spline through them [Å], [eV], shape ``(n_fine,)``.
    minimum_angstrom, minimum_ev
        Distance and energy of the minimum [Å], [eV]; None where it is at an end of the scan.
    turning_angstrom
        Largest distance at which ΔE changes its sign from repulsive to attractive [Å]; None
        where it does not.
    warnings
        What the user should know.
    """

    distances_angstrom: NDArray[np.float64]
    energies_ev: NDArray[np.float64]
    fine_distances_angstrom: NDArray[np.float64]
    fine_energies_ev: NDArray[np.float64]
    minimum_angstrom: float | None
    minimum_ev: float | None
    turning_angstrom: float | None
    warnings: tuple[str, ...]


def compute_interaction_energy(
    cluster_ev: float,
    monomers_ev: Sequence[float],
    *,
    pairs_ev: Mapping[tuple[int, int], float] | None = None,
    cluster_error_ev: float | None = None,
    monomer_errors_ev: Sequence[float] | None = None,
) -> PairInteraction:
    """Interaction energy of a cluster from total energies.

    Parameters
    ----------
    cluster_ev
        Energy of all molecules together [eV].
    monomers_ev
        Energy of each, in the geometry that it has in the cluster [eV].
    pairs_ev
        Total energies of pairs (i, j) of them [eV].
    cluster_error_ev, monomer_errors_ev
        Standard errors [eV], independent of each other; both or none.

    Raises
    ------
    InputError
        If there are fewer than two molecules, an energy is not finite, or a pair is none of them.
    """
    energies = np.asarray(monomers_ev, dtype=np.float64)
    count = len(energies)
    if count < 2 or not np.isfinite([cluster_ev, *energies]).all():
        raise InputError(
            f"got the energies {[cluster_ev, *energies.tolist()]} eV of a cluster and its "
            "molecules; expected finite ones of at least two molecules"
        )
    energy = float(cluster_ev - energies.sum())
    error = _propagate(cluster_error_ev, monomer_errors_ev, count)
    pairs = _compute_pairs(pairs_ev or {}, energies)
    complete = count == 2 or len(pairs) == count * (count - 1) // 2
    pair_sum = energy if count == 2 else sum(pairs.values())
    return PairInteraction(
        energy_ev=energy,
        error_ev=error,
        molecules=count,
        pairs_ev=pairs,
        many_body_ev=energy - pair_sum if complete else None,
        mean_pair_ev=float(np.mean(list(pairs.values()))) if pairs else None,
        verdict=_judge(energy, error),
        warnings=_warn_about_pairs(pairs, complete),
    )


def fit_interaction_scan(distances_angstrom: ArrayLike, energies_ev: ArrayLike) -> InteractionScan:
    """Minimum and turning point of a scan, by a cubic spline (not-a-knot) through its points.

    Parameters
    ----------
    distances_angstrom
        Distances in any order [Å], shape ``(n_points,)``.
    energies_ev
        ΔE at each [eV], shape ``(n_points,)``; NaN where the calculation failed, left out.

    Raises
    ------
    InputError
        If the shapes differ, fewer than four points are known, or a distance occurs twice.
    """
    distances, energies, failed = _require_scan(distances_angstrom, energies_ev)
    spline = CubicSpline(distances, energies)
    fine = np.linspace(distances[0], distances[-1], FINE_POINTS)
    minimum = _find_minimum(spline, distances, energies)
    zeros = [
        root
        for root in spline.roots(extrapolate=False)
        if np.isfinite(root) and float(spline(root, 1)) < 0
    ]
    return InteractionScan(
        distances_angstrom=distances,
        energies_ev=energies,
        fine_distances_angstrom=fine,
        fine_energies_ev=spline(fine),
        minimum_angstrom=minimum,
        minimum_ev=None if minimum is None else float(spline(minimum)),
        turning_angstrom=float(max(zeros)) if zeros else None,
        warnings=_warn_about_scan(distances, energies, minimum, failed),
    )


def _propagate(cluster: float | None, monomers: Sequence[float] | None, count: int) -> float | None:
    if cluster is None and monomers is None:
        return None
    if cluster is None or monomers is None or len(monomers) != count:
        raise InputError(
            f"errors are given for some energies only; give that of the cluster and of each of "
            f"the {count} molecules, or none"
        )
    return float(np.sqrt(cluster**2 + sum(error**2 for error in monomers)))


def _compute_pairs(
    pairs: Mapping[tuple[int, int], float], monomers: NDArray[np.float64]
) -> dict[str, float]:
    result = {}
    for (first, second), energy in pairs.items():
        if not (0 <= first < len(monomers) and 0 <= second < len(monomers) and first != second):
            raise InputError(
                f"pair ({first}, {second}) is none of the {len(monomers)} molecules; "
                "count them from 0"
            )
        name = f"{min(first, second)}-{max(first, second)}"
        result[name] = float(energy - monomers[first] - monomers[second])
    return result


def _judge(energy: float, error: float | None) -> str:
    if abs(energy) <= UNDECIDED_SIGMAS * (error or 0.0):
        return "undecided"
    return "attractive" if energy < 0 else "repulsive"


def _warn_about_pairs(pairs: Mapping[str, float], complete: bool) -> tuple[str, ...]:
    if not pairs or complete:
        return ()
    return ("not all pairs are given: what more than two molecules add is not known",)


def _require_scan(
    distances_angstrom: ArrayLike, energies_ev: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return known distances and energies, ascending, and the distances without an energy."""
    distances = np.asarray(distances_angstrom, dtype=np.float64)
    energies = np.asarray(energies_ev, dtype=np.float64)
    if distances.ndim != 1 or distances.shape != energies.shape:
        raise InputError(
            f"{distances.shape} distances and {energies.shape} energies; expected one for one"
        )
    known = np.isfinite(energies)
    order = np.argsort(distances[known])
    kept = distances[known][order]
    if len(kept) < MINIMUM_SCAN_POINTS or not np.isfinite(kept).all() or (np.diff(kept) <= 0).any():
        raise InputError(
            f"a scan with energies at {kept.tolist()} Å; expected at least "
            f"{MINIMUM_SCAN_POINTS} different distances"
        )
    return kept, energies[known][order], distances[~known]


def _find_minimum(
    spline: CubicSpline, distances: NDArray[np.float64], energies: NDArray[np.float64]
) -> float | None:
    """Lowest stationary minimum of the spline if the lowest point is not at an end."""
    lowest = int(np.argmin(energies))
    if lowest in (0, len(distances) - 1):
        return None
    stationary = spline.derivative().roots(extrapolate=False)
    near = [
        root
        for root in stationary[np.isfinite(stationary)]
        if distances[lowest - 1] <= root <= distances[lowest + 1]
    ]
    return float(min(near, key=spline)) if near else None


def _warn_about_scan(
    distances: NDArray[np.float64],
    energies: NDArray[np.float64],
    minimum: float | None,
    failed: NDArray[np.float64],
) -> tuple[str, ...]:
    warnings = []
    if failed.size:
        places = ", ".join(f"{distance:g}" for distance in failed)
        warnings.append(f"no energy at {places} Å: the curve is drawn without")
    if minimum is None:
        edge = distances[int(np.argmin(energies))]
        warnings.append(f"lowest at {edge:g} Å, an end of the scan: no minimum; scan further")
    return tuple(warnings)
