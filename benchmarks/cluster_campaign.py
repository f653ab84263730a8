"""Sixty jobs of the engine ``model``, and a study with real CP2K, through a real Slurm.

Run as ``python -m benchmarks.cluster_campaign``. Four workers at once, the launchpad on a server;
it ends with 1 unless each job ran once and is COMPLETED.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.chaos.checks import check_launches, check_states, check_workflows, read_books
from qdcomp.recipes.campaigns.run_set import open_run_set
from tests.builders.database_server import MISSING, DatabaseServer, find_ferretdb
from tests.builders.slurm_node import PACKAGES, SlurmNode, find_missing_commands, start_slurm

CORES = 4
PATIENCE_S = 3600.0

CAMPAIGN = """\
name: sixty
description: ten members of six jobs
recipe: dot_linewidth
engine: model
structure: {kind: quantum_dot, cells: 2, composition: CsPbBr3, charge: formal}
relaxation: {max_force: 20 meV/angstrom, max_steps: 2000}
sampling:
  temperatures: [50 K]
  duration: 1 ps
  timestep: 10 fs
  thermostat_time: 1 ps
  segments: 2
sweep: {seeds: 10}
seed: 1
reuse: false
"""

PROFILE = """\
batch_system: slurm
mode: {mode}
launchpad: {uri}
resources: {{partition: debug, cores: {cores}, walltime: 2 h}}
limits: {{queued: 20, workers: 2}}
launch: {{cp2k: cp2k.psmp}}
"""


def run_study(folder: Path, study: str, mode: str, cores: int, uri: str, slurm: SlurmNode) -> int:
    """Hand a study over, wait until the queue is empty, say how it went; count what is wrong."""
    root, profile = folder / mode, folder / f"{mode}.yaml"
    profile.write_text(PROFILE.format(mode=mode, uri=uri, cores=cores))
    words = ["submit", study, "--cluster", str(profile), "--out", str(root)]
    started = time.monotonic()
    subprocess.run([sys.executable, "-m", "qdcomp", *words], check=True, capture_output=True)
    slurm.wait_until_empty(PATIENCE_S)
    seconds = time.monotonic() - started
    runs = open_run_set(root)
    books = read_books(uri, runs)
    wrong = [*check_states(runs, books), *check_launches(books), *check_workflows(books)]
    launches = Counter(len(each) for each in books.launches.values())
    wrong += [f"{count} jobs were launched {n} times" for n, count in launches.items() if n != 1]
    states = Counter(job["state"] for job in books.jobs)
    told = ", ".join(f"{count} {state}" for state, count in states.items())
    print(f"{Path(study).stem}, {mode}: {len(books.jobs)} jobs, {told}, in {seconds:.0f} s")
    for line in wrong:
        print(f"  {line}")
    return len(wrong)


def main() -> int:
    """Run both; 0 if each job of both ran once."""
    missing = find_missing_commands()
    if missing:
        raise SystemExit(f"{', '.join(missing)} are not here ({PACKAGES})")
    if find_ferretdb() is None:
        raise SystemExit(MISSING)
    with TemporaryDirectory(prefix="cluster-") as scratch, start_slurm(CORES) as slurm:
        folder = Path(scratch)
        (folder / "sixty.yaml").write_text(CAMPAIGN)
        server = DatabaseServer(folder / "server").start()
        try:
            wrong = run_study(
                folder, str(folder / "sixty.yaml"), "packing", 2, server.uri("sixty"), slurm
            )
            wrong += run_study(folder, "smoke_cp2k", "reservation", 1, server.uri("cp2k"), slurm)
        finally:
            server.stop()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
