"""Every arrangement of ligands on the sites of a slab, with what is drawn of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.structures import (
    Configuration,
    CoverageScheme,
    Slab,
    draw_scheme,
    enumerate_configurations,
)

MAX_LISTED_SITES = 8
"""Sites up to which every arrangement is shown; of more there are hundreds, and the chosen ones
are shown alone."""


@dataclass(frozen=True, eq=False)
class ShownConfiguration:
    """One arrangement and how it is drawn.

    Attributes
    ----------
    configuration, scheme
        The arrangement, and its sites from above.
    chosen
        Whether the study computes it.
    """

    configuration: Configuration
    scheme: CoverageScheme
    chosen: bool


@dataclass(frozen=True, eq=False)
class CoverageOverview:
    """The arrangements of a slab, by their number of ligands.

    Attributes
    ----------
    shown
        The arrangements, by the number of ligands and then their electrostatic energy.
    sites
        Number of sites.
    complete
        Whether every arrangement that symmetry makes distinct is among them.
    """

    shown: tuple[ShownConfiguration, ...]
    sites: int
    complete: bool

    @property
    def rows(self) -> tuple[tuple[int, tuple[ShownConfiguration, ...]], ...]:
        """The arrangements of each number of ligands."""
        numbers = sorted({entry.configuration.bound for entry in self.shown})
        return tuple(
            (number, tuple(e for e in self.shown if e.configuration.bound == number))
            for number in numbers
        )


def collect_coverage(slab: Slab, chosen: Collection[Configuration]) -> CoverageOverview:
    """Collect the arrangements of a slab, and mark those that a study computes.

    Parameters
    ----------
    slab
        The slab.
    chosen
        What the study computes.
    """
    n_sites = len(slab.sites)
    names = {configuration.name for configuration in chosen}
    complete = n_sites <= MAX_LISTED_SITES
    entries = sorted(chosen, key=lambda configuration: configuration.bound)
    if complete:
        entries = [
            entry
            for number in range(n_sites + 1)
            for entry in enumerate_configurations(slab, number)
        ]
    return CoverageOverview(
        shown=tuple(
            ShownConfiguration(entry, draw_scheme(slab, entry), entry.name in names)
            for entry in entries
        ),
        sites=n_sites,
        complete=complete,
    )


def centre_sites(scheme: CoverageScheme) -> NDArray[np.float64]:
    """Move the sites along the surface until none is cut by the outline of the cell.

    Returns
    -------
    NDArray
        Positions inside the cell, centred as a whole [Å], shape ``(n_sites, 2)``.
    """
    fractions = np.linalg.solve(scheme.cell.T, scheme.positions.T).T % 1.0
    fractions[fractions > 1.0 - 1e-6] = 0.0
    middle = 0.5 * (fractions.min(axis=0) + fractions.max(axis=0))
    centred: NDArray[np.float64] = (fractions + 0.5 - middle) @ scheme.cell
    return centred
