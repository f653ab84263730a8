"""Whether the batch job that this process runs in lasts long enough for another FireWork."""

from __future__ import annotations

from collections.abc import Sequence

from fireworks import LaunchPad

from qdcomp.engines.deadline import LEAST_MARGIN_S, measure_time_left, read_deadline


def has_time_to_launch(launchpad: LaunchPad, launched: Sequence[int]) -> bool:
    """Whether another FireWork may be launched in this process.

    None may near the end of the batch job, nor after one that was ended because the end is near: it
    goes on in another batch job, and would be ended at once in this one.

    Parameters
    ----------
    launchpad
        Where the FireWorks are.
    launched
        ``fw_id`` of those launched so far, in order.
    """
    left = measure_time_left()
    if left is None:
        return True
    return left > LEAST_MARGIN_S and not (launched and goes_on_later(launchpad, launched[-1]))


def goes_on_later(launchpad: LaunchPad, fw_id: int) -> bool:
    """Whether a FireWork was ended because its batch job ends, and goes on in another."""
    if read_deadline() is None:
        return False
    document = launchpad.fireworks.find_one({"fw_id": fw_id}, {"launches": 1, "state": 1})
    if document is None or document["state"] != "COMPLETED" or not document["launches"]:
        return False
    action = launchpad.get_launch_by_id(document["launches"][-1]).action
    return action is not None and bool(action.detours)
