"""What the papers print of ligands: of the shell, and of the dots under it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from qdcomp.compare.ligand_entries import (
    BINDING,
    BOUND_AT_MINIMUM,
    CARBONS,
    COVERAGE,
    ENTROPY,
    MANDEL_Q,
    ON_FRACTION,
    PAIR,
    PHOTOSTABILITY,
    STILL_EMITTING,
    TAILS,
    Bound,
    Entry,
    describe_reference,
    describe_slab,
    find_base_name,
)
from qdcomp.compare.observable import Observable, Origin
from qdcomp.compare.published import find_published
from qdcomp.errors import InputError
from qdcomp.experiment import Estimate

PAPER = "mi2025"
"""Paper that has numbers by ligand."""

OF_THE_PAPER = "PEA"
"""Ligand of the dots that Mi et al. list as their own beside those of others."""

LITERATURE = {"CsPbBr3": "literature_cspbbr3", "CsPbI3": "literature_cspbi3"}
"""Tables of dots of many papers, by material."""

ENTROPY_TEMPERATURE_K = 298.0
"""Temperature that is in the name of the published entropies [K]."""

_KEY_BASES = {
    "PEA_pair": "PEA",
    "DDA_tail_with_three_neighbours_mean": "DDA",
    "DDA_full_coverage": "DDA",
}
"""Keys of the collection that name more than a ligand."""

Published = dict[str, dict[str, list[Entry]]]
"""Entries by base name of the ligand and by quantity."""


def collect_published() -> Published:
    """Collect what the papers print by ligand, shell and dots; as printed, without error.

    Raises
    ------
    InputError
        If an entry of the collection is missing or not understood.
    """
    found: Published = {}
    for entry in (*_list_shells(), *_list_single_dots(), *_list_means(), *_list_tables(own=True)):
        base = find_base_name(_KEY_BASES.get(entry.label, entry.label.split(",")[0]))
        found.setdefault(base, {}).setdefault(entry.quantity, []).append(entry)
    return found


def collect_unnamed() -> dict[str, list[Entry]]:
    """Collect published dots of which the collection names no ligand, by their label."""
    found: dict[str, list[Entry]] = {}
    for entry in (*_list_tables(own=False), *_list_still_emitting()):
        found.setdefault(entry.label, []).append(entry)
    return found


def _list_shells() -> list[Entry]:
    """Binding, entropy, coverage, packing and interaction (Mi et al. 2025, SI Notes 3–5)."""
    wanted = (
        (BINDING, "binding_energy_ev", "eV", None, describe_reference("ion pair")),
        (ENTROPY, "gas_phase_TS_298K_ev", "eV", ENTROPY_TEMPERATURE_K, "ideal gas, rigid rotor"),
        (CARBONS, "nearest_inter_ligand_cc_angstrom", "Å", None, "at full coverage"),
        (PAIR, "pair_interaction_ev", "eV", None, ""),
    )
    entries = []
    for quantity, key, unit, kelvin, note in wanted:
        found = find_published(f"{PAPER}.{key}")
        note = f"by {found.value['method']}" if "method" in found.value else note
        entries += [
            _read(quantity, value, unit, "calculated", found.where, label, (note,), kelvin)
            for label, value in found.value.items()
            if label not in ("where", "method")
        ]
    tails = find_published(f"{PAPER}.tail_density_per_nm2")
    density = tails.value["DDA_full_coverage"]
    entries.append(
        _read(TAILS, density, "1/nm²", "calculated", tails.where, "DDA_full_coverage", ())
    )
    return entries + _list_minima()


def _list_minima() -> list[Entry]:
    found = find_published(f"{PAPER}.coverage_minimum")
    sites = int(found.value["of"])
    slab = (describe_slab(sites),)
    entries = []
    for label, value in found.value.items():
        if label not in ("where", "of"):
            for quantity, number in ((BOUND_AT_MINIMUM, value), (COVERAGE, value / sites)):
                entries.append(_read(quantity, number, "1", "calculated", found.where, label, slab))
    return entries


def _list_single_dots() -> list[Entry]:
    """Single dots (Mi et al. 2025, Fig. 2); the ON fraction of the shortest time comes first."""
    dots = find_published(f"{PAPER}.single_dots")
    entries = []
    for dot in dots.value:
        edge = _read_edge(dot)
        label = f"{dot['ligand']}, {dot.get('material', 'CsPbBr3')}, {dot['size_nm']} nm"
        for name, value in dot.items():
            key = str(name)
            if key.startswith("on_fraction"):
                span = key.removeprefix("on_fraction").removeprefix("_")
                notes = (f"one dot over {span.removesuffix('s')} s" if span else "one dot",)
                quantity = ON_FRACTION
            elif key == "mandel_q":
                quantity, notes = MANDEL_Q, ("one dot",)
            else:
                continue
            entries.append(
                _read(quantity, value, "1", "measured", dot["where"], label, notes, edge=edge)
            )
    return entries


def _list_means() -> list[Entry]:
    """Means over the dots of a ligand (Mi et al. 2025, SI Figs 18 and 31)."""
    found = find_published(f"{PAPER}.statistics")
    numbers: Mapping[str, Any] = found.value
    wanted = (
        (ON_FRACTION, "PEA", "mean_on_fraction_PEA", "dots"),
        (ON_FRACTION, "IPA", "mean_on_fraction_IPA", "ipa_dots"),
        (MANDEL_Q, OF_THE_PAPER, "mean_mandel_q", "dots"),
    )
    return [
        _read(
            quantity,
            numbers[key],
            "1",
            "measured",
            found.where,
            f"{ligand}, mean",
            (f"mean of {numbers[count]} dots",),
        )
        for quantity, ligand, key, count in wanted
    ]


def _list_tables(*, own: bool) -> list[Entry]:
    """Dots of many papers (Mi et al. 2025, SI Tables 2 and 3): of the paper itself, or others'."""
    entries = []
    for number, (material, table) in enumerate(LITERATURE.items(), start=2):
        found = find_published(f"{PAPER}.{table}")
        for row, dot in enumerate(found.value, start=1):
            if bool(dot.get("this_work")) is not own:
                continue
            size = _write_size(dot["size_nm"])
            who = OF_THE_PAPER if own else "dots of others"
            place = f"SI Table {number}" if own else f"SI Table {number}, row {row}"
            label = f"{who}, {material}, {size}" + ("" if own else f", row {row}")
            read = _bind_dot(place, label, _read_edge(dot))
            mean = ("mean of the paper's dots",) if own else ()
            wanted = (
                (ON_FRACTION, "on_fraction", "1", mean),
                (MANDEL_Q, "mandel_q", "1", mean),
                (PHOTOSTABILITY, "photostability_s", "s", ("printed as estimated",)),
            )
            entries += [
                read(quantity, dot[key], unit, notes)
                for quantity, key, unit, notes in wanted
                # Of its own dots the paper's mean stands among the means.
                if key in dot and not (own and material == "CsPbBr3" and unit == "1")
            ]
    return entries


def _bind_dot(
    place: str, label: str, edge: Estimate | None
) -> Callable[[str, Any, str, tuple[str, ...]], Entry]:
    def read(quantity: str, value: Any, unit: str, notes: tuple[str, ...]) -> Entry:
        return _read(quantity, value, unit, "measured", place, label, notes, edge=edge)

    return read


def _list_still_emitting() -> list[Entry]:
    """Shares of Zn-treated dots still emitting after an hour, by dilution (D'Amato et al. 2023)."""
    found = find_published("damato2023.still_emitting_after_1h")
    edge = Estimate(float(find_published("damato2023.edge_nm").value), math.nan)
    return [
        Observable(
            quantity=STILL_EMITTING,
            value=float(share),
            error=None,
            unit="1",
            origin="measured",
            source="damato2023" + (f", {found.where}" if found.where else ""),
            label=f"Zn-treated dots, diluted {dilution}",
            published=True,
            edge_nm=edge,
            assumptions=("the treatment is named, no ligand",),
        )
        for dilution, share in found.value.items()
    ]


def _read(
    quantity: str,
    value: Any,
    unit: str,
    origin: Origin,
    where: str | None,
    label: str,
    notes: tuple[str, ...],
    temperature_k: float | None = None,
    edge: Estimate | None = None,
) -> Entry:
    """Read a printed entry: a number, or a limit such as ``< 4``."""
    source = f"{PAPER}, {where}" if where else PAPER
    if isinstance(value, int | float):
        return Observable(
            quantity=quantity,
            value=float(value),
            error=None,
            unit=unit,
            origin=origin,
            source=source,
            label=label,
            published=True,
            temperature_k=temperature_k,
            edge_nm=edge,
            assumptions=notes,
        )
    relation, limit = _split_limit(value, f"{quantity} of {label} ({source})")
    return Bound(
        quantity=quantity,
        relation="<" if relation == "<" else ">",
        limit=limit,
        unit=unit,
        origin=origin,
        source=source,
        label=label,
        published=True,
        assumptions=notes,
    )


def _split_limit(text: object, what: str) -> tuple[str, float]:
    parts = str(text).split()
    try:
        relation, number = parts
        limit = float(number)
    except ValueError:
        relation, limit = "", math.nan
    if relation not in ("<", ">"):
        raise InputError(f"{what} is printed as {text!r}; expected a number, '< 4' or '> 4'")
    return relation, limit


def _read_edge(dot: Mapping[str, Any]) -> Estimate | None:
    """Edge of a dot; None where a range or nothing is printed."""
    size = dot.get("size_nm")
    return Estimate(float(size), math.nan) if isinstance(size, int | float) else None


def _write_size(size: object) -> str:
    if isinstance(size, list):
        return "–".join(f"{edge:g}" for edge in size) + " nm"
    return f"{size} nm"
