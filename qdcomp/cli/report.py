"""``qdcomp report``: the page and the figures of a run, or of several side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qdcomp.cli.console import notes, output, print_warnings
from qdcomp.cli.run import LaunchpadOption

if TYPE_CHECKING:
    from qdcomp.recipes.job_state import JobState
    from qdcomp.recipes.run_directory import RunDirectory

SIDE_BY_SIDE = Path("side_by_side")
"""Folder of a report of several runs, where none is given."""


def report(
    runs: Annotated[list[Path], typer.Argument(help="Folder of a run; several of one study.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the report (default: report in the folder of the run; of several "
            "runs, side_by_side)."
        ),
    ] = None,
    launchpad: LaunchpadOption = None,
) -> None:
    """Write the report of a finished run again: one HTML file, PNG and SVG of each figure.

    Of several runs of one study of ligands, VASP's and CP2K's for example, the results stand in
    one table.

    For example:
      qdcomp report runs/demo
      qdcomp report runs/mi2025_pea_binding-vasp runs/mi2025_pea_binding-cp2k
    """
    from qdcomp.recipes.run_directory import open_run
    from qdcomp.report.run_report import report_run, report_side_by_side

    opened = [open_run(run) for run in runs]
    states = [_read_states(run, launchpad) for run in opened]
    with notes.status("writing the report"):
        if len(opened) == 1 and out is None:
            made = report_run(opened[0], states[0])
        else:
            made = report_side_by_side(opened, states, out or SIDE_BY_SIDE)
    print_warnings(made.warnings)
    for line in made.headline:
        output.print(line)
    output.print(f"report: {made.path}")


def _read_states(run: RunDirectory, launchpad: str | None) -> tuple[JobState, ...]:
    from qdcomp.recipes.campaign import find_launchpad, read_job_states
    from qdcomp.recipes.launchpads import open_launchpad

    with open_launchpad(find_launchpad(run, launchpad), read_only=True) as pad:
        return read_job_states(run, pad)
