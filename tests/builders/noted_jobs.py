"""Jobs that leave a line in a file each time they run, and workers in processes of their own."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from fireworks import FireTaskBase, Firework, Workflow, explicit_serialize

TESTS = Path(__file__).resolve().parents[1]
WORK = """
import sys
from qdcomp.recipes.launchpads import open_launchpad, run_jobs
location, folder, patience = sys.argv[1:]
with open_launchpad(location, patience_s=float(patience), waits_at_start=True) as launchpad:
    print(run_jobs(launchpad, {}, folder).ended)
"""


NOTE_TASK = "{{builders.noted_jobs.NoteTask}}"
"""Name by which a launchpad knows the task of these jobs."""


@explicit_serialize
class NoteTask(FireTaskBase):
    """Writes the name of the job into a file, then takes its time."""

    def run_task(self, fw_spec):
        with Path(self["log"]).open("a") as stream:
            stream.write(f"{self['name']}\n")
        time.sleep(self.get("seconds", 0.0))
        if self.get("fails"):
            raise RuntimeError("told to fail")


def make_noted_workflow(name, log, length=1, **spec):
    """Make a chain of such jobs, named NAME-0, NAME-1, …"""
    tasks = {key: spec.pop(key) for key in ("seconds", "fails") if key in spec}
    jobs = []
    for place in range(length):
        task = NoteTask(log=str(log), name=f"{name}-{place}", **tasks)
        jobs.append(
            Firework(
                task, name=f"{name}-{place}", parents=jobs[-1:], spec=spec, fw_id=place - length
            )
        )
    return Workflow(jobs)


def start_worker(location, folder, patience_s=20.0):
    """Start a worker, which ends when no job is ready; it is killed on leaving."""
    return start_python("-c", WORK, location, folder, patience_s)


@contextmanager
def start_python(*arguments, cwd=None, **environment):
    path = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    with subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path, **environment},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_lines(path):
    return path.read_text().splitlines() if path.is_file() else []


def wait_for(condition, seconds=30.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)
