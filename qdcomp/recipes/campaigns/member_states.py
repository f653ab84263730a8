"""How the members of a campaign stand, in a few queries of its launchpad."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fireworks import LaunchPad

from qdcomp.recipes.campaigns.campaign_folder import CampaignFolder
from qdcomp.recipes.launchpads import find_failures
from qdcomp.recipes.runs.next_command import HELD, suggest_next_command
from qdcomp.recipes.runs.pieces import find_current_jobs

COMPLETED = "COMPLETED"
FAILED = "FIZZLED"

MOST_REASONS = 20
"""Failures whose reason is looked up."""


@dataclass(frozen=True)
class MemberState:
    """How one member of a campaign stands.

    Attributes
    ----------
    name, folder
        Its name and the folder of its run.
    states
        FireWorks' state of each job, by the job's name; empty where the launchpad has none of it.
    failures
        Why jobs failed, by their names, where it was looked up.
    """

    name: str
    folder: Path
    states: dict[str, str]
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether all jobs are done."""
        return bool(self.states) and set(self.states.values()) == {COMPLETED}

    @property
    def n_complete(self) -> int:
        """Number of jobs that are done."""
        return sum(state == COMPLETED for state in self.states.values())

    def list_jobs(self, *states: str) -> list[str]:
        """Names of the jobs in any of `states`, without the member's name."""
        return [
            job.removeprefix(f"{self.name}: ")
            for job, state in self.states.items()
            if state in states
        ]

    def describe(self) -> str:
        """Say in a line how a member that is not complete stands."""
        if not self.states:
            return "not on the launchpad"
        done = f"{self.n_complete} of {len(self.states)} jobs"
        failed = self.list_jobs(FAILED)
        if failed:
            reasons = [reason for reason in self.failures.values() if reason]
            why = f": {reasons[0].splitlines()[0]}" if reasons else ""
            return f"{done}; failed: {_name_first(failed)}{why}"
        running = self.list_jobs("RUNNING")
        if running:
            return f"{done}; runs: {_name_first(running)}"
        held = {state: self.list_jobs(state) for state in HELD}
        parts = [f"{state.lower()}: {_name_first(jobs)}" for state, jobs in held.items() if jobs]
        return "; ".join((done, *parts))


def read_member_states(campaign: CampaignFolder, launchpad: LaunchPad) -> tuple[MemberState, ...]:
    """Read how every member stands: one query for all jobs, and two for the failures.

    Of a job that is run in pieces, the current one counts.
    """
    current = find_current_jobs({"spec.campaign_directory": str(campaign.root)}, launchpad)
    failed = [
        job["fw_id"] for jobs in current.values() for job in jobs.values() if job["state"] == FAILED
    ]
    reasons = find_failures(launchpad, {"fw_id": {"$in": failed[:MOST_REASONS]}}) if failed else {}
    states = []
    for folder in campaign.folders:
        jobs = current.get(str(folder), {})
        failures = {
            name: reasons[job["fw_id"]][1] or reasons[job["fw_id"]][0]
            for name, job in jobs.items()
            if job["fw_id"] in reasons
        }
        named = {name: job["state"] for name, job in jobs.items()}
        states.append(MemberState(folder.name, folder, named, failures))
    return tuple(states)


def count_jobs(states: Sequence[MemberState]) -> Counter[str]:
    """Count the jobs of a campaign in each state."""
    return Counter(state for member in states for state in member.states.values())


def suggest_command(states: Sequence[MemberState], root: Path) -> str:
    """Name the command that brings a campaign on; empty where all is done."""
    if all(member.is_complete for member in states):
        return ""
    return suggest_next_command(root, count_jobs(states))


def _name_first(jobs: Sequence[str]) -> str:
    return jobs[0] + (f" and {len(jobs) - 1} more" if len(jobs) > 1 else "")
