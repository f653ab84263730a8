"""Many runs onto a launchpad at once: FireWorks writes them in a few operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fireworks import LaunchPad
from fireworks.core import launchpad as fireworks_launchpad

from qdcomp.recipes.run_directory import RunDirectory
from qdcomp.recipes.workflow import make_workflow

_AT_ONCE = 200
"""Runs that are written together: their jobs are a few MB."""


def submit_runs(runs: Sequence[RunDirectory], launchpad: LaunchPad) -> int:
    """Put the jobs of runs on a launchpad, of those that are not there.

    A run that a killed process left half written is written anew. Runs that are there get the
    priority that their study has now.

    Returns
    -------
    int
        Number of runs that were put there.
    """
    _update_priorities(runs, launchpad)
    there = _find_whole(runs, launchpad)
    missing = [run for run in runs if str(run.root) not in there]
    for start in range(0, len(missing), _AT_ONCE):
        chunk = missing[start : start + _AT_ONCE]
        roots = {"$in": [str(run.root) for run in chunk]}
        launchpad.workflows.delete_many({"metadata.run_directory": roots})
        launchpad.fireworks.delete_many({"spec.run_directory": roots})
        with _without_progress_bar():
            launchpad.bulk_add_wfs([make_workflow(run) for run in chunk])
    return len(missing)


def _find_whole(runs: Sequence[RunDirectory], launchpad: LaunchPad) -> set[str]:
    """Find the runs whose workflow has all its jobs.

    FireWorks writes many workflows before their jobs, and a single one after them.
    """
    query = _select(runs, "metadata")
    nodes = {
        document["metadata"]["run_directory"]: len(document["nodes"])
        for document in launchpad.workflows.find(query, {"metadata.run_directory": 1, "nodes": 1})
    }
    if not nodes:
        return set()
    jobs = Counter(
        document["spec"]["run_directory"]
        for document in launchpad.fireworks.find(
            _select(runs, "spec"), {"spec.run_directory": 1, "_id": 0}
        )
    )
    return {root for root, count in nodes.items() if jobs[root] >= count}


def _select(runs: Sequence[RunDirectory], place: str) -> dict[str, Any]:
    """Select the documents of runs; those of one campaign by its folder."""
    campaigns = {run.campaign_folder for run in runs}
    if place == "spec" and len(campaigns) == 1 and None not in campaigns:
        return {"spec.campaign_directory": str(campaigns.pop())}
    return {f"{place}.run_directory": {"$in": [str(run.root) for run in runs]}}


def _update_priorities(runs: Sequence[RunDirectory], launchpad: LaunchPad) -> None:
    """Give jobs that are there the priority of their study; all runs of a sweep have one."""
    for priority in {run.study.priority for run in runs}:
        same = [run for run in runs if run.study.priority == priority]
        launchpad.fireworks.update_many(
            {**_select(same, "spec"), "spec._priority": {"$ne": priority}},
            {"$set": {"spec._priority": priority}},
        )


@contextmanager
def _without_progress_bar() -> Iterator[None]:
    """Keep FireWorks from drawing a bar on the terminal, which belongs to the command line."""

    def pass_on(items: Iterable[Any]) -> Iterable[Any]:
        return items

    original, fireworks_launchpad.tqdm = fireworks_launchpad.tqdm, pass_on
    try:
        yield
    finally:
        fireworks_launchpad.tqdm = original
