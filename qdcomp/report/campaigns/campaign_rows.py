"""The rows of a campaign's index: how each run stands, and what it gave.

A run that is unfinished, failed or damaged is a row that says so; nothing here ends a campaign.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from qdcomp.analysis import DotAnalysis
from qdcomp.errors import InputError, QdcompError, StoreError
from qdcomp.recipes.jobs.job_state import JobState
from qdcomp.recipes.launchpads import open_launchpad
from qdcomp.recipes.runs.results import load_result
from qdcomp.recipes.runs.run_directory import (
    ANALYSIS_NAME,
    EMBEDDED_LAUNCHPAD_NAME,
    RESULT_NAME,
    STUDY_NAME,
    RunDirectory,
    open_run,
)
from qdcomp.recipes.stages.surface_results import LigandResult
from qdcomp.recipes.study_files.dot_schema import DotStudy
from qdcomp.recipes.workflows.run_launching import find_launchpad, read_job_states
from qdcomp.report.campaigns.campaign_facts import StudyFacts, describe_study
from qdcomp.report.campaigns.campaign_folders import is_run_folder
from qdcomp.report.dots.comparison_panels import find_reference_run, predict_linewidth
from qdcomp.report.dots.content import DotRun
from qdcomp.report.pages.number_text import format_measured
from qdcomp.report.run_report import REPORT_FOLDER, report_run
from qdcomp.report.surfaces.surface_content import SurfaceRunContent

RunState = Literal["finished", "unfinished", "failed", "damaged", "no run"]

STATES: tuple[RunState, ...] = ("finished", "unfinished", "failed", "damaged", "no run")
"""How a run can stand, in the order of the index."""

StatesReader = Callable[[RunDirectory], tuple[JobState, ...]]
"""Reads how the jobs of a run stand."""

MEV = 1e3
"""meV per eV."""

FAILED_JOB = ("FIZZLED", "DEFUSED")
"""States of FireWorks that do not go on by themselves."""


@dataclass(frozen=True, eq=False)
class CampaignRow:
    """One run of a campaign.

    Attributes
    ----------
    label
        What the index calls it; no two rows have one.
    folder
        Its folder, absolute.
    state, reason
        How it stands; why, where it is not simply finished.
    run
        The run; None where its study cannot be read.
    facts
        What its study is about.
    headlines
        Main results, a line each; empty where there are none yet.
    n_warnings
        Warnings that its own page lists.
    page
        Folder of its own page, absolute; None where it has none.
    dots
        Analysed trajectories of a dot.
    ligand
        Result of a study of ligands.
    caution
        Why its numbers are not those of a first-principles code; empty where they are.
    """

    label: str
    folder: Path
    state: RunState
    reason: str = ""
    run: RunDirectory | None = None
    facts: StudyFacts = field(default_factory=StudyFacts)
    headlines: tuple[str, ...] = ()
    n_warnings: int = 0
    page: Path | None = None
    dots: tuple[DotRun, ...] = ()
    ligand: LigandResult | None = None
    caution: str = ""

    @property
    def result(self) -> str:
        """Main result in a few words; empty where there is none."""
        if not self.dots:
            return "; ".join(self.headlines).replace(f" [{self.caution}]", "")
        analysis = find_reference_run(self.dots).analysis
        temperature = analysis.emission_temperature_k
        spectrum = analysis.spectrum
        energy = format_measured(
            spectrum.reorganization_energy_ev * MEV,
            spectrum.reorganization_energy_error_ev * MEV,
            "meV",
        )
        width = predict_linewidth(analysis, temperature).text
        return f"Γ({temperature:g} K) = {width}, Λ = {energy}"


def read_run_states(run: RunDirectory, launchpad: str | None) -> tuple[JobState, ...]:
    """Read how the jobs of a run stand from its launchpad, or from the server given.

    Raises
    ------
    InputError, StoreError
        The launchpad cannot be read, or does not have the run.
    """
    with open_launchpad(find_launchpad(run, launchpad), read_only=True) as pad:
        return read_job_states(run, pad)


def read_row(
    label: str,
    folder: Path,
    launchpad: str | None = None,
    read_states: StatesReader | None = None,
) -> CampaignRow:
    """Read one run, and make its own page where that is missing or older than its results.

    Parameters
    ----------
    label
        What the index calls it.
    folder
        Its folder.
    launchpad
        URI of the launchpad server; None takes the run's own.
    read_states
        Reads how the jobs of a run stand; None opens its launchpad.
    """
    row = CampaignRow(label, folder, "damaged")
    try:
        row = _read(row, read_states or (lambda run: read_run_states(run, launchpad)))
    except QdcompError as error:
        row = replace(row, reason=str(error))
    except Exception as error:  # no damage that nobody foresaw may hide the other runs
        row = replace(row, reason=f"cannot be read: {type(error).__name__}: {error}")
    return replace(row, reason=_shorten(row.reason, folder))


def _read(row: CampaignRow, read_states: StatesReader) -> CampaignRow:
    if not is_run_folder(row.folder):
        return _describe_no_run(row)
    run = open_run(row.folder)
    row = replace(row, run=run, facts=describe_study(run.study, _find_edge(run)))
    try:
        jobs, unknown = read_states(run), None
    except (InputError, StoreError) as error:
        jobs, unknown = (), error
    state, reason = judge_run(run, jobs, unknown)
    row = replace(row, state=state, reason=reason)
    return _add_results(row, run, jobs) if _has_results(run) else row


def _describe_no_run(row: CampaignRow) -> CampaignRow:
    entries = sorted(entry.name for entry in row.folder.iterdir())
    if not entries:
        return replace(row, state="no run", reason="the folder is empty")
    return replace(
        row,
        state="no run",
        reason=f"it has no {STUDY_NAME}, which every run has; it holds {name_few(entries)}",
    )


def name_few(names: Sequence[str], most: int = 4) -> str:
    """Join the first names, and say how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _find_edge(run: RunDirectory) -> float | None:
    """Edge of the built dot [Å]; None where there is none, or it cannot be read."""
    if not isinstance(run.study, DotStudy) or not run.built_path().is_file():
        return None
    try:
        return run.read_built().edge_angstrom or None
    except StoreError:
        return None


def judge_run(
    run: RunDirectory, jobs: Sequence[JobState], unknown: QdcompError | None
) -> tuple[RunState, str]:
    """Say how a run stands, and why.

    Parameters
    ----------
    run
        The run.
    jobs
        How its jobs stand; empty where that is not known.
    unknown
        Why it is not known.
    """
    if not jobs:
        return _judge_without_jobs(run, unknown)
    failed = [job for job in jobs if job.state in FAILED_JOB]
    if failed:
        others = f"; and {len(failed) - 1} more failed" if len(failed) > 1 else ""
        first = failed[0]
        return "failed", f"{_name_job(run, first)}: {first.failure or first.state}{others}"
    left = [job for job in jobs if job.state != "COMPLETED"]
    if not left and _has_results(run):
        return "finished", ""
    if not left:
        return "damaged", "its jobs are complete and their results are gone; " + _resume(run)
    current = next((job for job in left if job.state == "RUNNING"), None)
    done = f"{len(jobs) - len(left)} of {len(jobs)} jobs are complete"
    if current is None:
        return "unfinished", f"{done}; {_resume(run)}"
    return "unfinished", f"{done}; {_name_job(run, current)} runs, or was cut off: {_resume(run)}"


def _judge_without_jobs(run: RunDirectory, unknown: QdcompError | None) -> tuple[RunState, str]:
    if _has_results(run):
        return "finished", f"how its jobs stood is not known: {unknown}"
    if not (run.launchpad_folder / EMBEDDED_LAUNCHPAD_NAME).exists() and isinstance(
        unknown, StoreError
    ):
        return "unfinished", f"it was not started; {_resume(run)}"
    return "damaged" if isinstance(unknown, StoreError) else "unfinished", str(unknown)


def _resume(run: RunDirectory) -> str:
    return f"go on with: qdcomp resume {run.root}"


def _name_job(run: RunDirectory, job: JobState) -> str:
    return job.job.name.removeprefix(f"{run.study.name}: ")


def _list_results(run: RunDirectory) -> list[Path]:
    if not isinstance(run.study, DotStudy):
        return [run.root / RESULT_NAME]
    return [
        run.find_file("analyse", temperature, ANALYSIS_NAME)
        for temperature in sorted(run.study.sampling.temperatures_k)
    ]


def _has_results(run: RunDirectory) -> bool:
    return all(path.is_file() for path in _list_results(run))


def _add_results(row: CampaignRow, run: RunDirectory, jobs: Sequence[JobState]) -> CampaignRow:
    """Add what a run gave; what cannot be read turns the row into a damaged one that says why."""
    try:
        if isinstance(run.study, DotStudy):
            row = replace(row, dots=_load_dots(run))
        else:
            row = replace(row, ligand=load_result(run.root / RESULT_NAME, LigandResult))
        page = _make_page(run, jobs)
        return _read_page(replace(row, page=page), run, page)
    except QdcompError as error:
        if row.page is None and not os.access(run.root, os.W_OK):
            return replace(row, reason=f"{row.reason} it has no page: {error}".strip())
        return replace(row, state="damaged", reason=str(error))


def _load_dots(run: RunDirectory) -> tuple[DotRun, ...]:
    loaded = [load_result(path, DotAnalysis) for path in _list_results(run)]
    return tuple(DotRun(f"{analysis.temperature_k:g} K", analysis) for analysis in loaded)


def _make_page(run: RunDirectory, jobs: Sequence[JobState]) -> Path:
    """Folder of the run's own page, which is written again where its results are newer."""
    folder = run.root / REPORT_FOLDER
    written = [folder / name for name in ("index.html", "results.json", "provenance.json")]
    sources = [run.root / STUDY_NAME, *_list_results(run)]
    if not all(path.is_file() for path in written) or min(map(_age, written)) < max(
        map(_age, sources)
    ):
        report_run(run, jobs)
    return folder


def _age(path: Path) -> int:
    return path.stat().st_mtime_ns


def _read_page(row: CampaignRow, run: RunDirectory, page: Path) -> CampaignRow:
    """Add what the files beside the page say: headlines, warnings, and the engine's version."""
    results, provenance = (_read_json(page / f"{name}.json") for name in ("results", "provenance"))
    content = SurfaceRunContent(
        label=row.label,
        engine_name=run.study.engine,
        engine_version=(provenance.get("engine") or {}).get("version") or "",
        is_surrogate=run.engine.is_surrogate,
    )
    return replace(
        row,
        headlines=tuple(results.get("headline", ())),
        n_warnings=len(results.get("warnings", ())),
        caution=content.caution,
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(
            f"cannot read {path}: {error}; make it again with: qdcomp report {path.parents[1]}"
        ) from error
    return content if isinstance(content, dict) else {}


def _shorten(reason: str, folder: Path) -> str:
    """Name the run's folder without the folders above it, which a page for others need not tell."""
    return reason.replace(str(folder), folder.name)
