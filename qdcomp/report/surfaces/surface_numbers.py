"""The main numbers of a report on ligands, all runs and the printed ones side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from qdcomp.analysis import Packing, RingPair
from qdcomp.report.dots.content import PublishedRow
from qdcomp.report.dots.summary import state_difference
from qdcomp.report.pages.number_text import MISSING, format_measured
from qdcomp.report.pages.text_table import TextTable
from qdcomp.report.surfaces.packing_tables import find_full_layer
from qdcomp.report.surfaces.surface_content import SurfaceReportContent, SurfaceRunContent
from qdcomp.report.surfaces.surface_published import PublishedNumber

_Pair: TypeAlias = tuple[float | None, float | None] | None
"""Value and error; None where a run has neither."""

DEGREE = "°"


@dataclass(frozen=True)
class Quantity:
    """A number that a run may have.

    Attributes
    ----------
    name, unit
        What it is, and its unit.
    published
        Name of the printed number that it stands beside; empty for none.
    find
        Give value and error, or words; None where the run has none.
    """

    name: str
    unit: str
    published: str
    find: Callable[[SurfaceRunContent], _Pair | str]


def tabulate_numbers(
    content: SurfaceReportContent, published: dict[str, PublishedNumber]
) -> TextTable:
    """Put the main numbers of all runs side by side, the printed ones beside."""
    rows = []
    for quantity in QUANTITIES:
        printed = published.get(quantity.published)
        cells = [_write_cell(quantity, quantity.find(run), printed) for run in content.runs]
        if set(cells) != {MISSING}:
            rows.append((quantity.name, *cells, *_write_printed(printed)))
    labels = [run.label for run in content.runs] if len(content.runs) > 1 else ["Here"]
    return TextTable(
        "Main numbers",
        ("Quantity", *labels, "Published", "Where"),
        tuple(rows),
        "In brackets: difference to the printed number. "
        "Packing is that of the structure with the most ligands.",
    )


def _write_cell(quantity: Quantity, found: _Pair | str, printed: PublishedNumber | None) -> str:
    if isinstance(found, str):
        return found
    if found is None or found[0] is None:
        return MISSING
    if quantity.unit == DEGREE:
        return f"{found[0]:.0f}{DEGREE}"
    text = format_measured(*found, quantity.unit)
    if printed is None or printed.value is None:
        return text
    row = PublishedRow(quantity.name, quantity.unit, *found, printed.value, printed.where)
    return f"{text} [{state_difference(row)}]"


def _write_printed(printed: PublishedNumber | None) -> tuple[str, str]:
    return (MISSING, MISSING) if printed is None else (printed.text, printed.where)


def _of_minimum(run: SurfaceRunContent) -> str | None:
    if run.curve is None:
        return None
    certain = "" if run.curve.minimum_is_certain else " (uncertain)"
    return f"N = {run.curve.minimum_bound} of {run.curve.n_sites}{certain}"


def _of_arrangement(run: SurfaceRunContent) -> str | None:
    ring = _nearest_ring(run)
    return None if ring is None else ring.arrangement


def _of_verdict(run: SurfaceRunContent) -> str | None:
    return None if run.interaction is None else run.interaction.verdict


def _nearest_ring(run: SurfaceRunContent) -> RingPair | None:
    layer = find_full_layer(run)
    return layer[1].ring_pairs[0] if layer and layer[1].ring_pairs else None


def _of_curve(name: str, error: str = "") -> Callable[[SurfaceRunContent], _Pair]:
    """Find a number of the curve at its minimum."""

    def find(run: SurfaceRunContent) -> _Pair:
        if run.curve is None:
            return None
        at = run.curve.minimum_bound
        return float(getattr(run.curve, name)[at]), _known(
            float(getattr(run.curve, error)[at]) if error else np.nan
        )

    return find


def _of_last_ligand(run: SurfaceRunContent) -> _Pair:
    if run.curve is None or run.curve.bound[-1] < run.curve.n_sites:
        return None
    return _known(float(run.curve.differential_ev[-1])), _known(
        float(run.curve.differential_error_ev[-1])
    )


def _of_pair(run: SurfaceRunContent) -> _Pair:
    """Interaction of two ligands: the mean where there are several."""
    interaction = run.interaction
    if interaction is None:
        return None
    if interaction.molecules == 2:
        return interaction.energy_ev, interaction.error_ev
    return interaction.mean_pair_ev, None


def _of_cluster(run: SurfaceRunContent) -> _Pair:
    """Interaction of more than two ligands at once."""
    interaction = run.interaction
    if interaction is None or interaction.molecules == 2:
        return None
    return interaction.energy_ev, interaction.error_ev


def _of_ring(name: str) -> Callable[[SurfaceRunContent], _Pair]:
    def find(run: SurfaceRunContent) -> _Pair:
        ring = _nearest_ring(run)
        return None if ring is None else (getattr(ring, name), None)

    return find


def _of_layer(
    find_value: Callable[[Packing], float | None],
) -> Callable[[SurfaceRunContent], _Pair]:
    def find(run: SurfaceRunContent) -> _Pair:
        layer = find_full_layer(run)
        return None if layer is None else (find_value(layer[1]), None)

    return find


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _mean(values: Sequence[float]) -> float | None:
    """Mean over the sides."""
    return float(np.mean(values)) if values else None


def _of_binding(run: SurfaceRunContent) -> _Pair:
    return None if run.binding is None else (run.binding.value_ev, run.binding.error_ev)


def _of_entropy(run: SurfaceRunContent) -> _Pair:
    return None if run.entropy is None else (run.entropy.ts_ev, None)


def _of_scan(name: str) -> Callable[[SurfaceRunContent], _Pair]:
    def find(run: SurfaceRunContent) -> _Pair:
        return None if run.scan is None else (getattr(run.scan, name), None)

    return find


QUANTITIES: tuple[Quantity, ...] = (
    Quantity(
        "Binding energy of one ligand",
        "eV",
        "binding",
        _of_binding,
    ),
    Quantity(
        "T S of the free ligand",
        "eV",
        "entropy",
        _of_entropy,
    ),
    Quantity("Minimum of ΔG(N)", "", "minimum", _of_minimum),
    Quantity(
        "ΔG at the minimum, per cell", "eV", "", _of_curve("free_energy_ev", "free_energy_error_ev")
    ),
    Quantity("ΔG at the minimum, per area", "mJ/m²", "", _of_curve("per_area_mj_per_m2")),
    Quantity("ΔG at the minimum, per area", "meV/Å²", "", _of_curve("per_area_mev_per_angstrom2")),
    Quantity("ΔG of the last ligand alone", "eV", "", _of_last_ligand),
    Quantity("Interaction of a pair of ligands", "eV", "pair", _of_pair),
    Quantity("Interaction of the ligands", "", "", _of_verdict),
    Quantity(
        "Interaction of all the ligands taken",
        "eV",
        "",
        _of_cluster,
    ),
    Quantity(
        "Distance of least energy in the scan",
        "Å",
        "",
        _of_scan("minimum_angstrom"),
    ),
    Quantity("Least energy of the scan", "eV", "", _of_scan("minimum_ev")),
    Quantity(
        "Nearest carbons of different ligands",
        "Å",
        "carbons",
        _of_layer(lambda packing: packing.nearest_carbon_angstrom),
    ),
    Quantity("Arrangement of the nearest rings", "", "", _of_arrangement),
    Quantity("Centroids of the nearest rings", "Å", "", _of_ring("centroid_distance_angstrom")),
    Quantity("Angle of their planes", DEGREE, "", _of_ring("plane_angle_deg")),
    Quantity("Offset of their centroids", "Å", "", _of_ring("offset_angstrom")),
    Quantity(
        "Chains per area of a side",
        "1/nm²",
        "chains",
        _of_layer(lambda packing: _mean(list(packing.chain_density_per_nm2.values()))),
    ),
    Quantity(
        "Tilt of the chains",
        DEGREE,
        "",
        _of_layer(lambda packing: _mean(list(packing.mean_tilt_deg.values()))),
    ),
)
"""Numbers of the table, in order; those that no run has make no row."""
