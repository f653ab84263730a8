"""What one part of a run left, joined from OUTCAR and vasprun.xml.

Both hold energies, forces and eigenvalues. vasprun.xml has the positions with more digits, OUTCAR
says whether the run and its self-consistent fields came to their end. Where one of them is missing
or cut off the other is enough, and what is then less exact or not known is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qdcomp.engines.vasp.eigenvalues import Bands, read_eigenval
from qdcomp.engines.vasp.ionic_steps import IonicStep, RunOutput
from qdcomp.engines.vasp.outcar import OUTCAR, read_outcar
from qdcomp.engines.vasp.text_files import find_output
from qdcomp.engines.vasp.vasprun import VASPRUN, read_vasprun
from qdcomp.engines.vasp.xdatcar import XDATCAR, iterate_xdatcar
from qdcomp.errors import ParseError

_ENERGY_TOLERANCE = 1e-5
"""Difference of the energies [eV] of two files of one run."""

_PLACE_TOLERANCE = 2e-4
"""Distance [Å] that the five digits of positions in OUTCAR explain."""

_LEVEL_TOLERANCE = 2e-3
"""Difference of the levels [eV] of two files of one geometry."""

_ONE_IN_PLACE = "{name} is {what}; energies, forces and structure are from {other}"


@dataclass(frozen=True)
class PartOutput:
    """What one part of a run left.

    Attributes
    ----------
    run
        Its outputs, joined.
    warnings
        What was missing, and what stands in for it.
    """

    run: RunOutput
    warnings: tuple[str, ...]


def read_part(directory: Path, suffix: str = "") -> PartOutput:
    """Read what one part of a run left.

    Parameters
    ----------
    directory
        Where it ran.
    suffix
        What its files' names end with (``.part1``); empty for the part at hand.

    Raises
    ------
    ParseError
        Neither of the two files has a geometry, or they are of different runs.
    """
    outcar, outcar_fault = _try(directory, OUTCAR + suffix)
    vasprun, vasprun_fault = _try(directory, VASPRUN + suffix)
    if outcar is None and vasprun is None:
        raise outcar_fault if (directory / (OUTCAR + suffix)).is_file() else vasprun_fault
    if outcar is None or not outcar.steps:
        if vasprun is None or not vasprun.steps:
            assert outcar is not None
            raise ParseError(
                f"has no geometry with its energy; VASP {outcar.header.version} stopped before. "
                "See the end of the file and of vasp.out",
                directory / (OUTCAR + suffix),
            )
        return PartOutput(vasprun, (_say_alone(VASPRUN, OUTCAR, outcar_fault), *_say(vasprun)))
    if vasprun is None or len(vasprun.steps) < len(outcar.steps):
        fault = vasprun_fault if vasprun is None else "cut off"
        return PartOutput(
            _sharpen(outcar, directory / (XDATCAR + suffix)),
            (_say_alone(OUTCAR, VASPRUN, fault),),
        )
    return PartOutput(_join(outcar, vasprun, directory / (VASPRUN + suffix)), ())


def read_last_bands(directory: Path, suffix: str, run: RunOutput) -> Bands | None:
    """Eigenvalues of the last geometry: EIGENVAL, with more digits, where it is of this run."""
    bands = None if run.last is None else run.last.bands
    path = find_output(directory, f"EIGENVAL{suffix}")
    if path is None:
        return bands
    try:
        sharper = read_eigenval(path)
    except ParseError:
        return bands
    if bands is None:
        return sharper
    if sharper.energies_ev.shape != bands.energies_ev.shape:
        return bands
    apart = np.abs(sharper.energies_ev - bands.energies_ev)
    known = apart[np.isfinite(apart)]  # VASP writes stars for what does not fit its columns
    return sharper if known.size and known.max() < _LEVEL_TOLERANCE else bands


def _try(directory: Path, name: str) -> tuple[RunOutput | None, ParseError]:
    path = find_output(directory, name) or directory / name
    missing = ParseError("not there; has VASP run in this directory?", path)
    if not path.is_file():
        return None, missing
    try:
        return (read_outcar if name.startswith(OUTCAR) else read_vasprun)(path), missing
    except ParseError as error:
        return None, error


def _say_alone(kept: str, lost: str, fault: ParseError | str) -> str:
    missing = isinstance(fault, ParseError) and not fault.path.is_file()
    what = "missing" if missing else "cut off or damaged"
    return _ONE_IN_PLACE.format(name=lost, what=what, other=kept)


def _say(run: RunOutput) -> tuple[str, ...]:
    return (f"{run.damage}; the geometries before are used",) if run.damage else ()


def _join(outcar: RunOutput, vasprun: RunOutput, path: Path) -> RunOutput:
    steps = vasprun.steps[: len(outcar.steps)]
    for ours, theirs in zip(outcar.steps, steps, strict=True):
        one, other = ours.free_energy_ev, theirs.free_energy_ev
        if one is not None and other is not None and abs(one - other) > _ENERGY_TOLERANCE:
            raise ParseError(
                f"is not of the same run as {OUTCAR}: the energy of geometry {ours.number} is "
                f"{other:.6f} eV here and {one:.6f} eV there. Keep the files of one run together",
                path,
            )
    last = vasprun.last if len(vasprun.steps) == len(outcar.steps) else None
    return replace(
        outcar,
        first=_take_digits(outcar.first, vasprun.first),
        last=_take_digits(outcar.last, last),
        header=outcar.header if outcar.header.symbols else vasprun.header,
    )


def _take_digits(coarse: IonicStep | None, fine: IonicStep | None) -> IonicStep | None:
    """Complete a geometry of OUTCAR with what vasprun.xml has in more digits, or alone."""
    if coarse is None or fine is None:
        return coarse
    return replace(
        coarse,
        positions=coarse.positions if fine.positions is None else fine.positions,
        cell=coarse.cell if fine.cell is None else fine.cell,
        forces=coarse.forces if fine.forces is None else fine.forces,
        bands=coarse.bands or fine.bands,
    )


def _sharpen(run: RunOutput, path: Path) -> RunOutput:
    """Take the last positions from XDATCAR, which has them with more digits than OUTCAR."""
    if run.last is None or run.last.positions is None or not path.is_file():
        return run
    for frame in iterate_xdatcar(path):
        if frame.number == len(run.steps):
            finer = frame.fractions @ frame.cell
            placed = take_finer_positions(run.last.positions, finer, frame.cell)
            return replace(run, last=replace(run.last, positions=placed))
    return run


def take_finer_positions(
    coarse: NDArray[np.float64], fine: NDArray[np.float64], cell: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Positions of a file with more digits, where they are those of the same geometry.

    Parameters
    ----------
    coarse, fine
        Coordinates [Å], shape ``(n_atoms, 3)``; they may differ by cell vectors.
    cell
        Cell vectors [Å].
    """
    if coarse.shape != fine.shape:
        return coarse
    apart = fine - coarse
    apart -= np.round(np.linalg.solve(cell.T, apart.T).T) @ cell
    return fine if float(np.abs(apart).max(initial=0.0)) < _PLACE_TOLERANCE else coarse
