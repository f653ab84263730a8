r"""Andor .sif files: what Andor Solis itself writes.

A text header of lines, some with single binary characters between the spaces, holds at its end

    6\nWavelength 6\nCounts 12\nPixel number          three strings, each after its length
    65541 x0 y1 x1 y0 frames subimages total length   the frames
    65538 x0 y1 x1 y0 ybin xbin 0                     one line a subimage
    one line a frame: its time [µs]

and is followed by the counts, 32-bit little-endian floats, frame after frame, row after row. Seven
lines before the first string stand the coefficients of λ(pixel) = Σ c_i pixel^i [nm], pixels
counted from 1. Andor does not publish the format; this follows what others found out (sif_parser,
BSD-3-Clause, and Leutenegger's script before it) and was checked against two real files of version
65567 and their exports. The strings are looked for rather than reached by counting lines, since the
number of lines before them changes with the version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import ParseError

MAGIC = b"Andor Technology Multi-Channel File\n"
"""First line of every .sif file."""

CHECKED_VERSION = 65567
"""The version that real files were at hand of."""

CALIBRATION_LINES_BEFORE_AXIS = 7
"""Lines from the calibration to the length of the first axis name."""

_ACQUISITION = re.compile(
    rb"(\d+) \S+ \S+ \S+ (\d+) (-?[\d.]+) (?:. ){5}\S+ ([\d.eE+-]+) ([\d.eE+-]+) ([\d.eE+-]+) (\d+)"
    rb" . ([\d.eE+-]+) ",
    re.DOTALL,
)

_AXES = re.compile(
    rb"\n(\d{1,3})\n([ -~]{1,200}?)(\d{1,3})\n([ -~]{1,200}?)(\d{1,3})\n([ -~]{1,200}?)"
    rb"(655\d\d(?: \d{1,9}){8}) *\n"
)

_SUBIMAGE = re.compile(rb"655\d\d((?: \d{1,9}){6,7}) *\n")

_WHOLE_NUMBER = re.compile(rb" *(\d{1,20}) *\n")


@dataclass(frozen=True)
class SifFile:
    """What a .sif file holds.

    Attributes
    ----------
    frames
        Values as stored, shape ``(n_frames, n_rows, n_columns)``.
    wavelengths_nm
        Wavelength of each column [nm], shape ``(n_columns,)``; None if the file has none.
    times_s
        Start of each frame from the first [s], shape ``(n_frames,)``.
    exposure_s
        Exposure of one frame, all accumulations together [s].
    temperature_c
        Temperature of the detector [°C].
    detector
        Its name.
    axis_name, data_type
        What the columns and the values are, by the file's names.
    version
        Version of the format.
    column_binning
        Detector columns added up in one.
    warnings
        What was assumed, one sentence each.
    """

    frames: NDArray[np.float64]
    wavelengths_nm: NDArray[np.float64] | None
    times_s: NDArray[np.float64]
    exposure_s: float | None
    temperature_c: float
    detector: str
    axis_name: str
    data_type: str
    version: int
    column_binning: int
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Layout:
    frames: int
    rows: int
    columns: int
    column_binning: int
    times_us: list[int]
    offset: int


def read_sif(path: Path | str) -> SifFile:
    """Read an Andor .sif file.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    ParseError
        If the file cannot be opened, is no .sif file, ends before its last frame, or its header
        is damaged.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ParseError(f"cannot be read: {error.strerror}", path) from error
    if not data.startswith(MAGIC):
        raise ParseError("is no Andor .sif file: its first line is not Andor's", path)
    third = data.find(b"\n", len(MAGIC)) + 1
    acquisition = _ACQUISITION.match(data, third) if third else None
    if acquisition is None:
        raise ParseError("the header of this .sif file is damaged: no acquisition line", path, 3)
    axes = _find_axes(data, acquisition.end(), path)
    layout = _read_layout(data, axes, path)
    size = layout.frames * layout.rows * layout.columns
    stored = np.frombuffer(data, dtype="<f4", count=size, offset=layout.offset)
    # a damaged float may be a NaN that warns when it is converted; what it is used for refuses it
    with np.errstate(invalid="ignore"):
        values = stored.astype(np.float64)
    version = int(acquisition[1])
    warnings = []
    if version != CHECKED_VERSION:
        warnings.append(
            f"this is version {version} of the .sif format; only {CHECKED_VERSION} was checked "
            "against real files"
        )
    times, assumed = _frame_times(layout, _number(acquisition[8]))
    warnings += assumed
    exposure = _number(acquisition[4])
    cycles = int(acquisition[7][:9])
    return SifFile(
        frames=values.reshape(layout.frames, layout.rows, layout.columns),
        wavelengths_nm=_read_wavelengths(data, axes.start(), layout.columns),
        times_s=times,
        exposure_s=exposure * max(cycles, 1) if exposure else None,
        temperature_c=_number(acquisition[3]) or 0.0,
        detector=_read_detector(data, acquisition.end()),
        axis_name=axes[2].decode("ascii"),
        data_type=axes[4].decode("ascii"),
        version=version,
        column_binning=layout.column_binning,
        warnings=tuple(warnings),
    )


def _find_axes(data: bytes, start: int, path: Path | str) -> re.Match[bytes]:
    for match in _AXES.finditer(data, start):
        lengths = (int(match[1]), int(match[3]), int(match[5]))
        if lengths == (len(match[2]), len(match[4]), len(match[6])):
            return match
    raise ParseError(
        "the header of this .sif file is damaged or cut off: it does not name its axes", path
    )


def _read_layout(data: bytes, axes: re.Match[bytes], path: Path | str) -> _Layout:
    """Size and place of the frames, from the lines behind the names of the axes."""
    numbers = [int(word) for word in axes[7].split()]
    n_frames, n_subimages = numbers[5], numbers[6]
    if n_frames < 1 or n_subimages < 1:
        raise ParseError(f"holds {n_frames} frames of {n_subimages} images; expected some", path)
    at = axes.end()
    rows, columns, binning = 0, 0, 1
    for _ in range(n_subimages):
        line = _SUBIMAGE.match(data, at)
        if line is None:
            raise ParseError("the header of this .sif file lacks the size of its frames", path)
        x0, y1, x1, y0, y_binning, binning = (int(word) for word in line[1].split()[:6])
        if min(y_binning, binning) < 1 or x1 < x0 or y1 < y0:
            raise ParseError("the header of this .sif file gives frames without a size", path)
        width = (1 + x1 - x0) // binning
        if columns and width != columns:
            raise ParseError("its tracks differ in width, which cannot be read", path)
        columns = width
        rows += (1 + y1 - y0) // y_binning
        at = line.end()
    times: list[int] = []
    # every frame has a line of two bytes or more: a damaged count fails here, before it is used
    if 2 * n_frames > len(data) - at:
        raise ParseError(f"is cut off: {n_frames} frames do not fit into what is left", path)
    for _ in range(n_frames):
        match = _WHOLE_NUMBER.match(data, at)
        if match is None:
            raise ParseError("the header of this .sif file lacks the times of its frames", path)
        times.append(int(match[1]))
        at = match.end()
    at = _skip_frame_flags(data, at, n_frames)
    wanted = 4 * n_frames * rows * columns
    if rows * columns == 0 or wanted > len(data) - at:
        raise ParseError(
            f"is cut off: {n_frames} frames of {rows} x {columns} pixels need {wanted} bytes, "
            f"{len(data) - at} are there; copy the file again",
            path,
        )
    return _Layout(n_frames, rows, columns, binning, times, at)


def _skip_frame_flags(data: bytes, at: int, n_frames: int) -> int:
    """Pass the line 0, or the line 1 with a number a frame behind it, that newer versions add."""
    flag = data[at : at + 2]
    if flag == b"0\n":
        return at + 2
    if flag != b"1\n":
        return at
    end = at + 2
    for _ in range(n_frames):
        match = _WHOLE_NUMBER.match(data, end)
        if match is None:
            return at + 2
        end = match.end()
    return end


def _read_wavelengths(data: bytes, end: int, n_columns: int) -> NDArray[np.float64] | None:
    lines = data[max(0, end - 4000) : end].split(b"\n")
    for back in (CALIBRATION_LINES_BEFORE_AXIS, CALIBRATION_LINES_BEFORE_AXIS - 1):
        if len(lines) < back:
            continue
        words = lines[-back].split()
        coefficients = [_number(word) for word in words]
        if len(words) < 2 or any(c is None for c in coefficients):
            continue
        pixels = np.arange(1, n_columns + 1, dtype=np.float64)
        values = np.array(coefficients, dtype=np.float64)
        # an uncalibrated spectrograph leaves λ = pixel
        if np.array_equal(values, [0.0, 1.0, 0.0, 0.0]) or not np.any(values[1:]):
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(np.polynomial.polynomial.polyval(pixels, values), dtype=np.float64)
    return None


def _frame_times(
    layout: _Layout, cycle_s: float | None
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Find the times of the frames, by the cycle time where the file's stamps do not rise."""
    # the stamps are microseconds in 32 bits, which are full after 72 minutes
    stamps = np.array([time % 2**32 for time in layout.times_us], dtype=np.int64)
    steps = np.diff(stamps) % 2**32
    if len(stamps) == 1 or np.all(steps > 0):
        return np.concatenate(([0.0], np.cumsum(steps) * 1e-6)), ()
    if cycle_s:
        note = f"the frames have no times of their own; taken as {cycle_s:g} s apart (cycle time)"
        return cycle_s * np.arange(layout.frames, dtype=np.float64), (note,)
    note = "the frames have neither times nor a cycle time; taken as 1 s apart"
    return np.arange(layout.frames, dtype=np.float64), (note,)


def _read_detector(data: bytes, start: int) -> str:
    line = data.find(b"\n", start) + 1
    return data[line : data.find(b"\n", line)][:80].decode("ascii", "replace").strip()


def _number(word: bytes) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if np.isfinite(value) else None
