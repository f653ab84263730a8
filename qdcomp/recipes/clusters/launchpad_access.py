"""Where the launchpad of a run on a cluster is, and the file that tells its batch jobs."""

from __future__ import annotations

from pathlib import Path

from qdcomp.errors import InputError
from qdcomp.recipes.campaigns.run_set import RunSet
from qdcomp.recipes.clusters.profile import ClusterProfile
from qdcomp.recipes.launchpads import (
    check_server,
    is_server,
    read_launchpad_file,
    read_private_file,
)
from qdcomp.recipes.runs.run_directory import ACCESS_NAME
from qdcomp.recipes.workflows.run_launching import find_launchpad_of, find_server


def find_cluster_server(profile: ClusterProfile, given: str | None = None) -> str:
    """URI of the launchpad server: as given, else the environment's, else the profile's.

    Raises
    ------
    InputError
        There is none, or the file that has it can be read by others.
    """
    server = find_server(given)
    if server is None and profile.launchpad_file is not None:
        server = _read_uri_file(profile.launchpad_file)
    return server or profile.launchpad or _refuse_embedded(profile.source)


def find_run_server(runs: RunSet, profile: ClusterProfile, given: str | None = None) -> str:
    """URI of the launchpad server of runs: that which they were handed over with, unless given.

    Raises
    ------
    InputError
        They are on an embedded launchpad, or the file that has the URI can be read by others.
    """
    server = find_server(given)
    path = runs.root / ACCESS_NAME
    if server is None and path.is_file():
        server = read_launchpad_file(path)
    if server is None and (profile.launchpad_file or profile.launchpad):
        server = find_cluster_server(profile)
    noted = server or find_launchpad_of(runs.root)
    return str(noted) if is_server(noted) else _refuse_embedded(runs.root)


def _refuse_embedded(place: Path) -> str:
    raise InputError(
        f"{place} names no launchpad server, and the batch jobs of a cluster cannot share a file "
        "(the embedded launchpad serves one process); give the URI of a server, "
        "mongodb://HOST:PORT/DATABASE, as launchpad in the cluster profile, in QDCOMP_LAUNCHPAD "
        "or with --launchpad"
    )


def _read_uri_file(path: Path) -> str:
    uri = read_private_file(path).strip()
    check_server(uri)
    return uri
