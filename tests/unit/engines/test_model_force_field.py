import numpy as np
import pytest
from ase import Atoms

from qdcomp.engines.model.calculator import ModelCalculator, compute_model_hessian
from qdcomp.engines.model.force_field import build_force_field, compute_energy_and_forces
from qdcomp.engines.model.parameters import read_parameters
from qdcomp.errors import InputError
from qdcomp.structures import build_quantum_dot
from qdcomp.units import COULOMB_EV_ANGSTROM


@pytest.fixture(scope="module")
def dot() -> Atoms:
    atoms = build_quantum_dot(cells=1, charge="formal", remove_corners=False).atoms.copy()
    atoms.rattle(0.1, seed=1)
    return atoms


def test_two_ions_have_the_energy_of_the_formula() -> None:
    field = build_force_field(["Br", "Br"], read_parameters())
    r = 3.6
    energy, forces = compute_energy_and_forces(field, np.array([[0.0, 0.0, 0.0], [0.0, r, 0.0]]))
    coulomb = 0.75**2 * COULOMB_EV_ANGSTROM / r
    expected = coulomb + 5000.0 * np.exp(-r / 0.37) - 120.0 / r**6
    assert energy == pytest.approx(expected, rel=1e-13)
    force = coulomb / r + 5000.0 / 0.37 * np.exp(-r / 0.37) - 6 * 120.0 / r**7
    assert forces[1] == pytest.approx([0.0, force, 0.0], rel=1e-12)


def test_cations_feel_only_their_charges() -> None:
    field = build_force_field(["Cs", "Pb"], read_parameters())
    energy, _ = compute_energy_and_forces(field, np.array([[0.0, 0.0, 0.0], [5.0, 0.0, 0.0]]))
    assert energy == pytest.approx(0.75 * 1.5 * COULOMB_EV_ANGSTROM / 5.0, rel=1e-13)


def test_forces_are_the_derivative_of_the_energy(dot: Atoms) -> None:
    field = build_force_field(dot.get_chemical_symbols(), read_parameters())
    positions = dot.get_positions()
    _, forces = compute_energy_and_forces(field, positions)
    step = 1e-4
    numeric = np.zeros_like(forces)
    for index in np.ndindex(*positions.shape):
        ahead, behind = positions.copy(), positions.copy()
        ahead[index] += step
        behind[index] -= step
        difference = (
            compute_energy_and_forces(field, ahead)[0] - compute_energy_and_forces(field, behind)[0]
        )
        numeric[index] = -difference / (2 * step)
    assert forces == pytest.approx(numeric, abs=2e-7)
    assert forces.sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-12)
    torque = np.cross(positions, forces).sum(axis=0)
    assert torque == pytest.approx(np.zeros(3), abs=1e-11)


def test_hessian_is_the_derivative_of_the_forces(dot: Atoms) -> None:
    hessian = compute_model_hessian(dot)
    field = build_force_field(dot.get_chemical_symbols(), read_parameters())
    positions = dot.get_positions()
    step = 1e-4
    for row, index in enumerate(np.ndindex(*positions.shape)):
        ahead, behind = positions.copy(), positions.copy()
        ahead[index] += step
        behind[index] -= step
        numeric = -(
            compute_energy_and_forces(field, ahead)[1] - compute_energy_and_forces(field, behind)[1]
        ) / (2 * step)
        assert hessian[row] == pytest.approx(numeric.ravel(), abs=2e-6)
    assert np.array_equal(hessian, hessian.T) or np.allclose(hessian, hessian.T, atol=1e-13)


def test_energy_does_not_change_under_rotation_and_translation(dot: Atoms) -> None:
    calculator = ModelCalculator(0)
    turned = dot.copy()
    turned.rotate(37.0, (1, 2, 3))
    turned.translate((1.0, -2.0, 0.5))
    dot.calc = turned.calc = calculator
    assert turned.get_potential_energy() == pytest.approx(dot.get_potential_energy(), abs=1e-10)


def test_repulsion_left_out_far_away_does_not_show() -> None:
    field = build_force_field(["Br", "Br"], read_parameters())
    edge = float(np.sqrt(field.reach_squared[0, 0]))
    inside, outside = (
        compute_energy_and_forces(field, np.array([[0.0, 0, 0], [edge + shift, 0, 0]]))[0]
        for shift in (-1e-9, 1e-9)
    )
    assert inside == pytest.approx(outside, abs=1e-10)


def test_element_without_parameters() -> None:
    with pytest.raises(InputError, match="Sn"):
        build_force_field(["Sn", "Br"], read_parameters())
