"""``qdcomp doctor``: what is wrong with a run or campaign, and mending it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from qdcomp.cli.console import notes, output
from qdcomp.cli.run import FolderArgument, LaunchpadOption

if TYPE_CHECKING:
    from qdcomp.recipes.doctor.trouble import Trouble

TROUBLED = 1
"""Exit code when something is left to mend."""

_MOST_LINES = 40


def doctor(
    run: FolderArgument,
    mend: Annotated[
        bool, typer.Option("--mend", help="Mend what can be mended; without it, only look.")
    ] = False,
    launchpad: LaunchpadOption = None,
) -> None:
    """Find what is wrong with a run or campaign: lost and failed jobs, removed or damaged files.

    With --mend, lost jobs and those worth another try are ready again, and damaged files are moved
    aside and made anew; nothing that was computed is lost. On a cluster, what is ready is then
    handed over.

    For example:
      qdcomp doctor runs/demo
      qdcomp doctor runs/my_campaign --mend
    """
    from qdcomp.recipes.campaigns.run_set import open_run_set
    from qdcomp.recipes.doctor.examination import examine_runs
    from qdcomp.recipes.doctor.mending import mend_troubles
    from qdcomp.recipes.launchpads import open_launchpad
    from qdcomp.recipes.runs.run_directory import find_handed_over
    from qdcomp.recipes.workflows.run_launching import find_launchpad_of

    runs = open_run_set(run)
    handed_over = find_handed_over(runs.root)
    is_queued = _make_queue_check(handed_over) if handed_over else None
    location = find_launchpad_of(runs.root, launchpad)
    with open_launchpad(location, read_only=not mend) as pad:
        troubles = examine_runs(runs, pad, is_queued)
        mended = mend_troubles(troubles, runs, pad, is_queued) if mend else ()
    left = [trouble for trouble in troubles if trouble not in mended]
    _tell("mended", mended)
    _tell("found", left)
    output.print(_summarise(len(troubles), len(mended)))
    if mended and handed_over:
        _hand_over(handed_over, launchpad)
    elif mended:
        notes.print(f"go on with: qdcomp resume {quote(str(runs.root))}")
    elif any(trouble.is_mended_by_qdcomp for trouble in left):
        notes.print(f"mend it with: qdcomp doctor {quote(str(runs.root))} --mend")
    if left:
        raise typer.Exit(TROUBLED)


def _make_queue_check(root: Path) -> Callable[[str], bool]:
    """Make what says of a batch job whether it is there, for a folder handed to a cluster."""
    from qdcomp.recipes.batch_queue import make_queue_check
    from qdcomp.recipes.clusters.profile_sections import find_profile

    return make_queue_check(find_profile(root).batch_system)


def _hand_over(root: Path, launchpad: str | None) -> None:
    from qdcomp.cli.submit import submit

    submit(str(root), launchpad=launchpad)


def _tell(heading: str, troubles: Sequence[Trouble]) -> None:
    for trouble in troubles[:_MOST_LINES]:
        output.print(f"{heading}: {trouble.where}: {trouble.found}; {trouble.mend}")
    if len(troubles) > _MOST_LINES:
        output.print(f"{heading}: {len(troubles) - _MOST_LINES} more")


def _summarise(found: int, mended: int) -> str:
    if not found:
        return "nothing is wrong"
    return f"{found} found, {mended} mended"
