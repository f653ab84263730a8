"""What ``qdcomp run``, ``resume``, ``status`` and ``plan`` do with a study that has a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from qdcomp.cli.console import notes, output, print_table, print_warnings

if TYPE_CHECKING:
    from qdcomp.recipes.campaigns.member_states import MemberState
    from qdcomp.recipes.campaigns.members import MemberList
    from qdcomp.recipes.runs.run_directory import RunDirectory

FAILED = 1
"""Exit code when jobs failed."""

MOST_LINES = 30
"""Members that a status names; of more, it says how many there are."""


def execute_campaign(root: Path, runs: Sequence[RunDirectory], launchpad: str | None) -> None:
    """Run the members of a campaign one after another, then write its page."""
    from qdcomp.recipes.campaigns.member_execution import execute_members
    from qdcomp.recipes.workflows.run_launching import find_launchpad_of

    notes.print(f"campaign of {len(runs)} members: {root}")
    complete = True
    try:
        with notes.status("putting the jobs on the launchpad") as status:

            def follow(number: int, job: str) -> None:
                status.update(f"member {number} of {len(runs)}: {job}")
                if not notes.is_terminal:
                    notes.print(job)

            for states in execute_members(runs, find_launchpad_of(root, launchpad), follow):
                for state in states:
                    if state.state == "FIZZLED":
                        notes.print(f"failed: {state.job.name}: {state.failure}", style="red")
                complete &= all(state.state == "COMPLETED" for state in states)
    except KeyboardInterrupt:
        notes.print(f"interrupted; go on with: qdcomp resume {root}")
        raise typer.Exit(130) from None
    _report(root, launchpad)
    if not complete:
        notes.print(f"see what is left with: qdcomp status {root}")
        notes.print(f"mend it, then: qdcomp resume {root}")
        raise typer.Exit(FAILED)


def _report(root: Path, launchpad: str | None) -> None:
    from qdcomp.report.campaigns.campaign_page import report_campaign

    with notes.status("writing the page of the campaign"):
        made = report_campaign([root], root / "report", launchpad)
    print_warnings(made.warnings)
    for line in made.headline:
        output.print(line)
    output.print(f"report: {made.path}")


def show_campaign(folder: Path, launchpad: str | None) -> None:
    """Say in one screen how a campaign stands, and the command that brings it on."""
    from qdcomp.recipes.campaigns.campaign_folder import open_campaign
    from qdcomp.recipes.campaigns.member_states import (
        count_jobs,
        read_member_states,
        suggest_command,
    )
    from qdcomp.recipes.launchpads import open_launchpad
    from qdcomp.recipes.runs.next_command import describe_next_command
    from qdcomp.recipes.workflows.run_launching import find_launchpad_of

    campaign = open_campaign(folder)
    location = find_launchpad_of(campaign.root, launchpad)
    with open_launchpad(location, read_only=True) as pad:
        states = read_member_states(campaign, pad)
    complete = sum(member.is_complete for member in states)
    output.print(f"{campaign.name} with the engine {campaign.engine}: {campaign.root}")
    output.print(f"{complete} of {len(states)} members complete")
    counts = count_jobs(states)
    if counts:
        output.print("jobs: " + ", ".join(f"{count} {state}" for state, count in counts.items()))
    _print_incomplete(states)
    command = suggest_command(states, campaign.root)
    if command:
        notes.print(describe_next_command(counts, command))


def _print_incomplete(states: Sequence[MemberState]) -> None:
    """Name the members that are not complete, failed ones first, those not begun together."""
    left = [member for member in states if not member.is_complete]
    begun = [member for member in left if set(member.states.values()) - {"WAITING", "READY"}]
    begun.sort(key=lambda member: "FIZZLED" not in member.states.values())
    for member in begun[:MOST_LINES]:
        output.print(f"{member.name}: {member.describe()}")
    if len(begun) > MOST_LINES:
        output.print(f"and {len(begun) - MOST_LINES} more that are not complete")
    missing = [member for member in left if not member.states]
    for count, what in (
        (len(left) - len(begun) - len(missing), "not begun yet"),
        (len(missing), "not on the launchpad"),
    ):
        if count:
            output.print(f"{count} member{'s' if count > 1 else ''} {what}")


def plan_campaign(found: MemberList) -> None:
    """Say what the members of a sweep take together, a row for those that differ in the seed."""
    from qdcomp.recipes.campaigns.members import check_members, describe_members
    from qdcomp.recipes.campaigns.sweep_plan import plan_members
    from qdcomp.recipes.plans.plan import format_estimate

    print_warnings(check_members(found))
    with notes.status("building the structures"):
        planned = plan_members(found)
    output.print(f"{found.name} with the engine {found.engine}, {describe_members(found)}:")
    print_table(planned.rows())
    output.print(
        f"in all {planned.n_jobs} jobs, about {format_estimate(planned.core_hours)} core-hours, "
        f"{format_estimate(planned.memory_gib)} GiB for the largest"
    )
    for basis in planned.cost_basis:
        output.print(f"estimates: {basis}")
