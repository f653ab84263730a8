"""Checks and corrections before a spectrum is fitted: saturation, background, cosmic rays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from qdcomp.errors import InputError
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.spectra.spectrum import SpectralSeries, Spectrum, make_spectral_series
from qdcomp.experiment.straight_line import fit_straight_line

ADC_MAXIMA = (4095.0, 16383.0, 65535.0, 262143.0)
"""Largest readings of 12-, 14-, 16- and 18-bit converters."""

SATURATED_PIXELS = 3
"""Neighbours with one and the same largest reading that make a flat top: at 1000 counts or more
noise does so once in some 10⁴ spectra."""

SATURATION_FLOOR = 1000.0
"""Counts below which a flat top is taken as chance."""

COSMIC_RAY_WIDTH = 3
"""Most neighbouring pixels that one cosmic ray lights up."""

COSMIC_RAY_THRESHOLD = 8.0
"""Standard deviations above the neighbours from which a pixel counts as hit."""

MAD_PER_SIGMA = 0.6744897501960817
"""Median absolute deviation of a Gaussian over its standard deviation."""


@dataclass(frozen=True)
class BackgroundSubtraction:
    """A spectrum without its background.

    Attributes
    ----------
    spectrum
        What is left; it remembers what was taken off, since that still makes noise.
    level_counts
        Background at the middle of the ranges [counts per pixel].
    slope_counts_per_nm
        Its slope [counts per pixel and nm]; None for a constant background.
    pixels
        Pixels that it was taken from.
    """

    spectrum: Spectrum
    level_counts: Estimate
    slope_counts_per_nm: Estimate | None
    pixels: int


@dataclass(frozen=True)
class CosmicRayRemoval:
    """A spectrum without cosmic rays.

    Attributes
    ----------
    spectrum
        The hit pixels are interpolated between their neighbours.
    pixels
        Indices of the pixels that were replaced, shape ``(n_replaced,)``.
    """

    spectrum: Spectrum
    pixels: NDArray[np.int64]


@dataclass(frozen=True)
class SeriesCosmicRayRemoval:
    """A series without cosmic rays.

    Attributes
    ----------
    series
        The hit pixels are interpolated between their neighbours in the frame.
    pixels_per_frame
        Number of pixels replaced in each frame, shape ``(n_frames,)``.
    """

    series: SpectralSeries
    pixels_per_frame: NDArray[np.int64]


def find_saturated_pixels(
    spectrum: Spectrum, saturation_counts: float | None = None
) -> NDArray[np.int64]:
    """Find the pixels at which the detector was full.

    Without a level of saturation: pixels at the largest reading of a 12-, 14-, 16- or 18-bit
    converter, or a flat top of three neighbours or more that all read the largest value.

    Parameters
    ----------
    spectrum
        Counts as read.
    saturation_counts
        Reading from which a pixel is full [counts].
    """
    counts = spectrum.counts
    if saturation_counts is not None:
        return np.flatnonzero(counts >= saturation_counts)
    largest = float(counts.max())
    top = np.flatnonzero(counts == largest)
    if largest in ADC_MAXIMA and len(top) >= 2:
        return top
    runs = np.split(top, np.flatnonzero(np.diff(top) > 1) + 1)
    longest = max(runs, key=len)
    if largest >= SATURATION_FLOOR and len(longest) >= SATURATED_PIXELS:
        return longest
    return np.empty(0, np.int64)


def require_clean_counts(spectrum: Spectrum, saturation_counts: float | None = None) -> None:
    """Stop at counts that no fit should be made of.

    Parameters
    ----------
    spectrum
        Counts as read, or with a background taken off.
    saturation_counts
        Reading from which a pixel is full [counts].

    Raises
    ------
    InputError
        If the detector was saturated, counts are negative where no background was subtracted, or
        all counts are the same.
    """
    counts = spectrum.counts
    if counts.max() == counts.min():
        raise InputError(f"all {len(counts)} pixels read {counts[0]:g}: there is no spectrum")
    full = find_saturated_pixels(spectrum, saturation_counts)
    if len(full):
        first, last = spectrum.wavelengths_nm[[full[0], full[-1]]]
        raise InputError(
            f"the detector was saturated: {len(full)} pixels between {first:.1f} and {last:.1f} nm "
            f"read {counts[full].min():g} counts, the largest value there is; measure again with a "
            "shorter exposure"
        )
    negative = int(np.sum(counts < 0.0))
    if negative and not spectrum.background_subtracted:
        raise InputError(
            f"{negative} of {len(counts)} pixels have negative counts, down to {counts.min():g}; "
            "counting cannot give that: if a background was subtracted, say so with "
            "background_subtracted=True (on the command line --background-subtracted)"
        )


def subtract_background(
    spectrum: Spectrum,
    ranges_nm: Sequence[tuple[float, float]],
    model: Literal["constant", "linear"] = "constant",
) -> BackgroundSubtraction:
    """Take off the background that is seen in ranges without emission.

    The mean of the pixels of the ranges, or a straight line through them. Its error is that of the
    scatter of those pixels. What was taken off stays known, for the noise of later fits; a fit that
    has a background of its own should still have one after this.

    Parameters
    ----------
    spectrum
        A spectrum with background.
    ranges_nm
        Ranges without emission, (from, to) [nm].
    model
        ``"constant"`` or ``"linear"``.

    Raises
    ------
    InputError
        If a range is empty or upside down, or fewer than 3 pixels are in them.
    """
    if model not in ("constant", "linear"):
        raise InputError(f"the background is {model!r}; expected 'constant' or 'linear'")
    axis = spectrum.wavelengths_nm
    inside = np.zeros(len(axis), dtype=bool)
    for low, high in ranges_nm:
        if not low < high:
            raise InputError(f"a range from {low:g} to {high:g} nm is empty")
        inside |= (axis >= low) & (axis <= high)
    used = int(inside.sum())
    if used < 3:
        raise InputError(
            f"the background ranges hold {used} of the pixels between {axis[0]:g} and "
            f"{axis[-1]:g} nm; expected at least 3"
        )
    counts = spectrum.counts[inside]
    middle = float(axis[inside].mean())
    slope = None
    if model == "constant":
        level = Estimate(float(counts.mean()), float(counts.std(ddof=1) / np.sqrt(used)))
        background = np.full(len(axis), level.value)
    else:
        line = fit_straight_line(axis[inside] - middle, counts)
        level, slope = line.intercept, line.slope
        background = level.value + slope.value * (axis - middle)
    earlier = spectrum.subtracted_counts
    cleaned = replace(
        spectrum,
        counts=spectrum.counts - background,
        background_subtracted=True,
        subtracted_counts=background if earlier is None else earlier + background,
    )
    return BackgroundSubtraction(cleaned, level, slope, used)


def remove_cosmic_rays(
    spectrum: Spectrum,
    *,
    threshold: float = COSMIC_RAY_THRESHOLD,
    max_width: int = COSMIC_RAY_WIDTH,
) -> CosmicRayRemoval:
    """Replace the pixels that a cosmic ray hit.

    A pixel is hit where it stands more than `threshold` standard deviations above the running
    median of 4 `max_width` + 1 pixels, together with no more than `max_width` such neighbours; the
    deviation is the local scatter about that median, at least the shot noise. A line as narrow as
    that cannot be told from a cosmic ray: leave this out for lines of a few pixels.

    Parameters
    ----------
    spectrum
        Counts as read.
    threshold
        Standard deviations.
    max_width
        Most neighbouring pixels that one ray may have hit.

    Raises
    ------
    InputError
        If the threshold is not positive or the width less than 1.
    """
    _require_cosmic_ray_options(threshold, max_width)
    smooth = median_filter(spectrum.counts, size=4 * max_width + 1, mode="nearest")
    hit = _find_spikes(spectrum.counts, smooth, threshold, max_width)
    return CosmicRayRemoval(_interpolate(spectrum, hit), np.flatnonzero(hit))


def remove_cosmic_rays_of_series(
    series: SpectralSeries,
    *,
    threshold: float = COSMIC_RAY_THRESHOLD,
    max_width: int = COSMIC_RAY_WIDTH,
) -> SeriesCosmicRayRemoval:
    """Replace the pixels that a cosmic ray hit in one frame, but not in the others.

    As `remove_cosmic_rays`, in every frame by itself: a dot that blinks or jumps changes its frames
    in more than `max_width` neighbouring pixels, and is left alone.

    Parameters
    ----------
    series
        Frames of counts as read.
    threshold
        Standard deviations.
    max_width
        Most neighbouring pixels that one ray may have hit.

    Raises
    ------
    InputError
        If the threshold is not positive or the width less than 1.
    """
    removed = [
        remove_cosmic_rays(spectrum, threshold=threshold, max_width=max_width)
        for spectrum in series.spectra
    ]
    return SeriesCosmicRayRemoval(
        make_spectral_series(
            tuple(removal.spectrum for removal in removed), series.times_s, series.warnings
        ),
        np.array([len(removal.pixels) for removal in removed], dtype=np.int64),
    )


def measure_noise(counts: NDArray[np.float64]) -> float:
    """Measure the standard deviation of the noise by the differences of neighbours [counts].

    The median of |second differences|, whose standard deviation is √6 that of a pixel; a line of
    many pixels hardly enters.

    Parameters
    ----------
    counts
        Counts in the order of the pixels, shape ``(n_pixels,)``.
    """
    differences = np.abs(counts[2:] - 2.0 * counts[1:-1] + counts[:-2])
    return float(np.median(differences)) / (MAD_PER_SIGMA * math.sqrt(6.0))


def _require_cosmic_ray_options(threshold: float, max_width: int) -> None:
    if not (np.isfinite(threshold) and threshold > 0.0):
        raise InputError(f"the threshold is {threshold}; expected a positive number")
    if max_width < 1:
        raise InputError(f"a cosmic ray of {max_width} pixels; expected 1 or more")


def _find_spikes(
    counts: NDArray[np.float64], smooth: NDArray[np.float64], threshold: float, max_width: int
) -> NDArray[np.bool_]:
    excess = counts - smooth
    floor = measure_noise(counts)
    # the shot noise in the units of the detector: what the line adds to the noise of the wings
    local = median_filter(np.abs(excess), size=8 * max_width + 1, mode="nearest") / MAD_PER_SIGMA
    shot = np.sqrt(np.maximum(smooth, 0.0))
    high = excess > threshold * np.maximum(np.maximum(local, shot), floor)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], high.view(np.int8), [0]))))
    hit = np.zeros(len(counts), dtype=bool)
    for start, stop in edges.reshape(-1, 2):
        if stop - start <= max_width:
            hit[start:stop] = True
    return hit


def _interpolate(spectrum: Spectrum, hit: NDArray[np.bool_]) -> Spectrum:
    if not hit.any():
        return spectrum
    axis = spectrum.wavelengths_nm
    counts = spectrum.counts.copy()
    # the neighbours of a hit pixel hold some of its charge
    wide = np.convolve(hit, [True, True, True], mode="same") & ~hit
    good = ~hit & ~(wide & (counts > np.interp(axis, axis[~hit], counts[~hit])))
    counts[hit] = np.interp(axis[hit], axis[good], counts[good])
    note = f"{int(hit.sum())} pixels hit by cosmic rays were interpolated"
    return replace(spectrum, counts=counts, warnings=(*spectrum.warnings, note))
