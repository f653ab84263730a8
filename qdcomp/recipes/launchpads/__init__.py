"""Two launchpads, one interface.

*Server*: any server that speaks MongoDB's protocol, for many workers and batch systems. *Embedded*:
one file, one process at a time, no server. Both are a `fireworks.LaunchPad`; what is written for
one runs on the other.
"""

from __future__ import annotations

from pathlib import Path

from qdcomp.recipes.launchpads.adding import add_workflows
from qdcomp.recipes.launchpads.closing_launchpad import ClosingLaunchPad
from qdcomp.recipes.launchpads.embedded_launchpad import EmbeddedLaunchPad, embedded_launchpad
from qdcomp.recipes.launchpads.launching import find_failure, find_failures, launch_all
from qdcomp.recipes.launchpads.lost_runs import find_lost_runs, reset_lost_runs
from qdcomp.recipes.launchpads.lpad_command import changes_nothing, run_lpad
from qdcomp.recipes.launchpads.offline import run_offline
from qdcomp.recipes.launchpads.parallel_workers import run_in_parallel
from qdcomp.recipes.launchpads.passwords import (
    LAUNCHPAD_VARIABLE,
    has_password,
    read_private_file,
    remove_password,
    warn_of_shown_password,
)
from qdcomp.recipes.launchpads.server_launchpad import (
    ServerLaunchPad,
    check_server,
    describe_location,
    is_server,
    read_launchpad_file,
    write_launchpad_file,
)
from qdcomp.recipes.launchpads.trusted_tasks import check_specification, only_own_tasks
from qdcomp.recipes.launchpads.worker import (
    WorkerLimits,
    WorkerReport,
    run_job_of_number,
    run_jobs,
    select_categories,
)

__all__ = [
    "LAUNCHPAD_VARIABLE",
    "ClosingLaunchPad",
    "EmbeddedLaunchPad",
    "ServerLaunchPad",
    "WorkerLimits",
    "WorkerReport",
    "add_workflows",
    "changes_nothing",
    "check_server",
    "check_specification",
    "describe_location",
    "embedded_launchpad",
    "find_failure",
    "find_failures",
    "find_lost_runs",
    "has_password",
    "is_server",
    "launch_all",
    "only_own_tasks",
    "open_launchpad",
    "read_launchpad_file",
    "read_private_file",
    "remove_password",
    "reset_lost_runs",
    "run_in_parallel",
    "run_job_of_number",
    "run_jobs",
    "run_lpad",
    "run_offline",
    "select_categories",
    "warn_of_shown_password",
    "write_launchpad_file",
]


def open_launchpad(
    location: str | Path,
    *,
    read_only: bool = False,
    patience_s: float = 0.0,
    waits_at_start: bool = False,
) -> ClosingLaunchPad:
    """Open the launchpad at `location`; use it in a ``with`` statement.

    Parameters
    ----------
    location
        ``mongodb://…`` or ``mongodb+srv://…`` for a server; else the path of a file, which is made
        if it is not there.
    read_only
        Only look; an embedded launchpad may then be in use by another process.
    patience_s
        How long a call may wait for a server that is away [s]; 0 to try once.
    waits_at_start
        Whether the first call waits as long, too.

    Raises
    ------
    InputError
        The URI cannot be read.
    StoreError
        The server cannot be reached, or the file cannot be used: in use, damaged, newer.
    """
    if is_server(location):
        return ServerLaunchPad(
            str(location),
            read_only=read_only,
            patience_s=patience_s,
            waits_at_start=waits_at_start,
        )
    return embedded_launchpad(location, create=not read_only, read_only=read_only)
