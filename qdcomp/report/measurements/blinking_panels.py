"""Panels of blinking: the trace with its histogram, durations, correlation, photodarkening."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr, pdtr

from qdcomp.experiment.blinking.blinking_analysis import BlinkingAnalysis
from qdcomp.experiment.blinking.power_law import LoggedDurations, PowerLawFit, log_bin_durations
from qdcomp.experiment.intensity_trace import BlinkingTrace
from qdcomp.report.drawing import style
from qdcomp.report.drawing.panel import (
    FloatArray,
    Guide,
    Line,
    Mark,
    Panel,
    Points,
    SideHistogram,
    thin_out,
)
from qdcomp.report.pages.estimate_text import format_estimate

MOST_HISTOGRAM_BINS = 80

ON_COLOR, OFF_COLOR = style.SERIES[0], style.SERIES[1]


def list_blinking_panels(blinking: BlinkingAnalysis) -> tuple[Panel, ...]:
    """Figures of the blinking, those without data left out."""
    panels = [draw_trace(blinking)]
    if blinking.states is not None and blinking.states.switches > 0:
        panels.append(draw_durations(blinking))
    if blinking.levels is not None and len(blinking.levels.rates_per_s) > 1:
        panels.append(draw_levels(blinking))
    if blinking.correlation is not None:
        panels.append(draw_correlation(blinking))
    if blinking.photodarkening is not None:
        panels.append(draw_photodarkening(blinking))
    return tuple(panels)


def draw_trace(blinking: BlinkingAnalysis) -> Panel:
    """Draw counts per bin against time, with their histogram and Poisson statistics at its side."""
    trace, states = blinking.trace, blinking.states
    counts = trace.counts.astype(np.float64)
    unit = f"counts per {describe_bin(trace.bin_s)}"
    guides: tuple[Guide, ...] = ()
    description = f"{len(trace)} bins, {trace.mean_rate_per_s:.4g} counts/s on average."
    if states is not None:
        guides = (Guide("ON threshold", states.threshold, "y"),)
        description += f" ON fraction {format_estimate(states.on_fraction)}."
    if blinking.mandel is not None and blinking.mandel.gaussian is not None:
        description += f" Mandel Q of the ON peak {format_estimate(blinking.mandel.gaussian)}."
    return Panel(
        name="blinking_trace",
        title="Blinking trace",
        x_label="time [s]",
        y_label=unit,
        marks=(Line("counts", *thin_out(trace.times_s, counts), style.SERIES[0]),),
        guides=guides,
        y_range=(0.0, 1.08 * float(counts.max()) + 1.0),
        side=_draw_histogram(blinking),
        description=description,
    )


def describe_bin(bin_s: float) -> str:
    """Give a width as ``10 ms``."""
    return f"{1e3 * bin_s:g} ms" if bin_s < 1.0 else f"{bin_s:g} s"


def _draw_histogram(blinking: BlinkingAnalysis) -> SideHistogram:
    trace = blinking.trace
    edges = _choose_edges(trace)
    heights, _ = np.histogram(trace.counts, edges)
    curves: list[Line] = []
    states, mandel = blinking.states, blinking.mandel
    if states is not None and states.on_level is not None:
        inside = np.diff(_sum_poisson(edges, states.on_level))
        curves.append(
            _make_curve("Poisson", edges, np.count_nonzero(states.on) * inside, style.SERIES[1])
        )
    if mandel is not None and mandel.peak_mean is not None and mandel.peak_width is not None:
        low, high = mandel.fitted_range or (0.0, 0.0)
        mean, width = mandel.peak_mean.value, mandel.peak_width.value
        fitted = np.count_nonzero((trace.counts > low) & (trace.counts < high))
        share = float(ndtr((high - mean) / width) - ndtr((low - mean) / width))
        inside = np.diff(ndtr((edges - mean) / width)) * fitted / share
        curves.append(_make_curve("Gaussian", edges, inside, style.SERIES[2]))
    return SideHistogram("bins", edges, heights.astype(np.float64), style.SERIES[0], tuple(curves))


def _sum_poisson(edges: FloatArray, mean: float) -> FloatArray:
    """Share of Poisson's counts up to each edge."""
    return np.where(edges < 0.0, 0.0, pdtr(np.maximum(np.floor(edges), 0.0), mean))


def _choose_edges(trace: BlinkingTrace) -> FloatArray:
    """Borders between whole counts."""
    step = max(1, math.ceil((int(trace.counts.max()) + 1) / MOST_HISTOGRAM_BINS))
    return np.arange(0, int(trace.counts.max()) + 1 + step, step, dtype=np.float64) - 0.5


def _make_curve(label: str, edges: FloatArray, heights: FloatArray, color: str) -> Line:
    return Line(label, 0.5 * (edges[1:] + edges[:-1]), heights, color)


def draw_durations(blinking: BlinkingAnalysis) -> Panel:
    """Draw the densities of ON and OFF durations with their power laws."""
    states = blinking.states
    if states is None:
        raise ValueError("there are no states")
    marks: list[Mark] = []
    parts = []
    for name, durations, law, color in (
        ("ON", states.on_durations, blinking.on_law, ON_COLOR),
        ("OFF", states.off_durations, blinking.off_law, OFF_COLOR),
    ):
        logged = log_bin_durations(durations)
        if len(logged.durations_s) == 0:
            continue
        marks.append(
            Points(name, logged.durations_s, logged.density_per_s, color, logged.error_per_s)
        )
        if law is not None and law.exponent is not None:
            marks.append(_draw_law(name, law, logged, color))
            parts.append(f"{name}: exponent {format_estimate(law.exponent)}")
    return Panel(
        name="durations",
        title="ON and OFF durations",
        x_label="duration [s]",
        y_label="probability density [1/s]",
        marks=tuple(marks),
        description="Logarithmic bins for display; fits by maximum likelihood. "
        + ("; ".join(parts) or "Too few durations for a power law")
        + ".",
        x_log=True,
        y_log=True,
    )


def _draw_law(name: str, law: PowerLawFit, logged: LoggedDurations, color: str) -> Line:
    """Draw a power law, scaled to the points that it was fitted to."""
    exponent = law.exponent.value if law.exponent is not None else 0.0
    rate = 1.0 / law.cutoff_s.value if law.cutoff_s is not None else 0.0
    t = np.logspace(
        math.log10(law.minimum_s),
        math.log10(max(float(logged.durations_s.max()), 2.0 * law.minimum_s)),
        100,
    )
    kept = logged.durations_s >= law.minimum_s
    at = logged.durations_s[kept] if kept.any() else logged.durations_s
    seen = logged.density_per_s[kept] if kept.any() else logged.density_per_s
    offset = float(np.mean(np.log(seen) + exponent * np.log(at) + rate * at))
    density = np.exp(offset - exponent * np.log(t) - rate * t)
    return Line(f"{name}, power law", t, density, color, dash="dash")


def draw_levels(blinking: BlinkingAnalysis) -> Panel:
    """Draw the levels between change points over the trace."""
    trace, points, levels = blinking.trace, blinking.change_points, blinking.levels
    if points is None or levels is None:
        raise ValueError("there are no levels")
    borders = np.concatenate([[0.0], points.times_s, [trace.duration_s]])
    rates = np.array([level.value for level in levels.rates_per_s])[levels.level_of_stretch]
    x = np.repeat(borders, 2)[1:-1]
    y = np.repeat(rates, 2)
    return Panel(
        name="intensity_levels",
        title="Levels between change points",
        x_label="time [s]",
        y_label="counts/s",
        marks=(
            Line("trace", *thin_out(trace.times_s, trace.counts / trace.bin_s), style.TOTAL),
            Line("level", *thin_out(x, y), style.SERIES[1]),
        ),
        description=(
            f"{len(points.times_s)} change points at {points.confidence:.0%} confidence, "
            f"{len(levels.rates_per_s)} levels."
        ),
    )


def draw_correlation(blinking: BlinkingAnalysis) -> Panel:
    """Draw the autocorrelation of the intensity."""
    found = blinking.correlation
    if found is None:
        raise ValueError("there is no autocorrelation")
    return Panel(
        name="intensity_correlation",
        title="Autocorrelation of the intensity",
        x_label="lag [s]",
        y_label="⟨I(t) I(t+τ)⟩/⟨I⟩² − 1",
        marks=(Points("G(τ)", found.lags_s, found.correlation, style.SERIES[0], found.error),),
        guides=(Guide("", 0.0, "y"),),
        description=f"{found.correlation[0]:.3g} ± {found.error[0]:.2g} at the shortest lag.",
        x_log=True,
    )


def draw_photodarkening(blinking: BlinkingAnalysis) -> Panel:
    """Draw the averaged brightness and the never rising curve through it."""
    found = blinking.photodarkening
    if found is None:
        raise ValueError("there is no photodarkening")
    guides = () if found.t70_s is None else (Guide("T70", found.t70_s.value),)
    described = format_estimate(found.t70_s, "s") if found.t70_s else "not reached"
    return Panel(
        name="photodarkening",
        title="Brightness against time",
        x_label="time [s]",
        y_label="counts/s, averaged",
        marks=(
            Points("average", found.times_s, found.rates_per_s, style.SERIES[0], faint=True),
            Line("never rising", found.times_s, found.curve_per_s, style.SERIES[1]),
        ),
        guides=guides,
        y_range=(0.0, 1.1 * float(found.rates_per_s.max())),
        description=f"T70 {described}; {found.remaining:.0%} of the first brightness at the end.",
    )
