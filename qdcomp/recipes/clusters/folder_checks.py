"""Whether the folders of the profile can be written, and have room."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import NamedTemporaryFile

from qdcomp.recipes.clusters.finding import Finding, Site

LEAST_FREE_GIB = 1.0
"""Free space below which a folder is no good [GiB]."""


def check_scratch(site: Site) -> Finding:
    """Whether the scratch folder can be written here."""
    what = "scratch folder"
    if site.profile.scratch is None:
        return Finding(what, "left out", "the profile names none; jobs use the system's")
    return _check_folder(what, site.profile.scratch, "make it, or name another in the profile")


def check_run_folder(site: Site) -> Finding:
    """Whether the folder that runs are made in can be written here."""
    return _check_folder(
        "folder of runs", site.folder, "go to a folder that all nodes see, and start there"
    )


def _check_folder(what: str, folder: Path, mend: str) -> Finding:
    try:
        with NamedTemporaryFile(dir=folder, prefix="qdcomp-check-") as stream:
            stream.write(b"qdcomp")
            stream.flush()
        free = shutil.disk_usage(folder).free / 2**30
    except OSError as error:
        return Finding(what, "wrong", f"{folder}: {error.strerror or error}", mend)
    if free < LEAST_FREE_GIB:
        return Finding(what, "wrong", f"{folder}: {free:.2f} GiB free", "make room in it")
    return Finding(what, "ok", f"{folder}, {free:,.0f} GiB free")
