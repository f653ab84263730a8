"""A number with all that one must know to hold it against another.

Value, uncertainty, unit, temperature, size, and where it is from: calculated with what, measured by
whom, published where. `compare_observables` gives the distance of two in units of their combined
error; it converts units of one kind and refuses what is not of one kind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from qdcomp.errors import InputError
from qdcomp.experiment import Estimate

Origin = Literal["calculated", "measured"]

UNIT_SCALES: dict[str, tuple[str, float]] = {
    "eV": ("energy", 1.0),
    "meV": ("energy", 1e-3),
    "nm": ("length", 1.0),
    "Å": ("length", 0.1),
    "s": ("time", 1.0),
    "h": ("time", 3600.0),
    "min": ("time", 60.0),
    "ns": ("time", 1e-9),
    "ps": ("time", 1e-12),
    "fs": ("time", 1e-15),
    "1/s": ("rate", 1.0),
    "kHz": ("rate", 1e3),
    "MHz": ("rate", 1e6),
    "1": ("number", 1.0),
    "%": ("number", 0.01),
    "1/nm²": ("density", 1.0),
}
"""What a unit measures, and how much of the first unit of that kind it is."""

TEMPERATURE_TOLERANCE_K = 5.0
"""Temperatures closer than this are one: a linewidth ∝ √T moves by less than 1 % at 300 K."""


@dataclass(frozen=True)
class Observable:
    """One number of one dot, slab or ligand.

    Attributes
    ----------
    quantity
        What it is, ``"linewidth"`` (full width at half maximum) for example.
    value, error
        The number and its standard error (68 %) in `unit`; the error is None where nobody gave one.
    unit
        One of `UNIT_SCALES`; ``"1"`` for a pure number.
    origin
        Whether it was calculated or measured.
    source
        Calculated with what, measured by whom, or published where.
    label
        The dot or ligand it is of, in a few words.
    published
        Whether it is printed in a paper.
    temperature_k
        Temperature it holds at [K]; None where it has none or nobody said.
    edge_nm, peak_ev
        Edge of the cube [nm] and peak of the emission [eV]; None where unknown.
    assumptions
        What was assumed on the way to it: the engine is a surrogate, a sizing curve was used.
    """

    quantity: str
    value: float
    error: float | None
    unit: str
    origin: Origin
    source: str
    label: str
    published: bool = False
    temperature_k: float | None = None
    edge_nm: Estimate | None = None
    peak_ev: Estimate | None = None
    assumptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _find_scale(self.unit)
        if not math.isfinite(self.value):
            raise InputError(f"{self.label}: {self.quantity} of {self.source} is {self.value}")
        if self.error is not None and not (math.isfinite(self.error) and self.error >= 0.0):
            raise InputError(
                f"{self.label}: the error of {self.quantity} of {self.source} is {self.error}; "
                "give a standard error of zero or more, or none"
            )


@dataclass(frozen=True)
class Difference:
    """How far one observable is from another.

    Attributes
    ----------
    first, second
        The two, in one unit.
    value
        First minus second, in that unit.
    error
        Error of the difference: both in quadrature. None where neither has one.
    one_sided
        True where only one of the two has an error: the distance is then an upper bound.
    notes
        What was assumed in comparing them.
    """

    first: Observable
    second: Observable
    value: float
    error: float | None
    one_sided: bool
    notes: tuple[str, ...]

    @property
    def sigmas(self) -> float | None:
        """Distance in units of the combined error; None where there is none."""
        return abs(self.value) / self.error if self.error else None

    @property
    def ratio(self) -> float | None:
        """First over second; None where the second is zero."""
        return self.first.value / self.second.value if self.second.value else None


def convert_observable(observable: Observable, unit: str) -> Observable:
    """Give the observable in another unit of the same kind.

    Raises
    ------
    InputError
        If the units measure different things, or one is unknown.
    """
    kind, scale = _find_scale(observable.unit)
    wanted_kind, wanted_scale = _find_scale(unit)
    if kind != wanted_kind:
        hint = " (a width in nm becomes one in eV only with the peak: dE = hc dλ/λ²)"
        raise InputError(
            f"{observable.quantity} of {observable.label} is in {observable.unit} ({kind}), "
            f"which is no {wanted_kind} in {unit}"
            + (hint if {kind, wanted_kind} <= {"energy", "length"} else "")
        )
    factor = scale / wanted_scale
    error = None if observable.error is None else observable.error * factor
    return replace(observable, value=observable.value * factor, error=error, unit=unit)


def compare_observables(first: Observable, second: Observable) -> Difference:
    """Hold one observable against another: their difference in the unit of the first.

    Raises
    ------
    InputError
        If they are not of one quantity, one kind of unit, or one temperature.
    """
    if first.quantity != second.quantity:
        raise InputError(
            f"{first.quantity} of {first.label} cannot be compared with {second.quantity} of "
            f"{second.label}"
        )
    notes = _check_temperatures(first, second)
    second = convert_observable(second, first.unit)
    errors = [entry.error for entry in (first, second) if entry.error is not None]
    return Difference(
        first=first,
        second=second,
        value=first.value - second.value,
        error=math.hypot(*errors) if errors else None,
        one_sided=len(errors) == 1,
        notes=tuple(dict.fromkeys((*first.assumptions, *second.assumptions, *notes))),
    )


def _check_temperatures(first: Observable, second: Observable) -> tuple[str, ...]:
    if first.temperature_k is None and second.temperature_k is None:
        return ()
    if first.temperature_k is None or second.temperature_k is None:
        silent, other = (first, second) if first.temperature_k is None else (second, first)
        return (
            f"{silent.label} ({silent.source}) has no temperature: taken to be at "
            f"{other.temperature_k:g} K like {other.label}",
        )
    if abs(first.temperature_k - second.temperature_k) > TEMPERATURE_TOLERANCE_K:
        raise InputError(
            f"{first.quantity} of {first.label} is at {first.temperature_k:g} K and that of "
            f"{second.label} at {second.temperature_k:g} K; bring both to one temperature first"
        )
    return ()


def _find_scale(unit: str) -> tuple[str, float]:
    if unit not in UNIT_SCALES:
        raise InputError(f"unknown unit {unit!r}; known: {', '.join(UNIT_SCALES)}")
    return UNIT_SCALES[unit]
