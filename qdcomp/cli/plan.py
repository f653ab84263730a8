"""``qdcomp plan`` and ``qdcomp studies``: what would run, without running it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qdcomp.cli.console import output, print_table, print_warnings

StudyArgument = Annotated[
    str, typer.Argument(help="Study file, or the name of a shipped study (qdcomp studies).")
]
EngineOption = Annotated[
    str | None, typer.Option(help="Engine instead of the study's: model or cp2k.")
]


def studies() -> None:
    """List the studies that come with qdcomp."""
    from qdcomp.recipes.studies import read_study
    from qdcomp.resources import list_studies

    rows = [("study", "engine", "what it is")]
    for path in list_studies():
        study = read_study(path)
        rows.append((path.stem, study.engine, study.description))
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
    from qdcomp.recipes.plan import format_estimate, plan_study
    from qdcomp.recipes.studies import build_structure, read_study
    from qdcomp.resources import find_study

    chosen = read_study(find_study(study), engine=engine)
    if chosen.reference is not None:
        check_reference(**vars(chosen.reference))
    structure = build_structure(chosen)
    code = load_engine(chosen.engine)
    planned = plan_study(chosen, structure, code.estimate_cost)
    output.print(
        f"{chosen.name} with the engine {chosen.engine}: {planned.formula}, "
        f"{planned.atoms} atoms ({planned.free_atoms} free), charge {planned.charge:+d} e, "
        f"{planned.electrons} electrons, edge {planned.edge_angstrom / 10:.2f} nm"
    )
    print_table(planned.rows())
    output.print(
        f"in all {planned.simulated_fs / 1000:g} ps, "
        f"about {format_estimate(planned.core_hours)} core-hours, "
        f"{format_estimate(planned.memory_gib)} GiB"
    )
    for basis in planned.cost_basis:
        output.print(f"estimates: {basis}")
    print_warnings(structure.warnings)
    if inputs is not None:
        from qdcomp.recipes.plan import ENGINE_KINDS, describe_engine_job

        job = next(entry.job for entry in planned.jobs if entry.job.kind in ENGINE_KINDS)
        inputs.mkdir(parents=True, exist_ok=True)
        code.write_inputs(inputs, describe_engine_job(chosen, job, structure))
        for path in sorted(inputs.iterdir()):
            output.print(f"input of {job.name}: {path}")
