"""Photoluminescence spectra of a simulated dot, with everything that a camera adds.

The line is two half-Voigts that share peak and height, one on each side (Mi, Fig. 6):

    I(E) = h V(E − E_0; σ_side, γ_side)/V(0; σ_side, γ_side)

A camera pixel collects Poisson photons of the line and of a background, cosmic rays fall on
single pixels, and read-out adds Gaussian noise and an offset. Over a series the peak wanders
(random steps that fall back to the mean), jumps and shifts to the blue.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize
from scipy.special import voigt_profile

from qdcomp.errors import InputError
from qdcomp.experiment.spectra.spectrum import (
    HC_EV_NM,
    SpectralSeries,
    Spectrum,
    make_spectral_series,
    make_spectrum,
)

_POINTS_PER_PIXEL = 8
"""Points at which the line is summed over a pixel."""


@dataclass(frozen=True)
class SimulatedLine:
    """Emission line of known shape.

    Attributes
    ----------
    peak_ev
        Energy of the maximum of I(E) [eV].
    photons_per_s
        Detected photons per second of the whole line.
    gaussian_sd_ev
        Standard deviation of the Gaussian part below and above the peak [eV].
    lorentzian_hwhm_ev
        Half width at half maximum of the Lorentzian part below and above the peak [eV].
    """

    peak_ev: float
    photons_per_s: float
    gaussian_sd_ev: tuple[float, float]
    lorentzian_hwhm_ev: tuple[float, float]

    def __post_init__(self) -> None:
        """Refuse a line without position, light or width."""
        for name, value in (("peak", self.peak_ev), ("photon rate", self.photons_per_s)):
            if not (math.isfinite(value) and value > 0.0):
                raise InputError(f"the {name} of a line is {value}; expected a positive number")
        for sd, hwhm in zip(self.gaussian_sd_ev, self.lorentzian_hwhm_ev, strict=True):
            if min(sd, hwhm) < 0.0 or sd + hwhm <= 0.0:
                raise InputError(
                    f"a side of the line has a Gaussian of {sd} eV and a Lorentzian of {hwhm} eV; "
                    "expected none below zero and one above"
                )

    @property
    def hwhm_ev(self) -> tuple[float, float]:
        """Half width at half maximum of the red and the blue side [eV]."""
        red, blue = (
            _find_hwhm(sd, hwhm)
            for sd, hwhm in zip(self.gaussian_sd_ev, self.lorentzian_hwhm_ev, strict=True)
        )
        return red, blue

    @property
    def fwhm_ev(self) -> float:
        """Full width at half maximum [eV]."""
        return sum(self.hwhm_ev)

    def compute_density(self, energies_ev: NDArray[np.float64]) -> NDArray[np.float64]:
        """Photons per second and energy, I(E) [1/(s eV)], of the shape of `energies_ev`."""
        sides = list(zip(self.gaussian_sd_ev, self.lorentzian_hwhm_ev, strict=True))
        heights = [float(voigt_profile(0.0, *side)) for side in sides]
        # half a Voigt of unit height has the area 1/(2 V(0))
        area = sum(0.5 / height for height in heights)
        offsets = energies_ev - self.peak_ev
        red, blue = (
            voigt_profile(offsets, *side) / height
            for side, height in zip(sides, heights, strict=True)
        )
        density: NDArray[np.float64] = np.where(offsets < 0.0, red, blue)
        return density * (self.photons_per_s / area)


@dataclass(frozen=True)
class SimulatedCamera:
    """What the camera adds to the light.

    Attributes
    ----------
    counts_per_photon
        Gain.
    background_per_s
        Photons of the background per pixel and second.
    read_noise
        Standard deviation of the read-out of a pixel [counts].
    offset
        Counts of a pixel without light.
    cosmic_rays_per_s
        Cosmic rays per second on the whole detector.
    cosmic_ray_counts
        Mean counts of one, exponentially distributed.
    saturation
        Largest number of counts of a pixel; None without one.
    """

    counts_per_photon: float = 1.0
    background_per_s: float = 0.0
    read_noise: float = 0.0
    offset: float = 0.0
    cosmic_rays_per_s: float = 0.0
    cosmic_ray_counts: float = 5000.0
    saturation: float | None = None

    def __post_init__(self) -> None:
        """Refuse noise below zero."""
        if not self.counts_per_photon > 0.0:
            raise InputError(f"{self.counts_per_photon} counts per photon; expected more than 0")
        for name, value in (
            ("background", self.background_per_s),
            ("read-out noise", self.read_noise),
            ("rate of cosmic rays", self.cosmic_rays_per_s),
            ("size of cosmic rays", self.cosmic_ray_counts),
        ):
            if not (math.isfinite(value) and value >= 0.0):
                raise InputError(f"the {name} of the camera is {value}; expected zero or more")


@dataclass(frozen=True)
class SpectralWandering:
    """How the peak moves over a series.

    Attributes
    ----------
    diffusion_sd_ev
        Standard deviation of the wandering about its mean [eV].
    diffusion_time_s
        Correlation time of it [s].
    jumps_per_s
        Jumps per second.
    jump_sd_ev
        Standard deviation of the jumps' heights [eV].
    blue_shift_ev_per_h
        Steady shift to higher energy [eV/h].
    """

    diffusion_sd_ev: float = 0.0
    diffusion_time_s: float = 1.0
    jumps_per_s: float = 0.0
    jump_sd_ev: float = 0.0
    blue_shift_ev_per_h: float = 0.0

    def __post_init__(self) -> None:
        """Refuse widths and rates below zero."""
        if min(self.diffusion_sd_ev, self.jumps_per_s, self.jump_sd_ev) < 0.0:
            raise InputError("a width or a rate of the spectral wandering is below zero")
        if not self.diffusion_time_s > 0.0:
            raise InputError(f"a diffusion time of {self.diffusion_time_s} s is not positive")


NO_WANDERING = SpectralWandering()


@dataclass(frozen=True)
class SimulatedSpectrum:
    """A spectrum and what it was made of.

    Attributes
    ----------
    spectrum
        What the camera shows.
    expected_counts
        Mean counts of line, background and offset, shape ``(n_pixels,)``.
    cosmic_pixels
        True where a cosmic ray fell, shape ``(n_pixels,)``.
    """

    spectrum: Spectrum
    expected_counts: NDArray[np.float64]
    cosmic_pixels: NDArray[np.bool_]


@dataclass(frozen=True)
class SimulatedSeries:
    """A series of spectra and how the peak moved.

    Attributes
    ----------
    series
        What the camera shows.
    peaks_ev
        Energy of the peak in each frame [eV], shape ``(n_frames,)``.
    jump_frames
        True for frames before which the peak jumped, shape ``(n_frames,)``.
    cosmic_pixels
        True where a cosmic ray fell, shape ``(n_frames, n_pixels)``.
    """

    series: SpectralSeries
    peaks_ev: NDArray[np.float64]
    jump_frames: NDArray[np.bool_]
    cosmic_pixels: NDArray[np.bool_] = field(repr=False)


def simulate_spectrum(
    line: SimulatedLine,
    wavelengths_nm: ArrayLike,
    exposure_s: float,
    seed: int,
    *,
    camera: SimulatedCamera | None = None,
) -> SimulatedSpectrum:
    """Expose a camera once to the light of a line.

    Parameters
    ----------
    line
        The emission line.
    wavelengths_nm
        Centres of the pixels in vacuum [nm], rising, shape ``(n_pixels,)``.
    exposure_s
        Exposure [s].
    seed
        Of the random numbers.
    camera
        What it adds; one without noise of its own if absent.

    Raises
    ------
    InputError
        If wavelengths do not rise or the exposure is not positive.
    """
    generator = np.random.default_rng(seed)
    return _expose(generator, line, wavelengths_nm, exposure_s, camera or SimulatedCamera())


def simulate_spectral_series(
    line: SimulatedLine,
    wavelengths_nm: ArrayLike,
    exposure_s: float,
    frames: int,
    seed: int,
    *,
    wandering: SpectralWandering = NO_WANDERING,
    camera: SimulatedCamera | None = None,
) -> SimulatedSeries:
    """Spectra of one dot, one exposure after another, while its peak wanders.

    Parameters
    ----------
    line
        The emission line of the first frame, before diffusion.
    wavelengths_nm
        Centres of the pixels in vacuum [nm], rising, shape ``(n_pixels,)``.
    exposure_s
        Exposure of a frame [s]; within a frame the peak stands still.
    frames
        Number of frames.
    seed
        Of the random numbers.
    wandering
        How the peak moves.
    camera
        What it adds.

    Raises
    ------
    InputError
        If there is no frame, wavelengths do not rise or the exposure is not positive.
    """
    if frames < 1:
        raise InputError(f"a series of {frames} frames; expected one or more")
    if not (math.isfinite(exposure_s) and exposure_s > 0.0):
        raise InputError(f"the exposure is {exposure_s} s; expected a positive time")
    generator = np.random.default_rng(seed)
    times = exposure_s * np.arange(frames)
    jumps = generator.poisson(wandering.jumps_per_s * exposure_s, frames)
    jumps[0] = 0
    # n jumps within a frame add up to one of √n times the width
    heights = generator.standard_normal(frames) * np.sqrt(jumps) * wandering.jump_sd_ev
    peaks = (
        line.peak_ev
        + np.cumsum(heights)
        + wandering.blue_shift_ev_per_h * times / 3600.0
        + _draw_diffusion(generator, wandering, exposure_s, frames)
    )
    shots = [
        _expose(
            generator,
            SimulatedLine(
                float(peak), line.photons_per_s, line.gaussian_sd_ev, line.lorentzian_hwhm_ev
            ),
            wavelengths_nm,
            exposure_s,
            camera or SimulatedCamera(),
        )
        for peak in peaks
    ]
    return SimulatedSeries(
        series=make_spectral_series(tuple(shot.spectrum for shot in shots), times),
        peaks_ev=peaks,
        jump_frames=jumps > 0,
        cosmic_pixels=np.array([shot.cosmic_pixels for shot in shots]),
    )


def compute_line_photons(
    line: SimulatedLine, wavelengths_nm: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean photons per second of each pixel, ∫ I(E) dE over it, shape ``(n_pixels,)``.

    A pixel reaches half-way to its neighbours.
    """
    middles = 0.5 * (wavelengths_nm[1:] + wavelengths_nm[:-1])
    first, last = 2.0 * wavelengths_nm[0] - middles[0], 2.0 * wavelengths_nm[-1] - middles[-1]
    edges = HC_EV_NM / np.concatenate(([first], middles, [last]))
    widths = edges[:-1] - edges[1:]
    places = (np.arange(_POINTS_PER_PIXEL) + 0.5) / _POINTS_PER_PIXEL
    energies = edges[1:, None] + widths[:, None] * places
    photons: NDArray[np.float64] = line.compute_density(energies).mean(axis=1) * widths
    return photons


def _expose(
    generator: np.random.Generator,
    line: SimulatedLine,
    wavelengths_nm: ArrayLike,
    exposure_s: float,
    camera: SimulatedCamera,
) -> SimulatedSpectrum:
    axis = np.asarray(wavelengths_nm, dtype=np.float64)
    # refuses a bad axis or exposure before anything is computed with it
    make_spectrum(axis, np.zeros(axis.shape), exposure_s=exposure_s)
    if axis[0] > axis[-1]:
        axis = axis[::-1]
    photons = (compute_line_photons(line, axis) + camera.background_per_s) * exposure_s
    counts = generator.poisson(photons) * camera.counts_per_photon
    rays = generator.poisson(camera.cosmic_rays_per_s * exposure_s)
    pixels = generator.integers(0, len(axis), rays)
    np.add.at(counts, pixels, generator.exponential(camera.cosmic_ray_counts, rays))
    counts += camera.offset + generator.normal(0.0, camera.read_noise, len(axis))
    if camera.saturation is not None:
        counts = np.minimum(counts, camera.saturation)
    return SimulatedSpectrum(
        spectrum=make_spectrum(axis, np.rint(counts), exposure_s=exposure_s, source="simulated"),
        expected_counts=photons * camera.counts_per_photon + camera.offset,
        cosmic_pixels=np.isin(np.arange(len(axis)), pixels),
    )


def _draw_diffusion(
    generator: np.random.Generator, wandering: SpectralWandering, exposure_s: float, frames: int
) -> NDArray[np.float64]:
    memory = math.exp(-exposure_s / wandering.diffusion_time_s)
    normals = generator.standard_normal(frames)
    values = np.empty(frames)
    values[0] = normals[0]
    for i in range(1, frames):
        values[i] = memory * values[i - 1] + math.sqrt(1.0 - memory**2) * normals[i]
    return values * wandering.diffusion_sd_ev


def _find_hwhm(gaussian_sd: float, lorentzian_hwhm: float) -> float:
    half = 0.5 * float(voigt_profile(0.0, gaussian_sd, lorentzian_hwhm))
    wide = 2.0 * gaussian_sd + 2.0 * lorentzian_hwhm

    def compute_excess(offset: float) -> float:
        return float(voigt_profile(offset, gaussian_sd, lorentzian_hwhm)) - half

    return float(optimize.brentq(compute_excess, 0.0, wide, xtol=1e-15))
