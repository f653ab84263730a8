"""Which surface A atoms are taken away to make a dot neutral.

With every corner occupied a dot carries q = 3n + 1, so 3n + 1 A atoms are one too many each.
They are taken from the corners first; when all eight are gone, from the edges. Which ones is
decided by a symmetric rule: each vacancy is a charge of −1 e, and the vacancies are placed so
that their mutual Coulomb energy and their dipole moment are smallest,

    W = Σ_{i<j} (n a / 2) / |r_i − r_j| + κ |Σ_i (r_i − r_0)|² / a²,

found by exchanging single vacancies for empty places until none lowers W, from several seeded
starts. The seed decides between arrangements of the same W (rotations and mirrors of each other;
in large dots also neighbouring minima). A dipole of bare vacancies would tilt the potential
across the dot, hence its weight: with it the dipole vanishes for every n up to 24 but 2, where
one kept corner cannot help having one. For n = 1 four corners are kept in a tetrahedron, for
n = 2 one corner is kept, for n = 3 an inverted pair of edge atoms goes, as in the relaxed neutral
dots that Infante's group published.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qdcomp.structures.sites import count_open_directions

DIPOLE_WEIGHT = 0.5
"""κ above, no unit. Counted in unit cells, the step in which the dipole can change, it is large
enough that no dot of 3 to 24 cells keeps a dipole, and small enough that the Coulomb energy of
the vacancies stays within 2.5 % of the lowest found without it."""

STARTS = 16
"""Random starts of the search."""

DECIMALS = 9
"""Decimals of W that are compared: rounding errors, which differ between machines, must not decide
between equivalent arrangements."""


def choose_vacancies(a_sites: NDArray[np.int64], cells: int, seed: int) -> NDArray[np.bool_]:
    """Mark the A sites left empty in the neutral dot.

    Parameters
    ----------
    a_sites
        All A sites of the cube in half unit cells from one corner, shape ``(n_sites, 3)``.
    cells
        Unit cells along the edge.
    seed
        Seed that decides between equivalent arrangements.

    Returns
    -------
    NDArray
        True where the site is left empty, shape ``(n_sites,)``; 3 cells + 1 of them.
    """
    surplus = 3 * cells + 1
    faces = count_open_directions(a_sites, cells)
    corners = np.flatnonzero(faces == 3)
    vacant = np.zeros(len(a_sites), dtype=bool)
    if surplus < len(corners):
        candidates, fixed = corners, corners[:0]
    else:
        vacant[corners] = True
        candidates, fixed = np.flatnonzero(faces == 2), corners
    centred = (a_sites - cells) / cells  # −1 … 1 along each axis: unit is half the edge
    rng = np.random.default_rng(seed)
    candidates = rng.permutation(candidates)
    weight = DIPOLE_WEIGHT * (cells / 2) ** 2
    chosen = _spread(centred[candidates], centred[fixed], surplus - len(fixed), weight, rng)
    vacant[candidates[chosen]] = True
    return vacant


def _spread(
    places: NDArray[np.float64],
    fixed: NDArray[np.float64],
    number: int,
    dipole_weight: float,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Occupy ``number`` of the places so that W is smallest; lengths in half edges."""
    distance = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    pair = 1 / distance + 2 * dipole_weight * places @ places.T
    np.fill_diagonal(pair, 0.0)
    single = dipole_weight * (places**2).sum(axis=1) + (
        1 / np.linalg.norm(places[:, None] - fixed[None], axis=-1)
    ).sum(axis=1)
    attempts = []
    for _ in range(STARTS):
        occupied = np.zeros(len(places), dtype=bool)
        occupied[rng.permutation(len(places))[:number]] = True
        _exchange_until_stable(occupied, pair, single)
        cost = float(single[occupied].sum() + pair[np.ix_(occupied, occupied)].sum() / 2)
        attempts.append((round(cost, DECIMALS), occupied))
    return min(attempts, key=lambda attempt: attempt[0])[1]


def _exchange_until_stable(
    occupied: NDArray[np.bool_], pair: NDArray[np.float64], single: NDArray[np.float64]
) -> None:
    """Move one occupant at a time to the empty place that lowers W most, in place."""
    while not occupied.all():
        level = single + pair[:, occupied].sum(axis=1)
        leave, take = np.flatnonzero(occupied), np.flatnonzero(~occupied)
        change = level[take][None] - level[leave][:, None] - pair[np.ix_(leave, take)]
        best = np.unravel_index(change.round(DECIMALS).argmin(), change.shape)
        if round(change[best], DECIMALS) >= 0:
            return
        occupied[leave[best[0]]] = False
        occupied[take[best[1]]] = True
