"""The chain from a number back to what it was made from.

study → structure → engine, version, inputs → job directory → trajectory → analysis parameters
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import qdcomp
from qdcomp.engines import EngineResult
from qdcomp.recipes.jobs.job_execution import read_run_record
from qdcomp.recipes.jobs.planned_job import ENGINE_KINDS, PlannedJob
from qdcomp.recipes.runs.mended_log import read_mended
from qdcomp.recipes.runs.run_directory import TRAJECTORY_NAME, RunDirectory
from qdcomp.recipes.runs.spent_cost import list_finished_jobs, sum_spent, tabulate_spent
from qdcomp.recipes.stages.stages import is_done, read_input_hashes
from qdcomp.recipes.study_files.dot_schema import DotStudy
from qdcomp.structures import Structure, structure_hash
from qdcomp.trajectory import open_trajectory

PACKAGES = ("ase", "custodian", "fireworks", "h5py", "numpy", "phonopy", "scipy")
"""Libraries whose versions can change a number."""


def describe_software() -> dict[str, str]:
    """Versions of qdcomp, Python and the libraries whose versions can change a number."""
    versions = {"qdcomp": qdcomp.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def describe_structure(structure: Structure) -> dict[str, Any]:
    """Describe what was built: history, hash, charge."""
    return {
        "description": structure.description,
        "sha256": structure_hash(structure),
        "atoms": len(structure.atoms),
        "frozen_atoms": int(structure.frozen.sum()),
        "charge_e": structure.charge,
        "charge_policy": structure.charge_policy,
        "warnings": list(structure.warnings),
    }


def collect_provenance(run: RunDirectory, results: Mapping[str, EngineResult]) -> dict[str, Any]:
    """Collect the chain of a finished run from its files and what `parse_jobs` read."""
    common = _describe_calculation(run, results)
    if not isinstance(run.study, DotStudy):
        return common | {"structures": _describe_pieces(run)}
    temperatures = run.study.sampling.temperatures_k
    return common | {
        "structure": describe_structure(run.read_built()),
        "relaxed_structure": describe_structure(run.read_relaxed()),
        "trajectories": [_describe_trajectory(run, temperature) for temperature in temperatures],
        "analysis": run.study.to_dict()["analysis"],
    }


def _describe_calculation(run: RunDirectory, results: Mapping[str, EngineResult]) -> dict[str, Any]:
    study = run.study
    return {
        "software": describe_software(),
        "study": {"study_sha256": study.study_hash, "content": study.to_dict()},
        "engine": {
            "name": study.engine,
            "version": next((result.version for result in results.values()), None),
            "is_surrogate": run.engine.is_surrogate,
        },
        "spent": tabulate_spent(sum_spent(list_finished_jobs(run))),
        "mended": read_mended(run.root),
        "jobs": [
            _describe_job(run, job, results[job.name]) for job in run.jobs if job.name in results
        ],
    }


def _describe_pieces(run: RunDirectory) -> dict[str, Any]:
    """Describe each structure of a run, as built and as relaxed."""
    described: dict[str, Any] = {}
    for piece in run.built_pieces:
        described[piece] = {"built": describe_structure(run.read_built(piece))}
        if run.relaxed_path(piece).is_file():
            described[piece]["relaxed"] = describe_structure(run.read_relaxed(piece))
    return described


def parse_jobs(run: RunDirectory) -> dict[str, EngineResult]:
    """Read what the engine wrote for each job that it has done, by the name of the job."""
    return {
        job.name: run.engine.parse(run.job_directory(job))
        for job in run.jobs
        if job.kind in ENGINE_KINDS and is_done(run, job)
    }


def list_engine_warnings(results: Mapping[str, EngineResult]) -> tuple[str, ...]:
    """Say what the engine warned of, each warning once with the jobs that it is of."""
    jobs: dict[str, list[str]] = {}
    for name, result in results.items():
        for warning in result.warnings:
            jobs.setdefault(warning, []).append(name)
    return tuple(f"{_name_jobs(names)}: {warning}" for warning, names in jobs.items())


def _name_jobs(names: list[str]) -> str:
    more = f" and {len(names) - 1} other job{'s' if len(names) > 2 else ''}"
    return names[0] + (more if len(names) > 1 else "")


def _describe_job(run: RunDirectory, job: PlannedJob, result: EngineResult) -> dict[str, Any]:
    directory = run.job_directory(job)
    record = read_run_record(directory)
    return {
        "name": job.name,
        "directory": job.directory,
        "seed": job.seed,
        "inputs_sha256": read_input_hashes(directory),
        "run": asdict(record) if record else None,
        "corrections": list(result.corrections),
        "steps": result.steps,
        "charge_e": result.charge,
        "unconverged_steps": list(result.unconverged_steps),
        "level_of_theory": dict(result.level),
        "warnings": list(result.warnings),
    }


def _describe_trajectory(run: RunDirectory, temperature_k: float) -> dict[str, Any]:
    path = run.find_file("collect", temperature_k, TRAJECTORY_NAME)
    with open_trajectory(path) as trajectory:
        return {
            "file": str(path.relative_to(run.root)),
            "temperature_k": temperature_k,
            "frames": trajectory.n_frames,
            "timestep_fs": trajectory.timestep_fs,
        }
