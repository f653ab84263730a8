"""What share of a measured linewidth the calculated one explains.

    linear:      Γ_calc / Γ_meas
    quadrature:  (Γ_calc / Γ_meas)²     share of the variance, for independent Gaussian broadenings

The linear one is how Rainò et al. 2022 put it (SI Note 1: "the phonon-sideband broadening accounts
for 70 % of the overall linewidth"; their Fig. 6d holds Γ from S against Γ of the dephasing, both in
meV). Their overall linewidth is itself calculated, that of the 2.4 nm dot's trajectory at 300 K
with its anharmonic motion, and not measured: 164 meV of some 234 meV. As a share of the variance
it is 49 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from qdcomp.compare.observable import Observable, convert_observable
from qdcomp.errors import InputError


@dataclass(frozen=True)
class ExplainedShare:
    """Share of a width that another explains.

    Attributes
    ----------
    linear, linear_error
        Γ_calc / Γ_meas and its standard error; the error is None where neither width has one.
    quadrature, quadrature_error
        (Γ_calc / Γ_meas)² and its standard error; likewise.
    remainder
        Width that would have to be added in quadrature, in the unit of the measured one; None where
        the calculated width is the larger.
    notes
        What limits the number.
    """

    linear: float
    linear_error: float | None
    quadrature: float
    quadrature_error: float | None
    remainder: float | None
    notes: tuple[str, ...]


def compute_explained_share(calculated: Observable, measured: Observable) -> ExplainedShare:
    """Give the share of a measured width that the calculated one is.

    Parameters
    ----------
    calculated, measured
        Linewidths of one temperature.

    Raises
    ------
    InputError
        If the units measure different things or a width is not positive.
    """
    calculated = convert_observable(calculated, measured.unit)
    for one in (calculated, measured):
        if one.value <= 0.0:
            raise InputError(f"the linewidth of {one.label} is {one.value:g} {one.unit}")
    linear = calculated.value / measured.value
    relative = [one.error / one.value for one in (calculated, measured) if one.error is not None]
    error = linear * math.hypot(*relative) if relative else None
    notes = []
    if len(relative) == 1:
        silent = calculated if calculated.error is None else measured
        notes.append(f"{silent.label} has no error: that of the share is from the other width only")
    remainder = None
    if linear <= 1.0:
        remainder = math.sqrt(measured.value**2 - calculated.value**2)
    else:
        notes.append("the calculated width is larger than the measured: it explains all of it")
    return ExplainedShare(
        linear=linear,
        linear_error=error,
        quadrature=linear**2,
        quadrature_error=None if error is None else 2.0 * linear * error,
        remainder=remainder,
        notes=tuple(notes),
    )
