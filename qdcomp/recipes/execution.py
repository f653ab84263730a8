"""Run the job in one directory through custodian; a run that was cut off goes on where it stopped.

Handlers never change the physics: they come from the engine, and what they changed is written to
``run_record.json`` in the job directory, with the command, the host and the times.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import platform
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from custodian.custodian import Custodian, CustodianError, Job

from qdcomp.engines import Engine
from qdcomp.errors import EngineError, ParseError
from qdcomp.recipes.launchpads import remove_password
from qdcomp.recipes.measured_process import MeasuredProcess, count_cores
from qdcomp.recipes.supervised import wrap_command

RECORD_NAME = "run_record.json"
"""File in a job directory that says how it was run."""

_ERRORS_NAME = "stderr.txt"
_LOCK_NAME = "running.lock"
_LOCK_PATIENCE_S = 10.0
_MAX_CORRECTIONS = 6
_POLL_S = 1.0
_MONITOR_EVERY_POLLS = 20
_OUTPUT_TAIL_LINES = 12


@dataclass(frozen=True)
class RunRecord:
    """How a job directory was run.

    Attributes
    ----------
    command
        The engine's command line.
    host
        Name of the machine.
    started, finished
        Times of the last run, ISO 8601, UTC.
    walltime_s
        Wall time over all runs in this directory [s].
    runs
        How often the engine was started here; more than one where a run was cut off.
    corrections
        What custodian's handlers changed, oldest first.
    reused_from
        Folder of the job whose outputs were taken over; empty where the engine ran here.
    cores
        Cores that it used: processes times threads; 0 where nobody wrote it down.
    peak_memory_gib
        Largest resident memory of a process of the engine on this machine [GiB]; 0 as above.
    """

    command: list[str]
    host: str
    started: str
    finished: str
    walltime_s: float
    runs: int
    corrections: list[str]
    reused_from: str = ""
    cores: int = 0
    peak_memory_gib: float = 0.0


class _EngineCommand(Job):
    """custodian's view of an engine's command."""

    def __init__(self, engine: Engine, directory: Path, lock: int) -> None:
        self._engine = engine
        self._directory = directory
        self._lock = lock
        self._processes: list[MeasuredProcess] = []
        self.starts = 0
        self.cores = 0

    @property
    def name(self) -> str:
        return self._engine.name

    def as_dict(self) -> dict[str, Any]:
        return {"engine": self._engine.name, "directory": str(self._directory)}

    def setup(self, directory: str = "./") -> None:
        """Nothing to do: the inputs are written by a task of their own."""

    def run(self, directory: str = "./") -> subprocess.Popen[bytes]:
        self.starts += 1
        command = self._engine.command(self._directory)
        environment = remove_password(os.environ) | self._engine.environment(self._directory)
        self.cores = count_cores(command, environment)
        with (
            (self._directory / self._engine.output_name).open("ab") as output,
            (self._directory / _ERRORS_NAME).open("ab") as errors,
        ):
            process = MeasuredProcess(
                wrap_command(command),
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=environment,
                pass_fds=(self._lock,),
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def postprocess(self, directory: str = "./") -> None:
        """Nothing to do: outputs are read by a task of their own."""

    @property
    def peak_memory_gib(self) -> float:
        return max((process.peak_memory_gib for process in self._processes), default=0.0)

    def terminate(self, directory: str = "./") -> None:
        if self._processes:
            self._processes[-1].kill()
            self._processes[-1].wait()


def run_job(engine: Engine, directory: Path) -> RunRecord:
    """Run the job in `directory`, unless it is complete; go on with it where it was cut off.

    Raises
    ------
    EngineError
        The code is missing, failed in a way that no handler may mend, or stopped early.
    """
    directory = directory.resolve()
    earlier = read_run_record(directory)
    if earlier is not None and engine.is_complete(directory):
        return earlier
    with lock_directory(directory) as lock:
        if (directory / engine.output_name).exists():
            engine.restart_from(directory, directory)
        job = _EngineCommand(engine, directory, lock)
        started = time.time()
        failure, corrections = _run_through_custodian(engine, job, directory)
        record = _make_record(engine, directory, earlier, job, started, corrections)
    write_run_record(directory, record)
    if not engine.is_complete(directory):
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
    return record


def write_run_record(directory: Path, record: RunRecord) -> None:
    """Write how the job in `directory` was run, whole or not at all."""
    partial = directory / f"{RECORD_NAME}.partial"
    partial.write_text(json.dumps(asdict(record), indent=2) + "\n")
    partial.replace(directory / RECORD_NAME)


def read_run_record(directory: Path) -> RunRecord | None:
    """Record of how the job in `directory` was run; None if it was not.

    Raises
    ------
    ParseError
        If the file is damaged.
    """
    path = directory / RECORD_NAME
    if not path.is_file():
        return None
    try:
        return RunRecord(**json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise ParseError(
            f"damaged ({error}); expected how and when this job was run. Remove the file: "
            "the job is then looked at again by qdcomp resume, and its results are kept",
            path,
        ) from error


def _run_through_custodian(
    engine: Engine, job: _EngineCommand, directory: Path
) -> tuple[str, list[str]]:
    handlers = list(engine.handlers(directory))
    custodian = Custodian(
        handlers,
        [job],
        max_errors=_MAX_CORRECTIONS,
        polling_time_step=_POLL_S,
        monitor_freq=_MONITOR_EVERY_POLLS,
        directory=str(directory),
    )
    failure = ""
    with _log_to_file("custodian", directory / "custodian.log"):
        try:
            custodian.run()
        except CustodianError as error:
            failure = str(error)
    return failure, _describe_corrections(custodian.run_log)


def _describe_corrections(run_log: list[dict[str, Any]]) -> list[str]:
    return [
        f"{type(correction['handler']).__name__}: {', '.join(map(str, correction['errors']))}"
        f" -> {correction['actions']}"
        for entry in run_log
        for correction in entry["corrections"]
        if correction.get("actions")
    ]


def _make_record(
    engine: Engine,
    directory: Path,
    earlier: RunRecord | None,
    job: _EngineCommand,
    started: float,
    corrections: list[str],
) -> RunRecord:
    finished = time.time()
    return RunRecord(
        command=engine.command(directory),
        host=platform.node(),
        started=_format_time(started),
        finished=_format_time(finished),
        walltime_s=round((earlier.walltime_s if earlier else 0.0) + finished - started, 3),
        runs=(earlier.runs if earlier else 0) + job.starts,
        corrections=[*(earlier.corrections if earlier else []), *corrections],
        cores=job.cores,
        peak_memory_gib=round(
            max(earlier.peak_memory_gib if earlier else 0.0, job.peak_memory_gib), 4
        ),
    )


def _format_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


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


@contextmanager
def _log_to_file(name: str, path: Path) -> Iterator[None]:
    logger = logging.getLogger(name)
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagates
        handler.close()
