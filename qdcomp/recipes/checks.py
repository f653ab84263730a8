"""What can go wrong is found before any job starts."""

from __future__ import annotations

from qdcomp.engines import load_engine
from qdcomp.recipes.plan import ENGINE_KINDS, describe_engine_job, plan_jobs
from qdcomp.recipes.studies import build_structure
from qdcomp.recipes.study_schema import Study


def check_study(study: Study) -> tuple[str, ...]:
    """Ask the study's engine whether it can do every job; return the structure's warnings.

    Raises
    ------
    InputError
        The engine cannot do what the study asks for, or does not know a setting.
    EngineError
        The engine's code is not installed.
    """
    structure = build_structure(study)
    engine = load_engine(study.engine)
    for job in plan_jobs(study):
        if job.kind in ENGINE_KINDS:
            engine.check(describe_engine_job(study, job, structure))
    return structure.warnings
