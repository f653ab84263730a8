"""The one command that brings a run on."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from shlex import quote

from qdcomp.recipes.runs.run_directory import find_handed_over

HELD = ("PAUSED", "DEFUSED")
"""States of FireWorks that a user has put a job into, and takes it out of."""


def suggest_next_command(root: Path, states: Collection[str]) -> str:
    """Name the command that brings a run or campaign on which is not complete.

    Jobs that a user holds go on only when told to. On a cluster the command neither computes on the
    login node nor hands over in vain; the member of a campaign is handed over with the campaign.

    Parameters
    ----------
    root
        Folder of the run or campaign.
    states
        FireWorks' states that its jobs are in.
    """
    waits_for_user = not set(states) - {"COMPLETED", "WAITING", *HELD}
    if waits_for_user and not set(states).isdisjoint(HELD):
        return f"qdcomp jobs continue {quote(str(root))}"
    handed_over = find_handed_over(root)
    if handed_over is None:
        return f"qdcomp resume {quote(str(root))}"
    if "FIZZLED" in states:
        return f"qdcomp doctor {quote(str(handed_over))} --mend"
    return f"qdcomp submit {quote(str(handed_over))}"


def describe_next_command(states: Collection[str], command: str) -> str:
    """Say that `command` brings jobs in `states` on, and when: not while others have them."""
    if "RUNNING" in states:
        return f"if no process runs it any more, go on with: {command}"
    if "RESERVED" in states:
        return f"if its batch jobs are no longer in the queue, go on with: {command}"
    return f"go on with: {command}"
