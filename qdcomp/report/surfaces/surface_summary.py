"""A report on ligands in words and in JSON: headlines, warnings, what is not shown."""

from __future__ import annotations

from typing import Any

from qdcomp.report.pages.number_text import format_measured
from qdcomp.report.pages.strict_json import LONGEST_ARRAY, to_plain
from qdcomp.report.surfaces.surface_content import (
    StructurePair,
    SurfaceReportContent,
    SurfaceRunContent,
    name_run,
)
from qdcomp.report.surfaces.surface_panels import describe_minimum
from qdcomp.structures import Structure, structure_hash

NUMBERS = ("curve", "binding", "interaction", "scan", "entropy")
"""Fields of a run that hold results."""


def summarise_surface_run(content: SurfaceReportContent, run: SurfaceRunContent) -> str:
    """Line of results of one run, with its label where there are several."""
    parts = []
    if run.curve is not None:
        parts.append(f"ΔG(N) of {content.ligand}: {describe_minimum(run.curve)}")
    if run.binding is not None:
        value = format_measured(run.binding.value_ev, run.binding.error_ev, "eV")
        parts.append(f"binding energy of {content.ligand} = {value}")
    if run.interaction is not None:
        value = format_measured(run.interaction.energy_ev, run.interaction.error_ev, "eV")
        parts.append(
            f"interaction of {run.interaction.molecules} ligands = {value}, "
            f"{run.interaction.verdict}"
        )
    if run.entropy is not None:
        name = run.entropy_ligand or content.ligand
        value = format_measured(run.entropy.ts_ev, None, "eV")
        parts.append(f"T S of {name} at {run.entropy.temperature_k:g} K = {value}")
    line = "; ".join(parts) or "no result"
    caution = f" [{run.caution}]" if run.caution else ""
    return (name_run(run, line) if len(content.runs) > 1 else line) + caution


def collect_surface_warnings(content: SurfaceReportContent) -> tuple[str, ...]:
    """All warnings once: of the runs, their results, packings and structures."""
    several = len(content.runs) > 1
    found = []
    for run in content.runs:
        warnings = [*run.warnings]
        for field in NUMBERS:
            warnings += getattr(getattr(run, field), "warnings", ())
        for name, packing in run.packings.items():
            warnings += [f"{name}: {warning}" for warning in packing.warnings]
        for name, pair in run.structures.items():
            warnings += [f"{name}: {warning}" for warning in pair.last.warnings]
        told = set() if run.curve is None else {entry.name for entry in run.curve.configurations}
        warnings += [
            f"{name} has no energy: {reason}"
            for name, reason in run.failures.items()
            if name not in told
        ]
        found += [name_run(run, text) if several else text for text in warnings]
    return tuple(dict.fromkeys(found))


def collect_assumptions(content: SurfaceReportContent) -> tuple[str, ...]:
    """All assumptions once: of the runs and of the entropies, with the energies counted from."""
    several = len(content.runs) > 1
    found = []
    for run in content.runs:
        texts = [*run.assumptions]
        if run.entropy is not None:
            texts += run.entropy.assumptions
        if run.curve is not None:
            texts.append(
                f"ΔG(N) is counted from E(ion pair) = {run.curve.ion_pair_energy_ev:.4f} eV, "
                f"T S = {run.curve.ts_ev:.3f} eV at {run.curve.temperature_k:g} K and "
                f"Δμ = {run.curve.chemical_potential_ev:g} eV".replace("-", "−")
            )
        found += [name_run(run, text) if several else text for text in texts]
    return tuple(dict.fromkeys(found))


def list_absent_of_surface(content: SurfaceReportContent) -> tuple[str, ...]:
    """Say what the report could not show, a sentence each."""
    sentences = []
    for run in content.runs:
        if all(getattr(run, field) is None for field in NUMBERS):
            sentences.append(f"{run.label} has no result yet.")
        unrelaxed = [name for name, pair in run.structures.items() if pair.relaxed is None]
        if unrelaxed:
            sentences.append(f"{run.label}: as built and not relaxed: {', '.join(unrelaxed)}.")
    if not any(run.structures for run in content.runs):
        sentences.append("No structure was given, so there is no picture.")
    if content.paper is None:
        sentences.append("The study names no paper, so no published number stands beside.")
    if not any(run.jobs for run in content.runs):
        sentences.append("No list of jobs was given.")
    return tuple(sentences)


def collect_surface_results(content: SurfaceReportContent) -> dict[str, Any]:
    """Everything that ``results.json`` holds; units as in the names of the fields."""
    return {
        "title": content.title,
        "recipe": content.recipe,
        "ligand": content.ligand,
        "paper": content.paper,
        "headline": [summarise_surface_run(content, run) for run in content.runs],
        "runs": [_describe_run(run) for run in content.runs],
        "assumptions": list(collect_assumptions(content)),
        "warnings": list(collect_surface_warnings(content)),
        "absent": list(list_absent_of_surface(content)),
    }


def _describe_run(run: SurfaceRunContent) -> dict[str, Any]:
    described: dict[str, Any] = {
        "label": run.label,
        "engine": {
            "name": run.engine_name,
            "version": run.engine_version,
            "is_surrogate": run.is_surrogate,
            "caution": run.caution,
        },
        "level": dict(run.level),
    }
    described |= {
        field: to_plain(getattr(run, field), longest_array=LONGEST_ARRAY)
        for field in (*NUMBERS, "packings", "failures", "jobs")
    }
    if run.coverage is not None:
        described["configurations"] = [
            to_plain(entry.configuration) | {"chosen": entry.chosen} for entry in run.coverage.shown
        ]
    described["structures"] = {name: _describe_pair(pair) for name, pair in run.structures.items()}
    return described


def _describe_pair(pair: StructurePair) -> dict[str, Any]:
    relaxed = None if pair.relaxed is None else _describe_structure(pair.relaxed)
    return {"built": _describe_structure(pair.built), "relaxed": relaxed}


def _describe_structure(structure: Structure) -> dict[str, Any]:
    return {
        "description": structure.description,
        "n_atoms": len(structure.atoms),
        "charge": structure.charge,
        "n_frozen": int(structure.frozen.sum()),
        "ligands": list(structure.ligands),
        "hash": structure_hash(structure),
    }
