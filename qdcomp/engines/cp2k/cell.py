"""The cell that a job is computed in: a cubic box around a dot or molecule, or the cell of a slab.

A dot or a molecule is moved to the middle of its box, which `Cell.origin` undoes. A slab stays
where it is, in its own cell; only for a solver without images along z (``mt``) is it moved to the
middle along z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines.base import EngineJob
from qdcomp.engines.cp2k.job_file import GAMMA
from qdcomp.engines.cp2k.settings import Cp2kSettings
from qdcomp.engines.job_limits import check_vacuum
from qdcomp.errors import InputError

_LEAST_MARGIN = 2.5
"""Least distance of an atom from the wall of the box [Å]; electrons reach that far."""

_WAVELET_MARGIN = 3.5
"""Distance from the wall [Å] below which the density may touch it: CP2K 2023.1 complains about the
converged density of Cs4PbBr6 with unrelaxed corners at 3.15 Å and does not at 3.9 Å (the atomic
guess touches the wall even there)."""

_BOX_GRAIN = 0.5
"""A box chosen by qdcomp is a multiple of this [Å], so that it stays one along a chain of runs."""

_ALIGNED = 1e-6
"""Component [Å] of a lattice vector that counts as none."""

_GAMMA_LENGTH = 20.0
"""Shortest lattice vector of a surface [Å] from which on the zone centre alone samples it well:
about a 4×4 cell of CsPbBr3, as Mi et al. (2025) sample a 2×2 cell of 12 Å."""


@dataclass(frozen=True)
class Cell:
    """The cell of a job.

    Attributes
    ----------
    vectors
        Lattice vectors [Å], shape ``(3, 3)``, one a row.
    origin
        What is added to the job's coordinates [Å], shape ``(3,)``.
    is_slab
        Whether the structure repeats along x and y.
    poisson_solver
        The solver of the study, or the one that fits where it leaves the choice.
    warnings
        What the user should know.
    """

    vectors: NDArray[np.float64]
    origin: NDArray[np.float64]
    is_slab: bool
    poisson_solver: str
    warnings: tuple[str, ...] = ()


def choose_cell(job: EngineJob, settings: Cp2kSettings) -> Cell:
    """Cell of a job, and where its atoms are put in it.

    Raises
    ------
    InputError
        A box smaller than the dot, a cell that is not that of a slab, too little vacuum, or
        k-points and a dipole correction of something that is not periodic.
    """
    pbc = tuple(bool(periodic) for periodic in job.atoms.pbc)
    if pbc == (False, False, False):
        return _choose_box(job, settings)
    if pbc != (True, True, False):
        raise InputError(
            f"a structure periodic along {pbc} is neither a slab, which repeats along x and y "
            "(pbc true, true, false), nor a dot or a molecule, which do not repeat"
        )
    return _take_slab(job, settings)


def _choose_box(job: EngineJob, settings: Cp2kSettings) -> Cell:
    if tuple(job.kpoints) != GAMMA:
        raise InputError(
            f"k-points {_name_grid(job.kpoints)} for a dot or a molecule, which does not repeat; "
            "leave them out"
        )
    if job.dipole_correction:
        raise InputError(
            "the dipole correction is for slabs; a dot or a molecule in a box is not periodic and "
            "needs none"
        )
    solver = "wavelet" if settings.poisson_solver == "auto" else settings.poisson_solver
    box, warnings = _choose_edge(job, settings, solver)
    positions = job.atoms.get_positions()
    origin = box / 2 - (positions.max(axis=0) + positions.min(axis=0)) / 2
    return Cell(box * np.eye(3), origin, False, solver, warnings)


def _choose_edge(
    job: EngineJob, settings: Cp2kSettings, solver: str
) -> tuple[float, tuple[str, ...]]:
    extent = float(np.ptp(job.atoms.get_positions(), axis=0).max())
    if job.box_angstrom is None:
        wanted = extent + 2 * settings.vacuum_angstrom
        if solver in {"mt", "analytic"}:
            wanted = max(wanted, 2 * (extent + 2 * _LEAST_MARGIN))
        return _BOX_GRAIN * math.ceil(wanted / _BOX_GRAIN), ()
    box = float(job.box_angstrom)
    margin = (box - extent) / 2
    if margin < _LEAST_MARGIN:
        raise InputError(
            f"a box of {box:g} Å is too small for a structure of {extent:.2f} Å: electrons need at "
            f"least {_LEAST_MARGIN:g} Å beyond the outermost atoms; take {extent + 16:.0f} Å or "
            "more"
        )
    if solver in {"mt", "analytic"} and box < 2 * extent:
        raise InputError(
            f"the Poisson solver {solver!r} needs a box of twice the structure, "
            f"{2 * extent:.1f} Å; got {box:g} Å. Enlarge the box or take poisson_solver: wavelet"
        )
    if solver == "wavelet" and margin < _WAVELET_MARGIN:
        return box, (
            f"only {margin:.2f} Å between the structure and the wall of the box: the wavelet "
            "Poisson solver needs a density that vanishes on the walls",
        )
    return box, ()


def _take_slab(job: EngineJob, settings: Cp2kSettings) -> Cell:
    vectors = np.asarray(job.atoms.cell.array, dtype=np.float64)
    _check_slab_cell(job, vectors)
    said = check_vacuum(job)
    solver = "periodic" if settings.poisson_solver == "auto" else settings.poisson_solver
    origin = np.zeros(3)
    if solver == "mt":
        origin[2] = _centre_for_mt(job, vectors)
    elif solver != "periodic":
        raise InputError(
            f"the Poisson solver {solver!r} is for dots and molecules (CP2K's analytic one leaves "
            "the dipoles of a slab and its images interacting); leave poisson_solver out for a "
            "slab, with the dipole correction where its sides differ, or take mt"
        )
    return Cell(vectors, origin, True, solver, (*said, *_judge_slab(job, vectors)))


def _centre_for_mt(job: EngineJob, vectors: NDArray[np.float64]) -> float:
    """Shift along z that puts a slab in the middle of a cell without images along z."""
    if job.dipole_correction:
        raise InputError(
            "the Poisson solver 'mt' has no images along z, so that there is no dipole to correct "
            "for; leave out one of the two"
        )
    heights = job.atoms.get_positions()[:, 2]
    if vectors[2, 2] < 2 * np.ptp(heights):
        raise InputError(
            f"the Poisson solver 'mt' needs a cell of twice the slab along z, "
            f"{2 * np.ptp(heights):.1f} Å; got {vectors[2, 2]:g} Å. Build the slab with more "
            "vacuum, or leave poisson_solver out"
        )
    return float(vectors[2, 2] - heights.max() - heights.min()) / 2


def _check_slab_cell(job: EngineJob, vectors: NDArray[np.float64]) -> None:
    if job.box_angstrom is not None:
        raise InputError("a slab has a cell of its own; leave the box out")
    if not np.isfinite(vectors).all() or np.linalg.det(vectors) <= 0:
        raise InputError(
            "the slab's cell has no volume, or its vectors are not right-handed; expected two "
            "vectors in the surface and a third along +z that holds the vacuum"
        )
    outside = np.abs([vectors[0, 2], vectors[1, 2], vectors[2, 0], vectors[2, 1]])
    if outside.max() > _ALIGNED:
        raise InputError(
            f"the slab's cell {vectors.tolist()} is tilted against its surface; expected a and b "
            "in the xy plane and c along z"
        )
    if job.kpoints[2] != 1 or min(job.kpoints) < 1:
        raise InputError(
            f"k-points {_name_grid(job.kpoints)} for a slab: it does not repeat along z; expected "
            f"{max(job.kpoints[0], 1)}×{max(job.kpoints[1], 1)}×1"
        )


def _judge_slab(job: EngineJob, vectors: NDArray[np.float64]) -> tuple[str, ...]:
    found = []
    shortest = float(np.linalg.norm(vectors[:2], axis=1).min())
    if tuple(job.kpoints) == GAMMA and shortest < _GAMMA_LENGTH:
        found.append(
            f"the surface cell of {shortest:.1f} Å is sampled at the zone centre (Γ) alone, which "
            f"is no k-point grid: its energy is not that of a cell of {_GAMMA_LENGTH:g} Å or "
            "more; compare with a larger supercell or set kpoints"
        )
    if job.charge:
        found.append(
            f"a slab with a charge of {job.charge:+d} e is neutralised by a uniform background; "
            "its energy depends on the vacuum and is not to be compared with others"
        )
    return tuple(found)


def _name_grid(kpoints: tuple[int, int, int]) -> str:
    return "×".join(map(str, kpoints))
