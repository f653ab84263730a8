"""The last whole frames of an XDATCAR, which may end in the middle of one."""

from __future__ import annotations

from collections import deque
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_HEADING = "Direct configuration"


def read_last_frames(
    path: Path, n_atoms: int, count: int, *, until: int | None = None
) -> list[NDArray[np.float64]]:
    """Read the last whole frames, oldest first.

    Parameters
    ----------
    path
        The file.
    n_atoms
        Number of atoms.
    count
        How many frames.
    until
        Number of the last one, from one; None takes the last that is whole.

    Returns
    -------
    Fractions of the cell vectors, at most `count` arrays of shape ``(n_atoms, 3)``.
    """
    frames: deque[NDArray[np.float64]] = deque(maxlen=count)
    if not path.is_file():
        return []
    whole = 0
    with path.open(errors="replace") as stream:
        for line in stream:
            if not line.startswith(_HEADING):
                continue
            if whole == until:
                break
            lines = list(islice(stream, n_atoms))
            frame = _read_frame(lines)
            if len(lines) < n_atoms or frame is None:
                break
            frames.append(frame)
            whole += 1
    return list(frames)


def count_frames(path: Path, n_atoms: int) -> int:
    """Count the frames that are whole."""
    if not path.is_file():
        return 0
    whole = 0
    with path.open(errors="replace") as stream:
        for line in stream:
            if line.startswith(_HEADING):
                lines = list(islice(stream, n_atoms))
                if len(lines) == n_atoms and lines[-1].endswith("\n"):
                    whole += 1
    return whole


def _read_frame(lines: list[str]) -> NDArray[np.float64] | None:
    if not lines or not lines[-1].endswith("\n"):
        return None
    try:
        frame = np.array([[float(word) for word in line.split()] for line in lines])
    except ValueError:
        return None
    return frame if frame.ndim == 2 and frame.shape[1] == 3 and np.isfinite(frame).all() else None
