"""Job state changes a second of the embedded launchpad, beside mongomock without a file.

Run as ``python -m benchmarks.embedded_store``; writes ``benchmarks/results/embedded_store.json``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import mongomock
from fireworks import Firework, FWAction, FWorker, LaunchPad, ScriptTask, Workflow

from qdcomp.recipes.launchpads import open_launchpad

RESULTS = Path(__file__).parent / "results" / "embedded_store.json"
JOBS, CHAIN = 500, 10
CYCLES = 100
STATE_CHANGES_PER_CYCLE = 2
"""READY to RUNNING and RUNNING to COMPLETED; that a child becomes READY is not counted."""


@contextmanager
def open_plain_mongomock() -> Iterator[LaunchPad]:
    """FireWorks' launchpad on mongomock as it is, in memory only."""
    launchpad = LaunchPad(strm_lvl="CRITICAL", mongoclient_kwargs={"connect": False})
    launchpad.connection.close()
    launchpad.connection = mongomock.MongoClient()
    launchpad.db = launchpad.connection.fireworks
    for name in ("fireworks", "launches", "offline_runs", "fw_id_assigner", "workflows"):
        setattr(launchpad, name, launchpad.db[name])
    launchpad.gridfs_fallback = None
    launchpad.reset("", require_password=False)
    yield launchpad


def fill(launchpad: LaunchPad) -> None:
    """Add fifty workflows, each a chain of ten jobs, as a campaign of trajectories has."""
    for number in range(JOBS // CHAIN):
        jobs: list[Firework] = []
        for job in range(CHAIN):
            spec = {"_launch_dir": f"/runs/{number}/{job}", "_category": "model"}
            task = ScriptTask.from_str("true")
            jobs.append(Firework(task, spec=spec, name=f"{number}-{job}", parents=jobs[-1:]))
        launchpad.add_wf(Workflow(jobs, name=str(number)))


def measure(launchpad: LaunchPad) -> tuple[float, float]:
    """Check out and complete jobs one by one; state changes a second, of wall and of CPU time."""
    fill(launchpad)
    worker = FWorker()
    wall, processor = perf_counter(), process_time()
    for _ in range(CYCLES):
        _, launch_id = launchpad.checkout_fw(worker, "/")
        launchpad.complete_launch(launch_id, FWAction(stored_data={"walltime_s": 1.0}))
    changes = CYCLES * STATE_CHANGES_PER_CYCLE
    return changes / (perf_counter() - wall), changes / (process_time() - processor)


def main() -> dict[str, float]:
    """Measure both, and write the figures."""
    with open_plain_mongomock() as launchpad:
        plain, plain_processor = measure(launchpad)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "launchpad.sqlite"
        with open_launchpad(path) as launchpad:
            durable, durable_processor = measure(launchpad)
        start = perf_counter()
        open_launchpad(path).close()
        opening = perf_counter() - start
    result = {
        "jobs_in_store": JOBS,
        "state_changes_per_s": round(durable, 1),
        "state_changes_per_cpu_s": round(durable_processor, 1),
        "mongomock_without_file_per_s": round(plain, 1),
        "mongomock_without_file_per_cpu_s": round(plain_processor, 1),
        "ratio": round(durable / plain, 2),
        "opening_s": round(opening, 4),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")
    return result


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
