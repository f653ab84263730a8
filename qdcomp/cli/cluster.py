"""``qdcomp cluster``: try the profile of a cluster, and print one to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qdcomp.cli.console import notes, output, print_table

cluster = typer.Typer(
    no_args_is_help=True,
    help="The profile of a cluster.\n\nFor example:\n  qdcomp cluster check mycluster.yaml",
)

WRONG = 1
"""Exit code when something is wrong."""


@cluster.command()
def check(
    profile: Annotated[Path, typer.Argument(help="Profile of the cluster.")],
    submit: Annotated[
        bool, typer.Option("--submit", help="Also hand over a tiny batch job, and wait for it.")
    ] = False,
) -> None:
    """Try each piece of a profile on the login node, and say how to mend what is wrong.

    For example:
      qdcomp cluster check mycluster.yaml
      qdcomp cluster check mycluster.yaml --submit
    """
    from qdcomp.recipes.clusters.checking import check_cluster
    from qdcomp.recipes.clusters.profile_sections import read_profile

    read = read_profile(profile)
    with notes.status("trying each piece"):
        findings = tuple(check_cluster(read, Path.cwd(), submit=submit))
    rows = [(entry.what, entry.state, entry.found, entry.mend) for entry in findings]
    print_table([("what", "", "found", "how to mend it"), *rows])
    wrong = sum(entry.state == "wrong" for entry in findings)
    if wrong:
        output.print(f"{wrong} of {len(findings)} {'is' if wrong == 1 else 'are'} wrong")
        raise typer.Exit(WRONG)
    output.print("nothing is wrong")


@cluster.command()
def example(
    batch_system: Annotated[str, typer.Argument(help="Batch system: slurm, pbs or lsf.")],
) -> None:
    """Print a commented profile to begin with.

    For example:
      qdcomp cluster example slurm > mycluster.yaml
    """
    from qdcomp.errors import InputError
    from qdcomp.recipes.clusters.profile import BATCH_SYSTEMS
    from qdcomp.resources import find_template

    if batch_system not in BATCH_SYSTEMS:
        raise InputError(
            f"{batch_system!r} is none of the batch systems {', '.join(BATCH_SYSTEMS)}"
        )
    text = find_template(f"{batch_system}/mycluster.yaml").read_text(encoding="utf-8")
    output.print(text, end="")
