"""From the jobs of a run to a FireWorks workflow: here each becomes a Firework."""

from __future__ import annotations

from fireworks import Firework, Workflow

from qdcomp.recipes.firetasks import (
    AnalyseTrajectory,
    BuildStructure,
    CollectTrajectory,
    CombineResults,
    ComputeNormalModes,
    CutMolecules,
    RunEngine,
    SummariseTemperatures,
    WriteInputs,
)
from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS, JobKind, PlannedJob
from qdcomp.recipes.runs.run_directory import RunDirectory

TASKS: dict[JobKind, tuple[type, ...]] = {
    "build": (BuildStructure,),
    "relax": (WriteInputs, RunEngine),
    "energy": (WriteInputs, RunEngine),
    "vibrations": (WriteInputs, RunEngine),
    "modes": (ComputeNormalModes,),
    "equilibrate": (WriteInputs, RunEngine),
    "sample": (WriteInputs, RunEngine),
    "collect": (CollectTrajectory,),
    "analyse": (AnalyseTrajectory,),
    "summarise": (SummariseTemperatures,),
    "cut": (CutMolecules,),
    "combine": (CombineResults,),
}
"""What a job of each kind does."""

OWN_CATEGORY = "qdcomp"
"""Category of the jobs that run no engine; the others have the engine's name."""


def make_workflow(run: RunDirectory) -> Workflow:
    """Turn the jobs of a run into a FireWorks workflow.

    Every Firework has the name, the parents and the directory that the plan gives it, and the
    engine as its category, so that ``lpad`` shows what a user expects and a worker can be told
    which engines it has.
    """
    fireworks: dict[str, Firework] = {}
    for number, job in enumerate(run.jobs, start=1):
        parents = [fireworks[parent] for parent in job.parents]
        fireworks[job.name] = _make_firework(run, job, parents, number)
    return Workflow(
        list(fireworks.values()),
        name=run.study.name,
        metadata={
            "recipe": run.study.recipe,
            "engine": run.study.engine,
            "study_hash": run.study.study_hash,
            "run_directory": str(run.root),
        },
    )


def _make_firework(
    run: RunDirectory, job: PlannedJob, parents: list[Firework], number: int
) -> Firework:
    campaign = run.campaign_folder
    return Firework(
        [task() for task in TASKS[job.kind]],
        name=job.name,
        parents=parents,
        fw_id=number,
        spec=({"campaign_directory": str(campaign)} if campaign else {})
        | {
            "run_directory": str(run.root),
            "job": job.name,
            "_launch_dir": str(run.job_directory(job)),
            "_category": run.study.engine if job.kind in ENGINE_KINDS else OWN_CATEGORY,
            "_allow_fizzled_parents": job.tolerates_failures,
            "_priority": run.study.priority,
        },
    )
