"""Frames of a dynamics, from XDATCAR and OUTCAR, over all parts of a run.

VASP writes positions back into the cell when an atom leaves it. Here they are continuous: from one
frame to the next an atom moves by less than half a cell vector, and the first frame is near the
structure that the job starts from. There are no velocities: VASP writes them for the last step
only. The potential energy of a frame is the free energy F, of which the forces are derivatives, and
the conserved one is F with the kinetic energy and that of the thermostat.

Step ``n`` is the ``n``-th geometry that VASP computed; the first is that of POSCAR.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines.vasp.eigenvalues import find_frontier
from qdcomp.engines.vasp.ionic_steps import IonicStep
from qdcomp.engines.vasp.job_file import JobFile
from qdcomp.engines.vasp.outcar import OUTCAR, iterate_outcar
from qdcomp.engines.vasp.part_outputs import take_finer_positions
from qdcomp.engines.vasp.parts import find_part_files
from qdcomp.engines.vasp.xdatcar import XDATCAR, XdatcarFrame, iterate_xdatcar
from qdcomp.errors import EngineError, ParseError
from qdcomp.trajectory import Frame


class Unwrapper:
    """Makes positions continuous that are written back into the cell.

    Parameters
    ----------
    start
        Coordinates [Å] that the first ones are to be near, shape ``(n_atoms, 3)``.
    """

    def __init__(self, start: NDArray[np.float64] | None = None) -> None:
        self._last = start

    def place(
        self, positions: NDArray[np.float64], cell: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Coordinates [Å] of the images nearest to the ones before."""
        if self._last is not None:
            moved = np.linalg.solve(cell.T, (positions - self._last).T).T
            positions = positions - np.round(moved) @ cell
        self._last = positions
        return positions


def iterate_geometries(outcar: Path, xdatcar: Path | None) -> Iterator[IonicStep]:
    """Geometries of an OUTCAR, positions from XDATCAR where it has the same ones.

    Raises
    ------
    ParseError
        A file is missing or damaged.
    """
    frames = iter(()) if xdatcar is None else iterate_xdatcar(xdatcar)
    for step in iterate_outcar(outcar):
        yield _with_digits(step, next(frames, None))


def make_frame(
    step: IonicStep,
    positions: NDArray[np.float64],
    forces: NDArray[np.float64] | None,
    number: int,
    timestep_fs: float,
) -> Frame:
    """Frame of a geometry; HOMO and LUMO are those of the spin with the smaller gap."""
    levels = () if step.bands is None else find_frontier(step.bands)[0]
    orbitals = min((level.orbitals for level in levels), key=lambda o: o.gap_ev, default=None)
    return Frame(
        step=number,
        time_fs=number * timestep_fs,
        positions=positions,
        forces=forces,
        potential_energy_ev=step.free_energy_ev,
        kinetic_energy_ev=step.kinetic_energy_ev,
        conserved_energy_ev=step.conserved_energy_ev,
        temperature_k=step.temperature_k,
        homo_ev=None if orbitals is None else orbitals.homo_ev,
        lumo_ev=None if orbitals is None else orbitals.lumo_ev,
    )


def iterate_frames(directory: Path, job: JobFile) -> Iterator[Frame]:
    """Frames of a job of dynamics, each step once, in order, atoms in the order of the job.

    Of a step that two parts computed, as when CONTCAR was lost in a kill, the later one counts.

    Raises
    ------
    EngineError
        A step is missing, or has no frontier orbitals though they were asked for.
    ParseError
        A file is missing or damaged.
    """
    dynamics = job.dynamics
    assert dynamics is not None
    unwrapper = Unwrapper(job.positions)
    expected = 1
    for done, step in _join_parts(directory, job):
        if done != expected:
            raise EngineError(f"step {dynamics.first_step + expected} is missing", directory)
        if step.positions is None or step.forces is None:
            raise EngineError(
                f"step {dynamics.first_step + done} has no positions or forces in {OUTCAR}",
                directory,
            )
        placed = unwrapper.place(job.restore_order(step.positions), job.cell)
        frame = make_frame(
            step,
            placed - np.array(job.origin),
            job.restore_order(step.forces),
            dynamics.first_step + done,
            dynamics.timestep_fs,
        )
        if dynamics.frontier_orbitals and frame.homo_ev is None:
            raise EngineError(f"step {frame.step} has no frontier orbitals in {OUTCAR}", directory)
        expected += 1
        yield frame


def _join_parts(directory: Path, job: JobFile) -> Iterator[tuple[int, IonicStep]]:
    """Give the number of each step in the job, and what was computed for it."""
    parts = find_part_files(directory, OUTCAR, job)
    if not parts:
        raise ParseError("not there; has VASP run in this directory?", directory / OUTCAR)
    ends = [before for before, _ in parts[1:]] + [job.steps]
    for (before, path), end in zip(parts, ends, strict=True):
        frames = path.with_name(path.name.replace(OUTCAR, XDATCAR, 1))
        for step in iterate_geometries(path, frames if frames.is_file() else None):
            if before + step.number > end:
                break
            yield before + step.number, step


def _with_digits(step: IonicStep, frame: XdatcarFrame | None) -> IonicStep:
    if frame is None or step.positions is None:
        return step
    finer = frame.fractions @ frame.cell
    return replace(step, positions=take_finer_positions(step.positions, finer, frame.cell))
