"""Panels of binding energies, interactions of neighbours, and entropies of the free ligand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from qdcomp.analysis import BindingEnergy, InteractionScan
from qdcomp.report.drawing import style
from qdcomp.report.drawing.panel import Bars, Guide, Line, Mark, Panel, Points
from qdcomp.report.pages.number_text import format_measured, format_plain
from qdcomp.report.surfaces.surface_content import SurfaceReportContent, SurfaceRunContent
from qdcomp.report.surfaces.surface_panels import SYMBOLS

Values = Mapping[str, tuple[float | None, float | None]]
"""A value and its error [eV] by the name of the bar; None where there is none."""

BINDING, TOTAL_INTERACTION, MEAN_PAIR, TOTAL_ENTROPY = (
    "binding energy",
    "all together",
    "mean of pairs",
    "T S, total",
)
"""Bars beside which a published number may stand."""


def ligand_panels(
    content: SurfaceReportContent, published: Mapping[str, float]
) -> tuple[Panel, ...]:
    """Panels of what the runs have of binding, interaction and entropy.

    Parameters
    ----------
    content
        The report.
    published
        Printed numbers [eV] by the name of the bar that they stand beside.
    """
    return (
        *_bar_panel(
            content,
            "binding_energy",
            "Binding energy of one ligand, and its parts",
            "Part of the binding energy",
            _list_binding,
            published,
            "Positive binds. ",
        ),
        *_bar_panel(
            content,
            "ligand_interaction",
            "Interaction of neighbouring ligands",
            "Molecules",
            _list_interaction,
            published,
            "Negative attracts. ",
        ),
        *scan_panels(content),
        *_bar_panel(
            content,
            "gas_entropy",
            "Entropy of the free ligand, times temperature",
            "Part of T S",
            _list_entropy,
            published,
            "",
        ),
    )


def _bar_panel(
    content: SurfaceReportContent,
    name: str,
    title: str,
    x_label: str,
    list_values: Callable[[SurfaceRunContent], Values],
    published: Mapping[str, float],
    opening: str,
) -> tuple[Panel, ...]:
    """Bars of all runs that have values, the published number in grey; none without a run."""
    found = [(run, values) for run in content.runs if (values := list_values(run))]
    if not found:
        return ()
    categories = tuple(dict.fromkeys(key for _, values in found for key in values))
    several = len(content.runs) > 1
    marks: list[Mark] = []
    for index, (run, values) in enumerate(found):
        pairs = [values.get(category, (None, None)) for category in categories]
        errors = _to_array([error for _, error in pairs])
        marks.append(
            Bars(
                run.label if several else "here",
                categories,
                _to_array([value for value, _ in pairs]),
                style.cycle(style.SERIES, index),
                error=errors if np.isfinite(errors).any() else None,
            )
        )
    printed = [published.get(category) for category in categories]
    if any(value is not None for value in printed):
        label = f"published ({content.paper})"
        marks.append(Bars(label, categories, _to_array(printed), style.GUIDE))
    sentences = "; ".join(
        f"{run.label}: "
        + ", ".join(f"{key} {format_measured(*pair, 'eV')}" for key, pair in values.items())
        for run, values in found
    )
    panel = Panel(
        name=name,
        title=title,
        x_label=x_label,
        y_label="Energy (eV)",
        marks=tuple(marks),
        description=f"{opening}{sentences}.",
        conditions=content.describe_conditions(tuple(run for run, _ in found)),
    )
    return (panel,)


def list_binding_terms(binding: BindingEnergy) -> dict[str, tuple[float | None, float | None]]:
    """E_b with its error, what it is made of, and the part that is dispersion [eV]."""
    terms: dict[str, tuple[float | None, float | None]] = {
        BINDING: (binding.value_ev, binding.error_ev)
    }
    terms |= {name: (value, None) for name, value in binding.terms_ev.items()}
    if binding.counterpoise_ev is not None:
        terms["without counterpoise"] = (binding.uncorrected_ev, None)
    if binding.dispersion_ev is not None:
        terms["of it dispersion"] = (binding.dispersion_ev, None)
    return terms


def _list_binding(run: SurfaceRunContent) -> Values:
    return {} if run.binding is None else list_binding_terms(run.binding)


def _list_interaction(run: SurfaceRunContent) -> Values:
    interaction = run.interaction
    if interaction is None:
        return {}
    values: dict[str, tuple[float | None, float | None]] = {
        TOTAL_INTERACTION: (interaction.energy_ev, interaction.error_ev)
    }
    if interaction.molecules > 2:
        values |= {f"pair {key}": (energy, None) for key, energy in interaction.pairs_ev.items()}
        values[MEAN_PAIR] = (interaction.mean_pair_ev, None)
        values["beyond pairs"] = (interaction.many_body_ev, None)
    return {name: pair for name, pair in values.items() if pair[0] is not None}


def _list_entropy(run: SurfaceRunContent) -> Values:
    entropy = run.entropy
    if entropy is None:
        return {}
    temperature = entropy.temperature_k
    values = {
        "translation": (temperature * entropy.translation, None),
        "rotation": (temperature * entropy.rotation, None),
    }
    if entropy.method != "rigid":
        values["vibration"] = (temperature * entropy.vibration, None)
    if entropy.electronic:
        values["electronic"] = (temperature * entropy.electronic, None)
    return values | {TOTAL_ENTROPY: (entropy.ts_ev, None)}


def scan_panels(content: SurfaceReportContent) -> tuple[Panel, ...]:
    """Interaction energy against distance, with the spline and its minimum; none without a scan."""
    found = [(run, run.scan) for run in content.runs if run.scan is not None]
    if not found:
        return ()
    several = len(content.runs) > 1
    marks: list[Mark] = []
    for index, (run, scan) in enumerate(found):
        prefix = f"{run.label}: " if several else ""
        color = style.cycle(style.SERIES, index)
        marks.append(
            Line(f"{prefix}spline", scan.fine_distances_angstrom, scan.fine_energies_ev, color)
        )
        symbol = SYMBOLS[index % len(SYMBOLS)]
        points = (scan.distances_angstrom, scan.energies_ev)
        marks.append(Points(f"{prefix}computed", *points, color, symbol=symbol))
    panel = Panel(
        name="interaction_scan",
        title="Interaction of two neighbours against their distance",
        x_label="Distance (Å)",
        y_label="Interaction energy (eV)",
        marks=tuple(marks),
        description="; ".join(_describe_scan(run.label, scan) for run, scan in found)
        + ". Negative attracts.",
        guides=(Guide("", 0.0, "y"), *_mark_minima(found, several)),
        conditions=content.describe_conditions(tuple(run for run, _ in found)),
    )
    return (panel,)


def _mark_minima(
    found: Sequence[tuple[SurfaceRunContent, InteractionScan]], several: bool
) -> tuple[Guide, ...]:
    return tuple(
        Guide(
            f"{run.label + ': ' if several else ''}minimum {scan.minimum_angstrom:.2f} Å",
            scan.minimum_angstrom,
        )
        for run, scan in found
        if scan.minimum_angstrom is not None
    )


def _describe_scan(label: str, scan: InteractionScan) -> str:
    if scan.minimum_angstrom is None:
        return f"{label}: no minimum inside the scan"
    return (
        f"{label}: minimum of {format_plain(scan.minimum_ev)} eV at "
        f"{format_plain(scan.minimum_angstrom)} Å"
    )


def _to_array(values: Sequence[float | None]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([np.nan if value is None else value for value in values])
