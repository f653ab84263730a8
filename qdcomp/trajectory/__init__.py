"""Trajectories: one H5MD file per run, and streaming readers of what codes write."""

from qdcomp.trajectory.energies import EnergySeries, read_ener
from qdcomp.trajectory.frame import Frame
from qdcomp.trajectory.readers import (
    XyzFile,
    XyzFrame,
    XyzTrajectory,
    iterate_xyz,
    open_xyz,
    read_xyz,
)
from qdcomp.trajectory.store import Trajectory, open_trajectory
from qdcomp.trajectory.writer import TrajectoryWriter

__all__ = [
    "EnergySeries",
    "Frame",
    "Trajectory",
    "TrajectoryWriter",
    "XyzFile",
    "XyzFrame",
    "XyzTrajectory",
    "iterate_xyz",
    "open_trajectory",
    "open_xyz",
    "read_ener",
    "read_xyz",
]
