import numpy as np
import pytest

from qdcomp.analysis import ConfigurationEnergy, compute_stable_coverage, compute_surface_energy
from qdcomp.errors import InputError


def make_curve(free_energies, chemical_potential=0.0):
    series = [
        ConfigurationEnergy(f"N{n}", n, 1, None if value is None else value - 20.0 * n)
        for n, value in enumerate(free_energies)
    ]
    return compute_surface_energy(
        series,
        n_sites=len(free_energies) - 1,
        ion_pair_energy_ev=-19.0,
        ts_ev=1.0,
        area_angstrom2=140.0,
        chemical_potential_ev=chemical_potential,
    )


def test_coverage_steps_where_two_lines_cross():
    stable = compute_stable_coverage(make_curve([0.0, -1.0, -1.5]), [-2.0, -0.9, -0.6, 0.0])
    assert stable.corners.tolist() == [0, 1, 2]
    assert stable.transitions_ev == pytest.approx([-1.0, -0.5])
    assert stable.bound.tolist() == [0, 1, 1, 2]
    assert stable.free_energy_ev == pytest.approx([0.0, -0.1, -0.4, -1.5])


def test_a_coverage_above_the_hull_is_never_stable():
    # Cooperative binding: N = 1 costs, N = 2 pays.
    stable = compute_stable_coverage(make_curve([0.0, 0.5, -1.0, -1.4]), np.linspace(-2, 2, 401))
    assert stable.corners.tolist() == [0, 2, 3]
    assert set(stable.bound) == {0, 2, 3}
    assert stable.transitions_ev == pytest.approx([-0.5, -0.4])


def test_coverage_never_falls_with_the_chemical_potential_and_steps_at_the_transitions():
    energies = np.concatenate([[0], np.random.default_rng(5).normal(size=8).cumsum()])
    grid = np.linspace(-6, 6, 2401)
    stable = compute_stable_coverage(make_curve(energies.tolist()), grid)
    assert (np.diff(stable.bound) >= 0).all()
    steps = grid[1:][np.diff(stable.bound) > 0]
    assert steps == pytest.approx(stable.transitions_ev, abs=2 * (grid[1] - grid[0]))


def test_a_shifted_curve_has_its_minimum_at_the_stable_coverage():
    energies = [0.0, -1.4, -2.7, -3.8, -4.7, -5.3, -5.6, -5.7, -5.5]
    for shift in (-1.0, -0.45, 0.0, 0.3):
        stable = compute_stable_coverage(make_curve(energies), [shift])
        assert make_curve(energies, shift).minimum_bound == stable.bound[0]


def test_a_gap_cannot_be_stable_and_is_told():
    stable = compute_stable_coverage(make_curve([0.0, -1.0, None, -1.2]), [-2.0, -0.5, 1.0])
    assert stable.bound.tolist() == [0, 1, 3]
    assert any("N = 2" in warning for warning in stable.warnings)


@pytest.mark.parametrize("potentials", [[], [np.nan], [[1.0]]])
def test_chemical_potentials_are_a_list_of_numbers(potentials):
    with pytest.raises(InputError, match="chemical potentials"):
        compute_stable_coverage(make_curve([0.0, -1.0]), potentials)
