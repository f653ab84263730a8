"""``qdcomp analyse``: the observables of a trajectory, also one that qdcomp did not make."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from qdcomp.cli.console import notes, output, print_warnings


def _check_temperature(value: float | None) -> float | None:
    if value is not None and not 0.0 < value < math.inf:
        raise typer.BadParameter(f"{value:g} K; expected a positive number of kelvin, like 300")
    return value


def analyse(
    directory: Annotated[
        Path, typer.Argument(help="Folder of a run, or of outputs of CP2K or VASP.")
    ],
    temperature: Annotated[
        float | None,
        typer.Option(
            callback=_check_temperature,
            help="Temperature of the run in K (default: that of the input file).",
        ),
    ] = None,
    timestep: Annotated[
        float | None,
        typer.Option(help="Time between frames in fs (default: what the files say)."),
    ] = None,
    charge: Annotated[int | None, typer.Option(help="Total charge in e.")] = None,
    skip: Annotated[
        float, typer.Option(help="Time in fs to leave out at the beginning, as equilibration.")
    ] = 0.0,
    emission_temperature: Annotated[
        float | None,
        typer.Option(
            callback=_check_temperature,
            help="Temperature of the predicted line in K (default: 300).",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results (default: DIRECTORY-analysis).")
    ] = None,
) -> None:
    """Compute the observables of a trajectory and write its report.

    Works on the folder of a run, and on a folder of outputs that qdcomp did not make. CP2K:
    positions, and HOMO and LUMO at every step in the main output or in MOLog files. VASP: OUTCAR
    with eigenvalues at every step (NWRITE 1 or 2), and XDATCAR.

    For example:
      qdcomp analyse runs/demo
      qdcomp analyse old_calculation --temperature 10 --skip 3000
    """
    from qdcomp.recipes.runs.run_directory import STUDY_NAME

    if (directory / STUDY_NAME).is_file():
        _analyse_run(directory, emission_temperature)
        return
    from qdcomp.recipes.stages.foreign_run import analyse_foreign_run
    from qdcomp.recipes.study_files.dot_schema import AnalysisSpec
    from qdcomp.report.dots.dot_run_report import report_foreign_run
    from qdcomp.report.run_report import REPORT_FOLDER

    target = out or directory.resolve().with_name(f"{directory.resolve().name}-analysis")
    with notes.status(f"reading {directory}"):
        found = analyse_foreign_run(
            directory,
            target,
            temperature_k=temperature,
            timestep_fs=timestep,
            charge=charge,
            skip_fs=skip,
            spec=AnalysisSpec(emission_temperature_k=emission_temperature or 300.0),
        )
        made = report_foreign_run(found, target / REPORT_FOLDER)
    print_warnings(made.warnings)
    for line in made.headline:
        output.print(line)
    output.print(f"report: {made.path}")


def _analyse_run(directory: Path, emission_temperature: float | None) -> None:
    """Analyse the trajectories of a run again, and write its report again."""
    from dataclasses import replace

    from qdcomp.cli.report import report
    from qdcomp.recipes.runs.run_directory import check_trajectories, open_run
    from qdcomp.recipes.stages import stages

    run = open_run(directory)
    if emission_temperature is not None:
        study = run.dot_study
        spec = replace(study.analysis, emission_temperature_k=emission_temperature)
        run = replace(run, study=replace(study, analysis=spec))
    check_trajectories(run)
    for job in run.select_jobs("analyse"):
        with notes.status(job.name):
            stages.analyse_trajectory(run, job)
    report([directory])
