"""Quantities as a person writes them, ``10 fs`` or ``24 meV/angstrom``, to internal units.

Internal units are eV, Å, fs and K.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from qdcomp.errors import InputError
from qdcomp.units import BOHR_ANGSTROM, HARTREE_EV, RYDBERG_EV


@dataclass(frozen=True)
class Dimension:
    """A kind of quantity.

    Attributes
    ----------
    name
        What it is, in words.
    units
        Size of each unit, by its name, in the internal unit.
    internal
        Name of the internal unit.
    example
        A well-formed quantity, shown in errors.
    """

    name: str
    units: Mapping[str, float]
    internal: str
    example: str

    @property
    def indefinite(self) -> str:
        """The name with its article, ``an energy``."""
        return f"{'an' if self.name[0] in 'aeiou' else 'a'} {self.name}"


TIME = Dimension("time", {"as": 1e-3, "fs": 1.0, "ps": 1e3, "ns": 1e6}, "fs", "10 fs")

TEMPERATURE = Dimension("temperature", {"mK": 1e-3, "K": 1.0}, "K", "10 K")

LENGTH = Dimension(
    "length",
    {"angstrom": 1.0, "Å": 1.0, "nm": 10.0, "pm": 0.01, "bohr": BOHR_ANGSTROM},
    "angstrom",
    "5.87 angstrom",
)

ENERGY = Dimension(
    "energy",
    {"meV": 1e-3, "eV": 1.0, "Ry": RYDBERG_EV, "Ha": HARTREE_EV, "hartree": HARTREE_EV},
    "eV",
    "10 meV",
)

FORCE = Dimension(
    "force",
    {
        f"{energy}/{length}": ENERGY.units[energy] / LENGTH.units[length]
        for energy in ENERGY.units
        for length in ("angstrom", "Å", "nm", "bohr")
    },
    "eV/angstrom",
    "24 meV/angstrom",
)

PRESSURE = Dimension(
    "pressure",
    {"Pa": 1.0, "kPa": 1e3, "mbar": 100.0, "bar": 1e5, "atm": 101325.0},
    "Pa",
    "1 atm",
)

DIMENSIONS = (TIME, TEMPERATURE, LENGTH, ENERGY, FORCE, PRESSURE)
"""Every kind of quantity that a study may hold."""

_QUANTITY = re.compile(
    r"\s*(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?P<unit>(?:\s+\S.*|[^\s\d.].*)?)",
    re.ASCII,
)


def parse_quantity(text: str, dimension: Dimension) -> float:
    """Read `text` as a number of internal units.

    Raises
    ------
    InputError
        No number, no unit, or not a unit of that dimension.
    """
    number, unit = split_quantity(text)
    if number is None:
        raise InputError(
            f"{text!r} is not {dimension.indefinite}; write it like {dimension.example}"
        )
    if not unit:
        raise InputError(
            f"{text!r} has no unit; write {dimension.indefinite} like {dimension.example}"
        )
    if unit not in dimension.units:
        raise InputError(f"{text!r}: {_describe_wrong_unit(unit, dimension)}")
    # 15 digits: 4.35 ps is 4350 fs, not 4349.999999999999.
    value = float(f"{number * dimension.units[unit]:.15g}")
    if not math.isfinite(value):
        raise InputError(f"{text!r} is larger than any {dimension.name}")
    return value


def split_quantity(text: str) -> tuple[float | None, str]:
    """Split `text` into number and unit; None where it does not start with a finite number."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None, ""
    number = float(match["number"])
    return (number if math.isfinite(number) else None), match["unit"].strip()


def parse_for_key(text: str, key: str) -> float:
    """Read a quantity for a setting of an engine, in the unit that the name of the setting ends in.

    ``300 Ry`` is 300 for ``cutoff_ry``, and 4081.7, in eV, for a name that ends in no unit.

    Raises
    ------
    InputError
        There is no such unit, or it is of another dimension than the name's.
    """
    unit = split_quantity(text)[1]
    dimension = find_dimension(unit)
    if dimension is None:
        every = [name for dimension in DIMENSIONS for name in dimension.units]
        raise InputError(
            f"{text!r}: there is no unit {unit!r}{suggest_nearest(unit, every)}; "
            "put a text that starts with a number into quotes"
        )
    value = parse_quantity(text, dimension)
    ending = key.rpartition("_")[2].lower()
    for own in DIMENSIONS:
        for name, size in own.units.items():
            if name.lower() == ending and "_" in key:
                return float(f"{parse_quantity(text, own) / size:.15g}")
    return value


def find_dimension(unit: str) -> Dimension | None:
    """Find the kind of quantity that `unit` measures; None if no unit has that name."""
    return next((dimension for dimension in DIMENSIONS if unit in dimension.units), None)


def format_quantity(value: float, dimension: Dimension) -> str:
    """Write `value` [internal unit] as a study does."""
    return f"{value!r} {dimension.internal}".replace(".0 ", " ")


def format_optional(value: float | None, dimension: Dimension) -> str | None:
    """Write `value` [internal unit] as a study does; None where there is none."""
    return None if value is None else format_quantity(value, dimension)


def format_all(values: tuple[float, ...], dimension: Dimension) -> list[str]:
    """Write several values [internal unit] as a study does."""
    return [format_quantity(value, dimension) for value in values]


def suggest_nearest(word: str, choices: Mapping[str, object] | tuple[str, ...] | list[str]) -> str:
    """Ask ``; did you mean 'cells'?``, or nothing where no choice is near."""
    lower = {choice.lower(): choice for choice in choices}
    near = difflib.get_close_matches(word.lower(), list(lower), n=1, cutoff=0.5)
    return f"; did you mean {lower[near[0]]!r}?" if near else ""


def _describe_wrong_unit(unit: str, dimension: Dimension) -> str:
    other = find_dimension(unit)
    found = f"{unit!r} is a unit of {other.name}" if other else f"there is no unit {unit!r}"
    hint = "" if other else suggest_nearest(unit, dimension.units)
    return f"{found}{hint}; write {dimension.indefinite} like {dimension.example}"
