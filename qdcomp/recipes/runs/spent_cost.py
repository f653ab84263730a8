"""What the jobs of a run really took, beside what was expected of them: functions of records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from qdcomp.engines import CostEstimate
from qdcomp.errors import QdcompError
from qdcomp.recipes.jobs.job_estimate import read_estimate
from qdcomp.recipes.jobs.job_execution import RunRecord, read_run_record
from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS, JobKind
from qdcomp.recipes.runs.run_directory import RunDirectory

SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True)
class FinishedJob:
    """A job that has run, and what was expected of it.

    Attributes
    ----------
    engine, kind
        Which code ran it, and what it did.
    cores
        Cores that it used; 0 where that was not written down.
    walltime_s
        Wall time of all its runs [s].
    memory_gib
        Largest resident memory [GiB]; 0 where that was not written down.
    expected
        What the formula of the engine said; None where that was not written down.
    """

    engine: str
    kind: JobKind
    cores: int
    walltime_s: float
    memory_gib: float
    expected: CostEstimate | None

    @property
    def core_hours(self) -> float:
        """Core-hours that it took; 0 where its cores are not known."""
        return self.cores * self.walltime_s / SECONDS_PER_HOUR


@dataclass(frozen=True)
class SpentCost:
    """What the jobs of one kind took.

    Attributes
    ----------
    kind
        What they did.
    jobs
        How many ran.
    core_hours
        What they took, of those whose cores are known.
    expected_core_hours
        What was expected of these; None where that was not written down for all of them.
    unknown
        Jobs whose cores nobody wrote down; they are not counted.
    memory_gib
        Largest resident memory [GiB]; 0 where that was not written down.
    """

    kind: JobKind
    jobs: int
    core_hours: float
    expected_core_hours: float | None
    unknown: int
    memory_gib: float


def list_finished_jobs(run: RunDirectory) -> tuple[FinishedJob, ...]:
    """Jobs of a run that have a record, in the order of the plan; a damaged one counts as none."""
    found = []
    for job in run.jobs:
        if job.kind in ENGINE_KINDS:
            directory = run.job_directory(job)
            record = _read_record(directory)
            if record is not None:
                found.append(describe_finished(run.study.engine, job.kind, record, directory))
    return tuple(found)


def _read_record(directory: Path) -> RunRecord | None:
    try:
        return read_run_record(directory)
    except QdcompError:
        return None


def describe_finished(
    engine: str, kind: JobKind, record: RunRecord, directory: Path
) -> FinishedJob:
    """Put the record of a job beside what was expected of it."""
    return FinishedJob(
        engine,
        kind,
        record.cores,
        record.walltime_s,
        record.peak_memory_gib,
        read_estimate(directory),
    )


def sum_spent(jobs: Iterable[FinishedJob]) -> tuple[SpentCost, ...]:
    """Sum what jobs took, by kind, in the order of their first one."""
    by_kind: dict[JobKind, list[FinishedJob]] = {}
    for job in jobs:
        by_kind.setdefault(job.kind, []).append(job)
    return tuple(_sum_kind(kind, found) for kind, found in by_kind.items())


def _sum_kind(kind: JobKind, jobs: Sequence[FinishedJob]) -> SpentCost:
    known = [job for job in jobs if job.cores]
    expected = [job.expected.core_hours for job in known if job.expected is not None]
    return SpentCost(
        kind=kind,
        jobs=len(jobs),
        core_hours=sum(job.core_hours for job in known),
        expected_core_hours=sum(expected) if known and len(expected) == len(known) else None,
        unknown=len(jobs) - len(known),
        memory_gib=max((job.memory_gib for job in jobs), default=0.0),
    )


def describe_spent(spent: Sequence[SpentCost]) -> tuple[str, ...]:
    """Say in a line for each kind, and one for all, what was spent; nothing where nothing ran."""
    if not spent:
        return ()
    lines = [_describe_kind(entry) for entry in spent]
    if len(spent) > 1:
        total = sum(entry.core_hours for entry in spent)
        expected = [entry.expected_core_hours for entry in spent]
        known = [value for value in expected if value is not None]
        compared = f" (expected {_format(sum(known))})" if len(known) == len(spent) else ""
        lines.append(f"spent in all: {_format(total)} core-hours{compared}")
    return tuple(lines)


def _describe_kind(entry: SpentCost) -> str:
    jobs = f"{entry.jobs} job{'' if entry.jobs == 1 else 's'}"
    if entry.unknown == entry.jobs:
        return f"spent on {entry.kind}: {jobs}, whose cores were not written down"
    parts = [f"spent on {entry.kind}: {_format(entry.core_hours)} core-hours in {jobs}"]
    if entry.expected_core_hours is not None:
        parts.append(f"expected {_format(entry.expected_core_hours)}")
    if entry.memory_gib:
        parts.append(f"at most {_format(entry.memory_gib)} GiB")
    if entry.unknown:
        parts.append(f"without {entry.unknown} whose cores were not written down")
    return ", ".join(parts)


def _format(value: float) -> str:
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10.0 else f"{rounded:g}"


def tabulate_spent(spent: Sequence[SpentCost]) -> list[dict[str, Any]]:
    """Give what was spent for a provenance: a mapping for each kind."""
    return [asdict(entry) for entry in spent]
