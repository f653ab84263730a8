"""The peak of one dot in time: spectral diffusion, jumps, blue shift per hour.

    s² = var(E_i) − ⟨e_i²⟩                     spectral diffusion, without the error of the fits
    E(t) = E_0 + b t                           blue shift, b > 0 towards higher energy

Rainò et al. 2022 (SI Fig. 16) give the first, Mi et al. 2025 (Fig. 2g) look for jumps of 2.5 meV or
more, D'Amato et al. 2023 (Fig. 2b) find a blue shift below 4 nm per hour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.spectra.peak_track import PeakTrack
from qdcomp.experiment.spectra.spectrum import HC_EV_NM
from qdcomp.experiment.straight_line import StraightLine, fit_straight_line

SECONDS_PER_HOUR = 3600.0

SIGNIFICANT_VARIANCE = 2.0
"""Variance over its error from which its square root is given."""

SHUFFLES = 400
"""Series without a jump that the critical value of one length is taken from."""


@dataclass(frozen=True)
class SpectralDiffusion:
    """Wandering of the peak.

    Attributes
    ----------
    variance_mev2
        Variance of the peak energies less that of the fits [meV²]; by chance below zero where
        there is no diffusion.
    standard_deviation_mev
        Its root [meV]; None where the variance is less than two of its errors above zero.
    reason
        Why there is none; empty where there is one.
    total_standard_deviation_mev
        Standard deviation of the peak energies as they are [meV].
    fit_error_mev
        Root mean square of the errors of the fits [meV].
    range_mev
        Highest less lowest peak energy [meV].
    trend_removed
        True if a straight line in time was taken off first.
    n_peaks
        Number of peaks.
    """

    variance_mev2: Estimate
    standard_deviation_mev: Estimate | None
    reason: str
    total_standard_deviation_mev: float
    fit_error_mev: float
    range_mev: float
    trend_removed: bool
    n_peaks: int


@dataclass(frozen=True)
class SpectralJumps:
    """Sudden changes of the peak energy.

    Attributes
    ----------
    times_s
        Start of the first frame after each jump [s], shape ``(n_jumps,)``.
    frames
        Positions in the track of those frames, shape ``(n_jumps,)``.
    sizes_mev
        New less old level [meV], one per jump.
    levels_ev
        Mean peak energy of each stretch between jumps [eV], one more than jumps.
    noise_mev
        Standard deviation within the stretches that the test took [meV].
    confidence
        Probability that a series without jumps shows none.
    """

    times_s: NDArray[np.float64]
    frames: NDArray[np.int64]
    sizes_mev: tuple[Estimate, ...]
    levels_ev: tuple[Estimate, ...]
    noise_mev: float
    confidence: float


@dataclass(frozen=True)
class BlueShift:
    """Drift of the peak.

    Attributes
    ----------
    rate_mev_per_hour
        Positive towards higher energy [meV/h].
    rate_nm_per_hour
        Positive towards shorter wavelength [nm/h].
    energy_line
        The straight line: energies [eV] against times from the first frame [s].
    duration_s
        Time between the first and the last peak [s].
    """

    rate_mev_per_hour: Estimate
    rate_nm_per_hour: Estimate
    energy_line: StraightLine
    duration_s: float


def compute_spectral_diffusion(
    track: PeakTrack, *, remove_trend: bool = False
) -> SpectralDiffusion:
    """Compute the standard deviation of the peak energy, without that of the fits.

    Parameters
    ----------
    track
        At least 3 peaks, 4 where a trend is removed.
    remove_trend
        Take a straight line in time off first, as of a blue shift.

    Raises
    ------
    InputError
        If there are too few peaks.
    """
    _require_peaks(track, 4 if remove_trend else 3)
    energies = 1e3 * track.energies_ev
    errors = 1e3 * track.energy_errors_ev
    offsets = energies - energies.mean()
    freedom = len(track) - 1
    if remove_trend:
        times = track.times_s - track.times_s.mean()
        offsets = offsets - times * float(times @ offsets) / float(times @ times)
        freedom -= 1
    total = float(offsets @ offsets) / freedom
    of_fits = float(np.mean(errors**2))
    variance = total - of_fits
    # 2 s⁴/ν for Gaussian numbers of one variance; more where the errors of the fits differ
    each = max(variance, 0.0) + errors**2
    unequal = float(np.mean(each**2) / np.mean(each) ** 2)
    error = total * math.sqrt(2.0 * unequal / freedom)
    deviation = None
    reason = ""
    if variance > SIGNIFICANT_VARIANCE * error:
        root = math.sqrt(variance)
        deviation = Estimate(root, error / (2.0 * root))
    else:
        reason = (
            f"the peaks scatter by {math.sqrt(total):.2g} meV, their fits have errors of "
            f"{math.sqrt(of_fits):.2g} meV: diffusion does not stand out"
        )
    return SpectralDiffusion(
        variance_mev2=Estimate(variance, error),
        standard_deviation_mev=deviation,
        reason=reason,
        total_standard_deviation_mev=math.sqrt(total),
        fit_error_mev=math.sqrt(of_fits),
        range_mev=float(np.ptp(energies)),
        trend_removed=remove_trend,
        n_peaks=len(track),
    )


def find_spectral_jumps(
    track: PeakTrack,
    *,
    confidence: float = 0.99,
    noise: Literal["local", "fits"] = "local",
    seed: int = 0,
) -> SpectralJumps:
    """Find sudden changes of the peak energy by binary segmentation.

    In each stretch the split with the largest |difference of means| over its error is tested
    against the largest of series without a jump of that length, simulated from `seed`.

    Parameters
    ----------
    track
        At least 4 peaks.
    confidence
        Probability that a stretch without a jump is not split.
    noise
        ``"local"``: what consecutive peaks differ by, if more than the fits' errors, so that
        diffusion from frame to frame is not taken for jumps; ``"fits"``: the fits' errors alone.
    seed
        Of the simulated series.

    Raises
    ------
    InputError
        If there are fewer than 4 peaks, or the confidence is not between 0 and 1.
    """
    _require_peaks(track, 4)
    if not 0.0 < confidence < 1.0:
        raise InputError(f"a confidence of {confidence}; expected a number between 0 and 1")
    if noise not in ("local", "fits"):
        raise InputError(f"the noise is {noise!r}; expected 'local' or 'fits'")
    variance = track.energy_errors_ev**2
    if noise == "local":
        # Gaussian steps of variance 2σ² have a median square of 0.4549 · 2σ²; jumps do not move it
        local = float(np.median(np.diff(track.energies_ev) ** 2)) / (2.0 * 0.4549)
        variance = variance + max(local - float(np.mean(variance)), 0.0)
    weights = 1.0 / variance
    borders = [0, len(track)]
    open_stretches = [(0, len(track))]
    rng = np.random.default_rng(seed)
    critical: dict[int, float] = {}
    while open_stretches:
        start, stop = open_stretches.pop()
        length = stop - start
        if length < 4:
            continue
        statistic, split = _best_split(
            track.energies_ev[None, start:stop], weights[None, start:stop]
        )
        if length not in critical:
            critical[length] = _critical_split(length, confidence, rng)
        if statistic[0] > critical[length]:
            at = start + int(split[0])
            borders.append(at)
            open_stretches += [(start, at), (at, stop)]
    borders.sort()
    levels = []
    for start, stop in pairwise(borders):
        total = float(weights[start:stop].sum())
        mean = float(weights[start:stop] @ track.energies_ev[start:stop]) / total
        levels.append(Estimate(mean, 1.0 / math.sqrt(total)))
    frames = np.array(borders[1:-1], dtype=np.int64)
    return SpectralJumps(
        times_s=track.times_s[frames],
        frames=frames,
        sizes_mev=tuple(
            Estimate(1e3 * (new.value - old.value), 1e3 * math.hypot(new.error, old.error))
            for old, new in pairwise(levels)
        ),
        levels_ev=tuple(levels),
        noise_mev=1e3 * math.sqrt(float(np.mean(variance))),
        confidence=confidence,
    )


def fit_blue_shift(track: PeakTrack) -> BlueShift:
    """Fit a straight line in time to the peak energies, and one to the wavelengths.

    Scatter beyond the errors of the fits, as of spectral diffusion, widens the errors. Diffusion
    that is slower than the frames is not white, and the error then too small.

    Parameters
    ----------
    track
        At least 3 peaks.

    Raises
    ------
    InputError
        If there are fewer than 3 peaks.
    """
    _require_peaks(track, 3)
    hours = (track.times_s - track.times_s[0]) / SECONDS_PER_HOUR
    energy = fit_straight_line(hours, track.energies_ev, track.energy_errors_ev)
    wavelengths = HC_EV_NM / track.energies_ev
    wavelength = fit_straight_line(
        hours, wavelengths, wavelengths * track.energy_errors_ev / track.energies_ev
    )
    per_second = Estimate(
        energy.slope.value / SECONDS_PER_HOUR, energy.slope.error / SECONDS_PER_HOUR
    )
    return BlueShift(
        rate_mev_per_hour=Estimate(1e3 * energy.slope.value, 1e3 * energy.slope.error),
        rate_nm_per_hour=Estimate(-wavelength.slope.value, wavelength.slope.error),
        energy_line=StraightLine(
            slope=per_second,
            intercept=energy.intercept,
            scatter=energy.scatter,
            reduced_chi2=energy.reduced_chi2,
            n_points=energy.n_points,
        ),
        duration_s=float(track.times_s[-1] - track.times_s[0]),
    )


def _require_peaks(track: PeakTrack, least: int) -> None:
    if len(track) < least:
        raise InputError(
            f"{len(track)} of {len(track) + len(track.failed)} frames have a peak; expected at "
            f"least {least}"
        )


def _best_split(
    values: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find the most significant split of each row, and how many errors its means differ by."""
    centred = values - values.mean(axis=1, keepdims=True)
    left = np.cumsum(weights, axis=1)[:, :-1]
    right = weights.sum(axis=1, keepdims=True) - left
    sums = np.cumsum(weights * centred, axis=1)
    difference = sums[:, :-1] / left - (sums[:, -1:] - sums[:, :-1]) / right
    statistic = np.abs(difference) * np.sqrt(left * right / (left + right))
    split = np.argmax(statistic, axis=1)
    return statistic[np.arange(len(values)), split], split + 1


def _critical_split(length: int, confidence: float, rng: np.random.Generator) -> float:
    series = rng.standard_normal((max(SHUFFLES, round(10.0 / (1.0 - confidence))), length))
    statistic, _ = _best_split(series, np.ones_like(series))
    return float(np.quantile(statistic, confidence))
