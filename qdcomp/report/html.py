"""The report: one page that needs no network, and its figures and numbers as files beside it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from qdcomp.errors import StoreError
from qdcomp.report import style
from qdcomp.report.comparison_panels import (
    has_several_temperatures,
    linewidth_case_panel,
    linewidth_temperature_panel,
)
from qdcomp.report.content import DotRun, ReportInput
from qdcomp.report.coupling_panels import (
    correlation_panel,
    coupling_panels,
    dephasing_panel,
    lineshape_panel,
)
from qdcomp.report.dynamics_panels import (
    gap_histogram_panel,
    gap_trace_panel,
    mobility_panel,
    orbital_panels,
    phonon_dos_panels,
)
from qdcomp.report.interactive_drawing import describe_plot
from qdcomp.report.mode_panels import harmonic_panels, mode_panels
from qdcomp.report.number_text import MISSING, format_duration, format_measured, format_plain
from qdcomp.report.panel import Panel
from qdcomp.report.static_drawing import save_panel, save_sheet
from qdcomp.report.strict_json import collect_results, to_plain, write_json
from qdcomp.report.structure_picture import draw_structure
from qdcomp.report.summary import (
    collect_warnings,
    list_absent,
    state_difference,
    summarise_run,
    tabulate_runs,
)
from qdcomp.report.viewer_data import describe_for_viewer
from qdcomp.resources import find_template
from qdcomp.structures import structure_hash

PAGE_TEMPLATE = "report/page.html.j2"
STYLE_SHEET = "report/page.css"
SCRIPTS = ("report/plots.js", "report/viewer.js")
FIGURE_FOLDER = "figures"


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
    try:
        return _write_files(report, Path(directory))
    except OSError as error:
        raise StoreError(
            f"cannot write the report in {directory}: {error}; is the disk full, or the folder "
            "not yours?"
        ) from error


def _write_files(report: ReportInput, root: Path) -> Path:
    figures = root / FIGURE_FOLDER
    figures.mkdir(parents=True, exist_ok=True)
    content = _arrange(report)
    for panel in content.panels:
        save_panel(panel, figures)
    sheet = [panel for panel in content.panels if panel.name in SHEET_PANELS]
    if sheet:
        save_sheet(sheet, figures / "overview.png")
    if report.structure is not None:
        for kind in ("png", "svg"):
            target = figures / f"structure.{kind}"
            draw_structure(report.structure, target, notes=label_assumptions(report))
    (root / "results.json").write_text(write_json(collect_results(report)), encoding="utf-8")
    (root / "provenance.json").write_text(write_json(report.provenance), encoding="utf-8")
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
    template_path = find_template(PAGE_TEMPLATE)
    environment = Environment(
        loader=FileSystemLoader(template_path.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        measured=format_measured,
        plain=format_plain,
        duration=format_duration,
        keep_together=keep_numbers_together,
    )
    structure = report.structure
    return environment.get_template(template_path.name).render(
        report=report,
        overview=content.overview,
        assumptions=label_assumptions(report),
        sections=content.sections,
        folder=FIGURE_FOLDER,
        missing=MISSING,
        is_mapping=lambda value: isinstance(value, Mapping),
        is_nested=_is_nested,
        inline=_write_inline,
        structure_hash=None if structure is None else structure_hash(structure),
        summary=tabulate_runs(report),
        published=[(row, state_difference(row)) for row in report.published],
        warnings=collect_warnings(report),
        absent=list_absent(report),
        provenance=to_plain(report.provenance),
        plots=_embed_json({panel.name: describe_plot(panel) for panel in content.panels}),
        viewer=None if structure is None else _embed_json(describe_for_viewer(structure)),
        theme=_embed_json({"surrogate": style.SURROGATE}),
        style_sheet=_read_verbatim(STYLE_SHEET),
        scripts=[_read_verbatim(name) for name in SCRIPTS],
        plotly=Markup(get_plotlyjs()),
    )


def _is_nested(value: Any) -> bool:
    """Whether a value of the provenance takes a list of its own."""
    if isinstance(value, Mapping):
        return bool(value)
    return isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value)


def _write_inline(value: Any) -> str:
    if value is None or value == [] or value == {}:
        return MISSING
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def keep_numbers_together(text: str) -> str:
    """Put no-break spaces about ``=`` and ``±`` and before units."""
    for pattern in (" = ", " ± ", " meV"):
        text = text.replace(pattern, pattern.replace(" ", "\u00a0"))
    return text


def _read_verbatim(template: str) -> Markup:
    """Text of a shipped file, to stand in the page as it is."""
    return Markup(find_template(template).read_text(encoding="utf-8"))


def _embed_json(value: Any) -> Markup:
    """JSON for a script element: no ``<`` can end the element, whatever the texts hold."""
    text = write_json(value, indent=None)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
