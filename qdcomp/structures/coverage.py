"""Arrangements of ligands on the sites of a slab, each of those that symmetry makes equal once.

The symmetry is that of the bare slab, A cations on all sites, as spglib finds it; it acts on the
positions of the A sites, top and bottom alike. The X that leaves with a ligand is not part of it:
which of several equally near X goes is a choice of `qdcomp.structures.surface_sites`, not of the
surface. Two arrangements of N of n sites are equal where an operation carries one into the other;
their number is that of Burnside's lemma, the mean over the group of the arrangements that each
operation leaves as they are, which `count_configurations` computes on its own from the cycles of
the permutations.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.structures.electrostatics import compute_ewald_energy
from qdcomp.structures.slab import Slab

MAX_SITES = 18
"""Most sites whose arrangements are listed: 2^18 of them take seconds."""

SYMMETRY_TOLERANCE_ANGSTROM = 0.01

ENERGY_DECIMALS = 6
"""Digits of the electrostatic energy [eV] that order configurations: rounding must not."""

_NAME = re.compile(r"N(?P<bound>0|[1-9][0-9]{0,3})(-[a-z]+)?")

Permutation = tuple[int, ...]


@dataclass(frozen=True)
class Configuration:
    """One arrangement of ligands.

    Attributes
    ----------
    name
        ``N4-a``: four ligands, the arrangement of lowest electrostatic energy; ``N4-b`` the next.
    bound
        Number of ligands.
    occupied, vacant
        Names of the sites with a ligand, and of those without.
    degeneracy
        Arrangements that symmetry makes equal to it, itself counted.
    ewald_ev
        Electrostatic energy of the formal charges [eV].
    """

    name: str
    bound: int
    occupied: tuple[str, ...]
    vacant: tuple[str, ...]
    degeneracy: int
    ewald_ev: float


@dataclass(frozen=True, eq=False)
class CoverageScheme:
    """A configuration seen from above, for a drawing as in the paper's SI Figs 5 and 6.

    Attributes
    ----------
    name
        Name of the configuration.
    labels
        Names of the sites.
    positions
        Where they are in the plane [Å], shape ``(n_sites, 2)``.
    occupied
        Which have a ligand, shape ``(n_sites,)``.
    top
        Which are on the upper side, shape ``(n_sites,)``.
    cell
        The two vectors of the surface cell [Å], shape ``(2, 2)``.
    """

    name: str
    labels: tuple[str, ...]
    positions: NDArray[np.float64]
    occupied: NDArray[np.bool_]
    top: NDArray[np.bool_]
    cell: NDArray[np.float64]


def find_site_permutations(slab: Slab) -> tuple[Permutation, ...]:
    """Permutations of the sites by the symmetry of the slab, each once, the identity first.

    Raises
    ------
    InputError
        spglib finds no symmetry at all, which means that the slab is damaged.
    """
    import spglib

    atoms = slab.structure.atoms
    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    symmetry = spglib.get_symmetry(cell, symprec=SYMMETRY_TOLERANCE_ANGSTROM)
    if symmetry is None:
        raise InputError("no symmetry is found in the slab; two of its atoms may coincide")
    scaled = atoms.get_scaled_positions()[[site.cation for site in slab.sites]]
    found = {tuple(range(len(slab.sites)))}
    for rotation, translation in zip(symmetry["rotations"], symmetry["translations"], strict=True):
        images = scaled @ rotation.T + translation
        permutation = _match(images, scaled, atoms.cell.array)
        if permutation is not None:
            found.add(permutation)
    return tuple(sorted(found))


def _match(
    images: NDArray[np.float64], sites: NDArray[np.float64], cell: NDArray[np.float64]
) -> Permutation | None:
    """Site that each image is, or None where one is no site: the other side of a one-sided slab."""
    difference = images[:, None] - sites[None]
    difference -= np.round(difference)
    distances = np.linalg.norm(difference @ cell, axis=2)
    nearest = distances.argmin(axis=1)
    if distances.min(axis=1).max() > 10 * SYMMETRY_TOLERANCE_ANGSTROM:
        return None
    return tuple(int(index) for index in nearest)


def count_configurations(slab: Slab, bound: int) -> int:
    """Count the arrangements of `bound` ligands by Burnside's lemma.

    An operation leaves an arrangement as it is where each of its cycles is wholly occupied or
    wholly empty: their number is the coefficient of x^N in Π (1 + x^length).
    """
    permutations = find_site_permutations(slab)
    total = 0
    for permutation in permutations:
        polynomial = [1]
        for length in _cycle_lengths(permutation):
            shifted = [0] * length + polynomial
            polynomial = [a + b for a, b in itertools.zip_longest(polynomial, shifted, fillvalue=0)]
        total += polynomial[bound] if bound < len(polynomial) else 0
    return total // len(permutations)


def _cycle_lengths(permutation: Permutation) -> list[int]:
    left = set(range(len(permutation)))
    lengths = []
    while left:
        start = site = min(left)
        length = 0
        while True:
            left.discard(site)
            site = permutation[site]
            length += 1
            if site == start:
                break
        lengths.append(length)
    return lengths


def enumerate_configurations(slab: Slab, bound: int) -> tuple[Configuration, ...]:
    """List the arrangements of `bound` ligands, lowest electrostatic energy first.

    Raises
    ------
    InputError
        More ligands than sites, or more sites than can be listed.
    """
    n_sites = len(slab.sites)
    if not 0 <= bound <= n_sites:
        raise InputError(
            f"{bound} ligands on {n_sites} sites; expected 0 to {n_sites}, a coverage of at most 1"
        )
    if n_sites > MAX_SITES:
        raise InputError(
            f"{n_sites} sites have {2**n_sites} arrangements; at most {MAX_SITES} sites are "
            "listed. Use a smaller surface cell, or ligands on one side"
        )
    return _enumerate(slab, bound)


@lru_cache(maxsize=256)
def _enumerate(slab: Slab, bound: int) -> tuple[Configuration, ...]:
    orbits = _find_orbits(find_site_permutations(slab), bound)
    ranked = sorted(
        (round(compute_ewald_energy(slab, occupied), ENERGY_DECIMALS), occupied, size)
        for occupied, size in orbits.items()
    )
    names = [site.name for site in slab.sites]
    return tuple(
        Configuration(
            name=f"N{bound}-{_letter(rank)}" if len(ranked) > 1 else f"N{bound}",
            bound=bound,
            occupied=tuple(names[site] for site in occupied),
            vacant=tuple(name for site, name in enumerate(names) if site not in occupied),
            degeneracy=size,
            ewald_ev=energy,
        )
        for rank, (energy, occupied, size) in enumerate(ranked)
    )


def _find_orbits(permutations: tuple[Permutation, ...], bound: int) -> dict[tuple[int, ...], int]:
    """First arrangement of each set that symmetry makes equal, and the size of the set."""
    orbits: dict[tuple[int, ...], int] = {}
    seen: set[tuple[int, ...]] = set()
    for occupied in itertools.combinations(range(len(permutations[0])), bound):
        if occupied in seen:
            continue
        images = {tuple(sorted(p[site] for site in occupied)) for p in permutations}
        seen |= images
        orbits[occupied] = len(images)
    return orbits


def _letter(rank: int) -> str:
    """Letter of a rank: a to z, then aa, ab and so on."""
    high, low = divmod(rank, 26)
    return (_letter(high - 1) if high else "") + chr(ord("a") + low)


def check_choice(choice: str | tuple[str, ...]) -> None:
    """Check that a choice of configurations is ``ewald``, ``all`` or names such as ``N4-b``.

    Raises
    ------
    InputError
        It is something else, or has a name twice.
    """
    if choice in ("ewald", "all"):
        return
    names = [choice] if isinstance(choice, str) else list(choice)
    misspelt = names if isinstance(choice, str) else [n for n in names if not _NAME.fullmatch(n)]
    if misspelt:
        raise InputError(
            f"{', '.join(map(repr, misspelt))} chooses no configuration; expected ewald, all, or a "
            "list of names like N4-b: four ligands, the arrangement of second lowest energy"
        )
    if len(set(names)) != len(names):
        raise InputError(f"a configuration is there twice in {', '.join(names)}; name each once")


def find_bound(name: str) -> int:
    """Find the number of ligands of a configuration by its name, 4 for ``N4-b``.

    Raises
    ------
    InputError
        It is no name of a configuration.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise InputError(f"{name!r} is no name of a configuration; expected one like N4-b")
    return int(match["bound"])


def choose_configurations(
    slab: Slab, bound: int, choice: Literal["ewald", "all"] | tuple[str, ...] = "ewald"
) -> tuple[Configuration, ...]:
    """Choose among the arrangements of `bound` ligands.

    Parameters
    ----------
    slab, bound
        The slab and the number of ligands.
    choice
        ``ewald``: that of lowest electrostatic energy; ``all``; or names, of which those with this
        number of ligands are taken.

    Raises
    ------
    InputError
        The choice is misspelt, or a name with this number of ligands is none of the arrangements.
    """
    check_choice(choice)
    every = enumerate_configurations(slab, bound)
    if choice == "all":
        return every
    if choice == "ewald":
        return every[:1]
    known = {configuration.name: configuration for configuration in every}
    wanted = [name for name in choice if find_bound(name) == bound]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise InputError(
            f"there is no configuration {', '.join(unknown)}; with {bound} ligands there are "
            f"{', '.join(known)}"
        )
    return tuple(known[name] for name in wanted) if wanted else every[:1]


def draw_scheme(slab: Slab, configuration: Configuration) -> CoverageScheme:
    """Give the sites of a configuration as seen from above."""
    return CoverageScheme(
        name=configuration.name,
        labels=tuple(site.name for site in slab.sites),
        positions=np.array([site.position[:2] for site in slab.sites]),
        occupied=np.array([site.name in configuration.occupied for site in slab.sites]),
        top=np.array([site.side == "top" for site in slab.sites]),
        cell=slab.structure.atoms.cell.array[:2, :2].copy(),
    )
