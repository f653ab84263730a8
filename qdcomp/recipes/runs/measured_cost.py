"""The estimates of a plan, refined by jobs that have run.

A formula scales well and starts badly: how core-hours grow with atoms, grid and steps is known, the
speed of the machine is not. The jobs that have run give the ratio of what they took to what the
formula said, by engine and kind of job; its median corrects the formula, its spread is the error.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from fireworks import LaunchPad

from qdcomp.engines import CostEstimate
from qdcomp.errors import QdcompError
from qdcomp.recipes.jobs.planned_job import JobKind
from qdcomp.recipes.plans.plan import JobCost, StudyPlan
from qdcomp.recipes.runs.run_directory import STUDY_NAME, open_run
from qdcomp.recipes.runs.spent_cost import FinishedJob, list_finished_jobs

FEW_JOBS = 4
"""With fewer, their spread says little, and the error is not taken below `FEW_JOBS_ERROR`."""

FEW_JOBS_ERROR = 2.0

LEAST_ERROR = 1.15
"""Jobs of the same size differ by so much from day to day."""

SHORTEST_S = 60.0
"""Jobs shorter than this [s] say how long a program takes to start, and not how fast it is."""

EXTRAPOLATED = 1.5
"""A job with so many times the electrons of the largest that has run is extrapolated to."""

_NORMAL = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


@dataclass(frozen=True)
class Calibration:
    """What finished jobs of one engine and kind say of the formula.

    Attributes
    ----------
    engine, kind
        Which jobs.
    jobs
        How many.
    ratio
        Median of core-hours taken over core-hours expected.
    spread
        Factor within which about two in three of these ratios lie of the median.
    memory_ratio
        Median of memory taken over memory expected; 1 where none was measured.
    electrons
        Electrons of the largest of them.
    """

    engine: str
    kind: JobKind
    jobs: int
    ratio: float
    spread: float
    memory_ratio: float
    electrons: int

    @property
    def error_factor(self) -> float:
        """How well the refined core-hours are known, as `CostEstimate.error_factor`."""
        return max(self.spread, LEAST_ERROR if self.jobs >= FEW_JOBS else FEW_JOBS_ERROR)

    def describe(self) -> str:
        """Say what refines the estimates."""
        return (
            f"refined by {self.jobs} finished job{'' if self.jobs == 1 else 's'} of {self.engine} "
            f"{self.kind}: measured/predicted {self.ratio:.2g}, "
            + (f"spread {self.spread:.2g}" if self.jobs > 1 else "spread not known")
        )


def collect_finished(folders: Iterable[Path]) -> tuple[FinishedJob, ...]:
    """Collect the jobs that have run in several folders; what is no run, or damaged, has none."""
    found: list[FinishedJob] = []
    for folder in dict.fromkeys(folder.resolve() for folder in folders):
        try:
            found.extend(list_finished_jobs(open_run(folder)))
        except QdcompError:
            continue
    return tuple(found)


def find_runs(folder: Path) -> tuple[Path, ...]:
    """Folders of runs directly in a folder, by name."""
    return tuple(sorted(path.parent for path in folder.glob(f"*/{STUDY_NAME}")))


def list_launchpad_runs(launchpad: LaunchPad) -> tuple[Path, ...]:
    """Folders of the runs of a launchpad that this machine sees."""
    named = launchpad.workflows.distinct("metadata.run_directory")
    paths = (Path(name) for name in named if isinstance(name, str))
    return tuple(sorted(path for path in paths if (path / STUDY_NAME).is_file()))


def calibrate(jobs: Iterable[FinishedJob]) -> dict[tuple[str, JobKind], Calibration]:
    """Compare what jobs took with what was expected of them, by engine and kind.

    Jobs that were too short, or whose cores or estimate nobody wrote down, are left out.
    """
    groups: dict[tuple[str, JobKind], list[tuple[FinishedJob, CostEstimate]]] = {}
    for job in jobs:
        if job.expected is None or job.walltime_s < SHORTEST_S:
            continue
        if job.expected.core_hours > 0.0 and job.core_hours > 0.0:
            groups.setdefault((job.engine, job.kind), []).append((job, job.expected))
    return {key: _calibrate_group(key, group) for key, group in groups.items()}


def _calibrate_group(
    key: tuple[str, JobKind], group: list[tuple[FinishedJob, CostEstimate]]
) -> Calibration:
    logs = np.log([job.core_hours / expected.core_hours for job, expected in group])
    median = float(np.median(logs))
    memory = [
        job.memory_gib / expected.memory_gib
        for job, expected in group
        if job.memory_gib > 0.0 and expected.memory_gib > 0.0
    ]
    return Calibration(
        engine=key[0],
        kind=key[1],
        jobs=len(group),
        ratio=math.exp(median),
        spread=math.exp(_NORMAL * float(np.median(np.abs(logs - median)))),
        memory_ratio=float(np.median(memory)) if memory else 1.0,
        electrons=max(expected.electrons for _, expected in group),
    )


def refine_plan(
    plan: StudyPlan, calibrations: Mapping[tuple[str, JobKind], Calibration]
) -> StudyPlan:
    """Correct the estimates of a plan by what finished jobs took."""
    return replace(plan, jobs=tuple(_refine(plan.study.engine, e, calibrations) for e in plan.jobs))


def _refine(
    engine: str, entry: JobCost, calibrations: Mapping[tuple[str, JobKind], Calibration]
) -> JobCost:
    calibration = calibrations.get((engine, entry.job.kind))
    if entry.cost is None or calibration is None:
        return entry
    cost = entry.cost
    basis = calibration.describe()
    if cost.electrons > EXTRAPOLATED * calibration.electrons:
        basis += (
            f"; extrapolated to {cost.electrons} electrons from at most "
            f"{calibration.electrons} that have run"
        )
    return JobCost(
        entry.job,
        replace(
            cost,
            core_hours=cost.core_hours * calibration.ratio,
            memory_gib=cost.memory_gib * calibration.memory_ratio,
            error_factor=calibration.error_factor,
            basis=basis,
        ),
    )
