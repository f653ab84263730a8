"""Slabs of cubic and orthorhombic halide perovskites, with the sites that ligands take.

A slab is a stack of atomic planes. Along [100] they alternate between AX and BX2, so that n×m×k
with k BX2 planes and AX outermost has (k + 1) n m A, k n m B and (3k + 1) n m X: the paper's 2×2×1
slab (Mi et al., SI Note 2) is Cs8Pb4Br16. The surface normal is +z, and the middle of the slab is
in the middle of the cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from ase import Atoms
from ase.build import make_supercell
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.structures.bulk import (
    A_ELEMENTS,
    B_ELEMENTS,
    X_ELEMENTS,
    build_bulk,
    parse_composition,
    resolve_lattice_constant,
)
from qdcomp.structures.orthorhombic import build_orthorhombic
from qdcomp.structures.structure import Structure, sum_formal_charges
from qdcomp.structures.surface_sites import SurfaceSite, find_surface_sites

Crystal = Literal["cubic", "orthorhombic"]
Sides = Literal["both", "one"]

SURFACE_CELLS = {
    "100": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "110": ((0, 0, 1), (1, -1, 0), (1, 1, 0)),
    "111": ((1, -1, 0), (0, 1, -1), (1, 1, 1)),
}
"""Two vectors of each surface cell and the normal, in cubic unit cells."""

ORTHORHOMBIC_CELLS = {"100": ((1, 1, 0), (-1, 1, 0), (0, 0, 1))}
"""The 2×2 pseudo-cubic surface cell along c of Pbnm, in its unit cells."""

PLANE_GAP_ANGSTROM = 0.8
"""Heights that differ by less belong to one plane: tilted octahedra rumple it by 0.3 Å."""

LIGAND_CLEARANCE_ANGSTROM = 12.0
"""Vacuum left between the end of a ligand and the next image of the slab [Å]."""

MAX_REPEAT, MAX_LAYERS = 32, 64
"""Largest slab that is built: more is a mistake, and would fill the memory."""

DEFAULT_VACUUM_ANGSTROM = 15.0
"""Vacuum where nothing is asked for [Å]."""


@dataclass(frozen=True, eq=False)
class Slab:
    """A slab and where ligands may sit on it.

    Attributes
    ----------
    structure
        Its atoms: A, B, X, each from the bottom up.
    sites
        A sites of the surface, those of the upper side first.
    area_angstrom2
        Area of one side [Å²].
    facet
        Miller indices in the cubic cell, ``100``.
    termination
        Outermost planes, upper and lower where they differ, ``CsBr`` or ``CsBr/PbBr2``.
    layers
        Number of planes that hold B.
    repeat
        Surface cells along both directions.
    """

    structure: Structure
    sites: tuple[SurfaceSite, ...]
    area_angstrom2: float
    facet: str
    termination: str
    layers: int
    repeat: tuple[int, int]

    def find_site(self, name: str) -> SurfaceSite:
        """Site of that name.

        Raises
        ------
        InputError
            There is none.
        """
        for site in self.sites:
            if site.name == name:
                return site
        raise InputError(
            f"the slab has no site {name!r}; sites: {', '.join(site.name for site in self.sites)}"
        )


def vacuum_for(length_angstrom: float, sides: Sides = "both") -> float:
    """Vacuum that a slab with ligands of this length needs [Å].

    The length of the ligand on each side that carries ligands, and `LIGAND_CLEARANCE_ANGSTROM`.
    """
    lengths = length_angstrom * (2 if sides == "both" else 1)
    return float(np.ceil(lengths + LIGAND_CLEARANCE_ANGSTROM))


def build_slab(
    repeat: Sequence[int] = (2, 2),
    layers: int = 1,
    composition: str = "CsPbBr3",
    *,
    facet: str = "100",
    termination: str = "CsBr",
    crystal: Crystal = "cubic",
    lattice_constant: float | None = None,
    vacuum_angstrom: float = DEFAULT_VACUUM_ANGSTROM,
    sides: Sides = "both",
    charge: Literal["formal"] | int = "formal",
    frozen: Literal["all", "none"] = "all",
) -> Slab:
    """Build a slab with vacuum above and below.

    Parameters
    ----------
    repeat
        Surface cells along x and y, counted in cubic unit cells on (100).
    layers
        Number of planes that hold B.
    composition
        Formula ABX3.
    facet
        ``100``, ``110`` or ``111`` of the cubic cell.
    termination
        Outermost plane, ``CsBr``; upper and lower one where they differ, ``CsBr/PbBr2``.
    crystal
        ``cubic``, or ``orthorhombic``: CsPbBr3 at room temperature, along its c axis.
    lattice_constant
        Edge of the cubic unit cell [Å]; None takes the tabulated one. The orthorhombic crystal has
        its own cell.
    vacuum_angstrom
        Empty height between the outermost atoms of two images [Å].
    sides
        Which sides are to carry ligands: ``both``, or ``one``, the upper.
    charge
        ``formal``: N_A + 2 N_B − N_X; or a number of elementary charges.
    frozen
        ``all``: every atom is held fixed, as in the paper; ``none``.

    Raises
    ------
    InputError
        There is no such facet, termination or crystal, or a number makes no sense.
    """
    n, m = _check_repeat(repeat, layers)
    if not 0.0 < vacuum_angstrom < 500.0:
        raise InputError(f"a vacuum of {vacuum_angstrom:g} Å; expected a positive height in Å")
    cell, what = _orient(composition, facet, crystal, lattice_constant, (n, m))
    atoms, used = _stack(cell, termination, layers, n * m)
    atoms = _order(_add_vacuum(atoms, vacuum_angstrom))
    formal = sum_formal_charges(atoms.get_chemical_symbols())
    total = formal if charge == "formal" else int(charge)
    structure = Structure(
        atoms=atoms,
        charge=total,
        charge_policy="formal" if charge == "formal" else "electrons",
        depth_cells=_measure_depths(atoms),
        frozen=np.full(len(atoms), frozen == "all"),
        edge_angstrom=0.0,
        cells=0,
        composition=parse_composition(composition).formula,
        description=(
            f"({facet}) slab {n}×{m}×{layers} of {what}, {used} outermost, {len(atoms)} atoms, "
            f"charge {total:+d} e, vacuum {vacuum_angstrom:g} Å"
        ),
        warnings=_warn(used, formal, total),
        kind="slab",
    )
    area = float(np.linalg.norm(np.cross(atoms.cell[0], atoms.cell[1])))
    sites = find_surface_sites(atoms, sides)
    return Slab(structure, sites, area, facet, used, layers, (n, m))


def _check_repeat(repeat: Sequence[int], layers: int) -> tuple[int, int]:
    numbers = (*repeat, layers)
    if len(repeat) != 2 or any(type(n) is not int or n < 1 for n in numbers):
        raise InputError(
            f"repeat {tuple(repeat)!r} and layers {layers!r}; expected two whole numbers and one, "
            "each at least 1: repeat (2, 2), layers 1"
        )
    if max(repeat) > MAX_REPEAT or layers > MAX_LAYERS:
        raise InputError(
            f"a slab of {repeat[0]}×{repeat[1]}×{layers} is too large to build; at most "
            f"{MAX_REPEAT}×{MAX_REPEAT} cells and {MAX_LAYERS} layers"
        )
    return repeat[0], repeat[1]


def _orient(
    composition: str,
    facet: str,
    crystal: str,
    lattice_constant: float | None,
    repeat: tuple[int, int],
) -> tuple[Atoms, str]:
    """One period of the crystal along the normal, which is z, and its name."""
    cells = {"cubic": SURFACE_CELLS, "orthorhombic": ORTHORHOMBIC_CELLS}.get(crystal)
    if cells is None:
        raise InputError(f"crystal {crystal!r}; expected cubic or orthorhombic")
    if facet not in cells:
        raise InputError(
            f"there is no ({facet}) slab of the {crystal} crystal; facets: {', '.join(cells)}"
            + ("; the cubic crystal has more" if crystal == "orthorhombic" else "")
        )
    if crystal == "cubic":
        bulk = build_bulk(composition, lattice_constant)
        edge = resolve_lattice_constant(composition, lattice_constant)
        what, times = f"cubic {composition} (a = {edge:g} Å)", repeat
    else:
        bulk = build_orthorhombic(composition, lattice_constant)
        what = f"orthorhombic {composition} (Pbnm, COD 4510745, normal along c)"
        if repeat[0] % 2 or repeat[1] % 2:
            raise InputError(
                f"the surface cell of the orthorhombic crystal is 2×2 cubic cells, which does not "
                f"go into {repeat[0]}×{repeat[1]}; use even numbers, or crystal: cubic"
            )
        times = (repeat[0] // 2, repeat[1] // 2)
    oriented = make_supercell(bulk, np.array(cells[facet]))
    oriented = oriented.repeat((*times, 1))
    return _turn(oriented), what


def _turn(atoms: Atoms) -> Atoms:
    """Turn the first cell vector to x and the normal to z."""
    first, second, third = atoms.cell.array
    normal = np.cross(first, second)
    axes = np.array([first, np.cross(normal, first), normal])
    axes /= np.linalg.norm(axes, axis=1)[:, None]
    turned = atoms.copy()
    turned.set_cell(atoms.cell.array @ axes.T)
    turned.positions = atoms.positions @ axes.T
    if abs(third @ normal) < 0.999 * np.linalg.norm(third) * np.linalg.norm(normal):
        raise InputError("the cell is not upright; its third vector must be along the normal")
    return turned


@dataclass(frozen=True, eq=False)
class _Plane:
    """Atoms of one height in one period: which, how high, and of what."""

    atoms: NDArray[np.int64]
    heights: NDArray[np.float64]
    formula: str
    holds_b: bool


def _find_planes(period: Atoms, cells: int) -> list[_Plane]:
    """Planes of one period, from the bottom up; a rumpled one is one plane."""
    height = period.cell[2, 2]
    z = period.positions[:, 2] % height
    order = np.argsort(z, kind="stable")
    gaps = np.diff(z[order], append=z[order[0]] + height)
    start = (int(np.argmax(gaps)) + 1) % len(z)  # after a wide gap no plane is cut by the cell
    lowest = z[order[start]] - 1e-9
    unwrapped = np.where(z < lowest, z + height, z)
    order = np.argsort(unwrapped, kind="stable")
    breaks = np.flatnonzero(np.diff(unwrapped[order]) > PLANE_GAP_ANGSTROM) + 1
    return [
        _describe_plane(period, members, unwrapped, cells) for members in np.split(order, breaks)
    ]


def _describe_plane(
    period: Atoms, members: NDArray[np.int64], z: NDArray[np.float64], cells: int
) -> _Plane:
    symbols = np.array(period.get_chemical_symbols())[members]
    counts = {
        element: int((symbols == element).sum()) // cells
        for element in (*A_ELEMENTS, *B_ELEMENTS, *X_ELEMENTS)
    }
    formula = "".join(
        f"{element}{count if count > 1 else ''}" for element, count in counts.items() if count
    )
    return _Plane(members, z[members], formula, any(counts[element] for element in B_ELEMENTS))


def _stack(period: Atoms, termination: str, layers: int, cells: int) -> tuple[Atoms, str]:
    """Stack planes from one termination to the other, `layers` of them with B."""
    planes = _find_planes(period, cells)
    upper, _, lower = termination.partition("/")
    lower = lower or upper
    known = list(dict.fromkeys(plane.formula for plane in planes))
    for name in (upper, lower):
        if name not in known:
            raise InputError(
                f"no plane {name!r} in this direction; terminations: {', '.join(known)}, or two "
                f"of them, upper/lower, like {known[0]}/{known[-1]}"
            )
    first = next(index for index, plane in enumerate(planes) if plane.formula == lower)
    chosen: list[tuple[_Plane, int]] = []
    holding = 0
    for step in range(first, first + (layers + 2) * len(planes)):
        plane, turn = planes[step % len(planes)], step // len(planes)
        if holding == layers and plane.holds_b:
            break
        holding += plane.holds_b
        chosen.append((plane, turn))
        if holding == layers and plane.formula == upper:
            break
    if holding != layers or chosen[-1][0].formula != upper:
        raise InputError(
            f"no stack of {layers} planes with B runs from {lower} to {upper}; "
            "choose another number of layers or termination"
        )
    height = period.cell[2, 2]
    symbols = np.array(period.get_chemical_symbols())
    positions = [
        np.column_stack([period.positions[plane.atoms, :2], plane.heights + turn * height])
        for plane, turn in chosen
    ]
    stacked = Atoms(
        np.concatenate([symbols[plane.atoms] for plane, _ in chosen]),
        positions=np.concatenate(positions),
        cell=period.cell,
        pbc=(True, True, False),
    )
    return stacked, upper if upper == lower else f"{upper}/{lower}"


def _add_vacuum(atoms: Atoms, vacuum: float) -> Atoms:
    """Give the cell its height, and put the middle of the slab into its middle."""
    low, high = atoms.positions[:, 2].min(), atoms.positions[:, 2].max()
    whole = atoms.copy()
    whole.cell[2] = (0.0, 0.0, high - low + vacuum)
    whole.positions[:, 2] += whole.cell[2, 2] / 2 - (low + high) / 2
    scaled = whole.get_scaled_positions(wrap=False)
    scaled[:, :2] = np.round(scaled[:, :2], 10) % 1.0
    whole.set_scaled_positions(scaled)
    return whole


def _order(atoms: Atoms) -> Atoms:
    """Order by site, A, B, X, each from the bottom up."""
    kinds = {element: 0 for element in A_ELEMENTS} | {element: 1 for element in B_ELEMENTS}
    kind = [kinds.get(symbol, 2) for symbol in atoms.get_chemical_symbols()]
    x, y, z = np.round(atoms.positions, 6).T
    return atoms[np.lexsort((x, y, z, kind))]


def _measure_depths(atoms: Atoms) -> NDArray[np.float64]:
    """Depth of each plane below its surface [unit cells], in steps of one half."""
    z = atoms.positions[:, 2]
    levels = np.sort(z)
    edges = np.flatnonzero(np.diff(levels) > PLANE_GAP_ANGSTROM)
    bounds = (levels[edges] + levels[edges + 1]) / 2
    plane = np.searchsorted(bounds, z)
    return np.asarray(np.minimum(plane, len(bounds) - plane) / 2.0)


def _warn(termination: str, formal: int, total: int) -> tuple[str, ...]:
    warnings = []
    if "/" in termination:
        warnings.append(
            f"the slab ends in {termination.replace('/', ' above and ')} below: it has a dipole "
            "along its normal; use the same termination on both sides, or a dipole correction"
        )
    if total != 0:
        warnings.append(
            f"the slab carries {total:+d} e (formal {formal:+d} e), which a periodic code "
            "neutralises by a uniform background; its energy depends on the vacuum"
        )
    return tuple(warnings)
