"""``qdcomp worker``: runs jobs of a launchpad; what a batch job calls."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qdcomp.cli.console import notes, output

if TYPE_CHECKING:
    from qdcomp.recipes.launchpads import WorkerReport

worker = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Run jobs of a launchpad: qdcomp worker rapidfire, qdcomp worker singleshot --fw_id 7.",
)

LaunchpadFileOption = Annotated[
    Path | None,
    typer.Option(help="FireWorks' launchpad file (QDCOMP_LAUNCHPAD goes first).", dir_okay=False),
]
RunOption = Annotated[
    Path | None, typer.Option("--run", help="Folder of a run: only its jobs, on its launchpad.")
]
CategoryOption = Annotated[
    list[str] | None,
    typer.Option(help="Only jobs of that category: an engine, or qdcomp; may be given again."),
]
PatienceOption = Annotated[
    float,
    typer.Option(min=0, max=10, help="How long to wait for a database that is away [minutes]."),
]

FAILED = 1
"""Exit code when a job failed, or when the worker was told to end."""

_S_PER_MINUTE = 60.0


@worker.command()
def singleshot(
    fw_id: Annotated[
        int | None, typer.Option("--fw_id", help="Run the job of that number.", min=1)
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="No database: the job of FW.json in this folder.")
    ] = False,
    launchpad_file: LaunchpadFileOption = None,
    run: RunOption = None,
    category: CategoryOption = None,
    patience: PatienceOption = 5.0,
) -> None:
    """Run one job, and end.

    For example:
      qdcomp worker singleshot --fw_id 7
      qdcomp worker singleshot --offline
    """
    from qdcomp.recipes.launchpads import (
        WorkerLimits,
        open_launchpad,
        run_job_of_number,
        run_jobs,
        run_offline,
        select_categories,
    )

    if offline:
        state = run_offline(Path.cwd())
        output.print(f"the job ended {state}")
        raise typer.Exit(0 if state == "COMPLETED" else FAILED)
    with open_launchpad(
        _find_launchpad(launchpad_file, run),
        patience_s=patience * _S_PER_MINUTE,
        waits_at_start=True,
    ) as pad:
        if fw_id is not None:
            report = run_job_of_number(pad, fw_id, _launch_folder(run), on_launch=_name)
        else:
            query = select_categories(_select_run(run), category or ())
            once = WorkerLimits(launches=1)
            report = run_jobs(pad, query, _launch_folder(run), limits=once, on_launch=_name)
    _finish(report)


@worker.command()
def rapidfire(
    nlaunches: Annotated[
        int, typer.Option(min=0, help="End after that many jobs; 0: when none is ready.")
    ] = 0,
    timeout: Annotated[
        float | None, typer.Option(min=0, help="Take no job that long after the start [s].")
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, help="Workers side by side on this machine.")] = 1,
    launchpad_file: LaunchpadFileOption = None,
    run: RunOption = None,
    category: CategoryOption = None,
    patience: PatienceOption = 5.0,
) -> None:
    """Run one ready job after another, until none is ready.

    For example:
      qdcomp worker rapidfire --run runs/demo
      qdcomp worker rapidfire --nlaunches 10 --timeout 3000
      qdcomp worker rapidfire --parallel 4 --category cp2k
    """
    from qdcomp.recipes.launchpads import (
        LAUNCHPAD_VARIABLE,
        WorkerLimits,
        open_launchpad,
        run_in_parallel,
        run_jobs,
        select_categories,
    )

    location = _find_launchpad(launchpad_file, run)
    if parallel > 1:
        words = ["worker", "rapidfire", "--nlaunches", str(nlaunches), "--patience", str(patience)]
        words += [] if timeout is None else ["--timeout", str(timeout)]
        words += [] if run is None else ["--run", str(run)]
        words += [word for name in category or () for word in ("--category", name)]
        raise typer.Exit(run_in_parallel(location, parallel, words, LAUNCHPAD_VARIABLE))
    limits = WorkerLimits(nlaunches or None, timeout)
    query = select_categories(_select_run(run), category or ())
    with open_launchpad(location, patience_s=patience * _S_PER_MINUTE, waits_at_start=True) as pad:
        report = run_jobs(pad, query, _launch_folder(run), limits=limits, on_launch=_name)
    _finish(report)


def _find_launchpad(launchpad_file: Path | None, run: Path | None) -> str | Path:
    from qdcomp.errors import InputError
    from qdcomp.recipes.campaigns.run_set import open_run_set
    from qdcomp.recipes.launchpads import LAUNCHPAD_VARIABLE, read_launchpad_file
    from qdcomp.recipes.workflows.run_launching import find_launchpad_of, find_server

    server = find_server()
    if server is not None:
        return server
    if launchpad_file is not None:
        return read_launchpad_file(launchpad_file)
    if run is not None:
        return find_launchpad_of(open_run_set(run).root)
    raise InputError(
        f"no launchpad is given; expected its URI in {LAUNCHPAD_VARIABLE}, or --launchpad-file, or "
        "--run with the folder of a run"
    )


def _select_run(run: Path | None) -> dict[str, Any]:
    from qdcomp.recipes.campaigns.run_set import open_run_set

    return {} if run is None else open_run_set(run).query


def _launch_folder(run: Path | None) -> Path:
    return run or Path.cwd()


def _name(job: str) -> None:
    notes.print(job)


def _finish(report: WorkerReport) -> None:
    for numbers, said in (
        (report.freed, "lost before, now ready again"),
        (report.put_back, "ready again"),
    ):
        if numbers:
            notes.print(f"job {', '.join(map(str, numbers))}: {said}")
    number = len(report.launched)
    jobs = "1 job" if number == 1 else f"{number} jobs"
    output.print(f"{jobs} run, {len(report.failed)} failed: {report.ended}")
    if report.failed or report.put_back:
        raise typer.Exit(FAILED)
