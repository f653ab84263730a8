"""POSCAR of a job, and reading one that VASP wrote (CONTCAR)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines.vasp.job_file import JobFile

_CELL_TOLERANCE = 1e-4
"""Difference of cell vectors [Å] that the digits of a CONTCAR explain."""


@dataclass(frozen=True)
class WrittenStructure:
    """A structure that VASP wrote.

    Attributes
    ----------
    positions
        Coordinates [Å], shape ``(n_atoms, 3)``, in the order of POSCAR.
    velocities
        Velocities [Å/fs], same shape; None where there are none.
    """

    positions: NDArray[np.float64]
    velocities: NDArray[np.float64] | None


def order_atoms(symbols: tuple[str, ...]) -> tuple[int, ...]:
    """Numbers of the atoms grouped by element, elements in order of first appearance."""
    elements = list(dict.fromkeys(symbols))
    return tuple(sorted(range(len(symbols)), key=lambda atom: elements.index(symbols[atom])))


def render_poscar(job: JobFile) -> str:
    """POSCAR of a job as the study has it: grouped by element, frozen atoms held.

    A job of dynamics has velocities: its own, or ones drawn with its seed.
    """
    from pymatgen.core import Lattice, Structure
    from pymatgen.io.vasp.inputs import Poscar

    order = list(job.order)
    structure = Structure(
        Lattice(job.cell),
        [job.symbols[atom] for atom in order],
        job.positions[order],
        coords_are_cartesian=True,
    )
    frozen = set(job.frozen)
    flags = [[atom not in frozen] * 3 for atom in order] if frozen else None
    velocities = None if job.velocities is None else job.velocities[order].tolist()
    poscar = Poscar(
        structure,
        comment=f"qdcomp {job.task}",
        selective_dynamics=flags,
        velocities=velocities,
    )
    return str(poscar.get_str(significant_figures=16))


def read_written_structure(path: Path, job: JobFile) -> WrittenStructure | None:
    """Read a CONTCAR; None where it is missing, cut off, or of another structure."""
    poscar = _read_poscar(path)
    if poscar is None:
        return None
    structure = poscar.structure
    symbols = [site.specie.symbol for site in structure]
    if symbols != [job.symbols[atom] for atom in job.order]:
        return None
    if not np.allclose(structure.lattice.matrix, job.cell, atol=_CELL_TOLERANCE):
        return None
    positions = np.asarray(structure.cart_coords, dtype=np.float64)
    velocities = None
    if poscar.velocities is not None and len(poscar.velocities):
        velocities = np.asarray(poscar.velocities, dtype=np.float64)
        if velocities.shape != positions.shape or not np.isfinite(velocities).all():
            return None
    elif job.task == "dynamics":
        return None  # VASP writes them behind the positions: the file was cut off
    if not np.isfinite(positions).all():
        return None
    return WrittenStructure(positions, velocities)


def _read_poscar(path: Path) -> Any:
    from pymatgen.io.vasp.inputs import Poscar

    text = path.read_text(errors="replace") if path.is_file() else ""
    if not text.endswith("\n"):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a POTCAR to name the elements
        try:
            return Poscar.from_str(text)
        except (ValueError, IndexError, KeyError, TypeError, UserWarning):
            return None
