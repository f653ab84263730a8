"""kill -9 at ten random moments of a running study; every frame once, nothing run twice."""

import json
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from builders.noted_jobs import wait_for

from qdcomp.recipes.runs.run_directory import open_run
from qdcomp.trajectory import open_trajectory

STUDY = """
name: killed
description: a small dot with many short jobs
recipe: dot_linewidth
engine: model
structure: {kind: quantum_dot, cells: 2, composition: CsPbBr3, charge: formal}
relaxation: {max_force: 24 meV/angstrom, max_steps: 500}
equilibration: [{duration: 1 ps, timestep: 10 fs, thermostat_time: 15 fs}]
sampling:
  {temperatures: [10 K], duration: 12 ps, timestep: 10 fs, thermostat_time: 1 ps, segments: 4}
seed: 3
"""
STEPS = 1200
KILLS = 10
TIMEOUT_S = 240


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "qdcomp", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_completed(root):
    """Start of the last run of each complete job, from the records that the jobs leave."""
    return {
        path.parent.name: json.loads(path.read_text())["started"]
        for path in root.glob("jobs/*/run_record.json")
    }


@pytest.mark.slow
def test_ten_kills_lose_no_frame_and_repeat_no_job(tmp_path):
    study, root = tmp_path / "study.yaml", tmp_path / "run"
    study.write_text(STUDY)
    rng = random.Random(11)
    arguments = ["run", str(study), "--out", str(root)]
    completed = {}
    killed = 0
    for _ in range(KILLS):
        process = start(*arguments)
        if not killed:
            wait_for((root / "study.yaml").exists)  # however long a busy machine takes to begin
        try:
            text, _ = process.communicate(timeout=rng.uniform(1.5, 5.0))
            assert process.returncode == 0, text
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += 1
        now = read_completed(root)
        assert {name: now[name] for name in completed} == completed
        completed = now
        arguments = ["resume", str(root)]
        time.sleep(0.1)
    assert killed >= KILLS - 1, "the study ended before it could be killed often enough"
    final = start("resume", str(root))
    text, _ = final.communicate(timeout=TIMEOUT_S)
    assert final.returncode == 0, text
    now = read_completed(root)
    assert {name: now[name] for name in completed} == completed

    run = open_run(root)
    with open_trajectory(run.root / "T10K" / "trajectory.h5") as trajectory:
        np.testing.assert_array_equal(trajectory.steps, np.arange(1, STEPS + 1))
        np.testing.assert_allclose(np.diff(trajectory.times_fs), 10.0)
        step_lengths = np.linalg.norm(np.diff(trajectory.positions(), axis=0), axis=2)
    assert step_lengths.max() < 0.3, "an atom jumped where a run was cut off"
