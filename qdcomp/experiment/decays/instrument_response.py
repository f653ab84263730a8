"""Instrument response: what the detectors and the laser's pulse make of an instant.

    counts in a bin = photons · ∫_bin (response ∗ decay)

on the circle of one period, with the pulse's time free. A Gaussian response has a closed form; a
measured one is convolved by the fast Fourier transform, each of its bins taken as flat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.special import ndtr

from qdcomp.errors import InputError
from qdcomp.experiment.decays.decay import Decay
from qdcomp.experiment.decays.decay_models import (
    DecayShape,
    compute_broadened_cumulative,
    compute_cumulative,
    integrate_cumulative,
)

_GAUSSIAN_BINS = 8
"""Bins in one standard deviation where a Gaussian response needs a grid."""

_GAUSSIAN_REACH = 6.0
"""Standard deviations over which a Gaussian response is felt."""

_BACKGROUND_SIGMAS = 5.0
"""Bins of a measured response so far above its floor are part of the response."""

_FLAT_SHARE = 1e-3
"""Share of a measured response outside its width, on either side."""


@dataclass(frozen=True)
class Response:
    """Response on a circle of one period.

    Attributes
    ----------
    sigma_ns
        Standard deviation of a Gaussian response [ns]; None for a measured one.
    weights
        Share of the response in each bin of an even grid over the period, shape ``(n_grid,)``;
        None for a Gaussian one.
    peak_ns
        Where its highest bin is on the axis of the measurement [ns]; 0 for a Gaussian.
    reach_ns
        How far the response reaches before and after its peak [ns].
    photons
        Photons that a measured response was made of; None for a Gaussian.
    """

    sigma_ns: float | None
    weights: NDArray[np.float64] | None
    peak_ns: float
    reach_ns: tuple[float, float]
    photons: int | None


def make_gaussian_response(sigma_ns: float, period_ns: float) -> Response:
    """Gaussian response of a standard deviation [ns]; its full width is 2.355 times as much.

    Raises
    ------
    InputError
        If it is not positive or not short against the period.
    """
    if not (np.isfinite(sigma_ns) and 0.0 < sigma_ns < 0.05 * period_ns):
        raise InputError(
            f"a response of σ = {sigma_ns} ns; expected a positive time under 5 % of the period of "
            f"{period_ns:g} ns"
        )
    reach = _GAUSSIAN_REACH * sigma_ns
    return Response(float(sigma_ns), None, 0.0, (reach, reach), None)


def make_measured_response(measured: Decay, period_ns: float) -> Response:
    """Response from the histogram of scattered laser light, its constant floor taken off.

    Raises
    ------
    InputError
        If its period differs from `period_ns`, or nothing stands out of its floor.
    """
    if abs(measured.period_ns / period_ns - 1.0) > 1e-3:
        raise InputError(
            f"the response has a period of {measured.period_ns:g} ns, the decay {period_ns:g} ns; "
            "measure both at one repetition rate"
        )
    counts = measured.counts.astype(float)
    floor = _find_floor(counts)
    above = counts > floor + _BACKGROUND_SIGMAS * np.sqrt(max(floor, 1.0))
    if not np.any(above):
        raise InputError("the response has no peak above its floor; measure more laser light")
    # Noise far from the peak would only spread the model: between the outermost bins that stand out
    # everything counts, elsewhere nothing.
    peak = int(np.argmax(counts))
    inside = _find_extent(above, peak)
    values = np.where(inside, counts - floor, 0.0)
    grid = max(2, round(period_ns / measured.bin_ns))
    cumulative = np.concatenate([[0.0], np.cumsum(values)]) / values.sum()
    borders = np.linspace(0.0, measured.period_ns, grid + 1)
    weights = np.diff(np.interp(borders, measured.edges_ns, cumulative))
    before, after = _find_reach(np.roll(weights, -int(np.argmax(weights))))
    width = period_ns / grid
    return Response(
        sigma_ns=None,
        weights=weights,
        peak_ns=float((np.argmax(weights) + 0.5) * width),
        reach_ns=((before + 1) * width, (after + 1) * width),
        photons=int(values.sum()),
    )


def compute_response_cumulative(
    shape: DecayShape,
    times_ns: NDArray[np.float64],
    start_ns: float,
    period_ns: float,
    response: Response | None,
) -> NDArray[np.float64]:
    """Photons up to a time, per photon of a component; bins have its differences.

    Parameters
    ----------
    shape
        Component of unit area.
    times_ns
        Times on the axis of the measurement, from 0 to the period [ns].
    start_ns
        Time of the pulse without a measured response; shift of a measured response [ns].
    period_ns
        Time between two pulses [ns].
    response
        Instrument response; none for an instantaneous one.

    Returns
    -------
    NDArray
        Cumulative up to a constant, of the shape of `times_ns`; it grows by 1 over the period.
    """
    if response is None:
        return compute_cumulative(shape, times_ns - start_ns, period_ns)
    if response.sigma_ns is not None and shape.stretching == 1.0:
        return compute_broadened_cumulative(
            shape.lifetime_ns, times_ns - start_ns, period_ns, response.sigma_ns
        )
    weights = response.weights
    if weights is None:
        weights = _tabulate_gaussian(float(response.sigma_ns or 0.0), period_ns)
    convolved = _convolve(shape, weights, start_ns, period_ns)
    borders = np.arange(len(convolved)) * (period_ns / (len(convolved) - 1))
    values: NDArray[np.float64] = np.interp(times_ns, borders, convolved)
    return values


def _convolve(
    shape: DecayShape, weights: NDArray[np.float64], start_ns: float, period_ns: float
) -> NDArray[np.float64]:
    """Cumulative of the convolution at the borders of the grid, shape ``(n_grid + 1,)``."""
    width = period_ns / len(weights)
    borders = width * np.arange(-1.0, len(weights) + 1.0) - start_ns
    # Cumulative of the decay behind one flat bin: the mean of C over that bin.
    means = np.diff(integrate_cumulative(shape, borders, period_ns)) / width
    kernel = np.diff(means)
    masses = fft.irfft(fft.rfft(weights) * fft.rfft(kernel), len(weights))
    return np.concatenate([[0.0], np.cumsum(masses)])


def _tabulate_gaussian(sigma_ns: float, period_ns: float) -> NDArray[np.float64]:
    """Gaussian on the circle, centred on the border of the grid at 0."""
    grid = 2 * int(np.ceil(0.5 * _GAUSSIAN_BINS * period_ns / sigma_ns))
    borders = (np.arange(grid + 1) - grid // 2) * (period_ns / grid)
    return np.roll(np.diff(ndtr(borders / sigma_ns)), -(grid // 2))


def _find_floor(counts: NDArray[np.float64]) -> float:
    """Mean of the bins that do not stand out, found by leaving out those that do."""
    kept = counts
    while True:
        floor = float(kept.mean())
        fewer = kept[kept <= floor + _BACKGROUND_SIGMAS * np.sqrt(max(floor, 1.0))]
        if len(fewer) in (0, len(kept)):
            return floor
        kept = fewer


def _find_extent(above: NDArray[np.bool_], peak: int) -> NDArray[np.bool_]:
    """Bins between the first and the last that stand out, within half a period of the peak."""
    n = len(above)
    offsets = (np.flatnonzero(above) - peak + n // 2) % n - n // 2
    positions = (np.arange(n) - peak + n // 2) % n - n // 2
    inside: NDArray[np.bool_] = (positions >= offsets.min()) & (positions <= offsets.max())
    return inside


def _find_reach(weights: NDArray[np.float64]) -> tuple[int, int]:
    """Bins before and after the peak, which comes first, that hold all but a small share."""
    n = len(weights)
    after = np.cumsum(weights[: n // 2][::-1])[::-1]
    before = np.cumsum(weights[n // 2 :])
    return (
        int(np.count_nonzero(before > _FLAT_SHARE)),
        int(np.count_nonzero(after > _FLAT_SHARE)),
    )
