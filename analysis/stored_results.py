"""Results for the notebooks: stored small ones where there are, else a run with the engine asked.

``load_dot("raino2022_dot_1p8nm", "model")`` reads ``data/model/raino2022_dot_1p8nm.h5``. An engine
of which nothing is stored runs the study into ``runs/STUDY-ENGINE``, as ``qdcomp run`` does; what
is finished there is not run again.

    python stored_results.py ENGINE RUN...

stores finished runs, without what no notebook draws, as the results of ENGINE.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

from qdcomp.analysis import BindingEnergy, FragmentEnergy, compute_binding_energy
from qdcomp.errors import EngineError
from qdcomp.recipes.runs.results import load_result, save_result
from qdcomp.recipes.runs.run_directory import RESULT_NAME, RunDirectory, create_run, open_run
from qdcomp.recipes.stages.provenance import collect_provenance, parse_jobs
from qdcomp.recipes.stages.surface_results import LigandResult
from qdcomp.recipes.study_files.dot_schema import DotStudy
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.recipes.study_files.surface_schema import as_surface_study
from qdcomp.recipes.study_files.surface_structures import load_entropy_ligand
from qdcomp.recipes.workflows.run_launching import execute_run, find_launchpad
from qdcomp.report import SurfaceReportContent, SurfaceRunContent
from qdcomp.report.comparisons.calculated_dots import CalculatedDot, load_calculated_dot
from qdcomp.resources import find_study

DATA = Path(__file__).resolve().parent / "data"
"""Folder of the stored results, one folder an engine."""

VALIDATION = Path(__file__).resolve().parent / "validation"
"""Folder of calculations that were held against the papers."""

MOST_POINTS = 600
"""Points of a stored emission line: every so many-th one of it, which a figure does not show."""


def load_dot(study: str, engine: str) -> CalculatedDot:
    """Give the calculated dot of a study: stored, else run with that engine."""
    stored = _find_stored(study, engine)
    if stored.is_file():
        return load_result(stored, CalculatedDot)
    return load_calculated_dot(_run_study(study, engine))


def load_surface(study: str, engine: str) -> SurfaceReportContent:
    """Give the result of a study of ligands: stored, else run with that engine."""
    stored = _find_stored(study, engine)
    if stored.is_file():
        run = load_result(stored, SurfaceRunContent)
    else:
        run = _load_surface_run(_run_study(study, engine))
    shipped = as_surface_study(read_study(find_study(study)))
    return SurfaceReportContent(
        recipe=shipped.recipe,
        title=shipped.description,
        ligand=shipped.ligand.name,
        runs=(run,),
        paper="mi2025",
    )


def load_cp2k_binding(ligand: str) -> BindingEnergy:
    """Give the binding energy of PEA or DDA_C2 with CP2K, on 2×2×1 k-points.

    What the basis sets of the fragments lend each other was computed at the zone centre.
    """
    jobs = json.loads((VALIDATION / "mi2025_binding_cp2k" / "results.json").read_text())["jobs"]

    def find(name: str) -> float:
        return float(jobs[name]["energy_ev"])

    by_kpoints = find("without_k221") - find("without")
    return compute_binding_energy(
        complex_ev=find(f"{ligand}_complex_k221"),
        without_ev=find("without_k221"),
        ion_pair_ev=find(f"{ligand}_pair"),
        fragments={
            "surface": FragmentEnergy(
                find("without_k221"), find(f"{ligand}_surface_ghosts") + by_kpoints
            ),
            "adsorbate": FragmentEnergy(
                find(f"{ligand}_pair_alone"), find(f"{ligand}_pair_ghosts")
            ),
        },
    )


def store_run(root: Path, engine: str) -> Path:
    """Store the result of a finished run of a shipped study under the name of an engine."""
    run = open_run(root)
    result: CalculatedDot | SurfaceRunContent
    if isinstance(run.study, DotStudy):
        result = _trim_dot(load_calculated_dot(run))
    else:
        result = _load_surface_run(run)
    path = _find_stored(run.study.name, engine)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_result(path, result)
    _compress(path)
    return path


def _find_stored(study: str, engine: str) -> Path:
    return DATA / engine.replace(" ", "_") / f"{study}.h5"


def _run_study(name: str, engine: str) -> RunDirectory:
    """Run a shipped study where it is not finished, with what FireWorks does of it."""
    study = read_study(find_study(name), engine=engine)
    run = create_run(Path("runs") / f"{study.name}-{engine}", study)
    states = execute_run(run, find_launchpad(run))
    failed = [state for state in states if state.state != "COMPLETED"]
    if failed:
        raise EngineError(f"{failed[0].job.name}: {failed[0].failure}", directory=run.root)
    return run


def _load_surface_run(run: RunDirectory) -> SurfaceRunContent:
    result = load_result(run.root / RESULT_NAME, LigandResult)
    provenance = collect_provenance(run, parse_jobs(run))
    study = run.surface_study
    return SurfaceRunContent(
        label=study.engine.upper(),
        engine_name=study.engine,
        engine_version=provenance["engine"]["version"] or "",
        is_surrogate=run.engine.is_surrogate,
        level=result.level,
        curve=result.curve,
        entropy=result.entropy,
        entropy_ligand=load_entropy_ligand(study).name,
        assumptions=result.assumptions,
        failures=result.failures,
    )


def _trim_dot(dot: CalculatedDot) -> CalculatedDot:
    """Leave out the series of the orbitals and the partial densities, and thin the line out."""
    analysis = dot.analysis
    line = analysis.lineshape
    every = -(-len(line.energies_ev) // MOST_POINTS)
    return replace(
        dot,
        analysis=replace(
            analysis,
            orbitals=None,
            homo_ev=None,
            lumo_ev=None,
            phonon_dos=replace(analysis.phonon_dos, partial={}),
            lineshape=replace(
                line, energies_ev=line.energies_ev[::every], intensity=line.intensity[::every]
            ),
        ),
    )


def _compress(path: Path) -> None:
    """Write the file again with compressed arrays."""
    packed = path.with_suffix(".packed")
    with h5py.File(path) as old, h5py.File(packed, "w", libver="latest") as new:
        _copy(old, new)
    packed.replace(path)


def _copy(old: h5py.Group, new: h5py.Group) -> None:
    new.attrs.update(old.attrs)
    for name, item in old.items():
        if isinstance(item, h5py.Group):
            _copy(item, new.create_group(name))
        else:
            _copy_array(name, item[()], new)


def _copy_array(name: str, values: np.ndarray, new: h5py.Group) -> None:
    if values.ndim and values.size > 64:
        new.create_dataset(name, data=values, compression=9, shuffle=True)
    else:
        new.create_dataset(name, data=values)


if __name__ == "__main__":
    for folder in sys.argv[2:]:
        stored = store_run(Path(folder), sys.argv[1])
        print(f"{stored.relative_to(DATA)}: {stored.stat().st_size / 1000:.0f} kB")
