import math

import numpy as np
import pytest

from qdcomp.compare.linewidth_trend import fit_linewidth_trend, interpolate_trend
from qdcomp.errors import InputError
from qdcomp.experiment import Estimate

EDGES = np.array([1.8, 2.4, 3.0, 3.6, 4.2])
NONE = np.zeros(5)


def at(x):
    return Estimate(x, math.nan)


def test_dots_on_the_law_give_it_back_on_either_axis():
    edge = fit_linewidth_trend("edge", EDGES, NONE, 40.0 + 280.0 / EDGES, np.full(5, 4.0))
    assert interpolate_trend(edge, at(2.7)).value == pytest.approx(40.0 + 280.0 / 2.7)
    assert edge.slope.value == pytest.approx(280.0)
    assert edge.scatter_mev == 0.0
    energies = 2.32 + 1.12 / EDGES
    energy = fit_linewidth_trend("energy", energies, NONE, 40.0 + 280.0 / EDGES, np.full(5, 4.0))
    # one law in two coordinates: E = E₀ + k/d
    assert energy.slope.value == pytest.approx(280.0 / 1.12)
    assert interpolate_trend(energy, at(2.32 + 1.12 / 2.7)).value == pytest.approx(
        40.0 + 280.0 / 2.7
    )


def test_error_on_the_line_is_the_textbook_one():
    """σ²(x) = σ² [1/n + (x − x̄)² / Σ (x_i − x̄)²] for equal known errors."""
    trend = fit_linewidth_trend("edge", EDGES, NONE, 40.0 + 280.0 / EDGES, np.full(5, 4.0))
    inverse = 1.0 / EDGES
    x = 1.0 / 3.3
    expected = 4.0 * math.sqrt(
        1 / 5 + (x - inverse.mean()) ** 2 / np.sum((inverse - inverse.mean()) ** 2)
    )
    assert interpolate_trend(trend, at(3.3)).error == pytest.approx(expected)


def test_band_is_the_interpolated_trend_and_ends_at_the_last_dots():
    rng = np.random.default_rng(1)
    trend = fit_linewidth_trend("edge", EDGES, NONE, rng.normal(120.0, 5.0, 5), NONE)
    band = trend.band
    assert (band.x[0], band.x[-1]) == trend.x_range == (1.8, 4.2)
    for index in (0, 17, 59):
        found = interpolate_trend(trend, at(float(band.x[index])))
        assert band.center[index] == pytest.approx(found.value)
        assert band.high[index] - band.low[index] == pytest.approx(2 * found.error)
    assert interpolate_trend(trend, at(1.79)) is None
    assert interpolate_trend(trend, at(4.21)) is None


@pytest.mark.parametrize(
    ("known", "scatter", "edge_error"),
    [(6.0, 0.0, 0.0), (6.0, 10.0, 0.0), (0.0, 10.0, 0.0), (6.0, 0.0, 0.05)],
)
def test_band_holds_the_truth_as_often_as_it_says(known, scatter, edge_error):
    rng = np.random.default_rng(0)
    edges = np.linspace(2.5, 5.0, 8)
    hits = []
    for _ in range(300):
        widths = 40.0 + 280.0 / edges + rng.normal(0.0, math.hypot(known, scatter), 8)
        seen = edges + rng.normal(0.0, edge_error, 8) * edges
        trend = fit_linewidth_trend("edge", seen, edge_error * edges, widths, np.full(8, known))
        for edge in (3.2, 3.6, 4.0):
            found = interpolate_trend(trend, at(edge))
            hits.append(abs(found.value - 40.0 - 280.0 / edge) < found.error)
    assert 0.62 < np.mean(hits) < 0.76


def test_dots_without_error_count_alike_and_their_scatter_is_found():
    rng = np.random.default_rng(2)
    edges = np.linspace(1.8, 4.2, 400)
    widths = 40.0 + 280.0 / edges + rng.normal(0.0, 12.0, 400)
    trend = fit_linewidth_trend("edge", edges, np.zeros(400), widths, np.zeros(400))
    assert trend.scatter_mev == pytest.approx(12.0, rel=0.1)
    assert trend.reduced_chi2 is None
    assert any("none of the 400 dots" in note for note in trend.notes)


def test_dots_without_error_among_others_count_as_the_mean_of_them():
    widths = 40.0 + 280.0 / EDGES
    errors = np.array([3.0, 5.0, 0.0, 5.0, 3.0])
    mixed = fit_linewidth_trend("edge", EDGES, NONE, widths, errors)
    filled = np.where(errors > 0.0, errors, math.sqrt((9 + 25 + 25 + 9) / 4))
    whole = fit_linewidth_trend("edge", EDGES, NONE, widths, filled)
    assert mixed.level_mev == whole.level_mev
    assert any("1 of 5 dots have no error" in note for note in mixed.notes)


def test_error_of_the_edge_widens_the_band_by_the_slope():
    widths = 40.0 + 280.0 / EDGES
    sharp = fit_linewidth_trend("edge", EDGES, NONE, widths, np.full(5, 4.0))
    blurred = fit_linewidth_trend("edge", EDGES, 0.1 * EDGES, widths, np.full(5, 4.0))
    assert blurred.level_mev.error > 1.5 * sharp.level_mev.error
    assert any("common to all dots" in note for note in blurred.notes)


def test_error_of_the_size_asked_at_is_propagated():
    trend = fit_linewidth_trend("edge", EDGES, NONE, 40.0 + 280.0 / EDGES, np.full(5, 4.0))
    sharp, blurred = interpolate_trend(trend, at(3.0)), interpolate_trend(trend, Estimate(3.0, 0.2))
    assert blurred.error == pytest.approx(math.hypot(sharp.error, 280.0 / 9.0 * 0.2))


def test_fewer_than_three_dots_or_one_size_give_no_trend():
    two = np.array([1.0, 2.0])
    with pytest.raises(InputError, match="at least 3 dots, got 2"):
        fit_linewidth_trend("edge", two, two, two, two)
    with pytest.raises(InputError, match="no trend"):
        fit_linewidth_trend("energy", np.full(5, 2.5), NONE, EDGES, NONE)
