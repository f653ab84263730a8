"""Degrees of freedom, and random draws from the harmonic canonical ensemble."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve_triangular
from scipy.sparse.linalg import eigsh

from qdcomp.units import AMU_ANGSTROM2_PER_FS2_EV, BOLTZMANN_EV_PER_K

RIGID_BODY_STIFFNESS = 100.0
"""Stiffness given to rigid-body motion to take it out of a Hessian [eV/Å²]."""

SADDLE_CURVATURE = -0.005
"""Curvature below which a relaxed geometry counts as a saddle point [eV/Å²]: the softest real
modes of the dots of 1.2–4.2 nm are stiffer than +0.005."""


def build_rigid_body_basis(
    positions: NDArray[np.float64], weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Orthonormal translations and infinitesimal rotations.

    Parameters
    ----------
    positions
        Cartesian coordinates [Å], shape ``(n_atoms, 3)``.
    weights
        Masses for mass-weighted coordinates, shape ``(n_atoms,)``; None for plain ones.

    Returns
    -------
    Basis of shape ``(3 n_atoms, k)``; k = 6, or 5 for atoms in line, 3 for one atom.
    """
    weights = np.ones(len(positions)) if weights is None else weights
    centred = positions - np.average(positions, axis=0, weights=weights)
    motions = np.zeros((6, len(positions), 3))
    for axis in range(3):
        motions[axis, :, axis] = 1.0
        motions[3 + axis] = np.cross(np.eye(3)[axis], centred)
    columns = (motions * np.sqrt(weights)[None, :, None]).reshape(6, -1).T
    left, singular, _ = np.linalg.svd(columns, full_matrices=False)
    basis: NDArray[np.float64] = left[:, singular > 1e-8 * singular[0]]
    return basis


def count_degrees_of_freedom(positions: NDArray[np.float64], frozen: NDArray[np.bool_]) -> int:
    """Degrees of freedom that dynamics can move: 3 per free atom, less rigid-body motion.

    Rigid-body motion counts only where nothing is frozen: an isolated dot keeps the zero
    momentum and angular momentum that it starts with.
    """
    if np.any(frozen):
        return 3 * int(np.count_nonzero(~frozen))
    return int(positions.size - build_rigid_body_basis(positions).shape[1])


def remove_rigid_body_velocity(
    velocities: NDArray[np.float64], masses: NDArray[np.float64], positions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Take net momentum and angular momentum out of velocities, shape ``(n_atoms, 3)``."""
    weights = np.sqrt(masses)[:, None]
    weighted = (velocities * weights).ravel()
    basis = build_rigid_body_basis(positions, masses)
    remaining = (weighted - basis @ (basis.T @ weighted)).reshape(-1, 3)
    internal: NDArray[np.float64] = remaining / weights
    return internal


def sample_velocities(
    masses: NDArray[np.float64],
    positions: NDArray[np.float64],
    frozen: NDArray[np.bool_],
    temperature_k: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Draw Maxwell–Boltzmann velocities without net momentum and angular momentum.

    Parameters
    ----------
    masses
        Masses [amu], shape ``(n_atoms,)``.
    positions
        Cartesian coordinates [Å], shape ``(n_atoms, 3)``.
    frozen
        Atoms that do not move; where there are any, rigid-body motion is not taken out.
    temperature_k
        Temperature [K].
    rng
        Source of randomness.

    Returns
    -------
    Velocities [Å/fs], shape ``(n_atoms, 3)``.
    """
    scale = np.sqrt(BOLTZMANN_EV_PER_K * temperature_k / AMU_ANGSTROM2_PER_FS2_EV)
    velocities: NDArray[np.float64] = (
        scale * rng.standard_normal((len(masses), 3)) / np.sqrt(masses)[:, None]
    )
    if np.any(frozen):
        velocities[frozen] = 0.0
        return velocities
    return remove_rigid_body_velocity(velocities, masses, positions)


def restrict_hessian(
    hessian: NDArray[np.float64], positions: NDArray[np.float64], frozen: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Hessian of the free atoms [eV/Å²], with rigid-body motion made stiff where it is free."""
    if np.any(frozen):
        free = np.repeat(~frozen, 3)
        return hessian[np.ix_(free, free)]
    basis = build_rigid_body_basis(positions)
    return hessian + RIGID_BODY_STIFFNESS * (basis @ basis.T)


def _factorise(
    hessian: NDArray[np.float64], shift: float = 0.0
) -> tuple[NDArray[np.float64], bool] | None:
    """Cholesky factor of the Hessian plus `shift` × identity; None if not positive definite."""
    try:
        factor: tuple[NDArray[np.float64], bool] = cho_factor(
            hessian + shift * np.eye(len(hessian)), lower=True
        )
    except LinAlgError:
        return None
    return factor


def find_downhill_direction(
    hessian: NDArray[np.float64], positions: NDArray[np.float64], frozen: NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    """Direction of negative curvature at a relaxed geometry; None at a minimum.

    Returns
    -------
    Displacement whose longest atomic vector is 1 Å, shape ``(n_atoms, 3)``.
    """
    restricted = restrict_hessian(hessian, positions, frozen)
    if _factorise(restricted, -SADDLE_CURVATURE) is not None:
        return None
    start = np.random.default_rng(0).standard_normal(len(restricted))
    _, vectors = eigsh(restricted, k=1, which="SA", v0=start, tol=1e-4)
    direction = np.zeros_like(positions)
    direction[~frozen] = vectors[:, 0].reshape(-1, 3)
    longest = np.max(np.linalg.norm(direction, axis=1))
    sign = np.sign(direction.ravel()[np.argmax(np.abs(direction))])
    downhill: NDArray[np.float64] = sign * direction / longest
    return downhill


def predict_energy_left(
    hessian: NDArray[np.float64],
    forces: NDArray[np.float64],
    positions: NDArray[np.float64],
    frozen: NDArray[np.bool_],
) -> float | None:
    """Energy between a nearly relaxed geometry and the minimum, ½ F H⁻¹ F [eV].

    None where the Hessian is not positive definite.
    """
    factor = _factorise(restrict_hessian(hessian, positions, frozen))
    if factor is None:
        return None
    force = forces[~frozen].ravel()
    return float(0.5 * force @ cho_solve(factor, force))


def sample_displacements(
    hessian: NDArray[np.float64],
    positions: NDArray[np.float64],
    frozen: NDArray[np.bool_],
    temperature_k: float,
    rng: np.random.Generator,
) -> NDArray[np.float64] | None:
    """Draw displacements from the classical harmonic ensemble, covariance kT H⁻¹.

    Parameters
    ----------
    hessian
        Second derivatives at `positions` [eV/Å²], shape ``(3 n_atoms, 3 n_atoms)``.
    positions
        Relaxed coordinates [Å], shape ``(n_atoms, 3)``.
    frozen
        Atoms that do not move.
    temperature_k
        Temperature [K].
    rng
        Source of randomness.

    Returns
    -------
    Displacements [Å], shape ``(n_atoms, 3)``; None where `positions` is not a minimum.
    """
    factor = _factorise(restrict_hessian(hessian, positions, frozen))
    if factor is None:
        return None
    lower, _ = factor
    noise = rng.standard_normal(len(lower))
    drawn = np.sqrt(BOLTZMANN_EV_PER_K * temperature_k) * solve_triangular(
        lower, noise, lower=True, trans="T"
    )
    displacements = np.zeros_like(positions)
    displacements[~frozen] = drawn.reshape(-1, 3)
    if not np.any(frozen):
        basis = build_rigid_body_basis(positions)
        flat = displacements.ravel()
        displacements = (flat - basis @ (basis.T @ flat)).reshape(-1, 3)
    return displacements
