"""Linewidths that a user measured: from fitted spectra, or from what ``qdcomp spectrum`` wrote."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qdcomp.compare.observable import Observable
from qdcomp.compare.published_linewidths import LINEWIDTH, ROOM_TEMPERATURE_K
from qdcomp.errors import InputError, ParseError
from qdcomp.experiment import Estimate
from qdcomp.experiment.spectra.emission_fit import EmissionFit

ASSUMED_ROOM = f"measured at an unstated temperature, taken as {ROOM_TEMPERATURE_K:g} K"

_ONE, _MANY = "line", "dots"
"""Keys that tell the results of one dot and the table of many."""


def observe_fitted_line(
    fit: EmissionFit, label: str, temperature_k: float | None = None
) -> Observable:
    """Give the linewidth of a fitted spectrum.

    Parameters
    ----------
    fit
        Fit of the emission line.
    label
        The dot in a few words.
    temperature_k
        Temperature of the measurement [K]; room temperature, with a note, where nobody says.
    """
    return _observe(label, fit.fwhm_mev, fit.peak_energy_ev, temperature_k)


def read_measured_linewidths(
    path: Path | str, temperature_k: float | None = None
) -> tuple[Observable, ...]:
    """Read linewidths that ``qdcomp spectrum`` wrote.

    Parameters
    ----------
    path
        ``results.json`` of one dot's report, or the output of ``--json``, with ``--table`` too.
    temperature_k
        Temperature of the measurement [K]; room temperature, with a note, where nobody says.

    Raises
    ------
    ParseError
        If it is no such file.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ParseError(f"is no JSON of linewidths: {error}", path=path) from error
    if not isinstance(content, dict) or not {_ONE, _MANY} & set(content):
        raise ParseError(
            "has no linewidths; expected what this writes: qdcomp spectrum --table --json FILES",
            path=path,
        )
    dots = content[_MANY] if _MANY in content else {content.get("source") or path.name: content}
    if not isinstance(dots, dict) or not dots:
        raise ParseError("holds no dot", path=path)
    return tuple(_read_dot(name, dot, path, temperature_k) for name, dot in dots.items())


def _read_dot(name: str, dot: Any, path: Path, temperature_k: float | None) -> Observable:
    label = Path(name).name
    try:
        width, peak = (_read_estimate(dot[_ONE][key]) for key in ("fwhm_mev", "peak_energy_ev"))
        return _observe(label, width, peak, temperature_k)
    except (KeyError, TypeError, ValueError, InputError) as error:
        raise ParseError(f"{label} has no usable linewidth and peak: {error}", path=path) from error


def _read_estimate(entry: Mapping[str, Any]) -> Estimate:
    error = entry["error"]
    return Estimate(float(entry["value"]), math.nan if error is None else float(error))


def _observe(
    label: str, width_mev: Estimate, peak_ev: Estimate, temperature_k: float | None
) -> Observable:
    return Observable(
        quantity=LINEWIDTH,
        value=width_mev.value,
        error=width_mev.error if math.isfinite(width_mev.error) else None,
        unit="meV",
        origin="measured",
        source="measured here",
        label=label,
        temperature_k=ROOM_TEMPERATURE_K if temperature_k is None else temperature_k,
        peak_ev=peak_ev,
        assumptions=(ASSUMED_ROOM,) if temperature_k is None else (),
    )
