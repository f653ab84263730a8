"""Folders of runs as qdcomp leaves them, without the time that a calculation takes."""

import json
from pathlib import Path

from qdcomp.analysis import DotAnalysis, compute_binding_energy
from qdcomp.recipes.runs.results import save_result
from qdcomp.recipes.runs.run_directory import ANALYSIS_NAME, RESULT_NAME, RunDirectory, create_run
from qdcomp.recipes.stages.surface_results import LigandResult
from qdcomp.recipes.study_files.studies import read_study
from qdcomp.resources import find_study
from qdcomp.structures import build_quantum_dot, write_structure

DOT_STUDY = """
name: {name}
description: {cells} cells of CsPbBr3
recipe: dot_linewidth
engine: model
{reference}
structure:
  {{kind: quantum_dot, cells: {cells}, composition: CsPbBr3, lattice_constant: 5.87 angstrom{more}}}
relaxation: {{max_force: 24 meV/angstrom, max_steps: 50}}
sampling: {{temperatures: {temperatures}, duration: 50 fs, timestep: 10 fs, thermostat_time: none}}
engines: {{model: {{parameters: cspbbr3_prototype}}}}
seed: {seed}
"""

PAGE = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; script-src '
    "'unsafe-inline'; img-src data: blob:\">"
    '<p class="maker">qdcomp report</p><h1>{name}</h1>'
)


def make_dot_run(
    root: Path,
    analyses: tuple[DotAnalysis, ...] = (),
    *,
    cells: int = 2,
    more: str = "",
    reference: str = "",
    seed: int = 1,
) -> RunDirectory:
    """A run of a dot with an analysis for each temperature, and a page; without, one not begun."""
    temperatures = [f"{analysis.temperature_k:g} K" for analysis in analyses] or ["10 K"]
    text = DOT_STUDY.format(
        name=root.name,
        cells=cells,
        more=more,
        reference=reference,
        seed=seed,
        temperatures=f"[{', '.join(temperatures)}]",
    )
    run = _create(root, text)
    for analysis in analyses:
        path = run.find_file("analyse", analysis.temperature_k, ANALYSIS_NAME)
        path.parent.mkdir(parents=True)
        save_result(path, analysis)
    if analyses:
        dot = build_quantum_dot(2)
        for path in (run.built_path(), run.relaxed_path()):
            write_structure(dot, path)
        write_page(root, "model", "0.1.0", ["Γ(300 K) = 1 meV [surrogate engine model]"])
        if cells != 2:
            run.built_path().unlink()
    return run


def make_binding_run(
    root: Path, version: str, value_ev: float, engine: str = "vasp"
) -> RunDirectory:
    """A run of the shipped study of PEA with a result and a page."""
    study = read_study(find_study("mi2025_pea_binding"), engine=engine)
    run = create_run(root, study)
    binding = compute_binding_energy(
        complex_ev=-600.0 - value_ev, without_ev=-500.0, ion_pair_ev=-100.0
    )
    save_result(root / RESULT_NAME, LigandResult(recipe=study.recipe, binding=binding))
    write_page(root, engine, version, [f"binding energy of PEA = {value_ev} eV"])
    return run


def write_page(root: Path, engine: str, version: str, headlines: list[str]) -> None:
    """What `report_run` leaves, in small."""
    folder = root / "report"
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    (folder / "figures" / "overview.png").write_bytes(b"\x89PNG of " + root.name.encode())
    (folder / "results.json").write_text(json.dumps({"headline": headlines, "warnings": ["w"]}))
    (folder / "provenance.json").write_text(
        json.dumps({"engine": {"name": engine, "version": version}})
    )
    (folder / "index.html").write_text(PAGE.format(name=root.name))


def _create(root: Path, text: str) -> RunDirectory:
    source = root.with_suffix(".source.yaml")
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(text)
    run = create_run(root, read_study(source))
    source.unlink()
    return run
