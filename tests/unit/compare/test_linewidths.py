import math

import numpy as np
import pytest
from builders.linewidth_points import calculated, law, measured, measured_series

from qdcomp.compare.linewidths import compare_linewidths
from qdcomp.compare.observable import Observable
from qdcomp.compare.published_linewidths import list_published_linewidths
from qdcomp.errors import InputError
from qdcomp.experiment import Estimate

EDGES = (2.4, 3.0, 3.6, 4.2)


def find_rows(comparison, against, reference="measured here"):
    return [
        row for row in comparison.rows if (row.against, row.reference_group) == (against, reference)
    ]


def test_dots_on_one_law_agree_and_one_off_it_does_not():
    own = [calculated(d) for d in EDGES[:-1]] + [calculated(4.2, law(4.2) + 60.0)]
    rows = find_rows(compare_linewidths([*own, *measured_series()]), "trend")
    sigmas = [row.difference.sigmas for row in rows]
    assert max(sigmas[:-1]) < 1.0
    assert sigmas[-1] > 4.0
    assert rows[-1].difference.value == pytest.approx(60.0, abs=10.0)


def test_distance_in_combined_errors_is_that_of_chance():
    """Calculated and measured on one law, errors as stated: 68 % lie within one."""
    rng = np.random.default_rng(0)
    near = []
    for seed in range(80):
        own = [calculated(d, law(d) + rng.normal(0.0, 10.0)) for d in EDGES]
        points = [*own, *measured_series(seed + 1)]
        near += [
            row.difference.sigmas < 1.0 for row in find_rows(compare_linewidths(points), "trend")
        ]
    assert 0.60 < np.mean(near) < 0.76


def test_no_calculated_dot_is_held_against_an_extrapolated_trend():
    points = [calculated(1.8), calculated(3.0), *measured_series()]
    outside, inside = find_rows(compare_linewidths(points), "trend")
    assert outside.difference is None
    assert outside.share is None
    assert "no overlap: 1.8 nm lies outside the 2–6 nm" in outside.reason
    assert inside.difference is not None


def test_nearest_dot_is_that_with_the_nearest_edge_and_its_distance_is_said():
    points = [calculated(3.0), measured(2.0, label="small"), measured(3.9, label="large")]
    (row,) = find_rows(compare_linewidths(points), "nearest dot")
    assert row.reference.label == "large"
    assert row.size_distance_nm == pytest.approx(0.9)
    assert any("large is 0.9 nm larger" in note for note in row.difference.notes)


def test_published_calculation_and_measurement_do_not_overlap():
    """Rainò 2022: calculated up to 4.2 nm, measured from 4.5 nm."""
    comparison = compare_linewidths(list_published_linewidths())
    (edge,) = [one for one in comparison.trends if one.axis == "edge" and "shell" not in one.first]
    assert edge.overlap is None
    assert edge.band is None
    assert edge.reason.endswith("cover 1.8–4.2 nm and 4.5–14 nm")


def test_two_trends_are_compared_over_what_both_cover():
    points = [*(calculated(d, law(d) + 20.0) for d in EDGES), *measured_series()]
    edge, _ = compare_linewidths(points).trends
    assert edge.overlap == (2.4, 4.2)
    assert (edge.band.x[0], edge.band.x[-1]) == (2.4, 4.2)
    inside = (edge.band.low < 20.0) & (edge.band.high > 20.0)
    assert inside.mean() > 0.5
    np.testing.assert_allclose(edge.band.center, 20.0, atol=12.0)


def test_own_calculations_stand_beside_published_ones_without_a_share():
    points = [*list_published_linewidths("calculated"), *(calculated(d) for d in EDGES)]
    rows = compare_linewidths(points).rows
    assert {(row.group, row.reference_group) for row in rows} == {
        ("calculated, model engine", "published, calculated")
    }
    assert all(row.share is None and row.difference is not None for row in rows)


def test_dots_with_a_shell_are_not_held_against_those_without():
    shell = calculated(3.6, label="3.6 nm core/shell dot")
    comparison = compare_linewidths([shell, *measured_series()])
    assert comparison.rows == ()
    assert comparison.trends == ()


def test_width_at_another_temperature_is_left_out_with_the_reason():
    cold = measured(4.0, temperature_k=77.0)
    comparison = compare_linewidths([calculated(3.0), measured(3.0), cold])
    (left,) = comparison.left_out
    assert left.observable is cold
    assert "at 77 K" in left.reason
    assert sum(len(group.points) for group in comparison.groups) == 2
    with pytest.raises(InputError, match="none of 1 linewidths is at 300 K"):
        compare_linewidths([cold])
    assert compare_linewidths([cold], temperature_k=77.0).left_out == ()


def test_width_without_temperature_is_taken_with_a_note():
    comparison = compare_linewidths([calculated(3.0), measured(3.0, temperature_k=None)])
    assert comparison.left_out == ()
    assert any("no temperature was given" in note for note in comparison.notes)


def test_widths_are_converted_to_one_unit_and_other_quantities_refused():
    in_ev = Observable(
        "linewidth", 0.13, 0.004, "eV", "measured", "here", "dot", edge_nm=Estimate(3.0, math.nan)
    )
    (row,) = find_rows(compare_linewidths([calculated(3.0, 130.0, 3.0), in_ev]), "nearest dot")
    assert row.difference.value == pytest.approx(0.0, abs=1e-9)
    assert row.difference.error == pytest.approx(5.0)
    with pytest.raises(InputError, match="lifetime"):
        compare_linewidths([Observable("lifetime", 5.0, None, "ns", "measured", "here", "dot")])
    with pytest.raises(InputError, match="with the peak"):
        compare_linewidths([Observable("linewidth", 15.0, None, "nm", "measured", "here", "dot")])


def test_dot_of_unknown_size_has_no_row_to_stand_in():
    unsized = measured(3.0, edge_nm=None)
    trend, nearest = compare_linewidths([calculated(3.0), unsized]).rows
    assert "no trend of measured here" in trend.reason
    assert "no dot of measured here has a known edge" in nearest.reason
    trend, nearest = compare_linewidths([calculated(3.0, edge_nm=None), *measured_series()]).rows
    assert trend.reason == nearest.reason == "the edge of 3 nm dot is not known"


def test_assumptions_of_every_dot_are_collected_once():
    comparison = compare_linewidths([*(calculated(d) for d in EDGES), *measured_series()])
    assert comparison.notes.count("the engine is a surrogate") == 1
    row = find_rows(comparison, "trend")[0]
    assert "the engine is a surrogate" in row.difference.notes
    assert any("trend Γ = a + b / d of 9 dots" in note for note in row.difference.notes)
    # compared at the edge: where the calculated dot would emit is not used
    assert not any(note.startswith("peak by") for note in row.difference.notes)


def test_sizing_of_measured_dots_is_an_assumption_of_their_trend():
    dots = [
        measured(
            5.0, 100.0 + index, edge_nm=None, peak_ev=Estimate(energy, 0.001), label=f"{index}"
        )
        for index, energy in enumerate((2.65, 2.6, 2.55, 2.5))
    ]
    (row,) = find_rows(compare_linewidths([calculated(4.2), *dots]), "trend")
    assert any(note.startswith("edge by the sizing curve") for note in row.difference.notes)
