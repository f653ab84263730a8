"""A study whose batch jobs end before its jobs do: detours, states, records, provenance."""

import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from qdcomp.cli.application import application
from qdcomp.cli.run import OUT_OF_TIME
from qdcomp.engines.deadline import DEADLINE_VARIABLES
from qdcomp.recipes.jobs import job_execution, walltime
from qdcomp.recipes.jobs.job_state import is_out_of_time
from qdcomp.recipes.jobs.run_record import RUNNING_NAME
from qdcomp.recipes.launchpads import open_launchpad
from qdcomp.recipes.runs.pieces import make_next_piece, select_current
from qdcomp.recipes.runs.run_directory import RunDirectory, create_run
from qdcomp.recipes.stages.provenance import collect_provenance, parse_jobs
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.recipes.workflows.run_launching import execute_run, find_launchpad, read_job_states
from qdcomp.trajectory import open_trajectory

STUDY = """
name: short
description: a small dot in batch jobs that are too short
recipe: dot_linewidth
engine: model
structure: {kind: quantum_dot, cells: 1, composition: CsPbBr3, charge: neutral}
relaxation: {max_force: 24 meV/angstrom, max_steps: 500}
equilibration: [{duration: 50 fs, timestep: 10 fs, thermostat_time: 15 fs}]
sampling:
  {temperatures: [10 K], duration: 800 fs, timestep: 10 fs, thermostat_time: 1 ps, segments: 2}
analysis: {normal_modes: false}
seed: 3
reuse: false
"""
WALLTIME_S, JUMP_S = 100.0, 65.0


@pytest.fixture(autouse=True)
def no_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*DEADLINE_VARIABLES, "QDCOMP_LAUNCHPAD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(job_execution, "_POLL_S", 0.02)


def make_run(root: Path) -> RunDirectory:
    (root.parent / "study.yaml").write_text(STUDY)
    return create_run(root, read_study(root.parent / "study.yaml"))


class SegmentClock:
    """Time that jumps to near the deadline while one segment runs."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def time(self) -> float:
        running = (self.directory / RUNNING_NAME).is_file()
        return time.time() + (JUMP_S if running else 0.0)


def test_a_segment_that_is_ended_goes_on_before_what_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, run = make_run(tmp_path / "whole"), make_run(tmp_path / "run")
    execute_run(whole, find_launchpad(whole))
    job = next(job for job in run.jobs if job.kind == "sample")
    with monkeypatch.context() as patch:
        patch.setattr(walltime, "time", SegmentClock(run.job_directory(job)))
        patch.setenv("QDCOMP_DEADLINE", str(time.time() + WALLTIME_S))
        states = execute_run(run, find_launchpad(run))
        assert is_out_of_time(states)
    found = {state.job.name: state.state for state in states}
    assert found[job.name] == "READY"
    after = list(found.values())[list(found).index(job.name) + 1 :]
    assert set(after) == {"WAITING"}
    assert not (run.job_directory(job) / "failure.txt").exists()

    launched: list[str] = []
    states = execute_run(run, find_launchpad(run), lambda job: launched.append(job.name))
    assert {state.state for state in states} == {"COMPLETED"}
    assert launched[0] == job.name and launched.count(job.name) == 1
    with open_launchpad(find_launchpad(run), read_only=True) as launchpad:
        both = list(launchpad.fireworks.find({"name": job.name}))
        assert read_job_states(run, launchpad) == states
    assert len(both) == 2 and both[0]["spec"] == both[1]["spec"]

    described = collect_provenance(run, parse_jobs(run))["jobs"]
    (entry,) = [entry for entry in described if entry["name"] == job.name]
    assert [piece["end"] for piece in entry["run"]["pieces"]] == ["walltime", "complete"]
    ours, theirs = (root.root / "T10K" / "trajectory.h5" for root in (run, whole))
    with open_trajectory(ours) as trajectory, open_trajectory(theirs) as same:
        np.testing.assert_array_equal(trajectory.positions(), same.positions())
        np.testing.assert_array_equal(trajectory.gap_ev, same.gap_ev)


def test_nothing_is_launched_near_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run")
    monkeypatch.setenv("QDCOMP_DEADLINE", str(time.time() + 5.0))
    launched: list[str] = []
    states = execute_run(run, find_launchpad(run), lambda job: launched.append(job.name))
    assert launched == [] and is_out_of_time(states)


def test_the_command_line_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    monkeypatch.setenv("QDCOMP_DEADLINE", str(time.time() + 5.0))
    words = ["run", str(tmp_path / "study.yaml"), "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(application, words)
    assert result.exit_code == OUT_OF_TIME == 75
    assert f"go on with: qdcomp resume {tmp_path / 'run'}" in " ".join(result.output.split())


def test_the_next_piece_keeps_resources_and_priority() -> None:
    spec = {"job": "a", "_launch_dir": "/x", "_priority": 3, "_queueadapter": {"nodes": 2}}
    made = make_next_piece([], {**spec, "_fw_env": {"password": "p"}, "_tasks": []})
    assert made.name == "a"
    assert {key: made.spec[key] for key in spec} == spec
    assert "_fw_env" not in made.spec


@pytest.mark.parametrize(
    ("states", "current"),
    [
        (("COMPLETED", "READY"), 2),
        (("COMPLETED", "COMPLETED"), 2),
        (("RUNNING", "WAITING"), 1),
        (("COMPLETED", "FIZZLED"), 2),
        (("WAITING", "WAITING"), 2),
    ],
)
def test_the_newest_or_the_one_run_again_says_how_a_job_stands(
    states: tuple[str, ...], current: int
) -> None:
    documents = [
        {"name": "a", "fw_id": number, "state": state}
        for number, state in enumerate(states, start=1)
    ]
    assert select_current(reversed(documents))["a"]["fw_id"] == current
