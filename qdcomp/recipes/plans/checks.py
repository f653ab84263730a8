"""What can go wrong is found before any job starts."""

from __future__ import annotations

from qdcomp.engines import HARMONIC_ENGINES, load_engine
from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS
from qdcomp.recipes.plans.plan import build_structures, describe_engine_job, plan_jobs
from qdcomp.recipes.study_files.dot_schema import DotStudy
from qdcomp.recipes.study_files.settings_check import check_engine_settings
from qdcomp.recipes.study_files.study_schema import Study


def check_study(study: Study) -> tuple[str, ...]:
    """Ask the study's engine whether it can do every job; return what the user should know.

    Raises
    ------
    InputError
        A structure cannot be built; the engine cannot do what the study asks for, or does not
        know a setting.
    EngineError
        The engine's code is not installed.
    """
    check_engine_settings(study)
    structures = build_structures(study)
    engine = load_engine(study.engine)
    for job in plan_jobs(study):
        if job.kind in ENGINE_KINDS:
            engine.check(describe_engine_job(study, job, structures[job.piece]))
    texts = [text for structure in structures.values() for text in structure.warnings]
    if (
        isinstance(study, DotStudy)
        and study.analysis.normal_modes
        and study.engine not in HARMONIC_ENGINES
    ):
        texts.append(
            f"normal modes are left out: the engine {study.engine} does not offer them "
            f"(engines that do: {', '.join(HARMONIC_ENGINES)})"
        )
    return tuple(dict.fromkeys(texts))
