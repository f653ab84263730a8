"""PicoQuant's older files: ``.pt3`` and ``.pt2``, ``.ht3`` and ``.ht2``, ``.t3r``.

Fixed headers of C structures without padding, then the records that ``tttr`` reads. The
structures follow PicoQuant's file-access demos (PicoHarp 300 format 2.0, HydraHarp 400 formats 1.0
and 2.0) and the TimeHarp 200 manual (formats 3.0, 5.0 and 6.0).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qdcomp.errors import ParseError
from qdcomp.experiment.files.file_source import FileDescription, FileSource
from qdcomp.experiment.files.record_file import RecordBlock, open_clocked_file, open_record_file
from qdcomp.experiment.files.tttr import (
    HYDRAHARP1_T3,
    HYDRAHARP2_T2,
    HYDRAHARP2_T3,
    PICOHARP_T2,
    PICOHARP_T3,
    TIMEHARP200_T3,
    RecordLayout,
)

PICOHARP, HYDRAHARP, TIMEHARP = b"PicoHarp 300", b"HydraHarp", b"TimeHarp 200"
"""What the files begin with."""

_T2_TICKS_S = {"PicoHarp T2": 4e-12, "HydraHarp V2 T2": 1e-12}
"""The headers do not tell the ticks of mode T2, the devices' manuals do [s]."""

_HYDRAHARP_MOST_INPUTS = 64
_HEADER_BYTES = 2**16

_Fields = list[tuple[Any, ...]]


def _name_integers(names: str) -> _Fields:
    return [(name, "<i4") for name in names.split()]


_START: _Fields = [("Ident", "S16"), ("FormatVersion", "S6")]
_CREATOR: _Fields = [("CreatorName", "S18"), ("CreatorVersion", "S12")]
_DATE: _Fields = [("FileTime", "S18"), ("CRLF", "S2"), ("Comment", "S256")]
_STOP = "Offset AcquisitionTime StopAt StopOnOvfl Restart DispLinLog "
_AXES = "DispTimeFrom DispTimeTo DispCountsFrom DispCountsTo"
_DISPLAY: _Fields = [
    ("DispCurves", "<i4", (8, 2)),
    ("Params", "<f4", (3, 3)),
    *_name_integers("RepeatMode RepeatsPerCurve RepeatTime RepeatWaitTime"),
    ("ScriptName", "S20"),
]
_BOARD: _Fields = [
    *_name_integers("BoardSerial CFDZeroCross CFDDiscriminatorMin SyncLevel CurveOffset"),
    ("Resolution", "<f4"),
]

_PICOHARP_HEADER = np.dtype(
    [
        *_START,
        *_CREATOR,
        *_DATE,
        *_name_integers("Curves BitsPerRecord RoutingChannels NumberOfBoards ActiveCurve"),
        *_name_integers("MeasurementMode SubMode RangeNo " + _STOP + _AXES),
        *_DISPLAY,
        ("HardwareIdent", "S16"),
        ("HardwareVersion", "S8"),
        *_name_integers(
            "HardwareSerial SyncDivider CFDZeroCross0 CFDLevel0 CFDZeroCross1 CFDLevel1"
        ),
        ("Resolution", "<f4"),
        *_name_integers("RouterModelCode RouterEnabled"),
        ("Router", "<i4", (4, 6)),
        *_name_integers("ExtDevices Reserved1 Reserved2 SyncRate InputRate StopAfter StopReason"),
        *_name_integers("Records ImageHeaderSize"),
    ]
)

_HYDRAHARP_HEADER = np.dtype(
    [
        *_START,
        *_CREATOR,
        *_DATE,
        *_name_integers("Curves BitsPerRecord ActiveCurve MeasurementMode SubMode Binning"),
        ("Resolution", "<f8"),
        *_name_integers(_STOP + _AXES),
        *_DISPLAY,
        ("HardwareIdent", "S16"),
        ("HardwarePartNo", "S8"),
        *_name_integers("HardwareSerial Modules"),
        ("ModuleInfo", "<i4", (10, 2)),
        ("BaseResolution", "<f8"),
        ("InputsEnabled", "<u8"),
        *_name_integers("Inputs RefClockSource ExtDevices MarkerSettings SyncDivider SyncCFDLevel"),
        *_name_integers("SyncCFDZeroCross SyncOffset"),
    ]
)
_HYDRAHARP_INPUT = np.dtype(("<i4", (5,)))
_HYDRAHARP_END = np.dtype(
    [
        *_name_integers("SyncRate StopAfter StopReason ImageHeaderSize"),
        ("Records", "<i8"),
    ]
)


def _make_timeharp_header(version: str) -> np.dtype[Any]:
    is_new = version == "6.0"
    size = [] if version == "3.0" else _name_integers("ImageHeaderSize")
    return np.dtype(
        [
            *_START,
            *(_CREATOR if is_new else [("HardwareVersion", "S6")]),
            *_DATE,
            *_name_integers("Channels Curves BitsPerRecord RoutingChannels NumberOfBoards"),
            *_name_integers("ActiveCurve MeasurementMode SubMode RangeNo " + _STOP + _AXES),
            *_DISPLAY,
            *([("HardwareIdent", "S16"), ("BoardVersion", "S8")] if is_new else []),
            *_BOARD,
            *_name_integers("GlobalClock ExtDevices"),
            ("Reserved", "<i4", (5,)),
            *_name_integers("SyncRate InputRate StopAfter StopReason Records"),
            *size,
        ]
    )


_TIMEHARP_HEADERS = {v: _make_timeharp_header(v) for v in ("3.0", "5.0", "6.0")}


@dataclass(frozen=True)
class _Header:
    values: dict[str, Any]
    end: int


def open_picoharp(path: Path, chunk_photons: int) -> FileSource:
    """Open a ``.pt3`` or ``.pt2`` file.

    Raises
    ------
    ParseError
        If its header is cut, damaged or of another version, or its records are not what it says.
    """
    header = _read_header(path, {"2.0": _PICOHARP_HEADER})
    layout = _choose_layout(path, header, {2: PICOHARP_T2, 3: PICOHARP_T3})
    return _open(path, header, layout, header.values["Resolution"], chunk_photons)


def open_hydraharp(path: Path, chunk_photons: int) -> FileSource:
    """Open a ``.ht3`` file of version 1 or 2, or a ``.ht2`` file of version 2.

    Raises
    ------
    ParseError
        If its header is cut, damaged or of another version, or its records are not what it says.
    """
    header = _read_header(path, {"1.0": _HYDRAHARP_HEADER, "2.0": _HYDRAHARP_HEADER})
    inputs = header.values["Inputs"]
    if not 0 <= inputs <= _HYDRAHARP_MOST_INPUTS:
        raise ParseError(f"its header is damaged: it counts {inputs} input channels", path)
    end = _read_fields(path, _HYDRAHARP_END, header.end + inputs * _HYDRAHARP_INPUT.itemsize)
    whole = _Header({**header.values, **end.values}, end.end)
    is_v1 = header.values["FormatVersion"] == "1.0"
    layouts = {3: HYDRAHARP1_T3} if is_v1 else {2: HYDRAHARP2_T2, 3: HYDRAHARP2_T3}
    layout = _choose_layout(path, whole, layouts)
    return _open(path, whole, layout, whole.values["Resolution"] * 1e-3, chunk_photons)


def open_timeharp(path: Path, chunk_photons: int) -> FileSource:
    """Open a ``.t3r`` file; see ``open_clocked_file`` for what its times mean.

    Raises
    ------
    ParseError
        If its header is cut, damaged or of another version, or its records are not what it says.
    """
    header = _read_header(path, _TIMEHARP_HEADERS)
    layout = _choose_layout(path, header, {2: TIMEHARP200_T3})
    description = _describe(path, header, layout, header.values["Resolution"])
    block = _find_records(path, header, layout)
    return open_clocked_file(description, block, chunk_photons, header.values["GlobalClock"] * 1e-9)


def _open(
    path: Path, header: _Header, layout: RecordLayout, resolution_ns: float, chunk_photons: int
) -> FileSource:
    description = _describe(path, header, layout, resolution_ns)
    return open_record_file(description, _find_records(path, header, layout), chunk_photons)


def _describe(
    path: Path, header: _Header, layout: RecordLayout, resolution_ns: float
) -> FileDescription:
    values = header.values
    if layout.mode == "T3" and values["SyncRate"] <= 0:
        raise ParseError(
            f"its header gives a sync rate of {values['SyncRate']} Hz; without the rate of the "
            "laser the pulses of a T3 file have no time",
            path,
        )
    tick_s = 1.0 / values["SyncRate"] if layout.mode == "T3" else _T2_TICKS_S[layout.name]
    return FileDescription(
        path=path,
        mode=layout.mode,
        macrotime_resolution_s=tick_s,
        microtime_resolution_ns=resolution_ns if layout.mode == "T3" else None,
        stop_after_s=values["StopAfter"] * 1e-3,
        instrument=f"{values['Ident']}, {layout.name} records, format {values['FormatVersion']}",
        metadata={k: v for k, v in values.items() if k != "CRLF" and not k.startswith("Reserved")},
    )


def _find_records(path: Path, header: _Header, layout: RecordLayout) -> RecordBlock:
    size = header.values.get("ImageHeaderSize", 0)
    start = header.end + 4 * size
    if size < 0 or start > path.stat().st_size:
        raise ParseError(f"its header is damaged: its image header has {size} numbers", path)
    return RecordBlock(start, header.values["Records"], layout)


def _choose_layout(path: Path, header: _Header, layouts: dict[int, RecordLayout]) -> RecordLayout:
    values = header.values
    if values["BitsPerRecord"] != 32 or values.get("NumberOfBoards", 1) != 1:
        raise ParseError(
            f"its header is damaged, or of an unknown kind: {values['BitsPerRecord']} bits a "
            f"record and {values.get('NumberOfBoards', 1)} boards; expected 32 bits and 1 board",
            path,
        )
    mode = values["MeasurementMode"]
    if mode not in layouts:
        known = " or ".join(f"{m} ({layout.name})" for m, layout in layouts.items())
        raise ParseError(
            f"its header says measurement mode {mode}, expected {known}; histograms have no single "
            "photons, convert other files to .ptu with PicoQuant's converter",
            path,
        )
    return layouts[mode]


def _read_header(path: Path, versions: dict[str, np.dtype[Any]]) -> _Header:
    version = _read_fields(path, np.dtype(_START), 0).values["FormatVersion"]
    if version not in versions:
        raise ParseError(
            f"it is of format version {version!r}, expected {' or '.join(versions)}; convert it to "
            ".ptu with PicoQuant's converter",
            path,
        )
    return _read_fields(path, versions[version], 0)


def _read_fields(path: Path, fields: np.dtype[Any], offset: int) -> _Header:
    with path.open("rb") as file:
        start = file.read(min(_HEADER_BYTES, path.stat().st_size))
    end = offset + fields.itemsize
    if len(start) < end:
        raise ParseError(
            f"its header is cut: it needs {end} bytes, the file has {len(start)}; copy it again",
            path,
        )
    values = np.frombuffer(start, fields, 1, offset)[0]
    names = fields.names or ()
    return _Header({name: _to_python(values[name]) for name in names}, end)


def _to_python(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.split(b"\0")[0].decode("windows-1252", errors="replace").strip()
    if isinstance(value, np.ndarray):
        return tuple(value.ravel().tolist())
    # By way of its decimals: 0.256 in single precision means 0.256, not 0.2560000121593475.
    return float(str(value)) if isinstance(value, np.float32) else value.item()
