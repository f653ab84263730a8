"""One ligand: what is known of its shell and of the dots under it, number by number."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from qdcomp.compare.observable import Observable, Origin
from qdcomp.errors import InputError

MINIMUM = "surface free energy at the minimum"
PER_SITE = "surface free energy per site at the minimum"
BOUND_AT_MINIMUM = "ligands at the minimum"
COVERAGE = "coverage at the minimum"
LAST_STEP = "differential surface free energy at full coverage"
BINDING = "binding energy"
ENTROPY = "gas-phase T·S"
CARBONS = "closest inter-ligand C–C"
RINGS = "closest ring centroids"
TAILS = "tail density"
PAIR = "pair interaction"

ON_FRACTION = "ON fraction"
MANDEL_Q = "Mandel Q"
T70 = "T70"
PHOTOSTABILITY = "photostability"
STILL_EMITTING = "share still emitting after 1 h"

CALCULATED = (
    MINIMUM,
    PER_SITE,
    BOUND_AT_MINIMUM,
    COVERAGE,
    LAST_STEP,
    BINDING,
    ENTROPY,
    CARBONS,
    RINGS,
    TAILS,
    PAIR,
)
"""What is calculated of a ligand shell, in the order of a table."""

MEASURED = (ON_FRACTION, MANDEL_Q, T70, PHOTOSTABILITY, STILL_EMITTING)
"""What is measured on dots under it."""

_CUT = re.compile(r"(?P<base>[^_]+)_(?P<form>C\d+|truncated|full)")


@dataclass(frozen=True)
class Bound:
    """A limit in place of a number: a paper prints "< 4", a dot outlives its measurement.

    Attributes
    ----------
    quantity
        What it is a limit of.
    relation
        ``"<"`` where the number lies below the limit, ``">"`` where above.
    limit
        The limit, in `unit`.
    unit, origin, source, label, published, assumptions
        As of an `Observable`.
    """

    quantity: str
    relation: Literal["<", ">"]
    limit: float
    unit: str
    origin: Origin
    source: str
    label: str
    published: bool = False
    assumptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not math.isfinite(self.limit):
            raise InputError(f"{self.label}: the limit of {self.quantity} is {self.limit}")

    def holds(self, value: float) -> bool:
        """Whether a number in the same unit keeps the limit."""
        return value < self.limit if self.relation == "<" else value > self.limit


Entry = Observable | Bound
"""A number or a limit."""


@dataclass(frozen=True)
class LigandCell:
    """One quantity of one ligand.

    Attributes
    ----------
    quantity
        One of `CALCULATED` or `MEASURED`.
    own
        The user's, the one that counts first; empty where there is none.
    own_reason
        Why there is none; empty where there is one.
    published
        The papers', likewise.
    published_reason
        Likewise.
    """

    quantity: str
    own: tuple[Entry, ...]
    own_reason: str
    published: tuple[Entry, ...]
    published_reason: str


@dataclass(frozen=True)
class LigandRow:
    """All that is known of one ligand.

    Attributes
    ----------
    ligand
        Its base name: ``DDA`` for ``DDA_C8`` too.
    cells
        One for each of `CALCULATED`, then of `MEASURED`.
    notes
        What was taken for the same.
    """

    ligand: str
    cells: tuple[LigandCell, ...]
    notes: tuple[str, ...] = ()

    def find(self, quantity: str) -> LigandCell:
        """Find the cell of a quantity.

        Raises
        ------
        InputError
            If there is no such quantity.
        """
        for cell in self.cells:
            if cell.quantity == quantity:
                return cell
        raise InputError(
            f"unknown quantity {quantity!r} of a ligand; known: "
            + ", ".join(cell.quantity for cell in self.cells)
        )


def describe_slab(sites: int) -> str:
    """Note of which slab a number of ligands is of; the same for one's own and the paper's."""
    return f"slab with {sites} sites"


def describe_reference(reference: str) -> str:
    """Note of what a binding energy is counted from; the same for one's own and the paper's."""
    return f"counted from {reference}"


def find_base_name(ligand: str) -> str:
    """Find the base name of a ligand: DDA of ``DDA_C8``, ``DDA_truncated`` and ``DDA_full``.

    Raises
    ------
    InputError
        If the name is empty.
    """
    name = ligand.strip()
    if not name:
        raise InputError("a ligand has no name; give the one it has in the library, such as PEA")
    match = _CUT.fullmatch(name)
    return match["base"] if match else name


def is_truncated(ligand: str) -> bool:
    """Whether a name is that of a ligand with shortened tails."""
    match = _CUT.fullmatch(ligand.strip())
    return match is not None and match["form"] != "full"


def describe_truncation(calculated: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """Say where a ligand with shortened tails stands for the whole one, or the reverse.

    Parameters
    ----------
    calculated
        Names of one ligand that calculations go by.
    others
        Names that what they are held against goes by.
    """
    notes = []
    for name in dict.fromkeys(calculated):
        for other in dict.fromkeys(others):
            if is_truncated(name) and not is_truncated(other):
                notes.append(f"{name} has shortened tails and is held against {other}")
            elif is_truncated(other) and not is_truncated(name):
                notes.append(f"{name} has its full tails and is held against {other}")
            elif is_truncated(name) and name != other:
                notes.append(f"{name} is held against {other}: the length may differ")
    return tuple(notes)
