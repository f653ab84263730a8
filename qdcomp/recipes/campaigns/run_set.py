"""The runs that a folder holds: one, or all members of a campaign."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qdcomp.recipes.campaigns.campaign_folder import is_campaign_folder, open_runs
from qdcomp.recipes.runs.run_directory import RunDirectory


@dataclass(frozen=True)
class RunSet:
    """A folder of a run or campaign, with its runs.

    Attributes
    ----------
    root
        The folder, absolute.
    runs
        The run, or those of all members.
    is_campaign
        Whether it is that of a campaign.
    """

    root: Path
    runs: tuple[RunDirectory, ...]
    is_campaign: bool

    @property
    def query(self) -> dict[str, Any]:
        """Filter for its jobs on a launchpad."""
        key = "spec.campaign_directory" if self.is_campaign else "spec.run_directory"
        return {key: str(self.root)}

    def find_run(self, root: str) -> RunDirectory:
        """Run of that folder, as the specification of a job names it."""
        return next(run for run in self.runs if str(run.root) == root)


def open_run_set(folder: Path) -> RunSet:
    """Open the folder of a run or a campaign.

    Raises
    ------
    InputError
        The folder is neither.
    StoreError
        The list of members is damaged.
    """
    return RunSet(folder.resolve(), open_runs(folder), is_campaign_folder(folder))
