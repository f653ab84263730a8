"""Tables of a report on ligands: ΔG(N), the binding energy in parts, settings, jobs."""

from __future__ import annotations

from qdcomp.report.pages.number_text import MISSING, format_duration, format_measured, format_plain
from qdcomp.report.pages.text_table import TextTable
from qdcomp.report.surfaces.ligand_panels import list_binding_terms
from qdcomp.report.surfaces.surface_content import SurfaceReportContent, name_run

AVERAGE_NOTE = (
    "“With configurations” is −kT ln of the sum over configurations with their degeneracies, from "
    "N = 0, at each N whose configurations are all computed; it holds the entropy of where the "
    "ligands sit."
)
"""What the column of the average is."""


def tabulate_levels(content: SurfaceReportContent) -> TextTable:
    """Put engine, version and settings of the runs side by side."""
    rows = [
        ("engine", *(run.engine_name for run in content.runs)),
        ("version", *(run.engine_version or MISSING for run in content.runs)),
    ]
    keys = dict.fromkeys(key for run in content.runs for key in run.level)
    rows += [(key, *(run.level.get(key, MISSING) for run in content.runs)) for key in keys]
    return TextTable(
        "Engine and settings", ("Setting", *(run.label for run in content.runs)), tuple(rows)
    )


def tabulate_curves(content: SurfaceReportContent) -> TextTable | None:
    """ΔG, its differential and the lowest configuration for each N; None without a curve."""
    found = [(run, run.curve) for run in content.runs if run.curve is not None]
    if not found:
        return None
    several = len(content.runs) > 1
    header = ["N"]
    columns: list[list[str]] = []
    last = max(int(curve.bound[-1]) for _, curve in found)
    for run, curve in found:
        prefix = f"{run.label}: " if several else ""
        header += [f"{prefix}ΔG (eV)", f"{prefix}differential (eV)", f"{prefix}per area (mJ/m²)"]
        pad = [MISSING] * (last + 1 - len(curve.bound))
        pairs = (
            (curve.free_energy_ev, curve.free_energy_error_ev),
            (curve.differential_ev, curve.differential_error_ev),
        )
        columns += [
            [format_measured(*pair) for pair in zip(*both, strict=True)] + pad for both in pairs
        ]
        columns.append([format_plain(value) for value in curve.per_area_mj_per_m2] + pad)
        if curve.has_average:
            header.append(f"{prefix}with configurations (eV)")
            columns.append([format_plain(value) for value in curve.averaged_free_energy_ev] + pad)
        header.append(f"{prefix}lowest")
        columns.append([name or MISSING for name in curve.lowest] + pad)
    rows = [(str(number), *(column[number] for column in columns)) for number in range(last + 1)]
    return TextTable(
        "Surface free energy for each number of ligands",
        tuple(header),
        tuple(rows),
        AVERAGE_NOTE if any(curve.has_average for _, curve in found) else "",
    )


def tabulate_binding(content: SurfaceReportContent) -> TextTable | None:
    """Parts of the binding energy and the energies that went in; None without one."""
    found = [(run, run.binding) for run in content.runs if run.binding is not None]
    if not found:
        return None
    parts = [list_binding_terms(binding) for _, binding in found]
    names = dict.fromkeys(name for terms in parts for name in terms)
    rows = [
        (name, *(format_measured(*terms.get(name, (None, None)), "eV") for terms in parts))
        for name in names
    ]
    rows.append(("counted from", *(binding.reference for _, binding in found)))
    totals = dict.fromkeys(name for _, binding in found for name in binding.energies_ev)
    rows += [
        (
            f"total energy, {name}",
            *(_write_total(binding.energies_ev.get(name)) for _, binding in found),
        )
        for name in totals
    ]
    return TextTable(
        "Binding energy in parts", ("Part", *(run.label for run, _ in found)), tuple(rows)
    )


def _write_total(energy: float | None) -> str:
    return MISSING if energy is None else f"{energy:.4f} eV".replace("-", "−")


def tabulate_jobs(content: SurfaceReportContent) -> TextTable | None:
    """Jobs of all runs; None where none is listed."""
    several = len(content.runs) > 1
    rows = [
        (
            name_run(run, job.name) if several else job.name,
            job.state,
            MISSING if job.steps is None else str(job.steps),
            format_duration(job.walltime_s),
            "; ".join(job.corrections) or "none",
        )
        for run in content.runs
        for job in run.jobs
    ]
    header = ("Job", "State", "Steps", "Wall time", "Corrections")
    return TextTable("Jobs", header, tuple(rows)) if rows else None
