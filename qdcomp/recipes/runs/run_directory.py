"""The folder of one run of a study.

::

    runs/raino2022_dot_1p8nm-model/
        study.yaml            the study, every default spelled out, for one engine
        structure.extxyz      what was built
        relaxed.extxyz        what it relaxed to
        launchpad.sqlite      the embedded launchpad, or launchpad.uri: where the server is
        cluster.yaml          on a cluster: its profile
        launchpad.yaml        on a cluster: FireWorks' launchpad file, which only its user reads
        jobs/…                one folder a job, with the engine's inputs and outputs
        normal_modes/         coupling without a trajectory, where the study asks for it
        T10K/trajectory.h5    joined segments, H5MD
        T10K/analysis.h5      observables
        report/index.html     with results.json and provenance.json beside it

A run of a study of ligands has several structures, ``structures/complex.extxyz`` as built and
``structures/complex.relaxed.extxyz`` as relaxed, and its result in ``result.h5``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from qdcomp.engines import Engine, load_engine
from qdcomp.errors import InputError, ParseError, StoreError
from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS, JobKind, PlannedJob
from qdcomp.recipes.plans.plan import plan_jobs
from qdcomp.recipes.study_files.dot_schema import DotStudy, as_dot_study
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.recipes.study_files.study_schema import Study
from qdcomp.recipes.study_files.surface_schema import SurfaceStudy, as_surface_study
from qdcomp.structures import Structure, read_structure

STUDY_NAME = "study.yaml"
CAMPAIGN_NAME = "campaign.json"
EMBEDDED_LAUNCHPAD_NAME = "launchpad.sqlite"
SERVER_LAUNCHPAD_NAME = "launchpad.uri"
ACCESS_NAME = "launchpad.yaml"
PROFILE_NAME = "cluster.yaml"
TRAJECTORY_NAME = "trajectory.h5"
ANALYSIS_NAME = "analysis.h5"
MODES_NAME = "modes.h5"
HARMONIC_NAME = "harmonic_spectrum.h5"
RESULT_NAME = "result.h5"


@dataclass(frozen=True)
class RunDirectory:
    """One run of a study on disk.

    Attributes
    ----------
    root
        Its folder, absolute.
    study
        The study that runs in it.
    """

    root: Path
    study: Study

    @cached_property
    def jobs(self) -> tuple[PlannedJob, ...]:
        """Jobs of the study, parents first."""
        return plan_jobs(self.study)

    @cached_property
    def engine(self) -> Engine:
        """Engine that computes them."""
        return load_engine(self.study.engine)

    @cached_property
    def dot_study(self) -> DotStudy:
        """The study, where it is one of a dot; else an `InputError`."""
        return as_dot_study(self.study)

    @cached_property
    def surface_study(self) -> SurfaceStudy:
        """The study, where it is one of ligands and surfaces; else an `InputError`."""
        return as_surface_study(self.study)

    @property
    def campaign_folder(self) -> Path | None:
        """Folder of the campaign that it is a member of; None where it is of none."""
        parent = self.root.parent
        return parent if (parent / CAMPAIGN_NAME).is_file() else None

    @property
    def launchpad_folder(self) -> Path:
        """Folder that has its launchpad: that of its campaign, or else its own."""
        return self.campaign_folder or self.root

    def built_path(self, piece: str = "") -> Path:
        """Where a structure is as built; a dot is its run's only one and has no name."""
        return self._structures / f"{piece}.extxyz" if piece else self.root / "structure.extxyz"

    def relaxed_path(self, piece: str = "") -> Path:
        """Where a structure is as relaxed."""
        if piece:
            return self._structures / f"{piece}.relaxed.extxyz"
        return self.root / "relaxed.extxyz"

    @property
    def _structures(self) -> Path:
        return self.root / "structures"

    def read_built(self, piece: str = "") -> Structure:
        """Read a structure as built.

        Raises
        ------
        StoreError
            The file is missing or damaged.
        """
        return _read_own_structure(self.built_path(piece))

    def read_relaxed(self, piece: str = "") -> Structure:
        """Read a structure as relaxed.

        Raises
        ------
        StoreError
            The file is missing or damaged.
        """
        return _read_own_structure(self.relaxed_path(piece))

    def find_job(self, name: str) -> PlannedJob:
        """Job of that name.

        Raises
        ------
        InputError
            If the study has none; its file was changed after the jobs were made.
        """
        for job in self.jobs:
            if job.name == name:
                return job
        raise InputError(
            f"{self.root / STUDY_NAME} has no job {name!r}; it was changed after the run began"
        )

    def select_jobs(
        self, kind: JobKind, temperature_k: float | None = None
    ) -> tuple[PlannedJob, ...]:
        """Jobs of a kind, at one sampling temperature [K] where one is given."""
        return tuple(
            job
            for job in self.jobs
            if job.kind == kind and temperature_k in (None, job.temperature_k)
        )

    @property
    def modes_directory(self) -> Path:
        """Results of the route without a trajectory."""
        return self.root / "normal_modes"

    def has_result(self, job: PlannedJob) -> bool:
        """Whether what a job leaves for others is there; True for dynamics, which engines keep."""
        directory = self.job_directory(job)
        made: dict[JobKind, tuple[Path, ...]] = {
            "relax": (self.relaxed_path(job.piece),),
            "modes": (directory / MODES_NAME, directory / HARMONIC_NAME),
            "collect": (directory / TRAJECTORY_NAME,),
            "analyse": (directory / ANALYSIS_NAME,),
            "combine": (self.root / RESULT_NAME,),
        }
        if job.kind == "build":
            return all(self.built_path(piece).is_file() for piece in self.built_pieces)
        return job.kind not in made or any(path.is_file() for path in made[job.kind])

    @cached_property
    def built_pieces(self) -> tuple[str, ...]:
        """Names of the structures that the build makes for its jobs."""
        return tuple(dict.fromkeys(job.piece for job in self.jobs if job.kind in ENGINE_KINDS))

    def job_directory(self, job: PlannedJob) -> Path:
        """Folder of a job."""
        return self.root / job.directory

    def find_file(self, kind: JobKind, temperature_k: float, name: str) -> Path:
        """File `name` of the job of a kind at a sampling temperature [K]."""
        return self.job_directory(self.select_jobs(kind, temperature_k)[0]) / name


def _read_own_structure(path: Path) -> Structure:
    try:
        return read_structure(path)
    except (InputError, ParseError) as error:
        raise StoreError(f"{error}. Remove it, and qdcomp resume makes it again") from error


def create_run(root: Path, study: Study) -> RunDirectory:
    """Make the folder of a run, or open the one that is there for the same study.

    Raises
    ------
    InputError
        The folder holds another study, or files that are not a run.
    StoreError
        It holds a study that is damaged.
    """
    root = root.resolve()
    path = root / STUDY_NAME
    if path.is_file():
        there = _read_own_study(root)
        if there.study_hash != study.study_hash:
            raise InputError(
                f"{root} holds a run of another study, {there.name} with the engine "
                f"{there.engine}; choose another folder with --out, or remove it"
            )
        if (there.priority, there.reuse) != (study.priority, study.reuse):
            there = replace(there, priority=study.priority, reuse=study.reuse)
            write_study(root, there)
        return RunDirectory(root, there)
    if root.exists() and not root.is_dir():
        raise InputError(f"{root} is a file, and a run is a folder; choose another with --out")
    if root.is_dir() and any(root.iterdir()):
        raise InputError(f"{root} is not empty and not a run; choose another folder with --out")
    root.mkdir(parents=True, exist_ok=True)
    write_study(root, study)
    return RunDirectory(root, read_study(path))


def write_study(root: Path, study: Study) -> None:
    """Write the study of a run into its folder, whole or not at all."""
    path = root / STUDY_NAME
    partial = path.with_suffix(".partial")
    partial.write_text(study.to_yaml(), encoding="utf-8")
    partial.replace(path)


def open_run(root: Path) -> RunDirectory:
    """Open the folder of a run.

    Raises
    ------
    InputError
        If it is not one.
    StoreError
        If its study is damaged.
    """
    root = root.resolve()
    if not (root / STUDY_NAME).is_file():
        raise InputError(
            f"{root} is not the folder of a run (it has no {STUDY_NAME}); "
            "make one with: qdcomp run STUDY --out FOLDER"
        )
    return RunDirectory(root, _read_own_study(root))


def _read_own_study(root: Path) -> Study:
    try:
        return read_study(root / STUDY_NAME)
    except (InputError, ParseError) as error:
        remedy = "run the study in another folder beside this one, which takes over finished jobs"
        if (root.parent / CAMPAIGN_NAME).is_file():
            remedy = "remove it, and the next command says how to make it again"
        raise StoreError(
            f"{error}. qdcomp wrote this file for the run: put it back as it was, or {remedy}"
        ) from error


def find_handed_over(root: Path) -> Path | None:
    """Find the folder that was handed to a cluster with the jobs of the run or campaign `root`.

    That of a member is its campaign's, unless it was handed over alone; None where neither was.
    """
    campaign = root.resolve().parent
    folders = (root, campaign) if (campaign / CAMPAIGN_NAME).is_file() else (root,)
    return next((folder for folder in folders if (folder / PROFILE_NAME).is_file()), None)


def check_trajectories(run: RunDirectory) -> None:
    """Say which trajectories of a run are not there yet.

    Raises
    ------
    InputError
        If one is missing.
    """
    _check_made(run, "collect", "trajectory")


def check_analyses(run: RunDirectory) -> None:
    """Say which analyses of a run are not there yet.

    Raises
    ------
    InputError
        If one is missing.
    """
    _check_made(run, "analyse", "analysis")


def _check_made(run: RunDirectory, kind: JobKind, noun: str) -> None:
    missing = [
        f"{job.temperature_k:g} K" for job in run.select_jobs(kind) if not run.has_result(job)
    ]
    if missing:
        raise InputError(
            f"{run.root} is not finished: there is no {noun} yet at {', '.join(missing)}; "
            f"see how it stands with: qdcomp status {run.root}; "
            f"go on with: qdcomp resume {run.root}"
        )
