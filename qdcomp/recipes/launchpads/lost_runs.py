"""FireWorks that a process was running when it was killed: find them, make them ready again.

Several workers may look for lost runs at once, and live ones go on meanwhile: what was found to be
lost is looked at again under the lock of its workflow before it is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fireworks import LaunchPad
from fireworks.core.launchpad import LockedWorkflowError, WFLock
from fireworks.fw_config import RUN_EXPIRATION_SECS
from fireworks.utilities.fw_serializers import reconstitute_dates

from qdcomp.recipes.launchpads.closing_launchpad import ClosingLaunchPad
from qdcomp.recipes.launchpads.embedded_launchpad import EmbeddedLaunchPad
from qdcomp.recipes.launchpads.process_identity import (
    find_batch_job,
    find_labelled_batch_job,
    find_reservation,
    has_ended,
    is_alive,
    is_own,
)
from qdcomp.recipes.launchpads.server_launchpad import FREED

_LOCK_PATIENCE_S = 30.0
"""How long a live worker may hold a workflow; FireWorks' own updates take well under a second."""

_CHECKOUT_PATIENCE = timedelta(minutes=15)
"""How long a FireWork may be reserved before its launch is written, by a process of which nothing
is known.

That takes milliseconds, or as long as a worker waits for a database that is away (ten minutes at
most).
"""

QueueCheck = Callable[[str], bool]
"""Says of the number of a batch job whether it waits or runs still."""


@dataclass(frozen=True)
class _ActiveJob:
    """A FireWork that is said to run or to be reserved, with its launches and who claims it."""

    fw_id: int
    state: str
    launch_ids: list[int]
    updated_on: Any
    launches: list[dict[str, Any]]
    claim: dict[str, Any] | None

    def has_finished(self) -> bool:
        """Whether a launch has ended, and the FireWork has not been told."""
        return any(
            launch["state"] in ("COMPLETED", "FIZZLED") and FREED not in launch
            for launch in self.launches
        )

    def is_half_freed(self) -> bool:
        """Whether its launch was taken for lost by a process that was killed over it."""
        return any(FREED in launch for launch in self.launches)


def find_lost_runs(
    launchpad: LaunchPad,
    query: Mapping[str, Any] | None = None,
    is_queued: QueueCheck | None = None,
) -> list[int]:
    """FireWorks that are said to run or to be reserved, by a process that is gone.

    In an embedded launchpad that is every one, before this process launches its first. On a server
    a run is lost if its process ran on this machine and has ended, if its batch job is no longer in
    the queue and its process not known to be there, or if it has not said that it is alive for
    FireWorks' ``RUN_EXPIRATION_SECS`` (four hours, by the clock of the server). What waits in the
    queue of a batch system is not lost.

    Parameters
    ----------
    launchpad
        The launchpad.
    query
        Which FireWorks to look at, as a MongoDB filter; None for all.
    is_queued
        Asked for the runs of batch jobs of any host; None to leave those of other hosts alone.

    Returns
    -------
    list[int]
        Their ``fw_id``, in order.
    """
    return sorted(job.fw_id for job in _find_lost(launchpad, query, is_queued))


def reset_lost_runs(
    launchpad: LaunchPad,
    query: Mapping[str, Any] | None = None,
    is_queued: QueueCheck | None = None,
) -> list[int]:
    """Make lost runs ready again; call it before launching.

    The specification stays as it is, ``_launch_dir`` with it: the tasks find what they left there.
    What FireWorks left half done when a process was killed is put right first.

    Parameters
    ----------
    launchpad
        The launchpad.
    query
        Which FireWorks to look at, as a MongoDB filter; None for all.
    is_queued
        Asked for the runs of batch jobs of any host; None to leave those of other hosts alone.

    Returns
    -------
    list[int]
        ``fw_id`` of those made ready, in order.
    """
    if not isinstance(launchpad, EmbeddedLaunchPad):
        _free_workflows(launchpad, is_queued)
    for job in _read_active(launchpad, query):
        if job.has_finished():
            launchpad._refresh_wf(job.fw_id)
    lost = _find_lost(launchpad, query, is_queued)
    return sorted(job.fw_id for job in lost if _reset(launchpad, job))


def reset_own_runs(launchpad: LaunchPad) -> list[int]:
    """Make ready again what this process was running; return its ``fw_id``."""
    own = [
        job
        for job in _read_active(launchpad, None)
        if any(is_own(launch) for launch in job.launches) and not job.has_finished()
    ]
    return sorted(job.fw_id for job in own if _reset(launchpad, job))


def rerun_if_still(launchpad: LaunchPad, fw_id: int, states: Sequence[str]) -> bool:
    """Make a FireWork ready again if it is in one of `states`; return whether it was."""
    query = {"fw_id": fw_id, "state": {"$in": list(states)}}
    return _rerun_under_lock(
        launchpad, fw_id, lambda: launchpad.fireworks.find_one(query, {"_id": 1}) is not None
    )


def _reset(launchpad: LaunchPad, job: _ActiveJob) -> bool:
    """Make a run ready again, unless it is not as it was when it was found to be lost."""

    def is_as_found() -> bool:
        (now,) = _read_active(launchpad, {"fw_id": job.fw_id}) or (None,)
        if now is None or now.has_finished() or not _is_same(now, job):
            return False
        return all([_free(launchpad, each) for each in _list_open_launches(launchpad, now)])

    return _rerun_under_lock(launchpad, job.fw_id, is_as_found)


def _rerun_under_lock(launchpad: LaunchPad, fw_id: int, is_as_found: Callable[[], bool]) -> bool:
    """Make a FireWork ready again if it is as it was found, with its workflow locked to others."""
    embedded = isinstance(launchpad, EmbeddedLaunchPad)
    with launchpad.as_one() if embedded else nullcontext():
        try:
            with WFLock(launchpad, fw_id):
                if not is_as_found():
                    return False
                workflow = launchpad.get_wf_by_fw_id_lzyfw(fw_id)
                launchpad._update_wf(workflow, workflow.rerun_fw(fw_id))
        except LockedWorkflowError:  # held by a process of another machine, alive or not
            return False
    return True


def _free(launchpad: LaunchPad, launch_id: int) -> bool:
    """Say of a launch that nobody carries on that it failed, and is not for its process to end.

    Returns
    -------
    Whether it had not ended: then it cannot any more.
    """
    launch = launchpad.get_launch_by_id(launch_id)
    launch.state = "FIZZLED"
    query = {"launch_id": launch_id, "state": {"$in": ["RUNNING", "RESERVED"]}}
    document = {**launch.to_db_dict(), FREED: True}
    if launchpad.launches.find_one_and_replace(query, document) is None:
        return False
    launchpad.forget_offline(launch_id)
    return True


def _list_open_launches(launchpad: LaunchPad, job: _ActiveJob) -> list[int]:
    """List its launches, and those that a checkout wrote and was killed before the job had them."""
    query = {"fw_id": job.fw_id, "state": {"$in": ["RUNNING", "RESERVED"]}}
    found = [*job.launches, *_read_launches(launchpad, query)]
    return sorted({launch["launch_id"] for launch in found if FREED not in launch})


def _is_same(now: _ActiveJob, before: _ActiveJob) -> bool:
    seen, known = (
        (job.state, job.launch_ids, job.updated_on, [each["state"] for each in job.launches])
        for job in (now, before)
    )
    return seen == known


def _find_lost(
    launchpad: LaunchPad, query: Mapping[str, Any] | None, is_queued: QueueCheck | None
) -> list[_ActiveJob]:
    jobs = [job for job in _read_active(launchpad, query) if not job.has_finished()]
    if not jobs or isinstance(launchpad, EmbeddedLaunchPad):
        return jobs
    offline = {
        run["launch_id"]
        for run in launchpad.offline_runs.find({"completed": False, "deprecated": False})
    }
    now = launchpad.now() if isinstance(launchpad, ClosingLaunchPad) else datetime.now(UTC)
    return [job for job in jobs if _is_lost(job, now, offline, is_queued)]


def _is_lost(
    job: _ActiveJob, now: datetime, offline: set[int], is_queued: QueueCheck | None
) -> bool:
    if job.is_half_freed():
        return True
    if job.state == "RESERVED":
        waiting = [launch for launch in job.launches if launch["state"] == "RESERVED"]
        queued_as = [job for job in map(find_reservation, waiting) if job]
        if queued_as:
            return is_queued is not None and not any(map(is_queued, queued_as))
        # without the number of a batch job: a checkout, or a submission, that was cut off
        holders = waiting or ([job.claim] if job.claim else [])
        if holders and all(_has_gone(holder, is_queued) for holder in holders):
            return True
        begun = bool(waiting) and is_queued is None
        return not begun and _measure_age(job.updated_on, now) > _CHECKOUT_PATIENCE
    running = [launch for launch in job.launches if launch["state"] == "RUNNING"]
    return all(
        (launch["launch_id"] not in offline and has_ended(launch))
        or _left(launch, is_queued)
        or _has_expired(launch, now)
        for launch in running
    )


def _has_gone(holder: dict[str, Any], is_queued: QueueCheck | None) -> bool:
    """Whether the process that reserves a FireWork has ended, as far as one can know."""
    batch_job = find_labelled_batch_job(holder)
    left = is_queued is not None and batch_job is not None and not is_queued(batch_job)
    return (left and not is_alive(holder)) or has_ended(holder)


def _left(launch: dict[str, Any], is_queued: QueueCheck | None) -> bool:
    """Whether the batch job of a launch is known to have left the queue, and its process with it.

    A controller that was killed may have forgotten a batch job that still runs.
    """
    job = find_batch_job(launch)
    left = is_queued is not None and job is not None and not is_queued(job)
    return left and not is_alive(launch)


def _has_expired(launch: dict[str, Any], now: datetime) -> bool:
    pinged = [entry for entry in launch["state_history"] if entry["state"] == "RUNNING"]
    last = pinged[0].get("updated_on") if pinged else None
    return last is not None and _measure_age(last, now) > timedelta(seconds=RUN_EXPIRATION_SECS)


def _measure_age(moment: Any, now: datetime) -> timedelta:
    moment = reconstitute_dates(moment)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    age: timedelta = now - moment
    return age


def _read_active(launchpad: LaunchPad, query: Mapping[str, Any] | None) -> list[_ActiveJob]:
    documents = list(
        launchpad.fireworks.find(
            {**(query or {}), "state": {"$in": ["RUNNING", "RESERVED"]}},
            {"fw_id": 1, "state": 1, "launches": 1, "updated_on": 1, "claim": 1},
        )
    )
    launch_ids = [launch_id for document in documents for launch_id in document["launches"]]
    launches = _read_launches(launchpad, {"launch_id": {"$in": launch_ids}}) if launch_ids else []
    by_id = {launch["launch_id"]: launch for launch in launches}
    return [
        _ActiveJob(
            fw_id=document["fw_id"],
            state=document["state"],
            launch_ids=list(document["launches"]),
            updated_on=document["updated_on"],
            launches=[by_id[each] for each in document["launches"] if each in by_id],
            claim=document.get("claim"),
        )
        for document in documents
    ]


def _read_launches(launchpad: LaunchPad, query: Mapping[str, Any]) -> list[dict[str, Any]]:
    fields = {"launch_id": 1, "state": 1, "fworker": 1, "state_history": 1, FREED: 1}
    return list(launchpad.launches.find(query, fields))


def _free_workflows(launchpad: LaunchPad, is_queued: QueueCheck | None) -> None:
    """Unlock and bring up to date what a process that is gone was about to write."""
    for workflow in list(launchpad.workflows.find({"locked": {"$exists": True}}, {"nodes": 1})):
        nodes = sorted(workflow["nodes"])
        launches = _read_launches(launchpad, {"fw_id": {"$in": nodes}})
        if any(has_ended(launch) or _left(launch, is_queued) for launch in launches):
            with WFLock(launchpad, nodes[0], expire_secs=_LOCK_PATIENCE_S, kill=True):
                pass  # frees the workflow on leaving
            active = _read_active(launchpad, {"fw_id": {"$in": nodes}})
            half_freed = {job.fw_id for job in active if job.is_half_freed()}
            for fw_id in nodes:
                if fw_id not in half_freed:  # FireWorks would take it for failed
                    launchpad._refresh_wf(fw_id)
