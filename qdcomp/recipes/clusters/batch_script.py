"""The script of a batch job, by FireWorks' queue adapter and the templates of qdcomp."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from fireworks.user_objects.queue_adapters.common_adapter import CommonAdapter

from qdcomp.recipes.clusters.batch_systems import SYSTEMS, AdapterValues, name_batch_job
from qdcomp.recipes.clusters.profile import ClusterProfile, Resources
from qdcomp.recipes.runs.run_directory import ACCESS_NAME
from qdcomp.resources import find_template

_COMMAND_VARIABLES = {
    "cp2k": "QDCOMP_CP2K_COMMAND",
    "vasp": "QDCOMP_VASP",
    "vasp_gamma": "QDCOMP_VASP_GAMMA",
}
_DATA_VARIABLES = {"cp2k": "CP2K_DATA_DIR", "vasp": "PMG_VASP_PSP_DIR"}

_ANSWER_PATIENCE_S = 30
"""How long the batch system may take to say how many jobs are in its queue [s]."""


def make_adapter(profile: ClusterProfile, root: Path, launch: str) -> CommonAdapter:
    """Make FireWorks' queue adapter for the jobs of a run.

    Parameters
    ----------
    profile
        The cluster.
    root
        Folder of the run.
    launch
        Lines that launch what the batch job is for, as `launch_one` or `launch_side_by_side`
        write them.
    """
    system = SYSTEMS[profile.batch_system]
    values = describe_resources(profile, profile.resources, root.name)
    return CommonAdapter(
        q_type=system.q_type,
        q_name=profile.batch_system,
        template_file=str(find_template(system.template)),
        timeout=_ANSWER_PATIENCE_S,
        **values,
        pre_rocket="\n".join(prepare_shell(profile)) or None,
        rocket_launch=launch,
        post_rocket=None if profile.mode == "offline" else _hand_over_again(profile, root),
    )


def describe_resources(profile: ClusterProfile, resources: Resources, name: str) -> AdapterValues:
    """Describe the resources of a batch job of that name as the adapter takes them."""
    system = SYSTEMS[profile.batch_system]
    return {
        **system.describe(resources),
        "queue": resources.partition or None,
        "account": resources.account or None,
        "job_name": name_batch_job(system, name),
        "omp_num_threads": resources.threads,
        "walltime_s": resources.walltime_s,
    }


def launch_one(profile: ClusterProfile, root: Path) -> str:
    """Line that launches one job, whose number FireWorks appends."""
    if profile.mode == "offline":
        return _write_command(profile, "worker", "singleshot", "--offline")
    return _write_command(profile, "worker", "singleshot", *_name_run(root))


def launch_side_by_side(profile: ClusterProfile, root: Path, workers: int) -> str:
    """Lines that launch several workers side by side, and wait for them."""
    line = _write_command(profile, "worker", "rapidfire", *_name_run(root))
    return "\n".join([*[f"{line} &"] * workers, "wait"])


def describe_environment(profile: ClusterProfile) -> dict[str, str]:
    """Environment variables of the engines and of temporary files, as the profile has them."""
    commands = {_COMMAND_VARIABLES[name]: text for name, text in profile.launch.items()}
    folders = {_DATA_VARIABLES[name]: str(path) for name, path in profile.data.items()}
    scratch = {"TMPDIR": str(profile.scratch)} if profile.scratch else {}
    return commands | folders | scratch


def prepare_shell(profile: ClusterProfile) -> list[str]:
    """Lines that make a shell ready for the engines: modules, the user's own lines, variables."""
    modules = [f"module load {shlex.quote(name)}" for name in profile.modules]
    exports = [
        f"export {name}={shlex.quote(value)}"
        for name, value in describe_environment(profile).items()
    ]
    return [*modules, *profile.setup, *exports]


def start_qdcomp(profile: ClusterProfile) -> list[str]:
    """Command, in words, that starts qdcomp on a node."""
    return profile.qdcomp.split() or [sys.executable, "-m", "qdcomp"]


def _name_run(root: Path) -> tuple[str, ...]:
    return "--run", str(root), "--launchpad-file", str(root / ACCESS_NAME)


def _hand_over_again(profile: ClusterProfile, root: Path) -> str:
    return _write_command(profile, "submit", str(root))


def _write_command(profile: ClusterProfile, *words: str) -> str:
    return shlex.join([*start_qdcomp(profile), *words])
