"""``qdcomp status``: how the jobs of a run stand."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from qdcomp.cli.console import notes, output, print_table
from qdcomp.cli.run import FolderArgument, LaunchpadOption

if TYPE_CHECKING:
    from qdcomp.recipes.jobs.job_state import JobState


def status(run: FolderArgument, launchpad: LaunchpadOption = None) -> None:
    """Show how the jobs of a run stand, or the members of a campaign, also while it runs.

    For example:
      qdcomp status runs/demo
    """
    from qdcomp.cli.campaign import show_campaign
    from qdcomp.recipes.campaigns.campaign_folder import is_campaign_folder
    from qdcomp.recipes.launchpads import open_launchpad
    from qdcomp.recipes.runs.next_command import describe_next_command, suggest_next_command
    from qdcomp.recipes.runs.run_directory import open_run
    from qdcomp.recipes.runs.spent_cost import describe_spent, list_finished_jobs, sum_spent
    from qdcomp.recipes.workflows.run_launching import find_launchpad, read_job_states

    if is_campaign_folder(run):
        show_campaign(run, launchpad)
        return
    opened = open_run(run)
    with open_launchpad(find_launchpad(opened, launchpad), read_only=True) as pad:
        states = read_job_states(opened, pad)
    print_table([("job", "state", "steps", "wall time"), *map(_describe, states)])
    counts = Counter(state.state for state in states)
    output.print(", ".join(f"{count} {state}" for state, count in counts.items()))
    for line in describe_spent(sum_spent(list_finished_jobs(opened))):
        output.print(line)
    for state in states:
        if state.reused_from:
            output.print(f"not run again: {state.job.name}: taken over from {state.reused_from}")
        for correction in state.corrections:
            output.print(f"corrected in {state.job.name}: {correction}")
        if state.failure:
            output.print(f"failed: {state.job.name}: {state.failure}")
    if set(counts) != {"COMPLETED"}:
        notes.print(describe_next_command(counts, suggest_next_command(opened.root, counts)))


def _describe(state: JobState) -> tuple[str, ...]:
    total = state.job.steps
    return (
        state.job.name,
        state.state,
        f"{state.steps_done}/{total}" if total else "",
        "" if state.walltime_s is None else f"{state.walltime_s:.0f} s",
    )
