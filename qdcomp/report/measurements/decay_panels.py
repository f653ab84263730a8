"""Panels of decays: overall with its fit, by intensity, lifetime trace and FLID."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qdcomp.experiment.decays.decay import Decay
from qdcomp.experiment.decays.decay_analysis import DecayAnalysis
from qdcomp.experiment.decays.flid import Flid
from qdcomp.experiment.decays.lifetime import LifetimeFit
from qdcomp.experiment.decays.lifetime_trace import LifetimeTrace
from qdcomp.report.drawing import style
from qdcomp.report.drawing.panel import FloatArray, Heat, Line, Mark, Panel, Points, thin_out
from qdcomp.report.pages.estimate_text import format_estimate

MODEL_NAMES = {"mono": "exponential", "bi": "two exponentials", "stretched": "stretched"}

MOST_DECAY_POINTS = 400
MOST_FLID_CELLS = 160


def list_decay_panels(found: DecayAnalysis) -> tuple[Panel, ...]:
    """Figures of the decay, those without data left out."""
    panels = [draw_decay(found.decay, found.lifetime)]
    if any(window.decay.photons for window in found.windows):
        panels.append(draw_windows(found))
    if found.trace is not None:
        panels.append(draw_lifetime_trace(found.trace))
    if found.flid is not None:
        panels.append(draw_flid(found.flid, found))
    return tuple(panels)


def draw_decay(decay: Decay, fit: LifetimeFit | None) -> Panel:
    """Draw the histogram of the microtimes with its fit."""
    times, rates, factor = _join_bins(decay)
    marks: list[Mark] = [Line("measured", times, rates, style.TOTAL)]
    description = f"{decay.photons} photons."
    if fit is not None:
        inside = np.where(fit.fitted, fit.expected, np.nan)
        joined = _add_groups(inside, factor)
        marks.append(
            Line(MODEL_NAMES[fit.model], times, joined / (decay.bin_ns * factor), style.SERIES[1])
        )
        parts = ", ".join(
            f"{format_estimate(part.lifetime_ns, 'ns')} ({part.photon_share.value:.0%} of photons)"
            for part in fit.components
        )
        description += f" {MODEL_NAMES[fit.model].capitalize()}: {parts}."
    return Panel(
        name="decay",
        title="Photoluminescence decay",
        x_label="delay after the pulse [ns]",
        y_label="counts per ns",
        marks=tuple(marks),
        description=description,
        y_log=True,
    )


def draw_windows(found: DecayAnalysis) -> Panel:
    """Draw the decays of the bright, grey and dark time, each over its photons."""
    marks: list[Mark] = []
    parts = []
    for index, window in enumerate(found.windows):
        if window.decay.photons == 0:
            continue
        times, rates, _ = _join_bins(window.decay)
        name = f"{window.window.name}, {window.time_share:.0%} of the time"
        color = style.cycle(style.SERIES, index)
        marks.append(Line(name, times, rates / max(float(rates.max()), 1e-300), color))
        if window.fit is not None:
            lifetime = format_estimate(window.fit.lifetime_ns, "ns")
            parts.append(f"{window.window.name} {lifetime}")
    return Panel(
        name="decay_by_intensity",
        title="Decay by intensity",
        x_label="delay after the pulse [ns]",
        y_label="counts over their maximum",
        marks=tuple(marks),
        description="Lifetimes, averaged by amplitude: " + ("; ".join(parts) or "none") + ".",
        y_log=True,
    )


def draw_lifetime_trace(trace: LifetimeTrace) -> Panel:
    """Draw the lifetime of each time bin."""
    times = np.asarray((np.arange(len(trace.counts)) + 0.5) * trace.bin_s, np.float64)
    known = trace.known
    x, y = thin_out(times[known], trace.lifetimes_ns[known].astype(float))
    mean = float(trace.lifetimes_ns[known].mean(dtype=float)) if known.any() else float("nan")
    return Panel(
        name="lifetime_trace",
        title="Lifetime against time",
        x_label="time [s]",
        y_label="lifetime [ns]",
        marks=(Points("lifetime of a bin", x, y, style.SERIES[0], faint=True),),
        description=(
            f"By maximum likelihood in {np.count_nonzero(known)} of {len(known)} bins; "
            f"{mean:.3g} ns on average."
        ),
    )


def draw_flid(flid: Flid, found: DecayAnalysis) -> Panel:
    """Draw the distribution of lifetime and intensity."""
    rates, lifetimes, density = _coarsen(flid)
    kind = found.blinking_type
    verdict = "" if kind is None else f" Type of blinking: {kind.verdict}; {kind.reason}."
    return Panel(
        name="flid",
        title="Lifetime–intensity distribution (FLID)",
        x_label="mean arrival time [ns]",
        y_label="counts/s",
        marks=(Heat("density", _find_edges(lifetimes), _find_edges(rates), density.T),),
        description=(
            f"Kernel density of {flid.n_points} time bins; most often at {flid.peak[0]:.4g} "
            f"counts/s and {flid.peak[1]:.3g} ns.{verdict}"
        ),
    )


def _join_bins(decay: Decay) -> tuple[FloatArray, FloatArray, int]:
    """Middles of joined bins [ns], counts per ns in them, and how many were joined."""
    factor = max(1, len(decay.counts) // MOST_DECAY_POINTS)
    times = _add_groups(decay.times_ns, factor) / factor
    return times, _add_groups(decay.counts, factor) / (decay.bin_ns * factor), factor


def _add_groups(values: FloatArray | NDArray[np.int64], factor: int) -> FloatArray:
    whole = len(values) // factor * factor
    return np.asarray(values[:whole].reshape(-1, factor).sum(axis=1), np.float64)


def _coarsen(flid: Flid) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Density on a grid that a screen can show."""
    a = max(1, len(flid.intensities_per_s) // MOST_FLID_CELLS)
    b = max(1, len(flid.lifetimes_ns) // MOST_FLID_CELLS)
    n, m = (len(flid.intensities_per_s) // a) * a, (len(flid.lifetimes_ns) // b) * b
    cells = flid.density[:n, :m].reshape(n // a, a, m // b, b).mean(axis=(1, 3))
    return (
        _add_groups(flid.intensities_per_s, a) / a,
        _add_groups(flid.lifetimes_ns, b) / b,
        cells,
    )


def _find_edges(centres: FloatArray) -> FloatArray:
    step = float(centres[1] - centres[0])
    return np.append(centres - 0.5 * step, centres[-1] + 0.5 * step)
