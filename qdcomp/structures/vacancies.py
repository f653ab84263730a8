"""Which surface A atoms are taken away to make a dot neutral.

With every corner occupied a dot carries q = 3n + 1, so 3n + 1 A atoms are one too many each.
They are taken from the corners first; when all eight are gone, from the edges. Which ones is
decided by a symmetric rule: each vacancy is a charge of −1 e, and the vacancies are placed so
that their mutual Coulomb energy and their dipole moment are smallest,

    W = Σ_{i<j} 1/|r_i − r_j| + κ |Σ_i (r_i − r_0)|² / (n a / 2)³,

found by exchanging single vacancies for empty places until none lowers W, from several seeded
starts. The seed decides between arrangements of the same W (rotations and mirrors of each other;
in large dots also neighbouring minima). A dipole of bare vacancies would tilt the potential
across the dot, hence its weight: with it the dipole vanishes for every n but 2, where one kept
corner cannot help having one. For n = 1 four corners are kept in a tetrahedron, for n = 2 one
corner is kept, for n = 3 an inverted pair of edge atoms goes, as in the relaxed neutral dots that
Infante's group published.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qdcomp.structures.sites import count_open_directions

DIPOLE_WEIGHT = 20.0
"""κ above, no unit: large enough that no neutral dot of 3 to 24 cells keeps a dipole."""

STARTS = 16
"""Random starts of the search."""


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
    chosen = _spread(centred[candidates], centred[fixed], surplus - len(fixed), rng)
    vacant[candidates[chosen]] = True
    return vacant


def _spread(
    places: NDArray[np.float64],
    fixed: NDArray[np.float64],
    number: int,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Occupy ``number`` of the places so that W of the module's docstring is smallest."""
    distance = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    pair = 1 / distance + 2 * DIPOLE_WEIGHT * places @ places.T
    np.fill_diagonal(pair, 0.0)
    single = DIPOLE_WEIGHT * (places**2).sum(axis=1) + (
        1 / np.linalg.norm(places[:, None] - fixed[None], axis=-1)
    ).sum(axis=1)
    best: tuple[float, NDArray[np.bool_]] | None = None
    for _ in range(STARTS):
        occupied = np.zeros(len(places), dtype=bool)
        occupied[rng.permutation(len(places))[:number]] = True
        _exchange_until_stable(occupied, pair, single)
        cost = float(single[occupied].sum() + pair[np.ix_(occupied, occupied)].sum() / 2)
        if best is None or cost < best[0] - 1e-9:
            best = cost, occupied
    assert best is not None
    return best[1]


def _exchange_until_stable(
    occupied: NDArray[np.bool_], pair: NDArray[np.float64], single: NDArray[np.float64]
) -> None:
    """Move one occupant at a time to the empty place that lowers W most, in place."""
    while not occupied.all():
        level = single + pair[:, occupied].sum(axis=1)
        leave, take = np.flatnonzero(occupied), np.flatnonzero(~occupied)
        change = level[take][None] - level[leave][:, None] - pair[np.ix_(leave, take)]
        best = np.unravel_index(change.argmin(), change.shape)
        if change[best] > -1e-9:
            return
        occupied[leave[best[0]]] = False
        occupied[take[best[1]]] = True
