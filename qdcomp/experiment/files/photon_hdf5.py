"""Reading Photon-HDF5 files, versions 0.4 and 0.5 (Ingargiola et al., Biophys. J. 110, 26, 2016).

``/photon_data`` holds timestamps, detectors and nanotimes. In a file of mode T3 one unit of the
timestamps is the sync period; a file whose timestamps count a clock instead is read in mode T3 with
pulse numbers estimated from the laser's repetition rate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import ParseError
from qdcomp.experiment.files.file_source import FileDescription, FileSource, open_source
from qdcomp.experiment.files.photon_hdf5_writer import COUNTS_PULSES, WARNINGS
from qdcomp.experiment.files.stream_checks import (
    CHANNELS,
    StreamTally,
    check_ticks,
    choose_microtime_type,
    count_microtime_bins,
    keep_possible_photons,
    rescale_ticks,
)
from qdcomp.experiment.files.tttr import PhotonChunk
from qdcomp.experiment.photon_stream import NO_MARKERS
from qdcomp.hdf5_references import find_outside_reference

SAME_RATE = 1e-3
"""Up to this relative difference timestamps are taken to count the pulses of the laser."""

_MOST_BINS = 2**24
_LARGEST_CHUNK_BYTES = 64 * 2**20
_LONGEST_TEXT = 10_000

# What h5py raises on files that are not what they seem; MemoryError where a size is absurd.
_DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, MemoryError)


@dataclass(frozen=True)
class _Columns:
    path: Path
    group: str
    photons: int
    bins: int
    periods_per_unit: float | None


def open_photon_hdf5(path: Path, chunk_photons: int) -> FileSource:
    """Open a Photon-HDF5 file of one spot.

    Raises
    ------
    ParseError
        If it is damaged, has several spots, lacks timestamps or their unit, or its photons are not
        what it says.
    """
    with _report_damage(path), h5py.File(path, "r") as file:
        _refuse_references(path, file)
        description, columns = _describe(path, file)
    return open_source(description, partial(_read, columns, chunk_photons))


@contextmanager
def _report_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise ParseError(
            "it is damaged, cut or locked; copy it again, or close the program that has it open. "
            f"HDF5 says: {str(error)[:100]}",
            path,
        ) from error


def _refuse_references(path: Path, file: h5py.File) -> None:
    reference = find_outside_reference(file)
    if reference:
        raise ParseError(
            f"{reference}; the photons of a file have to be in the file itself: copy them into one "
            "(h5repack, h5copy), if you know who made it",
            path,
        )


def _describe(path: Path, file: h5py.File) -> tuple[FileDescription, _Columns]:
    group = _find_photons(path, file)
    photons = _check_columns(path, group)
    unit_s = _find_number(group, "timestamps_specs/timestamps_unit")
    if unit_s is None:
        raise ParseError("it has no timestamps_specs/timestamps_unit; times have no unit", path)
    duration_s = _find_number(file, "acquisition_duration")
    common: dict[str, Any] = {
        "path": path,
        "duration_s": None if duration_s is None else min(max(duration_s, 0.0), 1e9),
        "instrument": "Photon-HDF5 " + _find_text(file, "identity/format_version"),
        "metadata": {
            name: text
            for name in ("description", "provenance/filename", "provenance/software")
            if (text := _find_text(file, name))
        },
        "warnings": tuple(_find_text(file, WARNINGS).splitlines()),
    }
    columns = _Columns(path, str(group.name), photons, 0, None)
    if "nanotimes" not in group:
        check_ticks(path, "T2", unit_s, None)
        return FileDescription(mode="T2", macrotime_resolution_s=unit_s, **common), columns
    return _describe_pulsed(group, unit_s, common, columns)


def _describe_pulsed(
    group: h5py.Group, unit_s: float, common: dict[str, Any], columns: _Columns
) -> tuple[FileDescription, _Columns]:
    path = columns.path
    tick_s = _find_number(group, "nanotimes_specs/tcspc_unit")
    if tick_s is None:
        raise ParseError("it has nanotimes but no nanotimes_specs/tcspc_unit", path)
    rate_hz = _find_number(group, "measurement_specs/laser_repetition_rate") or 0.0
    period_s, periods_per_unit = unit_s, None
    counts_pulses = _find_number(group.file, COUNTS_PULSES)
    if counts_pulses == 0.0:
        common["metadata"]["macrotimes_count_pulses"] = False
    if counts_pulses is None and rate_hz <= 0.0:
        common["warnings"] += (
            "the file has no measurement_specs/laser_repetition_rate: its timestamps of "
            f"{unit_s * 1e9:.6g} ns are taken to count the pulses of the laser; if they are a "
            "clock, pulsed g2 and long lifetimes are wrong",
        )
    if rate_hz > 0.0 and abs(unit_s * rate_hz - 1.0) > SAME_RATE:
        check_ticks(path, "T2", unit_s, None)
        period_s, periods_per_unit = 1.0 / rate_hz, unit_s * rate_hz
        common["metadata"]["macrotimes_count_pulses"] = False
        common["warnings"] += (
            f"timestamps count a clock of {unit_s * 1e9:.6g} ns, not the pulses of the "
            f"{rate_hz:g} Hz laser: pulse numbers are estimated, and g2 from pulse lags is not "
            "meaningful",
        )
    check_ticks(path, "T3", period_s, tick_s)
    claimed = _find_number(group, "nanotimes_specs/tcspc_num_bins") or _MOST_BINS
    most = int(min(max(claimed, 1), _MOST_BINS))
    bins = count_microtime_bins(period_s, tick_s, most)
    description = FileDescription(
        mode="T3",
        macrotime_resolution_s=period_s,
        microtime_resolution_ns=tick_s * 1e9,
        microtime_bins=bins,
        **common,
    )
    return description, _Columns(path, columns.group, columns.photons, bins, periods_per_unit)


def _find_photons(path: Path, file: h5py.File) -> h5py.Group:
    names = [name for name in file if name.startswith("photon_data")]
    if not names:
        raise ParseError("it is an HDF5 file without /photon_data; it is not Photon-HDF5", path)
    if len(names) > 1:
        raise ParseError(
            f"it has the photons of {len(names)} spots ({', '.join(names[:4])} …); split it into "
            "one file for each",
            path,
        )
    group = file[names[0]]
    if not isinstance(group, h5py.Group):
        raise ParseError(f"its {names[0]} is {group}, expected a group of columns", path)
    return group


def _check_columns(path: Path, group: h5py.Group) -> int:
    """Count the photons, and check that all columns really are in the file."""
    if "timestamps" not in group:
        raise ParseError("it has no timestamps in its photon data", path)
    lengths = {}
    for name in ("timestamps", "detectors", "nanotimes"):
        if name not in group:
            continue
        column = group[name]
        is_list = isinstance(column, h5py.Dataset) and column.ndim == 1
        if not is_list or column.dtype.kind not in "iu":
            raise ParseError(f"its {name} are not a list of integers ({column})", path)
        _check_storage(path, name, column)
        lengths[name] = len(column)
    if len(set(lengths.values())) > 1:
        raise ParseError(f"its columns differ in length: {lengths}", path)
    return lengths["timestamps"]


def _check_storage(path: Path, name: str, column: h5py.Dataset) -> None:
    """HDF5 makes up zeros for what is not there, without end if the length is absurd."""
    if column.chunks is None:
        there = column.id.get_storage_size() >= column.nbytes
    else:
        if column.chunks[0] * column.dtype.itemsize > _LARGEST_CHUNK_BYTES:
            raise ParseError(f"its {name} are stored in pieces of {column.chunks[0]} photons", path)
        there = column.id.get_num_chunks() >= math.ceil(len(column) / column.chunks[0])
    if not there:
        raise ParseError(f"part of its {name} is not in the file; it is cut or damaged", path)


def _read(columns: _Columns, chunk_photons: int, tally: StreamTally) -> Iterator[PhotonChunk]:
    with _report_damage(columns.path), h5py.File(columns.path, "r") as file:
        _refuse_references(columns.path, file)
        group = file[columns.group]
        for start in range(0, columns.photons, chunk_photons):
            piece = slice(start, min(start + chunk_photons, columns.photons))
            yield _read_piece(columns, group, piece, tally)


def _read_piece(
    columns: _Columns, group: h5py.Group, piece: slice, tally: StreamTally
) -> PhotonChunk:
    macrotimes = group["timestamps"][piece].astype(np.int64)
    if columns.periods_per_unit is not None:
        macrotimes = rescale_ticks(macrotimes, columns.periods_per_unit)
    channels = np.zeros(len(macrotimes), np.uint8)
    if "detectors" in group:
        detectors = group["detectors"][piece]
        if len(detectors) and not 0 <= detectors.min() <= detectors.max() < CHANNELS:
            raise ParseError(f"its detectors lie outside 0–{CHANNELS - 1}", columns.path)
        channels = detectors.astype(np.uint8)
    if not columns.bins:
        kept = keep_possible_photons(macrotimes, channels, None, 0, tally)
        return PhotonChunk(macrotimes[kept], channels[kept], None, NO_MARKERS)
    microtimes: NDArray[np.int64] = group["nanotimes"][piece].astype(np.int64)
    kept = keep_possible_photons(macrotimes, channels, microtimes, columns.bins, tally)
    delays = microtimes[kept].astype(choose_microtime_type(columns.bins))
    return PhotonChunk(macrotimes[kept], channels[kept], delays, NO_MARKERS)


def _find_number(group: h5py.Group, name: str) -> float | None:
    if name not in group:
        return None
    node = group[name]
    if not isinstance(node, h5py.Dataset) or node.size != 1 or node.dtype.kind not in "iuf":
        return None
    value = float(np.ravel(node[()])[0])
    return value if math.isfinite(value) else None


def _find_text(group: h5py.Group, name: str) -> str:
    if name not in group:
        return ""
    node = group[name]
    if not isinstance(node, h5py.Dataset) or node.size != 1 or node.dtype.kind not in "SO":
        return ""
    value = np.ravel(node[()])[0]
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return text[:_LONGEST_TEXT]
