"""OSZICAR: one line for each electronic step, one for each geometry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from qdcomp.engines.vasp.text_files import iterate_lines
from qdcomp.errors import ParseError

OSZICAR = "OSZICAR"
"""Name of the file."""

_HEADING = re.compile(r"\s+N\s+E\s+dE")
_ELECTRONIC = re.compile(r"(?:\w+\s*:|[A-Z]{3,}:?)\s+(\d+|\*+)\s+")
_IONIC = re.compile(r"\s*(\d+)\s+(?:F|T)=")
_FIELD = re.compile(r"(E0|EK|SP|SK|F|T|E|d E|mag)\s*=\s*(-?\d*\.?\d+(?:E[-+]?\d+)?|\*+)\.?")


@dataclass(frozen=True)
class EnergyLine:
    """The energies of one geometry.

    Attributes
    ----------
    number
        Number of the ionic step, from one.
    scf_steps
        Electronic steps.
    free_energy_ev, energy_ev
        F, and the energy extrapolated to no smearing (``E0``) [eV].
    change_ev
        Change of F since the geometry before (``d E``) [eV]; None in dynamics.
    magnetization
        Total magnetization; None without spin.
    temperature_k, kinetic_energy_ev, conserved_energy_ev
        Of dynamics, else None.
    """

    number: int
    scf_steps: int
    free_energy_ev: float
    energy_ev: float
    change_ev: float | None = None
    magnetization: float | None = None
    temperature_k: float | None = None
    kinetic_energy_ev: float | None = None
    conserved_energy_ev: float | None = None


@dataclass(frozen=True)
class EnergyLog:
    """All of an OSZICAR.

    Attributes
    ----------
    lines
        One entry for each geometry that is whole.
    unfinished_scf_steps
        Electronic steps of a geometry that was begun and not finished.
    """

    lines: tuple[EnergyLine, ...]
    unfinished_scf_steps: int


def read_oszicar(path: Path) -> EnergyLog:
    """Read an OSZICAR; an empty one, of a run that wrote nothing yet, has no lines.

    Raises
    ------
    ParseError
        The file is missing, or no OSZICAR.
    """
    found: list[EnergyLine] = []
    electronic = 0
    for number, line in enumerate(iterate_lines(path), start=1):
        if not line.endswith("\n") and _IONIC.match(line):
            break  # cut off
        if (match := _IONIC.match(line)) is not None:
            found.append(_read_ionic(line, int(match[1]), electronic, (path, number)))
            electronic = 0
        elif _ELECTRONIC.match(line):
            electronic += 1
        elif number == 1 and line.strip() and not _HEADING.match(line):
            raise ParseError(
                f"no OSZICAR: it begins with {line.strip()[:60]!r}; expected the heading of a "
                "table of electronic steps (N, E, dE, …)",
                path,
                number,
            )
    return EnergyLog(tuple(found), electronic)


def _read_ionic(line: str, number: int, electronic: int, where: tuple[Path, int]) -> EnergyLine:
    values = {name: value for name, value in _FIELD.findall(line) if not value.startswith("*")}
    if "F" not in values or "E0" not in values:
        raise ParseError(
            f"{line.strip()[:80]!r} has no energies F and E0; stars are numbers too large for "
            "their columns, as when atoms are on top of each other",
            *where,
        )
    numbers = {name: float(value) for name, value in values.items()}
    return EnergyLine(
        number=number,
        scf_steps=electronic,
        free_energy_ev=numbers["F"],
        energy_ev=numbers["E0"],
        change_ev=numbers.get("d E"),
        magnetization=numbers.get("mag"),
        temperature_k=numbers.get("T"),
        kinetic_energy_ev=numbers.get("EK"),
        conserved_energy_ev=numbers.get("E"),
    )
