"""A dynamics in a directory that qdcomp did not make, of whichever code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from qdcomp.trajectory import Frame


class ForeignDynamics(Protocol):
    """What the outputs of any code say about a dynamics."""

    @property
    def path(self) -> Path:
        """The directory."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """Chemical symbols."""

    @property
    def masses(self) -> NDArray[np.float64]:
        """Atomic masses [amu], shape ``(n_atoms,)``."""

    @property
    def timestep_fs(self) -> float:
        """Time between frames [fs]."""

    @property
    def temperature_k(self) -> float | None:
        """Temperature that was set [K]; None where the files do not say."""

    @property
    def charge(self) -> int | None:
        """Total charge [e]; None where the files do not say."""

    @property
    def version(self) -> str:
        """Version of the code."""

    @property
    def n_frames(self) -> int:
        """Number of frames."""

    @property
    def has_frontier_orbitals(self) -> bool:
        """Whether every frame has a HOMO and a LUMO."""

    @property
    def metadata(self) -> dict[str, str | float | int]:
        """Where everything came from."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know; the last one says why there are no frontier orbitals."""

    def frames(self) -> Iterator[Frame]:
        """Frames one after another, in order."""


def read_foreign_dynamics(directory: Path, *, timestep_fs: float | None = None) -> ForeignDynamics:
    """Read the outputs of a dynamics, of VASP where there are such, else of CP2K.

    Parameters
    ----------
    directory
        The directory that the code ran in.
    timestep_fs
        Time between frames [fs], where the files do not say.

    Raises
    ------
    InputError
        No outputs of a dynamics, or no time step.
    ParseError
        A damaged file, two runs in one, or files that do not belong together.
    """
    from qdcomp.engines.cp2k import read_cp2k_directory
    from qdcomp.engines.vasp.directories import is_vasp_directory, read_vasp_directory

    if directory.is_dir() and is_vasp_directory(directory):
        return read_vasp_directory(directory, timestep_fs=timestep_fs)
    return read_cp2k_directory(directory, timestep_fs=timestep_fs)
