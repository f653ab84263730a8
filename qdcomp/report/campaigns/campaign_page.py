"""The page of a campaign: an index of many runs, their own pages, and what they give together."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qdcomp.errors import InputError, QdcompError
from qdcomp.recipes.campaigns.launchpad_reader import LaunchpadReader
from qdcomp.recipes.jobs.job_state import JobState
from qdcomp.recipes.runs.run_directory import RunDirectory
from qdcomp.recipes.study_files.surface_schema import SurfaceStudy
from qdcomp.report.campaigns.campaign_folders import find_run_folders, is_run_folder, label_folders
from qdcomp.report.campaigns.campaign_index import (
    IndexRow,
    SideBySide,
    count_states,
    render_index,
    tabulate_rows,
)
from qdcomp.report.campaigns.campaign_panels import campaign_panels
from qdcomp.report.campaigns.campaign_pooling import pool_rows
from qdcomp.report.campaigns.campaign_rows import CampaignRow, read_row, read_run_states
from qdcomp.report.dots.content import MadeReport
from qdcomp.report.drawing.static_drawing import save_panel
from qdcomp.report.pages.page_shell import FIGURE_FOLDER
from qdcomp.report.pages.report_files import name_unwritable
from qdcomp.report.pages.shared_assets import share_library, write_library
from qdcomp.report.pages.strict_json import write_json
from qdcomp.report.run_report import report_side_by_side

PAGE_FOLDER = "pages"
"""Folder of the runs' own pages; not ``runs``, which may be where the runs themselves are."""

SIDE_BY_SIDE_FOLDER = "side_by_side"

COMPARISON_PAGES = ("compare/index.html", "comparison/index.html")
"""Where a page of ``qdcomp compare`` is looked for in the folder of the campaign."""

COPIED = ("index.html", "results.json", "provenance.json", FIGURE_FOLDER)
"""What a run's own page is made of."""


def report_campaign(
    folders: Sequence[Path],
    directory: Path,
    launchpad: str | None = None,
    on_run: Callable[[str], None] = lambda label: None,
) -> MadeReport:
    """Write the page of a campaign into a folder that works from a disk and from any web server.

    ``index.html`` lists all runs and draws what they give together; ``pages/`` holds the runs' own
    pages, ``side_by_side/`` those of ligand runs that belong together, ``assets/`` the plotting
    library that all share, ``runs.csv`` and ``runs.json`` the table.

    Parameters
    ----------
    folders
        Runs of any kind, and folders that hold runs.
    directory
        Where the campaign goes; other files in it stay.
    launchpad
        URI of the launchpad server; None takes each run's own.
    on_run
        Told the label of each run before it is read.

    Raises
    ------
    InputError
        A folder is not there, none holds a run, or the campaign would go into a run.
    StoreError
        A file cannot be written.
    """
    found = find_run_folders(folders)
    if not any(map(is_run_folder, found)):
        raise InputError(
            f"{', '.join(map(str, folders))}: not the folder of a run, and none inside; "
            "make one with: qdcomp run STUDY --out FOLDER"
        )
    directory = directory.resolve()
    if is_run_folder(directory):
        raise InputError(f"{directory} is a run; choose another folder with --out")
    rows = []
    with LaunchpadReader(launchpad) as reader:
        for label, folder in zip(label_folders(found), found, strict=True):
            on_run(label)
            rows.append(read_row(label, folder, launchpad, reader.read_states))
    with name_unwritable("the campaign", directory):
        return _write_files(rows, directory, launchpad)


def _write_files(rows: Sequence[CampaignRow], root: Path, launchpad: str | None) -> MadeReport:
    figures = root / FIGURE_FOLDER
    figures.mkdir(parents=True, exist_ok=True)
    library = write_library(root)
    shown = _copy_pages(rows, root, library)
    beside, problems = _write_side_by_side(rows, root, library, launchpad)
    together, pools = pool_rows(rows)
    panels = campaign_panels(together)
    for panel in panels:
        save_panel(panel, figures)
    table = tabulate_rows(shown)
    (root / "runs.csv").write_text(_write_csv(table), encoding="utf-8")
    (root / "runs.json").write_text(write_json(table), encoding="utf-8")
    index = root / "index.html"
    comparison = next((name for name in COMPARISON_PAGES if (root / name).is_file()), "")
    text = render_index(shown, panels, beside, comparison, pools)
    index.write_text(text, encoding="utf-8")
    return MadeReport(path=index, headline=(count_states(rows),), warnings=problems)


def _copy_pages(rows: Sequence[CampaignRow], root: Path, library: Path) -> tuple[IndexRow, ...]:
    names = _name_folders([row.label for row in rows])
    shown = []
    for row, name in zip(rows, names, strict=True):
        if row.page is None:
            shown.append(IndexRow(row, ""))
            continue
        target = root / PAGE_FOLDER / name
        target.mkdir(parents=True, exist_ok=True)
        for part in COPIED:
            source = row.page / part
            if source.is_dir():
                shutil.copytree(source, target / part, dirs_exist_ok=True)
            elif source.is_file():
                shutil.copyfile(source, target / part)
        share_library(target / "index.html", library, root / "index.html")
        shown.append(IndexRow(row, f"{PAGE_FOLDER}/{name}/index.html"))
    return tuple(shown)


def _name_folders(labels: Sequence[str]) -> list[str]:
    """Names of folders that every file system and address takes, each once."""
    names: list[str] = []
    for label in labels:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", label).strip("-.") or "run"
        name, number = stem, 2
        while name.lower() in names:
            name, number = f"{stem}-{number}", number + 1
        names.append(name.lower())
    return names


def _write_side_by_side(
    rows: Sequence[CampaignRow], root: Path, library: Path, launchpad: str | None
) -> tuple[tuple[SideBySide, ...], tuple[str, ...]]:
    """Write a page for each study of ligands that several runs have results of."""
    pages, problems = [], []
    for runs in group_comparable([row.run for row in rows if row.run and row.ligand]):
        study = runs[0].study
        engines = ", ".join(dict.fromkeys(run.study.engine for run in runs))
        folder = root / SIDE_BY_SIDE_FOLDER / _name_folders([study.name])[0]
        try:
            states = [_read_known_states(run, launchpad) for run in runs]
            made = report_side_by_side(runs, states, folder)
        except QdcompError as error:
            problems.append(f"no page of {study.name} side by side: {error}")
            continue
        share_library(made.path, library, root / "index.html")
        title = f"{study.name}: {len(runs)} runs ({engines})"
        pages.append(SideBySide(title, made.path.relative_to(root).as_posix()))
    return tuple(pages), tuple(problems)


def _read_known_states(run: RunDirectory, launchpad: str | None) -> tuple[JobState, ...]:
    try:
        return read_run_states(run, launchpad)
    except QdcompError:
        return ()  # the row of the run says that they are not known


def group_comparable(runs: Sequence[RunDirectory]) -> list[list[RunDirectory]]:
    """Group runs of one recipe, ligand and thermodynamics; groups of one are left out."""
    groups: dict[tuple[Any, ...], list[RunDirectory]] = {}
    for run in runs:
        study = run.study
        if isinstance(study, SurfaceStudy):
            key = (study.recipe, study.ligand.name, study.thermodynamics)
            groups.setdefault(key, []).append(run)
    return [group for group in groups.values() if len(group) > 1]


def _write_csv(table: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()
