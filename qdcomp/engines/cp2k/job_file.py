"""What a CP2K job directory is about: ``cp2k_job.json``, from which the input is rendered.

The input is always rendered from this file, never edited: a restart or a correction changes a
field here and renders again, so that nothing but that field can change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines.base import DynamicsSettings, RelaxationSettings, Task
from qdcomp.engines.cp2k.settings import Cp2kSettings, read_settings
from qdcomp.engines.cp2k.species import Species, name_kind
from qdcomp.engines.description import check_geometry, check_numbers, check_plain_fields
from qdcomp.errors import ParseError

JOB_NAME = "cp2k_job.json"
"""Description of the job in its directory."""

PROJECT = "qdcomp"
"""CP2K's project name: the stem of every file it writes."""

INPUT_NAME = "cp2k.inp"
OUTPUT_NAME = "cp2k.out"
REPLICA_OUTPUTS = f"{PROJECT}-r-*.out"
"""Outputs of the displaced geometries of vibrational frequencies, one a group of processes."""

RESTART_SOURCE = "continue-from.restart"
"""Restart file that a run goes on from; CP2K reads it and does not write it."""

GAMMA = (1, 1, 1)
"""Grid of the zone centre alone."""

_MOST_KPOINTS = 1000
"""More k-points along a direction than any job has: a larger number is a damaged one."""


@dataclass(frozen=True)
class Restart:
    """How a run goes on from another.

    Attributes
    ----------
    counters
        Whether step numbers and the conserved energy go on too; else only positions, velocities,
        thermostat and random numbers.
    steps
        Steps left to do.
    """

    counters: bool
    steps: int


@dataclass(frozen=True)
class JobFile:
    """Everything that the input of a job is rendered from.

    Attributes
    ----------
    task
        ``energy``, ``relax``, ``dynamics`` or ``vibrations``.
    symbols
        Chemical symbols.
    positions
        Coordinates in the box [Å], shape ``(n_atoms, 3)``.
    velocities
        Starting velocities [Å/fs], same shape; None where CP2K draws them.
    origin
        What was added to the job's coordinates to centre them in the box [Å].
    cell
        The three lattice vectors [Å].
    charge, multiplicity, spin_polarized
        Total charge [e] and spin.
    frozen
        One-based numbers of the atoms held fixed.
    species
        Elements with their basis sets and pseudopotentials.
    settings
        The study's settings, checked and complete.
    relaxation, dynamics
        What the task needs.
    seed
        Seed of the random numbers.
    restart
        How it goes on from another run; None starts afresh.
    wavefunction
        Whether there is a wavefunction to start from.
    warnings
        What the user should know about the input.
    is_slab
        Whether the structure repeats along x and y.
    kpoints
        Monkhorst–Pack grid.
    dipole_correction
        Whether the field of a slab's dipole along z is compensated.
    ghosts
        One-based numbers of the atoms that are basis functions without a nucleus.
    has_lumo
        Whether the basis has an orbital beyond the occupied ones.
    """

    task: Task
    symbols: tuple[str, ...]
    positions: NDArray[np.float64]
    velocities: NDArray[np.float64] | None
    origin: tuple[float, float, float]
    cell: tuple[tuple[float, ...], ...]
    charge: int
    multiplicity: int
    spin_polarized: bool
    frozen: tuple[int, ...]
    species: tuple[Species, ...]
    settings: Cp2kSettings
    relaxation: RelaxationSettings
    dynamics: DynamicsSettings | None
    seed: int
    restart: Restart | None = None
    wavefunction: bool = False
    warnings: tuple[str, ...] = ()
    is_slab: bool = False
    kpoints: tuple[int, int, int] = GAMMA
    dipole_correction: bool = False
    ghosts: tuple[int, ...] = ()
    has_lumo: bool = True

    @property
    def has_kpoints(self) -> bool:
        """Whether the zone is sampled at more than its centre."""
        return self.kpoints != GAMMA

    @property
    def prints_frontier(self) -> bool:
        """Whether the frontier orbitals are printed."""
        if self.dynamics is not None and not self.dynamics.frontier_orbitals:
            return False
        return self.has_lumo and self.task != "vibrations"

    @property
    def wavefunction_name(self) -> str:
        """File that CP2K keeps its wavefunction in, with k-points its density matrix."""
        return f"{PROJECT}-RESTART.{'kp' if self.has_kpoints else 'wfn'}"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kind of each atom, as the input names it."""
        ghosts = set(self.ghosts)
        return tuple(
            name_kind(symbol, ghost=number in ghosts)
            for number, symbol in enumerate(self.symbols, start=1)
        )

    @property
    def last_step(self) -> int:
        """Number of the last step of the job."""
        if self.dynamics is not None:
            return self.dynamics.first_step + self.dynamics.steps
        return self.relaxation.max_steps if self.task == "relax" else 0


def write_job_file(directory: Path, job: JobFile) -> None:
    """Write the description of a job, whole or not at all."""
    content = asdict(job)
    content["positions"] = job.positions.tolist()
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
    dynamics, restart, velocities = (
        content[name] for name in ("dynamics", "restart", "velocities")
    )
    fields = dict(content)
    edge = fields.pop("box_angstrom", None)
    cell = content["cell"] if edge is None else (edge * np.eye(3)).tolist()
    fields |= {
        "symbols": tuple(content["symbols"]),
        "positions": np.array(content["positions"], dtype=np.float64),
        "velocities": None if velocities is None else np.array(velocities, dtype=np.float64),
        "origin": tuple(content["origin"]),
        "cell": tuple(map(tuple, cell)),
        "kpoints": tuple(content.get("kpoints", GAMMA)),
        "ghosts": tuple(content.get("ghosts", ())),
        "frozen": tuple(content["frozen"]),
        "species": tuple(Species(**species) for species in content["species"]),
        "settings": read_settings(settings),
        "relaxation": RelaxationSettings(**content["relaxation"]),
        "dynamics": None if dynamics is None else DynamicsSettings(**dynamics),
        "restart": None if restart is None else Restart(**restart),
        "warnings": tuple(content["warnings"]),
    }
    job = JobFile(**fields)
    _check(job)
    return job


def _check(job: JobFile) -> None:
    """Check what a damaged file may have wrong; raises ValueError."""
    for record in (job, job.relaxation, job.dynamics, job.restart, *job.species):
        if record is not None:
            check_plain_fields(record)
    if (job.dynamics is None) == (job.task == "dynamics"):
        raise ValueError(f"dynamics is {job.dynamics} in a job of the kind {job.task}")
    atoms = len(job.symbols)
    cell = np.array(job.cell, dtype=np.float64)
    check_geometry(job.symbols, job.positions, job.velocities, cell, job.origin)
    check_numbers("frozen", job.frozen, 1, atoms)
    check_numbers("ghosts", job.ghosts, 1, atoms)
    check_numbers("kpoints", job.kpoints, 1, _MOST_KPOINTS)
    if len(job.kpoints) != 3:
        raise ValueError(f"kpoints are {job.kpoints}")
    if job.settings.energy_gap_hartree is None:
        raise ValueError("settings are not complete: no energy_gap_hartree")
