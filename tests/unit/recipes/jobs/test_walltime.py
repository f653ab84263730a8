"""A job that is ended by the end of its batch job goes on in the next, and loses nothing."""

import json
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from qdcomp.engines.base import DynamicsSettings, EngineJob, RelaxationSettings
from qdcomp.engines.deadline import DEADLINE_VARIABLES, LEAST_MARGIN_S, is_stop_noted
from qdcomp.engines.model import ModelEngine
from qdcomp.errors import EngineError, WalltimeReached
from qdcomp.recipes.jobs import job_execution, walltime
from qdcomp.recipes.jobs.job_execution import read_run_record, run_job
from qdcomp.recipes.jobs.run_record import RECORD_NAME, RUNNING_NAME, Piece, note_running
from qdcomp.recipes.jobs.walltime import StepClock, choose_least_margin, find_futile_pieces
from qdcomp.structures import build_quantum_dot

ENGINE = ModelEngine()
WALLTIME_S = 100.0
JUMP_S = 65.0
"""From the time at which an engine runs to that at which it is asked to end."""


class JumpingClock:
    """Time that jumps to near the deadline once the job has done so many steps."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.steps = 0

    def time(self) -> float:
        running = (self.directory / RUNNING_NAME).is_file()
        reached = running and ENGINE.count_steps(self.directory) >= self.steps
        return time.time() + (JUMP_S if reached else 0.0)


@pytest.fixture(autouse=True)
def no_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in DEADLINE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(job_execution, "_POLL_S", 0.02)
    monkeypatch.setattr(walltime, "COUNT_EVERY_S", 0.0)


def make_job(task: str, **changes: object) -> EngineJob:
    dot = build_quantum_dot(cells=2, charge="formal")
    fields = {"settings": {"thermal_start": "velocities", "check_minimum": False}} | changes
    return EngineJob(task, dot.atoms, dot.charge, np.zeros(63, bool), **fields)  # type: ignore[arg-type]


def write(directory: Path, job: EngineJob) -> Path:
    directory.mkdir()
    ENGINE.write_inputs(directory, job)
    return directory


def run_in_pieces(directory: Path, stops: list[int], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Run a job whose batch jobs end after so many steps; return the steps at the end of each."""
    clock = JumpingClock(directory)
    monkeypatch.setattr(walltime, "time", clock)
    ends = []
    for stop in stops:
        clock.steps = stop
        monkeypatch.setenv("QDCOMP_DEADLINE", str(time.time() + WALLTIME_S))
        with pytest.raises(WalltimeReached, match="goes on where it stopped"):
            run_job(ENGINE, directory)
        assert is_stop_noted(directory) and not ENGINE.is_complete(directory)
        ends.append(ENGINE.count_steps(directory))
    clock.steps = 10**9
    run_job(ENGINE, directory)
    return ends


def test_dynamics_in_pieces_is_the_same_to_the_last_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job("dynamics", dynamics=DynamicsSettings(50.0, 10.0, 300))
    whole = write(tmp_path / "whole", job)
    assert len(run_job(ENGINE, whole).pieces) == 1
    directory = write(tmp_path / "pieces", job)
    ends = run_in_pieces(directory, [20, 120], monkeypatch)
    assert 20 <= ends[0] <= ends[1] and 120 <= ends[1] < 300
    record = read_run_record(directory)
    assert record is not None and record.runs == 3
    assert [piece.end for piece in record.pieces] == ["walltime", "walltime", "complete"]
    assert [piece.steps for piece in record.pieces] == [*ends, 300]
    assert record.walltime_s == pytest.approx(sum(piece.seconds for piece in record.pieces))
    frames = list(ENGINE.read_frames(directory))
    assert [frame.step for frame in frames] == list(range(1, 301))
    for frame, same in zip(frames, ENGINE.read_frames(whole), strict=True):
        for name, value in vars(same).items():
            np.testing.assert_array_equal(getattr(frame, name), value, err_msg=name)


def test_a_relaxation_goes_on_and_counts_its_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job("relax", relaxation=RelaxationSettings(0.005, 2000))
    whole, directory = write(tmp_path / "whole", job), write(tmp_path / "pieces", job)
    run_job(ENGINE, whole)
    (end,) = run_in_pieces(directory, [0], monkeypatch)
    last = ENGINE.parse(directory)
    assert last.steps >= end
    assert last.energy_ev == pytest.approx(ENGINE.parse(whole).energy_ev, abs=1e-3)


def test_a_job_without_a_step_in_two_batch_jobs_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = write(tmp_path / "job", make_job("dynamics", dynamics=DynamicsSettings(50, 10, 9)))
    with pytest.raises(EngineError, match="too short for one step: 2 batch jobs in a row") as error:
        run_in_pieces(directory, [0, 0], monkeypatch)
    assert not isinstance(error.value, WalltimeReached)
    monkeypatch.delenv("QDCOMP_DEADLINE")
    assert run_job(ENGINE, directory).pieces[-1].end == "complete"


def test_what_there_is_no_time_for_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = write(tmp_path / "job", make_job("dynamics", dynamics=DynamicsSettings(50, 10, 9)))
    monkeypatch.setenv("QDCOMP_DEADLINE", str(time.time() + 5.0))
    for _ in range(2):
        with pytest.raises(WalltimeReached):
            run_job(ENGINE, directory)
    assert not (directory / "model.out").exists()
    with pytest.raises(EngineError, match="too short for one step: 3 batch jobs"):
        run_job(ENGINE, directory)
    monkeypatch.delenv("QDCOMP_DEADLINE")
    assert run_job(ENGINE, directory).pieces[-1].end == "complete"


def test_a_piece_that_left_no_record_is_in_the_next_one(tmp_path: Path) -> None:
    directory = write(tmp_path / "job", make_job("dynamics", dynamics=DynamicsSettings(50, 10, 9)))
    note_running(directory)
    record = run_job(ENGINE, directory)
    assert [piece.end for piece in record.pieces] == ["cut off", "complete"]
    assert record.corrections[0].startswith("cut off on ")
    assert not (directory / RUNNING_NAME).exists()
    (directory / RECORD_NAME).unlink()
    note_running(directory)
    result = (directory / "result.json").stat().st_mtime_ns
    record = run_job(ENGINE, directory)
    assert [piece.end for piece in record.pieces] == ["complete"]
    assert record.corrections == []
    assert (directory / "result.json").stat().st_mtime_ns == result


def test_the_last_piece_of_several_is_recorded_once_wherever_it_was_killed(tmp_path: Path) -> None:
    directory = write(tmp_path / "job", make_job("dynamics", dynamics=DynamicsSettings(50, 10, 9)))
    note_running(directory)
    run_job(ENGINE, directory)
    record = json.loads((directory / RECORD_NAME).read_text())
    last = record["pieces"].pop()
    (directory / RECORD_NAME).write_text(json.dumps(record))
    note = {"started": datetime.fromisoformat(last["started"]).timestamp(), "host": last["host"]}
    for _ in ("before its record was written", "before its note was taken away"):
        (directory / RUNNING_NAME).write_text(json.dumps(note))
        pieces = run_job(ENGINE, directory).pieces
        assert [piece.end for piece in pieces] == ["cut off", "complete"]
        assert not (directory / RUNNING_NAME).exists()


def make_pieces(*ends: tuple[str, int]) -> list[Piece]:
    return [Piece("", "", "", 100.0, steps, end) for end, steps in ends]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ends", "futile"),
    [
        ([("walltime", 0)], 0),
        ([("walltime", 0), ("walltime", 0)], 2),
        ([("walltime", 3), ("walltime", 3)], 0),
        ([("walltime", 3), ("walltime", 3), ("walltime", 3)], 2),
        ([("walltime", 3), ("no time", 3), ("no time", 3)], 0),
        ([("no time", 0), ("no time", 0), ("no time", 0)], 3),
        ([("walltime", 0), ("cut off", 0), ("walltime", 0)], 0),
        ([("walltime", 0), ("walltime", 1)], 0),
    ],
)
def test_only_pieces_without_a_step_are_futile(ends: list[tuple[str, int]], futile: int) -> None:
    assert len(find_futile_pieces(make_pieces(*ends))) == futile


def test_the_longest_step_is_the_longest_of_those_done_and_at_hand() -> None:
    clock = StepClock(10, now=0.0)
    clock.note(10, now=50.0)
    assert clock.longest_s == 0.0
    clock.note(12, now=60.0)
    assert clock.longest_s == 30.0
    clock.note(13, now=70.0)
    assert clock.longest_s == 30.0
    clock.note(13, now=120.0)
    assert clock.longest_s == 50.0


def test_the_margin_is_a_share_of_the_time_between_limits() -> None:
    assert choose_least_margin(120.0) == LEAST_MARGIN_S
    assert choose_least_margin(7200.0) == 72.0
    assert choose_least_margin(3 * 86400.0) == 300.0
