"""Whether the routes to the surface's share agree."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from qdcomp.compare.observable import Difference, Observable, compare_observables
from qdcomp.compare.surface_entries import SurfaceShare, describe_cells
from qdcomp.errors import InputError

AGREEING_SIGMAS = 2.0
"""Combined errors within which two shares agree."""


@dataclass(frozen=True)
class Agreement:
    """How far the routes are from each other.

    Attributes
    ----------
    between_routes
        Differences of the share of Γ between the user's routes, of one thickness each.
    from_published
        His own less the paper's, by the same route and of the same thickness.
    agree
        Whether all that can be judged agree; None where nothing can.
    sentence
        That in words.
    not_compared
        Why two shares were not held against each other.
    """

    between_routes: tuple[Difference, ...]
    from_published: tuple[Difference, ...]
    agree: bool | None
    sentence: str
    not_compared: tuple[str, ...]


def judge_routes(own: Sequence[SurfaceShare], published: Sequence[SurfaceShare]) -> Agreement:
    """Hold the routes against each other and against the paper.

    Two routes are compared where both call the same outer cells the surface and are at one
    temperature. They agree within `AGREEING_SIGMAS` combined errors; where one has no error, its
    partner's alone says that they agree, and not that they do not.
    """
    known = [share for share in own if share.of_linewidth is not None]
    between: list[Difference] = []
    refused: list[str] = []
    for first, second in itertools.combinations(known, 2):
        if first.route != second.route:
            _compare(first, second, between, refused)
    beside: list[Difference] = []
    for first, second in itertools.product(known, published):
        if first.route == second.route and second.of_linewidth is not None:
            _compare(first, second, beside, refused)
    verdicts = [_agrees(difference) for difference in between]
    judged = [verdict for verdict in verdicts if verdict is not None]
    return Agreement(
        between_routes=tuple(between),
        from_published=tuple(beside),
        agree=all(judged) if judged else None,
        sentence=_write_sentence(known, published, between, verdicts),
        not_compared=tuple(refused),
    )


def _compare(
    first: SurfaceShare, second: SurfaceShare, found: list[Difference], refused: list[str]
) -> None:
    """Append the difference of two shares, or why there is none."""
    one, other = first.of_linewidth, second.of_linewidth
    if one is None or other is None:
        return
    names = f"{first.route} ({first.label}) and {second.route} ({second.label})"
    if first.cells != second.cells:
        refused.append(f"{names}: surfaces of {first.cells:g} and {second.cells:g} cells")
        return
    try:
        found.append(compare_observables(one, other))
    except InputError as error:
        refused.append(f"{names}: {error}")


def _agrees(difference: Difference) -> bool | None:
    """Whether two shares agree; None where an error that is missing could decide it."""
    if difference.sigmas is None:
        return None
    if difference.sigmas <= AGREEING_SIGMAS:
        return True
    return None if difference.one_sided else False


def _write_sentence(
    known: Sequence[SurfaceShare],
    published: Sequence[SurfaceShare],
    between: Sequence[Difference],
    verdicts: Sequence[bool | None],
) -> str:
    paper = _list_values(published)
    beside = f" In the paper it is {paper}." if paper else ""
    values = _list_values(known)
    if not values:
        return f"No route to the surface's share of the linewidth is available.{beside}"
    verdict = _write_verdict(between, verdicts)
    return f"The surface's share of the linewidth is {values}. {verdict}{beside}"


def _list_values(shares: Sequence[SurfaceShare]) -> str:
    return "; ".join(
        f"{share.route}, {describe_cells(share.cells)}: {_write(share.of_linewidth)}"
        for share in shares
        if share.cells is not None and share.of_linewidth is not None
    )


def _write_verdict(between: Sequence[Difference], verdicts: Sequence[bool | None]) -> str:
    if not between:
        return (
            "No two routes are of the same cells and temperature, so none is held against another."
        )
    apart = [
        f"{_name(difference)} by {difference.sigmas:.1f} errors"
        for difference, verdict in zip(between, verdicts, strict=True)
        if verdict is False and difference.sigmas is not None
    ]
    open_pairs = [
        _name(difference)
        for difference, verdict in zip(between, verdicts, strict=True)
        if verdict is None
    ]
    parts = []
    if apart:
        parts.append(
            f"They do not agree: {', '.join(apart)}; each measures the surface in its own way."
        )
    elif len(open_pairs) < len(between):
        parts.append(f"They agree within {AGREEING_SIGMAS:g} combined errors.")
    if open_pairs:
        parts.append(f"Not decided, for want of an error: {', '.join(open_pairs)}.")
    return " ".join(parts)


def _name(difference: Difference) -> str:
    routes = [one.assumptions[0].split(":")[0] for one in (difference.first, difference.second)]
    return f"{routes[0]} and {routes[1]}"


def _write(share: Observable) -> str:
    error = "" if share.error is None else f" ± {100 * share.error:.0f}"
    return f"{100 * share.value:.0f}{error} %"
