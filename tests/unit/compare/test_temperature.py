import math

import numpy as np
import pytest

from qdcomp.analysis import compute_huang_rhys_spectrum
from qdcomp.compare.observable import Observable
from qdcomp.compare.published import find_coupling_row, load_coupling_table
from qdcomp.compare.temperature import (
    DiscreteCoupling,
    compute_published_temperature_dependence,
    compute_temperature_dependence,
    convert_linewidth,
    place_measured_points,
)
from qdcomp.errors import InputError
from qdcomp.experiment import Estimate
from qdcomp.units import BOLTZMANN_EV_PER_K, FWHM_PER_SIGMA, PLANCK_EV_FS


def make_width(temperature=300.0, value=160.0, error=5.0, label="dot", edge=2.4, **changes):
    return Observable(
        "linewidth",
        value,
        error,
        changes.get("unit", "meV"),
        "measured",
        "here",
        label,
        temperature_k=temperature,
        edge_nm=None if edge is None else Estimate(edge, math.nan),
    )


def simulate_gap(seed, duration_fs=10_000.0, temperature_k=300.0):
    """A gap with a noisy 2 meV and a 7 meV band, of Λ = 90 meV in all."""
    rng = np.random.default_rng(seed)
    times = np.arange(0.0, duration_fs, 10.0)
    energies = np.concatenate([rng.normal(0.002, 0.0005, 40), rng.normal(0.007, 0.001, 40)])
    energies = np.abs(energies)
    share = np.full(80, 0.09 / 80)
    scale = np.sqrt(2.0 * share * BOLTZMANN_EV_PER_K * temperature_k)
    frequencies = 2.0 * np.pi * energies / PLANCK_EV_FS
    cosine, sine = rng.normal(size=(2, 80)) * scale
    phases = np.outer(times, frequencies)
    gap = np.cos(phases) @ cosine + np.sin(phases) @ sine
    return 2.5 + gap


@pytest.mark.parametrize("row", load_coupling_table(), ids=lambda row: row.dot)
def test_printed_coupling_gives_the_printed_linewidth_at_300_k(row):
    curve = compute_published_temperature_dependence(row, [300.0])
    assert curve.classical.center[0] == pytest.approx(row.fwhm_300k_mev, abs=1.0)
    # the phonons are soft against kT = 26 meV: coth x ≈ 1/x + x/3
    assert curve.quantum.center[0] == pytest.approx(curve.classical.center[0], rel=0.02)
    assert curve.quantum.center[0] > curve.classical.center[0]


def test_quantum_form_keeps_the_zero_point_width_and_the_classical_does_not():
    """PHYSICS.md, section 4: 2.4 nm at 10 K, 56 against 30 meV."""
    curve = compute_published_temperature_dependence(find_coupling_row(4), [1e-3, 10.0])
    assert curve.classical.center[1] == pytest.approx(30.0, abs=0.5)
    assert curve.quantum.center[1] == pytest.approx(
        FWHM_PER_SIGMA
        * 1e3
        * math.sqrt(
            sum(
                s * e**2 / math.tanh(e / (2 * BOLTZMANN_EV_PER_K * 10.0))
                for s, e in ((19.7, 0.002), (6.6, 0.007), (0.5, 0.017))
            )
        )
    )
    zero_point = FWHM_PER_SIGMA * math.sqrt(19.7 * 2**2 + 6.6 * 7**2 + 0.5 * 17**2)
    assert curve.quantum.center[0] == pytest.approx(zero_point)
    assert curve.classical.center[0] < 0.01 * zero_point


def test_printed_factors_have_no_band_and_say_so():
    curve = compute_published_temperature_dependence(find_coupling_row(4), [100.0, 300.0])
    assert curve.quantum.low is None
    assert curve.classical.high is None
    assert any("no band" in note for note in curve.notes)


def test_band_of_a_trajectory_holds_the_truth_as_often_as_it_says():
    truth = 1e3 * FWHM_PER_SIGMA * math.sqrt(2.0 * 0.09 * BOLTZMANN_EV_PER_K * 300.0)
    inside = 0
    for seed in range(250):
        spectrum = compute_huang_rhys_spectrum(simulate_gap(seed), 10.0, 300.0)
        curve = compute_temperature_dependence(spectrum, [300.0], label="dot", source="here")
        inside += curve.classical.low[0] < truth < curve.classical.high[0]
    assert 0.60 < inside / 250 < 0.76


def test_measured_point_is_held_against_the_curve_at_its_own_temperature():
    curve = compute_published_temperature_dependence(find_coupling_row(4), [300.0])
    warm, cold = place_measured_points(curve, [make_width(300.0), make_width(77.0, 90.0)])
    assert warm.calculated.temperature_k == 300.0
    assert warm.difference.value == pytest.approx(curve.quantum.center[0] - 160.0)
    at_77 = compute_published_temperature_dependence(find_coupling_row(4), [77.0])
    assert cold.difference.value == pytest.approx(at_77.quantum.center[0] - 90.0)
    assert cold.difference.one_sided


def test_units_of_a_measured_point_are_converted():
    curve = compute_published_temperature_dependence(find_coupling_row(4), [300.0])
    (point,) = place_measured_points(curve, [make_width(value=0.160, error=0.005, unit="eV")])
    assert point.measured.value == pytest.approx(160.0)
    assert point.difference.error == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        (make_width(temperature=None), "temperature is not known"),
        (make_width(edge=5.0), "5 nm and that of the calculated dot 2.4 nm"),
        (make_width(label="single core/shell dot"), "shell"),
    ],
)
def test_point_that_is_not_of_this_dot_or_of_no_temperature_is_refused(point, reason):
    curve = compute_published_temperature_dependence(find_coupling_row(4), [300.0])
    (placed,) = place_measured_points(curve, [point])
    assert placed.calculated is None
    assert placed.difference is None
    assert reason in placed.reason


def test_what_is_no_linewidth_is_refused():
    curve = compute_published_temperature_dependence(find_coupling_row(4), [300.0])
    with pytest.raises(InputError, match="lifetime"):
        place_measured_points(
            curve, [Observable("lifetime", 5.0, None, "ns", "measured", "here", "dot")]
        )


def test_point_of_unknown_size_is_marked():
    curve = compute_published_temperature_dependence(find_coupling_row(4), [300.0])
    (placed,) = place_measured_points(curve, [make_width(edge=None)])
    assert any("taken as one" in note for note in placed.difference.notes)


def test_conversion_goes_as_the_root_of_temperature_where_phonons_are_classical():
    soft = DiscreteCoupling((1e-5,), (1000.0,))
    warm = convert_linewidth(make_width(100.0, 50.0, 2.0), 400.0, soft)
    assert warm.value == pytest.approx(100.0, rel=1e-6)
    assert warm.error == pytest.approx(4.0, rel=1e-6)
    assert warm.temperature_k == 400.0
    assert "100 K to 400 K" in warm.assumptions[-1]


def test_conversion_leaves_the_zero_point_width_as_it_is():
    hard = DiscreteCoupling((0.2,), (1.0,))
    assert convert_linewidth(make_width(5.0, 80.0), 50.0, hard).value == pytest.approx(80.0)


def test_conversion_there_and_back_is_none():
    spectrum = compute_huang_rhys_spectrum(simulate_gap(3), 10.0, 300.0)
    there = convert_linewidth(make_width(300.0), 77.0, spectrum)
    assert there.value < 100.0
    assert convert_linewidth(there, 300.0, spectrum).value == pytest.approx(160.0)


@pytest.mark.parametrize(
    ("point", "coupling", "complaint"),
    [
        (make_width(temperature=None), DiscreteCoupling((0.002,), (1.0,)), "not known"),
        (make_width(), DiscreteCoupling((0.002,), (0.0,)), "zero"),
        (
            Observable("lifetime", 5.0, None, "ns", "measured", "here", "dot"),
            DiscreteCoupling((0.002,), (1.0,)),
            "lifetime",
        ),
    ],
)
def test_conversion_without_what_it_needs_is_refused(point, coupling, complaint):
    with pytest.raises(InputError, match=complaint):
        convert_linewidth(point, 77.0, coupling)


@pytest.mark.parametrize(
    ("energies", "factors", "complaint"),
    [
        ((0.002, 0.007), (1.0,), "one factor an energy"),
        ((), (), "one factor an energy"),
        ((0.0,), (1.0,), "positive"),
        ((0.002,), (-1.0,), "below 0"),
        ((math.nan,), (1.0,), "positive"),
    ],
)
def test_coupling_that_is_none_is_refused(energies, factors, complaint):
    with pytest.raises(InputError, match=complaint):
        DiscreteCoupling(energies, factors)


@pytest.mark.parametrize("temperatures", [[], [0.0], [-5.0, 300.0], [math.nan], [[300.0]]])
def test_temperatures_that_are_none_are_refused(temperatures):
    with pytest.raises(InputError, match="above 0 K"):
        compute_published_temperature_dependence(find_coupling_row(4), temperatures)
