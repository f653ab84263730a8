"""What single-dot measurements give of a ligand: ON fraction, Mandel Q, T70 as observables."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from qdcomp.compare.ligand_entries import (
    MANDEL_Q,
    ON_FRACTION,
    PHOTOSTABILITY,
    STILL_EMITTING,
    T70,
    Bound,
    Entry,
)
from qdcomp.compare.observable import Observable
from qdcomp.errors import InputError
from qdcomp.experiment import Estimate
from qdcomp.experiment.blinking.blinking_statistics import BlinkingSummary, average_blinking

FIELDS = {ON_FRACTION: "on_fraction", MANDEL_Q: "mandel_q"}
"""Fields of a `BlinkingSummary` that are averaged over dots."""

SETTINGS_NOTE = "depends on time bin, threshold and length of the measurement"
"""What an ON fraction and a Mandel Q are to be read with."""


@dataclass(frozen=True)
class LigandMeasurement:
    """Blinking of dots under one ligand.

    Attributes
    ----------
    ligand
        Name of the ligand.
    source
        Measured by whom, when.
    dots
        Blinking of each dot.
    temperature_k
        Temperature [K]; None where nobody said.
    edge_nm, peak_ev
        Edge [nm] and emission peak [eV] of the dots; None where unknown.
    still_emitting
        Share of the dots that still emit after an hour; None where it was not counted.
    assumptions
        What was assumed, the time bin for example.
    """

    ligand: str
    source: str
    dots: Sequence[BlinkingSummary]
    temperature_k: float | None = None
    edge_nm: Estimate | None = None
    peak_ev: Estimate | None = None
    still_emitting: Estimate | None = None
    assumptions: tuple[str, ...] = ()


def read_measurement(measurement: LigandMeasurement) -> dict[str, Entry | str]:
    """Take each quantity from a measurement; a text says why there is none.

    ON fraction and Mandel Q are means over the dots with the standard error of the mean; of a
    single dot they are its own, with its own error. T70 of a single dot is its own; of several it
    is the median, in which dots that outlived their measurement count too, without an error bar.
    Where fewer than half of them fell to 70 %, T70 is a limit: the median of the times that
    they were seen (the lower of two middle ones), for T70 of each is at least that.

    Raises
    ------
    InputError
        If there is no dot.
    """
    if not measurement.dots:
        raise InputError(
            f"the measurement of {measurement.ligand} ({measurement.source}) holds no dot"
        )
    found: dict[str, Entry | str] = {
        quantity: _average(measurement, quantity, name) for quantity, name in FIELDS.items()
    }
    found[T70] = _read_t70(measurement)
    found[PHOTOSTABILITY] = f"{T70} stands in its place"
    emitting = measurement.still_emitting
    found[STILL_EMITTING] = (
        "it was not counted"
        if emitting is None
        else _observe(measurement, STILL_EMITTING, emitting, "1")
    )
    return found


def _observe(
    measurement: LigandMeasurement, quantity: str, estimate: Estimate, unit: str, *notes: str
) -> Observable:
    return Observable(
        quantity=quantity,
        value=estimate.value,
        error=estimate.error if math.isfinite(estimate.error) else None,
        unit=unit,
        origin="measured",
        source=measurement.source,
        label=measurement.ligand,
        temperature_k=measurement.temperature_k,
        edge_nm=measurement.edge_nm,
        peak_ev=measurement.peak_ev,
        assumptions=(*measurement.assumptions, *notes),
    )


def _average(measurement: LigandMeasurement, quantity: str, name: str) -> Observable | str:
    estimates = [getattr(dot, name) for dot in measurement.dots]
    known = [estimate for estimate in estimates if estimate is not None]
    if not known:
        return f"none of the {len(measurement.dots)} dots gives one"
    if len(known) == 1:
        single = "one dot: the error is its own, not that from dot to dot"
        return _observe(measurement, quantity, known[0], "1", single, SETTINGS_NOTE)
    average = average_blinking(measurement.dots).averages[name]
    counted = f"mean of {average.n_dots} dots, which spread by {average.spread:.2g}"
    return _observe(measurement, quantity, average.mean, "1", counted, SETTINGS_NOTE)


def _read_t70(measurement: LigandMeasurement) -> Entry | str:
    dots = [dot for dot in measurement.dots if _last_seen(dot) is not None]
    if not dots:
        return f"none of the {len(measurement.dots)} dots gives one"
    if len(dots) == 1 and dots[0].t70_s is not None:
        return _observe(measurement, T70, dots[0].t70_s, "s", "one dot")
    median = average_blinking(dots).median_t70_s
    if median is not None:
        noted = f"median of {len(dots)} dots (Kaplan and Meier), no error bar"
        return _observe(measurement, T70, Estimate(median, math.nan), "s", noted)
    times = [time for dot in dots if (time := _last_seen(dot)) is not None]
    return Bound(
        quantity=T70,
        relation=">",
        limit=statistics.median_low(times),
        unit="s",
        origin="measured",
        source=measurement.source,
        label=measurement.ligand,
        assumptions=(
            *measurement.assumptions,
            f"fewer than half of {len(dots)} dots fell to 70 %: the limit is the median time "
            "that they were seen",
        ),
    )


def _last_seen(dot: BlinkingSummary) -> float | None:
    """T70 of a dot, or the time for which it stayed above [s]."""
    return dot.t70_s.value if dot.t70_s is not None else dot.longer_than_s
