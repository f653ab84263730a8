"""What the paper prints of a ligand on the surface, for the report to put beside its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qdcomp.compare import find_published
from qdcomp.report.surfaces.ligand_panels import (
    BINDING,
    MEAN_PAIR,
    TOTAL_ENTROPY,
    TOTAL_INTERACTION,
)
from qdcomp.report.surfaces.surface_content import SurfaceReportContent

PAPER = "mi2025"
"""Paper that has numbers of ligands on surfaces."""

PRINTED_DECIMALS = {"eV": 2, "Å": 2, "1/nm²": 1}
"""Decimals that the paper prints, by unit."""

TRUNCATED = "DDA_"
"""Beginning of the names of DDA with shortened tails."""


@dataclass(frozen=True)
class PublishedNumber:
    """One printed number.

    Attributes
    ----------
    value
        The number; None where a bound or a text is printed.
    text
        As printed, with the unit.
    where
        Paper and place.
    """

    value: float | None
    text: str
    where: str


def list_published(content: SurfaceReportContent) -> dict[str, PublishedNumber]:
    """List what the paper of a report prints of its ligand, by what it is a number of.

    The names are ``binding``, ``entropy``, ``minimum``, ``carbons``, ``pair`` and ``chains``; what
    the paper does not print of the ligand is left out.

    Raises
    ------
    InputError
        The collection lacks an entry of the paper.
    """
    if content.paper != PAPER:
        return {}
    entropies = {run.entropy_ligand or content.ligand for run in content.runs}
    wanted = (
        ("binding", "binding_energy_ev", _name_truncated(content.ligand), "eV"),
        ("entropy", "gas_phase_TS_298K_ev", _name_free(entropies), "eV"),
        ("carbons", "nearest_inter_ligand_cc_angstrom", _name_tail(content.ligand), "Å"),
        ("pair", "pair_interaction_ev", _name_pair(content.ligand), "eV"),
        ("chains", "tail_density_per_nm2", _name_layer(content.ligand), "1/nm²"),
    )
    found = {name: _read(entry, key, unit) for name, entry, key, unit in wanted if key}
    if minimum := _name_truncated(content.ligand):
        entry = find_published(f"{PAPER}.coverage_minimum")
        bound, sites = entry.value[minimum], entry.value["of"]
        found["minimum"] = PublishedNumber(
            float(bound), f"N = {bound} of {sites}", _place(entry.where)
        )
    return found


def name_published_bars(
    content: SurfaceReportContent, published: dict[str, PublishedNumber]
) -> dict[str, float]:
    """Name printed energies [eV] by the bar of a panel that they stand beside."""
    several = any(run.interaction and run.interaction.molecules > 2 for run in content.runs)
    bars = {
        BINDING: published.get("binding"),
        TOTAL_ENTROPY: published.get("entropy"),
        MEAN_PAIR if several else TOTAL_INTERACTION: published.get("pair"),
    }
    return {
        name: number.value
        for name, number in bars.items()
        if number is not None and number.value is not None
    }


def _read(entry: str, key: str, unit: str) -> PublishedNumber:
    found = find_published(f"{PAPER}.{entry}")
    value: Any = found.value[key]
    number = float(value) if isinstance(value, int | float) else None
    text = str(value) if number is None else f"{number:.{PRINTED_DECIMALS[unit]}f}"
    return PublishedNumber(number, f"{text} {unit}".replace("-", "−"), _place(found.where))


def _place(where: str | None) -> str:
    return f"{PAPER}, {where}" if where else PAPER


def _name_truncated(ligand: str) -> str:
    """Key of the ligand as it stands on the paper's slab."""
    return "DDA_truncated" if ligand.startswith(TRUNCATED) else _only("PEA", ligand)


def _name_free(ligands: set[str]) -> str:
    """Key of the free ligand; the paper's DDA is the whole one. Empty where runs differ."""
    if len(ligands) > 1:
        return ""
    return {"DDA": "DDA_full", "PEA": "PEA"}.get(next(iter(ligands)), "")


def _name_tail(ligand: str) -> str:
    return "DDA" if ligand.startswith("DDA") else _only("PEA", ligand)


def _name_pair(ligand: str) -> str:
    names = {"DDA": "DDA_tail_with_three_neighbours_mean", "PEA": "PEA_pair"}
    return names.get(_name_tail(ligand), "")


def _name_layer(ligand: str) -> str:
    return "DDA_full_coverage" if ligand.startswith("DDA") else ""


def _only(name: str, ligand: str) -> str:
    return name if ligand == name else ""
