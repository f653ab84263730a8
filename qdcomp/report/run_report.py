"""The report of a run, whatever it is of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qdcomp.recipes.jobs.job_state import JobState
from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS
from qdcomp.recipes.runs.run_directory import RunDirectory
from qdcomp.recipes.study_files.dot_schema import DotStudy
from qdcomp.report.dots.content import JobRow, MadeReport
from qdcomp.report.dots.dot_run_report import report_dot_run
from qdcomp.report.surfaces.surface_run_report import report_surface_runs

REPORT_FOLDER = "report"
"""Folder of the report in that of its run."""


def report_run(run: RunDirectory, states: Sequence[JobState]) -> MadeReport:
    """Write the report of a finished run into its folder.

    Raises
    ------
    InputError
        The run is not finished.
    StoreError
        An analysis is damaged.
    """
    directory = run.root / REPORT_FOLDER
    if not isinstance(run.study, DotStudy):
        return report_side_by_side([run], [states], directory)
    return report_dot_run(run, tuple(map(_describe_state, states)), directory)


def report_side_by_side(
    runs: Sequence[RunDirectory], states: Sequence[Sequence[JobState]], directory: Path
) -> MadeReport:
    """Write one report of several runs of a study of ligands, by different engines for example.

    Raises
    ------
    InputError
        The runs are not of studies of ligands, not comparable, or not finished.
    """
    rows = {
        run.root: tuple(map(_describe_state, jobs)) for run, jobs in zip(runs, states, strict=True)
    }
    return report_surface_runs(runs, rows, directory)


def _describe_state(state: JobState) -> JobRow:
    return JobRow(
        name=state.job.name,
        state=state.state,
        steps=state.steps_done if state.job.kind in ENGINE_KINDS else None,
        walltime_s=state.walltime_s,
        corrections=state.corrections,
    )
