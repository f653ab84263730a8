"""One job of a study, as the plan lists it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from qdcomp.engines import DynamicsSettings, RelaxationSettings
from qdcomp.recipes.study_files.surface_schema import ZONE_CENTRE, Fragment, KPoints

JobKind = Literal[
    "build",
    "relax",
    "modes",
    "equilibrate",
    "sample",
    "collect",
    "analyse",
    "summarise",
    "cut",
    "energy",
    "vibrations",
    "combine",
]

ENGINE_KINDS: tuple[JobKind, ...] = ("relax", "equilibrate", "sample", "energy", "vibrations")
"""Kinds of jobs that run an engine; the others are qdcomp's own."""


@dataclass(frozen=True)
class PlannedJob:
    """One job of a study.

    Attributes
    ----------
    name
        Name that ``lpad`` shows, ``raino2022_dot_1p8nm: 03 sample 10 K (1/4)``.
    kind
        What it does.
    directory
        Where its files are, relative to the folder of the run; a job that runs an engine has one
        of its own.
    parents
        Names of the jobs that must be complete before.
    previous
        Name of the parent whose dynamics it goes on with; None where it starts afresh.
    temperature_k
        Temperature of the trajectory that it belongs to [K]; None for jobs of the whole study.
    relaxation, dynamics
        What an engine is asked for; None for other kinds.
    seed
        Seed of its random numbers, different for each job of a study.
    piece
        Name of the structure that it computes, in a study of several.
    label
        Name of what it computes, where that is not all of its structure.
    geometry_from
        Piece whose relaxed geometry it starts from; empty starts from its own as built.
    kpoints
        Monkhorst–Pack grid.
    ghost
        What of the structure is there as basis functions only: the ``ligand`` with its counterion,
        or the ``surface``; empty where all of it is real.
    without
        What of the structure is left out, likewise.
    tolerates_failures
        Whether it runs although a parent failed, with what the others computed.
    """

    name: str
    kind: JobKind
    directory: str
    parents: tuple[str, ...] = ()
    previous: str | None = None
    temperature_k: float | None = None
    relaxation: RelaxationSettings | None = None
    dynamics: DynamicsSettings | None = None
    seed: int = 1
    piece: str = ""
    label: str = ""
    geometry_from: str = ""
    kpoints: KPoints = ZONE_CENTRE
    ghost: Fragment = ""
    without: Fragment = ""
    tolerates_failures: bool = False

    @property
    def steps(self) -> int:
        """Most steps that the engine does; 0 for jobs without engine."""
        if self.dynamics is not None:
            return self.dynamics.steps
        return self.relaxation.max_steps if self.relaxation is not None else 0

    @property
    def duration_fs(self) -> float:
        """Simulated time [fs]."""
        return 0.0 if self.dynamics is None else self.dynamics.steps * self.dynamics.timestep_fs


def derive_seed(seed: int, job: str) -> int:
    """Derive the seed of one job: two jobs must not draw the same random numbers."""
    return int.from_bytes(hashlib.sha256(f"{seed} {job}".encode()).digest()[:4]) >> 1
