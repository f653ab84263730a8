import numpy as np
import pytest
from phonopy import Phonopy
from phonopy.structure.atoms import PhonopyAtoms

from qdcomp.analysis import compute_hessian, convert_force_constants, convert_phonopy
from qdcomp.errors import InputError


@pytest.fixture
def quadratic():
    generator = np.random.default_rng(1)
    root = generator.normal(size=(12, 12))
    return root @ root.T, generator.normal(size=(4, 3))


def test_a_quadratic_potential_is_recovered_exactly(quadratic):
    hessian, start = quadratic

    def forces(positions):
        return -(hessian @ (positions - start).ravel()).reshape(4, 3)

    assert compute_hessian(forces, start) == pytest.approx(hessian, abs=1e-10)


def test_cubic_terms_cancel_in_central_differences(quadratic):
    hessian, start = quadratic

    def forces(positions):
        moved = (positions - start).ravel()
        return -(hessian @ moved + 40.0 * moved**2).reshape(4, 3)

    assert compute_hessian(forces, start) == pytest.approx(hessian, abs=1e-9)


def test_frozen_atoms_are_not_moved(quadratic):
    hessian, start = quadratic
    frozen = np.array([False, True, False, False])
    calls = []

    def forces(positions):
        calls.append(positions)
        return -(hessian @ (positions - start).ravel()).reshape(4, 3)

    result = compute_hessian(forces, start, frozen=frozen)
    assert len(calls) == 18
    assert all((positions[1] == start[1]).all() for positions in calls)
    free = np.repeat(~frozen, 3)
    assert result[np.ix_(free, free)] == pytest.approx(hessian[np.ix_(free, free)], abs=1e-10)
    assert np.abs(result[~free]).max() == 0.0


def test_forces_that_are_not_numbers(quadratic):
    _, start = quadratic
    with pytest.raises(InputError, match="coordinate 0 of atom 0"):
        compute_hessian(lambda positions: np.full((4, 3), np.nan), start)


def test_positions_in_one_row(quadratic):
    with pytest.raises(InputError, match=r"expected \(n_atoms, 3\)"):
        compute_hessian(lambda positions: positions, quadratic[1].ravel())


def test_force_constants_are_reordered(quadratic):
    hessian, _ = quadratic
    constants = hessian.reshape(4, 3, 4, 3).transpose(0, 2, 1, 3)
    assert (convert_force_constants(constants) == hessian).all()


def test_force_constants_of_a_phonopy_object(quadratic):
    hessian, _ = quadratic
    cell = PhonopyAtoms(
        symbols=["Br"] * 4,
        cell=20 * np.eye(3),
        scaled_positions=np.random.default_rng(2).uniform(size=(4, 3)),
    )
    phonopy = Phonopy(cell, np.eye(3), log_level=0)
    with pytest.raises(InputError, match="no force constants"):
        convert_phonopy(phonopy)
    phonopy.force_constants = hessian.reshape(4, 3, 4, 3).transpose(0, 2, 1, 3).copy()
    assert convert_phonopy(phonopy) == pytest.approx(hessian)


def test_compact_or_broken_force_constants():
    with pytest.raises(InputError, match="full-fc"):
        convert_force_constants(np.zeros((1, 8, 3, 3)))
    with pytest.raises(InputError, match="expected"):
        convert_force_constants(np.zeros((6, 6)))
    with pytest.raises(InputError, match="not finite"):
        convert_force_constants(np.full((2, 2, 3, 3), np.nan))
