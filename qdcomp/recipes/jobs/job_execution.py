"""Run the job in one directory through custodian; a run that was cut off goes on where it stopped.

Handlers never change the physics: they come from the engine, and what they changed is written to
``run_record.json`` in the job directory, with the command, the host and the times.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from custodian.custodian import Custodian, CustodianError, Job

from qdcomp.engines import Engine
from qdcomp.engines.deadline import forget_stop, is_stop_noted, read_deadline
from qdcomp.errors import EngineError, ParseError, WalltimeReached
from qdcomp.recipes.jobs.full_disk import explain_full_disk, find_full_disk
from qdcomp.recipes.jobs.measured_process import MeasuredProcess, count_cores
from qdcomp.recipes.jobs.run_record import (
    Piece,
    PieceEnd,
    RunRecord,
    find_cut_off_piece,
    is_noted_running,
    make_piece,
    note_running,
    read_run_record,
    write_run_record,
)
from qdcomp.recipes.jobs.stalled import Stalled
from qdcomp.recipes.jobs.supervised import wrap_command
from qdcomp.recipes.jobs.walltime import (
    Watch,
    count_steps,
    describe_futility,
    find_futile_pieces,
    has_time_for_a_step,
)
from qdcomp.recipes.launchpads import remove_password

__all__ = ["RunRecord", "read_run_record", "run_job"]

_ERRORS_NAME = "stderr.txt"
_LOCK_NAME = "running.lock"
_LOCK_PATIENCE_S = 10.0
_MAX_CORRECTIONS = 6
_POLL_S = 1.0
_MONITOR_EVERY_POLLS = 20
_OUTPUT_TAIL_LINES = 12


class _Process(MeasuredProcess):
    """An engine that runs; whoever waits for it looks at the clock in between."""

    watch: Watch

    def kill(self) -> None:
        """End it at once, and what it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def poll(self) -> int | None:
        """Wait for its end up to `_POLL_S`; custodian calls this without a pause."""
        try:
            return super().wait(_POLL_S)
        except subprocess.TimeoutExpired:
            self.watch.look(self)
            return None


class _EngineCommand(Job):
    """custodian's view of an engine's command."""

    def __init__(self, engine: Engine, directory: Path, lock: int, watch: Watch) -> None:
        self._engine = engine
        self._directory = directory
        self._lock = lock
        self._watch = watch
        self._processes: list[_Process] = []
        self.starts = 0
        self.cores = 0

    @property
    def name(self) -> str:
        return self._engine.name

    def as_dict(self) -> dict[str, Any]:
        return {"engine": self._engine.name, "directory": str(self._directory)}

    def setup(self, directory: str = "./") -> None:
        """Nothing to do: the inputs are written by a task of their own."""

    def run(self, directory: str = "./") -> _Process:
        self.starts += 1
        command = self._engine.command(self._directory)
        environment = remove_password(os.environ) | self._engine.environment(self._directory)
        self.cores = count_cores(command, environment)
        with (
            (self._directory / self._engine.output_name).open("ab") as output,
            (self._directory / _ERRORS_NAME).open("ab") as errors,
        ):
            process = _Process(
                wrap_command(command),
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=environment,
                pass_fds=(self._lock,),
                start_new_session=True,
            )
        process.watch = self._watch
        self._processes.append(process)
        return process

    def postprocess(self, directory: str = "./") -> None:
        """Nothing to do: outputs are read by a task of their own."""

    def terminate(self, directory: str = "./") -> None:
        """Kill what still runs; once it has ended nothing is done."""
        for process in self._processes:
            if process.returncode is None:
                process.kill()
                process.wait()

    @property
    def peak_memory_gib(self) -> float:
        return max((process.peak_memory_gib for process in self._processes), default=0.0)


def run_job(engine: Engine, directory: Path) -> RunRecord:
    """Run the job in `directory`, unless it is complete; go on with it where it was cut off.

    Raises
    ------
    WalltimeReached
        The batch job ends before the job is done, which can go on in another one.
    EngineError
        The code is missing, failed in a way that no handler may mend, or stopped early; or the
        batch jobs are too short for a single step.
    StoreError
        The disk is full.
    """
    directory = directory.resolve()
    earlier = read_run_record(directory)
    if earlier and not is_noted_running(directory) and engine.is_complete(directory):
        return earlier
    with explain_full_disk(directory), lock_directory(directory) as lock:
        earlier = _add_cut_off_piece(engine, directory, earlier)
        if earlier is not None and engine.is_complete(directory):
            record, failure = earlier, ""
        elif has_time_for_a_step(earlier):
            record, failure = _run_piece(engine, directory, earlier, lock)
        else:
            record, failure = _skip_piece(engine, directory, earlier), ""
        write_run_record(directory, record)
    _judge_piece(engine, directory, record.pieces, failure)
    return record


def _run_piece(
    engine: Engine, directory: Path, earlier: RunRecord | None, lock: int
) -> tuple[RunRecord, str]:
    """Run the engine until it ends; return the record and what custodian says of a failure."""
    started = note_running(directory)
    damage: tuple[str, ...] = ()
    if (directory / engine.output_name).exists():
        damage = engine.restart_from(directory, directory)
    forget_stop(directory)
    watch = Watch(engine, directory, read_deadline(), earlier.longest_step_s if earlier else 0.0)
    job = _EngineCommand(engine, directory, lock, watch)
    failure, corrections = _run_through_custodian(engine, job, directory)
    end = _name_end(engine, directory)
    piece = make_piece(started, time.time(), count_steps(engine, directory), end)
    record = _extend_record(
        earlier,
        piece,
        command=engine.command(directory),
        starts=job.starts,
        corrections=[*damage, *corrections],
    )
    record = replace(
        record,
        longest_step_s=round(watch.longest_step_s, 3),
        cores=job.cores,
        peak_memory_gib=round(max(record.peak_memory_gib, job.peak_memory_gib), 3),
    )
    return record, failure


def _name_end(engine: Engine, directory: Path) -> PieceEnd:
    if engine.is_complete(directory):
        return "complete"
    return "walltime" if is_stop_noted(directory) else "failed"


def _skip_piece(engine: Engine, directory: Path, earlier: RunRecord | None) -> RunRecord:
    """Record that there was too little time to begin."""
    now = time.time()
    piece = make_piece(now, now, count_steps(engine, directory), "no time")
    return _extend_record(earlier, piece)


def _add_cut_off_piece(
    engine: Engine, directory: Path, earlier: RunRecord | None
) -> RunRecord | None:
    """Add to a record the piece after it that was cut off before it could, if one was."""
    output, done = directory / engine.output_name, engine.is_complete(directory)
    piece = find_cut_off_piece(directory, output, count_steps(engine, directory), done=done)
    if piece is None or (earlier and earlier.has_piece(piece)):
        return earlier
    said = f"cut off on {piece.host} after {piece.finished}: went on from what it had written"
    return _extend_record(earlier, piece, starts=1, corrections=[] if done else [said])


def _judge_piece(engine: Engine, directory: Path, pieces: Sequence[Piece], failure: str) -> None:
    """Raise what a piece that did not complete its job has to tell."""
    if pieces[-1].end == "complete":
        return
    if pieces[-1].end in ("walltime", "no time"):
        futile = find_futile_pieces(pieces)
        if futile:
            raise EngineError(describe_futility(futile), directory)
        raise WalltimeReached(
            f"the time of the batch job is used up after {pieces[-1].steps} steps; the job goes "
            "on where it stopped, in the next one",
            directory,
        )
    said = "\n".join(_read_tail(directory / name) for name in (engine.output_name, _ERRORS_NAME))
    full = find_full_disk(directory, said)
    if full:
        raise EngineError(f"{engine.name} stopped: {full}", directory)
    try:
        engine.parse(directory)  # the engine knows best what went wrong, and says so
    except ParseError as error:  # it wrote no output that could tell
        failure = "; ".join(filter(None, (failure, str(error))))
    raise EngineError(
        f"{engine.name} stopped before the job was done"
        f"{': ' + failure if failure else ''}. Last lines of {engine.output_name}:\n"
        f"{_read_tail(directory / engine.output_name)}\n"
        f"Last lines of {_ERRORS_NAME}:\n{_read_tail(directory / _ERRORS_NAME)}",
        directory,
    )


def _run_through_custodian(
    engine: Engine, job: _EngineCommand, directory: Path
) -> tuple[str, list[str]]:
    handlers = list(engine.handlers(directory)) or [Stalled(engine, directory)]
    custodian = Custodian(
        handlers,
        [job],
        max_errors=_MAX_CORRECTIONS,
        polling_time_step=0,
        monitor_freq=_MONITOR_EVERY_POLLS,
        directory=str(directory),
    )
    failure = ""
    with _log_to_file("custodian", directory / "custodian.log"):
        try:
            custodian.run()
        except CustodianError as error:
            failure = str(error)
        finally:
            job.terminate()  # whatever stopped custodian, the engine does not outlive it
    return failure, _describe_corrections(custodian.run_log)


def _describe_corrections(run_log: list[dict[str, Any]]) -> list[str]:
    return [
        f"{type(correction['handler']).__name__}: {', '.join(map(str, correction['errors']))}"
        f" -> {correction['actions']}"
        for entry in run_log
        for correction in entry["corrections"]
        if correction.get("actions")
    ]


def _extend_record(
    earlier: RunRecord | None,
    piece: Piece,
    *,
    command: Sequence[str] = (),
    starts: int = 0,
    corrections: Sequence[str] = (),
) -> RunRecord:
    before = earlier or RunRecord([], "", "", "", 0.0, 0, [])
    return replace(
        before,
        command=list(command) or before.command,
        host=piece.host,
        started=piece.started,
        finished=piece.finished,
        walltime_s=round(before.walltime_s + piece.seconds, 3),
        runs=before.runs + starts,
        corrections=[*before.corrections, *corrections],
        pieces=[*before.pieces, piece],
    )


def _read_tail(path: Path) -> str:
    if not path.is_file():
        return "(no output)"
    lines = path.read_text(errors="replace").splitlines()
    return "\n".join(lines[-_OUTPUT_TAIL_LINES:]) or "(empty)"


@contextmanager
def lock_directory(directory: Path) -> Iterator[int]:
    """Hold `directory` for this process and the engine it starts, which inherits the lock."""
    with (directory / _LOCK_NAME).open("w") as stream:
        _acquire(stream, directory)
        yield stream.fileno()


def _acquire(stream: IO[str], directory: Path) -> None:
    deadline = time.monotonic() + _LOCK_PATIENCE_S
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise EngineError(
                    "another process is running this job; wait for it to end, or end it, "
                    "then resume",
                    directory,
                ) from None
            time.sleep(0.1)


class _LogFile(logging.FileHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        """Leave out what a full disk does not take: files that matter will tell."""


@contextmanager
def _log_to_file(name: str, path: Path) -> Iterator[None]:
    logger = logging.getLogger(name)
    handler = _LogFile(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagates
        handler.close()
