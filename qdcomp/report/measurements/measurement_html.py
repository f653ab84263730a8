"""The report on a measurement: the same shell as for calculations, with tables and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qdcomp.report.drawing.panel import Panel
from qdcomp.report.drawing.static_drawing import save_panel, save_sheet
from qdcomp.report.pages.page_shell import FIGURE_FOLDER, render_template
from qdcomp.report.pages.report_files import name_unwritable, write_results
from qdcomp.report.pages.strict_json import to_plain
from qdcomp.report.pages.text_table import TextTable

PAGE_TEMPLATE = "report/measurement.html.j2"

ERROR_NOTE = (
    "Errors are standard errors (68 %) from the counting statistics of this measurement, unless "
    "a line says otherwise."
)


@dataclass(frozen=True)
class PanelGroup:
    """Figures under one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, eq=False)
class MeasurementReport:
    """Everything that a report on a measurement shows.

    Attributes
    ----------
    title
        Title of the page.
    origin
        File, instrument and length of the measurement in one sentence.
    headlines
        Main numbers, a sentence each.
    tables
        All numbers.
    groups
        Figures under their headings.
    results
        All numbers for ``results.json``, nested.
    caution
        Why it is not what it looks like, as for simulated photons; empty where it is.
    warnings
        What was assumed or looks wrong.
    absent
        What could not be computed, with the reason.
    provenance
        From the file to the parameters of the analysis, nested.
    error_note
        What the errors are.
    """

    title: str
    origin: str
    headlines: tuple[str, ...]
    tables: tuple[TextTable, ...]
    groups: tuple[PanelGroup, ...]
    results: Mapping[str, Any]
    caution: str = ""
    warnings: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    error_note: str = ERROR_NOTE

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All figures in the order of the page."""
        return tuple(panel for group in self.groups for panel in group.panels)


def write_measurement_report(report: MeasurementReport, directory: Path | str) -> Path:
    """Write ``index.html``, ``figures/``, ``results.json`` and ``provenance.json``.

    The page holds everything it shows and forbids itself any connection; each figure is beside it
    as PNG, SVG and, with the numbers drawn, CSV.

    Parameters
    ----------
    report
        What to show.
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
    root = Path(directory)
    with name_unwritable("the report", root):
        return _write_files(report, root)


def _write_files(report: MeasurementReport, root: Path) -> Path:
    figures = root / FIGURE_FOLDER
    figures.mkdir(parents=True, exist_ok=True)
    pictures = [save_panel(panel, figures)[0] for panel in report.panels]
    if pictures:
        save_sheet(pictures, figures / "overview.png")
    write_results(root, report.results, report.provenance)
    page = root / "index.html"
    page.write_text(
        render_template(
            PAGE_TEMPLATE,
            report.panels,
            None,
            report=report,
            provenance=to_plain(report.provenance),
        ),
        encoding="utf-8",
    )
    return page
