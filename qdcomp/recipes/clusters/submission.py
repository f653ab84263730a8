"""Hand the ready jobs of a run to the batch system, one round by FireWorks' queue launcher."""

from __future__ import annotations

import fcntl
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fireworks import FWorker, LaunchPad

from qdcomp.errors import EngineError, InputError
from qdcomp.recipes.campaign import note_launchpad, submit_run
from qdcomp.recipes.checks import check_study
from qdcomp.recipes.clusters.batch_script import (
    describe_environment,
    describe_resources,
    launch_one,
    make_adapter,
)
from qdcomp.recipes.clusters.launchpad_access import ACCESS_NAME
from qdcomp.recipes.clusters.offline import collect_offline, list_offline_folders
from qdcomp.recipes.clusters.packing import hand_over_allocations
from qdcomp.recipes.clusters.process_environment import set_variables
from qdcomp.recipes.clusters.profile import PROFILE_NAME, ClusterProfile
from qdcomp.recipes.clusters.queue_launching import launch_to_queue
from qdcomp.recipes.clusters.queue_room import count_room
from qdcomp.recipes.clusters.script_words import check_folder
from qdcomp.recipes.launchpads import open_launchpad, write_launchpad_file
from qdcomp.recipes.launchpads.closing_launchpad import ClosingLaunchPad
from qdcomp.recipes.run_directory import RunDirectory
from qdcomp.recipes.study_schema import Study

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
        How many jobs of the run are in each of FireWorks' states.
    held_back
        Jobs that stay ready because of the limits of the profile, or for another in their folder.
    """

    handed_over: tuple[tuple[str, str], ...]
    collected: tuple[str, ...]
    states: Mapping[str, int]
    held_back: int


def check_for_cluster(study: Study, profile: ClusterProfile) -> tuple[str, ...]:
    """Check a study as `check_study` does, with the engine commands of the cluster.

    Returns
    -------
    What the user should know; that a code is missing where this is called is no error here.

    Raises
    ------
    InputError
        The study asks for what cannot be done, or the profile lacks the command of its engine.
    """
    if study.engine in ("cp2k", "vasp") and study.engine not in profile.launch:
        raise InputError(
            f"{profile.source} does not say how to start {study.engine}; add under launch: "
            f"{study.engine}: srun {'cp2k.psmp' if study.engine == 'cp2k' else 'vasp_std'}"
        )
    with set_variables(describe_environment(profile)):
        try:
            return check_study(study)
        except EngineError as error:
            return (f"on this machine, not on the nodes: {error}",)


def prepare_run(run: RunDirectory, profile: ClusterProfile, server: str) -> None:
    """Put the jobs of a run on the server, and what its batch jobs need into its folder.

    Raises
    ------
    StoreError
        The server cannot be reached.
    InputError
        The path of the folder cannot stand in a script.
    """
    check_folder(str(run.root))
    with _alone(run), open_launchpad(server) as launchpad:
        write_launchpad_file(launchpad, run.root / ACCESS_NAME)
        submit_run(run, launchpad)
    note_launchpad(run, server)
    stored = run.root / PROFILE_NAME
    if profile.source.resolve() != stored:
        partial = stored.with_suffix(".partial")
        shutil.copyfile(profile.source, partial)
        partial.replace(stored)


def hand_over(run: RunDirectory, profile: ClusterProfile, server: str) -> Round:
    """Hand the ready jobs of a run to the batch system: one round, which neither waits nor polls.

    Each job is reserved by FireWorks before it is handed over: of two rounds at once only one gets
    it. Nodes without a route to the database are read first.

    Raises
    ------
    StoreError
        The server cannot be reached.
    BatchError
        The batch system refused a job, which is ready again, or does not answer.
    """
    with open_launchpad(server) as launchpad:
        collected = collect_offline(run, launchpad)
        room = count_room(profile)
        if profile.mode == "packing":
            handed_over = hand_over_allocations(run, profile, launchpad, room)
        else:
            handed_over = _hand_over_jobs(run, profile, launchpad, room)
        states = _count_states(run, launchpad)
    ready = states.get("READY", 0) if profile.mode != "packing" else 0
    return Round(handed_over, collected, states, ready)


@contextmanager
def _alone(run: RunDirectory) -> Iterator[None]:
    """Let another process that prepares the same run wait: its jobs are put on the server once."""
    with (run.root / _LOCK_NAME).open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _hand_over_jobs(
    run: RunDirectory, profile: ClusterProfile, launchpad: ClosingLaunchPad, room: int
) -> tuple[tuple[str, str], ...]:
    adapter = make_adapter(profile, run.root, launch_one(profile, run.root))
    offline = profile.mode == "offline"
    taken = list_offline_folders(run, launchpad) if offline else set()
    handed_over: list[tuple[str, str]] = []
    for document in _list_ready(run, launchpad):
        if len(handed_over) >= room:
            break
        if document["spec"]["_launch_dir"] in taken:
            continue
        _ask_for_resources(run, profile, launchpad, document)
        # chosen by a query: FireWorks takes one named by its number from another's hands
        worker = FWorker(query={"fw_id": document["fw_id"]})
        number = launch_to_queue(
            launchpad, worker, adapter, run.root, document["name"], reserve=True
        )
        if number:
            handed_over.append((number, document["name"]))
            if offline:
                taken.add(document["spec"]["_launch_dir"])
    return tuple(handed_over)


def _list_ready(run: RunDirectory, launchpad: LaunchPad) -> list[dict[str, Any]]:
    query = {"spec.run_directory": str(run.root), "state": "READY"}
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


def _count_states(run: RunDirectory, launchpad: LaunchPad) -> dict[str, int]:
    query = {"spec.run_directory": str(run.root)}
    found = launchpad.fireworks.find(query, {"state": 1})
    return dict(Counter(entry["state"] for entry in found))
