"""Printed linewidths as observables: calculated and measured, of the papers and of a user's file.

Every width is a full width at half maximum of the emission in meV; a width in nm at a wavelength λ
is dE = hc dλ/λ². What holds for the whole of a sample, its edge for example, is a note of each
point. Widths of the gap's histogram (free and frozen 2.9 nm dots) are another quantity and are not
here; printed ranges are no points and come from `list_published_ranges`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qdcomp.compare.observable import Observable, Origin
from qdcomp.compare.published import load_published
from qdcomp.experiment import Estimate
from qdcomp.experiment.spectra.spectrum import HC_EV_NM

LINEWIDTH = "linewidth"
"""Name of the quantity."""

ROOM_TEMPERATURE_K = 300.0
"""What room temperature is taken to be [K], as in the calculated table."""

ASSUMED_TEMPERATURE = f"measured at room temperature, taken as {ROOM_TEMPERATURE_K:g} K"

NO_PRINTED_ERROR = "printed without an error"


@dataclass(frozen=True)
class PublishedRange:
    """A printed range of linewidths, which is no point: nobody said of which size.

    Attributes
    ----------
    label
        What it is of, in the paper's words.
    low_mev, high_mev
        Ends [meV].
    source
        Paper and place.
    """

    label: str
    low_mev: float
    high_mev: float
    source: str


def list_published_linewidths(
    origin: Origin | None = None, published: Mapping[str, Any] | None = None
) -> tuple[Observable, ...]:
    """List every printed linewidth, in the order of the papers.

    Parameters
    ----------
    origin
        ``"calculated"`` or ``"measured"``; both if absent.
    published
        Numbers of `load_published`, with the user's own; the shipped ones if absent.
    """
    papers = load_published() if published is None else published
    points: list[Observable] = []
    for key, paper in papers.items():
        points.extend(_list_calculated(key, paper))
        points.extend(_list_measured(key, paper))
        points.extend(_read_single_width(key, paper))
        points.extend(_read_typical_width(key, paper))
    return tuple(point for point in points if origin in (None, point.origin))


def list_published_ranges(
    published: Mapping[str, Any] | None = None,
) -> tuple[PublishedRange, ...]:
    """List the printed ranges of measured linewidths.

    Parameters
    ----------
    published
        Numbers of `load_published`; the shipped ones if absent.
    """
    papers = load_published() if published is None else published
    return tuple(
        PublishedRange(
            str(row["what"]),
            float(row["fwhm_mev"][0]),
            float(row["fwhm_mev"][1]),
            _describe_source(key, row),
        )
        for key, paper in papers.items()
        for row in paper.get("measured", ())
        if isinstance(row["fwhm_mev"], list)
    )


def _list_calculated(key: str, paper: Mapping[str, Any]) -> list[Observable]:
    table = paper.get("coupling_table", {"rows": ()})
    return [
        Observable(
            quantity=LINEWIDTH,
            value=float(row["fwhm_300K_mev"]),
            error=_read_number(row, "fwhm_300K_error_mev"),
            unit="meV",
            origin="calculated",
            source=_describe_source(key, table),
            label=str(row["dot"]),
            published=True,
            temperature_k=300.0,
            edge_nm=_read_edge(row),
            assumptions=_note_missing_error(row, "fwhm_300K_error_mev"),
        )
        for row in table["rows"]
    ]


def _list_measured(key: str, paper: Mapping[str, Any]) -> list[Observable]:
    return [
        _measured(key, row, str(row["what"]), float(row["fwhm_mev"]))
        for row in paper.get("measured", ())
        if not isinstance(row["fwhm_mev"], list)
    ]


def _read_single_width(key: str, paper: Mapping[str, Any]) -> list[Observable]:
    """Read the entry ``linewidth``, of one dot."""
    row = paper.get("linewidth")
    return [] if row is None else [_measured(key, row, "single dot", float(row["fwhm_mev"]))]


def _read_typical_width(key: str, paper: Mapping[str, Any]) -> list[Observable]:
    """Read the entry ``typical``, a width in nm at a wavelength."""
    row = paper.get("typical", {})
    if "fwhm_nm" not in row or "cew_nm" not in row:
        return []
    wavelength, width = float(row["cew_nm"]), float(row["fwhm_nm"])
    per_nm = 1e3 * HC_EV_NM / wavelength**2
    error = _read_number(row, "fwhm_error_nm")
    converted = {
        **{name: row[name] for name in ("where", "temperature_k") if name in row},
        **({} if error is None else {"fwhm_error_mev": error * per_nm}),
        "peak_ev": HC_EV_NM / wavelength,
    }
    notes = [f"{width:g} nm at {wavelength:g} nm in energy, dE = hc dλ/λ²"]
    if isinstance(paper.get("edge_nm"), int | float):
        converted["edge_nm"] = paper["edge_nm"]
        notes.append("the edge is that of the batch")
    return [_measured(key, converted, "typical single dot", width * per_nm, tuple(notes))]


def _measured(
    key: str, row: Mapping[str, Any], what: str, width_mev: float, notes: tuple[str, ...] = ()
) -> Observable:
    edge, peak = _read_edge(row), _read_estimate(row, "peak_ev", "peak_error_ev")
    place = next(
        (
            f"{estimate.value:.5g} {unit}"
            for estimate, unit in ((peak, "eV"), (edge, "nm"))
            if estimate is not None and unit not in what
        ),
        "",
    )
    if "ensemble" in what:
        notes = (*notes, "of an ensemble: the spread of sizes is in the width")
    temperature = _read_number(row, "temperature_k")
    if temperature is None:
        notes = (*notes, ASSUMED_TEMPERATURE)
    return Observable(
        quantity=LINEWIDTH,
        value=width_mev,
        error=_read_number(row, "fwhm_error_mev"),
        unit="meV",
        origin="measured",
        source=_describe_source(key, row),
        label=f"{what}, {place}" if place else what,
        published=True,
        temperature_k=ROOM_TEMPERATURE_K if temperature is None else temperature,
        edge_nm=edge,
        peak_ev=peak,
        assumptions=(*notes, *_note_missing_error(row, "fwhm_error_mev")),
    )


def _describe_source(key: str, row: Mapping[str, Any]) -> str:
    return f"{key}, {row['where']}" if row.get("where") else key


def _note_missing_error(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return () if name in row else (NO_PRINTED_ERROR,)


def _read_number(row: Mapping[str, Any], name: str) -> float | None:
    return float(row[name]) if name in row else None


def _read_estimate(row: Mapping[str, Any], name: str, error: str) -> Estimate | None:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Estimate(float(value), float(row.get(error, math.nan)))


def _read_edge(row: Mapping[str, Any]) -> Estimate | None:
    """Edge of a row; the coupling table has it in the name of the dot, ``3.0 nm``."""
    if "edge_nm" in row:
        return _read_estimate(row, "edge_nm", "edge_error_nm")
    named = re.match(r"(\d+(?:\.\d+)?) nm\b", str(row.get("dot", "")))
    return Estimate(float(named.group(1)), math.nan) if named else None
