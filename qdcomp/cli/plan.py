"""``qdcomp plan`` and ``qdcomp studies``: what would run, without running it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qdcomp.cli.campaign import plan_campaign
from qdcomp.cli.console import notes, output, print_table, print_warnings

if TYPE_CHECKING:
    from qdcomp.engines import Engine
    from qdcomp.recipes.study_schema import Study
    from qdcomp.structures import Structure

StudyArgument = Annotated[
    str, typer.Argument(help="Study file, or the name of a shipped study (qdcomp studies).")
]
EngineOption = Annotated[
    str | None, typer.Option(help="Engine instead of the study's: model, cp2k or vasp.")
]


def studies() -> None:
    """List the studies that come with qdcomp."""
    from qdcomp.recipes.campaigns.members import describe_members, read_members
    from qdcomp.resources import list_studies

    rows = [("study", "engine", "what it is")]
    for path in list_studies():
        found = read_members(path)
        study = found.members[0].study
        about = f"{study.description} ({describe_members(found)})"
        rows.append((path.stem, found.engine, about if found.sweep else study.description))
    print_table(rows)


def plan(
    study: StudyArgument,
    engine: EngineOption = None,
    inputs: Annotated[
        Path | None,
        typer.Option(help="Also write the input files of the first job into this folder."),
    ] = None,
) -> None:
    """Say what a study will do and take: jobs, atoms, electrons, memory, core-hours.

    Nothing is run, and nothing written but what --inputs asks for.

    For example:
      qdcomp plan demo
      qdcomp plan raino2022_dot_2p4nm --engine cp2k --inputs inputs
    """
    from qdcomp.compare import check_reference
    from qdcomp.engines import load_engine
    from qdcomp.recipes.campaigns.members import read_members
    from qdcomp.recipes.plan import build_structures, format_estimate, plan_study
    from qdcomp.resources import find_study

    found = read_members(find_study(study), engine=engine)
    chosen = found.members[0].study
    if chosen.reference is not None:
        check_reference(**vars(chosen.reference))
    if found.sweep is not None:
        plan_campaign(found)
        if inputs is not None:
            _write_first_inputs(
                chosen, load_engine(chosen.engine), build_structures(chosen), inputs
            )
        return
    with notes.status("building the structures"):
        structures = build_structures(chosen)
    code = load_engine(chosen.engine)
    planned = plan_study(chosen, structures, code.estimate_cost)
    output.print(f"{chosen.name} with the engine {chosen.engine}:")
    for line in planned.describe_structures():
        output.print(line)
    print_table(planned.rows())
    simulated = f"{planned.simulated_fs / 1000:g} ps, " if planned.simulated_fs else ""
    output.print(
        f"in all {simulated}about {format_estimate(planned.core_hours)} core-hours, "
        f"{format_estimate(planned.memory_gib)} GiB"
    )
    for assumption in planned.assumptions:
        output.print(assumption)
    for basis in planned.cost_basis:
        output.print(f"estimates: {basis}")
    print_warnings(
        tuple(
            dict.fromkeys(text for structure in structures.values() for text in structure.warnings)
        )
    )
    if inputs is not None:
        _write_first_inputs(chosen, code, structures, inputs)


def _write_first_inputs(
    study: Study, engine: Engine, structures: Mapping[str, Structure], folder: Path
) -> None:
    """Write the inputs of the first job that runs an engine."""
    from qdcomp.recipes.plan import describe_engine_job, plan_jobs
    from qdcomp.recipes.planned_job import ENGINE_KINDS

    job = next((job for job in plan_jobs(study) if job.kind in ENGINE_KINDS), None)
    if job is None:
        output.print("no job of this study runs an engine; there are no inputs to write")
        return
    folder.mkdir(parents=True, exist_ok=True)
    engine.write_inputs(folder, describe_engine_job(study, job, structures[job.piece]))
    for path in sorted(folder.iterdir()):
        output.print(f"input of {job.name}: {path}")
