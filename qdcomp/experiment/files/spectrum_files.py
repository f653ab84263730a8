"""Spectra from files: Andor .sif and .asc, CSV, two or more columns of text.

Text may have header lines, tabs, semicolons, commas or spaces between the columns, and decimal
commas. The unit of the first column is what the header says, else what the caller says; else it is
taken as nm, and the spectrum's warnings say so. The reader never picks the readable part of a
damaged file: a line that is no row of numbers amid the data is an error with its line number.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError, ParseError
from qdcomp.experiment.files.andor_asc import (
    AndorAcquisition,
    interpret_data_type,
    is_andor_text,
    parse_acquisition,
)
from qdcomp.experiment.files.sif import MAGIC, read_sif
from qdcomp.experiment.files.text_table import TextTable, read_text_table
from qdcomp.experiment.spectra.spectrum import (
    HC_EV_NM,
    Medium,
    SpectralSeries,
    Spectrum,
    make_spectral_series,
    make_spectrum,
)

AxisUnit = Literal["nm", "eV", "meV", "cm-1"]

PLAUSIBLE_NM = (150.0, 5000.0)
"""Wavelengths [nm] between which an axis without a unit is taken as nm."""

_UNITS: tuple[tuple[str, AxisUnit], ...] = (
    (r"\bmeV\b", "meV"),
    (r"\beV\b", "eV"),
    (r"\bnm\b|\bnanomet", "nm"),
    (r"\bcm\s*(\^|\*\*)?\s*[-−⁻]\s*[1¹]|\b1\s*/\s*cm\b", "cm-1"),
)


def read_spectrum(
    path: Path | str,
    *,
    frame: int | None = None,
    axis_unit: AxisUnit | None = None,
    medium: Medium | None = None,
    exposure_s: float | None = None,
    background_subtracted: bool | None = None,
) -> Spectrum:
    """Read one spectrum.

    Parameters
    ----------
    path
        Andor .sif or .asc, CSV or columns of text.
    frame
        Which one of a series, counted from 0; needed where the file holds more than one.
    axis_unit
        Unit of the first column of a text file, where its header does not say.
    medium
        ``"vacuum"`` or ``"air"``: what the wavelengths are measured in; no format says it.
    exposure_s
        Total exposure [s], where the file does not say.
    background_subtracted
        Whether a background is off already, where the file does not say.

    Raises
    ------
    InputError
        If the file holds more than one spectrum and `frame` is not given, or not that many.
    ParseError
        If the file cannot be read as a spectrum: empty, cut off, binary, damaged, NaN,
        wavelengths that turn back, an axis without a unit that cannot be nm.
    """
    series = read_spectra(
        path,
        axis_unit=axis_unit,
        medium=medium,
        exposure_s=exposure_s,
        background_subtracted=background_subtracted,
    )
    if frame is None and len(series) > 1:
        raise InputError(
            f"{path} holds {len(series)} spectra; ask for one by frame=0…{len(series) - 1}, or "
            "read all by read_spectra"
        )
    number = frame or 0
    if not 0 <= number < len(series):
        raise InputError(f"{path} holds {len(series)} spectra, but frame {number} was asked for")
    return series.spectra[number]


def read_spectra(
    path: Path | str,
    *,
    frame_period_s: float | None = None,
    axis_unit: AxisUnit | None = None,
    medium: Medium | None = None,
    exposure_s: float | None = None,
    background_subtracted: bool | None = None,
) -> SpectralSeries:
    """Read all spectra of a file as a series; one spectrum is a series of one.

    Parameters
    ----------
    path
        Andor .sif or .asc, CSV or columns of text: first the axis, then one column a frame.
    frame_period_s
        Time from frame to frame [s], where the file does not say.
    axis_unit, medium, exposure_s, background_subtracted
        As of `read_spectrum`.

    Raises
    ------
    InputError
        If an argument is not of those that are known.
    ParseError
        If the file cannot be read as spectra.
    """
    if axis_unit not in (None, "nm", "eV", "meV", "cm-1"):
        raise InputError(f"the axis unit is {axis_unit!r}; expected nm, eV, meV or cm-1")
    if frame_period_s is not None and not (np.isfinite(frame_period_s) and frame_period_s > 0.0):
        raise InputError(f"the frame period is {frame_period_s} s; expected a positive time")
    try:
        with Path(path).open("rb") as file:
            head = file.read(len(MAGIC))
    except OSError as error:
        raise ParseError(f"cannot be read: {error.strerror}", path) from error
    try:
        if head == MAGIC:
            series = _series_of_sif(path, medium)
        else:
            series = _series_of_text(path, axis_unit, medium, frame_period_s)
        return _apply_knowledge(series, exposure_s, background_subtracted, frame_period_s)
    except InputError as error:
        raise ParseError(str(error), path) from error


def _series_of_sif(path: Path | str, medium: Medium | None) -> SpectralSeries:
    file = read_sif(path)
    n_frames, n_rows, _ = file.frames.shape
    if n_rows > 1:
        raise InputError(
            f"its frames are images of {n_rows} rows; bin them vertically in Solis, or read them "
            "by qdcomp.experiment.files.sif.read_sif and add up the rows of the spectrum"
        )
    if file.wavelengths_nm is None or not file.axis_name.lower().startswith("wavelength"):
        raise InputError(
            f"its horizontal axis is {file.axis_name!r} without a calibration in wavelength; "
            "calibrate the spectrograph in Solis"
        )
    subtracted, per_second = interpret_data_type(file.data_type)
    warnings = [*file.warnings, *_describe_medium(medium), *_describe_rates(per_second)]
    if file.column_binning > 1:
        warnings.append(
            f"{file.column_binning} detector columns were binned; the calibration is taken as one "
            "of the binned columns"
        )
    metadata = {
        "detector": file.detector,
        "detector temperature (C)": file.temperature_c,
        "data type": file.data_type,
        "sif version": file.version,
    }
    spectra = tuple(
        make_spectrum(
            file.wavelengths_nm,
            file.frames[number, 0],
            exposure_s=file.exposure_s,
            medium=medium or "vacuum",
            background_subtracted=subtracted,
            source=Path(path).name,
            metadata=metadata,
            warnings=tuple(warnings),
        )
        for number in range(n_frames)
    )
    return make_spectral_series(spectra, file.times_s)


def _series_of_text(
    path: Path | str,
    axis_unit: AxisUnit | None,
    medium: Medium | None,
    frame_period_s: float | None,
) -> SpectralSeries:
    table = read_text_table(path)
    acquisition = parse_acquisition(table.other_lines) if is_andor_text(table.other_lines) else None
    unit, warnings = _find_unit(table, axis_unit, acquisition)
    if unit == "nm":
        axis = table.numbers[:, 0]
        warnings += _describe_medium(medium)
    else:
        axis, unit_notes = _wavelengths_of(table.numbers[:, 0], unit)
        warnings += unit_notes
        medium = "vacuum"
    warnings += _describe_rates(acquisition is not None and acquisition.per_second)
    spectra = tuple(
        make_spectrum(
            axis,
            counts,
            exposure_s=None if acquisition is None else acquisition.exposure_s,
            medium=medium or "vacuum",
            background_subtracted=acquisition is not None and acquisition.background_subtracted,
            source=Path(path).name,
            metadata={} if acquisition is None else acquisition.metadata,
            warnings=warnings,
        )
        for counts in table.numbers[:, 1:].T
    )
    period = acquisition.frame_period_s if acquisition and acquisition.frame_period_s else 1.0
    known = frame_period_s or (acquisition is not None and acquisition.frame_period_s)
    notes: tuple[str, ...] = ()
    if not known and len(spectra) > 1:
        notes = (
            f"the file does not say when its {len(spectra)} spectra were taken; taken as 1 s "
            "apart, give frame_period_s",
        )
    return make_spectral_series(spectra, period * np.arange(len(spectra)), notes)


def _apply_knowledge(
    series: SpectralSeries,
    exposure_s: float | None,
    background_subtracted: bool | None,
    frame_period_s: float | None,
) -> SpectralSeries:
    """Put what the caller knows over what the file says."""
    if exposure_s is not None and not (np.isfinite(exposure_s) and exposure_s > 0.0):
        raise InputError(f"the exposure is {exposure_s} s; expected a positive time")
    spectra = tuple(
        _warn_of_negative(
            replace(
                spectrum,
                exposure_s=spectrum.exposure_s if exposure_s is None else exposure_s,
                background_subtracted=(
                    spectrum.background_subtracted
                    if background_subtracted is None
                    else background_subtracted
                ),
            )
        )
        for spectrum in series.spectra
    )
    times = series.times_s if frame_period_s is None else frame_period_s * np.arange(len(spectra))
    return make_spectral_series(spectra, times, series.warnings)


def _warn_of_negative(spectrum: Spectrum) -> Spectrum:
    negative = int(np.sum(spectrum.counts < 0.0))
    if not negative or spectrum.background_subtracted:
        return spectrum
    note = (
        f"{negative} of {len(spectrum)} pixels have negative counts, and the file does not say "
        "that a background was subtracted; if one was, read it with background_subtracted=True"
    )
    return replace(spectrum, warnings=(*spectrum.warnings, note))


def _describe_medium(medium: Medium | None) -> tuple[str, ...]:
    if medium is not None:
        return ()
    return (
        "the file does not say whether its wavelengths are in air or in vacuum; taken as in "
        "vacuum, in air the energies would be 0.028 % lower",
    )


def _describe_rates(per_second: bool) -> tuple[str, ...]:
    if not per_second:
        return ()
    return ("the values are counts per second, not counts; they are kept as they are",)


def _find_unit(
    table: TextTable, asked: AxisUnit | None, acquisition: AndorAcquisition | None
) -> tuple[AxisUnit, tuple[str, ...]]:
    """Find the unit of the first column, and what had to be assumed."""
    if asked is not None:
        return asked, ()
    # the last line above Andor's numbers is one of the acquisition, no name of a column
    said = None if acquisition is not None else _unit_in(table.column_names)
    if said not in (None, "nm"):
        return said, ()
    axis = table.numbers[:, 0]
    steps = np.diff(axis)
    if np.all(steps == 1.0) and axis[0] in (0.0, 1.0):
        raise InputError(
            f"its first column counts from {axis[0]:g} to {axis[-1]:g}: pixel numbers, no "
            "wavelengths; calibrate the spectrograph, or give axis_unit if they are wavelengths"
        )
    finite = axis[np.isfinite(axis)]
    if len(finite) and not (PLAUSIBLE_NM[0] <= finite.min() and finite.max() <= PLAUSIBLE_NM[1]):
        raise InputError(
            f"its first column runs from {finite.min():g} to {finite.max():g} which are "
            "no wavelengths of light in nm; give axis_unit: nm, eV, meV or cm-1"
        )
    if said == "nm":
        return "nm", ()
    where = "Andor's file" if acquisition is not None else "the file"
    return "nm", (f"{where} does not say the unit of its first column; taken as nm",)


def _unit_in(names: str) -> AxisUnit | None:
    """Find the unit that a header line gives to its first column: the first that it names."""
    if re.search(r"raman|shift", names, re.I):
        raise InputError("its first column is a Raman shift; expected wavelengths or energies")
    found = [(m.start(), unit) for pattern, unit in _UNITS if (m := re.search(pattern, names))]
    return min(found)[1] if found else None


def _wavelengths_of(
    axis: NDArray[np.float64], unit: AxisUnit
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Vacuum wavelengths [nm] of photon energies or wavenumbers."""
    if np.any(axis <= 0.0):
        raise InputError(f"an energy of {axis.min():g} {unit} is not positive")
    per_unit = {"eV": HC_EV_NM, "meV": HC_EV_NM * 1e3, "cm-1": 1e7}[unit]
    return per_unit / axis, (
        f"the axis is in {unit}; the values are taken as counts per pixel, not as converted to "
        "counts per energy",
    )
