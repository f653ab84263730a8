"""Overall translation and rotation of a free dot, taken out of its trajectory.

A dot in vacuum drifts and turns; neither is a vibration. Each frame is superposed on a mean
structure by the rotation R that minimises Σ_i m_i |R (r_i − r_cm) − (r̄_i − r̄_cm)|² (Kabsch, Acta
Cryst. A 32, 922 (1976), mass-weighted, with the guard against reflections), and the mean structure
is recomputed until it stops moving (PHYSICS.md section 3). Velocities are turned by the same R after
the velocity of the rigid body, v_cm + ω × (r − r_cm), has been taken off.

Never to be applied where atoms are frozen: they fix the frame of reference themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
