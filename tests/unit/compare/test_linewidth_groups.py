import math

import numpy as np
import pytest
from builders.linewidth_points import calculated, law, measured

from qdcomp.compare.linewidth_groups import group_linewidths, pool_seeds
from qdcomp.compare.published_linewidths import list_published_linewidths
from qdcomp.errors import InputError
from qdcomp.experiment import Estimate, estimate_dot_size

CURVE = "mi2025_damato2023"


def test_groups_are_by_origin_engine_and_shell():
    own = [calculated(d, source=engine) for d in (1.8, 2.4) for engine in ("model", "cp2k")]
    shell = calculated(3.6, label="3.6 nm core/shell dot", source="model")
    groups = group_linewidths([*list_published_linewidths(), *own, shell, measured(5.0)], CURVE)
    assert [(group.name, len(group.points)) for group in groups] == [
        ("published, calculated", 5),
        ("published, calculated, core/shell", 1),
        ("published, measured", 8),
        ("published, measured, core/shell", 3),
        ("calculated, model", 2),
        ("calculated, cp2k", 2),
        ("calculated, model, core/shell", 1),
        ("measured here", 1),
    ]


def test_seeds_of_one_dot_are_one_point_and_measured_dots_are_not_pooled():
    seeds = [calculated(2.4, value, 8.0) for value in (150.0, 160.0, 155.0)]
    dots = [measured(4.0, value, label="dot") for value in (100.0, 110.0)]
    own, here = group_linewidths([*seeds, *dots], CURVE)
    assert [point.value for point in own.points] == [155.0]
    assert any("mean of 3 seeds" in note for note in own.points[0].assumptions)
    assert len(here.points) == 2


def test_error_of_the_mean_is_that_within_where_seeds_differ_no_more():
    pooled = pool_seeds([calculated(2.4, value, 8.0) for value in (150.0, 152.0, 151.0, 151.0)])
    assert pooled.error == pytest.approx(8.0 / 2.0)


def test_error_of_the_mean_is_students_where_seeds_have_none():
    values = [150.0, 160.0]
    pooled = pool_seeds([calculated(2.4, value, None) for value in values])
    # one degree of freedom: tan(π/2 · 0.6827) = 1.837
    assert pooled.error == pytest.approx(1.837 * np.std(values, ddof=1) / math.sqrt(2), rel=1e-3)


@pytest.mark.parametrize(("n_seeds", "excess"), [(2, 0.0), (2, 3.0), (3, 1.0), (5, 0.0), (5, 2.0)])
def test_pooled_error_holds_the_truth_as_often_as_it_says(n_seeds, excess):
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(1500):
        values = rng.normal(150.0, 8.0 * math.hypot(1.0, excess), n_seeds)
        pooled = pool_seeds([calculated(2.4, float(value), 8.0) for value in values])
        inside += abs(pooled.value - 150.0) < pooled.error
    assert 0.62 < inside / 1500 < 0.77


def test_identical_seeds_without_error_have_none():
    assert pool_seeds([calculated(2.4, 150.0, None)] * 2).error is None
    single = calculated(2.4, 150.0, 8.0)
    assert pool_seeds([single]) is single


def test_one_label_of_two_sizes_is_refused():
    dots = [calculated(2.4, label="dot"), calculated(3.0, label="dot")]
    with pytest.raises(InputError, match="label of its own"):
        pool_seeds(dots)
    with pytest.raises(InputError, match="no seeds"):
        pool_seeds([])


def test_missing_coordinate_comes_from_the_named_curve():
    dots = [measured(5.0, edge_nm=None, peak_ev=Estimate(energy, 0.001)) for energy in (2.55, 2.6)]
    (group,) = group_linewidths(dots, "mi2025")
    expected = [
        estimate_dot_size(Estimate(energy, 0.001), "mi2025").edge_nm for energy in (2.6, 2.55)
    ]
    np.testing.assert_allclose(group.by_edge.x, [one.value for one in expected])
    np.testing.assert_allclose(
        group.by_edge.x_high - group.by_edge.x, [one.error for one in expected]
    )
    np.testing.assert_allclose(group.by_energy.x, [2.55, 2.6])


def test_dot_outside_the_curve_is_named_on_the_axis_where_it_is_missing():
    (group,) = group_linewidths([calculated(d) for d in (1.8, 2.4, 3.0, 3.6)], CURVE)
    assert len(group.by_edge.x) == 4
    assert list(group.by_energy.labels) == ["3.6 nm dot", "3 nm dot"]
    assert [text.split(" (")[0] for text in group.by_energy.not_shown] == [
        "1.8 nm dot",
        "2.4 nm dot",
    ]
    assert group.by_energy.trend is None
    assert "at least 3" in group.by_energy.trend_reason


def test_points_without_error_are_marked_and_drawn_without_bar():
    (group,) = group_linewidths([measured(4.0, error=None), measured(5.0, error=4.0)], CURVE)
    series = group.by_edge
    assert list(series.has_error) == [False, True]
    np.testing.assert_allclose(series.high - series.low, [0.0, 8.0])


def test_trend_of_the_published_dots_is_the_law_of_the_group():
    (group,) = group_linewidths([calculated(d) for d in (1.8, 2.4, 3.0, 3.6)], CURVE)
    np.testing.assert_allclose(group.by_edge.trend.band.center, law(group.by_edge.trend.band.x))


def test_width_that_is_not_positive_or_no_energy_is_refused():
    with pytest.raises(InputError, match="positive"):
        group_linewidths([calculated(2.4, 0.0)], CURVE)
    with pytest.raises(InputError, match="no sizing curve"):
        group_linewidths([calculated(2.4)], "nobody")
