"""Several small jobs in one allocation: workers side by side, as many as there are ready jobs."""

from __future__ import annotations

import hashlib
import math

from fireworks import FWorker, LaunchPad

from qdcomp.recipes.campaigns.run_set import RunSet
from qdcomp.recipes.clusters.batch_script import launch_side_by_side, make_adapter
from qdcomp.recipes.clusters.batch_systems import SYSTEMS, find_batch_job, name_batch_job
from qdcomp.recipes.clusters.profile import ClusterProfile
from qdcomp.recipes.clusters.queue_launching import launch_to_queue
from qdcomp.recipes.clusters.queue_room import list_named_jobs

ALLOCATIONS_NAME = "allocations"
"""Folder of a run or campaign for the scripts and outputs of its allocations."""


def hand_over_allocations(
    runs: RunSet, profile: ClusterProfile, launchpad: LaunchPad, room: int
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Hand over allocations for the ready jobs of runs that no allocation there is free for.

    Returns
    -------
    tuple[tuple[str, str], ...]
        Number of each batch job, and how many workers it has.
    tuple[str, ...]
        Numbers of the allocations that were there, and that ready jobs are left to.

    Raises
    ------
    BatchError
        The batch system refused one, or does not answer.
    """
    workers = profile.limits.workers
    name = _name_allocations(runs, profile)
    ready = _count(runs, launchpad, "READY")
    if not ready:
        return (), ()
    # the allocation that this process runs in is about to end
    there = [job for job in list_named_jobs(profile, name) if job != find_batch_job()]
    free = max(0, len(there) * workers - _count(runs, launchpad, "RUNNING"))
    waiting = max(0, ready - free)
    handed_over = []
    for number in range(min(room, math.ceil(waiting / workers))):
        here = min(workers, waiting - number * workers)
        batch_job = _hand_over_allocation(runs, profile, launchpad, name, here)
        if batch_job:
            handed_over.append((batch_job, f"{here} workers side by side"))
    return tuple(handed_over), tuple(there) if free else ()


def _count(runs: RunSet, launchpad: LaunchPad, state: str) -> int:
    return int(launchpad.fireworks.count_documents({**runs.query, "state": state}))


def _name_allocations(runs: RunSet, profile: ClusterProfile) -> str:
    digest = hashlib.sha256(str(runs.root).encode()).hexdigest()[:10]
    return name_batch_job(SYSTEMS[profile.batch_system], digest)


def _hand_over_allocation(
    runs: RunSet, profile: ClusterProfile, launchpad: LaunchPad, name: str, workers: int
) -> str:
    adapter = make_adapter(profile, runs.root, launch_side_by_side(profile, runs.root, workers))
    adapter["job_name"] = name
    folder = runs.root / ALLOCATIONS_NAME
    folder.mkdir(exist_ok=True)
    worker = FWorker(query=runs.query)
    return launch_to_queue(
        launchpad, worker, adapter, folder, "an allocation for ready jobs", reserve=False
    )
