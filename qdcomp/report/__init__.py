"""What people look at: figures, pictures of structures, the interactive report.

Drawing libraries are imported when the first figure is drawn, not when this package is.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qdcomp.report.dots.content import DotRun, JobRow, PublishedRow, ReportInput
    from qdcomp.report.dots.html import write_report
    from qdcomp.report.dots.summary import summarise_run
    from qdcomp.report.drawing.structure_picture import draw_structure
    from qdcomp.report.surfaces.surface_content import (
        StructurePair,
        SurfaceReportContent,
        SurfaceRunContent,
    )
    from qdcomp.report.surfaces.surface_html import write_surface_report

__all__ = [
    "DotRun",
    "JobRow",
    "PublishedRow",
    "ReportInput",
    "StructurePair",
    "SurfaceReportContent",
    "SurfaceRunContent",
    "draw_structure",
    "summarise_run",
    "write_report",
    "write_surface_report",
]

_HOME = {
    "DotRun": "dots.content",
    "JobRow": "dots.content",
    "PublishedRow": "dots.content",
    "ReportInput": "dots.content",
    "StructurePair": "surfaces.surface_content",
    "SurfaceReportContent": "surfaces.surface_content",
    "SurfaceRunContent": "surfaces.surface_content",
    "draw_structure": "drawing.structure_picture",
    "summarise_run": "dots.summary",
    "write_report": "dots.html",
    "write_surface_report": "surfaces.surface_html",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
