"""The recipe ``dot_linewidth``: from a dot's structure to the linewidth of its emission.

::

    build → relax → normal modes, where the study and its engine have them
                  → (one chain for each sampling temperature:
                     equilibrate stage after stage → sample segment after segment
                     → collect → analyse) → summarise, where there are several temperatures
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from qdcomp.engines import HARMONIC_ENGINES, DynamicsSettings
from qdcomp.recipes.jobs.planned_job import PlannedJob, derive_seed
from qdcomp.recipes.study_files.dot_schema import DotStudy
from qdcomp.recipes.study_files.dot_sections import build_dot
from qdcomp.structures import Structure


def plan_jobs(study: DotStudy) -> tuple[PlannedJob, ...]:
    """All jobs of a study, parents before children. The same study gives the same list."""
    build = PlannedJob(f"{study.name}: 00 build", "build", ".", seed=study.seed)
    relax = PlannedJob(
        f"{study.name}: 01 relax",
        "relax",
        "jobs/01_relax",
        parents=(build.name,),
        relaxation=study.relaxation,
        seed=derive_seed(study.seed, "relax"),
    )
    jobs = [build, relax]
    if study.analysis.normal_modes and study.engine in HARMONIC_ENGINES:
        name = f"{study.name}: 01 normal modes"
        seed = derive_seed(study.seed, "modes")
        jobs.append(PlannedJob(name, "modes", "normal_modes", (relax.name,), seed=seed))
    for temperature in study.sampling.temperatures_k:
        jobs.extend(_plan_trajectory(study, temperature, relax.name))
    analyses = tuple(job.name for job in jobs if job.kind == "analyse")
    if len(analyses) > 1:
        jobs.append(PlannedJob(f"{study.name}: 06 summarise", "summarise", ".", analyses))
    return tuple(jobs)


def _plan_trajectory(study: DotStudy, temperature_k: float, relax: str) -> Iterator[PlannedJob]:
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
            seed=derive_seed(study.seed, f"{kind} {temperature_k!r} {part}"),
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
        seed=derive_seed(study.seed, f"analyse {temperature_k!r}"),
    )


def _list_dynamics(
    study: DotStudy, temperature_k: float
) -> Iterator[tuple[Literal["equilibrate", "sample"], str, DynamicsSettings]]:
    """Kind, ``1/4`` and settings of each stretch of dynamics on the way to one trajectory."""
    for index, stage in enumerate(study.equilibration, start=1):
        yield "equilibrate", f"{index}/{len(study.equilibration)}", stage.dynamics(temperature_k)
    for index in range(study.sampling.segments):
        part = f"{index + 1}/{study.sampling.segments}"
        yield "sample", part, study.sampling.dynamics(temperature_k, index)


def build_structures(study: DotStudy) -> dict[str, Structure]:
    """Build the dot: the only structure of its study, and so without a name."""
    return {"": build_dot(study)}
