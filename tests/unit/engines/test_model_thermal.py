import numpy as np
import pytest
from numpy.typing import NDArray

from qdcomp.engines.model.thermal import (
    build_rigid_body_basis,
    count_degrees_of_freedom,
    find_downhill_direction,
    predict_energy_left,
    sample_displacements,
    sample_velocities,
)
from qdcomp.units import AMU_ANGSTROM2_PER_FS2_EV, BOLTZMANN_EV_PER_K

RNG = np.random.default_rng(11)
POSITIONS = RNG.normal(size=(8, 3)) * 4.0
MASSES = RNG.uniform(20.0, 200.0, 8)
FREE = np.zeros(8, dtype=bool)
HALF_FROZEN = np.arange(8) < 4
TEMPERATURE = 50.0
KT = BOLTZMANN_EV_PER_K * TEMPERATURE


def isolated_hessian(curvatures: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hessian without stiffness against rigid-body motion, with these other curvatures."""
    rigid = build_rigid_body_basis(POSITIONS)
    full = np.linalg.qr(np.column_stack([rigid, RNG.standard_normal((24, 18))]))[0]
    return (full[:, 6:] * curvatures) @ full[:, 6:].T


@pytest.mark.parametrize(
    ("positions", "frozen", "degrees"),
    [
        (POSITIONS, FREE, 18),
        (POSITIONS, HALF_FROZEN, 12),
        (np.outer(np.arange(4.0), [1.0, 2.0, -1.0]), np.zeros(4, bool), 7),
        (np.zeros((1, 3)), np.zeros(1, bool), 0),
    ],
)
def test_degrees_of_freedom(
    positions: NDArray[np.float64], frozen: NDArray[np.bool_], degrees: int
) -> None:
    assert count_degrees_of_freedom(positions, frozen) == degrees


def test_velocities_share_out_half_kt_and_carry_no_rigid_motion() -> None:
    kinetic = []
    for seed in range(400):
        v = sample_velocities(MASSES, POSITIONS, FREE, TEMPERATURE, np.random.default_rng(seed))
        kinetic.append(0.5 * AMU_ANGSTROM2_PER_FS2_EV * np.sum(MASSES[:, None] * v**2))
    momentum = MASSES @ v
    angular = np.cross(POSITIONS, MASSES[:, None] * v).sum(axis=0)
    assert momentum == pytest.approx(np.zeros(3), abs=1e-12)
    assert angular == pytest.approx(np.zeros(3), abs=1e-11)
    error = np.std(kinetic) / np.sqrt(len(kinetic))
    assert abs(np.mean(kinetic) - 9.0 * KT) < 3.0 * error  # 18 degrees of freedom
    assert np.var(kinetic) == pytest.approx(9.0 * KT**2, rel=0.25)


def test_frozen_atoms_get_neither_velocity_nor_displacement() -> None:
    rng = np.random.default_rng(0)
    velocities = sample_velocities(MASSES, POSITIONS, HALF_FROZEN, TEMPERATURE, rng)
    assert np.all(velocities[HALF_FROZEN] == 0.0)
    assert np.all(velocities[~HALF_FROZEN] != 0.0)
    displacements = sample_displacements(
        isolated_hessian(np.linspace(1.0, 5.0, 18)), POSITIONS, HALF_FROZEN, TEMPERATURE, rng
    )
    assert displacements is not None
    assert np.all(displacements[HALF_FROZEN] == 0.0)
    assert np.all(displacements[~HALF_FROZEN] != 0.0)


def test_displacements_share_out_half_kt_to_every_mode() -> None:
    hessian = isolated_hessian(np.linspace(0.05, 5.0, 18))
    curvatures, modes = np.linalg.eigh(hessian)
    energies = np.zeros((500, 18))
    for seed in range(len(energies)):
        drawn = sample_displacements(
            hessian, POSITIONS, FREE, TEMPERATURE, np.random.default_rng(seed)
        )
        assert drawn is not None
        amplitudes = modes.T @ drawn.ravel()
        assert amplitudes[:6] == pytest.approx(np.zeros(6), abs=1e-9)
        energies[seed] = 0.5 * curvatures[6:] * amplitudes[6:] ** 2
    # ½kT·χ²₁ each: relative standard error √(2/500) = 6 %
    assert energies.mean(axis=0) == pytest.approx(np.full(18, 0.5 * KT), rel=0.2)
    assert energies.mean() == pytest.approx(0.5 * KT, rel=0.045)


def test_saddle_is_told_from_minimum() -> None:
    minimum = isolated_hessian(np.linspace(0.05, 5.0, 18))
    assert find_downhill_direction(minimum, POSITIONS, FREE) is None
    curvatures = np.linspace(0.05, 5.0, 18)
    curvatures[7] = -0.2
    saddle = isolated_hessian(curvatures)
    direction = find_downhill_direction(saddle, POSITIONS, FREE)
    assert direction is not None
    assert direction.ravel() @ saddle @ direction.ravel() < 0
    assert np.max(np.linalg.norm(direction, axis=1)) == pytest.approx(1.0)
    assert sample_displacements(saddle, POSITIONS, FREE, 10.0, np.random.default_rng(0)) is None
    assert predict_energy_left(saddle, np.ones((8, 3)), POSITIONS, FREE) is None


def test_energy_left_is_that_of_the_quadratic_form() -> None:
    hessian = isolated_hessian(np.linspace(0.5, 5.0, 18))
    rigid = build_rigid_body_basis(POSITIONS)
    away = 0.01 * RNG.standard_normal(24)
    away -= rigid @ (rigid.T @ away)
    forces = -(hessian @ away).reshape(-1, 3)
    expected = 0.5 * away @ hessian @ away
    assert predict_energy_left(hessian, forces, POSITIONS, FREE) == pytest.approx(expected)
