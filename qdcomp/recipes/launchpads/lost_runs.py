"""FireWorks that a process was running when it was killed: find them, make them ready again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

from fireworks import LaunchPad
from fireworks.core.launchpad import WFLock
from fireworks.fw_config import RUN_EXPIRATION_SECS
from fireworks.utilities.fw_serializers import reconstitute_dates

from qdcomp.recipes.launchpads.embedded_launchpad import EmbeddedLaunchPad
from qdcomp.recipes.launchpads.process_identity import has_ended

_LOCK_PATIENCE_S = 30.0
"""How long a live worker may hold a workflow; FireWorks' own updates take well under a second."""

_CHECKOUT_PATIENCE = timedelta(minutes=5)
"""How long a FireWork may be reserved before its launch is written, which takes milliseconds."""


def find_lost_runs(launchpad: LaunchPad, query: Mapping[str, Any] | None = None) -> list[int]:
    """FireWorks that are said to run or to be reserved, by a process that is gone.

    In an embedded launchpad that is every one, before this process launches its first. On a server
    a run is lost if its process ran on this machine and has ended, or if it has not said that it is
    alive for FireWorks' ``RUN_EXPIRATION_SECS`` (four hours). What waits in a batch system's queue
    is not lost; FireWorks' ``lpad detect_unreserved`` looks after that.

    Parameters
    ----------
    launchpad
        The launchpad.
    query
        Which FireWorks to look at, as a MongoDB filter; None for all.

    Returns
    -------
    list[int]
        Their ``fw_id``, in order.
    """
    return sorted(
        document["fw_id"]
        for document in _list_active(launchpad, query)
        if _is_lost(launchpad, document)
    )


def reset_lost_runs(launchpad: LaunchPad, query: Mapping[str, Any] | None = None) -> list[int]:
    """Make lost runs ready again, by FireWorks' own `rerun_fw`; call it before launching.

    The specification stays as it is, ``_launch_dir`` with it: the tasks find what they left there.
    What FireWorks left half done when a process was killed is put right first.

    Parameters
    ----------
    launchpad
        The launchpad.
    query
        Which FireWorks to look at, as a MongoDB filter; None for all.

    Returns
    -------
    list[int]
        ``fw_id`` of those made ready, in order.
    """
    if not isinstance(launchpad, EmbeddedLaunchPad):
        _free_workflows(launchpad)
    for document in _list_active(launchpad, query):
        if _has_finished(launchpad, document):
            launchpad._refresh_wf(document["fw_id"])
    lost = find_lost_runs(launchpad, query)
    for fw_id in lost:
        _reset(launchpad, fw_id)
    return lost


def _reset(launchpad: LaunchPad, fw_id: int) -> None:
    embedded = isinstance(launchpad, EmbeddedLaunchPad)
    with launchpad.as_one() if embedded else nullcontext():
        document = launchpad.fireworks.find_one({"fw_id": fw_id}, {"launches": 1})
        for launch in _list_launches(launchpad, document["launches"]):
            if launch["state"] == "RUNNING":
                launchpad.mark_fizzled(launch["launch_id"])
            elif launch["state"] == "RESERVED":
                launchpad.cancel_reservation(launch["launch_id"])
        launchpad.rerun_fw(fw_id)


def _list_active(launchpad: LaunchPad, query: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    return list(
        launchpad.fireworks.find(
            {**(query or {}), "state": {"$in": ["RUNNING", "RESERVED"]}},
            {"fw_id": 1, "state": 1, "launches": 1, "updated_on": 1},
        )
    )


def _has_finished(launchpad: LaunchPad, document: dict[str, Any]) -> bool:
    """Whether a launch has ended, and the FireWork has not been told."""
    launches = _list_launches(launchpad, document["launches"])
    return any(launch["state"] in ("COMPLETED", "FIZZLED") for launch in launches)


def _is_lost(launchpad: LaunchPad, document: dict[str, Any]) -> bool:
    if _has_finished(launchpad, document):
        return False
    if isinstance(launchpad, EmbeddedLaunchPad):
        return True
    launches = _list_launches(launchpad, document["launches"])
    if document["state"] == "RESERVED":
        in_queue = any(launch["state"] == "RESERVED" for launch in launches)
        return not in_queue and _age(document["updated_on"]) > _CHECKOUT_PATIENCE
    running = [launch for launch in launches if launch["state"] == "RUNNING"]
    return all(has_ended(launch) or _has_expired(launchpad, launch) for launch in running)


def _has_expired(launchpad: LaunchPad, launch: dict[str, Any]) -> bool:
    pinged = launchpad.get_launch_by_id(launch["launch_id"]).last_pinged
    return pinged is not None and _age(pinged) > timedelta(seconds=RUN_EXPIRATION_SECS)


def _age(moment: Any) -> timedelta:
    moment = reconstitute_dates(moment)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    age: timedelta = datetime.now(UTC) - moment
    return age


def _list_launches(launchpad: LaunchPad, launch_ids: Sequence[int]) -> list[dict[str, Any]]:
    return list(
        launchpad.launches.find(
            {"launch_id": {"$in": list(launch_ids)}}, {"launch_id": 1, "state": 1, "fworker": 1}
        )
    )


def _free_workflows(launchpad: LaunchPad) -> None:
    """Unlock and bring up to date what a killed process of this machine was about to write."""
    for workflow in list(launchpad.workflows.find({"locked": {"$exists": True}}, {"nodes": 1})):
        nodes = sorted(workflow["nodes"])
        launches = launchpad.launches.find({"fw_id": {"$in": nodes}}, {"fworker": 1})
        if any(has_ended(launch) for launch in launches):
            with WFLock(launchpad, nodes[0], expire_secs=_LOCK_PATIENCE_S, kill=True):
                pass  # frees the workflow on leaving
            for fw_id in nodes:
                launchpad._refresh_wf(fw_id)
