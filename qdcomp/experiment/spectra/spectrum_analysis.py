"""Everything that the spectra of one dot say: its line, its size, its wandering."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qdcomp.experiment.spectra.emission_fit import (
    EmissionFit,
    EmissionModelComparison,
    compare_emission_models,
    fit_emission_spectrum,
)
from qdcomp.experiment.spectra.emission_lineshapes import EmissionModel
from qdcomp.experiment.spectra.line_solver import Background
from qdcomp.experiment.spectra.peak_track import PeakTrack, track_peaks
from qdcomp.experiment.spectra.sizing import DotSize, estimate_dot_size
from qdcomp.experiment.spectra.spectral_series import (
    BlueShift,
    SpectralDiffusion,
    SpectralJumps,
    compute_spectral_diffusion,
    find_spectral_jumps,
    fit_blue_shift,
)
from qdcomp.experiment.spectra.spectrum import (
    SpectralSeries,
    Spectrum,
    convert_to_vacuum,
)
from qdcomp.experiment.spectra.spectrum_cleaning import (
    remove_cosmic_rays_of_series,
    require_clean_counts,
)

FEWEST_PEAKS = 4
"""Peaks of a series that its wandering is computed from."""

TRACK_MODEL: EmissionModel = "lorentzian"
"""Shape that single frames are fitted with: the fewest parameters."""


@dataclass(frozen=True)
class SpectrumSettings:
    """How spectra are analysed.

    Attributes
    ----------
    model
        Shape of the line.
    window_nm
        Wavelengths that are fitted (from, to) [nm]; None for all.
    background
        ``none``, ``constant`` or ``linear`` beside the line.
    counts_per_photon
        Counts that one photon makes; None to find it from the residuals.
    saturation_counts
        Reading from which a pixel is full [counts]; None to look for a flat top only.
    cosmic_rays
        Whether pixels hit by cosmic rays are replaced first.
    sizing_curve
        Name of the sizing curve; None for no size.
    """

    model: EmissionModel = "double_half_voigt"
    window_nm: tuple[float, float] | None = None
    background: Background = "constant"
    counts_per_photon: float | None = None
    saturation_counts: float | None = None
    cosmic_rays: bool = True
    sizing_curve: str | None = "mi2025_damato2023"


@dataclass(frozen=True)
class SpectrumAnalysis:
    """What the spectra of one dot say.

    Attributes
    ----------
    spectrum
        What the line was fitted to: the one spectrum, or the sum of the frames.
    fit
        The line.
    comparison
        All shapes on the same spectrum.
    size
        Size of the dot; None where no curve was asked for.
    n_frames
        Number of spectra.
    track, diffusion, jumps, blue_shift
        Peak of each frame and how it wanders; None of fewer than `FEWEST_PEAKS` peaks.
    replaced_pixels
        Pixels that cosmic rays had hit.
    settings
        How it was analysed.
    absent
        What could not be computed, with the reason.
    warnings
        What was assumed or looks wrong.
    """

    spectrum: Spectrum
    fit: EmissionFit
    comparison: EmissionModelComparison
    size: DotSize | None
    n_frames: int
    track: PeakTrack | None
    diffusion: SpectralDiffusion | None
    jumps: SpectralJumps | None
    blue_shift: BlueShift | None
    replaced_pixels: int
    settings: SpectrumSettings
    absent: tuple[str, ...]
    warnings: tuple[str, ...]


def analyse_spectra(
    series: SpectralSeries, settings: SpectrumSettings | None = None
) -> SpectrumAnalysis:
    """Fit the line of a spectrum or of the sum of a series, and follow the peak.

    Parameters
    ----------
    series
        One spectrum, or the frames of one dot.
    settings
        How; the defaults if absent.

    Raises
    ------
    InputError
        If the line of the spectrum, or of the sum, cannot be fitted, or a frame has counts that
        cannot be.
    """
    chosen = settings or SpectrumSettings()
    for spectrum in series.spectra:
        require_clean_counts(spectrum, chosen.saturation_counts)
    cleaned = SpectralSeries(
        tuple(convert_to_vacuum(spectrum) for spectrum in series.spectra),
        series.times_s,
        series.warnings,
    )
    replaced = 0
    if chosen.cosmic_rays:
        removal = remove_cosmic_rays_of_series(cleaned)
        cleaned, replaced = removal.series, int(removal.pixels_per_frame.sum())
    total = add_spectra(cleaned)
    fit = fit_emission_spectrum(
        total,
        chosen.model,
        window_nm=chosen.window_nm,
        background=chosen.background,
        counts_per_photon=chosen.counts_per_photon,
    )
    size = None
    if chosen.sizing_curve is not None:
        size = estimate_dot_size(fit.peak_energy_ev, chosen.sizing_curve)
    track, reason = _follow_peak(cleaned, chosen)
    return SpectrumAnalysis(
        spectrum=total,
        fit=fit,
        comparison=compare_emission_models(
            total,
            window_nm=chosen.window_nm,
            background=chosen.background,
            counts_per_photon=chosen.counts_per_photon,
        ),
        size=size,
        n_frames=len(series),
        track=track,
        diffusion=None if track is None else compute_spectral_diffusion(track),
        jumps=None if track is None else find_spectral_jumps(track),
        blue_shift=None if track is None else fit_blue_shift(track),
        replaced_pixels=replaced,
        settings=chosen,
        absent=_list_absent(size, reason),
        warnings=_list_warnings(series, fit, replaced),
    )


def add_spectra(series: SpectralSeries) -> Spectrum:
    """Add the frames of a series up, with their exposures.

    Parameters
    ----------
    series
        Frames on one axis.
    """
    first = series.spectra[0]
    if len(series) == 1:
        return first
    exposures = [spectrum.exposure_s for spectrum in series.spectra]
    known = [exposure for exposure in exposures if exposure is not None]
    subtracted = [spectrum.subtracted_counts for spectrum in series.spectra]
    taken_off = [counts for counts in subtracted if counts is not None]
    return Spectrum(
        wavelengths_nm=first.wavelengths_nm,
        counts=np.sum([spectrum.counts for spectrum in series.spectra], axis=0),
        exposure_s=sum(known) if len(known) == len(exposures) else None,
        medium=first.medium,
        background_subtracted=any(spectrum.background_subtracted for spectrum in series.spectra),
        subtracted_counts=np.sum(taken_off, axis=0) if taken_off else None,
        source=first.source,
        metadata=first.metadata,
        warnings=tuple(
            dict.fromkeys(text for spectrum in series.spectra for text in spectrum.warnings)
        ),
    )


def _follow_peak(
    series: SpectralSeries, settings: SpectrumSettings
) -> tuple[PeakTrack | None, str]:
    if len(series) < FEWEST_PEAKS:
        return None, f"{len(series)} spectra are no series; it takes {FEWEST_PEAKS}"
    track = track_peaks(
        series, TRACK_MODEL, window_nm=settings.window_nm, background=settings.background
    )
    if len(track) < FEWEST_PEAKS:
        return None, f"only {len(track)} of {len(series)} frames show a line"
    return track, ""


def _list_absent(size: DotSize | None, reason: str) -> tuple[str, ...]:
    absent = []
    if size is not None and size.edge_nm is None:
        absent.append(f"Size: {size.reason}.")
    if reason:
        absent.append(f"Spectral diffusion, jumps and blue shift: {reason}.")
    return tuple(absent)


def _list_warnings(series: SpectralSeries, fit: EmissionFit, replaced: int) -> tuple[str, ...]:
    warnings = [*series.warnings, *(text for s in series.spectra for text in s.warnings)]
    warnings += fit.warnings
    if replaced:
        warnings.append(
            f"{replaced} pixel{'s' if replaced > 1 else ''} stood out as if hit by cosmic rays "
            "and were interpolated"
        )
    return tuple(dict.fromkeys(warnings))
