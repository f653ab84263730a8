"""``qdcomp plan`` and ``qdcomp studies``: what would run, without running it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qdcomp.cli.campaign import plan_campaign
from qdcomp.cli.console import notes, output, print_table, print_warnings
from qdcomp.cli.server_location import warn_of_shown_password
from qdcomp.errors import StoreError

if TYPE_CHECKING:
    from qdcomp.engines import Engine
    from qdcomp.recipes.runs.spent_cost import FinishedJob
    from qdcomp.recipes.study_files.study_schema import Study
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
    measured: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of a run whose finished jobs refine the estimates; may be given again.",
            show_default=False,
        ),
    ] = None,
    launchpad: Annotated[
        str | None,
        typer.Option(
            help="URI of a launchpad server whose runs refine them (default: QDCOMP_LAUNCHPAD).",
            callback=warn_of_shown_password,
            show_default=False,
        ),
    ] = None,
) -> None:
    """Say what a study will do and take: jobs, atoms, electrons, memory, core-hours.

    Core-hours are those of the engine's formula, refined by the jobs that have run: those under
    ./runs, those of the launchpad server, and those of the folders given with --measured. Nothing
    is run, and nothing written but what --inputs asks for.

    For example:
      qdcomp plan demo
      qdcomp plan raino2022_dot_2p4nm --engine cp2k --inputs inputs
    """
    from qdcomp.compare import check_reference
    from qdcomp.engines import load_engine
    from qdcomp.recipes.campaigns.members import read_members
    from qdcomp.recipes.plans.plan import build_structures, format_estimate, plan_study
    from qdcomp.recipes.runs.measured_cost import calibrate, refine_plan
    from qdcomp.recipes.study_files.settings_check import check_engine_settings
    from qdcomp.resources import find_study

    found = read_members(find_study(study), engine=engine)
    chosen = found.members[0].study
    if chosen.reference is not None:
        check_reference(**vars(chosen.reference))
    check_engine_settings(chosen)
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
    planned = refine_plan(planned, calibrate(_collect_measured(measured, launchpad)))
    output.print(f"{chosen.name} with the engine {chosen.engine}:")
    for line in planned.describe_structures():
        output.print(line)
    print_table(planned.rows())
    simulated = f"{planned.simulated_fs / 1000:g} ps, " if planned.simulated_fs else ""
    output.print(
        f"in all {simulated}{planned.describe_core_hours()}, "
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


def _collect_measured(folders: list[Path] | None, location: str | None) -> tuple[FinishedJob, ...]:
    """Jobs that have run, in the folders given, under ``runs`` and on the launchpad server."""
    from qdcomp.recipes.launchpads import open_launchpad
    from qdcomp.recipes.runs.measured_cost import collect_finished, find_runs, list_launchpad_runs
    from qdcomp.recipes.runs.run_directory import open_run
    from qdcomp.recipes.workflows.run_launching import find_server

    named = tuple(open_run(folder).root for folder in folders or ())
    server = find_server(location)
    of_server: tuple[Path, ...] = ()
    if server is not None:
        try:
            with open_launchpad(server, read_only=True) as pad:
                of_server = list_launchpad_runs(pad)
        except StoreError as error:
            print_warnings([f"its finished jobs do not refine the estimates: {error}"])
    return collect_finished((*named, *of_server, *find_runs(Path("runs"))))


def _write_first_inputs(
    study: Study, engine: Engine, structures: Mapping[str, Structure], folder: Path
) -> None:
    """Write the inputs of the first job that runs an engine."""
    from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS
    from qdcomp.recipes.plans.plan import describe_engine_job, plan_jobs

    job = next((job for job in plan_jobs(study) if job.kind in ENGINE_KINDS), None)
    if job is None:
        output.print("no job of this study runs an engine; there are no inputs to write")
        return
    folder.mkdir(parents=True, exist_ok=True)
    engine.write_inputs(folder, describe_engine_job(study, job, structures[job.piece]))
    for path in sorted(folder.iterdir()):
        output.print(f"input of {job.name}: {path}")
