"""The report: one page that needs no network, and its figures and numbers as files beside it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

from qdcomp.report.dots.comparison_panels import (
    has_several_temperatures,
    linewidth_case_panel,
    linewidth_temperature_panel,
)
from qdcomp.report.dots.content import DotRun, ReportInput
from qdcomp.report.dots.coupling_panels import (
    correlation_panel,
    coupling_panels,
    dephasing_panel,
    lineshape_panel,
)
from qdcomp.report.dots.dynamics_panels import (
    gap_histogram_panel,
    gap_trace_panel,
    mobility_panel,
    orbital_panels,
    phonon_dos_panels,
)
from qdcomp.report.dots.mode_panels import harmonic_panels, mode_panels
from qdcomp.report.dots.results_file import collect_results
from qdcomp.report.dots.summary import (
    collect_warnings,
    list_absent,
    state_difference,
    summarise_run,
    tabulate_runs,
)
from qdcomp.report.drawing.panel import Panel
from qdcomp.report.drawing.static_drawing import save_panel, save_sheet
from qdcomp.report.drawing.structure_picture import draw_structure
from qdcomp.report.pages.page_shell import FIGURE_FOLDER, render_template
from qdcomp.report.pages.report_files import name_unwritable, write_results
from qdcomp.report.pages.strict_json import to_plain
from qdcomp.report.pages.viewer_data import describe_for_viewer
from qdcomp.structures import structure_hash

PAGE_TEMPLATE = "report/page.html.j2"

SHEET_PANELS = ("linewidth_temperature", "spectral_density", "dephasing", "emission_lineshape")
"""Figures on the sheet ``overview.png``, for a slide or a page about the run."""


@dataclass(frozen=True)
class FigureGroup:
    """Figures of one subject."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class RunSection:
    """One run and its figures."""

    run: DotRun
    headline: str
    groups: tuple[FigureGroup, ...]


@dataclass(frozen=True)
class PageContent:
    """All figures of a page: those across runs, and those of each run."""

    overview: tuple[Panel, ...]
    sections: tuple[RunSection, ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All figures in the order of the page."""
        parts = (group.panels for section in self.sections for group in section.groups)
        return (*self.overview, *itertools.chain.from_iterable(parts))


def write_report(report: ReportInput, directory: Path | str) -> Path:
    """Write ``index.html``, ``figures/``, ``results.json`` and ``provenance.json``.

    The page holds everything it shows, interactive plots and the structure viewer included, and
    forbids itself any connection. Each figure is beside it as PNG, SVG and CSV.

    Parameters
    ----------
    report
        What to show. What is missing in it is missing on the page, with a sentence that says so.
    directory
        Made if it is not there; older files of the same names are replaced.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    StoreError
        If a file cannot be written.
    """
    with name_unwritable("the report", directory):
        return _write_files(report, Path(directory))


def _write_files(report: ReportInput, root: Path) -> Path:
    figures = root / FIGURE_FOLDER
    figures.mkdir(parents=True, exist_ok=True)
    content = _arrange(report)
    pictures = {panel.name: save_panel(panel, figures)[0] for panel in content.panels}
    sheet = [picture for name, picture in pictures.items() if name in SHEET_PANELS]
    if sheet:
        save_sheet(sheet, figures / "overview.png")
    if report.structure is not None:
        for kind in ("png", "svg"):
            target = figures / f"structure.{kind}"
            draw_structure(report.structure, target, notes=label_assumptions(report))
    write_results(root, collect_results(report), report.provenance)
    page = root / "index.html"
    page.write_text(_render(report, content), encoding="utf-8")
    return page


def render_page(report: ReportInput) -> str:
    """Give the text of ``index.html`` alone, without the files beside it."""
    return _render(report, _arrange(report))


def label_assumptions(report: ReportInput) -> tuple[str, ...]:
    """Give the notes that every figure of a report carries."""
    if not report.is_surrogate:
        return ()
    return (f"surrogate engine {report.engine_name}, not first principles",)


def _arrange(report: ReportInput) -> PageContent:
    sections = (_describe_run(report, index) for index in range(len(report.runs)))
    return PageContent(_overview_panels(report), tuple(sections))


def _overview_panels(report: ReportInput) -> tuple[Panel, ...]:
    """Γ(T), and Γ of each case where runs are cases at one temperature."""
    if not report.runs:
        return ()
    panels = [linewidth_temperature_panel(report.runs)]
    if len(report.runs) > 1 and not has_several_temperatures(report.runs):
        panels.append(linewidth_case_panel(report.runs))
    return tuple(panel.with_notes(label_assumptions(report)) for panel in panels)


def _describe_run(report: ReportInput, index: int) -> RunSection:
    run = report.runs[index]
    prefix = f"run{index + 1}_" if len(report.runs) > 1 else ""
    notes = label_assumptions(report)
    groups = tuple(
        FigureGroup(title, tuple(panel.with_notes(notes, prefix) for panel in panels))
        for title, panels in _group_panels(run)
        if panels
    )
    return RunSection(run, summarise_run(report, run), groups)


def _group_panels(run: DotRun) -> list[tuple[str, tuple[Panel, ...]]]:
    analysis = run.analysis
    return [
        ("Phonons", phonon_dos_panels(analysis)),
        ("Exciton–phonon coupling", coupling_panels(analysis)),
        ("Gap", (gap_trace_panel(analysis), gap_histogram_panel(analysis))),
        (
            "Coherence and emission",
            (correlation_panel(analysis), dephasing_panel(analysis), lineshape_panel(analysis)),
        ),
        ("Motion of the atoms", (mobility_panel(analysis),)),
        (
            "Frontier orbitals",
            () if analysis.orbitals is None else orbital_panels(analysis.orbitals),
        ),
        ("Normal modes", _mode_route_panels(run)),
    ]


def _mode_route_panels(run: DotRun) -> tuple[Panel, ...]:
    if run.modes is not None:
        return mode_panels(run.analysis, run.modes)
    return () if run.harmonic is None else harmonic_panels(run.analysis, run.harmonic)


def _render(report: ReportInput, content: PageContent) -> str:
    structure = report.structure
    return render_template(
        PAGE_TEMPLATE,
        content.panels,
        None if structure is None else describe_for_viewer(structure),
        report=report,
        overview=content.overview,
        assumptions=label_assumptions(report),
        sections=content.sections,
        structure_hash=None if structure is None else structure_hash(structure),
        summary=tabulate_runs(report),
        published=[(row, state_difference(row)) for row in report.published],
        warnings=collect_warnings(report),
        absent=list_absent(report),
        provenance=to_plain(report.provenance),
    )
