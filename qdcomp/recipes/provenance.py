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
from qdcomp.recipes.execution import read_run_record
from qdcomp.recipes.plan import ENGINE_KINDS, PlannedJob
from qdcomp.recipes.run_directory import TRAJECTORY_NAME, RunDirectory
from qdcomp.recipes.stages import read_input_hashes
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
    study = run.study
    return {
        "software": describe_software(),
        "study": {"study_sha256": study.study_hash, "content": study.to_dict()},
        "structure": describe_structure(run.read_built()),
        "relaxed_structure": describe_structure(run.read_relaxed()),
        "engine": {
            "name": study.engine,
            "version": next(iter(results.values())).version,
            "is_surrogate": run.engine.is_surrogate,
        },
        "jobs": [
            _describe_job(run, job, results[job.name])
            for job in run.jobs
            if job.kind in ENGINE_KINDS
        ],
        "trajectories": [
            _describe_trajectory(run, temperature) for temperature in study.sampling.temperatures_k
        ],
        "analysis": study.to_dict()["analysis"],
    }


def parse_jobs(run: RunDirectory) -> dict[str, EngineResult]:
    """Read what the engine wrote for each of its jobs, by the name of the job."""
    return {
        job.name: run.engine.parse(run.job_directory(job))
        for job in run.jobs
        if job.kind in ENGINE_KINDS
    }


def list_engine_warnings(results: Mapping[str, EngineResult]) -> tuple[str, ...]:
    """Say what the engine warned of, job by job."""
    return tuple(
        f"{name}: {warning}" for name, result in results.items() for warning in result.warnings
    )


def _describe_job(run: RunDirectory, job: PlannedJob, result: EngineResult) -> dict[str, Any]:
    directory = run.job_directory(job)
    record = read_run_record(directory)
    return {
        "name": job.name,
        "directory": job.directory,
        "seed": job.seed,
        "inputs_sha256": read_input_hashes(directory),
        "run": asdict(record) if record else None,
        "steps": result.steps,
        "charge_e": result.charge,
        "unconverged_steps": list(result.unconverged_steps),
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
