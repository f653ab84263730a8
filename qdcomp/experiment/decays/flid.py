"""Fluorescence lifetime–intensity distribution: how often a dot is at which pair of the two.

Each time bin is a point; the density over the plane is a kernel density with a Gaussian kernel,

    p(I, τ) = Σ_k w_k g(I − I_k; h_I) g(τ − τ_k; h_τ) / Σ_k w_k

as in D'Amato et al. (2023). The points are put on a grid several times finer than the kernel first
and the grid is smoothed, so 10⁵ bins cost no more than 10².
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from qdcomp.errors import InputError
from qdcomp.experiment.decays.lifetime_trace import LifetimeTrace

_Column = NDArray[np.float32]

_CELLS_PER_BANDWIDTH = 4.0
_MOST_CELLS = 2048
_POINTS_AT_ONCE = 2**16
_REACH = 4.0
"""Bandwidths that the plane goes on beyond the outermost points."""

_NORMAL_QUARTILES = 1.349
"""Distance of the quartiles of a normal distribution of unit width."""


@dataclass(frozen=True)
class Flid:
    """Density of a dot over the plane of intensity and lifetime.

    Attributes
    ----------
    intensities_per_s
        Centres of the cells [counts/s], shape ``(n_intensities,)``.
    lifetimes_ns
        Centres of the cells [ns], shape ``(n_lifetimes,)``.
    density
        p(I, τ) [s/ns], shape ``(n_intensities, n_lifetimes)``; its integral over the plane is 1.
    bandwidths
        Standard deviations of the kernel [counts/s] and [ns].
    peak
        Intensity [counts/s] and lifetime [ns] of the cell of the highest density.
    n_points
        Time bins that have a lifetime.
    n_left_out
        Time bins that have none.
    """

    intensities_per_s: NDArray[np.float64]
    lifetimes_ns: NDArray[np.float64]
    density: NDArray[np.float64]
    bandwidths: tuple[float, float]
    peak: tuple[float, float]
    n_points: int
    n_left_out: int


def compute_flid(
    trace: LifetimeTrace,
    *,
    lifetime: Literal["mean_arrival", "likelihood"] = "mean_arrival",
    bandwidths: tuple[float, float] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> Flid:
    """Distribution of the time bins of a lifetime trace.

    Parameters
    ----------
    trace
        Counts and lifetimes of the time bins.
    lifetime
        Mean arrival time, as D'Amato et al. plot it, or lifetime by maximum likelihood, from which
        the background is taken off.
    bandwidths
        Kernel in intensity [counts/s] and lifetime [ns]; by Silverman's rule if absent, which
        is right for one round cloud and wide for several.
    weights
        Weight of every time bin, not negative, shape ``(n_bins,)``; equal if absent.

    Raises
    ------
    InputError
        If fewer than two bins have a lifetime, or bandwidths or weights make no sense.
    """
    values = trace.mean_arrivals_ns if lifetime == "mean_arrival" else trace.lifetimes_ns
    known = np.isfinite(values)
    if np.count_nonzero(known) < 2:
        raise InputError(
            f"{np.count_nonzero(known)} time bins have a lifetime; a distribution needs two, so "
            "use wider bins"
        )
    # Single precision and no weights where all are equal: a trace of days is long.
    points = (trace.counts[known].astype(np.float32) / np.float32(trace.bin_s), values[known])
    shares = None if weights is None else _select_weights(weights, known)
    widths = _choose_bandwidths(points, shares) if bandwidths is None else bandwidths
    if not all(np.isfinite(width) and width > 0.0 for width in widths):
        raise InputError(f"bandwidths {widths}; expected a positive intensity and a positive time")
    axes = [_make_axis(points[k], widths[k]) for k in range(2)]
    density = _count_cells(points, shares, axes)
    steps = [float(axis[1] - axis[0]) for axis in axes]
    sigmas = [width / step for width, step in zip(widths, steps, strict=True)]
    smooth = gaussian_filter(density, sigmas, mode="constant", truncate=_REACH + 2.0)
    smooth /= smooth.sum() * steps[0] * steps[1]
    centres = [0.5 * (axis[1:] + axis[:-1]) for axis in axes]
    place = np.unravel_index(int(np.argmax(smooth)), smooth.shape)
    return Flid(
        intensities_per_s=centres[0],
        lifetimes_ns=centres[1],
        density=smooth,
        bandwidths=(float(widths[0]), float(widths[1])),
        peak=(float(centres[0][place[0]]), float(centres[1][place[1]])),
        n_points=len(points[0]),
        n_left_out=len(values) - len(points[0]),
    )


def _select_weights(weights: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    if weights.shape != known.shape or not np.all(np.isfinite(weights)) or np.any(weights < 0):
        raise InputError(f"weights of shape {weights.shape}; expected {known.shape}, not negative")
    chosen: NDArray[np.float64] = weights[known].astype(np.float64)
    if chosen.sum() == 0.0:
        raise InputError("all time bins that have a lifetime weigh nothing")
    return chosen


def _choose_bandwidths(
    points: tuple[_Column, _Column], shares: NDArray[np.float64] | None
) -> tuple[float, float]:
    """Silverman's rule in two dimensions, h = s n^(−1/6), n by Kish's effective number.

    s is the standard deviation, or the narrower one of the quartiles, so that a few bins far away
    do not blur the cloud.
    """
    number = len(points[0]) if shares is None else shares.sum() ** 2 / np.dot(shares, shares)
    widths = []
    for column in points:
        spread = _measure_spread(column, shares)
        low, high = np.quantile(column, (0.25, 0.75))
        middle = float(high - low) / _NORMAL_QUARTILES
        narrow = min(spread, middle) if middle > 0.0 else spread
        # Bins that are all the same still need a kernel that can be drawn.
        least = 1e-3 * max(abs(float(column.mean(dtype=float))), 1e-9)
        widths.append(max(narrow * number ** (-1.0 / 6.0), least))
    return widths[0], widths[1]


def _measure_spread(column: _Column, shares: NDArray[np.float64] | None) -> float:
    if shares is None:
        return float(column.std(ddof=1, dtype=float))
    return float(np.sqrt(np.cov(column, aweights=shares)))


def _count_cells(
    points: tuple[_Column, _Column],
    shares: NDArray[np.float64] | None,
    axes: list[NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Histogram in two dimensions, of so many points at a time that memory stays small."""
    density = np.zeros((len(axes[0]) - 1, len(axes[1]) - 1))
    for start in range(0, len(points[0]), _POINTS_AT_ONCE):
        taken = slice(start, start + _POINTS_AT_ONCE)
        x, y = (column[taken].astype(float) for column in points)
        weights = None if shares is None else shares[taken]
        density += np.histogram2d(x, y, axes, weights=weights)[0]
    return density


def _make_axis(values: _Column, width: float) -> NDArray[np.float64]:
    low, high = float(values.min()) - _REACH * width, float(values.max()) + _REACH * width
    cells = int(np.clip(np.ceil((high - low) / width * _CELLS_PER_BANDWIDTH), 16, _MOST_CELLS))
    return np.linspace(low, high, cells + 1)
