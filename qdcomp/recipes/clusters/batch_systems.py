"""The batch systems: their commands, and what of a job's resources they are told, and how."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from qdcomp.recipes.clusters.profile import Resources

AdapterValues = dict[str, str | int | None]
"""Values of the keys of a template; a line of the template whose value is None is left out."""


@dataclass(frozen=True)
class BatchSystem:
    """One batch system.

    Attributes
    ----------
    title
        What it is called.
    q_type
        What FireWorks calls it.
    template
        Template of its scripts.
    commands
        Commands that are needed, the one that takes a job first.
    job_id_variable
        Environment variable with the number of the batch job that runs here.
    longest_name
        Most letters of the name of a batch job.
    describe
        Values of its template for the resources of a job.
    list_named
        Command that lists the batch jobs of a name, a line each.
    wait
        Options of the first command that make it wait until the batch job has ended.
    cancel
        Command that takes batch jobs out of the queue, by their numbers.
    """

    title: str
    q_type: str
    template: str
    commands: tuple[str, ...]
    job_id_variable: str
    longest_name: int
    describe: Callable[[Resources], AdapterValues]
    list_named: tuple[str, ...]
    wait: tuple[str, ...]
    cancel: str


def find_batch_job() -> str:
    """Find the number of the batch job that this process runs in; empty outside of one."""
    found = (os.environ.get(system.job_id_variable) for system in SYSTEMS.values())
    return next(filter(None, found), "")


def name_batch_job(system: BatchSystem, name: str) -> str:
    """Name of a batch job that every batch system takes: a letter first, no spaces."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
    return f"qd{words}"[: system.longest_name]


def _describe_for_slurm(resources: Resources) -> AdapterValues:
    return {
        "nodes": resources.nodes,
        "ntasks_per_node": resources.ranks,
        "cpus_per_task": resources.threads,
        "mem": f"{resources.memory_mib}M" if resources.memory_mib else None,
        "walltime": _format_walltime(resources.walltime_s),
    }


def _describe_for_pbs(resources: Resources) -> AdapterValues:
    memory = f":mem={resources.memory_mib}mb" if resources.memory_mib else ""
    return {
        "select": (
            f"{resources.nodes}:ncpus={resources.cores}:mpiprocs={resources.ranks}"
            f":ompthreads={resources.threads}{memory}"
        ),
        "walltime": _format_walltime(resources.walltime_s),
    }


def _describe_for_lsf(resources: Resources) -> AdapterValues:
    minutes = max(1, math.floor(resources.walltime_s / 60))
    return {
        "ntasks": resources.nodes * resources.ranks,
        "ptile": resources.ranks,
        "cpus_per_task": resources.threads,
        "mem": f"{resources.memory_mib}MB" if resources.memory_mib else None,
        "walltime": f"{minutes // 60}:{minutes % 60:02d}",
    }


def _format_walltime(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


SYSTEMS: Mapping[str, BatchSystem] = {
    "slurm": BatchSystem(
        title="Slurm",
        q_type="SLURM",
        template="slurm/batch.sh",
        commands=("sbatch", "squeue", "scontrol", "sinfo"),
        job_id_variable="SLURM_JOB_ID",
        longest_name=40,
        describe=_describe_for_slurm,
        list_named=("squeue", "--noheader", "--me", "--format=%i", "--name"),
        wait=("--wait",),
        cancel="scancel",
    ),
    "pbs": BatchSystem(
        title="PBS",
        q_type="PBS",
        template="pbs/batch.sh",
        commands=("qsub", "qstat", "qselect"),
        job_id_variable="PBS_JOBID",
        longest_name=15,
        describe=_describe_for_pbs,
        list_named=("qselect", "-N"),
        wait=("-W", "block=true"),
        cancel="qdel",
    ),
    "lsf": BatchSystem(
        title="LSF",
        q_type="LoadSharingFacility",
        template="lsf/batch.sh",
        commands=("bsub", "bjobs", "bqueues"),
        job_id_variable="LSB_JOBID",
        longest_name=40,
        describe=_describe_for_lsf,
        list_named=("bjobs", "-noheader", "-o", "jobid", "-J"),
        wait=("-K",),
        cancel="bkill",
    ),
}
"""Each batch system by its name in a profile."""
