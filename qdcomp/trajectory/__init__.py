"""Trajectories: one H5MD file per run, and streaming readers of what codes write."""

from qdcomp.trajectory.frame import Frame

__all__ = ["Frame"]
