import dataclasses

import numpy as np
from matplotlib.image import imread

from qdcomp.report.surfaces.coverage_drawing import describe_schemes, save_schemes
from qdcomp.report.surfaces.coverage_overview import (
    MAX_LISTED_SITES,
    centre_sites,
    collect_coverage,
)
from qdcomp.structures import build_slab, choose_configurations, count_configurations


def test_every_arrangement_is_there_and_the_chosen_one_marked(slab, coverage):
    rows = describe_schemes(coverage, {})
    assert [number for number, _ in rows] == list(range(9))
    assert [len(drawings) for _, drawings in rows] == [
        count_configurations(slab, number) for number in range(9)
    ]
    for number, drawings in rows:
        chosen = [drawing.name for drawing in drawings if drawing.chosen]
        assert chosen == [choose_configurations(slab, number)[0].name]


def test_filled_circles_are_the_ligands(coverage):
    for number, drawings in describe_schemes(coverage, {}):
        for drawing, entry in zip(
            drawings, (e for e in coverage.shown if e.configuration.bound == number), strict=True
        ):
            filled = {mark.label for mark in drawing.marks if mark.occupied}
            assert filled == set(entry.configuration.occupied)
            assert {mark.label for mark in drawing.marks if mark.top} == {"A1", "A2", "A3", "A4"}


def test_circles_do_not_overlap_and_lie_in_their_cell(coverage):
    for _, drawings in describe_schemes(coverage, {}):
        for drawing in drawings:
            places = np.array([[mark.x, mark.y] for mark in drawing.marks])
            radius = drawing.marks[0].radius
            gaps = np.linalg.norm(places[:, None] - places[None], axis=2)
            assert gaps[~np.eye(len(places), dtype=bool)].min() > 2 * radius
            for mark in drawing.marks:
                outline = np.array(drawing.outlines[0 if mark.top else 1])
                low, high = outline.min(axis=0), outline.max(axis=0)
                assert (np.array([mark.x, mark.y]) - radius > low).all()
                assert (np.array([mark.x, mark.y]) + radius < high).all()


def test_moving_the_cell_keeps_the_distances_of_the_sites(coverage):
    scheme = coverage.shown[0].scheme
    moved = centre_sites(scheme)
    difference = (moved - scheme.positions) - (moved - scheme.positions)[0]
    cells = np.linalg.solve(scheme.cell.T, difference.T).T
    np.testing.assert_allclose(cells, np.round(cells), atol=1e-9)


def test_a_failed_configuration_says_so_and_one_not_computed_does_not(coverage):
    rows = dict(describe_schemes(coverage, {"N3-a": "no convergence", "N3-b": "no convergence"}))
    failures = {drawing.name: drawing.failure for drawing in rows[3]}
    assert failures["N3-a"] == "no convergence"
    assert failures["N3-b"] == ""


def test_of_many_sites_the_chosen_ones_alone_are_shown():
    slab = build_slab((3, 2))
    assert len(slab.sites) > MAX_LISTED_SITES
    bare = choose_configurations(slab, 0)
    overview = collect_coverage(slab, bare)
    assert not overview.complete
    assert [entry.configuration.name for entry in overview.shown] == [bare[0].name]


def test_one_side_makes_one_cell():
    slab = build_slab((2, 2), sides="one")
    overview = collect_coverage(slab, choose_configurations(slab, 2))
    ((_, drawings),) = [row for row in describe_schemes(overview, {}) if row[0] == 2]
    assert all(len(drawing.outlines) == 1 for drawing in drawings)


def test_energies_count_from_the_lowest_of_the_row(coverage):
    for _, drawings in describe_schemes(coverage, {}):
        assert drawings[0].caption[1] == "lowest"
        assert all(drawing.caption[1].startswith("+") for drawing in drawings[1:])


def test_figure_grows_with_the_rows(coverage, tmp_path):
    rows = describe_schemes(coverage, {})
    all_of_them = imread(save_schemes(rows, tmp_path, title="all $x$")[0])
    few = imread(save_schemes(rows[:2], tmp_path, title="few", name="few")[0])
    assert all_of_them.shape[0] > 3 * few.shape[0]
    assert all_of_them[..., :3].std() > 0.05


def test_rows_hold_each_entry_once(coverage):
    shown = [entry for _, entries in coverage.rows for entry in entries]
    assert sorted(map(id, shown)) == sorted(map(id, coverage.shown))
    assert dataclasses.replace(coverage, shown=()).rows == ()
