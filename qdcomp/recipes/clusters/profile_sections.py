"""Reading the profile of a cluster; everything that is wrong in it is said at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from qdcomp.errors import InputError
from qdcomp.plain_yaml import decode_text
from qdcomp.recipes.clusters.profile import (
    BATCH_SYSTEMS,
    MODES,
    STAGES,
    BatchSystemName,
    ClusterProfile,
    Limits,
    Mode,
    Resources,
)
from qdcomp.recipes.clusters.script_words import (
    check_command,
    check_folder,
    check_module,
    check_name,
    check_setup_line,
)
from qdcomp.recipes.launchpads import check_server, describe_location
from qdcomp.recipes.runs.run_directory import PROFILE_NAME, find_handed_over
from qdcomp.recipes.study_files.quantities import Dimension
from qdcomp.recipes.study_files.study_document import Section, read_document

WALLTIME = Dimension("wall time", {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}, "s", "12 h")

MEMORY = Dimension(
    "memory",
    {"MB": 1e6 / 2**20, "GB": 1e9 / 2**20, "MiB": 1.0, "GiB": 1024.0, "TiB": 2.0**20},
    "MiB",
    "16 GiB",
)

LAUNCHED = ("cp2k", "vasp", "vasp_gamma")
"""Commands that a profile may name under ``launch``."""

DATA = ("cp2k", "vasp")
"""Engines whose data folder a profile may name."""

_MOST_NODES = 100_000
_LEAST_WALLTIME_S = 60.0


def read_profile(path: Path) -> ClusterProfile:
    """Read and check the profile of a cluster.

    Raises
    ------
    InputError
        The file is missing, or something in it cannot be; every problem with its line.
    ParseError
        The file is not YAML.
    """
    document, problems = read_document(path, _read_text(path), kind="cluster profile")
    fields: dict[str, Any] = {
        "batch_system": document.take_choice(
            "batch_system", BATCH_SYSTEMS, required=" or ".join(BATCH_SYSTEMS)
        ),
        "mode": document.take_choice("mode", MODES) or "reservation",
        "modules": _take_checked(document, "modules", check_module),
        "setup": _take_checked(document, "setup", check_setup_line),
        "launch": _take_mapping(document, "launch", LAUNCHED, check_command),
        "data": _take_mapping(document, "data", DATA, check_folder),
        "scratch": _take_one(document, "scratch", check_folder),
        "launchpad": _take_one(document, "launchpad", _check_uri),
        "launchpad_file": _take_one(document, "launchpad_file", check_folder),
        "qdcomp": _take_one(document, "qdcomp", check_command) or "",
        "limits": _take_limits(document),
    }
    resources = _take_resources(document, fields["batch_system"])
    stages = _take_stages(document, resources)
    document.finish()
    problems.raise_if_any()
    fields["batch_system"] = cast(BatchSystemName, fields["batch_system"])
    fields["mode"] = cast(Mode, fields["mode"])
    return ClusterProfile(source=path, resources=resources, stages=stages, **fields)


def find_profile(root: Path) -> ClusterProfile:
    """Read the profile that a run was handed over with.

    Raises
    ------
    InputError
        The run has none, or it is wrong.
    """
    path = root / PROFILE_NAME
    if not path.is_file():
        campaign = find_handed_over(root)
        if campaign is not None:
            raise InputError(
                f"{root} is a member of a campaign, which is handed over as a whole: qdcomp submit "
                f"{campaign}"
            )
        raise InputError(
            f"{root} was not handed to a cluster (it has no {PROFILE_NAME}); name the cluster: "
            f"qdcomp submit {root} --cluster mycluster.yaml"
        )
    return read_profile(path)


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"cannot read the cluster profile {path}: {reason}; a commented one is printed by: "
            "qdcomp cluster example slurm"
        ) from None
    return decode_text(content, path)


def _take_one(section: Section, key: str, check: Any) -> Any:
    text = section.take_text(key)
    if text is None:
        return None
    with section.noting(key):
        return check(text)
    return None


def _take_checked(section: Section, key: str, check: Any) -> tuple[str, ...]:
    checked = []
    for text in section.take_texts(key):
        with section.noting(key):
            checked.append(check(text))
    return tuple(checked)


def _take_mapping(document: Section, key: str, names: tuple[str, ...], check: Any) -> Any:
    section = document.take_section(key)
    if section is None:
        return {}
    taken = {name: _take_one(section, name, check) for name in names}
    section.finish()
    return {name: value for name, value in taken.items() if value is not None}


def _check_uri(text: str) -> str:
    check_server(text)
    if describe_location(text) != text:
        raise InputError(
            f"{describe_location(text)} has a password, which does not belong into a profile: "
            "take it out here, and give the URI with its password in QDCOMP_LAUNCHPAD or in a file "
            "that only you can read (chmod 600), named here as launchpad_file"
        )
    return text


def _take_limits(document: Section) -> Limits:
    section = document.take_section("limits")
    if section is None:
        return Limits()
    queued = section.take_integer("queued", 1, 100_000)
    workers = section.take_integer("workers", 1, 1000)
    section.finish()
    return Limits(queued or Limits.queued, workers or Limits.workers)


def _take_resources(document: Section, batch_system: str | None) -> Resources:
    section = document.take_section("resources", required="{nodes: 1, cores: 16, walltime: 12 h}")
    default = Resources("", "", 1, 1, 1, None, 3600)
    if section is None:
        return default
    resources = _take_asked(section, default, required=True)
    if batch_system in ("pbs", "lsf") and not resources.partition:
        section.complain("queue", "missing; FireWorks counts the batch jobs of a queue by its name")
    return resources


def _take_stages(document: Section, resources: Resources) -> dict[str, Resources]:
    stages = {name: resources for name in STAGES} | {"own": replace(resources, nodes=1)}
    section = document.take_section("stages")
    if section is None:
        return stages
    for name in STAGES:
        asked = section.take_section(name)
        if asked is not None:
            stages[name] = _take_asked(asked, stages[name], required=False)
    section.finish()
    return stages


def _take_asked(section: Section, default: Resources, *, required: bool) -> Resources:
    walltime = section.take_quantity("walltime", WALLTIME, required)
    if walltime is not None and walltime < _LEAST_WALLTIME_S:
        section.complain("walltime", "must be at least 1 min, in which a job can begin and end")
    memory = section.take_quantity("memory", MEMORY)
    cores = section.take_integer("cores", 1, 10_000, required="16" if required else "")
    asked = Resources(
        partition=_take_partition(section) or default.partition,
        account=_take_one(section, "account", check_name) or default.account,
        nodes=section.take_integer("nodes", 1, _MOST_NODES) or default.nodes,
        cores=cores or default.cores,
        threads=section.take_integer("threads", 1, 10_000) or default.threads,
        memory_mib=default.memory_mib if memory is None else max(1, int(memory)),
        walltime_s=default.walltime_s if walltime is None else int(walltime),
    )
    if asked.cores % asked.threads:
        section.complain(
            "threads",
            f"{asked.cores} cores of a node cannot be shared out to ranks of {asked.threads} "
            "threads; choose a number that divides the cores",
        )
    section.finish()
    return asked


def _take_partition(section: Section) -> str | None:
    """Take the partition, which PBS and LSF call a queue."""
    partition = _take_one(section, "partition", check_name)
    queue = _take_one(section, "queue", check_name)
    if partition and queue:
        section.complain("queue", "another word for partition; give one of them")
    return cast("str | None", partition or queue)
