"""What a VASP job directory is about: ``vasp_job.json``, from which the inputs are rendered.

The inputs are always rendered from this file, never edited: a restart or a correction changes a
field here and renders again, so that nothing but that field can change.

Atoms are kept in the order of the job. POSCAR has them grouped by element: its atom number ``k``
(from zero) is atom ``order[k]`` of the job, and `JobFile.restore_order` undoes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines.base import DynamicsSettings, RelaxationSettings, Task
from qdcomp.engines.description import check_geometry, check_numbers, check_plain_fields
from qdcomp.engines.vasp.settings import VaspSettings, read_settings
from qdcomp.errors import ParseError

JOB_NAME = "vasp_job.json"
"""Description of the job in its directory."""

OUTPUT_NAME = "vasp.out"
"""Standard output of VASP."""

ERROR_NAME = "stderr.txt"
"""Standard error of VASP."""

RESTART_SOURCE = "POSCAR.continue"
"""Structure that a run goes on from, as VASP wrote it (CONTCAR)."""

_MOST_KPOINTS = 1000
"""More k-points along a direction than any job has: a larger number is a damaged one."""


@dataclass(frozen=True)
class Species:
    """One element of a job.

    Attributes
    ----------
    symbol
        Chemical symbol.
    label
        PAW data set, as its folder is called (``Cs_sv``).
    titel
        Title of the data set (``PAW_PBE Cs_sv 08Apr2002``).
    electrons
        Valence electrons (``ZVAL``).
    enmax_ev
        Cutoff that the data set asks for [eV].
    lexch
        Functional that it was made with (``PE``).
    """

    symbol: str
    label: str
    titel: str
    electrons: float
    enmax_ev: float
    lexch: str


@dataclass(frozen=True)
class JobFile:
    """Everything that the inputs of a job are rendered from.

    Attributes
    ----------
    task
        ``energy``, ``relax``, ``dynamics`` or ``vibrations``.
    symbols
        Chemical symbols, in the order of the job.
    positions
        Coordinates in the cell [Å], shape ``(n_atoms, 3)``, in the order of the job.
    velocities
        Starting velocities of dynamics [Å/fs], same shape and order; else None.
    origin
        What was added to the job's coordinates to centre them in the cell [Å].
    cell
        Cell vectors [Å], rows of shape ``(3, 3)``.
    pbc
        Directions in which the structure of the job repeats; VASP repeats all.
    order
        Atom ``k`` of POSCAR (from zero) is atom ``order[k]`` of the job.
    species
        Elements with their data sets, in the order of POSCAR and POTCAR.
    frozen
        Numbers (from zero, order of the job) of the atoms held fixed.
    charge, electrons, multiplicity, spin_polarized
        Total charge [e], number of electrons, and spin.
    kpoints
        Grid of k-points.
    dipole_correction
        Whether the field of the dipole is compensated.
    settings
        The study's settings, checked and complete.
    relaxation, dynamics
        What the task needs.
    seed
        Seed of the random numbers.
    steps_before
        Steps of the job that earlier parts have done, before the part at hand starts.
    earlier_steps
        The same for each earlier part, oldest first: part ``i`` (from 1) started after
        ``earlier_steps[i - 1]`` steps. Its files are called ``OUTCAR.part1`` and so on.
    goes_on
        Whether the part at hand starts from ``POSCAR.continue``.
    changes
        INCAR tags that handlers changed; None drops the tag.
    warnings
        What the user should know about the inputs.
    """

    task: Task
    symbols: tuple[str, ...]
    positions: NDArray[np.float64]
    velocities: NDArray[np.float64] | None
    origin: tuple[float, float, float]
    cell: NDArray[np.float64]
    pbc: tuple[bool, bool, bool]
    order: tuple[int, ...]
    species: tuple[Species, ...]
    frozen: tuple[int, ...]
    charge: int
    electrons: int
    multiplicity: int
    spin_polarized: bool
    kpoints: tuple[int, int, int]
    dipole_correction: bool
    settings: VaspSettings
    relaxation: RelaxationSettings
    dynamics: DynamicsSettings | None
    seed: int
    steps_before: int = 0
    earlier_steps: tuple[int, ...] = ()
    goes_on: bool = False
    changes: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        """Number of steps of the whole job."""
        if self.dynamics is not None:
            return self.dynamics.steps
        return self.relaxation.max_steps if self.task == "relax" else 0

    @property
    def gamma_only(self) -> bool:
        """Whether the zone centre is the only k-point."""
        return self.kpoints == (1, 1, 1)

    def restore_order(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bring values of the atoms from the order of POSCAR back to that of the job.

        Parameters
        ----------
        values
            Of shape ``(n_atoms, ...)``, in the order of POSCAR.
        """
        restored = np.empty_like(values)
        restored[list(self.order)] = values
        return restored


def write_job_file(directory: Path, job: JobFile) -> None:
    """Write the description of a job, whole or not at all."""
    content = asdict(job)
    content["positions"] = job.positions.tolist()
    content["cell"] = job.cell.tolist()
    content["velocities"] = None if job.velocities is None else job.velocities.tolist()
    partial = directory / f"{JOB_NAME}.partial"
    partial.write_text(json.dumps(content, indent=1) + "\n")
    partial.replace(directory / JOB_NAME)


def read_job_file(directory: Path) -> JobFile:
    """Read the description of a job.

    Raises
    ------
    ParseError
        The directory has none, or it is damaged.
    """
    path = directory / JOB_NAME
    if not path.is_file():
        raise ParseError("not there; write the job's inputs first", path)
    try:
        return _build(json.loads(path.read_text()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ParseError(
            f"not a job description of qdcomp ({error}); write the inputs again", path
        ) from error


def _build(content: Mapping[str, Any]) -> JobFile:
    settings = {key: value for key, value in content["settings"].items() if value is not None}
    dynamics, velocities = content["dynamics"], content["velocities"]
    fields = dict(content)
    fields |= {
        name: tuple(content[name])
        for name in (
            "symbols", "origin", "pbc", "order", "frozen", "kpoints", "earlier_steps", "warnings",
        )
    }  # fmt: skip
    fields |= {
        "positions": np.array(content["positions"], dtype=np.float64),
        "velocities": None if velocities is None else np.array(velocities, dtype=np.float64),
        "cell": np.array(content["cell"], dtype=np.float64),
        "species": tuple(Species(**species) for species in content["species"]),
        "settings": read_settings(settings),
        "relaxation": RelaxationSettings(**content["relaxation"]),
        "dynamics": None if dynamics is None else DynamicsSettings(**dynamics),
    }
    job = JobFile(**fields)
    _check(job)
    return job


def _check(job: JobFile) -> None:
    """Check what a damaged file may have wrong; raises ValueError."""
    for record in (job, job.relaxation, *job.species):
        check_plain_fields(record)
    if job.dynamics is not None:
        check_plain_fields(job.dynamics)
    if (job.dynamics is None) == (job.task == "dynamics"):
        raise ValueError(f"dynamics is {job.dynamics} in a job of the kind {job.task}")
    atoms = len(job.symbols)
    check_geometry(job.symbols, job.positions, job.velocities, job.cell, job.origin)
    check_numbers("order", job.order, 0, atoms - 1)
    check_numbers("frozen", job.frozen, 0, atoms - 1)
    check_numbers("kpoints", job.kpoints, 1, _MOST_KPOINTS)
    check_numbers("earlier_steps", (*job.earlier_steps, job.steps_before), 0, job.steps)
    if len(set(job.order)) != atoms or len(job.order) != atoms:
        raise ValueError("order does not name every atom once")
    if [kind.symbol for kind in job.species] != list(dict.fromkeys(job.symbols)):
        raise ValueError("species are not the elements of the atoms")
    if not isinstance(job.changes, Mapping) or len(job.pbc) != 3 or len(job.kpoints) != 3:
        raise ValueError("changes, pbc or kpoints have not the expected form")
