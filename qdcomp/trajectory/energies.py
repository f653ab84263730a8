"""CP2K's ``.ener`` files: energies and temperature of every step of a molecular dynamics run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError, ParseError
from qdcomp.trajectory.xyz_index import OnRestart
from qdcomp.units import HARTREE_EV

N_COLUMNS = 7
"""Step, time [fs], kinetic [hartree], temperature [K], potential, conserved [hartree], time [s]."""


@dataclass(frozen=True)
class EnergySeries:
    """What CP2K prints of every step; arrays of shape ``(n_steps,)``.

    Attributes
    ----------
    steps
        Step numbers.
    times_fs
        Times [fs].
    kinetic_energies_ev, potential_energies_ev, conserved_energies_ev
        Energies [eV].
    temperatures_k
        Instantaneous temperatures [K].
    walltimes_s
        Wall time of each step [s].
    warnings
        Lines that were left out, and why.
    """

    steps: NDArray[np.int64]
    times_fs: NDArray[np.float64]
    kinetic_energies_ev: NDArray[np.float64]
    temperatures_k: NDArray[np.float64]
    potential_energies_ev: NDArray[np.float64]
    conserved_energies_ev: NDArray[np.float64]
    walltimes_s: NDArray[np.float64]
    warnings: tuple[str, ...]


def read_ener(path: Path | str, *, on_restart: OnRestart = "error") -> EnergySeries:
    """Read a CP2K ``.ener`` file.

    A last line that is cut off is left out with a warning.

    Parameters
    ----------
    path
        The file.
    on_restart
        What to do where the step number goes back: ``error``, or ``keep_last`` to let the lines
        of the restarted run replace those of the same steps before it.

    Raises
    ------
    InputError
        If `on_restart` is unknown.
    ParseError
        Naming the line, if the file is empty, no such file, holds two runs or a number that is
        none.
    """
    if on_restart not in ("error", "keep_last"):
        raise InputError(f"on_restart must be 'error' or 'keep_last', got {on_restart!r}")
    target = Path(path)
    try:
        text = target.read_bytes().decode("utf-8", errors="replace")
    except OSError as error:
        raise ParseError(f"cannot be read ({error.strerror}); check the path", target) from error
    rows, warnings = _read_rows(text, target, on_restart)
    if not rows:
        raise ParseError("holds no energies; the run has not finished a step", target)
    table = np.array(rows).T
    return EnergySeries(
        steps=table[0].astype(np.int64),
        times_fs=table[1],
        kinetic_energies_ev=table[2] * HARTREE_EV,
        temperatures_k=table[3],
        potential_energies_ev=table[4] * HARTREE_EV,
        conserved_energies_ev=table[5] * HARTREE_EV,
        walltimes_s=table[6],
        warnings=tuple(warnings),
    )


def _read_rows(text: str, path: Path, on_restart: OnRestart) -> tuple[list[list[float]], list[str]]:
    rows: list[list[float]] = []
    warnings: list[str] = []
    lines = text.split("\n")
    if lines[-1].strip():
        warnings.append(
            f"{path}: the last line, {len(lines)}, is cut off and left out; the steps before it "
            "are used"
        )
    for number, line in enumerate(lines[:-1], start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        row = _read_row(line, path, number)
        if rows and row[0] <= rows[-1][0]:
            if on_restart == "error":
                raise ParseError(
                    f"two runs in one file: step {row[0]:.0f} follows step {rows[-1][0]:.0f}. "
                    "Split the file here, or read it with on_restart='keep_last' if the second "
                    "run is a restart of the first",
                    path,
                    number,
                )
            warnings.append(f"{path}, line {number}: the run was restarted at step {row[0]:.0f}")
            while rows and rows[-1][0] >= row[0]:
                rows.pop()
        rows.append(row)
    return rows, warnings


def _read_row(line: str, path: Path, number: int) -> list[float]:
    fields = line.split()
    if len(fields) != N_COLUMNS:
        raise ParseError(
            f"expected {N_COLUMNS} columns (step, time, kinetic energy, temperature, potential "
            f"energy, conserved quantity, time used), got {len(fields)}; "
            "give the .ener file of a CP2K molecular dynamics run",
            path,
            number,
        )
    try:
        row = [float(field.replace("D", "E")) for field in fields]
    except ValueError as error:
        raise ParseError(
            f"{error}; a row of * is a number too wide for its column, the run has exploded",
            path,
            number,
        ) from error
    if not all(map(math.isfinite, row)):
        raise ParseError(
            "an energy is not a finite number; the run broke in this step. Use the steps before, "
            "or run again from an earlier restart",
            path,
            number,
        )
    return row
