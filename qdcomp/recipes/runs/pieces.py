"""The Fireworks of one job: one for each piece that it is run in, all of the same name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fireworks import FireTaskBase, Firework, LaunchPad

_ADDED_AT_LAUNCH = ("_fw_env", "_tasks", "_recovery", "_fizzled_parents")
"""Parts of a spec that FireWorks adds to it."""

_DONE, _WAITS, _NEXT = range(3)

CurrentJobs = Mapping[str, Mapping[str, Any]]
"""The Firework that says how a job stands, by the name of the job."""


def make_next_piece(tasks: Sequence[FireTaskBase], fw_spec: Mapping[str, Any]) -> Firework:
    """Make the Firework that goes on with the job of the one that runs.

    Parameters
    ----------
    tasks
        What it does.
    fw_spec
        The spec that the one that runs was given; folder, category, resources and priority stay.
    """
    spec = {key: value for key, value in fw_spec.items() if key not in _ADDED_AT_LAUNCH}
    return Firework(list(tasks), spec=spec, name=fw_spec["job"])


def find_current_jobs(query: Mapping[str, Any], launchpad: LaunchPad) -> dict[str, CurrentJobs]:
    """Find how every job of some runs stands, by the folder of its run and its name.

    Parameters
    ----------
    query
        Which jobs, as a MongoDB filter.
    launchpad
        Where they are; it is asked once.
    """
    fields = {"_id": 0, "fw_id": 1, "name": 1, "state": 1, "spec.run_directory": 1}
    by_root: dict[str, list[Mapping[str, Any]]] = {}
    for document in launchpad.fireworks.find(query, fields):
        by_root.setdefault(document["spec"]["run_directory"], []).append(document)
    return {root: select_current(documents) for root, documents in by_root.items()}


def select_current(documents: Iterable[Mapping[str, Any]]) -> CurrentJobs:
    """Select, for each name, the Firework that says how its job stands.

    That is the newest; where an older one is run again, that one.

    Parameters
    ----------
    documents
        ``name``, ``fw_id`` and ``state`` of Fireworks of one run.
    """
    current: dict[str, Mapping[str, Any]] = {}
    for document in sorted(documents, key=_order):
        current[document["name"]] = document
    return current


def _order(document: Mapping[str, Any]) -> tuple[int, int]:
    rank = {"COMPLETED": _DONE, "ARCHIVED": _DONE, "WAITING": _WAITS}
    return rank.get(document["state"], _NEXT), document["fw_id"]
