"""What a partition or queue allows, as the batch system says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from qdcomp.errors import BatchError
from qdcomp.recipes.clusters.commands import call
from qdcomp.recipes.clusters.profile import BatchSystemName


@dataclass(frozen=True)
class PartitionLimits:
    """What a partition allows; None where the batch system does not limit it or does not say.

    Attributes
    ----------
    name
        Its name.
    is_open
        Whether it takes and starts jobs.
    walltime_s
        Longest wall time [s].
    nodes
        Most nodes of a job.
    cores
        Cores of its largest node.
    memory_mib
        Memory of its largest node [MiB].
    """

    name: str
    is_open: bool
    walltime_s: float | None = None
    nodes: int | None = None
    cores: int | None = None
    memory_mib: int | None = None


def read_limits(batch_system: BatchSystemName, partition: str) -> PartitionLimits | None:
    """Ask the batch system what a partition allows; None if there is no such partition.

    Raises
    ------
    BatchError
        It does not answer.
    """
    return _READERS[batch_system](partition)


def parse_scontrol(text: str, partition: str) -> PartitionLimits | None:
    """Read ``scontrol show partition --oneliner``; without a name the default partition."""
    for line in text.splitlines():
        fields = dict(re.findall(r"(\w+)=(\S*)", line))
        if fields.get("PartitionName") == partition or (
            not partition and fields.get("Default") == "YES"
        ):
            return PartitionLimits(
                fields["PartitionName"],
                fields.get("State") == "UP",
                _read_time(fields.get("MaxTime", "")),
                _least(fields.get("MaxNodes"), fields.get("TotalNodes")),
            )
    return None


def parse_qstat(text: str) -> PartitionLimits | None:
    """Read ``qstat -Qf QUEUE`` of PBS."""
    name = re.search(r"^Queue: (\S+)", text, re.MULTILINE)
    if name is None:
        return None
    fields = dict(re.findall(r"^\s*([\w.]+) = (\S+)", text, re.MULTILINE))
    is_open = all(fields.get(key, "True") == "True" for key in ("enabled", "started"))
    return PartitionLimits(
        name[1],
        is_open,
        _read_time(fields.get("resources_max.walltime", "")),
        _least(fields.get("resources_max.nodect")),
        _least(fields.get("resources_max.ncpus")),
    )


def parse_bqueues(text: str) -> PartitionLimits | None:
    """Read ``bqueues -l QUEUE`` of LSF, whose RUNLIMIT is in minutes."""
    name = re.search(r"^QUEUE: (\S+)", text, re.MULTILINE)
    if name is None:
        return None
    limit = re.search(r"RUNLIMIT\s+([\d.]+)\s*min", text)
    return PartitionLimits(
        name[1], "Open:Active" in text, float(limit[1]) * 60.0 if limit else None
    )


def _ask_slurm(partition: str) -> PartitionLimits | None:
    limits = parse_scontrol(_ask("scontrol", "show", "partition", "--oneliner"), partition)
    if limits is None:
        return None
    nodes = _ask(
        "sinfo", "--noheader", "--Node", "--partition", limits.name, "--format", "%c %m"
    ).split()
    cores, memory = _largest(nodes[::2]), _largest(nodes[1::2])
    return PartitionLimits(
        limits.name, limits.is_open, limits.walltime_s, limits.nodes, cores, memory
    )


def _ask_pbs(partition: str) -> PartitionLimits | None:
    return parse_qstat(_ask("qstat", "-Qf", partition, unknown="Unknown queue"))


def _ask_lsf(partition: str) -> PartitionLimits | None:
    return parse_bqueues(_ask("bqueues", "-l", partition, unknown="No such queue"))


def _ask(*command: str, unknown: str = "") -> str:
    done = call(command)
    if done.returncode and not (unknown and unknown.lower() in done.stderr.lower()):
        words = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise BatchError(f"{' '.join(command)}: {words}")
    return done.stdout


def _read_time(text: str) -> float | None:
    """Read ``days-hours:minutes:seconds``, in which all but the last are optional [s]."""
    match = re.fullmatch(r"(?:(\d+)-)?(\d+(?::\d+)*)", text)
    if match is None:
        return None
    seconds = 0.0
    for part in match[2].split(":"):
        seconds = seconds * 60.0 + float(part)
    return seconds + 86400.0 * float(match[1] or 0)


def _least(*texts: str | None) -> int | None:
    numbers = [int(text) for text in texts if text and text.isdigit()]
    return min(numbers) if numbers else None


def _largest(texts: Iterable[str]) -> int | None:
    numbers = [int(text.rstrip("+")) for text in texts if text.rstrip("+").isdigit()]
    return max(numbers) if numbers else None


_READERS: Mapping[str, Callable[[str], PartitionLimits | None]] = {
    "slurm": _ask_slurm,
    "pbs": _ask_pbs,
    "lsf": _ask_lsf,
}
