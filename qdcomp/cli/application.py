"""The command ``qdcomp`` and its subcommands."""

from __future__ import annotations

from typing import Annotated

import typer

import qdcomp
from qdcomp.cli.analyse import analyse
from qdcomp.cli.build import build
from qdcomp.cli.cluster import cluster
from qdcomp.cli.compare import compare
from qdcomp.cli.doctor import doctor
from qdcomp.cli.jobs import jobs
from qdcomp.cli.launchpad import lpad
from qdcomp.cli.ligands import ligands
from qdcomp.cli.photons import photons
from qdcomp.cli.plan import plan, studies
from qdcomp.cli.report import report
from qdcomp.cli.run import resume, run
from qdcomp.cli.spectrum import spectrum
from qdcomp.cli.status import status
from qdcomp.cli.submit import submit
from qdcomp.cli.worker import worker

application = typer.Typer(
    name="qdcomp",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"qdcomp {qdcomp.__version__}")
        raise typer.Exit


@application.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print it."),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Perovskite quantum dots from structure to linewidth, beside single-dot data.

    First steps: [bold]qdcomp run demo[/bold], then open the report whose path it prints.
    """


for _command in (
    build,
    studies,
    plan,
    run,
    status,
    resume,
    doctor,
    submit,
    analyse,
    report,
    photons,
    spectrum,
    compare,
):
    application.command()(_command)
application.add_typer(ligands, name="ligands")
application.add_typer(jobs, name="jobs")
application.add_typer(worker, name="worker")
application.add_typer(cluster, name="cluster")
application.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": [],
    }
)(lpad)
