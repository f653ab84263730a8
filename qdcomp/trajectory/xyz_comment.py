"""Comment lines of xyz frames: CP2K's ``i = , time = , E =``, extended xyz, or anything else."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError, ParseError
from qdcomp.units import ATOMIC_TIME_FS, BOHR_ANGSTROM, HARTREE_EV

Quantity = Literal["position", "velocity", "force"]
Convention = Literal["cp2k", "extxyz", "plain"]

UNITS: Mapping[Quantity, Mapping[str, float]] = {
    "position": {"angstrom": 1.0, "bohr": BOHR_ANGSTROM, "nm": 10.0},
    "velocity": {
        "angstrom/fs": 1.0,
        "angstrom/ps": 1e-3,
        "bohr/au_time": BOHR_ANGSTROM / ATOMIC_TIME_FS,
    },
    "force": {"ev/angstrom": 1.0, "hartree/bohr": HARTREE_EV / BOHR_ANGSTROM},
}
"""What one unit of a file is in Å, Å/fs, eV/Å."""

USUAL_UNITS: Mapping[Convention, Mapping[Quantity, str]] = {
    "cp2k": {"position": "angstrom", "velocity": "bohr/au_time", "force": "hartree/bohr"},
    "extxyz": {"position": "angstrom", "force": "ev/angstrom"},
    "plain": {"position": "angstrom"},
}
"""Units where the file does not say; velocities in extended xyz have no convention."""

COLUMN_NAMES: Mapping[Quantity, frozenset[str]] = {
    "position": frozenset({"pos", "positions"}),
    "velocity": frozenset({"velo", "vel", "velocity", "velocities"}),
    "force": frozenset({"force", "forces", "frc"}),
}
SPECIES_NAMES = frozenset({"species", "element", "symbols"})

_CP2K = re.compile(
    r"\s*i\s*=\s*(?P<step>[^\s,]+)"
    r"(?:\s*,\s*time\s*=\s*(?P<time>[^\s,]+))?"
    r"(?:\s*,\s*E\s*=\s*(?P<energy>[^\s,]+))?"
)
_PAIR = re.compile(r"""([^\s="']+)\s*=\s*(?:"([^"]*)"|'([^']*)'|\{([^}]*)\}|(\S+))""")


@dataclass(frozen=True)
class XyzComment:
    """What the comment line of a frame says.

    Attributes
    ----------
    convention
        Who writes such lines.
    step, time_fs, energy_ev
        Step number, time [fs] and energy [eV], where given.
    cell
        Cell vectors [Å], shape ``(3, 3)``, where given.
    info
        Every key of an extended xyz line with its text.
    """

    convention: Convention
    step: int | None = None
    time_fs: float | None = None
    energy_ev: float | None = None
    cell: NDArray[np.float64] | None = None
    info: Mapping[str, str] = field(default_factory=dict)


def parse_comment(text: str, path: Path, line: int) -> XyzComment:
    """Read a comment line.

    CP2K's energies are in hartree. In extended xyz ``energy`` is in eV (ASE's convention),
    ``step`` and ``time`` (fs) count in any case; an ``Energy`` in another spelling has no agreed
    unit and stays in ``info``.

    Raises
    ------
    ParseError
        If a number in it is none, or not finite.
    """
    match = _CP2K.match(text)
    if match:
        step, time, energy = match.group("step", "time", "energy")
        return XyzComment(
            "cp2k",
            step=int(_number(step, "step", path, line)),
            time_fs=None if time is None else _number(time, "time", path, line),
            energy_ev=(
                None if energy is None else _number(energy, "energy", path, line) * HARTREE_EV
            ),
        )
    if "Properties=" not in text and "Lattice=" not in text:
        return XyzComment("plain")
    info = {
        match.group(1): next(value for value in match.groups()[1:] if value is not None)
        for match in _PAIR.finditer(text)
    }
    lower = {key.lower(): value for key, value in info.items()}
    return XyzComment(
        "extxyz",
        step=int(_number(lower["step"], "step", path, line)) if "step" in lower else None,
        time_fs=_number(lower["time"], "time", path, line) if "time" in lower else None,
        energy_ev=_number(info["energy"], "energy", path, line) if "energy" in info else None,
        cell=_cell(info["Lattice"], path, line) if "Lattice" in info else None,
        info=info,
    )


def _number(text: str, what: str, path: Path, line: int) -> float:
    try:
        value = float(text.replace("D", "E"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ParseError(
            f"the {what} of this frame is {text!r}, not a finite number; the run broke here. "
            "Remove this and all later frames, or run again from an earlier restart",
            path,
            line,
        )
    return value


def _cell(text: str, path: Path, line: int) -> NDArray[np.float64]:
    numbers = [_number(part, "lattice", path, line) for part in text.split()]
    if len(numbers) != 9:
        raise ParseError(f"Lattice needs nine numbers, got {len(numbers)}", path, line)
    return np.array(numbers).reshape(3, 3)


@dataclass(frozen=True)
class Columns:
    """Where in an atom's line the symbol and the three numbers are, counted from zero."""

    species: int
    first_value: int

    @property
    def n_needed(self) -> int:
        """Columns that a line must have."""
        return max(self.species + 1, self.first_value + 3)


def find_columns(comment: XyzComment, quantity: Quantity, path: Path, line: int) -> Columns:
    """Find the columns of a quantity.

    Raises
    ------
    InputError
        If the file has no such quantity.
    ParseError
        If ``Properties`` cannot be read.
    """
    properties = comment.info.get("Properties")
    if properties is None:
        return Columns(species=0, first_value=1)
    parts = properties.split(":")
    species = first_value = None
    column = 0
    for name, count in zip(parts[0::3], parts[2::3], strict=False):
        if not count.isdigit():
            raise ParseError(
                f"Properties={properties} is not name:type:columns:…; correct this line",
                path,
                line,
            )
        if name.lower() in SPECIES_NAMES:
            species = column
        elif name.lower() in COLUMN_NAMES[quantity] and int(count) == 3:
            first_value = column
        column += int(count)
    if species is None or first_value is None:
        missing = "species" if species is None else quantity
        raise InputError(
            f"{path} has no {missing} columns: its Properties are {properties}; "
            "give a file that has them"
        )
    return Columns(species, first_value)


def find_factor(convention: Convention, quantity: Quantity, unit: str | None, path: Path) -> float:
    """Look up what one unit of the file is in Å, Å/fs or eV/Å.

    Raises
    ------
    InputError
        If the quantity or unit is unknown, or no unit is given where there is no usual one.
    """
    if quantity not in UNITS:
        raise InputError(f"quantity must be one of {', '.join(UNITS)}, got {quantity!r}")
    known = UNITS[quantity]
    chosen = unit if unit is not None else USUAL_UNITS[convention].get(quantity)
    if chosen is None:
        raise InputError(
            f"{path} does not say the unit of its {quantity} columns; "
            f"give unit as one of {', '.join(known)}"
        )
    if chosen not in known:
        raise InputError(f"unit of {quantity} must be one of {', '.join(known)}, got {unit!r}")
    return known[chosen]
