"""Panels across the runs of a campaign: Γ against edge, Γ(T), binding energies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.analysis import BindingEnergy, DotAnalysis
from qdcomp.compare import load_coupling_table
from qdcomp.recipes.study_files.dot_schema import DotStudy
from qdcomp.report.campaigns.campaign_rows import CampaignRow, name_few
from qdcomp.report.dots.comparison_panels import (
    Linewidth,
    find_reference_run,
    has_several_temperatures,
    observe_linewidth,
    predict_linewidth,
    predict_quantum_linewidth,
)
from qdcomp.report.drawing import style
from qdcomp.report.drawing.panel import Bars, Line, Mark, Panel, Points, Symbol
from qdcomp.report.pages.number_text import format_measured
from qdcomp.report.surfaces.surface_content import SurfaceReportContent, SurfaceRunContent
from qdcomp.report.surfaces.surface_published import list_published

MEV = 1e3
"""meV per eV."""

TABLE_TEMPERATURE_K = 300.0
"""Temperature of the linewidths of the published table [K]."""

TABLE_PAPER = "raino2022"
"""Paper of that table."""

PUBLISHED_CELL_NM = 0.587
"""Unit cell that turns the cells of the published dots into an edge [nm]."""

MOST_LINES = 8
"""Runs on one panel of Γ(T); more go on further panels."""

N_TEMPERATURES = 50
"""Points of a Γ(T) curve."""

LOWEST_K, HIGHEST_K = 5.0, 320.0
"""Range of the Γ(T) curves [K]."""

SYMBOLS: dict[str, Symbol] = {"plain": "circle", "core/shell": "square", "frozen": "diamond"}
"""Markers of the kinds of dots."""


@dataclass(frozen=True, eq=False)
class DotOfCampaign:
    """A dot run that has a linewidth.

    Attributes
    ----------
    row
        Its row.
    analysis
        Analysis of its coldest trajectory, the most nearly harmonic.
    family
        ``plain``, ``core/shell`` or ``frozen``.
    """

    row: CampaignRow
    analysis: DotAnalysis
    family: str

    @property
    def name(self) -> str:
        """Label of the run and edge of the dot."""
        return f"{self.row.label} ({self.row.facts.size})"


def campaign_panels(rows: Sequence[CampaignRow]) -> tuple[Panel, ...]:
    """All panels that the runs of a campaign allow; none where no run has a result.

    Parameters
    ----------
    rows
        Rows of the index. Rows without a page have no part: who made their numbers is not known.
    """
    known = [row for row in rows if row.page is not None]
    dots = sorted(_list_dots(known), key=lambda dot: dot.row.facts.edge_nm or 0.0)
    bound = [row for row in known if row.ligand is not None and row.ligand.binding is not None]
    return (
        *linewidth_edge_panels(dots),
        *linewidth_temperature_panels(dots),
        *binding_panels(bound),
    )


def _list_dots(rows: Sequence[CampaignRow]) -> Iterator[DotOfCampaign]:
    for row in rows:
        if row.dots and row.run is not None:
            analysis = find_reference_run(row.dots).analysis
            yield DotOfCampaign(row, analysis, _name_family(row.run.dot_study))


def _name_family(study: DotStudy) -> str:
    if study.structure.frozen is not None:
        return "frozen"
    return "plain" if study.structure.shell is None else "core/shell"


def linewidth_edge_panels(dots: Sequence[DotOfCampaign]) -> tuple[Panel, ...]:
    """Γ at 300 K against the edge, a series for each engine and kind of dot; none without a dot.

    Classical Γ of the coldest trajectory of each run, PHYSICS.md section 4. The published table
    stands beside where one of the runs refers to its paper.
    """
    placed = [dot for dot in dots if dot.row.facts.edge_nm is not None]
    if not placed:
        return ()
    series: dict[tuple[str, str], list[DotOfCampaign]] = {}
    for dot in placed:
        series.setdefault((dot.row.facts.engine, dot.family), []).append(dot)
    marks: list[Points] = [
        _edge_points(f"{engine}, {family} dots", members, place, family)
        for place, ((engine, family), members) in enumerate(series.items())
    ]
    if any(_refers_to(dot.row, TABLE_PAPER) for dot in placed):
        marks.append(_published_points())
    edges = np.concatenate([mark.x for mark in marks])
    tops = np.concatenate(
        [mark.y if mark.error is None else mark.y + np.nan_to_num(mark.error) for mark in marks]
    )
    panel = Panel(
        name="linewidth_edge",
        title=f"Linewidth Γ({TABLE_TEMPERATURE_K:g} K) against the edge of the dot",
        x_label="Edge (nm)",
        y_label="Linewidth Γ, FWHM (meV)",
        marks=tuple(marks),
        x_range=(float(edges.min()) - 0.3, float(edges.max()) + 0.3),
        y_range=(0.0, 1.08 * float(tops.max())),
        description=(
            f"Classical linewidth at {TABLE_TEMPERATURE_K:g} K of {len(placed)} dots: "
            f"{_list_widths(placed, quantum=False)}."
        ),
    )
    return (panel.with_notes(_caution(dot.row for dot in placed)),)


def _edge_points(label: str, dots: list[DotOfCampaign], color: int, family: str) -> Points:
    widths = [_room_width(dot) for dot in dots]
    return Points(
        label,
        np.array([dot.row.facts.edge_nm for dot in dots], dtype=float),
        np.array([width.value_ev for width in widths]) * MEV,
        style.cycle(style.SERIES, color),
        error=np.array([width.error_ev for width in widths]) * MEV,
        symbol=SYMBOLS[family],
        hollow=family == "frozen",
    )


def _room_width(dot: DotOfCampaign) -> Linewidth:
    return predict_linewidth(dot.analysis, TABLE_TEMPERATURE_K)


def _published_points() -> Points:
    table = [row for row in load_coupling_table() if not row.core_shell]
    return Points(
        f"published, PBE ({TABLE_PAPER})",
        np.array([row.cells * PUBLISHED_CELL_NM for row in table]),
        np.array([row.fwhm_300k_mev for row in table]),
        style.TOTAL,
        symbol="triangle-up",
        hollow=True,
    )


def linewidth_temperature_panels(dots: Sequence[DotOfCampaign]) -> tuple[Panel, ...]:
    """Γ(T) of all dots, classical and with quantum phonons, `MOST_LINES` runs a panel."""
    chunks = [dots[start : start + MOST_LINES] for start in range(0, len(dots), MOST_LINES)]
    return tuple(
        _temperature_panel(chunk, quantum, number, len(chunks))
        for number, chunk in enumerate(chunks, start=1)
        for quantum in (False, True)
    )


def _temperature_panel(
    dots: Sequence[DotOfCampaign], quantum: bool, number: int, total: int
) -> Panel:
    temperatures = np.linspace(LOWEST_K, HIGHEST_K, N_TEMPERATURES)
    marks: list[Mark] = []
    for index, dot in enumerate(dots):
        color = style.cycle(style.SERIES, index)
        predict = predict_quantum_linewidth if quantum else predict_linewidth
        widths = [predict(dot.analysis, float(temperature)) for temperature in temperatures]
        marks.append(
            Line(
                dot.name,
                temperatures,
                np.array([width.value_ev for width in widths]) * MEV,
                color,
                dash=style.cycle(style.DASHES, index),
            )
        )
        if not quantum and has_several_temperatures(dot.row.dots):  # the nuclei are classical
            marks.append(_trajectory_points(dot, color))
    form = "quantum phonons" if quantum else "classical"
    part = f", {number} of {total}" if total > 1 else ""
    points = (
        "; points are 2.3548 σ of the gap in each trajectory of a series"
        if any(isinstance(mark, Points) for mark in marks)
        else ""
    )
    panel = Panel(
        name=f"linewidth_temperature_{'quantum' if quantum else 'classical'}"
        + (f"_{number}" if total > 1 else ""),
        title=f"Linewidth Γ(T), {form}{part}",
        x_label="Temperature (K)",
        y_label="Linewidth Γ, FWHM (meV)",
        marks=tuple(marks),
        x_range=(0.0, HIGHEST_K),
        y_range=(0.0, 1.08 * max(float(np.nanmax(_tops(mark))) for mark in marks)),
        description=(
            f"Linewidth against temperature, {form}, from the coldest trajectory of each run; at "
            f"{TABLE_TEMPERATURE_K:g} K: {_list_widths(dots, quantum=quantum)}. The curves are "
            f"drawn without their errors, which stand in the table{points}."
        ),
    )
    return panel.with_notes(_caution(dot.row for dot in dots))


def _list_widths(dots: Sequence[DotOfCampaign], *, quantum: bool) -> str:
    """Γ at 300 K of each dot, or the range of it where they are many."""
    predict = predict_quantum_linewidth if quantum else predict_linewidth
    widths = [(dot, predict(dot.analysis, TABLE_TEMPERATURE_K)) for dot in dots]
    if len(widths) <= MOST_LINES:
        return "; ".join(f"{dot.name} {width.text}" for dot, width in widths)
    ordered = sorted(widths, key=lambda pair: pair[1].value_ev)
    (narrow, least), (broad, most) = ordered[0], ordered[-1]
    return f"from {least.text} ({narrow.name}) to {most.text} ({broad.name})"


def _trajectory_points(dot: DotOfCampaign, color: str) -> Points:
    observed = [observe_linewidth(run.analysis) for run in dot.row.dots]
    return Points(
        f"{dot.row.label}, trajectories",
        np.array([run.analysis.temperature_k for run in dot.row.dots]),
        np.array([width.value_ev for width in observed]) * MEV,
        color,
        error=np.array([width.error_ev for width in observed]) * MEV,
    )


def _tops(mark: Mark) -> NDArray[np.float64]:
    if not isinstance(mark, Line | Points):
        raise TypeError(f"{type(mark).__name__} has no y on a panel of linewidths")
    return mark.y if mark.error is None else mark.y + np.nan_to_num(mark.error)


def binding_panels(rows: Sequence[CampaignRow]) -> tuple[Panel, ...]:
    """E_b of each run that has one, the paper's number beside it; none without a run.

    Parameters
    ----------
    rows
        Rows with a binding energy.
    """
    found = [(row, row.ligand.binding) for row in rows if row.ligand and row.ligand.binding]
    if not found:
        return ()
    names = _name_bars([row for row, _ in found])
    errors = _to_array([binding.error_ev for _, binding in found])
    marks = [
        Bars(
            "calculated",
            names,
            np.array([binding.value_ev for _, binding in found]),
            style.SERIES[0],
            error=errors if np.isfinite(errors).any() else None,
        )
    ]
    printed = _to_array([_find_printed(row) for row, _ in found])
    if np.isfinite(printed).any():
        marks.append(Bars("published", names, printed, style.GUIDE))
    values = zip(names, (binding for _, binding in found), printed, strict=True)
    panel = Panel(
        name="binding_energies",
        title="Binding energy of one ligand",
        x_label="Ligand and engine",
        y_label="Binding energy (eV)",
        marks=tuple(marks),
        description="Positive binds. " + "; ".join(_describe_bar(*bar) for bar in values) + ".",
    )
    return (panel.with_notes(_caution(row for row, _ in found)),)


def _name_bars(rows: Sequence[CampaignRow]) -> tuple[str, ...]:
    """Ligand and engine; the label as well where two runs have both in common."""
    short = [f"{row.facts.ligand}, {row.facts.engine}" for row in rows]
    return tuple(
        name if short.count(name) == 1 else f"{name}, {row.label}"
        for name, row in zip(short, rows, strict=True)
    )


def _find_printed(row: CampaignRow) -> float | None:
    """Binding energy that the paper of a run prints of its ligand [eV]; None where it does not."""
    if row.run is None or row.run.study.reference is None:
        return None
    content = SurfaceReportContent(
        recipe=row.run.study.recipe,
        title=row.label,
        ligand=row.facts.ligand,
        runs=(SurfaceRunContent(label=row.label, engine_name=row.facts.engine),),
        paper=row.run.study.reference.paper,
    )
    number = list_published(content).get("binding")
    return None if number is None else number.value


def _describe_bar(name: str, binding: BindingEnergy, printed: float) -> str:
    text = f"{name}: {format_measured(binding.value_ev, binding.error_ev, 'eV')}"
    return text if np.isnan(printed) else f"{text}, published {format_measured(printed)} eV"


def _to_array(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def _refers_to(row: CampaignRow, paper: str) -> bool:
    reference = row.run.study.reference if row.run is not None else None
    return reference is not None and reference.paper == paper


def _caution(rows: Iterable[CampaignRow]) -> tuple[str, ...]:
    """Say which runs are not first-principles ones; without names where all are alike."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.caution, []).append(row.label)
    if len(found) == 1:
        return tuple(caution for caution in found if caution)
    return tuple(f"{name_few(labels)}: {caution}" for caution, labels in found.items() if caution)
