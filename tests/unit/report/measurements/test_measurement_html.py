"""The page of a measurement, and what its panels can draw."""

import csv
import json

import numpy as np
import pytest

from qdcomp.errors import StoreError
from qdcomp.report.drawing.interactive_drawing import describe_plot
from qdcomp.report.drawing.panel import Heat, Line, Panel, SideHistogram
from qdcomp.report.measurements.measurement_html import (
    MeasurementReport,
    PanelGroup,
    write_measurement_report,
)
from qdcomp.report.pages.text_table import TextTable

TIMES = np.linspace(0.0, 10.0, 50)
EDGES = np.linspace(0.0, 20.0, 11)


def make_panels():
    trace = Panel(
        name="trace",
        title="Trace",
        x_label="time [s]",
        y_label="counts",
        marks=(Line("counts", TIMES, 10 + np.sin(TIMES), "#0072b2"),),
        description="A trace.",
        side=SideHistogram(
            "bins", EDGES, np.arange(10.0), "#0072b2", (Line("Poisson", EDGES, EDGES, "#d55e00"),)
        ),
    )
    decay = Panel(
        name="decay",
        title="Decay",
        x_label="lag [s]",
        y_label="g2",
        marks=(Line("g2", np.logspace(-8, 0, 20), np.logspace(4, 0, 20), "#0072b2"),),
        description="A decay.",
        x_log=True,
        y_log=True,
        x_range=(1e-8, 1.0),
    )
    flid = Panel(
        name="flid",
        title="FLID",
        x_label="lifetime [ns]",
        y_label="counts/s",
        marks=(Heat("density", EDGES, TIMES[:5], np.ones((10, 4))),),
        description="A map.",
    )
    return trace, decay, flid


def make_report(**changes):
    values = {
        "title": "Dot <1>",
        "origin": "A file.",
        "headlines": ("g2(0) = 0.05 ± 0.01",),
        "tables": (TextTable("Blinking", ("Quantity", "Value"), (("Q", "0.3 ± 0.1"),)),),
        "groups": (PanelGroup("All", make_panels()),),
        "results": {"q": float("nan")},
        "provenance": {"file": {"name": "dot.ptu"}},
    }
    return MeasurementReport(**(values | changes))


def test_a_report_is_written_whole(tmp_path):
    page = write_measurement_report(make_report(absent=("T70: not reached.",)), tmp_path)
    text = page.read_text()
    assert "Dot &lt;1&gt;" in text and "T70: not reached." in text
    assert json.loads((tmp_path / "results.json").read_text()) == {"q": None}
    for name in ("trace", "decay", "flid"):
        for kind in ("png", "svg", "csv"):
            assert (tmp_path / "figures" / f"{name}.{kind}").stat().st_size > 0
    with (tmp_path / "figures/flid.csv").open() as file:
        rows = list(csv.reader(file))
    assert len(rows) == 41 and rows[0][-1] == "density"


def test_simulated_photons_are_said_to_be(tmp_path):
    page = write_measurement_report(make_report(caution="Simulated, no measurement"), tmp_path)
    assert "Simulated, no measurement" in page.read_text()


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write the report"):
        write_measurement_report(make_report(), tmp_path / "file" / "report")


def test_logarithmic_axes_have_logarithmic_limits():
    layout = describe_plot(make_panels()[1])["layout"]
    assert layout["xaxis"]["type"] == layout["yaxis"]["type"] == "log"
    assert layout["xaxis"]["range"] == pytest.approx([-8.0, 0.0])


def test_a_side_histogram_shares_the_y_axis_of_its_panel():
    plot = describe_plot(make_panels()[0])
    assert plot["layout"]["xaxis"]["domain"][1] < plot["layout"]["xaxis2"]["domain"][0]
    beside = [trace for trace in plot["data"] if trace.get("xaxis") == "x2"]
    assert [trace["type"] for trace in beside] == ["bar", "scatter"]
    assert beside[0]["orientation"] == "h"


def test_a_map_is_drawn_as_a_heat_map():
    (heat,) = describe_plot(make_panels()[2])["data"]
    assert heat["type"] == "heatmap"
    assert np.shape(heat["z"]) == (4, 10)
