"""What has to hold at the end: the database, the disk, and what an undisturbed run gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from qdcomp.recipes.campaigns.run_set import RunSet
from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS
from qdcomp.recipes.jobs.run_record import RUNNING_NAME, read_run_record
from qdcomp.recipes.launchpads import open_launchpad
from qdcomp.recipes.runs.pieces import select_current
from qdcomp.recipes.runs.run_directory import EMBEDDED_LAUNCHPAD_NAME, RunDirectory, create_run
from qdcomp.recipes.stages.stages import is_done
from qdcomp.recipes.workflows.run_launching import execute_run
from qdcomp.trajectory import open_trajectory

_STEPS = "particles/trajectory/position/step"
_DONE_ALREADY = "the job is done already"


@dataclass(frozen=True)
class Books:
    """What the launchpad says.

    Attributes
    ----------
    jobs
        Documents of the jobs of the campaign.
    launches
        Those of the launches of each job, oldest first, by its ``fw_id``.
    workflows
        Those of the workflows.
    """

    jobs: tuple[Mapping[str, Any], ...]
    launches: Mapping[int, list[Mapping[str, Any]]]
    workflows: tuple[Mapping[str, Any], ...]

    @property
    def restarts(self) -> int:
        """How often jobs were launched beyond the first time."""
        return sum(max(0, len(each) - 1) for each in self.launches.values())


def read_books(uri: str, runs: RunSet) -> Books:
    """Read all that a launchpad has of a campaign."""
    with open_launchpad(uri, read_only=True) as pad:
        jobs = tuple(pad.fireworks.find(runs.query))
        launches: dict[int, list[Mapping[str, Any]]] = {job["fw_id"]: [] for job in jobs}
        for launch in pad.launches.find({}, sort=[("launch_id", 1)]):
            launches[launch["fw_id"]].append(launch)
        return Books(jobs, launches, tuple(pad.workflows.find({})))


def check_states(runs: RunSet, books: Books) -> Iterator[str]:
    """Every job of every member is there, once, and COMPLETED."""
    for run in runs.runs:
        own = [job for job in books.jobs if job["spec"]["run_directory"] == str(run.root)]
        current = select_current(own)
        for job in run.jobs:
            state = current[job.name]["state"] if job.name in current else "missing"
            if state != "COMPLETED":
                yield f"{job.name}: {state}"
        if len(own) != len(run.jobs):
            yield f"{run.study.name}: {len(own)} jobs where {len(run.jobs)} belong"


def check_launches(books: Books) -> Iterator[str]:
    """Each job has one launch that completed, the last, and none that is open."""
    for job in books.jobs:
        launches = books.launches[job["fw_id"]]
        states = [launch["state"] for launch in launches]
        done = [launch["launch_id"] for launch in launches if launch["state"] == "COMPLETED"]
        if len(done) != 1:
            yield f"{job['name']}: {len(done)} launches completed, of {states}"
        elif launches[-1]["launch_id"] != done[0]:
            yield f"{job['name']}: launched again after it was complete, {states}"
        elif list(job["launches"]) != done:
            yield f"{job['name']}: the job names launches {job['launches']}, {done} completed"
        open_ones = Counter(states) - Counter({"COMPLETED": len(done)})
        if set(open_ones) - {"FIZZLED", "ARCHIVED"}:
            yield f"{job['name']}: launches left open, {states}"


def check_workflows(books: Books) -> Iterator[str]:
    """Workflows say of their jobs what the jobs say, and none is locked."""
    states = {job["fw_id"]: job["state"] for job in books.jobs}
    for workflow in books.workflows:
        if "locked" in workflow:
            yield f"workflow {workflow['nodes']} is locked"
        if workflow["state"] != "COMPLETED":
            yield f"workflow {workflow['nodes']} is {workflow['state']}"
        for node in workflow["nodes"]:
            said = workflow["fw_states"].get(str(node))
            if said != states.get(node):
                yield f"job {node} is {states.get(node)}, its workflow says {said}"


def check_disk(runs: RunSet) -> Iterator[str]:
    """Each job has its result on disk, and each folder belongs to a job."""
    for run in runs.runs:
        for job in run.jobs:
            if not run.has_result(job) or (job.kind in ENGINE_KINDS and not is_done(run, job)):
                yield f"{job.name}: no result on disk"
            if (run.job_directory(job) / "failure.txt").is_file():
                yield f"{job.name}: failure.txt is still there"
        known = {run.job_directory(job) for job in run.jobs}
        for path in (run.root / "jobs").iterdir():
            if path.is_dir() and not any(each.is_relative_to(path) for each in known):
                yield f"{path}: belongs to no job"


def check_engine_starts(runs: RunSet) -> Iterator[str]:
    """No engine was started on a job that was complete, by record and by output."""
    for run, directory in _list_engine_jobs(runs):
        record = read_run_record(directory)
        if record is None:
            yield f"{directory}: no record of its run"
            continue
        ends = [piece.end for piece in record.pieces]
        if ends.count("complete") != 1 or ends[-1] != "complete":
            yield f"{directory}: its pieces ended {ends}"
        if _DONE_ALREADY in (directory / run.engine.output_name).read_text():
            yield f"{directory}: the engine was started on a job that was complete"
        if (directory / RUNNING_NAME).exists():
            yield f"{directory}: still noted as running"


def count_engine_restarts(runs: RunSet) -> int:
    """How often engines were started beyond the first time."""
    records = (read_run_record(directory) for _, directory in _list_engine_jobs(runs))
    return sum(max(0, record.runs - 1) for record in records if record)


def check_frames(runs: RunSet) -> Iterator[str]:
    """Each trajectory, joined or of one segment, has each step once and in order."""
    for run in runs.runs:
        for job in run.select_jobs("sample"):
            assert job.dynamics is not None
            first = job.dynamics.first_step + 1
            yield from _check_steps(run.job_directory(job) / "trajectory.h5", first, job.steps)
        for job in run.select_jobs("collect"):
            steps = sum(each.steps for each in run.select_jobs("sample", job.temperature_k))
            yield from _check_steps(run.job_directory(job) / "trajectory.h5", 1, steps)


def check_against_undisturbed(runs: RunSet, folder: Path, members: int) -> Iterator[str]:
    """Trajectories of some members are those of a run that nobody disturbed, bit for bit."""
    for run in runs.runs[:: max(1, len(runs.runs) // members)][:members]:
        undisturbed = create_run(folder / run.root.name, run.study)
        execute_run(undisturbed, undisturbed.root / EMBEDDED_LAUNCHPAD_NAME)
        for job in run.jobs:
            if job.kind in ("collect", "sample", "equilibrate"):
                path = run.job_directory(job) / "trajectory.h5"
                other = undisturbed.job_directory(job) / "trajectory.h5"
                for name in _find_differences(path, other):
                    yield f"{path}: {name} is not that of an undisturbed run"


def list_left_behind(root: Path) -> list[Path]:
    """Files and folders that killed processes left, and nobody took away."""
    found = [
        *root.glob("**/tmp*"),
        *root.glob("**/*partial*"),
        *(path for path in root.glob("**/launcher_*") if not any(path.iterdir())),
    ]
    return sorted(found)


def _list_engine_jobs(runs: RunSet) -> Iterator[tuple[RunDirectory, Path]]:
    for run in runs.runs:
        for job in run.jobs:
            if job.kind in ENGINE_KINDS:
                yield run, run.job_directory(job)


def _check_steps(path: Path, first: int, count: int) -> Iterator[str]:
    with open_trajectory(path) as trajectory:  # it refuses a file that was not closed whole
        n_frames = trajectory.n_frames
    with h5py.File(path) as stored:
        steps = stored[_STEPS][:n_frames]
    if not np.array_equal(steps, np.arange(first, first + count)):
        yield f"{path}: {len(steps)} frames, {len(set(steps.tolist()))} different ones of {count}"


def _find_differences(path: Path, other: Path) -> list[str]:
    with open_trajectory(path) as one, open_trajectory(other) as two:
        if one.n_frames != two.n_frames:
            return ["the number of frames"]
        count = one.n_frames
    with h5py.File(path) as first, h5py.File(other) as second:
        return [
            name
            for name, dataset in _list_datasets(first).items()
            if dataset.shape and not np.array_equal(dataset[:count], second[name][:count])
        ]


def _list_datasets(stored: h5py.File) -> dict[str, h5py.Dataset]:
    found: dict[str, h5py.Dataset] = {}
    stored.visititems(
        lambda name, entry: found.update({name: entry}) if isinstance(entry, h5py.Dataset) else None
    )
    return found
