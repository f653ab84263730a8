"""What one check of a cluster found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from qdcomp.recipes.clusters.profile import ClusterProfile


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    what
        What was looked at.
    state
        ``ok``, ``wrong``, or ``left out`` where the profile does not name it or it cannot be told.
    found
        What is there.
    mend
        How to mend it; empty where it is not wrong.
    """

    what: str
    state: Literal["ok", "wrong", "left out"]
    found: str
    mend: str = ""


@dataclass(frozen=True)
class Site:
    """What the checks look at.

    Attributes
    ----------
    profile
        The cluster.
    server
        URI of the launchpad server; None where none is named.
    folder
        Folder that runs are made in.
    """

    profile: ClusterProfile
    server: str | None
    folder: Path
