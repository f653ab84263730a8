"""``qdcomp run`` and ``qdcomp resume``: a study from structure to report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qdcomp.cli.campaign import FAILED, execute_campaign
from qdcomp.cli.console import notes, output, print_warnings
from qdcomp.cli.plan import EngineOption, StudyArgument
from qdcomp.cli.server_location import warn_of_shown_password

if TYPE_CHECKING:
    from qdcomp.recipes.jobs.job_state import JobState
    from qdcomp.recipes.runs.run_directory import RunDirectory

LaunchpadOption = Annotated[
    str | None,
    typer.Option(
        callback=warn_of_shown_password,
        help="URI of a launchpad server, mongodb://HOST:PORT/DATABASE (default: QDCOMP_LAUNCHPAD, "
        "else a file in the folder of the run).",
        show_default=False,
    ),
]
RunArgument = Annotated[Path, typer.Argument(help="Folder of the run.")]
FolderArgument = Annotated[Path, typer.Argument(help="Folder of the run or campaign.")]

OUT_OF_TIME = 75
"""Exit code when the batch job ended first: ``EX_TEMPFAIL``, try again (sysexits.h)."""


def run(
    study: StudyArgument,
    engine: EngineOption = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run (default: runs/STUDY-ENGINE).")
    ] = None,
    launchpad: LaunchpadOption = None,
    no_reuse: Annotated[
        bool,
        typer.Option(
            "--no-reuse", help="Run jobs again that another run beside this one has done already."
        ),
    ] = False,
) -> None:
    """Run a study from its structures to the report; of one with a sweep, every member.

    A run that was cut off goes on where it stopped; finished jobs are not run again, nor those that
    another run in the same folder has done of the same inputs.

    For example:
      qdcomp run demo
      qdcomp run raino2022_dot_2p4nm --engine model
      qdcomp run mi2025_pea_binding --engine cp2k
      qdcomp run my_study.yaml --engine cp2k --out /scratch/my_run
    """
    from qdcomp.compare import check_reference
    from qdcomp.recipes.campaigns.campaign_folder import make_runs
    from qdcomp.recipes.campaigns.members import check_members, read_members
    from qdcomp.recipes.workflows.run_launching import find_server
    from qdcomp.resources import find_study

    found = read_members(find_study(study), engine=engine, reuse=False if no_reuse else None)
    reference = found.members[0].study.reference
    if reference is not None:
        check_reference(**vars(reference))
    find_server(launchpad)  # a wrong one must not leave a folder behind
    print_warnings(check_members(found))
    root, runs = make_runs(found, out)
    if found.sweep is not None:
        execute_campaign(root, runs, launchpad)
    else:
        _execute(runs[0], launchpad)


def resume(run: FolderArgument, launchpad: LaunchpadOption = None) -> None:
    """Go on with a run or a campaign where it stopped: killed, interrupted, or with failed jobs.

    For example:
      qdcomp resume runs/demo
    """
    from qdcomp.recipes.campaigns.campaign_folder import is_campaign_folder, open_runs
    from qdcomp.recipes.runs.run_directory import open_run

    if is_campaign_folder(run):
        execute_campaign(run.resolve(), open_runs(run), launchpad)
    else:
        _execute(open_run(run), launchpad)


def _execute(run: RunDirectory, launchpad: str | None) -> None:
    from qdcomp.cli.progress import show_progress
    from qdcomp.recipes.workflows.run_launching import execute_run, find_launchpad

    notes.print(f"run: {run.root}")
    try:
        with show_progress(run) as progress:
            states = execute_run(run, find_launchpad(run, launchpad), on_launch=progress.follow)
    except KeyboardInterrupt:
        notes.print(f"interrupted; go on with: qdcomp resume {run.root}")
        raise typer.Exit(130) from None
    _finish(run, states)


def _finish(run: RunDirectory, states: tuple[JobState, ...]) -> None:
    from qdcomp.recipes.jobs.job_state import is_out_of_time

    failed = [state for state in states if state.state == "FIZZLED"]
    for state in failed:
        notes.print(f"failed: {state.job.name}: {state.failure}", style="red")
    complete = all(state.state == "COMPLETED" for state in states)
    if complete or states[-1].state == "COMPLETED":
        _report(run, states)
    if not complete and not failed and is_out_of_time(states):
        notes.print(f"the time of this batch job is used up; go on with: qdcomp resume {run.root}")
        raise typer.Exit(OUT_OF_TIME)
    if not complete:
        notes.print(f"mend it, then: qdcomp resume {run.root}")
        raise typer.Exit(FAILED)


def _report(run: RunDirectory, states: tuple[JobState, ...]) -> None:
    """Report what there is; a result that tolerates failed jobs names what is missing."""
    from qdcomp.report.run_report import report_run

    with notes.status("writing the report"):
        made = report_run(run, states)
    print_warnings(made.warnings)
    for line in made.headline:
        output.print(line)
    output.print(f"report: {made.path}")
