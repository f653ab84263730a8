import dataclasses

import numpy as np
import pytest

from qdcomp.analysis import ConfigurationEnergy, compute_surface_energy
from qdcomp.errors import InputError
from qdcomp.units import BOLTZMANN_EV_PER_K

ION_PAIR_EV, TS_EV, AREA = -20.0, 0.95, 140.0
REFERENCE_EV = ION_PAIR_EV - TS_EV


def make_series(free_energies_ev, errors=None):
    """One configuration for each N with the given ΔG(N)."""
    return [
        ConfigurationEnergy(
            f"N{bound}",
            bound,
            1,
            None if value is None else -300.0 + bound * REFERENCE_EV + value,
            None if errors is None else errors[bound],
            "SCF did not converge" if value is None else None,
        )
        for bound, value in enumerate(free_energies_ev)
    ]


def compute(configurations, **options):
    """The curve of a slab that has no more sites than the largest N given."""
    given = {
        "n_sites": max((entry.bound for entry in configurations), default=0),
        "ion_pair_energy_ev": ION_PAIR_EV,
        "ts_ev": TS_EV,
        "area_angstrom2": AREA,
    }
    return compute_surface_energy(configurations, **given | options)


def test_the_curve_is_the_definition():
    shape = [0.0, -1.4, -2.7, -3.8, -4.7, -5.3, -5.6, -5.7, -5.5]
    curve = compute(make_series(shape))
    assert curve.bound.tolist() == list(range(9))
    assert curve.free_energy_ev == pytest.approx(shape, abs=1e-9)
    assert np.isnan(curve.differential_ev[0])
    assert curve.differential_ev[1:] == pytest.approx(np.diff(shape), abs=1e-9)
    assert (curve.minimum_bound, curve.minimum_is_certain) == (7, True)
    assert curve.minimum_note == "minimum at N = 7 of 8"
    assert curve.gaps == curve.warnings == ()


def test_entropy_costs_ts_for_every_ligand():
    series = make_series([0.0, -1.0, -2.0])
    difference = compute(series, ts_ev=1.05).free_energy_ev - compute(series).free_energy_ev
    assert difference == pytest.approx([0.0, 0.10, 0.20])


def test_chemical_potential_shifts_by_n_times_itself():
    series = make_series([0.0, -1.0, -1.5])
    series[1] = dataclasses.replace(series[1], degeneracy=2)
    shifted = compute(series, chemical_potential_ev=0.3)
    assert shifted.free_energy_ev - compute(series).free_energy_ev == pytest.approx([0, -0.3, -0.6])
    assert shifted.averaged_free_energy_ev - compute(series).averaged_free_energy_ev == (
        pytest.approx([0, -0.3, -0.6])
    )


def test_area_is_that_of_the_sides_with_ligands():
    both = compute(make_series([0.0, -2.8]))
    one = compute(make_series([0.0, -2.8]), sides="one")
    assert both.per_area_mev_per_angstrom2[1] == pytest.approx(-2800 / 280.0)
    assert one.per_area_mev_per_angstrom2[1] == pytest.approx(-2800 / 140.0)
    # 1 meV/Å² is 16.02 mJ/m².
    assert both.per_area_mj_per_m2[1] == pytest.approx(-10 * 16.0217663)


def test_a_failed_configuration_leaves_a_named_gap():
    curve = compute(make_series([0.0, -1.0, None, -2.5, -2.0]))
    assert np.isnan(curve.free_energy_ev[2])
    assert np.isnan(curve.differential_ev[[0, 2, 3]]).all()
    assert curve.differential_ev[[1, 4]] == pytest.approx([-1.0, 0.5])
    assert curve.lowest == ("N0", "N1", "", "N3", "N4")
    assert curve.gaps == ("N = 2: N2 has no energy (SCF did not converge)",)
    assert curve.minimum_bound == 3
    assert not curve.minimum_is_certain
    assert "uncertain: N = 2 next to it has no energy" in curve.minimum_note
    assert curve.minimum_note in curve.warnings


def test_a_minimum_away_from_the_gap_is_certain():
    curve = compute(make_series([0.0, None, -1.0, -2.0, -1.5]))
    assert (curve.minimum_bound, curve.minimum_is_certain) == (3, True)


def test_the_last_n_missing_makes_the_minimum_before_it_uncertain():
    curve = compute(make_series([0.0, -1.0, -2.0, None]))
    assert (curve.minimum_bound, curve.minimum_is_certain) == (2, False)
    assert len(curve.bound) == 4


def test_a_minimum_at_the_end_of_the_series_is_uncertain_where_sites_are_left():
    series = make_series([0.0, -1.0, -2.0])
    curve = compute(series, n_sites=8)
    assert (curve.minimum_bound, curve.minimum_is_certain) == (2, False)
    assert curve.minimum_note == (
        "minimum at N = 2 of 8, uncertain: N = 3 next to it was not computed"
    )
    assert curve.minimum_note in curve.warnings
    assert compute(series, n_sites=2).minimum_is_certain
    assert compute(make_series([0.0, -1.0, -0.5]), n_sites=8).minimum_is_certain


def test_an_n_that_was_never_asked_for_is_a_gap_too():
    curve = compute([entry for entry in make_series([0.0, -1.0, -2.0, -1.0]) if entry.bound != 1])
    assert curve.gaps == ("N = 1: not computed",)


def test_a_configuration_that_failed_beside_another_is_told():
    series = make_series([0.0, -1.0, -2.0, -1.0])
    series.append(ConfigurationEnergy("N3-b", 3, 4, None, failure="walltime"))
    curve = compute(series, n_sites=5)
    assert curve.gaps == ()
    assert curve.incomplete == ("N = 3: N3-b has no energy (walltime)",)
    assert not curve.minimum_is_certain
    assert "a configuration of N = 3 failed" in curve.minimum_note


def make_two_configurations(second_ev):
    """Two of eight arrangements of one ligand at -1 eV, the six others at second_ev above."""
    series = make_series([0.0, -1.0])
    low = series[1].energy_ev
    series[1] = dataclasses.replace(series[1], name="N1-a", degeneracy=2)
    return [*series, ConfigurationEnergy("N1-b", 1, 6, low + second_ev)]


def test_the_lowest_configuration_makes_the_curve_and_the_average_has_the_entropy():
    thermal = BOLTZMANN_EV_PER_K * 300.0
    curve = compute(make_two_configurations(0.05), n_sites=8, temperature_k=300.0)
    weights = np.array([2.0, 6.0 * np.exp(-0.05 / thermal)])
    assert curve.lowest[1] == "N1-a"
    assert curve.free_energy_ev[1] == pytest.approx(-1.0)
    assert curve.averaged_free_energy_ev[1] == pytest.approx(-1.0 - thermal * np.log(weights.sum()))
    mean = 0.05 * weights[1] / weights.sum()
    assert curve.mean_energy_ev[1] == pytest.approx(-1.0 + mean)
    assert curve.has_average
    assert any("includes the entropy" in warning for warning in curve.warnings)


@pytest.mark.parametrize("missing", ["never computed", "failed"])
def test_there_is_no_average_over_some_of_the_configurations(missing):
    series = make_two_configurations(0.05)
    last = dataclasses.replace(series[-1], energy_ev=None, failure="walltime")
    curve = compute([*series[:-1], *([last] if missing == "failed" else [])], n_sites=8)
    assert curve.free_energy_ev[1] == pytest.approx(-1.0)
    assert np.isnan(curve.averaged_free_energy_ev).tolist() == [False, True]
    assert np.isnan(curve.averaged_differential_ev[1]) and np.isnan(curve.mean_energy_ev[1])
    assert not curve.has_average
    assert not any("includes the entropy" in warning for warning in curve.warnings)


def test_ligands_that_fill_all_sites_have_one_arrangement():
    curve = compute(make_series([0.0, -1.0, -1.5]), n_sites=2)
    assert curve.averaged_free_energy_ev[[0, 2]] == pytest.approx([0.0, -1.5], abs=1e-9)
    assert curve.mean_energy_ev[2] == pytest.approx(-1.5, abs=1e-9)


def test_a_cold_average_does_not_overflow():
    curve = compute(make_two_configurations(3.0), n_sites=8, temperature_k=1.0)
    entropy = BOLTZMANN_EV_PER_K * np.log(2)
    assert curve.averaged_free_energy_ev[1] == pytest.approx(-1.0 - entropy, abs=1e-9)


def test_errors_of_the_reference_and_of_the_empty_slab_are_shared():
    curve = compute(make_series([0, -1, -2], [0.03, 0.04, 0.05]), ion_pair_error_ev=0.02)
    assert curve.free_energy_error_ev == pytest.approx(
        [0.0, np.sqrt(0.04**2 + 0.03**2 + 0.02**2), np.sqrt(0.05**2 + 0.03**2 + 0.04**2)]
    )
    # Neither E(0) nor twice E(LBr) is in the second differential.
    assert curve.differential_error_ev[2] == pytest.approx(np.sqrt(0.05**2 + 0.04**2 + 0.02**2))
    assert np.isnan(curve.differential_error_ev[0])


def test_errors_that_are_not_known_are_not_zero():
    curve = compute(make_series([0, -1, -2], [0.03, None, 0.05]), ion_pair_error_ev=0.0)
    assert np.isnan(curve.free_energy_error_ev).tolist() == [False, True, False]
    assert np.isnan(curve.differential_error_ev).all()
    without = compute(make_series([0, -1], [0.03, 0.03]))
    assert np.isnan(without.free_energy_error_ev[1])
    assert any("ion_pair_error_ev" in warning for warning in without.warnings)


@pytest.mark.parametrize(
    ("configurations", "options", "message"),
    [
        (make_series([0, -1])[1:], {}, "N = 0.*add N = 0"),
        (make_series([None, -1]), {}, "N = 0.*SCF did not converge"),
        ([], {}, "N = 0"),
        (make_series([0, -1]) * 2, {}, "N0, N1 is given twice"),
        ([*make_series([0]), ConfigurationEnergy("x", 1, 0, -1.0)], {}, "degeneracy 0"),
        ([*make_series([0]), ConfigurationEnergy("x", 1, 1, np.nan)], {}, "x is nan"),
        ([*make_series([0]), ConfigurationEnergy("x", 1, 1, -1.0, -0.1)], {}, "-0.1"),
        (make_series([0, -1, -2]), {"n_sites": 1}, "2 ligands on 1 sites"),
        (
            [*make_series([0]), ConfigurationEnergy("x", 1, 9, -1.0)],
            {"n_sites": 8},
            "N = 1 add up to 9, and 8 sites hold 1 ligands in 8 ways",
        ),
        (make_series([0, -1]), {"sides": "left"}, "'both' or 'one'"),
        (make_series([0, -1]), {"ts_ev": np.inf}, "T S"),
        (make_series([0, -1]), {"area_angstrom2": 0.0}, "area"),
        (make_series([0, -1]), {"temperature_k": -5.0}, "temperature"),
        (make_series([0, -1]), {"ion_pair_error_ev": -1.0}, "error of the energy of LBr"),
    ],
)
def test_what_makes_no_curve_is_refused(configurations, options, message):
    with pytest.raises(InputError, match=message):
        compute(configurations, **options)
