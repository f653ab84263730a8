"""``qdcomp lpad``: FireWorks' own command line on the launchpad of a run."""

from __future__ import annotations

import typer

from qdcomp.cli.run import RunArgument


def lpad(context: typer.Context, run: RunArgument) -> None:
    """Use FireWorks' ``lpad`` on the launchpad of a run, embedded or server.

    For example:
      qdcomp lpad runs/demo get_wflows
      qdcomp lpad runs/demo get_fws -s FIZZLED -d more
      qdcomp lpad runs/demo --help
    """
    if str(run) in ("-h", "--help"):
        typer.echo(context.get_help())
        raise typer.Exit
    from qdcomp.recipes.launchpads import changes_nothing, open_launchpad, run_lpad
    from qdcomp.recipes.runs.run_directory import open_run
    from qdcomp.recipes.workflows.run_launching import find_launchpad

    location = find_launchpad(open_run(run))
    with open_launchpad(location, read_only=changes_nothing(context.args)) as launchpad:
        raise typer.Exit(run_lpad(launchpad, context.args))
