"""Which Python objects FireWorks may make of what stands in a database.

A document of a launchpad names the classes of its tasks (``_fw_name``), and FireWorks imports and
makes whatever class stands there: who may write to the database could have any code run on the
workers. While qdcomp launches, FireWorks makes the tasks of qdcomp and no others, and a FireWork
may not ask it to copy files, to run tasks in the background or to work outside its run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from fireworks import FireTaskBase
from fireworks.utilities import fw_serializers

from qdcomp.errors import StoreError

TASK_MODULE = "qdcomp.recipes.firetasks"
"""Module whose classes a launchpad may name."""

TRUSTED_VARIABLE = "QDCOMP_TRUSTED_TASKS"
"""Environment variable with the names (``_fw_name``) of further tasks that this user trusts,
``ScriptTask,{{my_package.tasks.MyTask}}``: for a launchpad that holds jobs of another program."""

SPEC_KEYS = frozenset(
    {
        "_allow_fizzled_parents",
        "_category",
        "_exception_details",
        "_fizzled_parents",
        "_fworker",
        "_launch_dir",
        "_pass_job_info",
        "_priority",
        "_queueadapter",
        "_recovery",
        "_tasks",
    }
)
"""Keys of a specification that FireWorks acts on and that a job of qdcomp may have; others of its
keys copy files, run further tasks or hand the launchpad to a task."""


class _ForeignTask(BaseException):
    """Passes through FireWorks, which would take an `Exception` for a fault of the FireWork."""


def is_own_task(name: object) -> bool:
    """Whether ``_fw_name`` is that of a task of qdcomp."""
    module, _, kind = str(name).removeprefix("{{").removesuffix("}}").rpartition(".")
    if str(name) != f"{{{{{TASK_MODULE}.{kind}}}}}" or module != TASK_MODULE:
        return False
    found = vars(import_module(TASK_MODULE)).get(kind)
    return (
        isinstance(found, type)
        and issubclass(found, FireTaskBase)
        and found.__module__ == TASK_MODULE
    )


def check_specification(spec: Mapping[str, Any]) -> None:
    """Refuse the specification of a FireWork that is not a job of qdcomp, before it is launched.

    Parameters
    ----------
    spec
        ``spec`` of the FireWork, as the database has it.

    Raises
    ------
    StoreError
        It names a foreign task, a key that has FireWorks do something else, or a folder outside
        its run.
    """
    for task in spec.get("_tasks") or ():
        name = task.fw_name if isinstance(task, FireTaskBase) else dict(task).get("_fw_name")
        if not _is_trusted(name):
            raise StoreError(_describe_foreign(name))
    for key in spec:
        if key.startswith("_") and key not in SPEC_KEYS:
            raise StoreError(
                f"the launchpad asks for {key!r}, which no job of qdcomp has: it is not launched. "
                "Who wrote it? A FireWork of another program needs FireWorks' own rlaunch"
            )
    if (spec.get("_recovery") or {}).get("_mode") == "cp":
        raise StoreError("the launchpad asks to copy a folder, which no job of qdcomp does")
    _check_folder(spec)


def _check_folder(spec: Mapping[str, Any]) -> None:
    """Check that a job of a run is launched inside that run."""
    root, folder = spec.get("run_directory"), spec.get("_launch_dir")
    if root is None or folder is None:
        return
    target = Path(os.path.expandvars(str(folder))).resolve()
    if not target.is_relative_to(Path(str(root)).resolve()):
        raise StoreError(
            f"the launchpad asks for a launch in {folder}, outside the run {root}: it is not "
            "launched"
        )


@contextmanager
def only_own_tasks() -> Iterator[None]:
    """Let FireWorks make no object of a document but the tasks of qdcomp.

    Holds for the whole process, since FireWorks looks the loader up in its module.

    Raises
    ------
    StoreError
        A document names another; nothing of it was made.
    """
    load, decodes = fw_serializers.load_object, fw_serializers.DECODE_MONTY

    def load_own(document: dict[str, Any]) -> Any:
        if not _is_trusted(document["_fw_name"]):
            raise _ForeignTask(_describe_foreign(document["_fw_name"]))
        return load(document)

    fw_serializers.load_object = load_own
    fw_serializers.DECODE_MONTY = False  # it makes objects of any module, by @module and @class
    try:
        yield
    except _ForeignTask as refusal:
        raise StoreError(str(refusal)) from None
    finally:
        fw_serializers.load_object, fw_serializers.DECODE_MONTY = load, decodes


def _is_trusted(name: object) -> bool:
    named = os.environ.get(TRUSTED_VARIABLE, "").split(",")
    return is_own_task(name) or (bool(name) and str(name) in map(str.strip, named))


def _describe_foreign(name: object) -> str:
    return (
        f"the launchpad asks for {str(name)[:200]!r}, which is not a task of qdcomp: it is not "
        "launched. Who wrote it? A task of your own is trusted by its name in "
        f"{TRUSTED_VARIABLE}; other programs are better kept in a database of their own"
    )
