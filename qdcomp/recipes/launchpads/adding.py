"""Many workflows at once: a few calls to the database for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

from fireworks import LaunchPad, Workflow

from qdcomp.recipes.launchpads.embedded_launchpad import EmbeddedLaunchPad


def add_workflows(launchpad: LaunchPad, workflows: Sequence[Workflow]) -> None:
    """Add workflows as FireWorks' ``add_wf`` adds one, in four calls for all.

    The jobs are stored before the workflows that tie them: what a kill in between leaves is jobs
    without a workflow, never a workflow without jobs. FireWorks' ``bulk_add_wfs`` does it the other
    way round, and prints.

    Parameters
    ----------
    launchpad
        The launchpad.
    workflows
        What to add; their jobs get new numbers.
    """
    if not workflows:
        return
    embedded = isinstance(launchpad, EmbeddedLaunchPad)
    with launchpad.as_one() if embedded else nullcontext():
        number = launchpad.get_new_fw_id(quantity=sum(len(each.id_fw) for each in workflows))
        for workflow in workflows:
            number = _number_jobs(workflow, number)
        launchpad.fireworks.insert_many(
            [job.to_db_dict() for workflow in workflows for job in workflow.id_fw.values()]
        )
        launchpad.workflows.insert_many([workflow.to_db_dict() for workflow in workflows])


def _number_jobs(workflow: Workflow, number: int) -> int:
    """Give the jobs of a workflow numbers, make ready those without parents; return the next."""
    for fw_id in workflow.root_fw_ids:
        workflow.id_fw[fw_id].state = "READY"
        workflow.fw_states[fw_id] = "READY"
    old_new = {}
    for job in sorted(workflow.id_fw.values(), key=lambda each: int(each.fw_id)):
        old_new[job.fw_id], job.fw_id = number, number
        number += 1
    workflow._reassign_ids(old_new)
    return number
