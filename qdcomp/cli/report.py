"""``qdcomp report``: the page of a run, of ligand runs side by side, or of a whole campaign."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qdcomp.cli.console import notes, output, print_warnings
from qdcomp.cli.run import LaunchpadOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdcomp.recipes.runs.run_directory import RunDirectory
    from qdcomp.report.dots.content import MadeReport

SIDE_BY_SIDE = Path("side_by_side")
"""Folder of a report of one study of ligands by several runs, where none is given."""

CAMPAIGN = Path("campaign")
"""Folder of the page of a campaign, where none is given."""


def report(
    runs: Annotated[
        list[Path], typer.Argument(help="Folder of a run; several; or a folder that holds runs.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the report (default: report in the folder of the run; of one study of "
            "ligands by several runs, side_by_side; report in the folder of a campaign; of other "
            "runs, campaign)."
        ),
    ] = None,
    launchpad: LaunchpadOption = None,
) -> None:
    """Write the report of a run again, or the page of a campaign of many.

    Of one run: one HTML file, PNG and SVG of each figure. Of finished runs of one study of ligands,
    VASP's and CP2K's for example, the results stand in one table.

    Of other runs, and of a folder that holds runs: an index with the state of each run, unfinished,
    failed and damaged ones too, that links the runs' own pages and draws their linewidths and
    binding energies together. The folder opens from a disk and from any web server. Pages of runs
    that are newer than their results are taken as they are.

    For example:
      qdcomp report runs/demo
      qdcomp report runs/mi2025_pea_binding-vasp runs/mi2025_pea_binding-cp2k
      qdcomp report runs --out campaign
    """
    made = _write(runs, out, launchpad)
    print_warnings(made.warnings)
    for line in made.headline:
        output.print(line)
    output.print(f"report: {made.path}")


def _write(runs: Sequence[Path], out: Path | None, launchpad: str | None) -> MadeReport:
    from qdcomp.recipes.campaigns.campaign_folder import is_campaign_folder
    from qdcomp.recipes.runs.run_directory import open_run
    from qdcomp.report.campaigns.campaign_folders import is_run_folder
    from qdcomp.report.campaigns.campaign_page import report_campaign
    from qdcomp.report.campaigns.campaign_rows import read_run_states
    from qdcomp.report.run_report import report_run, report_side_by_side

    if len(runs) == 1 and (is_run_folder(runs[0]) or not runs[0].is_dir()):
        run = open_run(runs[0])
        states = read_run_states(run, launchpad)
        with notes.status("writing the report"):
            if out is None:
                return report_run(run, states)
            return report_side_by_side([run], [states], out)
    together = _open_one_ligand_study(runs)
    if together:
        all_states = [read_run_states(run, launchpad) for run in together]
        with notes.status("writing the report"):
            return report_side_by_side(together, all_states, out or SIDE_BY_SIDE)
    if len(runs) == 1 and is_campaign_folder(runs[0]):
        out = out or runs[0] / "report"
    with notes.status("reading the runs") as status:
        return report_campaign(
            runs,
            out or CAMPAIGN,
            launchpad,
            on_run=lambda label: status.update(f"reading {label}, writing its page if need be"),
        )


def _open_one_ligand_study(runs: Sequence[Path]) -> list[RunDirectory]:
    """Open the runs where each is a finished one of the same study of ligands; else none."""
    from qdcomp.errors import QdcompError
    from qdcomp.recipes.runs.run_directory import RESULT_NAME, open_run
    from qdcomp.report.campaigns.campaign_page import group_comparable

    try:
        opened = [open_run(run) for run in runs]
    except QdcompError:
        return []  # a campaign says in the row what is wrong with it
    groups = group_comparable(opened)
    finished = all((run.root / RESULT_NAME).is_file() for run in opened)
    return opened if finished and groups == [opened] else []
