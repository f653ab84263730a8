"""What a run goes on from, where it was damaged: set aside, so that the run begins again."""

from __future__ import annotations

from pathlib import Path

from qdcomp.engines.model.jobs import CHECKPOINT_NAME, TRAJECTORY_NAME, read_structure
from qdcomp.errors import ParseError, StoreError
from qdcomp.trajectory import open_trajectory

DAMAGED_SUFFIX = ".damaged"
"""What the name of a damaged file ends with once it was set aside."""


def set_damaged_aside(directory: Path) -> tuple[str, ...]:
    """Set aside a geometry or a trajectory that cannot be read; say which."""
    said = []
    for name in (CHECKPOINT_NAME, TRAJECTORY_NAME):
        path = directory / name
        if path.is_file() and not _can_be_read(path):
            path.replace(path.with_name(name + DAMAGED_SUFFIX))
            said.append(f"{name} damaged, kept as {name}{DAMAGED_SUFFIX}: began again")
    return tuple(said)


def _can_be_read(path: Path) -> bool:
    try:
        if path.name == CHECKPOINT_NAME:
            read_structure(path)
        else:
            with open_trajectory(path) as trajectory:
                if trajectory.n_frames:
                    trajectory.frame(trajectory.n_frames - 1)
    except (ParseError, StoreError):
        return False
    return True
