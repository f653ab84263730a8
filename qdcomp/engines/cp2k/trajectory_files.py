"""Frames of a dynamics from the files that CP2K writes side by side, joined by step number.

CP2K appends to its files when a run goes on from a restart. Steps that were written, then lost by
a kill and computed again, are in a file twice: the recomputed ones are kept, in every file, so that
positions, velocities, forces, energies and orbitals of a frame belong together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines.base import FrontierOrbitals
from qdcomp.engines.cp2k.output_records import OutputStep
from qdcomp.errors import ParseError
from qdcomp.trajectory import EnergySeries, Frame, XyzFrame, iterate_xyz, read_ener


@dataclass(frozen=True)
class TrajectoryFiles:
    """The files of one dynamics; None where one is not there.

    Attributes
    ----------
    positions, velocities, forces
        Trajectories in xyz format.
    energies
        The ``.ener`` file.
    """

    positions: Path
    velocities: Path | None
    forces: Path | None
    energies: Path | None


def find_trajectory_files(positions: Path) -> TrajectoryFiles:
    """Files that CP2K wrote beside ``PROJECT-pos-1.xyz``."""
    project, _, rest = positions.name.rpartition("-pos-")

    def beside(name: str) -> Path | None:
        path = positions.with_name(name)
        return path if path.is_file() and path.stat().st_size else None

    number = rest.removesuffix(".xyz")
    return TrajectoryFiles(
        positions,
        beside(f"{project}-vel-{rest}"),
        beside(f"{project}-frc-{rest}"),
        beside(f"{project}-{number}.ener"),
    )


def collect_frontier(steps: Iterable[OutputStep]) -> dict[int, FrontierOrbitals]:
    """Frontier orbitals by step number, those of a recomputed step; the smallest gap of spins."""
    found: dict[int, FrontierOrbitals] = {}
    for step in steps:
        if step.frontier:
            found[step.number] = min(step.frontier, key=lambda channel: channel.gap_ev)
    return found


def join_frames(
    files: TrajectoryFiles,
    frontier: Mapping[int, FrontierOrbitals],
    *,
    origin: NDArray[np.float64] | None = None,
) -> Iterator[Frame]:
    """Frames that have everything that there is a file for, in order.

    It ends where one of the files does, as when a run was killed while it wrote a step.

    Parameters
    ----------
    files
        Where to read.
    frontier
        Frontier orbitals by step number; empty where there are none.
    origin
        What is subtracted from positions [Å], shape ``(3,)``.

    Raises
    ------
    ParseError
        A file is damaged, or lacks a step in the middle.
    """
    energies = _Energies(None if files.energies is None else _read_energies(files.energies))
    velocities = _Companion(files.velocities, "velocity")
    forces = _Companion(files.forces, "force")
    shift = np.zeros(3) if origin is None else origin
    for index, frame in enumerate(iterate_xyz(files.positions, on_restart="keep_last")):
        step = index if frame.step is None else frame.step
        if not (velocities.advance(step) and forces.advance(step) and energies.has(step)):
            return
        orbitals = frontier.get(step)
        yield Frame(
            step=step,
            time_fs=math.nan if frame.time_fs is None else frame.time_fs,
            positions=frame.values - shift,
            velocities=velocities.values,
            forces=forces.values,
            potential_energy_ev=energies.potential(step, frame.energy_ev),
            kinetic_energy_ev=energies.kinetic(step),
            conserved_energy_ev=energies.conserved(step),
            temperature_k=energies.temperature(step),
            homo_ev=None if orbitals is None else orbitals.homo_ev,
            lumo_ev=None if orbitals is None else orbitals.lumo_ev,
        )


def _read_energies(path: Path) -> EnergySeries:
    return read_ener(path, on_restart="keep_last")


class _Energies:
    """Energies by step number; everything is None where there is no file."""

    def __init__(self, series: EnergySeries | None) -> None:
        self._series = series
        steps = [] if series is None else series.steps.tolist()
        self._rows: dict[int, int] = {step: row for row, step in enumerate(steps)}

    def has(self, step: int) -> bool:
        return self._series is None or step in self._rows

    def potential(self, step: int, fallback: float | None) -> float | None:
        if self._series is None:
            return fallback
        return float(self._series.potential_energies_ev[self._rows[step]])

    def kinetic(self, step: int) -> float | None:
        series = self._series
        return None if series is None else float(series.kinetic_energies_ev[self._rows[step]])

    def conserved(self, step: int) -> float | None:
        series = self._series
        return None if series is None else float(series.conserved_energies_ev[self._rows[step]])

    def temperature(self, step: int) -> float | None:
        series = self._series
        return None if series is None else float(series.temperatures_k[self._rows[step]])


class _Companion:
    """A trajectory read in step with that of the positions."""

    def __init__(self, path: Path | None, quantity: Literal["velocity", "force"]) -> None:
        self._path = path
        self.values: NDArray[np.float64] | None = None
        self._index = -1
        self._frames: Iterator[XyzFrame] = iter(())
        if path is not None:
            self._frames = iterate_xyz(path, quantity, on_restart="keep_last")

    def advance(self, step: int) -> bool:
        """Go to a step; return whether the file has it."""
        if self._path is None:
            return True
        for frame in self._frames:
            self._index += 1
            found = self._index if frame.step is None else frame.step
            if found < step:
                continue
            if found > step:
                raise ParseError(
                    f"holds no step {step}, but later ones: it is not of the same run as the "
                    "positions, or was cut in the middle",
                    self._path,
                )
            self.values = frame.values
            return True
        return False
