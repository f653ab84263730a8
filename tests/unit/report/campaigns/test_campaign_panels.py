import dataclasses

import numpy as np
import pytest
from builders.campaign_runs import make_binding_run, make_dot_run

from qdcomp.analysis import compute_linewidth
from qdcomp.report.campaigns.campaign_panels import MOST_LINES, campaign_panels
from qdcomp.report.campaigns.campaign_rows import read_row
from qdcomp.report.drawing.interactive_drawing import describe_plot
from qdcomp.report.pages.strict_json import write_json

REFERENCE = "reference: {paper: raino2022, dot: 1.8 nm}"


@pytest.fixture
def rows(tmp_path, cold, warm):
    def read(name, *analyses, **options):
        return read_row(name, make_dot_run(tmp_path / name, analyses, **options).root)

    return {
        "small": read("small", cold),
        "series": read("series", cold, warm, cells=3, reference=REFERENCE),
        "frozen": read("frozen", cold, cells=3, more=", frozen: {region: shell, shell_cells: 0.5}"),
        "unfinished": read("unfinished"),
    }


def find(panels, name):
    return next(panel for panel in panels if panel.name == name)


def test_width_stands_at_the_edge_of_each_dot(rows, cold):
    panel = find(campaign_panels(list(rows.values())), "linewidth_edge")
    plain, frozen, published = panel.marks
    expected = 1e3 * compute_linewidth(cold.spectrum.reorganization_energy_ev, 300.0)
    np.testing.assert_allclose(plain.x, [1.174, 1.761])
    np.testing.assert_allclose(plain.y, expected)
    np.testing.assert_allclose(frozen.x, [1.761])
    assert frozen.hollow and frozen.color != plain.color
    assert published.y[0] == pytest.approx(200.0, rel=0.01) and len(published.x) == 5
    assert panel.notes == ("surrogate engine model, not first principles",)
    assert "unfinished" not in panel.description


def test_published_numbers_need_a_run_that_refers_to_them(rows):
    panel = find(campaign_panels([rows["small"]]), "linewidth_edge")
    assert [mark.label for mark in panel.marks] == ["model, plain dots"]


def test_classical_widths_grow_as_the_root_and_quantum_ones_do_not_vanish(rows):
    panels = campaign_panels([rows["small"]])
    (classical,) = find(panels, "linewidth_temperature_classical").marks
    (quantum,) = find(panels, "linewidth_temperature_quantum").marks
    np.testing.assert_allclose(classical.y / classical.y[-1], np.sqrt(classical.x / 320.0))
    assert quantum.y[0] > 1.5 * classical.y[0]
    assert quantum.y[-1] == pytest.approx(classical.y[-1], rel=0.02)


def test_trajectories_of_a_series_stand_on_the_classical_figure_alone(rows):
    panels = campaign_panels([rows["series"]])
    line, points = find(panels, "linewidth_temperature_classical").marks
    np.testing.assert_allclose(points.x, [10.0, 300.0])
    assert line.label == "series (1.76 nm)"
    assert len(find(panels, "linewidth_temperature_quantum").marks) == 1


def test_many_runs_go_on_several_figures(rows):
    many = [
        dataclasses.replace(rows["small"], label=f"run{number}") for number in range(MOST_LINES + 2)
    ]
    panels = campaign_panels(many)
    first = find(panels, "linewidth_temperature_classical_1")
    second = find(panels, "linewidth_temperature_classical_2")
    assert (len(first.marks), len(second.marks)) == (MOST_LINES, 2)
    assert second.title.endswith("2 of 2")
    assert find(panels, "linewidth_edge").description.count("meV") == 2  # the range alone


def test_binding_energies_stand_beside_the_papers(tmp_path):
    rows = [
        read_row("v", make_binding_run(tmp_path / "v", "5.4.4.stand-in", 1.5).root),
        read_row("w", make_binding_run(tmp_path / "w", "5.4.4", 1.9).root),
        read_row("c", make_binding_run(tmp_path / "c", "2024.1", 1.7, "cp2k").root),
    ]
    (panel,) = campaign_panels(rows)
    calculated, published = panel.marks
    assert calculated.categories == ("PEA, vasp, v", "PEA, vasp, w", "PEA, cp2k")
    np.testing.assert_allclose(calculated.heights, [1.5, 1.9, 1.7])
    np.testing.assert_allclose(published.heights, 2.0)
    assert panel.notes == ("v: VASP stand-in: not a DFT result",)


def test_nothing_gives_no_figure_and_no_page_no_part(rows):
    assert campaign_panels([]) == ()
    assert campaign_panels([rows["unfinished"]]) == ()
    assert campaign_panels([dataclasses.replace(rows["small"], page=None)]) == ()


def test_every_figure_is_strict_json(rows):
    for panel in campaign_panels(list(rows.values())):
        assert "NaN" not in write_json(describe_plot(panel))
