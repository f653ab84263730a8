"""Peak of the emission in every frame of a series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.spectra.emission_fit import EmissionFit, fit_emission_spectrum
from qdcomp.experiment.spectra.emission_lineshapes import EmissionModel
from qdcomp.experiment.spectra.line_solver import Background
from qdcomp.experiment.spectra.spectrum import SpectralSeries


@dataclass(frozen=True)
class PeakTrack:
    """Peaks of a series.

    Attributes
    ----------
    times_s
        Start of the frames with a peak [s], shape ``(n_peaks,)``.
    energies_ev, energy_errors_ev
        Peak energies and their standard errors [eV], shape ``(n_peaks,)``.
    frames
        Frames that they are of, shape ``(n_peaks,)``.
    fits
        Their fits; empty where the track was not fitted here.
    failed
        Frames without a peak, with the reason.
    """

    times_s: NDArray[np.float64]
    energies_ev: NDArray[np.float64]
    energy_errors_ev: NDArray[np.float64]
    frames: NDArray[np.int64]
    fits: tuple[EmissionFit, ...] = ()
    failed: tuple[tuple[int, str], ...] = ()

    def __len__(self) -> int:
        """Return the number of peaks."""
        return len(self.energies_ev)


def make_peak_track(
    times_s: ArrayLike, energies_ev: ArrayLike, energy_errors_ev: ArrayLike
) -> PeakTrack:
    """Make a track of peaks that are known already.

    Parameters
    ----------
    times_s
        Times [s], rising, shape ``(n_peaks,)``.
    energies_ev, energy_errors_ev
        Peak energies and their errors [eV], shape ``(n_peaks,)``.

    Raises
    ------
    InputError
        If the shapes differ, a number is not finite, an energy or error is not positive, or the
        times do not rise.
    """
    times, energies, errors = (
        np.asarray(values, dtype=np.float64) for values in (times_s, energies_ev, energy_errors_ev)
    )
    if times.ndim != 1 or not times.shape == energies.shape == errors.shape:
        raise InputError(
            f"times, energies and errors have shapes {times.shape}, {energies.shape} and "
            f"{errors.shape}; expected (n_peaks,) for all"
        )
    if not all(np.all(np.isfinite(values)) for values in (times, energies, errors)):
        raise InputError("a time, a peak energy or its error is not finite")
    if np.any(np.diff(times) <= 0.0):
        raise InputError("the times of the peaks do not rise")
    if np.any(energies <= 0.0) or np.any(errors <= 0.0):
        raise InputError("a peak energy or its error is not positive")
    return PeakTrack(times, energies, errors, np.arange(len(times)))


def track_peaks(
    series: SpectralSeries,
    model: EmissionModel = "lorentzian",
    *,
    window_nm: tuple[float, float] | None = None,
    background: Background = "constant",
    counts_per_photon: float | None = None,
) -> PeakTrack:
    """Fit the line of every frame.

    A frame without a line, as of a dot that is dark, is left out and named in `failed`.

    Parameters
    ----------
    series
        Frames.
    model
        Shape; the fewer parameters, the fainter the frames may be.
    window_nm, background, counts_per_photon
        As of `fit_emission_spectrum`.
    """
    fits: list[EmissionFit] = []
    frames: list[int] = []
    failed: list[tuple[int, str]] = []
    for frame, spectrum in enumerate(series.spectra):
        try:
            fit = fit_emission_spectrum(
                spectrum,
                model,
                window_nm=window_nm,
                background=background,
                counts_per_photon=counts_per_photon,
            )
        except InputError as error:
            failed.append((frame, str(error)))
            continue
        fits.append(fit)
        frames.append(frame)
    return PeakTrack(
        times_s=series.times_s[frames],
        energies_ev=np.array([fit.peak_energy_ev.value for fit in fits]),
        energy_errors_ev=np.array([fit.peak_energy_ev.error for fit in fits]),
        frames=np.array(frames, dtype=np.int64),
        fits=tuple(fits),
        failed=tuple(failed),
    )
