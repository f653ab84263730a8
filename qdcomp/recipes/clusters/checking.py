"""Try every piece of a cluster profile on the login node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from qdcomp.errors import InputError
from qdcomp.recipes.clusters.batch_checks import (
    check_batch_commands,
    check_cores,
    check_memory,
    check_nodes,
    check_partitions,
    check_walltime,
)
from qdcomp.recipes.clusters.batch_trial import try_batch_job
from qdcomp.recipes.clusters.database_checks import check_clock, check_database
from qdcomp.recipes.clusters.engine_checks import (
    check_cp2k,
    check_cp2k_data,
    check_modules,
    check_vasp,
    check_vasp_data,
)
from qdcomp.recipes.clusters.finding import Finding, Site
from qdcomp.recipes.clusters.folder_checks import check_run_folder, check_scratch
from qdcomp.recipes.clusters.launchpad_access import find_cluster_server
from qdcomp.recipes.clusters.profile import ClusterProfile

CHECKS: tuple[Callable[[Site], Finding], ...] = (
    check_modules,
    check_cp2k,
    check_cp2k_data,
    check_vasp,
    check_vasp_data,
    check_database,
    check_clock,
    check_batch_commands,
    check_partitions,
    check_walltime,
    check_nodes,
    check_cores,
    check_memory,
    check_scratch,
    check_run_folder,
)
"""Every check that needs no batch job."""


def check_cluster(
    profile: ClusterProfile, folder: Path, *, submit: bool = False
) -> Iterator[Finding]:
    """Try each piece of a profile, one after another.

    Parameters
    ----------
    profile
        The cluster.
    folder
        Folder that runs are made in.
    submit
        Whether to hand a tiny job to the batch system, and wait for it.

    Raises
    ------
    InputError
        The URI of the launchpad cannot be read, or others can read the file that has it.
    """
    site = Site(profile, _find_server(profile), folder.resolve())
    for check in (*CHECKS, *((try_batch_job,) if submit else ())):
        yield check(site)


def _find_server(profile: ClusterProfile) -> str | None:
    try:
        return find_cluster_server(profile)
    except InputError:
        if profile.launchpad_file or profile.launchpad:
            raise
        return None
