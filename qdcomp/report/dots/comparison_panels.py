"""Panels across runs: linewidth against temperature, linewidth of each case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.analysis import DotAnalysis, compute_linewidth, compute_quantum_linewidth
from qdcomp.report.dots.content import DotRun
from qdcomp.report.drawing import style
from qdcomp.report.drawing.panel import Bars, Line, Mark, Panel, Points
from qdcomp.report.pages.number_text import format_measured
from qdcomp.units import FWHM_PER_SIGMA

MEV = 1e3
"""meV per eV."""

N_TEMPERATURES = 50
"""Points of a Γ(T) curve."""


@dataclass(frozen=True)
class Linewidth:
    """Γ at one temperature and its standard error [eV]."""

    value_ev: float
    error_ev: float

    @property
    def text(self) -> str:
        """Value and error in meV."""
        return format_measured(self.value_ev * MEV, self.error_ev * MEV, "meV")


def predict_linewidth(analysis: DotAnalysis, temperature_k: float) -> Linewidth:
    """Classical Γ(T) = 2√(2 ln 2) √(2ΛkT) of a run at any temperature (PHYSICS.md section 4).

    The relative error is half that of Λ.
    """
    spectrum = analysis.spectrum
    width = compute_linewidth(spectrum.reorganization_energy_ev, temperature_k)
    return Linewidth(width, width * _relative_error(analysis))


def predict_quantum_linewidth(analysis: DotAnalysis, temperature_k: float) -> Linewidth:
    """Γ with quantum phonons; its relative error is interpolated in the table of the analysis."""
    width = compute_quantum_linewidth(analysis.spectrum, temperature_k)
    table = analysis.linewidths
    order = np.argsort(table.temperatures_k)
    shares = (table.quantum_error_ev / table.quantum_ev)[order]
    share = float(np.interp(temperature_k, table.temperatures_k[order], shares))
    return Linewidth(width, width * share)


def observe_linewidth(analysis: DotAnalysis) -> Linewidth:
    """2.3548 σ of the gap at the temperature of the run itself."""
    width = FWHM_PER_SIGMA * float(np.sqrt(analysis.spectrum.variance_ev2))
    return Linewidth(width, width * _relative_error(analysis))


def _relative_error(analysis: DotAnalysis) -> float:
    spectrum = analysis.spectrum
    return 0.5 * spectrum.reorganization_energy_error_ev / spectrum.reorganization_energy_ev


def has_several_temperatures(runs: Sequence[DotRun]) -> bool:
    """Whether the runs are a temperature series rather than cases at one temperature."""
    return len({run.analysis.temperature_k for run in runs}) > 1


def find_reference_run(runs: Sequence[DotRun]) -> DotRun:
    """Give the coldest run, the one most nearly harmonic; the first of those where several are."""
    return min(runs, key=lambda run: run.analysis.temperature_k)


def linewidth_temperature_panel(runs: Sequence[DotRun]) -> Panel:
    """Γ(T): classical and quantum from the coldest run, and each other run at its temperature.

    Parameters
    ----------
    runs
        At least one.
    """
    reference = find_reference_run(runs)
    analysis = reference.analysis
    highest = max(320.0, 1.05 * max(run.analysis.temperature_k for run in runs))
    temperatures = np.linspace(5.0, highest, N_TEMPERATURES)
    classical = [predict_linewidth(analysis, float(t)) for t in temperatures]
    quantum = [predict_quantum_linewidth(analysis, float(t)) for t in temperatures]
    marks: list[Mark] = [
        _curve("classical", temperatures, classical, style.SERIES[0], "solid"),
        _curve("quantum phonons", temperatures, quantum, style.SERIES[1], "dash"),
    ]
    if has_several_temperatures(runs):
        observed = [observe_linewidth(run.analysis) for run in runs]
        marks.append(
            Points(
                "2.3548 σ of each run",
                np.array([run.analysis.temperature_k for run in runs]),
                np.array([point.value_ev for point in observed]) * MEV,
                style.TOTAL,
                error=np.array([point.error_ev for point in observed]) * MEV,
            )
        )
    room = predict_linewidth(analysis, analysis.emission_temperature_k).text
    cold = predict_quantum_linewidth(analysis, 10.0).text
    return Panel(
        name="linewidth_temperature",
        title="Linewidth Γ(T)",
        x_label="Temperature (K)",
        y_label="Linewidth Γ, FWHM (meV)",
        marks=tuple(marks),
        x_range=(0.0, highest),
        y_range=(0.0, _highest(marks)),
        description=(
            "Full width at half maximum of the emission against temperature from the run "
            f"{reference.label}: {room} at {analysis.emission_temperature_k:g} K; with quantum "
            f"phonons {cold} at 10 K."
        ),
        notes=(f"curves: harmonic, from the {analysis.temperature_k:g} K run",),
    )


def _curve(
    label: str,
    temperatures: NDArray[np.float64],
    widths: Sequence[Linewidth],
    color: str,
    dash: str,
) -> Line:
    return Line(
        label,
        temperatures,
        np.array([width.value_ev for width in widths]) * MEV,
        color,
        dash=dash,
        error=np.array([width.error_ev for width in widths]) * MEV,
    )


def _highest(marks: Sequence[Mark]) -> float:
    tops = [
        float(np.max(mark.y + (0.0 if mark.error is None else np.nan_to_num(mark.error))))
        for mark in marks
        if isinstance(mark, Line | Points)
    ]
    return 1.08 * max(tops)


def linewidth_case_panel(runs: Sequence[DotRun]) -> Panel:
    """Γ of each case at the temperature of emission, for runs that differ in more than that."""
    temperature = runs[0].analysis.emission_temperature_k
    widths = [predict_linewidth(run.analysis, temperature) for run in runs]
    text = "; ".join(f"{run.label}: {width.text}" for run, width in zip(runs, widths, strict=True))
    return Panel(
        name="linewidth_cases",
        title=f"Linewidth Γ({temperature:g} K) of each case",
        x_label="Case",
        y_label="Linewidth Γ, FWHM (meV)",
        marks=(
            Bars(
                "classical",
                tuple(run.label for run in runs),
                np.array([width.value_ev for width in widths]) * MEV,
                style.SERIES[0],
                error=np.array([width.error_ev for width in widths]) * MEV,
            ),
        ),
        description=f"Linewidth of each case at {temperature:g} K: {text}.",
    )
