"""A photoluminescence spectrum as the spectrometer measured it, and on the energy axis.

    E = hc / λ_vacuum,    I_E = I_λ · λ²/hc            (PHYSICS.md section 7)

A detector pixel collects counts over a width Δλ; over the same pixel the energy changes by
ΔE = hc Δλ/λ², so counts/ΔE is the Jacobian conversion of counts/Δλ. Fits work on counts per pixel,
whose noise is known, and multiply the model by ΔE.

Wavelengths are in vacuum unless `medium` says air. A spectrometer that was calibrated with the
tabulated lines of a lamp shows wavelengths in air: the energy is then smaller by 0.028 %, 0.7 meV
at 2.4 eV, which `convert_to_vacuum` corrects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.errors import InputError
from qdcomp.units import PER_CM_EV

HC_EV_NM = PER_CM_EV * 1e7
"""hc [eV nm]."""

MINIMUM_PIXELS = 5
"""Fewest pixels that are called a spectrum."""

Medium = Literal["vacuum", "air"]

_EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Spectrum:
    """Counts per detector pixel against wavelength.

    Attributes
    ----------
    wavelengths_nm
        Wavelength of each pixel [nm], rising, shape ``(n_pixels,)``.
    counts
        Counts of each pixel, shape ``(n_pixels,)``; may be negative where a background is off.
    exposure_s
        Time over which they were collected, all accumulations together [s]; None if unknown.
    medium
        What the wavelengths are measured in.
    background_subtracted
        True if a background was taken off, here or before the file was written.
    subtracted_counts
        What was taken off here [counts], shape ``(n_pixels,)``: gone from the counts, not from
        their noise. None if nothing was, or nobody knows what.
    source
        File name, or what else the counts come from.
    metadata
        Everything else that the file says, by the file's own names.
    warnings
        What was assumed or looked wrong, one sentence each.
    """

    wavelengths_nm: NDArray[np.float64]
    counts: NDArray[np.float64]
    exposure_s: float | None = None
    medium: Medium = "vacuum"
    background_subtracted: bool = False
    subtracted_counts: NDArray[np.float64] | None = None
    source: str = ""
    metadata: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of pixels."""
        return len(self.counts)


@dataclass(frozen=True)
class SpectralSeries:
    """Spectra of one dot, one after another, on one wavelength axis.

    Attributes
    ----------
    spectra
        The frames in order.
    times_s
        Start of each frame from that of the first [s], shape ``(n_frames,)``.
    warnings
        What was assumed of the series, one sentence each.
    """

    spectra: tuple[Spectrum, ...]
    times_s: NDArray[np.float64]
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.spectra)


@dataclass(frozen=True)
class EnergySpectrum:
    """A spectrum per energy, after the Jacobian conversion.

    Attributes
    ----------
    energies_ev
        Photon energy of each pixel [eV], rising, shape ``(n_pixels,)``.
    pixel_widths_ev
        ΔE that a pixel covers [eV], shape ``(n_pixels,)``.
    counts_per_ev
        Counts per energy, I_E [counts/eV], shape ``(n_pixels,)``.
    counts
        Counts per pixel in the same order, shape ``(n_pixels,)``.
    subtracted_counts
        What was taken off [counts], in the same order, shape ``(n_pixels,)``; zeros if unknown.
    """

    energies_ev: NDArray[np.float64]
    pixel_widths_ev: NDArray[np.float64]
    counts_per_ev: NDArray[np.float64]
    counts: NDArray[np.float64]
    subtracted_counts: NDArray[np.float64]


def make_spectrum(
    wavelengths_nm: ArrayLike,
    counts: ArrayLike,
    *,
    exposure_s: float | None = None,
    medium: Medium = "vacuum",
    background_subtracted: bool = False,
    source: str = "",
    metadata: Mapping[str, Any] = _EMPTY,
    warnings: tuple[str, ...] = (),
) -> Spectrum:
    """Make a spectrum of two columns of numbers.

    Parameters
    ----------
    wavelengths_nm
        Wavelengths [nm], all rising or all falling, shape ``(n_pixels,)``.
    counts
        Counts per pixel, shape ``(n_pixels,)``.
    exposure_s
        Total exposure [s].
    medium
        ``"vacuum"`` or ``"air"``.
    background_subtracted
        True if a background was already taken off; only then may many counts be negative.
    source, metadata, warnings
        Kept with the spectrum.

    Raises
    ------
    InputError
        If the columns differ in length, are shorter than 5, hold NaN or infinity, the wavelengths
        are not positive or turn back, or the exposure is not positive.
    """
    axis = _require_column("wavelengths", wavelengths_nm)
    values = _require_column("counts", counts)
    if len(axis) != len(values):
        raise InputError(f"{len(axis)} wavelengths but {len(values)} counts")
    if len(axis) < MINIMUM_PIXELS:
        raise InputError(f"{len(axis)} pixels are no spectrum; expected at least {MINIMUM_PIXELS}")
    if axis.min() <= 0.0:
        raise InputError(f"a wavelength of {axis.min():g} nm is not positive")
    if medium not in ("vacuum", "air"):
        raise InputError(f"the medium is {medium!r}; expected 'vacuum' or 'air'")
    if exposure_s is not None and not (np.isfinite(exposure_s) and exposure_s > 0.0):
        raise InputError(f"the exposure is {exposure_s} s; expected a positive time")
    if axis[0] > axis[-1]:
        axis, values = axis[::-1].copy(), values[::-1].copy()
    backwards = np.flatnonzero(np.diff(axis) <= 0.0)
    if len(backwards):
        at = int(backwards[0])
        raise InputError(
            f"the wavelengths turn back: {axis[at]:g} nm is next to {axis[at + 1]:g} nm; expected "
            "one spectrum whose wavelengths only rise or only fall"
        )
    return Spectrum(
        wavelengths_nm=axis,
        counts=values,
        exposure_s=exposure_s,
        medium=medium,
        background_subtracted=background_subtracted,
        source=source,
        metadata=metadata,
        warnings=warnings,
    )


def make_spectral_series(
    spectra: tuple[Spectrum, ...], times_s: ArrayLike, warnings: tuple[str, ...] = ()
) -> SpectralSeries:
    """Put spectra of one dot in a series.

    Parameters
    ----------
    spectra
        The frames in order, on one wavelength axis.
    times_s
        Start of each frame [s], rising, shape ``(n_frames,)``.
    warnings
        Kept with the series.

    Raises
    ------
    InputError
        If there is no frame, the axes differ, or the times are not finite, do not rise or are not
        as many as the frames.
    """
    times = np.asarray(times_s, dtype=np.float64)
    if not spectra:
        raise InputError("a series needs at least one spectrum")
    if times.shape != (len(spectra),):
        raise InputError(f"{len(spectra)} spectra but times of shape {times.shape}")
    if not np.all(np.isfinite(times)) or np.any(np.diff(times) <= 0.0):
        raise InputError("the times of the spectra are not finite or do not rise")
    first = spectra[0]
    for number, spectrum in enumerate(spectra):
        same = spectrum.medium == first.medium and np.array_equal(
            spectrum.wavelengths_nm, first.wavelengths_nm
        )
        if not same:
            raise InputError(f"spectrum {number} has another wavelength axis than spectrum 0")
    return SpectralSeries(spectra, times - times[0], warnings)


def compute_air_refractive_index(vacuum_wavelengths_nm: ArrayLike) -> NDArray[np.float64]:
    """Refractive index of dry air at 15 °C, 101325 Pa and 450 ppm CO2.

        n − 1 = 0.05792105/(238.0185 − s²) + 0.00167917/(57.362 − s²),   s = 1 µm/λ_vacuum

    Ciddor, Appl. Opt. 35, 1566 (1996), doi 10.1364/AO.35.001566; good to 1e-8 from 300 to 1690 nm.

    Parameters
    ----------
    vacuum_wavelengths_nm
        Wavelengths in vacuum [nm], any shape.
    """
    s2 = (1e3 / np.asarray(vacuum_wavelengths_nm, dtype=np.float64)) ** 2
    index: NDArray[np.float64] = 1.0 + 0.05792105 / (238.0185 - s2) + 0.00167917 / (57.362 - s2)
    return index


def convert_to_vacuum(spectrum: Spectrum) -> Spectrum:
    """Give the same spectrum with wavelengths in vacuum, λ_vacuum = n λ_air."""
    if spectrum.medium == "vacuum":
        return spectrum
    air = spectrum.wavelengths_nm
    vacuum = air
    # n hardly changes over n − 1 of the wavelength: two turns leave less than 1e-10 nm
    for _ in range(3):
        vacuum = air * compute_air_refractive_index(vacuum)
    return replace(spectrum, wavelengths_nm=vacuum, medium="vacuum")


def convert_to_energy(spectrum: Spectrum) -> EnergySpectrum:
    """Photon energies and counts per energy, I_E = I_λ λ²/hc.

    The area is kept: the sum of counts_per_ev · pixel_widths_ev is the sum of the counts.
    """
    wavelengths = convert_to_vacuum(spectrum).wavelengths_nm[::-1]
    widths = -np.gradient(wavelengths) * HC_EV_NM / wavelengths**2
    counts = spectrum.counts[::-1]
    off = spectrum.subtracted_counts
    return EnergySpectrum(
        energies_ev=HC_EV_NM / wavelengths,
        pixel_widths_ev=widths,
        counts_per_ev=counts / widths,
        counts=counts.copy(),
        subtracted_counts=np.zeros(len(counts)) if off is None else off[::-1].copy(),
    )


def _require_column(name: str, values: ArrayLike) -> NDArray[np.float64]:
    try:
        column = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"the {name} are not numbers: {error}") from error
    if column.ndim != 1:
        raise InputError(f"the {name} have shape {column.shape}; expected (n_pixels,)")
    bad = np.flatnonzero(~np.isfinite(column))
    if len(bad):
        raise InputError(
            f"{len(bad)} of {len(column)} {name} are not finite, the first is number {bad[0] + 1}; "
            "take those pixels out"
        )
    return column
