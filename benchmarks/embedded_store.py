"""Job state changes a second of the embedded launchpad, beside mongomock without a file."""

import json
import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import mongomock
from fireworks import Firework, FWAction, FWorker, LaunchPad, ScriptTask, Workflow

from qdcomp.recipes.launchpad import EmbeddedLaunchPad, open_launchpad

RESULTS = Path(__file__).parent / "results" / "embedded_store.json"
JOBS = 500
CYCLES = 60
CHAIN = 25
STATE_CHANGES_PER_CYCLE = 3  # READY -> RUNNING -> COMPLETED, and the child WAITING -> READY


def fill(launchpad: LaunchPad) -> None:
    """Twenty workflows, each a chain of twenty-five jobs, as a campaign of trajectories has."""
    for number in range(JOBS // CHAIN):
        jobs: list[Firework] = []
        for job in range(CHAIN):
            task = ScriptTask.from_str("true")
            jobs.append(Firework(task, name=f"{number}-{job}", parents=jobs[-1:]))
        launchpad.add_wf(Workflow(jobs, name=str(number)))


def measure(launchpad: LaunchPad) -> float:
    """Check out and complete jobs one by one; state changes a second."""
    fill(launchpad)
    worker = FWorker()
    start = perf_counter()
    for _ in range(CYCLES):
        _, launch_id = launchpad.checkout_fw(worker, "/")
        launchpad.complete_launch(launch_id, FWAction())
    return CYCLES * STATE_CHANGES_PER_CYCLE / (perf_counter() - start)


def main() -> dict[str, float]:
    """Measure both, and write the figures."""
    logging.getLogger("launchpad").setLevel(logging.CRITICAL)
    in_memory = EmbeddedLaunchPad(mongomock.MongoClient(), "memory")
    in_memory._restart_ids(1, 1)
    plain = measure(in_memory)
    with TemporaryDirectory() as folder, open_launchpad(Path(folder) / "pad.sqlite") as launchpad:
        durable = measure(launchpad)
    result = {
        "state_changes_per_s": round(durable, 1),
        "mongomock_without_file_per_s": round(plain, 1),
        "ratio": round(durable / plain, 2),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")
    return result


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
