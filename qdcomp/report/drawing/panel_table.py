"""The numbers that a panel draws, as a table."""

from __future__ import annotations

import csv
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from qdcomp.report.drawing.panel import (
    Bars,
    Heat,
    Mark,
    Panel,
    Points,
    SideHistogram,
    Steps,
    Sticks,
)


def write_table(panel: Panel, path: Path) -> None:
    """Write the numbers that a panel draws, a column each, as comma-separated values."""
    columns: list[tuple[str, Any]] = []
    for mark in panel.marks:
        columns += _columns(mark, panel)
    if panel.side is not None:
        columns += _side_columns(panel.side, panel.y_label)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([name for name, _ in columns])
        writer.writerows(zip_longest(*(values for _, values in columns), fillvalue=""))


def _columns(mark: Mark, panel: Panel) -> list[tuple[str, Any]]:
    on_right = isinstance(mark, Points) and mark.right and panel.right_axis is not None
    y_label = panel.right_axis.label if on_right and panel.right_axis else panel.y_label
    x_name, y_name = f"{mark.label}: {panel.x_label}", f"{mark.label}: {y_label}"
    if isinstance(mark, Steps):
        return [
            (f"{x_name}, lower edge", mark.edges[:-1]),
            (f"{x_name}, upper edge", mark.edges[1:]),
            (y_name, mark.heights),
        ]
    if isinstance(mark, Heat):
        x, y = np.meshgrid(_middles(mark.x_edges), _middles(mark.y_edges), indexing="ij")
        return [(x_name, x.ravel()), (y_name, y.ravel()), (mark.label, mark.values.ravel())]
    x, y = (mark.categories, mark.heights) if isinstance(mark, Bars) else (mark.x, mark.y)
    columns: list[tuple[str, Any]] = [(x_name, x), (y_name, y)]
    if not isinstance(mark, Sticks) and mark.error is not None:
        columns.append((f"{y_name}, standard error", mark.error))
    return columns


def _side_columns(side: SideHistogram, y_label: str) -> list[tuple[str, Any]]:
    columns: list[tuple[str, Any]] = [
        (f"{y_label}, lower edge", side.edges[:-1]),
        (f"{y_label}, upper edge", side.edges[1:]),
        (side.label, side.heights),
    ]
    for curve in side.curves:
        columns += [(f"{curve.label}: {y_label}", curve.x), (curve.label, curve.y)]
    return columns


def _middles(edges: Any) -> Any:
    return 0.5 * (edges[1:] + edges[:-1])
