"""What each job of a study does, on the files of its run. Each may be done again after a kill."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ase import Atoms

from qdcomp.analysis import DotAnalysis, analyse_dot, compute_dephasing
from qdcomp.analysis.dot import DEFAULT_TEMPERATURES_K
from qdcomp.engines import EngineJob
from qdcomp.errors import (
    ConvergenceError,
    EngineError,
    InputError,
    QdcompError,
    StoreError,
    WalltimeReached,
)
from qdcomp.recipes.jobs.job_estimate import note_estimate
from qdcomp.recipes.jobs.job_execution import RunRecord, read_run_record, run_job
from qdcomp.recipes.jobs.planned_job import PlannedJob
from qdcomp.recipes.plans.plan import build_structures, describe_engine_job
from qdcomp.recipes.runs import job_index
from qdcomp.recipes.runs.mended_log import note_mended
from qdcomp.recipes.runs.results import load_result, save_result
from qdcomp.recipes.runs.run_directory import ANALYSIS_NAME, TRAJECTORY_NAME, RunDirectory
from qdcomp.recipes.study_files.dot_schema import AnalysisSpec
from qdcomp.structures import Structure, write_structure
from qdcomp.trajectory import Frame, Trajectory, TrajectoryWriter, open_trajectory

SUMMARY_NAME = "summary.json"
"""File in the folder of a run with the linewidth at each sampling temperature."""

FAILURE_NAME = "failure.txt"
"""File in a job directory that says why the job failed, until it succeeds."""

INPUTS_NAME = "inputs.json"
"""File in a job directory with the SHA-256 of each input."""


def build_structure_files(run: RunDirectory) -> dict[str, Structure]:
    """Build the structures of a study, unless they are there; return them by name."""
    missing = [piece for piece in run.built_pieces if not run.built_path(piece).is_file()]
    if missing:
        for piece, structure in build_structures(run.study).items():
            if not run.built_path(piece).is_file():
                write_whole(run.built_path(piece), structure)
    return {piece: run.read_built(piece) for piece in run.built_pieces}


def write_job_inputs(run: RunDirectory, job: PlannedJob) -> dict[str, str]:
    """Write the inputs of a job, unless they are there; return the SHA-256 of each."""
    directory = run.job_directory(job)
    directory.mkdir(parents=True, exist_ok=True)
    listing = directory / INPUTS_NAME
    if not listing.is_file():
        structure, atoms = _read_start(run, job)
        engine_job = describe_engine_job(run.study, job, structure, atoms)
        run.engine.check(engine_job)
        before = job_index.list_files(directory)
        names = _place_inputs(run, engine_job, directory)
        note_estimate(directory, run.engine, engine_job)
        if job.previous is not None:
            before_this = run.job_directory(run.find_job(job.previous))
            for damage in run.engine.restart_from(directory, before_this):
                note_mended(run.root, job.name, f"restart files of {job.previous}", damage)
        job_index.note_inputs(run, directory, names, before)
        _write_json(listing, {name: _hash_file(directory / name) for name in names})
    return read_input_hashes(directory)


def read_input_hashes(directory: Path) -> dict[str, str]:
    """Read the SHA-256 of each input of a job; empty where none were written down.

    Raises
    ------
    StoreError
        The list is damaged.
    """
    listing = directory / INPUTS_NAME
    if not listing.is_file():
        return {}
    try:
        hashes: dict[str, str] = json.loads(listing.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StoreError(
            f"{listing}: damaged ({error}); expected the SHA-256 of each input. Remove the file: "
            "the results of the job are kept, only these hashes are then missing"
        ) from error
    return hashes


def run_engine(run: RunDirectory, job: PlannedJob) -> RunRecord:
    """Run the engine on a job, or take over what another run has done of the same inputs.

    After a relaxation, write the relaxed structure.

    Raises
    ------
    WalltimeReached
        The batch job ends before the job is done; it goes on in another one.
    QdcompError
        The engine failed, its outputs cannot be read, or the self-consistent field of a single
        point did not converge; the folder of the job keeps the reason.
    """
    directory = run.job_directory(job)
    failure = directory / FAILURE_NAME
    failure.unlink(missing_ok=True)
    try:
        record = job_index.reuse_job(run, directory) or run_job(run.engine, directory)
        if job.kind == "energy" and run.engine.parse(directory).ends_unconverged:
            raise ConvergenceError("the self-consistent field did not converge", directory)
        if job.kind == "relax":
            result = run.engine.parse(directory)
            relaxed = run.read_built(job.piece).with_positions(result.atoms.positions)
            write_whole(run.relaxed_path(job.piece), relaxed)
        job_index.enter_job(run, directory)
    except WalltimeReached:
        raise
    except QdcompError as error:
        failure.write_text(f"{error}\n", encoding="utf-8")
        raise
    return record


def is_done(run: RunDirectory, job: PlannedJob) -> bool:
    """Whether the engine has done all of a job."""
    directory = run.job_directory(job)
    return read_run_record(directory) is not None and run.engine.is_complete(directory)


def collect_trajectory(run: RunDirectory, job: PlannedJob) -> int:
    """Join the segments of a temperature into one H5MD file; return the number of frames.

    Raises
    ------
    EngineError
        Frames are missing or doubled.
    """
    path = run.job_directory(job) / TRAJECTORY_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    segments = run.select_jobs("sample", job.temperature_k)
    expected = sum(segment.steps for segment in segments)
    if path.is_file():
        with open_trajectory(path) as trajectory:
            if trajectory.n_frames == expected:
                return expected
    structure = run.read_relaxed()
    partial = path.with_suffix(".partial.h5")
    partial.unlink(missing_ok=True)
    with TrajectoryWriter(
        partial,
        structure.atoms.get_chemical_symbols(),
        structure.atoms.get_masses(),
        run.dot_study.sampling.timestep_fs,
        metadata=_describe_trajectory(run, job),
    ) as writer:
        for frame in _read_segments(run, segments):
            writer.append(frame)
    partial.replace(path)
    return expected


def analyse_trajectory(run: RunDirectory, job: PlannedJob) -> dict[str, float]:
    """Compute the observables of one temperature; return the main ones."""
    structure = run.read_relaxed()
    with open_trajectory(run.job_directory(job) / TRAJECTORY_NAME) as trajectory:
        analysis = analyse_stored_trajectory(
            trajectory, structure, job.temperature_k or 0.0, run.dot_study.analysis
        )
    save_result(run.job_directory(job) / ANALYSIS_NAME, analysis)
    return {
        "reorganization_energy_ev": analysis.spectrum.reorganization_energy_ev,
        "reorganization_energy_error_ev": analysis.spectrum.reorganization_energy_error_ev,
        "frames": analysis.n_frames,
    }


def analyse_stored_trajectory(
    trajectory: Trajectory, structure: Structure, temperature_k: float, spec: AnalysisSpec
) -> DotAnalysis:
    """Observables of a trajectory file and the structure whose layers it has.

    Raises
    ------
    InputError
        The trajectory has no frontier orbitals, or other atoms than the structure.
    """
    gap = trajectory.gap_ev
    if gap is None:
        raise InputError(
            f"{trajectory.path} has no frontier orbitals; the engine has to write HOMO and LUMO "
            "at every step"
        )
    if list(trajectory.symbols) != structure.atoms.get_chemical_symbols():
        raise InputError(f"{trajectory.path} and the structure do not hold the same atoms")
    return analyse_dot(
        positions=trajectory.positions(),
        velocities=trajectory.velocities(),
        gap_ev=gap,
        homo_ev=trajectory.series("homo_ev"),
        lumo_ev=trajectory.series("lumo_ev"),
        homo_populations=trajectory.populations("homo"),
        lumo_populations=trajectory.populations("lumo"),
        masses=trajectory.masses,
        symbols=tuple(trajectory.symbols),
        depth_cells=structure.depth_cells,
        frozen=structure.frozen,
        timestep_fs=trajectory.timestep_fs,
        temperature_k=temperature_k,
        linewidth_temperatures_k=spec.linewidth_temperatures_k or DEFAULT_TEMPERATURES_K,
        emission_temperature_k=spec.emission_temperature_k,
        window=spec.window,
    )


def summarise_temperatures(run: RunDirectory) -> list[dict[str, float]]:
    """Linewidth at each sampling temperature by the optical response of its own trajectory.

    C(t) is that of the trajectory, not one scaled to another temperature: the colder, the less
    Gaussian the decay is, which ``slow_bath_parameter`` tells. Also written to ``summary.json`` in
    the folder of the run.
    """
    rows = []
    for temperature in run.dot_study.sampling.temperatures_k:
        analysis = load_result(run.find_file("analyse", temperature, ANALYSIS_NAME), DotAnalysis)
        dephasing = compute_dephasing(
            analysis.gap_ev, analysis.timestep_fs, simulation_temperature_k=temperature
        )
        rows.append(
            {
                "temperature_k": temperature,
                "linewidth_ev": dephasing.linewidth_ev,
                "linewidth_error_ev": dephasing.linewidth_error_ev,
                "slow_bath_parameter": dephasing.slow_bath_parameter,
                "histogram_fwhm_ev": analysis.gap_histogram.fwhm_ev,
                "histogram_fwhm_error_ev": analysis.gap_histogram.fwhm_error_ev,
            }
        )
    _write_json(run.root / SUMMARY_NAME, {"linewidths": rows})
    return rows


def _place_inputs(run: RunDirectory, job: EngineJob, directory: Path) -> list[str]:
    """Write the inputs beside the job's folder, then move them in: after a kill, all are listed."""
    with TemporaryDirectory(dir=run.root) as scratch:
        run.engine.write_inputs(Path(scratch), job)
        names = sorted(path.name for path in Path(scratch).iterdir())
        for name in names:
            (Path(scratch) / name).replace(directory / name)
    return names


def _read_start(run: RunDirectory, job: PlannedJob) -> tuple[Structure, Atoms | None]:
    """Structure of a job, and where its atoms start if that is not where the structure has them."""
    if job.previous is not None:
        previous = run.engine.parse(run.job_directory(run.find_job(job.previous)))
        return run.read_built(), previous.atoms
    if job.geometry_from:
        return run.read_relaxed(job.geometry_from), None
    structure = run.read_built(job.piece)
    return structure, None if job.kind != "equilibrate" and job.kind != "sample" else (
        run.read_relaxed().atoms
    )


def write_whole(path: Path, structure: Structure) -> None:
    """Write a structure file, whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    partial = path.with_name(f"partial-{path.name}")
    write_structure(structure, partial)
    partial.replace(path)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=2) + "\n")
    partial.replace(path)


def _hash_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_segments(run: RunDirectory, segments: tuple[PlannedJob, ...]) -> Iterator[Frame]:
    expected = 1
    for segment in segments:
        assert segment.dynamics is not None
        directory = run.job_directory(segment)
        for frame in run.engine.read_frames(directory):
            if frame.step == segment.dynamics.first_step:
                continue
            if frame.step != expected:
                raise EngineError(
                    f"found step {frame.step} where step {expected} belongs; run the job again "
                    f"in an empty folder",
                    directory,
                )
            expected += 1
            yield frame


def _describe_trajectory(run: RunDirectory, job: PlannedJob) -> dict[str, str | float | int]:
    return {
        "study": run.study.name,
        "engine": run.study.engine,
        "temperature_k": job.temperature_k or 0.0,
        "seed": run.study.seed,
    }
