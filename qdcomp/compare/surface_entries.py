"""One route to the surface's share of the linewidth, as a number or absent."""

from __future__ import annotations

import math
from dataclasses import dataclass

from qdcomp.compare.observable import Observable
from qdcomp.errors import InputError
from qdcomp.experiment import Estimate

FROZEN = "frozen shell"
MODES = "mode participation"
CORE_SHELL = "core/shell"

OF_LINEWIDTH = "surface share of the linewidth"
OF_COUPLING = "surface share of Λ"


@dataclass(frozen=True)
class SurfaceShare:
    """The surface's share by one route.

    Attributes
    ----------
    route
        ``frozen shell``, ``mode participation`` or ``core/shell``.
    label
        The dots; empty where the route is not available.
    definition
        What the share is by this route; likewise.
    cells
        Outer unit cells that are the surface; None likewise.
    of_linewidth, of_coupling
        Share of Γ and of Λ, 0 to 1; None likewise.
    reason
        Why the route is not available; empty where it is.
    notes
        What it rests on.
    """

    route: str
    label: str
    definition: str
    cells: float | None
    of_linewidth: Observable | None
    of_coupling: Observable | None
    reason: str = ""
    notes: tuple[str, ...] = ()


def describe_cells(cells: float) -> str:
    """Name the outer cells, ``outer 2 unit cells``."""
    return f"outer {cells:g} unit cell{'' if cells == 1.0 else 's'}"


def convert_coupling_share(share: float) -> Estimate:
    """Share of Γ that follows from a share f of Λ, 1 − √(1 − f), without an error."""
    return Estimate(1.0 - math.sqrt(1.0 - share), math.nan)


def make_share(
    route: str,
    label: str,
    definition: str,
    cells: float,
    of_linewidth: Estimate,
    of_coupling: Estimate,
    *,
    source: str,
    temperature_k: float | None,
    edge_nm: float | None,
    notes: tuple[str, ...],
    published: bool = False,
) -> SurfaceShare:
    """Make the share of a route out of its two numbers; a NaN error is none.

    Raises
    ------
    InputError
        If the surface has no thickness.
    """
    if not (math.isfinite(cells) and cells > 0.0):
        raise InputError(f"{route} of {label}: the surface is {cells} cells thick; expected > 0")

    def observe(quantity: str, estimate: Estimate) -> Observable:
        return Observable(
            quantity=quantity,
            value=estimate.value,
            error=estimate.error if math.isfinite(estimate.error) else None,
            unit="1",
            origin="calculated",
            source=source,
            label=label,
            published=published,
            temperature_k=temperature_k,
            edge_nm=None if edge_nm is None else Estimate(edge_nm, math.nan),
            assumptions=(f"{route}: {definition}",),
        )

    return SurfaceShare(
        route=route,
        label=label,
        definition=definition,
        cells=cells,
        of_linewidth=observe(OF_LINEWIDTH, of_linewidth),
        of_coupling=observe(OF_COUPLING, of_coupling),
        notes=notes,
    )
