"""The jobs that a study becomes, in order, and what they are expected to take.

The list of `plan_jobs` is the whole plan of a campaign; the workflow is built from it job by job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ase import Atoms

from qdcomp.engines import CostEstimate, EngineJob, Task
from qdcomp.errors import InputError
from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS, JobKind, PlannedJob
from qdcomp.recipes.plans import (
    dot_linewidth,
    gas_entropy,
    ligand_binding,
    ligand_pair,
    surface_energy,
)
from qdcomp.recipes.study_files.dipole_correction import (
    describe_dipole_correction,
    needs_dipole_correction,
)
from qdcomp.recipes.study_files.dot_schema import DotStudy
from qdcomp.recipes.study_files.study_schema import Study
from qdcomp.recipes.study_files.surface_schema import SurfaceStudy, as_surface_study
from qdcomp.recipes.study_files.surface_structures import remove_fragment, select_fragment
from qdcomp.structures import Structure

TASKS: Mapping[JobKind, Task] = {
    "relax": "relax",
    "equilibrate": "dynamics",
    "sample": "dynamics",
    "energy": "energy",
    "vibrations": "vibrations",
}
"""What each kind of job in `ENGINE_KINDS` asks of its engine."""


NAMED_PARENTS = 3
"""Most jobs that a row of the plan names as those before; of more, the first and the last."""


class Recipe(Protocol):
    """A module that plans one kind of study."""

    def plan_jobs(self, study: Any) -> tuple[PlannedJob, ...]:
        """All jobs of a study, parents before children."""

    def build_structures(self, study: Any) -> dict[str, Structure]:
        """Every structure that a study starts from, by name."""


RECIPES: Mapping[str, Recipe] = {
    "dot_linewidth": dot_linewidth,
    "ligand_binding": ligand_binding,
    "surface_energy": surface_energy,
    "ligand_pair": ligand_pair,
    "gas_entropy": gas_entropy,
}
"""Module of each recipe."""


def plan_jobs(study: Study) -> tuple[PlannedJob, ...]:
    """All jobs of a study, parents before children. The same study gives the same list."""
    return RECIPES[study.recipe].plan_jobs(study)


def build_structures(study: Study) -> dict[str, Structure]:
    """Build every structure that a study starts from, by the name that its jobs know it by.

    Raises
    ------
    InputError
        One cannot be built.
    """
    return RECIPES[study.recipe].build_structures(study)


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
    task = TASKS.get(job.kind)
    if task is None:
        raise InputError(f"{job.name} runs no engine; kinds that do: {', '.join(ENGINE_KINDS)}")
    if isinstance(study, DotStudy):
        box = study.structure.box_angstrom
    else:
        box = study.ligand.box_angstrom if isinstance(study, SurfaceStudy) else None
    if job.without:
        structure = remove_fragment(as_surface_study(study), structure, job.without)
    return EngineJob(
        task=task,
        atoms=structure.atoms if atoms is None else atoms,
        charge=structure.charge,
        frozen=structure.frozen,
        box_angstrom=None if structure.kind == "slab" else box,
        settings=study.engine_settings,
        relaxation=job.relaxation,
        dynamics=job.dynamics,
        seed=job.seed,
        kpoints=job.kpoints,
        ghost=(
            select_fragment(as_surface_study(study), structure, job.ghost) if job.ghost else None
        ),
        dipole_correction=structure.kind == "slab"
        and isinstance(study, SurfaceStudy)
        and needs_dipole_correction(study),
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
    structures
        What its engine computes, by name.
    electrons
        Electrons that the engine treats, in each structure that an engine computes.
    jobs
        Every job with its cost, in order.
    """

    study: Study
    structures: Mapping[str, Structure]
    electrons: Mapping[str, int]
    jobs: tuple[JobCost, ...]

    @property
    def core_hours(self) -> float:
        """Core-hours of all jobs."""
        return sum(entry.cost.core_hours for entry in self.jobs if entry.cost)

    @property
    def core_hours_range(self) -> tuple[float, float]:
        """Least and most core-hours of all jobs: what is wrong in one estimate is in all."""
        ranges = [entry.cost.core_hours_range for entry in self.jobs if entry.cost]
        return sum(least for least, _ in ranges), sum(most for _, most in ranges)

    def describe_core_hours(self) -> str:
        """Say what all jobs take, ``about 120 core-hours (50 to 290)``."""
        least, most = self.core_hours_range
        known = most > least
        error = f" ({format_estimate(least)} to {format_estimate(most)})" if known else ""
        return f"about {format_estimate(self.core_hours)} core-hours{error}"

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

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What qdcomp decided for the energies of a study, a sentence each."""
        return (
            describe_dipole_correction(self.study) if isinstance(self.study, SurfaceStudy) else ()
        )

    def describe_structures(self) -> list[str]:
        """Say in a line what each structure is."""
        return [
            _describe_structure(name, structure, self.electrons.get(name))
            for name, structure in self.structures.items()
        ]

    def rows(self) -> list[tuple[str, ...]]:
        """Table of the jobs as texts, the heading first."""
        heading = ("job", "steps", "simulated", "memory", "core-hours", "after")
        return [heading, *(_describe_row(self.study.name, entry) for entry in self.jobs)]


def plan_study(
    study: Study,
    structures: Mapping[str, Structure],
    estimate: Callable[[EngineJob], CostEstimate],
) -> StudyPlan:
    """Plan a study without running anything.

    Parameters
    ----------
    study
        The study.
    structures
        What `build_structures` builds for it.
    estimate
        ``estimate_cost`` of the study's engine.
    """
    jobs = tuple(
        JobCost(
            job,
            estimate(describe_engine_job(study, job, structures[job.piece]))
            if job.kind in ENGINE_KINDS
            else None,
        )
        for job in plan_jobs(study)
    )
    pieces = dict.fromkeys(entry.job.piece for entry in jobs if entry.cost)
    whole = [entry for entry in jobs if entry.cost and not (entry.job.ghost or entry.job.without)]
    return StudyPlan(
        study=study,
        structures={piece: structures[piece] for piece in pieces},
        electrons={entry.job.piece: entry.cost.electrons for entry in whole if entry.cost},
        jobs=jobs,
    )


def _describe_structure(name: str, structure: Structure, electrons: int | None) -> str:
    atoms = structure.atoms
    free = int((~structure.frozen).sum())
    parts = [
        f"{len(atoms)} atoms ({free} free)",
        f"charge {structure.charge:+d} e",
        f"{electrons} electrons" if electrons else "",
        f"edge {structure.edge_angstrom / 10:.2f} nm" if structure.edge_angstrom else "",
        f"cell {_describe_cell(structure)}" if structure.kind == "slab" else "",
    ]
    label = f"{name}: " if name else ""
    return f"{label}{atoms.get_chemical_formula()}, {', '.join(filter(None, parts))}"


def _describe_cell(structure: Structure) -> str:
    lengths = " × ".join(f"{length:.2f}" for length in structure.atoms.cell.lengths())
    return f"{lengths} Å"


def _describe_row(study_name: str, entry: JobCost) -> tuple[str, ...]:
    job, cost = entry.job, entry.cost
    limit = "≤ " if job.kind == "relax" else ""
    return (
        job.name.removeprefix(f"{study_name}: "),
        f"{limit}{job.steps}" if job.steps else "",
        f"{job.duration_fs / 1000:g} ps" if job.duration_fs else "",
        f"{format_estimate(cost.memory_gib)} GiB" if cost else "",
        format_estimate(cost.core_hours) if cost else "",
        _describe_parents([parent.removeprefix(f"{study_name}: ") for parent in job.parents]),
    )


def _describe_parents(names: list[str]) -> str:
    if len(names) <= NAMED_PARENTS:
        return ", ".join(names)
    return f"{names[0]} … {names[-1]} ({len(names)} jobs)"


def format_estimate(value: float) -> str:
    """Two significant digits, in plain figures."""
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10.0 else f"{rounded:g}"
