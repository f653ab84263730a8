"""Where the launchpad of a run on a cluster is, and the file that tells its batch jobs."""

from __future__ import annotations

import stat
from pathlib import Path

import yaml

from qdcomp.errors import InputError
from qdcomp.recipes.campaign import find_launchpad, find_server
from qdcomp.recipes.clusters.profile import ClusterProfile
from qdcomp.recipes.launchpads import check_server, is_server
from qdcomp.recipes.run_directory import RunDirectory

ACCESS_NAME = "launchpad.yaml"
"""FireWorks' launchpad file in the folder of a run, with the password; only its user reads it."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


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


def find_run_server(run: RunDirectory, profile: ClusterProfile, given: str | None = None) -> str:
    """URI of the launchpad server of a run: that which it was handed over with, unless given.

    Raises
    ------
    InputError
        The run is on an embedded launchpad, or the file that has the URI can be read by others.
    """
    server = find_server(given)
    path = run.root / ACCESS_NAME
    if server is None and path.is_file():
        server = _read_access_file(path)
    if server is None and (profile.launchpad_file or profile.launchpad):
        server = find_cluster_server(profile)
    noted = server or find_launchpad(run)
    return str(noted) if is_server(noted) else _refuse_embedded(run.root)


def _refuse_embedded(place: Path) -> str:
    raise InputError(
        f"{place} names no launchpad server, and the batch jobs of a cluster cannot share a file "
        "(the embedded launchpad serves one process); give the URI of a server, "
        "mongodb://HOST:PORT/DATABASE, as launchpad in the cluster profile, in QDCOMP_LAUNCHPAD "
        "or with --launchpad"
    )


def _read_uri_file(path: Path) -> str:
    uri = _read_private(path).strip()
    check_server(uri)
    return uri


def _read_access_file(path: Path) -> str:
    content = yaml.safe_load(_read_private(path))
    uri = content.get("host") if isinstance(content, dict) else None
    if not isinstance(uri, str):
        raise InputError(
            f"{path} is not a launchpad file as FireWorks writes it; remove it, and hand the run "
            "over again with --cluster"
        )
    check_server(uri)
    return uri


def _read_private(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text in UTF-8"
        raise InputError(
            f"{path}: {reason}; expected a file with the URI of the launchpad server"
        ) from None
    if mode & _OTHERS:
        raise InputError(
            f"{path} holds the password of the launchpad, and others can read or write it; "
            f"keep it for yourself: chmod 600 {path}"
        )
    return text
