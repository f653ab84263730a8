"""Overall translation and rotation of a free dot, taken out of its trajectory.

A dot in vacuum drifts and turns; neither is a vibration. Each frame is superposed on a mean
structure by the rotation R that minimises Σ_i m_i |R (r_i − r_cm) − (r̄_i − r̄_cm)|² (Kabsch, Acta
Cryst. A 32, 922 (1976), mass-weighted, with the guard against reflections), and the mean structure
is recomputed until it stops moving (PHYSICS.md section 3). Velocities are turned by the same R
after the velocity of the rigid body, v_cm + ω × (r − r_cm), has been taken off.

Never to be applied where atoms are frozen: they fix the frame of reference themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.analysis.validity import require_masses, require_vectors

MEAN_TOLERANCE = 1e-7
"""The mean structure stands still when no coordinate moves by more than this [Å]."""

MAXIMUM_ITERATIONS = 50
"""Rounds after which it is taken as it is; two or three are enough for a solid."""


@dataclass(frozen=True)
class AlignedTrajectory:
    """A trajectory in the frame of the dot.

    Attributes
    ----------
    positions
        Cartesian coordinates about the centre of mass [Å], shape ``(n_frames, n_atoms, 3)``.
    velocities
        Velocities without rigid-body motion, in the same frame [Å/fs], shape
        ``(n_frames, n_atoms, 3)``, or None if none were given.
    mean_positions
        The mean structure [Å], shape ``(n_atoms, 3)``.
    rmsd
        Mass-weighted root-mean-square deviation of each frame from it [Å], shape ``(n_frames,)``.
    rotation_angles
        Angle by which each frame was turned [rad], shape ``(n_frames,)``.
    n_iterations
        Rounds until the mean structure stood still.
    """

    positions: NDArray[np.float64]
    velocities: NDArray[np.float64] | None
    mean_positions: NDArray[np.float64]
    rmsd: NDArray[np.float64]
    rotation_angles: NDArray[np.float64]
    n_iterations: int


def remove_rigid_body_motion(
    positions: ArrayLike, masses: ArrayLike, velocities: ArrayLike | None = None
) -> AlignedTrajectory:
    """Take translation and rotation of the whole out of a trajectory.

    Parameters
    ----------
    positions
        Cartesian coordinates [Å], shape ``(n_frames, n_atoms, 3)``.
    masses
        Masses [amu], shape ``(n_atoms,)``.
    velocities
        Velocities [Å/fs], shape ``(n_frames, n_atoms, 3)``.

    Raises
    ------
    InputError
        If shapes do not match or a value is not finite.
    """
    coordinates = require_vectors("positions", positions)
    n_frames, n_atoms, _ = coordinates.shape
    weights = require_masses(masses, n_atoms)
    weights = weights / weights.sum()
    centred = coordinates - np.einsum("n,fni->fi", weights, coordinates)[:, None, :]
    weighted = centred * weights[:, None]

    mean = centred[0]
    n_iterations = 0
    moved = np.inf
    while moved > MEAN_TOLERANCE and n_iterations < MAXIMUM_ITERATIONS:
        rotations = _fit_rotations(weighted, mean)
        updated = np.tensordot(centred, rotations, axes=([0, 2], [0, 2])) / n_frames
        moved = float(np.abs(updated - mean).max())
        mean = updated
        n_iterations += 1
    rotations = _fit_rotations(weighted, mean)
    aligned = centred @ rotations.transpose(0, 2, 1)
    deviation = np.einsum("fni,n->f", (aligned - mean) ** 2, weights)
    turned: NDArray[np.float64] | None = None
    if velocities is not None:
        given = require_vectors("velocities", velocities, shape=coordinates.shape)
        internal = _subtract_rigid_velocity(centred, given, weights)
        turned = internal @ rotations.transpose(0, 2, 1)
    cosine = 0.5 * (np.trace(rotations, axis1=1, axis2=2) - 1.0)
    return AlignedTrajectory(
        positions=aligned,
        velocities=turned,
        mean_positions=mean,
        rmsd=np.sqrt(deviation),
        rotation_angles=np.arccos(np.clip(cosine, -1.0, 1.0)),
        n_iterations=n_iterations,
    )


def _fit_rotations(
    weighted: NDArray[np.float64], reference: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Rotation of each frame onto the reference, shape ``(n_frames, 3, 3)``, never a reflection."""
    covariance = weighted.transpose(0, 2, 1) @ reference
    left, _, right = np.linalg.svd(covariance)
    handedness = np.sign(np.linalg.det(left) * np.linalg.det(right))
    left[:, :, 2] *= handedness[:, None]
    rotations: NDArray[np.float64] = (left @ right).transpose(0, 2, 1)
    return rotations


def _subtract_rigid_velocity(
    centred: NDArray[np.float64], velocities: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Velocities less v_cm + ω × r, with ω from angular momentum and inertia of each frame."""
    relative = velocities - np.einsum("n,fni->fi", weights, velocities)[:, None, :]
    momentum = np.einsum("n,fni->fi", weights, np.cross(centred, relative))
    second_moment = (centred * weights[:, None]).transpose(0, 2, 1) @ centred
    inertia = np.trace(second_moment, axis1=1, axis2=2)[:, None, None] * np.eye(3) - second_moment
    # The pseudo-inverse leaves out the axis of a linear molecule, about which nothing turns.
    angular = np.einsum("fij,fj->fi", np.linalg.pinv(inertia, hermitian=True), momentum)
    internal: NDArray[np.float64] = relative - np.cross(angular[:, None, :], centred)
    return internal
