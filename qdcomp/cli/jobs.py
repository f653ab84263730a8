"""``qdcomp jobs``: pause, continue, cancel or rerun a part of a run or campaign."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from qdcomp.cli.console import notes, output
from qdcomp.cli.run import FolderArgument, LaunchpadOption

if TYPE_CHECKING:
    from qdcomp.recipes.campaigns.job_control import ControlResult

jobs = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Pause, continue, cancel or rerun jobs of a run or campaign: "
    "qdcomp jobs pause runs/demo --match '*sample*'.",
)

MatchOption = Annotated[
    str,
    typer.Option(help="Which jobs: a name as status shows it, with the wildcards * and ?."),
]

MOST_NAMED = 10
"""Jobs that are named; of more, the number is said."""


@jobs.command("pause")
def pause(run: FolderArgument, match: MatchOption = "*", launchpad: LaunchpadOption = None) -> None:
    """Hold jobs that have not begun; what runs goes on.

    For example:
      qdcomp jobs pause runs/demo --match '*sample*'
    """
    from qdcomp.recipes.campaigns.job_control import pause_jobs

    if _control(pause_jobs, "paused", run, match, launchpad).changed:
        notes.print(f"let them go on with: qdcomp jobs continue {quote(str(run))}")


@jobs.command("continue")
def go_on(run: FolderArgument, match: MatchOption = "*", launchpad: LaunchpadOption = None) -> None:
    """Let jobs go on that were paused or cancelled.

    For example:
      qdcomp jobs continue runs/demo
    """
    from qdcomp.recipes.campaigns.job_control import continue_jobs

    _name_next_command(_control(continue_jobs, "going on", run, match, launchpad), run)


@jobs.command("cancel")
def cancel(
    run: FolderArgument, match: MatchOption = "*", launchpad: LaunchpadOption = None
) -> None:
    """Give up jobs that are neither done nor running; continue takes it back.

    For example:
      qdcomp jobs cancel runs/demo --match '*300 K*'
    """
    from qdcomp.recipes.campaigns.job_control import cancel_jobs

    result = _control(cancel_jobs, "cancelled", run, match, launchpad)
    if result.changed:
        notes.print(f"take it back with: qdcomp jobs continue {quote(str(run))}")
    if result.batch_jobs:
        _name_batch_jobs(result.batch_jobs, run)


@jobs.command("rerun")
def rerun(
    run: FolderArgument,
    match: Annotated[
        str, typer.Option(help="Which jobs: a name as status shows it, with wildcards; all is '*'.")
    ],
    launchpad: LaunchpadOption = None,
) -> None:
    """Put back jobs that have run, and all that follows them; their results are kept aside.

    For example:
      qdcomp jobs rerun runs/demo --match '01 relax'
    """
    from qdcomp.recipes.campaigns.job_control import rerun_jobs

    result = _control(rerun_jobs, "put back", run, match, launchpad)
    for folder in result.set_aside:
        output.print(f"earlier results: {folder}")
    _name_next_command(result, run)


def _name_next_command(result: ControlResult, folder: Path) -> None:
    """Say what runs the jobs that were made to run."""
    from qdcomp.recipes.runs.next_command import suggest_next_command

    if result.changed:
        notes.print(f"run them with: {suggest_next_command(folder, ['READY'])}")


def _name_batch_jobs(numbers: Sequence[str], folder: Path) -> None:
    """Name the batch jobs of cancelled jobs, and the command that takes them out of the queue."""
    from qdcomp.recipes.clusters.batch_systems import SYSTEMS
    from qdcomp.recipes.clusters.profile_sections import find_profile
    from qdcomp.recipes.runs.run_directory import find_handed_over

    handed_over = find_handed_over(folder)
    if handed_over is not None:
        cancel = SYSTEMS[find_profile(handed_over).batch_system].cancel
        notes.print(f"take their batch jobs out of the queue with: {cancel} {' '.join(numbers)}")


def _control(
    operation: Callable[..., ControlResult],
    done: str,
    folder: Path,
    pattern: str,
    launchpad: str | None,
) -> ControlResult:
    """Do an operation on the launchpad of a run or campaign, and say what was done."""
    from qdcomp.recipes.campaigns.campaign_folder import open_runs
    from qdcomp.recipes.launchpads import open_launchpad
    from qdcomp.recipes.workflows.run_launching import find_launchpad

    runs = open_runs(folder)
    location = find_launchpad(runs[0], launchpad)
    not_there = isinstance(location, Path) and not location.exists()  # and none is to be made
    with open_launchpad(location, read_only=not_there) as pad:
        result = operation(runs, pad, pattern)
    for name in result.changed[:MOST_NAMED]:
        output.print(f"{done}: {name}")
    if len(result.changed) > MOST_NAMED:
        output.print(f"and {len(result.changed) - MOST_NAMED} more")
    number = len(result.changed)
    output.print(f"{done}: {number} job{'' if number == 1 else 's'}")
    for state, count in result.left.items():
        output.print(f"left as they are: {count} {state}")
    return result
