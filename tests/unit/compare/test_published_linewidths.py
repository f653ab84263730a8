import pytest

from qdcomp.compare.published import load_coupling_table
from qdcomp.compare.published_linewidths import (
    list_published_linewidths,
    list_published_ranges,
)


def test_calculated_widths_are_those_of_the_coupling_table():
    points = list_published_linewidths("calculated")
    assert [(point.label, point.value) for point in points] == [
        (row.dot, row.fwhm_300k_mev) for row in load_coupling_table()
    ]
    assert [point.edge_nm.value for point in points] == [1.8, 2.4, 3.0, 3.6, 4.2, 3.6]
    assert {point.temperature_k for point in points} == {300.0}
    assert {point.source for point in points} == {"raino2022, SI Table 1"}


def test_measured_widths_are_all_printed_ones_but_the_ranges():
    points = list_published_linewidths("measured")
    widths = sorted(round(point.value, 1) for point in points)
    assert widths == [35, 69, 70.3, 70.9, 71, 71, 72, 72.2, 73, 110, 127]
    assert all(point.edge_nm or point.peak_ev for point in points)


def test_silence_of_the_papers_is_noted():
    for point in list_published_linewidths():
        assert point.published
        assert point.error is None
        assert "printed without an error" in point.assumptions
        assumed = "measured at room temperature, taken as 300 K" in point.assumptions
        assert assumed == (point.origin == "measured")


def test_width_in_nm_is_converted_at_its_wavelength():
    """D'Amato 2023: 15 nm at 512 nm, by the difference of the two half-maximum energies."""
    (point,) = [one for one in list_published_linewidths() if "damato2023" in one.source]
    exact = 1e3 * 1239.841984 * (1 / (512 - 7.5) - 1 / (512 + 7.5))
    assert point.value == pytest.approx(exact, rel=5e-4)
    assert point.peak_ev.value == pytest.approx(1239.841984 / 512)
    assert any("dE = hc dλ/λ²" in note for note in point.assumptions)


def test_ensembles_are_marked():
    marked = [
        point.label
        for point in list_published_linewidths()
        if any("spread of sizes" in note for note in point.assumptions)
    ]
    assert marked == ["ensemble PL FWHM, 14 nm", "ensemble PL FWHM, 4.5 nm"]


def test_ranges_are_no_points():
    ranges = list_published_ranges()
    assert [(one.low_mev, one.high_mev) for one in ranges] == [(70, 120), (35, 65)]
    assert {one.source for one in ranges} == {"raino2022, abstract"}
