"""The members of a campaign, run one after another in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fireworks import LaunchPad

from qdcomp.recipes.campaigns.campaign_folder import open_campaign
from qdcomp.recipes.campaigns.member_states import read_member_states
from qdcomp.recipes.jobs.job_state import JobState
from qdcomp.recipes.jobs.planned_job import PlannedJob
from qdcomp.recipes.launchpads import only_own_tasks, open_launchpad
from qdcomp.recipes.runs.run_directory import RunDirectory
from qdcomp.recipes.workflows.run_launching import DATABASE_PATIENCE_S, launch_run, note_launchpad
from qdcomp.recipes.workflows.submission import submit_runs


def execute_members(
    runs: Sequence[RunDirectory],
    location: str | Path,
    on_launch: Callable[[int, str], None] = lambda number, job: None,
) -> Iterator[tuple[JobState, ...]]:
    """Run every job of every member that is not complete.

    As `qdcomp.recipes.workflows.run_launching.execute_run` does it with one run: what an earlier
    process left running, what failed and what lost its result is put back first. A member that
    fails does not keep the others from running.

    Parameters
    ----------
    runs
        All members of one campaign.
    location
        Its launchpad.
    on_launch
        Told the number of the member, from 1, and the name of each job before it is launched.

    Yields
    ------
    tuple of JobState
        How the jobs of each member that was not complete stand, once it has run.
    """
    note_launchpad(runs[0], location)
    with open_launchpad(location, patience_s=DATABASE_PATIENCE_S) as launchpad, only_own_tasks():
        submit_runs(runs, launchpad)
        complete = _find_complete(runs, launchpad)
        for number, run in enumerate(runs, start=1):
            if run.root in complete:
                continue
            yield launch_run(run, launchpad, _tell(on_launch, number))


def _tell(on_launch: Callable[[int, str], None], number: int) -> Callable[[PlannedJob], None]:
    return lambda job: on_launch(number, job.name)


def _find_complete(runs: Sequence[RunDirectory], launchpad: LaunchPad) -> set[Path]:
    """Find the members whose jobs are all done and have their results."""
    campaign = open_campaign(runs[0].root.parent)
    states = {member.folder: member for member in read_member_states(campaign, launchpad)}
    return {
        run.root
        for run in runs
        if states[run.root].is_complete and all(run.has_result(job) for job in run.jobs)
    }
