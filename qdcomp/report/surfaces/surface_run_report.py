"""The report of runs of a study of ligands: their files read back, side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from qdcomp.errors import InputError
from qdcomp.recipes.runs.results import load_result
from qdcomp.recipes.runs.run_directory import RESULT_NAME, RunDirectory
from qdcomp.recipes.stages.provenance import collect_provenance, list_engine_warnings, parse_jobs
from qdcomp.recipes.stages.surface_results import LigandResult
from qdcomp.recipes.study_files.surface_structures import (
    build_study_slab,
    choose_sites,
    load_entropy_ligand,
    load_study_ligand,
)
from qdcomp.report.dots.content import JobRow, MadeReport
from qdcomp.report.surfaces.coverage_overview import CoverageOverview, collect_coverage
from qdcomp.report.surfaces.surface_content import (
    StructurePair,
    SurfaceReportContent,
    SurfaceRunContent,
)
from qdcomp.report.surfaces.surface_html import write_surface_report
from qdcomp.report.surfaces.surface_summary import collect_surface_warnings, summarise_surface_run


def report_surface_runs(
    runs: Sequence[RunDirectory], rows: Mapping[Path, tuple[JobRow, ...]], directory: Path
) -> MadeReport:
    """Write the report of one run, or of several side by side, into a folder.

    Parameters
    ----------
    runs
        Runs of the same recipe with the same ligand.
    rows
        Jobs of each run, by its folder.
    directory
        Where the report goes.

    Raises
    ------
    InputError
        The runs are not of one recipe and one ligand, or one has no result yet.
    StoreError
        A result is damaged.
    """
    _check_comparable(runs)
    labels = _choose_labels(runs)
    contents = tuple(
        _load_run(run, label, rows.get(run.root, ()))
        for run, label in zip(runs, labels, strict=True)
    )
    study = runs[0].surface_study
    reference = study.reference
    content = SurfaceReportContent(
        recipe=study.recipe,
        title=f"{study.name}: {study.description}",
        ligand=load_study_ligand(study).name,
        runs=contents,
        paper=reference.paper if reference else None,
    )
    return MadeReport(
        path=write_surface_report(directory, content),
        headline=tuple(summarise_surface_run(content, run) for run in contents),
        warnings=collect_surface_warnings(content),
    )


def _check_comparable(runs: Sequence[RunDirectory]) -> None:
    first = runs[0].surface_study
    for run in runs:
        study = run.surface_study
        if not (run.root / RESULT_NAME).is_file():
            raise InputError(
                f"{run.root} has no result yet; see how it stands with: qdcomp status {run.root}; "
                f"go on with: qdcomp resume {run.root}"
            )
        for what, one, other in (
            ("recipe", first.recipe, study.recipe),
            ("ligand", first.ligand.name, study.ligand.name),
            ("temperature", first.thermodynamics, study.thermodynamics),
        ):
            if one != other:
                raise InputError(
                    f"{runs[0].root} and {run.root} do not go side by side: the {what} is {one} "
                    f"in the first and {other} in the second; report each on its own"
                )


def _choose_labels(runs: Sequence[RunDirectory]) -> list[str]:
    """Engine of each run; the folder as well where two have the same engine."""
    engines = [run.study.engine.upper() for run in runs]
    counts = Counter(engines)
    return [
        engine if counts[engine] == 1 else f"{engine} {run.root.name}"
        for engine, run in zip(engines, runs, strict=True)
    ]


def _load_run(run: RunDirectory, label: str, jobs: tuple[JobRow, ...]) -> SurfaceRunContent:
    result = load_result(run.root / RESULT_NAME, LigandResult)
    outputs = parse_jobs(run)
    study = run.surface_study
    provenance = collect_provenance(run, outputs) | {"assumptions": list(result.assumptions)}
    return SurfaceRunContent(
        label=label,
        engine_name=study.engine,
        engine_version=provenance["engine"]["version"] or "",
        is_surrogate=run.engine.is_surrogate,
        level=result.level,
        curve=result.curve,
        binding=result.binding,
        interaction=result.interaction,
        scan=result.scan,
        entropy=result.entropy,
        packings=result.packings,
        structures=_read_structures(run),
        coverage=_collect_coverage(run),
        entropy_ligand=load_entropy_ligand(study).name,
        assumptions=result.assumptions,
        warnings=list_engine_warnings(outputs),
        failures=result.failures,
        jobs=jobs,
        provenance=provenance,
    )


def _read_structures(run: RunDirectory) -> dict[str, StructurePair]:
    return {
        piece: StructurePair(
            built=run.read_built(piece),
            relaxed=run.read_relaxed(piece) if run.relaxed_path(piece).is_file() else None,
        )
        for piece in run.built_pieces
    }


def _collect_coverage(run: RunDirectory) -> CoverageOverview | None:
    study = run.surface_study
    if study.recipe != "surface_energy":
        return None
    return collect_coverage(build_study_slab(study), choose_sites(study))
