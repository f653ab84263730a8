"""Arrival times as plain numbers: ``.npy``, ``.npz`` and CSV.

Columns go by their names, in any order:

=================  ============================================================================
``times_s``        arrival times, also ``times_ms``, ``times_us``, ``times_ns``, ``times_ps``;
                   whole numbers are kept exactly, others are rounded to 1 ps
``macrotimes``     ticks instead, with ``macrotime_resolution_s``
``channels``       detector of each photon, 0–255
``microtimes``     ticks after the pulse, with ``macrotimes`` that count pulses and
                   ``microtime_resolution_ns``
=================  ============================================================================

The numbers ``macrotime_resolution_s``, ``microtime_resolution_ns`` and ``duration_s`` are arrays of
no dimension in ``.npz`` and lines such as ``# duration_s = 60`` in CSV. Names may be in the
singular. A ``.npy`` and a CSV without names are arrival times (then channels): whole numbers
are taken for picoseconds and others for seconds, with a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import ParseError
from qdcomp.experiment.files.array_columns import open_npy_columns, open_npz_columns
from qdcomp.experiment.files.file_source import FileDescription, FileSource, open_source
from qdcomp.experiment.files.stream_checks import (
    CHANNELS as MOST_CHANNELS,
)
from qdcomp.experiment.files.stream_checks import (
    LATEST_TICK,
    StreamTally,
    check_ticks,
    choose_microtime_type,
    count_microtime_bins,
    keep_possible_photons,
)
from qdcomp.experiment.files.table_columns import (
    CHANNELS,
    MACROTIMES,
    MICROTIMES,
    TIMES,
    UNITS_S,
    Columns,
)
from qdcomp.experiment.files.text_columns import open_text_columns
from qdcomp.experiment.files.tttr import PhotonChunk
from qdcomp.experiment.photon_stream import NO_MARKERS, PICOSECONDS

_MOST_BINS = 2**24


@dataclass(frozen=True)
class _Recipe:
    path: Path
    time_column: str
    ticks_per_unit: float | None
    bins: int


def open_npy(path: Path, chunk_photons: int) -> FileSource:
    """Open a ``.npy`` list of arrival times; errors as of ``open_photons``."""
    return _open(path, open_npy_columns(path), chunk_photons, "npy array")


def open_npz(path: Path, chunk_photons: int) -> FileSource:
    """Open a ``.npz`` of named columns; errors as of ``open_photons``."""
    return _open(path, open_npz_columns(path), chunk_photons, "npz arrays")


def open_text_table(path: Path, chunk_photons: int) -> FileSource:
    """Open a text file of columns; errors as of ``open_photons``."""
    return _open(path, open_text_columns(path), chunk_photons, "text table")


def _open(path: Path, columns: Columns, chunk_photons: int, instrument: str) -> FileSource:
    time_column = _find_time_column(path, columns)
    for name in (CHANNELS, MICROTIMES, MACROTIMES):
        if name in columns.kinds and columns.kinds[name].kind not in "iu":
            raise ParseError(f"its {name} are not whole numbers", path)
    resolution_s, ticks_per_unit, warnings = _find_resolution(path, columns, time_column)
    is_t3 = MICROTIMES in columns.kinds
    tick_ns, bins = _find_microtimes(path, columns, time_column, resolution_s)
    check_ticks(path, "T3" if is_t3 else "T2", resolution_s, tick_ns and tick_ns * 1e-9)
    duration_s = columns.constants.get("duration_s")
    if duration_s is not None and not 0.0 <= duration_s < 1e9:
        raise ParseError(f"its duration of {duration_s:g} s is not a time", path)
    description = FileDescription(
        path=path,
        mode="T3" if is_t3 else "T2",
        macrotime_resolution_s=resolution_s,
        microtime_resolution_ns=tick_ns,
        microtime_bins=bins,
        duration_s=duration_s,
        stop_after_s=duration_s,
        instrument=instrument,
        warnings=warnings,
    )
    recipe = _Recipe(path, time_column, ticks_per_unit, bins or 0)
    return open_source(description, partial(_read, recipe, columns, chunk_photons))


def _find_time_column(path: Path, columns: Columns) -> str:
    found = [name for name in columns.kinds if name not in (CHANNELS, MICROTIMES)]
    if len(found) != 1:
        raise ParseError(
            f"it has {len(found)} columns of arrival times ({', '.join(columns.kinds) or 'none'}), "
            "expected one named times_s, times_ms, times_us, times_ns, times_ps or macrotimes",
            path,
        )
    return found[0]


def _find_resolution(
    path: Path, columns: Columns, name: str
) -> tuple[float, float | None, tuple[str, ...]]:
    """Tick of the macrotimes [s], ticks of one unit of the column, and what was assumed."""
    is_whole = columns.kinds[name].kind in "iu"
    if name == MACROTIMES:
        resolution_s = columns.constants.get("macrotime_resolution_s")
        if resolution_s is None:
            raise ParseError("macrotimes need the number macrotime_resolution_s beside them", path)
        return resolution_s, None, ()
    warnings: tuple[str, ...] = ()
    if name == TIMES:
        unit_s = UNITS_S["ps" if is_whole else "s"]
        said = "whole numbers are taken for ps" if is_whole else "numbers are taken for s"
        warnings = (f"the times have no unit: {said}; name the column times_s, times_ns … to say",)
    else:
        unit_s = UNITS_S[name.partition("_")[2]]
    return (unit_s, None, warnings) if is_whole else (1e-12, unit_s * PICOSECONDS, warnings)


def _find_microtimes(
    path: Path, columns: Columns, time_column: str, period_s: float
) -> tuple[float | None, int | None]:
    if MICROTIMES not in columns.kinds:
        return None, None
    tick_ns = columns.constants.get("microtime_resolution_ns")
    if time_column != MACROTIMES or tick_ns is None:
        raise ParseError(
            "microtimes need macrotimes that count pulses, macrotime_resolution_s (the sync "
            "period) and microtime_resolution_ns",
            path,
        )
    check_ticks(path, "T3", period_s, tick_ns * 1e-9)
    return tick_ns, count_microtime_bins(period_s, tick_ns * 1e-9, _MOST_BINS)


def _read(
    recipe: _Recipe, columns: Columns, chunk_photons: int, tally: StreamTally
) -> Iterator[PhotonChunk]:
    for table in columns.read(chunk_photons):
        macrotimes = _count_ticks(recipe, table[recipe.time_column])
        channels = np.zeros(len(macrotimes), np.uint8)
        if CHANNELS in table:
            detectors = table[CHANNELS]
            if len(detectors) and not 0 <= detectors.min() <= detectors.max() < MOST_CHANNELS:
                raise ParseError(f"its channels lie outside 0–{MOST_CHANNELS - 1}", recipe.path)
            channels = detectors.astype(np.uint8)
        delays = table[MICROTIMES].astype(np.int64) if recipe.bins else None
        kept = keep_possible_photons(macrotimes, channels, delays, recipe.bins, tally)
        microtimes = (
            None if delays is None else delays[kept].astype(choose_microtime_type(recipe.bins))
        )
        yield PhotonChunk(macrotimes[kept], channels[kept], microtimes, NO_MARKERS)


def _count_ticks(recipe: _Recipe, times: NDArray[Any]) -> NDArray[np.int64]:
    if recipe.ticks_per_unit is None:
        return times.astype(np.int64)
    if not np.all(np.abs(times) < LATEST_TICK / recipe.ticks_per_unit):
        raise ParseError(
            f"some times are not numbers or too long (up to {LATEST_TICK / PICOSECONDS:.3g} s); "
            "remove them, or check the unit",
            recipe.path,
        )
    return np.rint(times.astype(np.float64) * recipe.ticks_per_unit).astype(np.int64)
