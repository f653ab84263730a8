"""Panels of the trajectory itself: phonons, gap, motion, frontier orbitals."""

from __future__ import annotations

import numpy as np

from qdcomp.analysis import DotAnalysis, OrbitalLocalization, PhononDos
from qdcomp.analysis.dot import OFF_LATTICE
from qdcomp.report.drawing import style
from qdcomp.report.drawing.panel import (
    Bars,
    FloatArray,
    Guide,
    Line,
    Mark,
    Panel,
    Points,
    Steps,
    cut_to_range,
    thin_out,
)
from qdcomp.report.pages.number_text import format_measured, format_plain

MEV = 1e3
"""meV per eV."""

SHOWN_ABOVE_TOP = 1.15
"""Phonon axes end this far above the energy that holds 99.9 % of the modes."""

ELEMENT_PREFIX = "element "
LAYER_PREFIX = "layer "


def phonon_dos_panels(analysis: DotAnalysis) -> tuple[Panel, ...]:
    """Total density of states with its parts by element, and the same by layer where known."""
    dos = analysis.phonon_dos
    notes = ("velocities: central differences",) if analysis.velocities_from_positions else ()
    panels = []
    for prefix, by in ((ELEMENT_PREFIX, "element"), (LAYER_PREFIX, "layer")):
        parts = [name for name in dos.partial if name.startswith(prefix)]
        if not parts:
            continue
        marks = (_dos_line(dos, dos.density, "total", style.TOTAL), *_parts(dos, parts))
        panels.append(
            Panel(
                name=f"phonon_dos_{by}",
                title=f"Phonon density of states by {by}",
                x_label="Phonon energy (meV)",
                y_label="Density of states (1/meV)",
                marks=marks,
                x_range=(0.0, _phonon_limit(dos)),
                y_range=(0.0, 1.06 * float(dos.density.max()) / MEV),
                description=(
                    f"Density of states of {dos.n_degrees_of_freedom} modes against phonon energy, "
                    f"total and by {by}; 99.9 % of the modes lie below "
                    f"{format_plain(dos.top_energy_ev * MEV)} meV, the resolution is "
                    f"{format_plain(dos.energy_resolution_ev * MEV, 2)} meV."
                ),
                notes=notes,
            )
        )
    return tuple(panels)


def _phonon_limit(dos: PhononDos) -> float:
    return MEV * min(SHOWN_ABOVE_TOP * dos.top_energy_ev, float(dos.energies_ev[-1]))


def _dos_line(
    dos: PhononDos, density: FloatArray, label: str, color: str, dash: str = "solid"
) -> Line:
    x, y = cut_to_range(dos.energies_ev * MEV, density / MEV, _phonon_limit(dos))
    return Line(label, *thin_out(x, y), color=color, dash=dash)


def _parts(dos: PhononDos, names: list[str]) -> list[Line]:
    lines = []
    for index, name in enumerate(names):
        kind, _, which = name.partition(" ")
        is_element = kind == ELEMENT_PREFIX.strip()
        color = style.element_color(which) if is_element else style.cycle(style.LAYERS, index)
        label = which if is_element or which == OFF_LATTICE else f"{which} cells deep"
        dash = style.cycle(style.DASHES, index)
        lines.append(_dos_line(dos, dos.partial[name], label, color, dash))
    return lines


def gap_trace_panel(analysis: DotAnalysis) -> Panel:
    """Gap along the trajectory with its mean."""
    x, y = thin_out(analysis.times_fs / 1e3, analysis.gap_ev)
    mean = format_measured(analysis.mean_gap_ev, analysis.mean_gap_error_ev, "eV")
    duration = analysis.times_fs[-1] / 1e3
    return Panel(
        name="gap_trace",
        title="Gap along the trajectory",
        x_label="Time (ps)",
        y_label="Gap (eV)",
        marks=(Line("gap", x, y, style.SERIES[0]),),
        guides=(Guide(f"mean {mean}", analysis.mean_gap_ev, axis="y"),),
        x_range=(0.0, float(duration)),
        description=(
            f"Gap in {analysis.n_frames} frames over {format_plain(duration)} ps "
            f"at {analysis.temperature_k:g} K; mean {mean}, from {analysis.gap_ev.min():.3f} to "
            f"{analysis.gap_ev.max():.3f} eV."
        ),
    )


def gap_histogram_panel(analysis: DotAnalysis) -> Panel:
    """Distribution of the gap with its Gaussian."""
    histogram = analysis.gap_histogram
    width = format_measured(histogram.fwhm_ev * MEV, histogram.fwhm_error_ev * MEV, "meV")
    return Panel(
        name="gap_histogram",
        title=f"Distribution of the gap at {analysis.temperature_k:g} K",
        x_label="Gap (eV)",
        y_label="Probability density (1/eV)",
        marks=(
            Steps("frames", histogram.bin_edges_ev, histogram.density, style.SERIES[5]),
            Line(
                f"Gaussian, FWHM {width}",
                histogram.fit_energies_ev,
                histogram.fit_density,
                style.SERIES[1],
            ),
        ),
        description=(
            f"Histogram of the gap with a Gaussian fit of full width at half maximum {width}; "
            f"skewness {format_plain(histogram.skewness, 2)}, excess kurtosis "
            f"{format_plain(histogram.excess_kurtosis, 2)} (both 0 for a Gaussian)."
        ),
    )


def mobility_panel(analysis: DotAnalysis) -> Panel:
    """Fluctuation of the atoms by layer and element, or by element where layers are not known."""
    by_layer = analysis.fluctuations.by_layer
    y_label = "Fluctuation √⟨|r − ⟨r⟩|²⟩ (Å)"
    if not by_layer:
        entries = analysis.fluctuations.by_element
        bars = Bars(
            "root mean square",
            tuple(entry.symbol for entry in entries),
            np.array([entry.fluctuation for entry in entries]),
            style.SERIES[0],
            error=np.array([entry.fluctuation_error for entry in entries]),
        )
        text = ", ".join(f"{entry.symbol} {entry.fluctuation:.3f} Å" for entry in entries)
        return Panel(
            name="mobility",
            title=f"Mobility by element at {analysis.temperature_k:g} K",
            x_label="Element",
            y_label=y_label,
            marks=(bars,),
            description=f"Root mean square fluctuation by element: {text}.",
        )
    marks: list[Mark] = []
    symbols = ("circle", "square", "diamond", "triangle-up")
    for index, symbol in enumerate(sorted({entry.symbol for entry in by_layer})):
        entries = tuple(entry for entry in by_layer if entry.symbol == symbol)
        marks.append(
            Points(
                symbol,
                np.array([entry.depth_cells for entry in entries], dtype=np.float64),
                np.array([entry.fluctuation for entry in entries]),
                style.element_color(symbol),
                error=np.array([entry.fluctuation_error for entry in entries]),
                symbol=symbols[index % len(symbols)],  # type: ignore[arg-type]
            )
        )
    largest = max(by_layer, key=lambda entry: entry.fluctuation)
    deepest = max(entry.depth_cells or 0.0 for entry in by_layer)
    return Panel(
        name="mobility",
        title=f"Mobility by layer and element at {analysis.temperature_k:g} K",
        x_label="Depth below the surface (unit cells)",
        y_label=y_label,
        marks=tuple(marks),
        x_range=(-0.25, deepest + 0.25),
        y_range=(0.0, 1.15 * largest.fluctuation),
        description=(
            "Root mean square fluctuation of the atoms of each element in each layer; the most "
            f"mobile are {largest.symbol} {largest.depth_cells:g} cells below the surface with "
            f"{format_measured(largest.fluctuation, largest.fluctuation_error, 'Å')}."
        ),
    )


def orbital_panels(orbitals: OrbitalLocalization) -> tuple[Panel, ...]:
    """Share of elements and layers in the frontier orbitals that were written."""
    present = [
        (name, population, color)
        for name, population, color in (
            ("HOMO", orbitals.homo, style.SERIES[0]),
            ("LUMO", orbitals.lumo, style.SERIES[1]),
        )
        if population is not None
    ]
    if not present:
        return ()
    elements = tuple(present[0][1].by_element)
    by_element = tuple(
        Bars(
            name,
            elements,
            np.array([population.by_element[symbol] for symbol in elements]),
            color,
            error=np.array([population.by_element_error[symbol] for symbol in elements]),
        )
        for name, population, color in present
    )
    text = "; ".join(
        f"{name}: "
        + ", ".join(f"{symbol} {population.by_element[symbol]:.1%}" for symbol in elements)
        for name, population, _ in present
    )
    panels = [
        Panel(
            name="orbitals_element",
            title="Frontier orbitals by element",
            x_label="Element",
            y_label="Share of the orbital",
            marks=by_element,
            description=f"Mean share of each element in the frontier orbitals. {text}.",
            y_range=(0.0, 1.0),
        )
    ]
    depths = present[0][1].depths_cells
    if len(depths):
        layers = tuple(f"{depth:g}" for depth in depths)
        by_layer = tuple(
            Bars(name, layers, population.by_layer, color, error=population.by_layer_error)
            for name, population, color in present
        )
        surface = ", ".join(
            f"{name} {population.by_layer[0]:.1%}" for name, population, _ in present
        )
        panels.append(
            Panel(
                name="orbitals_layer",
                title="Frontier orbitals by layer",
                x_label="Depth below the surface (unit cells)",
                y_label="Share of the orbital",
                marks=by_layer,
                description=(
                    "Mean share of each layer in the frontier orbitals; outermost layer: "
                    f"{surface}."
                ),
            )
        )
    return tuple(panels)
