"""How many batch jobs there are, and how many more a profile lets be handed over."""

from __future__ import annotations

from fireworks.user_objects.queue_adapters.common_adapter import CommonAdapter

from qdcomp.errors import BatchError
from qdcomp.recipes.clusters.batch_systems import SYSTEMS, find_batch_job
from qdcomp.recipes.clusters.commands import PATIENCE_S, call, require
from qdcomp.recipes.clusters.profile import ClusterProfile
from qdcomp.recipes.clusters.queue_launching import find_refusal, keep_messages

_NONE_OF_THAT_NAME = "not found"


def count_room(profile: ClusterProfile) -> int:
    """Count how many more batch jobs the limit of a profile allows, by FireWorks' adapter.

    The batch job that this process runs in is about to end, and makes room for another.

    Raises
    ------
    BatchError
        The batch system does not answer.
    """
    partitions = {resources.partition for resources in profile.stages.values()}
    queues = [None] if profile.batch_system == "slurm" else sorted(partitions)
    queued = sum(_count_queued(profile, queue) for queue in queues)
    return max(0, profile.limits.queued - queued + (1 if find_batch_job() else 0))


def list_named_jobs(profile: ClusterProfile, name: str) -> list[str]:
    """Numbers of the batch jobs of that name, waiting and running.

    Raises
    ------
    BatchError
        The batch system does not answer.
    """
    system = SYSTEMS[profile.batch_system]
    done = call([*system.list_named, name])
    if done.returncode and _NONE_OF_THAT_NAME not in done.stderr:
        words = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise BatchError(f"{system.title} does not list the jobs named {name}: {words}")
    return done.stdout.split()


def _count_queued(profile: ClusterProfile, queue: str | None) -> int:
    system = SYSTEMS[profile.batch_system]
    require(system.commands[0])
    adapter = CommonAdapter(
        q_type=system.q_type, q_name=profile.batch_system, timeout=PATIENCE_S, queue=queue
    )
    with keep_messages(adapter.q_name) as messages:
        count = adapter.get_njobs_in_queue()
    if count is None:
        raise BatchError(
            f"{system.title} does not say how many jobs are in its queue: "
            f"{find_refusal(messages)}; try again when it answers"
        )
    return int(count)
