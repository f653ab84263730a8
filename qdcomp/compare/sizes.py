"""Edge and peak energy of one dot, each from the other, by a named sizing curve.

Calculated dots are known by their edge, measured ones by the peak of their emission. A curve E(d)
of `qdcomp.experiment` gives one from the other; outside its range there is neither. The errors are

    peak from edge:  var(E) = (dE/dd)² (σ_d² + (r d)²) + s²
    edge from peak:  var(d) = (σ_E² + s²) / (dE/dd)² + (r d)²

with s the scatter of the measured dots about the curve and r the error of the model. Both are
errors of one dot; an error of the curve itself is common to all dots and is in neither.

A calculated gap is no peak energy: it lacks what its method leaves out. `compute_gap_shift` gives
the distance between the two, and says that there is one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from qdcomp.compare.observable import Observable
from qdcomp.errors import InputError
from qdcomp.experiment import Estimate, estimate_dot_size
from qdcomp.experiment.spectra.sizing import SIZING_CURVES, SizingCurve

DEFAULT_CURVE = "mi2025_damato2023"
"""The curve over the widest range of CsPbBr3 dots, 3 to 12 nm."""

CORE_SHELL = "core/shell"
"""What the label of a dot with a shell of another material contains."""

SAME_SIZE_NM = 0.3
"""Edges closer than this, half a unit cell, are one size."""

PEAK_BY_CURVE = "peak by the sizing curve"
EDGE_BY_CURVE = "edge by the sizing curve"
"""How the note begins that says which curve gave the peak or the edge."""


@dataclass(frozen=True)
class DotPeak:
    """Peak of the emission by a sizing curve.

    Attributes
    ----------
    peak_ev
        Peak of the emission [eV], with the error of the edge and the scatter of the curve; None
        outside the curve's range.
    curve
        Name of the curve.
    source
        Where it is from.
    reason
        Why there is no peak; empty where there is one.
    """

    peak_ev: Estimate | None
    curve: str
    source: str
    reason: str = ""


@dataclass(frozen=True)
class PlacedDot:
    """A dot with its edge and its peak, as far as they are known.

    Attributes
    ----------
    observable
        The observable with both, and a note where a sizing curve gave one.
    reason
        Why one of them is not known; empty where both are.
    """

    observable: Observable
    reason: str


@dataclass(frozen=True)
class GapShift:
    """How far a calculated gap lies from where the dot emits.

    Attributes
    ----------
    shift_ev
        Peak less gap [eV]; None where the peak is not known.
    gap_ev
        The calculated gap [eV].
    peak_ev
        The peak that it is held against [eV]; None where not known.
    note
        That the gap is shifted, by how much and why; or that it cannot be compared.
    """

    shift_ev: Estimate | None
    gap_ev: Estimate
    peak_ev: Estimate | None
    note: str


def estimate_dot_peak(edge_nm: Estimate, curve: str = DEFAULT_CURVE) -> DotPeak:
    """Estimate where a dot of this edge emits; the inverse of `estimate_dot_size`.

    The measured dots lie about the curve, so that at the ends of its range of edges its energy is
    up to their scatter outside its range of energies, and the way back is refused there.

    Parameters
    ----------
    edge_nm
        Edge of the cube [nm], with its error.
    curve
        Name of a curve of `SIZING_CURVES`.

    Raises
    ------
    InputError
        If there is no such curve or the edge is not positive.
    """
    chosen = _find_curve(curve)
    edge = edge_nm.value
    if not (math.isfinite(edge) and edge > 0.0):
        raise InputError(f"the edge is {edge} nm; expected a positive length")
    smallest, largest = chosen.edges_nm
    if not smallest <= edge <= largest:
        return DotPeak(
            None,
            chosen.name,
            chosen.source,
            f"{edge:.3g} nm lies outside the {smallest:g}–{largest:g} nm of the curve "
            f"{chosen.name}",
        )
    slope = _differentiate(chosen, edge)
    edge_error = edge_nm.error if math.isfinite(edge_nm.error) else 0.0
    size_error = math.hypot(edge_error, chosen.relative_size_error * edge)
    error = math.hypot(slope * size_error, chosen.scatter_ev)
    return DotPeak(Estimate(chosen.compute_energy_ev(edge), error), chosen.name, chosen.source)


def place_dot(observable: Observable, curve: str = DEFAULT_CURVE) -> PlacedDot:
    """Give an observable the edge or the peak that it lacks, by a sizing curve.

    A core/shell dot keeps what it has: its exciton is confined to a core whose edge is not the
    dot's, and the curves are of dots without a shell.

    Parameters
    ----------
    observable
        Of a dot; one whose label contains "core/shell" has a shell.
    curve
        Name of a curve of `SIZING_CURVES`.

    Raises
    ------
    InputError
        If there is no such curve.
    """
    chosen = _find_curve(curve)
    edge, peak = observable.edge_nm, observable.peak_ev
    if edge is not None and peak is not None:
        return PlacedDot(observable, "")
    if is_core_shell(observable) and (edge is not None or peak is not None):
        missing = "edge" if edge is None else "peak"
        return PlacedDot(
            observable, f"no {missing} by a sizing curve: those are of dots without a shell"
        )
    if edge is not None:
        found = estimate_dot_peak(edge, curve)
        placed = replace(observable, peak_ev=found.peak_ev)
        known, reason, how = found.peak_ev is not None, found.reason, PEAK_BY_CURVE
    elif peak is not None:
        size = estimate_dot_size(peak, curve)
        placed = replace(observable, edge_nm=size.edge_nm)
        known, reason, how = size.edge_nm is not None, size.reason, EDGE_BY_CURVE
    else:
        return PlacedDot(observable, "neither its edge nor its peak is known")
    if not known:
        return PlacedDot(observable, reason)
    note = f"{how} {chosen.name} ({chosen.source})"
    return PlacedDot(replace(placed, assumptions=(*observable.assumptions, note)), "")


def is_core_shell(observable: Observable) -> bool:
    """Whether the dot has a shell of another material, as its label says."""
    return CORE_SHELL in observable.label


def compute_gap_shift(
    gap_ev: Estimate,
    method: str,
    *,
    peak_ev: Estimate | None = None,
    edge_nm: Estimate | None = None,
    curve: str = DEFAULT_CURVE,
) -> GapShift:
    """Give the shift that brings a calculated gap to where the dot emits.

        shift = E_peak − E_gap,   var(shift) = var(E_peak) + var(E_gap)

    Parameters
    ----------
    gap_ev
        Calculated gap [eV].
    method
        What calculated it: ``"PBE"``, ``"model (surrogate)"``.
    peak_ev
        Measured peak [eV]; without it, that of the edge by the curve.
    edge_nm
        Edge of the calculated dot [nm].
    curve
        Name of a curve of `SIZING_CURVES`.

    Raises
    ------
    InputError
        If neither a peak nor an edge is given, or there is no such curve.
    """
    if peak_ev is not None:
        found = DotPeak(peak_ev, "", "the measured peak")
    elif edge_nm is not None:
        found = estimate_dot_peak(edge_nm, curve)
        found = replace(found, source=f"the peak by the sizing curve {found.curve}")
    else:
        raise InputError("a shift of the gap needs a measured peak or the edge of the dot")
    if found.peak_ev is None:
        return GapShift(
            None,
            gap_ev,
            None,
            f"the {method} gap of {gap_ev} eV is not compared with a measured peak: {found.reason}",
        )
    errors = [one.error for one in (found.peak_ev, gap_ev) if math.isfinite(one.error)]
    shift = Estimate(
        found.peak_ev.value - gap_ev.value, math.hypot(*errors) if errors else math.nan
    )
    direction = "up" if shift.value >= 0.0 else "down"
    size = Estimate(abs(shift.value), shift.error)
    note = (
        f"the {method} gap of {gap_ev} eV is shifted {direction} by {size} eV to {found.source}, "
        f"{found.peak_ev} eV: a gap of {method} is no emission energy (spin-orbit coupling, "
        "quasiparticle and exciton energies, Stokes shift), so their distance says nothing on the "
        "coupling"
    )
    return GapShift(shift, gap_ev, found.peak_ev, note)


def _find_curve(name: str) -> SizingCurve:
    if name not in SIZING_CURVES:
        raise InputError(f"no sizing curve {name!r}; there are {', '.join(SIZING_CURVES)}")
    return SIZING_CURVES[name]


def _differentiate(curve: SizingCurve, edge: float) -> float:
    """|dE/dd| at an edge of the range [eV/nm]."""
    smallest, largest = curve.edges_nm
    step = 1e-4 * (largest - smallest)
    below, above = max(edge - step, smallest), min(edge + step, largest)
    rise = curve.compute_energy_ev(below) - curve.compute_energy_ev(above)
    return abs(rise / (above - below))
