"""kill -9 at random moments of launching: the file opens again, and no completed job runs twice."""

import random
import signal
import subprocess
import sys
import time

import pytest
from fireworks import Firework, ScriptTask, Workflow

from qdcomp.recipes.launchpads import launch_all, open_launchpad, reset_lost_runs

WORKFLOWS, LENGTH = 50, 6
KILLS = 12
LAUNCH = """
import sys
from fireworks import ScriptTask
from fireworks.utilities.fw_serializers import load_object
from qdcomp.recipes.launchpads import launch_all, open_launchpad, reset_lost_runs
load_object(ScriptTask.from_str("true").to_dict())  # FireWorks' search for it takes seconds, once
with open_launchpad(sys.argv[1]) as launchpad:
    print("open", flush=True)
    reset_lost_runs(launchpad)
    launch_all(launchpad, {}, sys.argv[2])
"""
WORK = """
import sys
from fireworks import Firework, FWAction, FWorker, PyTask, Workflow
from fireworks.utilities.fw_serializers import load_object
from qdcomp.recipes.launchpads import open_launchpad
load_object(PyTask(func="time.time").to_dict())  # FireWorks' search for it takes seconds, once
with open_launchpad(sys.argv[1]) as launchpad:
    print("open", flush=True)
    while True:
        pair = [Firework(PyTask(func="time.time"), fw_id=place) for place in (-2, -1)]
        launchpad.add_wf(Workflow(pair, {pair[0]: pair[1:]}))
        for _ in pair:
            _, launch_id = launchpad.checkout_fw(FWorker(), "/")
            launchpad.complete_launch(launch_id, FWAction())
            print(launch_id, flush=True)
"""


@pytest.fixture(autouse=True)
def trust_the_task(monkeypatch):
    monkeypatch.setenv("QDCOMP_TRUSTED_TASKS", "ScriptTask")


def make_workflow(number, log):
    """Build a chain of jobs, each of which adds a line to a file when it is done."""
    jobs = []
    for place in range(LENGTH):
        name = f"{number}-{place}"
        task = ScriptTask.from_str(f"echo {name} >> {log}")
        jobs.append(Firework(task, name=name, parents=jobs[-1:], fw_id=place - LENGTH))
    return Workflow(jobs)


def read_completed(launchpad):
    return {
        job["name"]: job["launches"] for job in launchpad.fireworks.find({"state": "COMPLETED"})
    }


def check_consistent(launchpad):
    """Hold what FireWorks says in one document against what it says in others."""
    jobs = {job["fw_id"]: job for job in launchpad.fireworks.find({})}
    launches = {launch["launch_id"]: launch for launch in launchpad.launches.find({})}
    nodes = []
    for workflow in launchpad.workflows.find({}):
        assert "locked" not in workflow
        nodes += workflow["nodes"]
        for fw_id in workflow["nodes"]:
            job = jobs[fw_id]
            assert workflow["fw_states"][str(fw_id)] == job["state"]
            parents = [jobs[parent] for parent in workflow["parent_links"].get(str(fw_id), [])]
            ready = all(parent["state"] == "COMPLETED" for parent in parents)
            assert (job["state"] == "WAITING") is not ready
            states = [launches[launch_id]["state"] for launch_id in job["launches"]]
            assert states == ([job["state"]] if job["state"] in ("RUNNING", "COMPLETED") else [])
    assert sorted(nodes) == sorted(jobs)


def start_and_kill(code, arguments, after_s):
    """Kill a process that long after it has opened the launchpad; return what it printed."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "open\n"
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    printed, _ = process.communicate()
    return printed, process.returncode


@pytest.mark.slow
def test_launching_goes_on_after_kills_and_runs_no_completed_job_again(tmp_path):
    path, log = tmp_path / "launchpad.sqlite", tmp_path / "log"
    with open_launchpad(path) as launchpad:
        for number in range(WORKFLOWS):
            launchpad.add_wf(make_workflow(number, log))
    rng = random.Random(7)
    completed, killed = {}, 0
    for _ in range(KILLS):
        _, code = start_and_kill(LAUNCH, (path, tmp_path), rng.uniform(0.0, 0.5))
        killed += code == -signal.SIGKILL
        with open_launchpad(path) as launchpad:
            check_consistent(launchpad)
            now = read_completed(launchpad)
            assert completed.items() <= now.items()
            completed = now
    assert completed
    assert killed == KILLS, "the jobs ended before they could be killed often enough"
    with open_launchpad(path) as launchpad:
        reset_lost_runs(launchpad)
        launch_all(launchpad, {}, tmp_path)
        check_consistent(launchpad)
        final = read_completed(launchpad)
        assert len(final) == WORKFLOWS * LENGTH
        assert completed.items() <= final.items()
        lost = launchpad.launches.count_documents({"state": "FIZZLED"})
        assert launchpad.launches.count_documents({}) == len(final) + lost
    lines = log.read_text().splitlines()
    assert set(lines) == set(final)
    assert len(lines) <= len(final) + lost


@pytest.mark.slow
def test_what_had_returned_before_a_kill_is_in_the_file(tmp_path):
    path = tmp_path / "launchpad.sqlite"
    rng = random.Random(8)
    returned = 0
    for _ in range(KILLS):
        printed, _ = start_and_kill(WORK, (path,), rng.uniform(0.0, 0.5))
        whole_lines = printed.rpartition("\n")[0].splitlines()
        with open_launchpad(path) as launchpad:
            check_consistent(launchpad)
            for launch_id in whole_lines:
                launch = launchpad.launches.find_one({"launch_id": int(launch_id)})
                assert launch["state"] == "COMPLETED"
            reset_lost_runs(launchpad)
        returned += len(whole_lines)
    assert returned > KILLS
