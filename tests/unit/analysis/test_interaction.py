import numpy as np
import pytest

from qdcomp.analysis import compute_interaction_energy, fit_interaction_scan
from qdcomp.errors import InputError


def lennard_jones(distance, depth=0.11, minimum=4.4):
    ratio = (minimum / np.asarray(distance)) ** 6
    return depth * (ratio**2 - 2 * ratio)


def test_two_molecules():
    pair = compute_interaction_energy(-20.08, [-10.0, -10.0])
    assert pair.energy_ev == pytest.approx(-0.08)
    assert pair.verdict == "attractive"
    assert pair.many_body_ev == 0.0
    assert pair.error_ev is None
    assert compute_interaction_energy(-19.9, [-10.0, -10.0]).verdict == "repulsive"


def test_energies_that_add_in_pairs_leave_nothing_to_many_bodies():
    monomers = [-10.0, -11.0, -12.0]
    pairs = {(0, 1): -21.05, (0, 2): -22.02, (2, 1): -22.96}
    cluster = -33.0 - 0.05 - 0.02 + 0.04
    result = compute_interaction_energy(cluster, monomers, pairs_ev=pairs)
    assert result.pairs_ev == pytest.approx({"0-1": -0.05, "0-2": -0.02, "1-2": 0.04})
    assert result.many_body_ev == pytest.approx(0.0, abs=1e-9)
    assert result.mean_pair_ev == pytest.approx(-0.01)
    more = compute_interaction_energy(cluster - 0.01, monomers, pairs_ev=pairs)
    assert more.many_body_ev == pytest.approx(-0.01)


def test_missing_pairs_are_told():
    result = compute_interaction_energy(-33.0, [-10.0, -11.0, -12.0], pairs_ev={(0, 1): -21.0})
    assert result.many_body_ev is None
    assert any("not all pairs" in warning for warning in result.warnings)
    assert compute_interaction_energy(-33.0, [-10.0, -11.0, -12.0]).many_body_ev is None


def test_a_sign_within_the_error_is_undecided():
    options = {"cluster_error_ev": 0.06, "monomer_errors_ev": [0.0, 0.08]}
    assert compute_interaction_energy(-20.09, [-10.0, -10.0], **options).verdict == "undecided"
    clear = compute_interaction_energy(-20.2, [-10.0, -10.0], **options)
    assert clear.verdict == "attractive"
    assert clear.error_ev == pytest.approx(0.10)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((-10.0, [-10.0]), {}, "at least two"),
        ((np.nan, [-10.0, -10.0]), {}, "finite"),
        ((-20.0, [-10.0, -10.0]), {"pairs_ev": {(0, 2): -20.0}}, "none of the 2"),
        ((-20.0, [-10.0, -10.0]), {"cluster_error_ev": 0.1}, "some energies only"),
    ],
)
def test_what_gives_no_interaction_is_refused(arguments, options, message):
    with pytest.raises(InputError, match=message):
        compute_interaction_energy(*arguments, **options)


def test_the_minimum_of_a_scan_is_found_between_its_points():
    distances = np.array([3.6, 4.0, 4.25, 4.6, 5.0, 5.5, 6.0, 7.0])
    scan = fit_interaction_scan(distances[::-1], lennard_jones(distances[::-1]))
    assert scan.minimum_angstrom == pytest.approx(4.4, abs=0.03)
    assert scan.minimum_ev == pytest.approx(-0.11, abs=0.002)
    # The energy of a 12-6 potential crosses zero at the minimum over the sixth root of two.
    assert scan.turning_angstrom == pytest.approx(4.4 / 2 ** (1 / 6), abs=0.03)
    assert (np.diff(scan.distances_angstrom) > 0).all()
    assert scan.fine_energies_ev.min() == pytest.approx(scan.minimum_ev, abs=1e-4)
    assert scan.warnings == ()


def test_a_scan_without_a_minimum_says_so():
    distances = np.linspace(3.0, 4.2, 6)
    scan = fit_interaction_scan(distances, lennard_jones(distances))
    assert scan.minimum_angstrom is scan.minimum_ev is None
    assert any("end of the scan" in warning for warning in scan.warnings)
    repulsive = fit_interaction_scan([3, 4, 5, 6], [0.4, 0.3, 0.2, 0.1])
    assert repulsive.turning_angstrom is None


def test_failed_points_are_left_out_and_named():
    distances = np.linspace(3.6, 6.0, 9)
    energies = lennard_jones(distances)
    energies[4] = np.nan
    scan = fit_interaction_scan(distances, energies)
    assert len(scan.distances_angstrom) == 8
    assert any("4.8 Å" in warning for warning in scan.warnings)


@pytest.mark.parametrize(
    ("distances", "energies", "message"),
    [
        ([3, 4, 5], [0, 0, 0], "at least 4"),
        ([3, 4, 4, 5], [0, 0, 0, 0], "different distances"),
        ([3, 4, 5, 6], [0, 0, np.nan, 0], "at least 4"),
        ([3, 4, 5, 6], [0, 0], "one for one"),
    ],
)
def test_what_is_no_scan_is_refused(distances, energies, message):
    with pytest.raises(InputError, match=message):
        fit_interaction_scan(distances, energies)
