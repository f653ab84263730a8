import re
from xml.etree import ElementTree

import numpy as np
import plotly.graph_objects as go
import pytest

from qdcomp.report.dots.comparison_panels import (
    linewidth_case_panel,
    linewidth_temperature_panel,
    observe_linewidth,
    predict_linewidth,
)
from qdcomp.report.dots.content import DotRun
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
from qdcomp.report.dots.mode_panels import mode_panels
from qdcomp.report.drawing.interactive_drawing import describe_plot
from qdcomp.report.drawing.panel import MAXIMUM_POINTS, Bars, Line, Points, thin_out
from qdcomp.report.drawing.static_drawing import save_panel
from qdcomp.report.pages.strict_json import write_json

UNITLESS = re.compile(r"share|huang–rhys factor s$|coherence|element|band|group|case", re.I)


@pytest.fixture(scope="session")
def panels(cold, warm, modes):
    runs = [DotRun("10 K", cold), DotRun("300 K", warm)]
    made = [
        *phonon_dos_panels(cold),
        *coupling_panels(cold),
        gap_trace_panel(cold),
        gap_histogram_panel(cold),
        correlation_panel(cold),
        dephasing_panel(cold),
        lineshape_panel(cold),
        mobility_panel(cold),
        *orbital_panels(cold.orbitals),
        *mode_panels(cold, modes),
        linewidth_temperature_panel(runs),
        linewidth_case_panel(runs),
    ]
    return {panel.name: panel for panel in made}


def test_every_axis_has_its_unit(panels):
    for panel in panels.values():
        for label in (panel.x_label, panel.y_label):
            assert "(" in label or UNITLESS.search(label), (panel.name, label)
        assert panel.description.endswith(".")


def test_names_are_file_names_and_unique(panels):
    assert len(panels) == 17
    assert all(re.fullmatch(r"[a-z_]+", name) for name in panels)


def test_partial_densities_of_states_add_up_to_the_total(panels):
    for name in ("phonon_dos_element", "phonon_dos_layer"):
        total, *parts = panels[name].marks
        np.testing.assert_allclose(sum(part.y for part in parts), total.y, atol=1e-9)


def test_spectral_density_holds_the_reorganization_energy(panels, cold):
    (line,) = panels["spectral_density"].marks
    area = line.y.sum() * cold.spectrum.energy_step_ev * 1e3
    assert area == pytest.approx(cold.spectrum.reorganization_energy_ev * 1e3, rel=0.02)


def test_bands_are_shaded_with_their_names(panels):
    spans = panels["huang_rhys_spectrum"].spans
    assert [span.label for span in spans] == ["2 meV", "7 meV", "17 meV"]
    assert all(span.lower < float(span.label.split()[0]) < span.upper for span in spans)


def test_direct_points_stand_at_the_temperatures_of_the_runs(panels, cold, warm):
    points = [m for m in panels["linewidth_temperature"].marks if isinstance(m, Points)]
    assert len(points) == 1
    np.testing.assert_allclose(points[0].x, [10.0, 300.0])
    expected = [observe_linewidth(run).value_ev * 1e3 for run in (cold, warm)]
    np.testing.assert_allclose(points[0].y, expected)


def test_one_temperature_has_a_curve_and_no_points(cold):
    panel = linewidth_temperature_panel([DotRun("10 K", cold)])
    assert not [mark for mark in panel.marks if isinstance(mark, Points)]
    classical = panel.marks[0]
    assert isinstance(classical, Line)
    assert classical.error is not None
    np.testing.assert_allclose(classical.y / classical.y[-1], np.sqrt(classical.x / 320.0))


def test_predicted_linewidth_agrees_with_the_table_of_the_analysis(cold):
    table = cold.linewidths
    for index, temperature in enumerate(table.temperatures_k):
        predicted = predict_linewidth(cold, float(temperature))
        assert predicted.value_ev == pytest.approx(table.classical_ev[index])
        assert predicted.error_ev == pytest.approx(table.classical_error_ev[index])


def test_missing_layers_and_orbitals_make_no_panel(bare):
    assert [panel.name for panel in phonon_dos_panels(bare)] == ["phonon_dos_element"]
    assert bare.orbitals is None
    (bars,) = mobility_panel(bare).marks
    assert isinstance(bars, Bars)
    assert set(bars.categories) == {"Cs", "Pb", "Br"}


def test_scaled_coherence_says_where_it_comes_from(cold, warm):
    assert "10 K" in correlation_panel(cold).notes[0]
    assert correlation_panel(warm).notes == ()


def test_plots_are_what_plotly_accepts(panels):
    for panel in panels.values():
        described = describe_plot(panel.with_notes(("surrogate engine model",)))
        figure = go.Figure(described)
        notes = [note.text for note in figure.layout.annotations]
        assert any("surrogate engine model" in note for note in notes), panel.name
        assert figure.layout.xaxis.title.text
        assert figure.layout.yaxis.title.text
        write_json(described)


def test_labels_of_runs_are_escaped_for_plotly(cold):
    panel = linewidth_case_panel([DotRun("<b>a</b> & $x$", cold)])
    assert describe_plot(panel)["data"][0]["x"] == ["&lt;b&gt;a&lt;/b&gt; &amp; $x$"]


def test_files_of_a_figure(panels, tmp_path):
    panel = panels["linewidth_temperature"].with_notes(("surrogate engine $model$",))
    png, svg, table = save_panel(panel, tmp_path)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert ElementTree.parse(svg).getroot().tag.endswith("svg")
    header, first = table.read_text(encoding="utf-8").splitlines()[:2]
    assert "Temperature (K)" in header
    assert float(first.split(",")[0]) == 5.0


@pytest.mark.parametrize("name", ["huang_rhys_spectrum", "gap_histogram", "mobility"])
@pytest.mark.parametrize("note", ["surrogate engine model", ""])
def test_drawn_figure_names_axes_and_assumptions(panels, name, note):
    from matplotlib.figure import Figure

    from qdcomp.report.drawing.static_drawing import draw_panel

    panel = panels[name].with_notes((note,) if note else ())
    axes = Figure().add_subplot()
    draw_panel(axes, panel)
    assert axes.get_xlabel() == panel.x_label
    assert axes.get_ylabel() == panel.y_label
    texts = [text for text in axes.texts if "surrogate" in text.get_text()]
    assert len(texts) == bool(note)
    assert all(text.get_fontsize() >= 8.0 for text in [*axes.texts, axes.xaxis.label])


def test_thinning_keeps_the_extremes():
    x = np.linspace(0.0, 1.0, 100_000)
    y = np.sin(40.0 * x)
    y[31_415], y[92_653] = 9.0, -9.0
    thin_x, thin_y = thin_out(x, y)
    assert len(thin_x) <= MAXIMUM_POINTS
    assert (thin_y.max(), thin_y.min()) == (9.0, -9.0)
    assert (np.diff(thin_x) > 0.0).all()
