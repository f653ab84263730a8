"""Small jobs for VASP: a piece of a slab and a molecule."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from qdcomp.engines.base import EngineJob, Task


def make_slab_job(task: Task = "relax", **changes: Any) -> EngineJob:
    """A job of the slab, neutral, sampled with 4x4x1."""
    atoms = changes.pop("atoms", None)
    atoms = make_mixed_slab() if atoms is None else atoms
    fields: dict[str, Any] = {"charge": 0, "kpoints": (4, 4, 1)} | changes
    fields.setdefault("frozen", np.zeros(len(atoms), bool))
    return EngineJob(task, atoms, **fields)


def make_mixed_slab() -> Atoms:
    """Cs2PbBr4, elements mixed: 60 electrons with the made-up data sets."""
    positions = [[0, 0, 10], [3, 0, 10], [3, 3, 10], [0, 3, 10], [0, 0, 16], [3, 3, 13], [3, 3, 16]]
    return Atoms(
        ["Cs", "Br", "Pb", "Br", "Cs", "Br", "Br"],
        positions=np.array(positions, dtype=float),
        cell=[6.0, 6.0, 25.0],
        pbc=[True, True, False],
    )


def make_molecule_job(task: Task = "energy", **changes: Any) -> EngineJob:
    """A job of hydrogen bromide, 8 electrons."""
    atoms = Atoms("HBr", positions=[[1.0, 2.0, 3.0], [1.0, 2.0, 4.41]])
    fields: dict[str, Any] = {"charge": 0, "frozen": np.zeros(2, bool)} | changes
    return EngineJob(task, atoms, **fields)


def write_wavecar(path: Path, bands: int = 4, record_bytes: int = 64) -> None:
    """A wavefunction of one spin and one k-point, in the records of VASP's WAVECAR, all zero."""
    head = struct.pack("<3d", record_bytes, 1, 45200).ljust(record_bytes, b"\0")
    counts = struct.pack("<3d", 1, bands, 300.0).ljust(record_bytes, b"\0")
    path.write_bytes(head + counts + bytes((1 + bands) * record_bytes))
