"""Hand the ready jobs of a run to the batch system, one round by FireWorks' queue launcher."""

from __future__ import annotations

import fcntl
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fireworks import FWorker, LaunchPad

from qdcomp.errors import EngineError, InputError
from qdcomp.recipes.batch_queue import make_queue_check
from qdcomp.recipes.campaigns.members import MemberList, check_members
from qdcomp.recipes.campaigns.run_set import RunSet
from qdcomp.recipes.clusters.batch_script import (
    describe_environment,
    describe_resources,
    launch_one,
    make_adapter,
)
from qdcomp.recipes.clusters.offline import collect_offline, list_offline_folders
from qdcomp.recipes.clusters.packing import hand_over_allocations
from qdcomp.recipes.clusters.process_environment import set_variables
from qdcomp.recipes.clusters.profile import ClusterProfile
from qdcomp.recipes.clusters.queue_launching import launch_to_queue
from qdcomp.recipes.clusters.queue_room import count_room
from qdcomp.recipes.clusters.script_words import check_folder
from qdcomp.recipes.launchpads import open_launchpad, reset_lost_runs, write_launchpad_file
from qdcomp.recipes.launchpads.closing_launchpad import ClosingLaunchPad
from qdcomp.recipes.launchpads.process_identity import label_worker
from qdcomp.recipes.runs.run_directory import ACCESS_NAME, PROFILE_NAME, RunDirectory
from qdcomp.recipes.workflows.run_launching import note_launchpad
from qdcomp.recipes.workflows.submission import submit_runs

_LOCK_NAME = "submit.lock"


@dataclass(frozen=True)
class Round:
    """What one round of handing over did.

    Attributes
    ----------
    handed_over
        Number of each batch job handed over, with the name of its job; where jobs are packed, with
        the number of workers.
    collected
        Names of the jobs whose results were collected from nodes without a route to the database.
    states
        How many jobs are in each of FireWorks' states.
    held_back
        Jobs that stay ready because of the limits of the profile, or for another in their folder.
    awaited
        Batch jobs that were in the queue before and that ready jobs are left to.
    """

    handed_over: tuple[tuple[str, str], ...]
    collected: tuple[str, ...]
    states: Mapping[str, int]
    held_back: int
    awaited: tuple[str, ...] = ()


def check_for_cluster(found: MemberList, profile: ClusterProfile) -> tuple[str, ...]:
    """Check a study, or all members of a sweep, with the engine commands of the cluster.

    Returns
    -------
    What the user should know; that a code is missing where this is called is no error here.

    Raises
    ------
    InputError
        The study asks for what cannot be done, or the profile lacks the command of its engine.
    """
    engine = found.engine
    if engine in ("cp2k", "vasp") and engine not in profile.launch:
        raise InputError(
            f"{profile.source} does not say how to start {engine}; add under launch: "
            f"{engine}: srun {'cp2k.psmp' if engine == 'cp2k' else 'vasp_std'}"
        )
    with set_variables(describe_environment(profile)):
        try:
            return check_members(found)
        except EngineError as error:
            return (f"on this machine, not on the nodes: {error}",)


def prepare_runs(runs: RunSet, profile: ClusterProfile, server: str) -> None:
    """Put the jobs of runs on the server, and what their batch jobs need into their folder.

    Raises
    ------
    StoreError
        The server cannot be reached.
    InputError
        The path of the folder cannot stand in a script.
    """
    check_folder(str(runs.root))
    with _alone(runs.root), open_launchpad(server) as launchpad:
        write_launchpad_file(launchpad, runs.root / ACCESS_NAME)
        submit_runs(runs.runs, launchpad)
    note_launchpad(runs.runs[0], server)
    stored = runs.root / PROFILE_NAME
    if profile.source.resolve() != stored:
        partial = stored.with_suffix(".partial")
        shutil.copyfile(profile.source, partial)
        partial.replace(stored)


def hand_over(runs: RunSet, profile: ClusterProfile, server: str) -> Round:
    """Hand the ready jobs of runs to the batch system: one round, which neither waits nor polls.

    Each job is reserved by FireWorks before it is handed over: of two rounds at once only one gets
    it. Nodes without a route to the database are read first, and what a batch job was running that
    is no longer in the queue is ready again.

    Raises
    ------
    StoreError
        The server cannot be reached.
    BatchError
        The batch system refused a job, which is ready again, or does not answer.
    """
    with open_launchpad(server) as launchpad:
        collected = collect_offline(runs, launchpad)
        reset_lost_runs(launchpad, runs.query, make_queue_check(profile.batch_system))
        room = count_room(profile)
        awaited: tuple[str, ...] = ()
        if profile.mode == "packing":
            handed_over, awaited = hand_over_allocations(runs, profile, launchpad, room)
        else:
            handed_over = _hand_over_jobs(runs, profile, launchpad, room)
        states = _count_states(runs, launchpad)
    ready = states.get("READY", 0) if profile.mode != "packing" else 0
    return Round(handed_over, collected, states, ready, awaited)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Let another process that prepares the same runs wait: jobs are put on the server once."""
    with (root / _LOCK_NAME).open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _hand_over_jobs(
    runs: RunSet, profile: ClusterProfile, launchpad: ClosingLaunchPad, room: int
) -> tuple[tuple[str, str], ...]:
    adapter = make_adapter(profile, runs.root, launch_one(profile, runs.root))
    offline = profile.mode == "offline"
    taken = list_offline_folders(runs, launchpad) if offline else set()
    handed_over: list[tuple[str, str]] = []
    for document in _list_ready(runs, launchpad):
        if len(handed_over) >= room:
            break
        if document["spec"]["_launch_dir"] in taken:
            continue
        run = runs.find_run(document["spec"]["run_directory"])
        _ask_for_resources(run, profile, launchpad, document)
        # chosen by a query: FireWorks takes one named by its number from another's hands
        worker = FWorker(query={"fw_id": document["fw_id"]})
        if not offline:  # a node without a route leaves the label of this process on its launch
            worker = label_worker(worker)
        number = launch_to_queue(
            launchpad, worker, adapter, runs.root, document["name"], reserve=True
        )
        if number:
            handed_over.append((number, document["name"]))
            if offline:
                taken.add(document["spec"]["_launch_dir"])
    return tuple(handed_over)


def _list_ready(runs: RunSet, launchpad: LaunchPad) -> list[dict[str, Any]]:
    query = {**runs.query, "state": "READY"}
    found = launchpad.fireworks.find(query, {"fw_id": 1, "name": 1, "spec": 1})
    return sorted(found, key=lambda entry: (-(entry["spec"].get("_priority") or 0), entry["fw_id"]))


def _ask_for_resources(
    run: RunDirectory, profile: ClusterProfile, launchpad: LaunchPad, document: dict[str, Any]
) -> None:
    """Write into a job what its batch job asks for, where FireWorks' ``qlaunch`` looks too."""
    job = run.find_job(document["spec"]["job"])
    name = job.name.removeprefix(f"{run.study.name}: ")
    asked = describe_resources(profile, profile.find_resources(job.kind), name)
    launchpad.fireworks.update_one(
        {"fw_id": document["fw_id"], "state": "READY"}, {"$set": {"spec._queueadapter": asked}}
    )


def _count_states(runs: RunSet, launchpad: LaunchPad) -> dict[str, int]:
    found = launchpad.fireworks.find(runs.query, {"state": 1})
    return dict(Counter(entry["state"] for entry in found))
