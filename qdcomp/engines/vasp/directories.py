"""Reading a directory of VASP outputs that qdcomp did not make.

Policy, stated in the warnings where it applies:

- energies, forces and eigenvalues are those of OUTCAR, positions those of XDATCAR where it has the
  same geometries, with more digits; without OUTCAR all is from vasprun.xml, which has eigenvalues
  for the last geometry only;
- atoms that VASP wrote back into the cell are followed out of it; a dot or molecule that lies
  across the wall of its box is put together;
- a self-consistent field that did not converge keeps its step, which is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase.data import atomic_masses, atomic_numbers
from numpy.typing import NDArray

from qdcomp.engines.vasp.ionic_steps import IonicStep, RunHeader
from qdcomp.engines.vasp.outcar import OUTCAR, OutcarReader, iterate_outcar
from qdcomp.engines.vasp.text_files import find_output
from qdcomp.engines.vasp.trajectory_files import Unwrapper, iterate_geometries, make_frame
from qdcomp.engines.vasp.vasprun import VASPRUN, VasprunReader
from qdcomp.engines.vasp.xdatcar import XDATCAR
from qdcomp.errors import InputError, ParseError
from qdcomp.trajectory import Frame

_LEAST_VACUUM = 5.0
"""Width [Å] from which a gap along a cell vector is the vacuum around a dot, molecule or slab."""

_MOST_NAMED = 8


@dataclass(frozen=True)
class VaspDirectory:
    """A dynamics in a directory that qdcomp did not make.

    Attributes
    ----------
    path
        The directory.
    symbols
        Chemical symbols.
    masses
        Atomic masses [amu], shape ``(n_atoms,)``.
    timestep_fs
        Time between frames [fs].
    steps
        Step numbers of the frames, shape ``(n_frames,)``; the first geometry is step 1.
    temperature_k
        Temperature that was set [K]; None where none was, or it was changed on the way.
    charge
        Total charge [e], from ``NELECT`` and the valence electrons of the data sets; None where
        the outputs do not say.
    version
        Version of VASP.
    unconverged_steps
        Steps whose self-consistent field did not converge.
    has_frontier_orbitals
        Whether every frame has a HOMO and a LUMO.
    metadata
        Where everything came from.
    warnings
        What the user should know.
    """

    path: Path
    symbols: tuple[str, ...]
    masses: NDArray[np.float64]
    timestep_fs: float
    steps: NDArray[np.int64]
    temperature_k: float | None
    charge: int | None
    version: str
    unconverged_steps: tuple[int, ...]
    has_frontier_orbitals: bool
    metadata: dict[str, str | float | int]
    warnings: tuple[str, ...]
    _start: NDArray[np.float64]

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.steps)

    def frames(self) -> Iterator[Frame]:
        """Frames one after another, in order.

        Raises
        ------
        ParseError
            A file is damaged.
        """
        unwrapper = Unwrapper(self._start)
        for step in _iterate_steps(self.path):
            if step.number > self.n_frames:
                return
            assert step.positions is not None and step.cell is not None
            placed = unwrapper.place(step.positions, step.cell)
            yield make_frame(step, placed, step.forces, step.number, self.timestep_fs)


def is_vasp_directory(path: Path) -> bool:
    """Whether a directory has an output of VASP."""
    return any(find_output(path, name) is not None for name in (OUTCAR, VASPRUN))


def read_vasp_directory(path: Path | str, *, timestep_fs: float | None = None) -> VaspDirectory:
    """Read what a directory of a dynamics with VASP has, and check that it belongs together.

    Parameters
    ----------
    path
        The directory.
    timestep_fs
        Time between frames [fs]; None takes ``POTIM``.

    Raises
    ------
    InputError
        No output of VASP, no dynamics, or no time step.
    ParseError
        A file is damaged, or holds two runs.
    """
    directory = Path(path)
    if not directory.is_dir():
        raise InputError(f"{directory} is no directory; give the one that VASP ran in")
    if not is_vasp_directory(directory):
        raise InputError(f"{directory} has neither {OUTCAR} nor {VASPRUN}; has VASP run in it?")
    survey = _survey(directory)
    header = survey.header
    if header.parameters.get("IBRION") != 0:
        raise InputError(
            f"{directory} is no dynamics (IBRION = {header.parameters.get('IBRION', -1):g}); "
            "expected IBRION = 0"
        )
    temperature, said = _find_temperature(header)
    missing = survey.steps - survey.with_levels
    return VaspDirectory(
        path=directory,
        symbols=header.symbols,
        masses=_find_masses(header.symbols, directory / survey.source),
        timestep_fs=_find_timestep(header, timestep_fs, directory),
        steps=np.arange(1, survey.steps + 1),
        temperature_k=temperature,
        charge=header.charge,
        version=header.version,
        unconverged_steps=tuple(survey.unconverged),
        has_frontier_orbitals=missing == 0,
        metadata=_describe(directory, header, temperature),
        warnings=(*said, *_warn(directory, survey, missing)),
        _start=survey.start,
    )


@dataclass
class _Survey:
    """What one pass over a directory found."""

    source: str
    header: RunHeader
    start: NDArray[np.float64]
    steps: int = 0
    with_levels: int = 0
    lost: int = 0
    unconverged: tuple[int, ...] = ()


def _survey(directory: Path) -> _Survey:
    path, reader = _open(directory)
    found = _Survey(path.name, reader.header, np.empty((0, 3)))
    for step in _stream(path, reader):
        if step.positions is None or step.cell is None:
            raise ParseError(f"geometry {step.number} has no positions", path)
        if found.steps == 0:
            found.start = make_whole(step.positions, step.cell)
        found.steps += 1
        found.lost = found.lost or (found.steps if step.number != found.steps else 0)
        found.with_levels += step.bands is not None
        if step.scf_converged is False:
            found.unconverged += (step.number,)
    if isinstance(reader, VasprunReader) and reader.learned_steps:
        raise InputError(
            f"{path} has {reader.learned_steps} geometries of a machine-learned force field, which "
            "have no electrons; expected a dynamics with DFT at every step"
        )
    if found.lost:
        raise ParseError(
            f"geometry {found.lost} has no energy, though later ones have: lines were lost. Cut "
            "the file before it, or take a fresh copy",
            path,
        )
    if found.steps == 0:
        raise ParseError("has no geometry with its energy; VASP stopped before", path)
    if len(found.header.symbols) != len(found.start):
        raise ParseError("does not say which atoms it has", path)
    return found


def _open(directory: Path) -> tuple[Path, OutcarReader | VasprunReader]:
    outcar = find_output(directory, OUTCAR)
    if outcar is not None:
        return outcar, OutcarReader(outcar)
    vasprun = find_output(directory, VASPRUN)
    assert vasprun is not None
    return vasprun, VasprunReader(vasprun)


def _stream(path: Path, reader: OutcarReader | VasprunReader) -> Iterator[IonicStep]:
    return iterate_outcar(path, reader) if isinstance(reader, OutcarReader) else reader.iterate()


def _iterate_steps(directory: Path) -> Iterator[IonicStep]:
    path, reader = _open(directory)
    if isinstance(reader, OutcarReader):
        return iterate_geometries(path, find_output(directory, XDATCAR))
    return reader.iterate()


def make_whole(positions: NDArray[np.float64], cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put a structure together that lies across a wall of its cell.

    Parameters
    ----------
    positions
        Coordinates [Å], shape ``(n_atoms, 3)``.
    cell
        Cell vectors [Å].

    Returns
    -------
    Coordinates [Å]; along a cell vector without vacuum they are left as they are.
    """
    fractions = np.linalg.solve(cell.T, positions.T).T
    heights = 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    for axis, height in enumerate(heights):
        inside = fractions[:, axis] - np.floor(fractions[:, axis])
        ordered = np.sort(inside)
        gaps = np.diff(ordered, append=ordered[0] + 1.0)
        widest = int(gaps.argmax())
        if gaps[widest] * height < _LEAST_VACUUM:
            continue
        if widest < len(ordered) - 1:  # the vacuum is inside the cell
            inside[inside > ordered[widest]] -= 1.0
        fractions[:, axis] = inside
    return np.asarray(fractions @ cell, dtype=np.float64)


def _find_masses(symbols: tuple[str, ...], path: Path) -> NDArray[np.float64]:
    unknown = [symbol for symbol in dict.fromkeys(symbols) if symbol not in atomic_numbers]
    if unknown:
        raise ParseError(f"its atoms have symbols of no element: {', '.join(unknown)[:60]}", path)
    return np.array([atomic_masses[atomic_numbers[symbol]] for symbol in symbols])


def _find_timestep(header: RunHeader, given: float | None, directory: Path) -> float:
    found = header.parameters.get("POTIM") if given is None else given
    if found is None:
        raise InputError(f"{directory} does not say its time step; give it: --timestep 1")
    if not found > 0:
        raise InputError(f"the time step has to be positive, got {found:g} fs")
    return found


def _find_temperature(header: RunHeader) -> tuple[float | None, tuple[str, ...]]:
    begin, end = header.parameters.get("TEBEG"), header.parameters.get("TEEND")
    if begin is None or begin <= 0:
        return None, ()
    if end is not None and end > 0 and end != begin:
        return None, (
            f"the temperature was changed from {begin:g} to {end:g} K on the way: it is no "
            "equilibrium, and averages over it mean little",
        )
    return begin, ()


def _describe(
    directory: Path, header: RunHeader, temperature: float | None
) -> dict[str, str | float | int]:
    found: dict[str, str | float | int] = {
        f"{kind}_file": path.name
        for kind, name in (("output", OUTCAR), ("positions", XDATCAR), ("xml", VASPRUN))
        if (path := find_output(directory, name)) is not None
    }
    found |= {"engine": "vasp", "engine_version": header.version}
    if temperature is not None:
        found["temperature_k"] = temperature
    if header.charge is not None:
        found["charge"] = header.charge
    return found


def _warn(directory: Path, survey: _Survey, missing: int) -> tuple[str, ...]:
    said = []
    if survey.unconverged:
        named = ", ".join(map(str, survey.unconverged[:_MOST_NAMED]))
        more = len(survey.unconverged) - _MOST_NAMED
        said.append(
            f"the self-consistent field did not converge in step {named}"
            f"{f' and {more} more' if more > 0 else ''}; policy: these steps are kept, not "
            "repaired, and named here"
        )
    if find_output(directory, OUTCAR) is None:
        said.append(f"{OUTCAR} is missing; all is from {VASPRUN}")
    if missing:
        said.append(
            f"{missing} of {survey.steps} steps have no eigenvalues, so no gap, spectrum or "
            f"linewidth follows; VASP writes them to {OUTCAR} at every step with NWRITE = 1 or 2"
        )
    return tuple(said)
