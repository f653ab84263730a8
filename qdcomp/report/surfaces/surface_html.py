"""The report on ligands and surfaces: the same shell as for dots, with its own sections."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qdcomp.errors import InputError
from qdcomp.report.drawing.panel import Panel
from qdcomp.report.drawing.static_drawing import save_panel, save_sheet
from qdcomp.report.pages.page_shell import FIGURE_FOLDER, render_template
from qdcomp.report.pages.report_files import name_unwritable, write_results
from qdcomp.report.pages.strict_json import to_plain
from qdcomp.report.pages.text_table import TextTable
from qdcomp.report.pages.viewer_data import describe_for_viewer
from qdcomp.report.surfaces.coverage_drawing import SchemeDrawing, describe_schemes, save_schemes
from qdcomp.report.surfaces.ligand_panels import ligand_panels
from qdcomp.report.surfaces.packing_tables import tabulate_packing, tabulate_rings
from qdcomp.report.surfaces.slab_picture import draw_views
from qdcomp.report.surfaces.surface_content import (
    StructurePair,
    SurfaceReportContent,
    SurfaceRunContent,
    name_run,
)
from qdcomp.report.surfaces.surface_numbers import tabulate_numbers
from qdcomp.report.surfaces.surface_panels import surface_energy_panels
from qdcomp.report.surfaces.surface_published import list_published, name_published_bars
from qdcomp.report.surfaces.surface_summary import (
    collect_assumptions,
    collect_surface_results,
    collect_surface_warnings,
    list_absent_of_surface,
    summarise_surface_run,
)
from qdcomp.report.surfaces.surface_tables import (
    tabulate_binding,
    tabulate_curves,
    tabulate_jobs,
    tabulate_levels,
)

PAGE_TEMPLATE = "report/surface.html.j2"


@dataclass(frozen=True)
class PicturedStructure:
    """A structure that the page shows.

    Attributes
    ----------
    label
        Run and name.
    stem
        Stem of its files.
    pair
        As built and as relaxed.
    cautions
        What the picture says of it.
    """

    label: str
    stem: str
    pair: StructurePair
    cautions: tuple[str, ...]


@dataclass(frozen=True)
class DrawnCoverage:
    """The arrangements of one slab on the page, and the stem of the figure's files."""

    title: str
    stem: str
    rows: tuple[tuple[int, tuple[SchemeDrawing, ...]], ...]
    complete: bool


def write_surface_report(directory: Path | str, content: SurfaceReportContent) -> Path:
    """Write ``index.html``, ``figures/``, ``results.json`` and ``provenance.json``.

    The page holds everything it shows and forbids itself any connection; each figure is beside it
    as PNG, SVG and, with the numbers drawn, CSV.

    Parameters
    ----------
    directory
        Made if it is not there; older files of the same names are replaced.
    content
        What to show. What is missing in it is missing on the page, with a sentence that says so.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InputError
        There is no run, or two have one label.
    StoreError
        If a file cannot be written.
    """
    labels = [run.label for run in content.runs]
    if not labels or len(set(labels)) < len(labels):
        raise InputError(
            f"a report of the runs {', '.join(labels) or 'none'}: give at least one, and each a "
            "label of its own"
        )
    with name_unwritable("the report", directory):
        return _write_files(content, Path(directory))


def _write_files(content: SurfaceReportContent, root: Path) -> Path:
    figures = root / FIGURE_FOLDER
    figures.mkdir(parents=True, exist_ok=True)
    panels = arrange_panels(content)
    drawn = [save_panel(panel, figures)[0] for panel in panels]
    if drawn:
        save_sheet(drawn, figures / "overview.png")
    coverages = list(_list_coverages(content))
    for coverage in coverages:
        save_schemes(coverage.rows, figures, title=coverage.title, name=coverage.stem)
    pictures = list(choose_pictures(content))
    for picture in pictures:
        for kind in ("png", "svg"):
            draw_views(
                picture.pair,
                figures / f"{picture.stem}.{kind}",
                title=picture.label,
                notes=picture.cautions,
            )
    provenance = _join_provenance(content)
    write_results(root, collect_surface_results(content), provenance)
    page = root / "index.html"
    embedded = [(picture, _embed(figures / f"{picture.stem}.png")) for picture in pictures]
    page.write_text(_render(content, panels, coverages, embedded, provenance), encoding="utf-8")
    return page


def arrange_panels(content: SurfaceReportContent) -> tuple[Panel, ...]:
    """All panels of a report in the order of the page, each with the cautions of its runs."""
    bars = name_published_bars(content, list_published(content))
    panels = (*surface_energy_panels(content), *ligand_panels(content, bars))
    return tuple(panel.with_notes(content.cautions) for panel in panels)


def choose_pictures(content: SurfaceReportContent) -> Iterator[PicturedStructure]:
    """Structures that the page shows: of each number of ligands the configuration of the curve."""
    several = len(content.runs) > 1
    for index, run in enumerate(content.runs, start=1):
        for place, (name, pair) in enumerate(_choose_structures(run), start=1):
            slug = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
            yield PicturedStructure(
                label=name_run(run, name) if several else name,
                stem=f"structure{index}_{place:02d}_{slug}",
                pair=pair,
                cautions=(run.caution,) if run.caution else (),
            )


def _choose_structures(run: SurfaceRunContent) -> list[tuple[str, StructurePair]]:
    """All but the configurations that are not the lowest of their N, the fullest layer first."""
    left_out: set[str] = set()
    if run.curve is not None:
        left_out = {entry.name for entry in run.curve.configurations} - set(run.curve.lowest)
    chosen = [(name, pair) for name, pair in run.structures.items() if name not in left_out]
    return sorted(chosen, key=lambda one: (one[1].last.kind != "slab", -len(one[1].last.ligands)))


def _list_coverages(content: SurfaceReportContent) -> Iterator[DrawnCoverage]:
    """Coverages that differ: runs of one study have the same."""
    seen: dict[tuple[Any, ...], list[SurfaceRunContent]] = {}
    for run in content.runs:
        if run.coverage is not None:
            key = tuple((entry.scheme.name, entry.chosen) for entry in run.coverage.shown)
            seen.setdefault(key, []).append(run)
    for index, runs in enumerate(seen.values(), start=1):
        coverage = runs[0].coverage
        if coverage is None:
            continue
        names = ", ".join(run.label for run in runs)
        failures = {name: text for run in runs for name, text in run.failures.items()}
        yield DrawnCoverage(
            title=f"Arrangements of {content.ligand} on {coverage.sites} sites"
            + (f" ({names})" if len(content.runs) > 1 else ""),
            stem="coverage" if index == 1 else f"coverage{index}",
            rows=describe_schemes(coverage, failures),
            complete=coverage.complete,
        )


def _render(
    content: SurfaceReportContent,
    panels: tuple[Panel, ...],
    coverages: list[DrawnCoverage],
    pictures: list[tuple[PicturedStructure, str]],
    provenance: dict[str, Any],
) -> str:
    published = list_published(content)
    surface = [panel for panel in panels if panel.name.startswith(("surface", "stable"))]
    scenes = list(_list_scenes([picture for picture, _ in pictures]))
    return render_template(
        PAGE_TEMPLATE,
        panels,
        scenes or None,
        report=content,
        headlines=[summarise_surface_run(content, run) for run in content.runs],
        numbers=tabulate_numbers(content, published),
        levels=tabulate_levels(content),
        binding=tabulate_binding(content),
        curves=tabulate_curves(content),
        packing=_keep(tabulate_packing(content), tabulate_rings(content)),
        jobs=tabulate_jobs(content),
        surface_panels=surface,
        ligand_panels=[panel for panel in panels if panel not in surface],
        coverages=coverages,
        pictures=pictures,
        scenes=scenes,
        assumptions=collect_assumptions(content),
        warnings=collect_surface_warnings(content),
        absent=list_absent_of_surface(content),
        provenance=to_plain(provenance),
    )


def _keep(*tables: TextTable | None) -> list[TextTable]:
    return [table for table in tables if table is not None]


def _list_scenes(pictures: list[PicturedStructure]) -> Iterator[dict[str, Any]]:
    """Structures for the viewer, in the order of the pictures."""
    for picture in pictures:
        if picture.pair.relaxed is not None:
            yield describe_for_viewer(picture.pair.relaxed, f"{picture.label}, relaxed")
        yield describe_for_viewer(picture.pair.built, f"{picture.label}, as built")


def _join_provenance(content: SurfaceReportContent) -> dict[str, Any]:
    if len(content.runs) == 1:
        return dict(content.runs[0].provenance)
    return {run.label: run.provenance for run in content.runs if run.provenance}


def _embed(path: Path) -> str:
    """Address of a picture that the page holds itself."""
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
