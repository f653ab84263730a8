"""Put the jobs of runs on a launchpad: a few operations for many runs."""

from __future__ import annotations

from collections.abc import Sequence

from fireworks import LaunchPad

from qdcomp.recipes.launchpads import add_workflows
from qdcomp.recipes.runs.run_directory import RunDirectory
from qdcomp.recipes.workflows.workflow import make_workflow

_AT_ONCE = 200
"""Runs that are written together: their jobs are a few MB."""


def submit_runs(runs: Sequence[RunDirectory], launchpad: LaunchPad) -> int:
    """Put the jobs of runs on a launchpad, of those that are not there.

    The jobs are stored before the workflow that ties them: jobs without one are what a process
    left that was killed in between, and are made anew. Runs that are there get the priority that
    their study has now.

    Returns
    -------
    int
        Number of runs that were put there.
    """
    _update_priorities(runs, launchpad)
    added = 0
    for start in range(0, len(runs), _AT_ONCE):
        by_root = {str(run.root): run for run in runs[start : start + _AT_ONCE]}
        known = launchpad.workflows.find(
            {"metadata.run_directory": {"$in": list(by_root)}}, {"metadata.run_directory": 1}
        )
        for workflow in known:
            by_root.pop(workflow["metadata"]["run_directory"], None)
        if by_root:
            launchpad.fireworks.delete_many({"spec.run_directory": {"$in": list(by_root)}})
            add_workflows(launchpad, [make_workflow(run) for run in by_root.values()])
        added += len(by_root)
    return added


def _update_priorities(runs: Sequence[RunDirectory], launchpad: LaunchPad) -> None:
    """Give jobs that are there the priority of their study; all runs of a sweep have one."""
    for priority in {run.study.priority for run in runs}:
        roots = [str(run.root) for run in runs if run.study.priority == priority]
        launchpad.fireworks.update_many(
            {"spec.run_directory": {"$in": roots}, "spec._priority": {"$ne": priority}},
            {"$set": {"spec._priority": priority}},
        )
