"""``qdcomp submit``: a study on a cluster."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from qdcomp.cli.console import notes, output, print_warnings
from qdcomp.cli.plan import EngineOption
from qdcomp.cli.run import LaunchpadOption
from qdcomp.errors import InputError

if TYPE_CHECKING:
    from qdcomp.recipes.campaigns.run_set import RunSet
    from qdcomp.recipes.clusters.profile import ClusterProfile
    from qdcomp.recipes.clusters.submission import Round

ClusterOption = Annotated[
    Path | None,
    typer.Option(
        help="Profile of the cluster (a commented one: qdcomp cluster example slurm); a run that "
        "was handed over before has its own.",
        show_default=False,
    ),
]


def submit(
    study: Annotated[
        str,
        typer.Argument(help="Study file, name of a shipped study, or folder of a run."),
    ],
    cluster: ClusterOption = None,
    engine: EngineOption = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run (default: runs/STUDY-ENGINE).")
    ] = None,
    launchpad: LaunchpadOption = None,
) -> None:
    """Hand the ready jobs of a study to the batch system of a cluster: one round.

    Each batch job ends with a round of its own, which hands over what has become ready.

    For example:
      qdcomp submit demo --cluster mycluster.yaml
      qdcomp submit raino2022_dot_2p4nm --engine cp2k --cluster mycluster.yaml
      qdcomp submit runs/demo-model
    """
    from qdcomp.recipes.campaigns.campaign_folder import is_campaign_folder
    from qdcomp.recipes.clusters.batch_systems import SYSTEMS
    from qdcomp.recipes.clusters.submission import hand_over
    from qdcomp.recipes.runs.run_directory import STUDY_NAME

    folder = Path(study)
    if (folder / STUDY_NAME).is_file() or is_campaign_folder(folder):
        if engine is not None or out is not None:
            raise InputError(
                f"{folder} is a run, whose engine and folder are settled; leave --engine and "
                "--out away"
            )
        runs, profile, server = _take_up(folder, cluster, launchpad)
    else:
        runs, profile, server = _begin(study, cluster, engine, out, launchpad)
    notes.print(f"{'campaign' if runs.is_campaign else 'run'}: {runs.root}")
    _tell(runs, hand_over(runs, profile, server), SYSTEMS[profile.batch_system].cancel)


def _take_up(
    folder: Path, cluster: Path | None, launchpad: str | None
) -> tuple[RunSet, ClusterProfile, str]:
    from qdcomp.recipes.campaigns.run_set import open_run_set
    from qdcomp.recipes.clusters.launchpad_access import find_run_server
    from qdcomp.recipes.clusters.profile_sections import find_profile, read_profile
    from qdcomp.recipes.clusters.submission import prepare_runs

    runs = open_run_set(folder)
    profile = read_profile(cluster) if cluster else find_profile(runs.root)
    server = find_run_server(runs, profile, launchpad)
    if cluster or launchpad:
        prepare_runs(runs, profile, server)
    return runs, profile, server


def _begin(
    study: str, cluster: Path | None, engine: str | None, out: Path | None, launchpad: str | None
) -> tuple[RunSet, ClusterProfile, str]:
    from qdcomp.compare import check_reference
    from qdcomp.recipes.campaigns.campaign_folder import make_runs
    from qdcomp.recipes.campaigns.members import read_members
    from qdcomp.recipes.campaigns.run_set import RunSet
    from qdcomp.recipes.clusters.launchpad_access import find_cluster_server
    from qdcomp.recipes.clusters.profile_sections import read_profile
    from qdcomp.recipes.clusters.submission import check_for_cluster, prepare_runs
    from qdcomp.recipes.launchpads import open_launchpad
    from qdcomp.resources import find_study

    found = read_members(find_study(study), engine=engine)
    reference = found.members[0].study.reference
    if reference is not None:
        check_reference(**vars(reference))
    if cluster is None:
        raise InputError(
            f"name the cluster: qdcomp submit {study} --cluster mycluster.yaml; a commented "
            "profile is printed by: qdcomp cluster example slurm"
        )
    profile = read_profile(cluster)
    server = find_cluster_server(profile, launchpad)
    print_warnings(check_for_cluster(found, profile))
    with open_launchpad(server, read_only=True):
        pass  # one that does not answer must not leave a folder behind
    root, made = make_runs(found, out)
    runs = RunSet(root, made, is_campaign=found.sweep is not None)
    prepare_runs(runs, profile, server)
    return runs, profile, server


def _tell(runs: RunSet, done: Round, cancel: str) -> None:
    for name in done.collected:
        output.print(f"collected: {name}")
    for number, name in done.handed_over:
        output.print(f"batch job {number}: {name}")
    output.print(", ".join(f"{count} {state}" for state, count in sorted(done.states.items())))
    if done.held_back:
        notes.print(
            f"{done.held_back} ready jobs are held back, by the limits of the cluster profile or "
            "for a job in the same folder; a later round hands them over"
        )
    if done.awaited:
        numbers = " ".join(done.awaited)
        notes.print(
            f"ready jobs are left to batch jobs that are in the queue already: {numbers}. If these "
            f"cannot start, take them out ({cancel} {numbers}) and call this command again"
        )
    notes.print(f"see how it stands with: qdcomp status {quote(str(runs.root))}")
