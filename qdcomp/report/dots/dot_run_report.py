"""The report of a run of a dot: its files read back, beside the published numbers."""

from __future__ import annotations

from pathlib import Path

from qdcomp.analysis import DotAnalysis, HuangRhysSpectrum, ModeCoupling
from qdcomp.recipes.runs.results import load_result
from qdcomp.recipes.runs.run_directory import (
    ANALYSIS_NAME,
    HARMONIC_NAME,
    MODES_NAME,
    RunDirectory,
    check_analyses,
)
from qdcomp.recipes.stages.foreign_run import ForeignRun
from qdcomp.recipes.stages.provenance import (
    collect_provenance,
    describe_software,
    describe_structure,
    list_engine_warnings,
    parse_jobs,
)
from qdcomp.recipes.study_files.dot_schema import DotStudy
from qdcomp.report.dots.content import DotRun, JobRow, MadeReport, ReportInput
from qdcomp.report.dots.html import write_report
from qdcomp.report.dots.published_rows import compare_with_published
from qdcomp.report.dots.summary import summarise_run

SURROGATE_NOTE = (
    "Computed with the surrogate engine 'model' (rigid-ion force field and sp3 tight binding), "
    "not with DFT: trends are meaningful, absolute values are not those of PBE."
)


def report_dot_run(run: RunDirectory, jobs: tuple[JobRow, ...], directory: Path) -> MadeReport:
    """Write the report of a finished run of a dot into `directory`.

    Raises
    ------
    InputError
        The run is not finished.
    StoreError
        An analysis is damaged.
    """
    check_analyses(run)
    temperatures = _sort_temperatures(run.dot_study)
    runs = tuple(_load_dot_run(run, temperature) for temperature in temperatures)
    results = parse_jobs(run)
    provenance = collect_provenance(run, results)
    warnings = list_engine_warnings(results)
    content = ReportInput(
        title=f"{run.study.name}: {run.study.description}",
        engine_name=run.study.engine,
        engine_version=provenance["engine"]["version"],
        is_surrogate=run.engine.is_surrogate,
        surrogate_note=SURROGATE_NOTE if run.engine.is_surrogate else "",
        structure=run.read_relaxed(),
        runs=runs,
        published=compare_with_published(run.dot_study, runs[0].analysis),
        provenance=provenance,
        warnings=warnings,
        jobs=jobs,
    )
    path = write_report(content, directory)
    return MadeReport(
        path=path,
        headline=tuple(summarise_run(content, dot_run) for dot_run in runs),
        warnings=(*warnings, *(text for dot_run in runs for text in dot_run.analysis.warnings)),
    )


def report_foreign_run(foreign: ForeignRun, directory: Path) -> MadeReport:
    """Write the report of a run that qdcomp did not make into `directory`."""
    outputs = foreign.outputs
    dot_run = DotRun(label=f"{foreign.analysis.temperature_k:g} K", analysis=foreign.analysis)
    content = ReportInput(
        title=f"{outputs.path.resolve().name}: outputs of another run",
        engine_name="cp2k",
        engine_version=outputs.version,
        structure=foreign.structure,
        runs=(dot_run,),
        provenance={
            "software": describe_software(),
            "outputs": {"directory": str(outputs.path), **outputs.metadata},
            "structure": describe_structure(foreign.structure),
            "trajectory": {
                "file": foreign.trajectory_path.name,
                "frames": foreign.analysis.n_frames,
                "timestep_fs": outputs.timestep_fs,
            },
        },
        warnings=foreign.warnings,
    )
    path = write_report(content, directory)
    return MadeReport(
        path=path,
        headline=(summarise_run(content, dot_run),),
        warnings=(*foreign.warnings, *foreign.analysis.warnings),
    )


def _sort_temperatures(study: DotStudy) -> list[float]:
    """Sort the temperatures, the coldest first: the coupling is that of the harmonic limit."""
    return sorted(study.sampling.temperatures_k)


def _load_dot_run(run: RunDirectory, temperature_k: float) -> DotRun:
    path = run.find_file("analyse", temperature_k, ANALYSIS_NAME)
    coldest = temperature_k == min(run.dot_study.sampling.temperatures_k)
    modes = run.modes_directory / MODES_NAME
    harmonic = run.modes_directory / HARMONIC_NAME
    return DotRun(
        label=f"{temperature_k:g} K",
        analysis=load_result(path, DotAnalysis),
        modes=load_result(modes, ModeCoupling) if coldest and modes.is_file() else None,
        harmonic=(
            load_result(harmonic, HuangRhysSpectrum) if coldest and harmonic.is_file() else None
        ),
    )
