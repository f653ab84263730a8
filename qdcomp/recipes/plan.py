"""The jobs that a study becomes, in order, and what they are expected to take.

The list of `plan_jobs` is the whole plan of a campaign; the workflow is built from it job by job::

    build → relax → normal modes, where the study and its engine have them
                  → (one chain for each sampling temperature:
                     equilibrate stage after stage → sample segment after segment
                     → collect → analyse) → summarise, where there are several temperatures
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from ase import Atoms

from qdcomp.engines import (
    HARMONIC_ENGINES,
    CostEstimate,
    DynamicsSettings,
    EngineJob,
    RelaxationSettings,
)
from qdcomp.errors import InputError
from qdcomp.recipes.study_schema import Study
from qdcomp.structures import Structure

JobKind = Literal[
    "build", "relax", "modes", "equilibrate", "sample", "collect", "analyse", "summarise"
]

ENGINE_KINDS: tuple[JobKind, ...] = ("relax", "equilibrate", "sample")
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


def plan_jobs(study: Study) -> tuple[PlannedJob, ...]:
    """All jobs of a study, parents before children. The same study gives the same list."""
    build = PlannedJob(f"{study.name}: 00 build", "build", ".", seed=study.seed)
    relax = PlannedJob(
        f"{study.name}: 01 relax",
        "relax",
        "jobs/01_relax",
        parents=(build.name,),
        relaxation=study.relaxation,
        seed=_derive_seed(study.seed, "relax"),
    )
    jobs = [build, relax]
    if study.analysis.normal_modes and study.engine in HARMONIC_ENGINES:
        name = f"{study.name}: 01 normal modes"
        seed = _derive_seed(study.seed, "modes")
        jobs.append(PlannedJob(name, "modes", "normal_modes", (relax.name,), seed=seed))
    for temperature in study.sampling.temperatures_k:
        jobs.extend(_plan_trajectory(study, temperature, relax.name))
    analyses = tuple(job.name for job in jobs if job.kind == "analyse")
    if len(analyses) > 1:
        jobs.append(PlannedJob(f"{study.name}: 06 summarise", "summarise", ".", analyses))
    return tuple(jobs)


def _plan_trajectory(study: Study, temperature_k: float, relax: str) -> Iterator[PlannedJob]:
    """Jobs of the trajectory at one temperature [K], after the job `relax`."""
    previous = None
    segments: list[str] = []
    for kind, part, dynamics in _list_dynamics(study, temperature_k):
        number = {"equilibrate": "02", "sample": "03"}[kind]
        own = dynamics.temperature_k
        job = PlannedJob(
            f"{study.name}: {number} {kind} {temperature_k:g} K ({part})"
            + (f" at {own:g} K" if own != temperature_k else ""),
            kind,
            f"jobs/{number}_{kind}_T{temperature_k:g}K_{part.replace('/', 'of')}",
            parents=(previous or relax,),
            previous=previous,
            temperature_k=temperature_k,
            dynamics=dynamics,
            seed=_derive_seed(study.seed, f"{kind} {temperature_k!r} {part}"),
        )
        yield job
        previous = job.name
        if kind == "sample":
            segments.append(job.name)
    folder = f"T{temperature_k:g}K"
    collect = f"{study.name}: 04 collect {temperature_k:g} K"
    yield PlannedJob(collect, "collect", folder, tuple(segments), temperature_k=temperature_k)
    yield PlannedJob(
        f"{study.name}: 05 analyse {temperature_k:g} K",
        "analyse",
        folder,
        parents=(collect,),
        temperature_k=temperature_k,
        seed=_derive_seed(study.seed, f"analyse {temperature_k!r}"),
    )


def _list_dynamics(
    study: Study, temperature_k: float
) -> Iterator[tuple[Literal["equilibrate", "sample"], str, DynamicsSettings]]:
    """Kind, ``1/4`` and settings of each stretch of dynamics on the way to one trajectory."""
    for index, stage in enumerate(study.equilibration, start=1):
        yield "equilibrate", f"{index}/{len(study.equilibration)}", stage.dynamics(temperature_k)
    for index in range(study.sampling.segments):
        part = f"{index + 1}/{study.sampling.segments}"
        yield "sample", part, study.sampling.dynamics(temperature_k, index)


def _derive_seed(seed: int, job: str) -> int:
    """Seed of one job: thermostats of two jobs must not draw the same random numbers."""
    return int.from_bytes(hashlib.sha256(f"{seed} {job}".encode()).digest()[:4]) >> 1


def describe_engine_job(
    study: Study, job: PlannedJob, structure: Structure, atoms: Atoms | None = None
) -> EngineJob:
    """Describe a planned job to the study's engine.

    Parameters
    ----------
    study, job
        The study and one of its jobs, of a kind in `ENGINE_KINDS`.
    structure
        What was built: charge and frozen atoms.
    atoms
        Where the job starts from, with velocities if it has them; None starts from `structure`.

    Raises
    ------
    InputError
        The job does not run an engine.
    """
    if job.kind not in ENGINE_KINDS:
        raise InputError(f"{job.name} runs no engine; kinds that do: {', '.join(ENGINE_KINDS)}")
    return EngineJob(
        task="relax" if job.kind == "relax" else "dynamics",
        atoms=structure.atoms if atoms is None else atoms,
        charge=structure.charge,
        frozen=structure.frozen,
        box_angstrom=study.structure.box_angstrom,
        settings=study.engine_settings,
        relaxation=job.relaxation,
        dynamics=job.dynamics,
        seed=job.seed,
    )


@dataclass(frozen=True)
class JobCost:
    """A job and what it takes; `cost` is None for jobs without engine."""

    job: PlannedJob
    cost: CostEstimate | None


@dataclass(frozen=True)
class StudyPlan:
    """What a study will do and take.

    Attributes
    ----------
    study
        The study.
    formula
        Chemical formula of the structure.
    atoms, free_atoms
        Number of atoms, and of those not frozen.
    charge
        Total charge [e].
    electrons
        Electrons that the engine treats.
    edge_angstrom
        Edge of the dot [Å].
    jobs
        Every job with its cost, in order.
    """

    study: Study
    formula: str
    atoms: int
    free_atoms: int
    charge: int
    electrons: int
    edge_angstrom: float
    jobs: tuple[JobCost, ...]

    @property
    def core_hours(self) -> float:
        """Core-hours of all jobs."""
        return sum(entry.cost.core_hours for entry in self.jobs if entry.cost)

    @property
    def memory_gib(self) -> float:
        """Memory of the largest job [GiB]."""
        return max((entry.cost.memory_gib for entry in self.jobs if entry.cost), default=0.0)

    @property
    def simulated_fs(self) -> float:
        """Simulated time of all dynamics [fs]."""
        return sum(entry.job.duration_fs for entry in self.jobs)

    @property
    def cost_basis(self) -> tuple[str, ...]:
        """What the estimates rest on, each sentence once."""
        return tuple(dict.fromkeys(entry.cost.basis for entry in self.jobs if entry.cost))

    def rows(self) -> list[tuple[str, ...]]:
        """Table of the jobs as texts, the heading first."""
        heading = ("job", "steps", "simulated", "memory", "core-hours", "after")
        return [heading, *(_describe_row(self.study.name, entry) for entry in self.jobs)]


def plan_study(
    study: Study, structure: Structure, estimate: Callable[[EngineJob], CostEstimate]
) -> StudyPlan:
    """Plan a study without running anything.

    Parameters
    ----------
    study
        The study.
    structure
        What `qdcomp.recipes.studies.build_structure` builds for it.
    estimate
        ``estimate_cost`` of the study's engine.
    """
    jobs = tuple(
        JobCost(
            job,
            estimate(describe_engine_job(study, job, structure))
            if job.kind in ENGINE_KINDS
            else None,
        )
        for job in plan_jobs(study)
    )
    return StudyPlan(
        study=study,
        formula=structure.atoms.get_chemical_formula(),
        atoms=len(structure.atoms),
        free_atoms=int((~structure.frozen).sum()),
        charge=structure.charge,
        electrons=next((entry.cost.electrons for entry in jobs if entry.cost), 0),
        edge_angstrom=structure.edge_angstrom,
        jobs=jobs,
    )


def _describe_row(study_name: str, entry: JobCost) -> tuple[str, ...]:
    job, cost = entry.job, entry.cost
    limit = "≤ " if job.kind == "relax" else ""
    return (
        job.name.removeprefix(f"{study_name}: "),
        f"{limit}{job.steps}" if job.steps else "",
        f"{job.duration_fs / 1000:g} ps" if job.duration_fs else "",
        f"{format_estimate(cost.memory_gib)} GiB" if cost else "",
        format_estimate(cost.core_hours) if cost else "",
        job.parents[-1].removeprefix(f"{study_name}: ") if job.parents else "",
    )


def format_estimate(value: float) -> str:
    """Two significant digits, in plain figures."""
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10.0 else f"{rounded:g}"
