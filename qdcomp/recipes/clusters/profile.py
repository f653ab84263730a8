"""What a user says of a cluster, as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from qdcomp.recipes.jobs.planned_job import JobKind

BatchSystemName = Literal["slurm", "pbs", "lsf"]
Mode = Literal["reservation", "packing", "offline"]

BATCH_SYSTEMS: tuple[BatchSystemName, ...] = ("slurm", "pbs", "lsf")
MODES: tuple[Mode, ...] = ("reservation", "packing", "offline")

STAGES: dict[str, tuple[JobKind, ...]] = {
    "relaxation": ("relax",),
    "dynamics": ("equilibrate", "sample"),
    "energy": ("energy",),
    "vibrations": ("vibrations",),
    "own": ("build", "modes", "collect", "analyse", "summarise", "cut", "combine"),
}
"""Kinds of jobs with resources of their own; ``own`` are qdcomp's, which run no engine."""


@dataclass(frozen=True)
class Resources:
    """What a batch job asks for.

    Attributes
    ----------
    partition
        Partition or queue; empty for the default one.
    account
        Account or project; empty for the default one.
    nodes
        Nodes.
    cores
        Cores of each node.
    threads
        OpenMP threads of each rank; a node has ``cores / threads`` ranks.
    memory_mib
        Memory of each node [MiB]; None leaves it to the batch system.
    walltime_s
        Time after which the batch system ends the job [s].
    """

    partition: str
    account: str
    nodes: int
    cores: int
    threads: int
    memory_mib: int | None
    walltime_s: int

    @property
    def ranks(self) -> int:
        """MPI ranks of each node."""
        return self.cores // self.threads


@dataclass(frozen=True)
class Limits:
    """How much is handed to the batch system.

    Attributes
    ----------
    queued
        Most batch jobs of this user in the queue, waiting and running.
    workers
        Most workers side by side in one allocation, where jobs are packed.
    """

    queued: int = 100
    workers: int = 4


@dataclass(frozen=True, kw_only=True)
class ClusterProfile:
    """A cluster, as its user describes it.

    Attributes
    ----------
    source
        File that it was read from.
    batch_system
        Batch system.
    mode
        *reservation*: a batch job for each job; *packing*: several workers in one allocation;
        *offline*: as *reservation*, for nodes without a route to the database.
    resources
        What batch jobs ask for where their stage says nothing else.
    stages
        What those of each stage in `STAGES` ask for.
    modules
        Modules to load.
    setup
        Lines of the user's own shell, after the modules.
    launch
        Command that starts each engine, by ``cp2k``, ``vasp`` and ``vasp_gamma``.
    data
        Folder of each engine's basis sets and pseudopotentials.
    scratch
        Folder for temporary files of jobs; None leaves it to the system.
    launchpad
        URI of the launchpad server, without a password; None where it is told otherwise.
    launchpad_file
        File that only this user may read, with the URI and its password.
    qdcomp
        Command that starts qdcomp on a node; empty for the one that hands the jobs over.
    limits
        How much is handed over.
    """

    source: Path
    batch_system: BatchSystemName
    mode: Mode
    resources: Resources
    stages: Mapping[str, Resources]
    modules: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    launch: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Path] = field(default_factory=dict)
    scratch: Path | None = None
    launchpad: str | None = None
    launchpad_file: Path | None = None
    qdcomp: str = ""
    limits: Limits = field(default_factory=Limits)

    def find_resources(self, kind: JobKind) -> Resources:
        """Find what a job of a kind asks for."""
        return next(self.stages[stage] for stage, kinds in STAGES.items() if kind in kinds)
