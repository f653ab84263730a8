import math

import numpy as np
import pytest

from qdcomp.compare.observable import Observable
from qdcomp.compare.sizes import (
    compute_gap_shift,
    estimate_dot_peak,
    place_dot,
)
from qdcomp.errors import InputError
from qdcomp.experiment import Estimate, estimate_dot_size
from qdcomp.experiment.spectra.sizing import SIZING_CURVES

SHARP = math.nan


def make_width(label="dot", edge=None, peak=None):
    return Observable(
        "linewidth", 100.0, None, "meV", "measured", "here", label, edge_nm=edge, peak_ev=peak
    )


@pytest.mark.parametrize("curve", list(SIZING_CURVES))
@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_there_and_back_gives_the_same_edge_and_a_consistent_error(curve, share):
    chosen = SIZING_CURVES[curve]
    low, high = chosen.edges_nm
    edge = low + share * (high - low)
    peak = estimate_dot_peak(Estimate(edge, SHARP), curve).peak_ev
    size = estimate_dot_size(Estimate(peak.value, SHARP), curve).edge_nm
    assert size.value == pytest.approx(edge, rel=1e-9)
    # one error seen in either unit: σ_E = |dE/dd| σ_d
    slope = (chosen.compute_energy_ev(edge - 1e-4) - chosen.compute_energy_ev(edge + 1e-4)) / 2e-4
    assert peak.error == pytest.approx(slope * size.error, rel=2e-2)


def test_dots_scatter_about_the_predicted_peak_as_its_error_says():
    """Dots of known edge with an error, whose peaks lie about the curve with its scatter."""
    curve = SIZING_CURVES["mi2025"]
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(2000):
        edge = 4.0
        peak = curve.compute_energy_ev(edge) + rng.normal(0.0, curve.scatter_ev)
        found = estimate_dot_peak(Estimate(edge + rng.normal(0.0, 0.2), 0.2), "mi2025").peak_ev
        inside += abs(found.value - peak) < found.error
    assert 0.65 < inside / 2000 < 0.715


def test_outside_the_range_there_is_no_peak_but_a_reason():
    found = estimate_dot_peak(Estimate(1.8, SHARP))
    assert found.peak_ev is None
    assert "1.8 nm lies outside the 3–12 nm" in found.reason


@pytest.mark.parametrize("edge", [0.0, -1.0, math.inf, math.nan])
def test_an_edge_that_is_none_is_refused(edge):
    with pytest.raises(InputError, match="positive length"):
        estimate_dot_peak(Estimate(edge, SHARP))


def test_unknown_curve_is_refused_by_name():
    with pytest.raises(InputError, match="mapbbr3"):
        estimate_dot_peak(Estimate(4.0, SHARP), "nobody")
    with pytest.raises(InputError, match="mapbbr3"):
        place_dot(make_width(), "nobody")


def test_placed_dot_has_both_and_says_by_which_curve():
    by_peak = place_dot(make_width(peak=Estimate(2.5, 0.001)))
    assert by_peak.observable.edge_nm == estimate_dot_size(Estimate(2.5, 0.001)).edge_nm
    assert "edge by the sizing curve mi2025_damato2023" in by_peak.observable.assumptions[-1]
    by_edge = place_dot(make_width(edge=Estimate(4.2, SHARP)), "mi2025")
    assert by_edge.observable.peak_ev.value == pytest.approx(2.309668 + 1.166020 / 4.2)
    assert "peak by the sizing curve mi2025 " in by_edge.observable.assumptions[-1]


def test_what_is_known_is_kept():
    both = make_width(edge=Estimate(12.0, SHARP), peak=Estimate(2.6, 0.01))
    assert place_dot(both).observable is both
    nothing = place_dot(make_width())
    assert nothing.observable.assumptions == ()
    assert "neither" in nothing.reason


def test_dot_outside_the_curve_keeps_what_it_has_with_the_reason():
    placed = place_dot(make_width(edge=Estimate(1.8, SHARP)))
    assert placed.observable.peak_ev is None
    assert placed.observable.assumptions == ()
    assert "outside" in placed.reason


def test_core_shell_dot_is_not_sized_by_curves_of_bare_dots():
    placed = place_dot(make_width("single core/shell dot", peak=Estimate(2.5, SHARP)))
    assert placed.observable.edge_nm is None
    assert "without a shell" in placed.reason


def test_gap_is_compared_only_with_its_shift_named():
    shift = compute_gap_shift(Estimate(2.0, 0.03), "PBE", peak_ev=Estimate(2.5, 0.04))
    assert shift.shift_ev.value == pytest.approx(0.5)
    assert shift.shift_ev.error == pytest.approx(0.05)
    assert "PBE gap of 2.000 ± 0.030 eV is shifted up by 0.500 ± 0.050 eV" in shift.note
    by_curve = compute_gap_shift(Estimate(2.9, SHARP), "surrogate", edge_nm=Estimate(4.0, SHARP))
    expected = estimate_dot_peak(Estimate(4.0, SHARP)).peak_ev
    assert by_curve.shift_ev.value == pytest.approx(expected.value - 2.9)
    assert by_curve.shift_ev.error == expected.error
    assert "shifted down" in by_curve.note


def test_gap_of_a_dot_outside_the_curve_is_not_compared():
    shift = compute_gap_shift(Estimate(2.0, 0.03), "PBE", edge_nm=Estimate(1.8, SHARP))
    assert shift.shift_ev is None
    assert shift.peak_ev is None
    assert "not compared with a measured peak" in shift.note


def test_gap_without_anything_to_hold_against_is_refused():
    with pytest.raises(InputError, match="measured peak or the edge"):
        compute_gap_shift(Estimate(2.0, 0.03), "PBE")
