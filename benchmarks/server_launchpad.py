"""Two thousand jobs on a launchpad server: adding them, ``qdcomp status``, running some.

Run as ``python -m benchmarks.server_launchpad``; writes ``server_launchpad.json`` into
``benchmarks/results``. The server is the one that QDCOMP_TEST_MONGODB_URI names, whose database is
emptied, else FerretDB as ``sh tests/install_database_server.sh`` builds it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from fireworks import Firework, Workflow
from fireworks.user_objects.firetasks.script_task import PyTask

from qdcomp.recipes.campaigns.campaign_folder import make_runs
from qdcomp.recipes.campaigns.members import read_members
from qdcomp.recipes.launchpads import WorkerLimits, add_workflows, open_launchpad, run_jobs
from qdcomp.recipes.launchpads.trusted_tasks import TRUSTED_VARIABLE
from qdcomp.recipes.workflows.run_launching import note_launchpad
from qdcomp.recipes.workflows.submission import submit_runs
from tests.builders.database_server import DatabaseServer, drop_database, find_ferretdb

RESULTS = Path(__file__).parent / "results" / "server_launchpad.json"
EMPTY_JOBS = {"runs_of_ten_jobs": (200, 10), "independent_jobs": (2000, 1)}
"""Workflows and the jobs of each, which do nothing: what is measured is the launchpad."""

CAMPAIGN = """\
name: many
description: 334 members of six jobs
recipe: dot_linewidth
engine: model
structure: {kind: quantum_dot, cells: 2, composition: CsPbBr3, charge: formal}
sampling:
  temperatures: [50 K]
  duration: 1 ps
  timestep: 10 fs
  thermostat_time: 1 ps
  segments: 2
sweep: {seeds: 334}
seed: 1
"""

LAUNCHED = 20
READINGS = 3
BATCH = 50


@contextmanager
def find_server(folder: Path) -> Iterator[str]:
    """URI of the server that is named, or of one that runs meanwhile."""
    named = os.environ.get("QDCOMP_TEST_MONGODB_URI")
    if named:
        yield named
        return
    if find_ferretdb() is None:
        raise SystemExit("no server: name one in QDCOMP_TEST_MONGODB_URI, or build FerretDB")
    server = DatabaseServer(folder).start()
    try:
        yield server.uri()
    finally:
        server.stop()


def make_workflow(number: int, length: int, folder: Path) -> Workflow:
    """Make a chain of jobs that do nothing, as a run of a study has them."""
    jobs: list[Firework] = []
    for place in range(length):
        spec = {"run_directory": str(folder / str(number)), "_category": "model"}
        name = f"{number}-{place}"
        jobs.append(Firework(PyTask(func="time.time"), spec=spec, name=name, parents=jobs[-1:]))
    return Workflow(jobs, metadata={"run_directory": str(folder / str(number))})


def measure_empty_jobs(uri: str, workflows: int, length: int, folder: Path) -> dict[str, Any]:
    """Add jobs and run some; seconds for adding all, and for running each."""
    drop_database(uri)
    with open_launchpad(uri) as launchpad:
        made = [make_workflow(number, length, folder) for number in range(workflows)]
        start = perf_counter()
        for first in range(0, workflows, BATCH):
            add_workflows(launchpad, made[first : first + BATCH])
        adding = perf_counter() - start
        run_jobs(launchpad, {}, folder, limits=WorkerLimits(launches=1))  # what is done once
        start = perf_counter()
        run_jobs(launchpad, {}, folder, limits=WorkerLimits(launches=LAUNCHED))
        launching = (perf_counter() - start) / LAUNCHED
    return {
        "jobs": workflows * length,
        "adding_s": round(adding, 2),
        "overhead_per_job_s": round(launching, 3),
    }


def measure_campaign(uri: str, folder: Path) -> dict[str, Any]:
    """Add a campaign as ``qdcomp submit`` does, and ask for its status as a user does."""
    drop_database(uri)
    study = folder / "many.yaml"
    study.write_text(CAMPAIGN)
    start = perf_counter()
    root, runs = make_runs(read_members(study), folder / "campaign")
    with open_launchpad(uri) as launchpad:
        submit_runs(runs, launchpad)
        jobs = launchpad.fireworks.count_documents({})
    adding = perf_counter() - start
    note_launchpad(runs[0], uri)
    seconds = []
    for _ in range(READINGS):
        start = perf_counter()
        command = [sys.executable, "-m", "qdcomp", "status", str(root)]
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(perf_counter() - start)
    return {
        "jobs": jobs,
        "folders_and_adding_s": round(adding, 2),
        "qdcomp_status_s": round(median(seconds), 2),
    }


def main() -> dict[str, Any]:
    """Measure all three, and write the figures."""
    os.environ[TRUSTED_VARIABLE] = "PyTask"
    with TemporaryDirectory() as scratch, find_server(Path(scratch) / "server") as uri:
        result = {
            name: measure_empty_jobs(uri, workflows, length, Path(scratch))
            for name, (workflows, length) in EMPTY_JOBS.items()
        }
        result["campaign"] = measure_campaign(uri, Path(scratch))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")
    return result


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
