"""Results of nodes without a route to the database, by FireWorks' offline mode."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fireworks import LaunchPad

from qdcomp.recipes.campaigns.run_set import RunSet

_OFFLINE_NAME = "FW_offline.json"
"""What FireWorks' offline mode writes into the folder of a launch."""


def collect_offline(runs: RunSet, launchpad: LaunchPad) -> tuple[str, ...]:
    """Tell the launchpad what jobs did on nodes without a route to it.

    Returns
    -------
    Names of the jobs that have ended, well or not.
    """
    ended = []
    for entry in _list_open(runs, launchpad):
        told = _read_told(Path(launchpad.get_launch_by_id(entry["launch_id"]).launch_dir))
        if "started_on" not in told:  # FireWorks would call it running
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a job without a ping
            launchpad.recover_offline(entry["launch_id"], ignore_errors=True)
        if "fwaction" in told:
            ended.append(str(entry["name"]))
    return tuple(ended)


def list_offline_folders(runs: RunSet, launchpad: LaunchPad) -> set[str]:
    """Folders in which a job has begun or waits: a second would overwrite its files."""
    return {
        launchpad.get_launch_by_id(entry["launch_id"]).launch_dir
        for entry in _list_open(runs, launchpad)
    }


def _list_open(runs: RunSet, launchpad: LaunchPad) -> Iterator[dict[str, Any]]:
    """Entries of FireWorks' list of offline launches that are not told yet."""
    query = {**runs.query, "state": {"$in": ["RESERVED", "RUNNING"]}}
    numbers = [entry["fw_id"] for entry in launchpad.fireworks.find(query, {"fw_id": 1})]
    if not numbers:
        return iter(())
    found: Iterator[dict[str, Any]] = launchpad.offline_runs.find(
        {"completed": False, "deprecated": False, "fw_id": {"$in": numbers}}
    )
    return iter(list(found))


def _read_told(folder: Path) -> dict[str, Any]:
    """Read what a job wrote; nothing where it has not, or is just writing."""
    try:
        told: dict[str, Any] = json.loads((folder / _OFFLINE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told
