"""Two thousand jobs on a launchpad server: adding them, reading how they stand, running some.

Run as ``python -m benchmarks.server_launchpad``; writes ``server_launchpad.json`` into
``benchmarks/results``. The server is the one that QDCOMP_TEST_MONGODB_URI names, whose database is
emptied, else FerretDB as ``sh tests/install_database_server.sh`` builds it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from fireworks import Firework, LaunchPad, Workflow
from fireworks.user_objects.firetasks.script_task import PyTask

from qdcomp.recipes.launchpads import WorkerLimits, add_workflows, open_launchpad, run_jobs
from tests.builders.database_server import DatabaseServer, drop_database, find_ferretdb

RESULTS = Path(__file__).parent / "results" / "server_launchpad.json"
CAMPAIGNS = {"runs_of_ten_jobs": (200, 10), "independent_jobs": (2000, 1)}
"""Workflows and the jobs of each."""

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


def read_states(launchpad: LaunchPad) -> int:
    """Read the state of every job, as ``qdcomp status`` does; return how many there are."""
    return len(list(launchpad.fireworks.find({}, {"name": 1, "state": 1, "fw_id": 1})))


def measure(uri: str, workflows: int, length: int, folder: Path) -> dict[str, Any]:
    """Add, read and run jobs; seconds for all, for one reading, and for each job."""
    drop_database(uri)
    with open_launchpad(uri) as launchpad:
        made = [make_workflow(number, length, folder) for number in range(workflows)]
        start = perf_counter()
        for first in range(0, workflows, BATCH):
            add_workflows(launchpad, made[first : first + BATCH])
        adding = perf_counter() - start
        readings = []
        for _ in range(READINGS):
            start = perf_counter()
            assert read_states(launchpad) == workflows * length
            readings.append(perf_counter() - start)
        run_jobs(launchpad, {}, folder, limits=WorkerLimits(launches=1))  # what is done once
        start = perf_counter()
        run_jobs(launchpad, {}, folder, limits=WorkerLimits(launches=LAUNCHED))
        launching = (perf_counter() - start) / LAUNCHED
    return {
        "jobs": workflows * length,
        "adding_s": round(adding, 2),
        "reading_states_s": round(median(readings), 3),
        "overhead_per_job_s": round(launching, 3),
    }


def main() -> dict[str, Any]:
    """Measure both campaigns, and write the figures."""
    with TemporaryDirectory() as scratch, find_server(Path(scratch) / "server") as uri:
        result = {
            name: measure(uri, workflows, length, Path(scratch))
            for name, (workflows, length) in CAMPAIGNS.items()
        }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")
    return result


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
