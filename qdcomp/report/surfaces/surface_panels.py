"""Panels of the surface free energy: ΔG(N) with its differential, per area, and N(Δμ).

Drawn as Mi et al. 2025, Fig. 1c–d: solid marks for ΔG(N), hollow ones for its differential, the
density of ligands shaded behind. The differential is an order of magnitude smaller, so it has an
axis of its own whose zero stands at the height of the other's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from qdcomp.analysis import SurfaceEnergyCurve, compute_stable_coverage
from qdcomp.report.drawing import style
from qdcomp.report.drawing.panel import (
    FloatArray,
    Guide,
    Line,
    Panel,
    Points,
    RightAxis,
    Span,
    Symbol,
    share_zero,
)
from qdcomp.report.pages.number_text import format_measured, format_plain
from qdcomp.report.surfaces.surface_content import SurfaceReportContent, SurfaceRunContent, name_run
from qdcomp.units import MJ_PER_M2_PER_EV_ANGSTROM2

SYMBOLS: tuple[Symbol, ...] = ("circle", "square", "diamond", "triangle-up")
"""Markers of the runs, in order."""

SIDES = {"one": 1, "both": 2}
"""Surfaces that carry ligands."""

ANGSTROM2_PER_NM2 = 100.0
"""Å² in a nm²."""

COVERED = "#8fbbe0"
"""Shading of a full layer; that of fewer ligands is weaker."""

GAP_COLOR = "#f6d9c4"
"""Shading of a number of ligands without an energy."""

ROOM_ABOVE, ROOM_BELOW, NAMES = 0.25, 0.1, 0.15
"""Parts of the range of ΔG that are added above and below it, and that the names of the shades
take of what is added above."""

POTENTIAL_MARGIN_EV = 0.3
"""How far N(Δμ) is drawn beyond its first and last step [eV]."""

MEV_PER_ANGSTROM2_PER_MJ_PER_M2 = 1e3 / MJ_PER_M2_PER_EV_ANGSTROM2
"""1 mJ/m² in meV/Å²."""

CurveOfRun: TypeAlias = tuple[SurfaceRunContent, SurfaceEnergyCurve]


def surface_energy_panels(content: SurfaceReportContent) -> tuple[Panel, ...]:
    """Panels of all runs that have a curve, overlaid; none where none has."""
    found = [(run, run.curve) for run in content.runs if run.curve is not None]
    if not found:
        return ()
    return (
        free_energy_panel(content, found),
        per_area_panel(content, found),
        *stable_coverage_panels(content, found),
    )


def free_energy_panel(content: SurfaceReportContent, found: Sequence[CurveOfRun]) -> Panel:
    """ΔG(N) and its differential, the density of ligands shaded behind.

    Parameters
    ----------
    content
        The report.
    found
        Those of its runs that have a curve, at least one, each with it.
    """
    curves = [curve for _, curve in found]
    several = len(content.runs) > 1
    marks: list[Points | Line] = []
    for index, (run, curve) in enumerate(found):
        marks += _free_energy_marks(f"{run.label}: " if several else "", index, curve)
    limits = _limits_about_zero(
        [mark.y for mark in marks if isinstance(mark, Line) or not mark.right]
    )
    differentials = np.concatenate(
        [_reach(c.differential_ev, c.differential_error_ev) for c in curves]
    )
    names = NAMES / (1.0 + ROOM_ABOVE + ROOM_BELOW) * (limits[1] - limits[0])
    right = share_zero(limits, (limits[0], limits[1] - names), differentials)
    last = max(int(curve.bound[-1]) for curve in curves)
    return Panel(
        name="surface_free_energy",
        title=f"Surface free energy of {content.ligand} on the surface",
        x_label=f"Bound ligands N of {curves[0].n_sites} (shaded: ligands per nm²)",
        y_label="ΔG(N) per cell, solid (eV)",
        marks=tuple(marks),
        description=_describe_curves(found),
        spans=(*_shade_coverage(curves[0], last), *_shade_gaps(curves)),
        guides=(Guide("", 0.0, "y"), *_mark_minima(found)),
        x_range=(-0.5, last + 0.5),
        x_ticks=tuple(float(number) for number in range(last + 1)),
        y_range=limits,
        right_axis=RightAxis("ΔG(N) − ΔG(N−1), hollow (eV)", right),
        notes=_name_gaps(found, several),
        conditions=content.describe_conditions(tuple(run for run, _ in found)),
    )


def configuration_free_energies(curve: SurfaceEnergyCurve) -> tuple[FloatArray, FloatArray]:
    """N and ΔG [eV] of every configuration of those N that have several, each ``(n_points,)``."""
    reference = curve.ion_pair_energy_ev - curve.ts_ev + curve.chemical_potential_ev
    known = [entry for entry in curve.configurations if entry.energy_ev is not None]
    bare = min(
        entry.energy_ev for entry in known if entry.bound == 0 and entry.energy_ev is not None
    )
    counts = np.bincount([entry.bound for entry in known])
    shown = [entry for entry in known if counts[entry.bound] > 1]
    bound = np.array([float(entry.bound) for entry in shown])
    energies = np.array([float(entry.energy_ev or 0.0) for entry in shown])
    return bound, energies - bare - bound * reference


def _free_energy_marks(prefix: str, index: int, curve: SurfaceEnergyCurve) -> list[Points | Line]:
    color, symbol = style.cycle(style.SERIES, index), SYMBOLS[index % len(SYMBOLS)]
    bound = curve.bound.astype(np.float64)
    marks: list[Points | Line] = [
        Points(
            f"{prefix}ΔG(N)",
            bound,
            curve.free_energy_ev,
            color,
            error=_keep_error(curve.free_energy_error_ev),
            symbol=symbol,
            joined=True,
        ),
        Points(
            f"{prefix}ΔG(N) − ΔG(N−1)",
            bound[1:],
            curve.differential_ev[1:],
            color,
            error=_keep_error(curve.differential_error_ev[1:]),
            symbol=symbol,
            hollow=True,
            joined=True,
            right=True,
        ),
    ]
    numbers, energies = configuration_free_energies(curve)
    if len(numbers):
        label = f"{prefix}each configuration"
        marks.append(Points(label, numbers, energies, color, symbol=symbol, faint=True))
    if curve.has_average:
        averaged = f"{prefix}−kT ln Σ over configurations"
        marks.append(Line(averaged, bound, curve.averaged_free_energy_ev, color, dash="dot"))
    return marks


def per_area_panel(content: SurfaceReportContent, found: Sequence[CurveOfRun]) -> Panel:
    """ΔG(N) over the area that carries ligands, in mJ/m² and in meV/Å²."""
    several = len(content.runs) > 1
    curves = [curve for _, curve in found]
    last = max(int(curve.bound[-1]) for curve in curves)
    marks: list[Points] = []
    for index, (run, curve) in enumerate(found):
        known = np.where(np.isnan(curve.free_energy_ev), np.nan, curve.free_energy_error_ev)
        area = curve.area_angstrom2 * SIDES[curve.sides]
        per_ev = 1e3 / area / MEV_PER_ANGSTROM2_PER_MJ_PER_M2
        marks.append(
            Points(
                f"{run.label}: ΔG(N) per area" if several else "ΔG(N) per area",
                curve.bound.astype(np.float64),
                curve.per_area_mj_per_m2,
                style.cycle(style.SERIES, index),
                error=_keep_error(known * per_ev),
                symbol=SYMBOLS[index % len(SYMBOLS)],
                joined=True,
            )
        )
    limits = _limits_about_zero([mark.y for mark in marks])
    factor = MEV_PER_ANGSTROM2_PER_MJ_PER_M2
    return Panel(
        name="surface_free_energy_per_area",
        title="Surface free energy per area",
        x_label=f"Bound ligands N of {last}",
        y_label="ΔG(N) per area (mJ/m²)",
        marks=tuple(marks),
        description="ΔG(N) over the area of all sides with ligands: "
        + "; ".join(_describe_area(run, curve) for run, curve in found)
        + ".",
        spans=_shade_gaps(curves),
        guides=(Guide("", 0.0, "y"),),
        x_range=(-0.5, last + 0.5),
        x_ticks=tuple(float(number) for number in range(last + 1)),
        y_range=limits,
        right_axis=RightAxis("ΔG(N) per area (meV/Å²)", (limits[0] * factor, limits[1] * factor)),
        notes=_name_gaps(found, several),
        conditions=content.describe_conditions(tuple(run for run, _ in found)),
    )


def stable_coverage_panels(
    content: SurfaceReportContent, found: Sequence[CurveOfRun]
) -> tuple[Panel, ...]:
    """N of lowest ΔG(N) − N Δμ against Δμ; none where one N alone has an energy."""
    stables = [(run, compute_stable_coverage(curve, [0.0])) for run, curve in found]
    steps = [stable.transitions_ev for _, stable in stables if len(stable.transitions_ev)]
    if not steps:
        return ()
    reached = np.concatenate([*steps, [0.0]])
    limits = (
        float(reached.min()) - POTENTIAL_MARGIN_EV,
        float(reached.max()) + POTENTIAL_MARGIN_EV,
    )
    several = len(content.runs) > 1
    marks, sentences = [], []
    for index, (run, stable) in enumerate(stables):
        edges = np.repeat(stable.transitions_ev, 2)
        marks.append(
            Line(
                f"{run.label}: stable N" if several else "stable N",
                np.concatenate([[limits[0]], edges, [limits[1]]]),
                np.repeat(stable.corners, 2).astype(np.float64),
                style.cycle(style.SERIES, index),
                dash=style.cycle(style.DASHES, index),
            )
        )
        places = ", ".join(
            f"{first} → {second} at {format_plain(float(step))} eV"
            for first, second, step in zip(
                stable.corners[:-1], stable.corners[1:], stable.transitions_ev, strict=True
            )
        )
        sentences.append(f"{run.label}: N = {stable.bound[0]} at Δμ = 0; steps {places or 'none'}")
    last = max(int(curve.bound[-1]) for _, curve in found)
    panel = Panel(
        name="stable_coverage",
        title="Stable number of ligands",
        x_label="Chemical potential of the ion pair Δμ (eV)",
        y_label=f"Bound ligands N of {last}",
        marks=tuple(marks),
        description="N of lowest ΔG(N) − N Δμ, Δμ counted from the ideal gas of the curve. "
        + "; ".join(sentences)
        + ".",
        guides=(Guide("gas of the curve, Δμ = 0", 0.0, "x"),),
        x_range=limits,
        y_range=(-0.5, last + 0.5),
        notes=_name_gaps(found, several),
        conditions=content.describe_conditions(tuple(run for run, _ in found)),
    )
    return (panel,)


def density_per_nm2(curve: SurfaceEnergyCurve, bound: int) -> float:
    """Ligands per area of all sides that carry them [1/nm²]."""
    return bound * ANGSTROM2_PER_NM2 / (curve.area_angstrom2 * SIDES[curve.sides])


def describe_minimum(curve: SurfaceEnergyCurve) -> str:
    """Give the minimum, its free energy with error, and whether it is certain."""
    value = format_measured(
        float(curve.free_energy_ev[curve.minimum_bound]),
        float(curve.free_energy_error_ev[curve.minimum_bound]),
        "eV",
    )
    return f"{curve.minimum_note}, ΔG = {value}"


def _keep_error(error: FloatArray) -> FloatArray | None:
    """Errors, or None where there is none but zeros: a bar of no length is no bar."""
    return error if np.nan_to_num(error).any() else None


def _reach(values: FloatArray, errors: FloatArray) -> FloatArray:
    """Give the ends of the error bars."""
    errors = np.nan_to_num(errors)
    return np.concatenate([values - errors, values + errors])


def _limits_about_zero(values: Sequence[FloatArray]) -> tuple[float, float]:
    """Limits that hold the values and zero, with room above and below."""
    joined = np.concatenate([*values, [0.0]])
    lower, upper = float(np.nanmin(joined)), float(np.nanmax(joined))
    extent = (upper - lower) or 1.0
    return lower - ROOM_BELOW * extent, upper + ROOM_ABOVE * extent


def _shade_coverage(curve: SurfaceEnergyCurve, last: int) -> tuple[Span, ...]:
    """Shade each N by its ligands per nm², darkest at a full layer."""
    return tuple(
        Span(
            f"{density_per_nm2(curve, number):.1f}",
            number - 0.5,
            number + 0.5,
            COVERED,
            strength=number / max(last, 1),
        )
        for number in range(last + 1)
    )


def _shade_gaps(curves: Sequence[SurfaceEnergyCurve]) -> tuple[Span, ...]:
    missing = sorted(
        {int(n) for curve in curves for n in curve.bound[np.isnan(curve.free_energy_ev)]}
    )
    return tuple(Span("", number - 0.5, number + 0.5, GAP_COLOR) for number in missing)


def _mark_minima(found: Sequence[CurveOfRun]) -> tuple[Guide, ...]:
    """One line at each N that is a minimum, with the runs that have it there."""
    guides = []
    for number in sorted({curve.minimum_bound for _, curve in found}):
        there = [(run, curve) for run, curve in found if curve.minimum_bound == number]
        names = f" ({', '.join(run.label for run, _ in there)})" if len(found) > 1 else ""
        doubtful = [run.label for run, curve in there if not curve.minimum_is_certain]
        doubt = f", uncertain in {', '.join(doubtful)}" if names else ", uncertain"
        label = f"minimum N = {number}{names}{doubt if doubtful else ''}"
        guides.append(Guide(label, float(number), "x"))
    return tuple(guides)


def _name_gaps(found: Sequence[CurveOfRun], several: bool) -> tuple[str, ...]:
    return tuple(
        name_run(run, text) if several else text
        for run, curve in found
        for number in curve.bound.tolist()
        if (text := _name_failures(curve, number))
    )


def _name_failures(curve: SurfaceEnergyCurve, number: int) -> str:
    """Say of a number of ligands that it has no energy, or not all, and why; empty if it has all.

    The first reason stands for all: the others are among the warnings of the curve.
    """
    entries = [entry for entry in curve.configurations if entry.bound == number]
    failed = [entry for entry in entries if entry.energy_ev is None]
    if not entries:
        return f"gap at N = {number}: not computed"
    if not failed:
        return ""
    others = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    reason = f" ({failed[0].failure})" if failed[0].failure else ""
    what = "gap" if len(failed) == len(entries) else "the lowest may be missing"
    return f"{what} at N = {number}: {failed[0].name}{others} failed{reason}"


def _describe_curves(found: Sequence[CurveOfRun]) -> str:
    sentences = []
    for run, curve in found:
        known = curve.differential_ev[np.isfinite(curve.differential_ev)]
        uphill = [int(n) for n in curve.bound[1:] if curve.differential_ev[n] > 0.0]
        course = f"uphill at N = {', '.join(map(str, uphill))}" if uphill else "downhill throughout"
        spread = (
            f"the differential runs from {format_plain(float(known.min()))} to "
            f"{format_plain(float(known.max()))} eV, {course}"
            if len(known)
            else "there is no differential"
        )
        sentences.append(f"{run.label}: {describe_minimum(curve)}; {spread}.")
    return (
        "Free energy of the surface with N ligands from the bare one and the gas of ion pairs "
        "(solid), and of the Nth ligand alone (hollow, right axis; both zeros at one height). "
        + " ".join(sentences)
    )


def _describe_area(run: SurfaceRunContent, curve: SurfaceEnergyCurve) -> str:
    at = curve.minimum_bound
    return (
        f"{run.label}: {format_plain(float(curve.per_area_mj_per_m2[at]))} mJ/m² = "
        f"{format_plain(float(curve.per_area_mev_per_angstrom2[at]))} meV/Å² at N = {at}, area "
        f"{format_plain(curve.area_angstrom2)} Å² a side, ligands on "
        f"{'both sides' if curve.sides == 'both' else 'one side'}"
    )
