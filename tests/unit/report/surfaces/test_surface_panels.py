import dataclasses
import re

import numpy as np
import plotly.graph_objects as go
import pytest
from matplotlib.figure import Figure

from qdcomp.report.drawing.interactive_drawing import describe_plot
from qdcomp.report.drawing.panel import Bars, Line, Points, share_zero
from qdcomp.report.drawing.static_drawing import draw_panel, save_panel
from qdcomp.report.pages.strict_json import write_json
from qdcomp.report.surfaces.surface_html import arrange_panels
from qdcomp.report.surfaces.surface_panels import configuration_free_energies, density_per_nm2


@pytest.fixture(scope="module")
def panels(surface_content):
    return {panel.name: panel for panel in arrange_panels(surface_content)}


@pytest.fixture(scope="module")
def overlaid(two_engines):
    return {panel.name: panel for panel in arrange_panels(two_engines)}


def find_points(panel, *, right=False, faint=False):
    return [
        mark
        for mark in panel.marks
        if isinstance(mark, Points) and (mark.right, mark.faint) == (right, faint)
    ]


def test_solid_marks_are_the_free_energy_and_hollow_ones_its_differential(panels, surface_run):
    panel, curve = panels["surface_free_energy"], surface_run.curve
    (solid,), (hollow,) = find_points(panel), find_points(panel, right=True)
    assert not solid.hollow
    assert hollow.hollow
    np.testing.assert_array_equal(solid.y, curve.free_energy_ev)
    np.testing.assert_array_equal(hollow.y, curve.differential_ev[1:])
    np.testing.assert_array_equal(hollow.x, curve.bound[1:])
    np.testing.assert_array_equal(hollow.error, curve.differential_error_ev[1:])


def test_both_drawings_have_the_numbers_of_the_panel(panels):
    panel = panels["surface_free_energy"]
    axes = Figure().add_subplot()
    draw_panel(axes, panel)
    left, right = axes.figure.axes
    for mark, each in ((find_points(panel)[0], left), (find_points(panel, right=True)[0], right)):
        (drawn,) = [line for line in each.lines if line.get_marker() == "o"]
        np.testing.assert_array_equal(drawn.get_ydata(), mark.y)
        (trace,) = [t for t in describe_plot(panel)["data"] if t.get("name") == mark.label]
        shown = np.array([np.nan if y is None else y for y in trace["y"]])
        np.testing.assert_allclose(shown, mark.y, rtol=1e-5)
        assert (trace.get("yaxis") == "y2") == mark.right


def test_zeros_of_both_axes_stand_at_one_height(panels):
    panel = panels["surface_free_energy"]
    lower, upper = panel.y_range
    right_lower, right_upper = panel.right_axis.limits
    assert upper / (upper - lower) == pytest.approx(right_upper / (right_upper - right_lower))
    known = find_points(panel, right=True)[0].y
    assert right_lower < np.nanmin(known)
    assert np.nanmax(known) < right_upper


def test_zero_is_shared_whatever_the_signs():
    for values in ([-3.0, 1.0], [2.0, 5.0], [-1.0, np.nan], [np.nan], []):
        low, high = share_zero((-10.0, 2.0), (-9.0, 1.5), np.array(values))
        assert low / high == pytest.approx(-5.0)
        known = np.array(values)[np.isfinite(values)]
        assert ((known >= low) & (known <= high)).all()


def test_a_failed_configuration_leaves_a_gap_that_is_named(panels):
    panel = panels["surface_free_energy"]
    (solid,) = find_points(panel)
    assert np.flatnonzero(np.isnan(solid.y)).tolist() == [3]
    assert any("gap at N = 3: N3-a failed (SCF did not converge)" in note for note in panel.notes)
    plot = describe_plot(panel)
    (trace,) = [t for t in plot["data"] if t.get("name") == "ΔG(N)"]
    assert trace["y"][3] is None
    assert trace["connectgaps"] is False


def test_the_minimum_is_marked_and_the_density_shaded(panels, surface_run):
    panel = panels["surface_free_energy"]
    labels = {guide.label: guide.value for guide in panel.guides if guide.label}
    assert labels == {"minimum N = 7": 7.0}
    densities = [span for span in panel.spans if span.label]
    assert [float(span.label) for span in densities] == pytest.approx(
        [density_per_nm2(surface_run.curve, number) for number in range(9)], abs=0.05
    )
    strengths = [span.strength for span in densities]
    assert strengths == sorted(strengths)
    assert (strengths[0], strengths[-1]) == (0.0, 1.0)


def test_density_is_that_of_all_sides(surface_run):
    curve = surface_run.curve
    assert density_per_nm2(curve, 8) == pytest.approx(8 / (2 * curve.area_angstrom2 / 100.0))


def test_every_configuration_is_a_faint_point(overlaid, two_engines):
    curve = two_engines.runs[1].curve
    (faint,) = find_points(overlaid["surface_free_energy"], faint=True)
    bound, energies = configuration_free_energies(curve)
    np.testing.assert_array_equal(faint.x, bound)
    counts = np.bincount([entry.bound for entry in curve.configurations])
    assert len(bound) == counts[counts > 1].sum()
    for number in np.unique(bound).astype(int):
        of_this = energies[bound == number]
        assert of_this.min() == pytest.approx(curve.free_energy_ev[number])


def test_the_average_is_drawn_where_there_are_several_configurations(overlaid, two_engines):
    (line,) = [m for m in overlaid["surface_free_energy"].marks if isinstance(m, Line)]
    np.testing.assert_array_equal(line.y, two_engines.runs[1].curve.averaged_free_energy_ev)


def test_two_engines_are_overlaid_each_with_its_look(overlaid):
    panel = overlaid["surface_free_energy"]
    solid = find_points(panel)
    assert [mark.label for mark in solid] == ["VASP: ΔG(N)", "CP2K: ΔG(N)"]
    assert len({(mark.color, mark.symbol) for mark in solid}) == 2
    assert [text.split()[0] for text in panel.conditions] == ["VASP", "CP2K"]
    assert solid[1].error is None


def test_right_axis_of_the_panel_per_area_is_the_same_in_other_units(panels, surface_run):
    panel = panels["surface_free_energy_per_area"]
    (points,) = panel.marks
    np.testing.assert_array_equal(points.y, surface_run.curve.per_area_mj_per_m2)
    factor = surface_run.curve.per_area_mev_per_angstrom2[7] / points.y[7]
    assert np.array(panel.right_axis.limits) == pytest.approx(np.array(panel.y_range) * factor)
    seven = surface_run.curve.free_energy_error_ev[7] / surface_run.curve.free_energy_ev[7]
    assert points.error[7] / points.y[7] == pytest.approx(seven)


def test_stable_number_steps_where_the_free_energies_say(panels, surface_run):
    (line,) = panels["stable_coverage"].marks
    curve = surface_run.curve
    at_zero = line.y[line.x <= 0.0][-1]
    assert at_zero == 7.0
    last_step = line.x[line.y == 8.0][0]
    assert last_step == pytest.approx(curve.differential_ev[8])


def test_bars_of_the_binding_energy_stand_beside_the_printed_one(panels, surface_run):
    here, printed = panels["binding_energy"].marks
    assert isinstance(here, Bars)
    values = dict(zip(here.categories, here.heights, strict=True))
    assert values["binding energy"] == surface_run.binding.value_ev
    parts = [values[name] for name in surface_run.binding.terms_ev]
    assert sum(parts) == pytest.approx(values["binding energy"])
    assert printed.heights[0] == 2.0
    assert np.isnan(printed.heights[1:]).all()


def test_bars_below_zero_are_not_cut_off(panels):
    panel = panels["binding_energy"]
    assert panel.reaches_below_zero
    axes = Figure().add_subplot()
    draw_panel(axes, panel)
    assert axes.get_ylim()[0] < np.nanmin(panel.marks[0].heights)
    assert "rangemode" not in describe_plot(panel)["layout"]["yaxis"]


def test_scan_is_drawn_with_its_minimum(panels, surface_run):
    panel, scan = panels["interaction_scan"], surface_run.scan
    line, points = panel.marks
    np.testing.assert_array_equal(points.y, scan.energies_ev)
    np.testing.assert_array_equal(line.x, scan.fine_distances_angstrom)
    (guide,) = [guide for guide in panel.guides if guide.label]
    assert guide.value == scan.minimum_angstrom


def test_every_axis_has_its_unit_and_every_panel_its_conditions(panels, overlaid):
    unitless = re.compile(r"Bound ligands N of|Part of|Molecules")
    for panel in (*panels.values(), *overlaid.values()):
        for label in (panel.x_label, panel.y_label):
            assert "(" in label or unitless.match(label), (panel.name, label)
        assert panel.description.endswith(".")
        assert any("PBE-D3BJ" in text and "298.15 K" in text for text in panel.conditions)


def test_a_stand_in_is_named_on_every_figure(panels, overlaid):
    for panel in (*panels.values(), *overlaid.values()):
        assert "VASP stand-in: not a DFT result" in panel.notes
        described = describe_plot(panel)
        note = next(n["text"] for n in described["layout"]["annotations"] if n.get("name"))
        assert "VASP stand-in: not a DFT result" in note.replace("<br>", " ")


def test_plots_are_what_plotly_accepts(panels, overlaid):
    for panel in (*panels.values(), *overlaid.values()):
        described = describe_plot(panel)
        go.Figure(described)
        assert "NaN" not in write_json(described)


def test_right_axis_and_conditions_are_in_the_files(panels, tmp_path):
    _, svg, table = save_panel(panels["surface_free_energy"], tmp_path)
    assert svg.stat().st_size > 0
    header = table.read_text(encoding="utf-8").splitlines()[0]
    assert "ΔG(N) − ΔG(N−1), hollow (eV)" in header
    axes = Figure().add_subplot()
    draw_panel(axes, panels["surface_free_energy"])
    words = " ".join(text.get_text() for text in axes.texts)
    assert "VASP PBE-D3BJ, 400 eV, k-points 4×4×1, 298.15 K" in words
    assert "not a DFT result" in words


def test_what_no_run_has_makes_no_panel(surface_content, surface_run):
    bare = dataclasses.replace(
        surface_run, curve=None, binding=None, interaction=None, scan=None, entropy=None
    )
    assert arrange_panels(dataclasses.replace(surface_content, runs=(bare,))) == ()
