"""Whether the batch system is there, and takes what the stages of a profile ask for."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping

from qdcomp.errors import BatchError
from qdcomp.recipes.clusters.batch_systems import SYSTEMS
from qdcomp.recipes.clusters.finding import Finding, Site
from qdcomp.recipes.clusters.partition_limits import PartitionLimits, read_limits
from qdcomp.recipes.clusters.profile import (
    STAGES,
    BatchSystemName,
    ClusterProfile,
    Resources,
)

_SILENT = "the batch system does not say"
_LISTED_BY: Mapping[BatchSystemName, str] = {
    "slurm": "sinfo",
    "pbs": "qstat -Q",
    "lsf": "bqueues",
}
"""Command that lists the partitions, or queues."""

_WITHOUT_COMMANDS = (
    "call this on a login node, load the batch system's module, or correct batch_system"
)


def check_batch_commands(site: Site) -> Finding:
    """Whether the commands of the batch system are on this machine."""
    system = SYSTEMS[site.profile.batch_system]
    what = f"commands of {system.title}"
    missing = [name for name in system.commands if shutil.which(name) is None]
    if missing:
        return Finding(
            what,
            "wrong",
            f"no {', '.join(missing)} on the path",
            _WITHOUT_COMMANDS,
        )
    return Finding(what, "ok", ", ".join(system.commands))


def check_partitions(site: Site) -> Finding:
    """Whether each partition is there and takes jobs."""
    what = "partitions"
    names = _list_partitions(site.profile)
    try:
        limits = {name: read_limits(site.profile.batch_system, name) for name in names}
    except BatchError as error:
        asked = shutil.which(_LISTED_BY[site.profile.batch_system].split()[0])
        advice = "see whether the batch system runs" if asked else _WITHOUT_COMMANDS
        return Finding(what, "wrong", str(error), advice)
    unknown = [name or "a default one" for name, found in limits.items() if found is None]
    closed = [found.name for found in limits.values() if found is not None and not found.is_open]
    if unknown or closed:
        texts = [f"there is no {name}" for name in unknown]
        texts += [f"{name} takes no jobs now" for name in closed]
        there = _LISTED_BY[site.profile.batch_system]
        mend = f"correct partition in the profile; which there are says: {there}"
        return Finding(what, "wrong", "; ".join(texts), mend)
    return Finding(what, "ok", ", ".join(found.name for found in limits.values() if found))


def check_walltime(site: Site) -> Finding:
    """Whether each stage's wall time is within the limit of its partition."""
    return _compare(
        site,
        "wall time",
        lambda asked: float(asked.walltime_s),
        lambda limits: limits.walltime_s,
        _format_hours,
        "lower walltime; long dynamics goes on in the next job",
    )


def check_nodes(site: Site) -> Finding:
    """Whether each stage's nodes are within the limit of its partition."""
    return _compare(
        site,
        "nodes",
        lambda asked: float(asked.nodes),
        lambda limits: limits.nodes,
        lambda value: f"{value:.0f}",
        "lower nodes, or choose a larger partition",
    )


def check_cores(site: Site) -> Finding:
    """Whether each stage's cores are those of a node of its partition."""
    return _compare(
        site,
        "cores of a node",
        lambda asked: float(asked.cores),
        lambda limits: limits.cores,
        lambda value: f"{value:.0f}",
        "lower cores, and take more nodes instead",
    )


def check_memory(site: Site) -> Finding:
    """Whether each stage's memory is that of a node of its partition."""
    return _compare(
        site,
        "memory of a node",
        lambda asked: None if asked.memory_mib is None else float(asked.memory_mib),
        lambda limits: limits.memory_mib,
        lambda value: f"{value / 1024:.1f} GiB",
        "lower memory, or choose a partition with larger nodes",
    )


def _compare(
    site: Site,
    what: str,
    read_asked: Callable[[Resources], float | None],
    read_limit: Callable[[PartitionLimits], float | None],
    write: Callable[[float], str],
    mend: str,
) -> Finding:
    """Compare what each stage asks for with what its partition allows."""
    try:
        known = {
            name: read_limits(site.profile.batch_system, name)
            for name in _list_partitions(site.profile)
        }
    except BatchError:
        return Finding(what, "left out", _SILENT)
    compared, wrong = [], []
    for stage in STAGES:
        asked = site.profile.stages[stage]
        limits = known[asked.partition]
        wanted, most = read_asked(asked), None if limits is None else read_limit(limits)
        if limits is None or wanted is None or most is None:
            continue
        compared.append(f"{stage} {write(wanted)}")
        if wanted > most:
            wrong.append(f"{stage} asks for {write(wanted)}, {limits.name} allows {write(most)}")
    if wrong:
        return Finding(what, "wrong", "; ".join(wrong), mend)
    if not compared:
        return Finding(what, "left out", "no limit that the batch system tells")
    return Finding(what, "ok", ", ".join(compared))


def _list_partitions(profile: ClusterProfile) -> list[str]:
    asked = [profile.resources, *(profile.stages[stage] for stage in STAGES)]
    return list(dict.fromkeys(resources.partition for resources in asked))


def _format_hours(seconds: float) -> str:
    return f"{seconds / 3600:.3g} h"
