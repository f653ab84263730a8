"""Pairs that are expected of light that knows nothing of its photons, at any delay and with gaps.

    E = r₂ Σ_i K(t_i) + r₁ Σ_j K'(t_j) − r₁ r₂ ∫ K dt

K(t) is how much of a bin's delays after a photon at t was measured, K' the same before it: the
width of the bin, but less near the ends of the measurement and near gaps; r are the rates. Sums
over the photons that came, instead of the means of all that could have, take off the two terms in
which E and the pairs N fluctuate together (the first terms of Hoeffding's decomposition), so that
what is left is Poisson noise of N.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from qdcomp.experiment.correlations.measured_time import find_border_ticks
from qdcomp.experiment.correlations.pair_windows import Clock
from qdcomp.experiment.photon_stream import PhotonSource

_CELLS = 20_000
"""Cells of time whose photons are taken together: only the ends of the measurement and of gaps
tell them apart."""


def expect_pairs(
    source: PhotonSource,
    pair: tuple[int, int],
    clock: Clock,
    edges_s: NDArray[np.float64],
    live_s: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Pairs of each bin in one order of the channels, or in both where they are two.

    Parameters
    ----------
    source
        Photons; read once.
    pair
        Channels of the pairs; the same twice for an autocorrelation.
    clock
        How photons are timed.
    edges_s
        Borders of the bins of delay [s], rising, shape ``(n_bins + 1,)``.
    live_s
        Times of measurement (from, to) [s], rising, shape ``(n, 2)``; photons outside them do
        not count.

    Returns
    -------
    NDArray[np.float64]
        Expected pairs, shape ``(n_bins,)``.
    """
    duration = source.header.duration_s
    cells = np.unique(np.concatenate([np.linspace(0.0, duration, _CELLS + 1), live_s.ravel()]))
    borders = find_border_ticks(cells, clock, duration)
    counts = np.zeros((2, len(cells) - 1), np.int64)
    for chunk in source.iterate_chunks():
        _count_in_cells(clock.read(chunk), chunk.channels, pair[0], pair[1], borders, counts)
    middles = 0.5 * (cells[1:] + cells[:-1])
    inside = np.searchsorted(live_s.ravel(), middles) % 2 == 1
    live = cells[:-1][inside], cells[1:][inside]
    photons = counts[:, inside].astype(np.float64)
    rates = photons.sum(axis=1) / float((live_s[:, 1] - live_s[:, 0]).sum())
    after = _measure_reach(*live, edges_s, live_s)
    before = _measure_reach(-live[1][::-1], -live[0][::-1], edges_s, -live_s[::-1, ::-1])[:, ::-1]
    orders = 1 if pair[0] == pair[1] else 2
    expected = after @ (rates[1] * photons[0]) + before @ (rates[0] * photons[1])
    if orders == 2:
        expected += after @ (rates[0] * photons[1]) + before @ (rates[1] * photons[0])
    expected -= orders * rates[0] * rates[1] * (after @ (live[1] - live[0]))
    return np.asarray(expected, np.float64)


@njit(cache=True, nogil=True)
def _count_in_cells(times, channels, first, second, borders, counts):  # type: ignore[no-untyped-def]
    """Add photons of two channels to their cells; times may be a little out of order."""
    cell = np.searchsorted(borders, times[0], side="right") - 1 if len(times) else 0
    last = counts.shape[1]
    for i in range(len(times)):
        while cell + 1 < len(borders) and times[i] >= borders[cell + 1]:
            cell += 1
        while cell >= 0 and times[i] < borders[cell]:
            cell -= 1
        if 0 <= cell < last:
            counts[0, cell] += channels[i] == first
            counts[1, cell] += channels[i] == second


def _measure_reach(
    begins: NDArray[np.float64],
    ends: NDArray[np.float64],
    edges_s: NDArray[np.float64],
    live_s: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How much of each bin of delays is measured after a photon of each cell [s].

    The mean over a cell is a double integral of what was measured, over the cell and the bin: the
    longer of the two is integrated, the shorter one is taken at its middle. Shape
    ``(n_bins, n_cells)``.
    """
    borders = live_s.ravel()
    passed = np.concatenate(
        [[0.0], np.cumsum(np.diff(borders) * (np.arange(len(borders) - 1) % 2 == 0))]
    )

    def measure_until(times: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.interp(times, borders, passed), np.float64)

    lengths = ends - begins
    middles = 0.5 * (begins + ends)
    reach = np.empty((len(edges_s) - 1, len(begins)))
    for k in range(len(reach)):
        low, high = edges_s[k], edges_s[k + 1]
        middle = 0.5 * (low + high)
        by_cell = measure_until(ends + middle) - measure_until(begins + middle)
        reach[k] = by_cell * ((high - low) / lengths)
        wide = lengths < high - low
        if wide.any():
            reach[k, wide] = measure_until(middles[wide] + high) - measure_until(
                middles[wide] + low
            )
    return reach
