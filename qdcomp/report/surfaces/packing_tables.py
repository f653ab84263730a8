"""Tables of how the ligands pack: contacts, stacking of the rings, chains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from qdcomp.analysis import Packing
from qdcomp.report.pages.number_text import MISSING
from qdcomp.report.pages.text_table import TextTable
from qdcomp.report.surfaces.surface_content import SurfaceReportContent, SurfaceRunContent

MAX_RING_PAIRS = 12
"""Ring pairs of a structure that are listed, the nearest."""


def find_full_layer(run: SurfaceRunContent) -> tuple[str, Packing] | None:
    """Structure with the most ligands, and its packing; None without any."""
    if not run.packings:
        return None
    return max(run.packings.items(), key=lambda item: len(item[1].ligands))


def tabulate_packing(content: SurfaceReportContent) -> TextTable | None:
    """Contacts, rings and chains of each structure with ligands; None without any."""
    several = len(content.runs) > 1
    rows = [
        ((run.label,) if several else ()) + (name, *_describe_packing(packing))
        for run in content.runs
        for name, packing in run.packings.items()
    ]
    if not rows:
        return None
    header = ("Structure", "Ligands", "Nearest C–C (Å)", "Nearest rings (Å)", "Angle (°)",
              "Offset (Å)", "Arrangement", "Chains (1/nm²)", "Tilt (°)")  # fmt: skip
    return TextTable(
        "Packing of the ligands",
        (("Run",) if several else ()) + header,
        tuple(rows),
        "Between different ligands and periodic images. Chains and tilt: top, bottom.",
    )


def _describe_packing(packing: Packing) -> tuple[str, ...]:
    ring = packing.ring_pairs[0] if packing.ring_pairs else None
    return (
        _count_ligands(packing.ligands),
        _fixed(packing.nearest_carbon_angstrom, 2),
        _fixed(ring.centroid_distance_angstrom if ring else None, 2),
        _fixed(ring.plane_angle_deg if ring else None, 0),
        _fixed(ring.offset_angstrom if ring else None, 2),
        ring.arrangement if ring else MISSING,
        _join_sides(packing.chain_density_per_nm2.values(), 2),
        _join_sides(packing.mean_tilt_deg.values(), 0),
    )


def _count_ligands(names: Sequence[str]) -> str:
    return ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names)) or MISSING


def _join_sides(values: Iterable[float], digits: int) -> str:
    return ", ".join(_fixed(value, digits) for value in values) or MISSING


def _fixed(value: float | None, digits: int) -> str:
    return MISSING if value is None or not np.isfinite(value) else f"{value:.{digits}f}"


def tabulate_rings(content: SurfaceReportContent) -> TextTable | None:
    """Ring pairs of the fullest layer of each run, nearest first; None without rings."""
    rows = []
    limits = ""
    for run in content.runs:
        layer = find_full_layer(run)
        for pair in layer[1].ring_pairs[:MAX_RING_PAIRS] if layer else ():
            limits = layer[1].stacking_limits if layer else limits
            image = "" if pair.translation == (0, 0, 0) else " (image)"
            rows.append((
                f"{run.label}, {layer[0] if layer else ''}",
                f"{pair.ligands[0]} – {pair.ligands[1]}{image}",
                _fixed(pair.centroid_distance_angstrom, 2),
                _fixed(pair.plane_distance_angstrom, 2),
                _fixed(pair.offset_angstrom, 2),
                _fixed(pair.plane_angle_deg, 0),
                pair.arrangement,
            ))  # fmt: skip
    if not rows:
        return None
    header = ("Structure", "Rings of ligands", "Centroids (Å)", "Planes (Å)", "Offset (Å)",
              "Angle (°)", "Arrangement")  # fmt: skip
    return TextTable("Stacking of the rings", header, tuple(rows), limits)
