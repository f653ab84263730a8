"""Cubic halide perovskites ABX3: which elements, which lattice constant, which formal charge.

The unit cell is cubic, Pm-3m (No. 221): A on the corners, B in the body centre, X in the face
centres. Formal charges are A +1, B +2, X −1 (PHYSICS.md, section 1).
"""

from __future__ import annotations

import difflib
import math
import re
from collections import Counter
from dataclasses import dataclass

from ase import Atoms

from qdcomp.errors import InputError

A_ELEMENTS = ("Cs",)
"""Elements on the A site."""

B_ELEMENTS = ("Pb", "Ca", "Sn")
"""Elements on the B site."""

X_ELEMENTS = ("Cl", "Br", "I")
"""Elements on the X site."""

FORMAL_CHARGES = {
    **dict.fromkeys(A_ELEMENTS, 1),
    **dict.fromkeys(B_ELEMENTS, 2),
    **dict.fromkeys(X_ELEMENTS, -1),
}
"""Formal charge of each element [e]."""

LATTICE_CONSTANT_RANGE = (4.5, 8.0)
"""Lattice constants outside this range [Å] are taken for a mistake of unit or digit: every
tabulated cubic ABX3 lies between 5.4 and 6.3 Å."""


@dataclass(frozen=True)
class TabulatedLatticeConstant:
    """Lattice constant of a cubic perovskite and where it comes from.

    Attributes
    ----------
    angstrom
        Cubic lattice constant [Å].
    source
        Where the number comes from.
    is_estimate
        True where no cubic phase has been measured, and the number was estimated.
    """

    angstrom: float
    source: str
    is_estimate: bool = False


# CsPbBr3 and CsPbI3 were compared with the Materials Project's cubic cells (5.949 and 6.275 Å,
# PBE). The other measured values are the ones the literature quotes for these papers; the papers
# themselves were not at hand. A study that depends on one of them should set its own.
LATTICE_CONSTANTS = {
    "CsPbCl3": TabulatedLatticeConstant(5.605, "measured, 320 K: Møller, Nature 182, 1436 (1958)"),
    "CsPbBr3": TabulatedLatticeConstant(
        5.87, "Rainò 2022, SI Supplementary Figure 13: 30 cells = 17.61 nm"
    ),
    "CsPbI3": TabulatedLatticeConstant(
        6.289, "measured, 634 K: Trots and Myagkota, J. Phys. Chem. Solids 69, 2520 (2008)"
    ),
    "CsSnCl3": TabulatedLatticeConstant(
        5.560, "measured: as in Huang and Lambrecht, Phys. Rev. B 88, 165203 (2013)"
    ),
    "CsSnBr3": TabulatedLatticeConstant(
        5.804, "measured, 300 K: as in Huang and Lambrecht, Phys. Rev. B 88, 165203 (2013)"
    ),
    "CsSnI3": TabulatedLatticeConstant(
        6.219, "measured, 446 K: Yamada et al., Chem. Lett. 20, 801 (1991)"
    ),
    "CsCaCl3": TabulatedLatticeConstant(5.396, "measured, room temperature, as commonly quoted"),
    "CsCaBr3": TabulatedLatticeConstant(
        5.69, "measured, room temperature: 5.69 to 5.70 Å as commonly quoted"
    ),
    "CsCaI3": TabulatedLatticeConstant(
        6.17,
        "estimate: 2 (r_Ca + r_I) = 6.40 Å (Shannon radii 1.00 and 2.20 Å) less the 0.23 Å by "
        "which the same sum exceeds the measured CsCaCl3 and CsCaBr3; the crystal is orthorhombic",
        is_estimate=True,
    ),
}
"""Lattice constants by formula."""


@dataclass(frozen=True)
class Perovskite:
    """Composition ABX3.

    Attributes
    ----------
    a, b, x
        Element symbols of the three sites.
    """

    a: str
    b: str
    x: str

    @property
    def formula(self) -> str:
        """Formula, for example ``CsPbBr3``."""
        return f"{self.a}{self.b}{self.x}3"


def parse_composition(formula: str) -> Perovskite:
    """Read a formula such as ``CsPbBr3``; the order of the elements does not matter.

    Raises
    ------
    InputError
        If it is no formula, names an element that no site takes, or is not ABX3.
    """
    allowed = (
        f"expected ABX3 with A of {', '.join(A_ELEMENTS)}; B of {', '.join(B_ELEMENTS)}; "
        f"X of {', '.join(X_ELEMENTS)}, for example CsPbBr3"
    )
    if not isinstance(formula, str) or not re.fullmatch(r"([A-Z][a-z]?\d*)+", formula):
        raise InputError(f"{formula!r} is not a chemical formula; {allowed}")
    counts: Counter[str] = Counter()
    for symbol, number in re.findall(r"([A-Z][a-z]?)(\d*)", formula):
        if symbol not in FORMAL_CHARGES:
            near = difflib.get_close_matches(symbol, FORMAL_CHARGES, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise InputError(f"unknown element {symbol!r} in {formula!r}{hint}; {allowed}")
        counts[symbol] += int(number or 1)
    chosen: list[str] = []
    for site, elements, number in (
        ("A", A_ELEMENTS, 1),
        ("B", B_ELEMENTS, 1),
        ("X", X_ELEMENTS, 3),
    ):
        present = {symbol: counts[symbol] for symbol in elements if symbol in counts}
        if list(present.values()) != [number]:
            got = ", ".join(f"{count} {symbol}" for symbol, count in present.items()) or "nothing"
            raise InputError(
                f"wrong stoichiometry in {formula!r}: {got} on the {site} site, which takes "
                f"{number} of one element; {allowed}"
            )
        chosen.extend(present)
    return Perovskite(*chosen)


def resolve_lattice_constant(composition: str, lattice_constant: float | None) -> float:
    """Give the lattice constant asked for or, for None, the tabulated one [Å].

    Raises
    ------
    InputError
        If the number is not a plausible lattice constant in Å.
    """
    if lattice_constant is None:
        return LATTICE_CONSTANTS[parse_composition(composition).formula].angstrom
    low, high = LATTICE_CONSTANT_RANGE
    try:
        value = float(lattice_constant)
    except (TypeError, ValueError):
        value = math.nan
    if not low <= value <= high:
        raise InputError(
            f"lattice constant {lattice_constant!r}: expected a length in Å between {low} and "
            f"{high} (CsPbBr3: 5.87); leave it out for the tabulated value"
        )
    return value


def build_bulk(composition: str = "CsPbBr3", lattice_constant: float | None = None) -> Atoms:
    """Build the cubic five-atom unit cell of a perovskite, periodic in three directions.

    Parameters
    ----------
    composition
        Formula ABX3.
    lattice_constant
        Cubic lattice constant [Å]; None takes the tabulated one.

    Returns
    -------
    Atoms
        A at the corner, B at the body centre, X at the three face centres [Å].

    Raises
    ------
    InputError
        If the composition or the lattice constant cannot be used.
    """
    perovskite = parse_composition(composition)
    edge = resolve_lattice_constant(composition, lattice_constant)
    return Atoms(
        [perovskite.a, perovskite.b, *[perovskite.x] * 3],
        scaled_positions=[
            (0.0, 0.0, 0.0),
            (0.5, 0.5, 0.5),
            (0.5, 0.5, 0.0),
            (0.5, 0.0, 0.5),
            (0.0, 0.5, 0.5),
        ],
        cell=[edge, edge, edge],
        pbc=True,
    )
