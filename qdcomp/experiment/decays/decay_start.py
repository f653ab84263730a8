"""Where a decay starts, and the bins that a fit of it looks at.

Bins far from the start may be wide: the model is integrated over each bin, and an exponential that
is smooth over a bin loses nothing by it. A few hundred bins hold all that many thousands do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.decays.decay import Decay
from qdcomp.experiment.decays.instrument_response import Response

_PEAK_COUNTS = 50
"""Counts under the sliding window that finds the peak; fewer make the place of the peak a guess."""

_WIDEST_WINDOW = 8
"""The window that finds the peak stays below this part of the period."""

_BIN_SHARE = 0.04
"""Width of a bin of the fit over its distance from the start."""


@dataclass(frozen=True)
class FitBins:
    """Bins of a fit, in the order of the delay after the start.

    Attributes
    ----------
    lower_ns, upper_ns
        Borders on the axis of the measurement [ns], shape ``(n_bins,)``.
    counts
        Photons, float with shape ``(n_bins,)``.
    used
        Which bins of the decay they hold, shape ``(n_decay_bins,)``.
    """

    lower_ns: NDArray[np.float64]
    upper_ns: NDArray[np.float64]
    counts: NDArray[np.float64]
    used: NDArray[np.bool_]


def find_start(decay: Decay) -> float:
    """Delay just after the peak, from which on the decay only falls [ns].

    The window that slides round the period is as wide as it takes to hold 50 counts, so that
    noise does not choose the place. The start is its middle: the photons under the window were
    chosen for being many, those behind it for being few, and from the middle on the two balance.
    An exponential that is cut there is the same exponential.

    Raises
    ------
    InputError
        If there are fewer than 30 photons.
    """
    if decay.photons < _PEAK_COUNTS // 2:
        raise InputError(
            f"{decay.photons} photons; a decay needs at least {_PEAK_COUNTS // 2} to show a start"
        )
    window = 1
    while True:
        sums = _slide(decay.counts, window)
        place = int(np.argmax(sums))
        if sums[place] >= _PEAK_COUNTS or 2 * window * _WIDEST_WINDOW > len(sums):
            return float(decay.edges_ns[(place + (window + 1) // 2) % len(sums)])
        window *= 2


def find_rise(decay: Decay, start_ns: float) -> float:
    """How long before the start the pulse already shows [ns].

    Walks back from the start until a window is down to the counts of the half period before. The
    walk's length is taken twice, to leave the foot of the response out as well.
    """
    n = len(decay.counts)
    begin = int(np.searchsorted(decay.edges_ns, start_ns - 1e-6 * decay.bin_ns)) % n
    window = 1
    while _slide(decay.counts, window)[begin] < _PEAK_COUNTS and 2 * window * _WIDEST_WINDOW <= n:
        window *= 2
    # Sums over the windows that end at the start, one bin before it, two bins before it, …
    backwards = _slide(np.roll(decay.counts, -begin)[::-1], window)
    quiet = backwards[n // 8 : 3 * n // 8]
    level = float(quiet.mean()) if len(quiet) else 0.0
    down = np.flatnonzero(backwards[: n // 2] <= level + 4.0 * np.sqrt(level + 1.0))
    steps = int(down[0]) if len(down) else n
    return min(2.0 * steps * decay.bin_ns, 0.25 * decay.period_ns)


def choose_fit_bins(
    decay: Decay, start_ns: float, rise_ns: float, response: Response | None
) -> FitBins:
    """Bins from the start round the period to the next rise; all of it with a response.

    Parameters
    ----------
    decay
        Decay.
    start_ns
        Start, just after the peak [ns].
    rise_ns
        Stretch before the start in which the pulse rises [ns]; without a response it is left out.
    response
        Instrument response; none for an instantaneous one.

    Raises
    ------
    InputError
        If fewer than four bins are left.
    """
    n, period = len(decay.counts), decay.period_ns
    before = 0.0 if response is None else rise_ns + 1.5 * response.reach_ns[0]
    after = 0.0 if response is None else 1.5 * response.reach_ns[1]
    slack = 1e-6 * decay.bin_ns
    first = int(np.searchsorted(decay.edges_ns, (start_ns - before) % period - slack)) % n
    order = (first + np.arange(n)) % n
    lower, upper = decay.edges_ns[order], decay.edges_ns[order + 1]
    ends = np.cumsum(upper - lower)
    kept = (
        (ends <= period - (rise_ns if response is None else 0.0) + slack)
        & (lower >= decay.recorded_ns[0] - slack)
        & (upper <= decay.recorded_ns[1] + slack)
    )
    groups = _group(lower, upper, kept, before + after)
    n_groups = int(groups.max()) + 1
    if n_groups < 4:
        raise InputError("fewer than four bins of the decay lie after its start; use finer bins")
    members = np.flatnonzero(kept)
    firsts = members[np.searchsorted(groups[members], np.arange(n_groups))]
    lasts = members[np.searchsorted(groups[members], np.arange(n_groups), side="right") - 1]
    counts = np.bincount(
        groups[members], weights=decay.counts[order][members].astype(float), minlength=n_groups
    ).astype(np.float64)
    used = np.zeros(n, np.bool_)
    used[order[kept]] = True
    return FitBins(lower[firsts], upper[lasts], counts, used)


def _slide(counts: NDArray[np.int64], window: int) -> NDArray[np.int64]:
    """Sum over the windows that begin at each bin, round the circle."""
    cumulative = np.concatenate([[0], np.cumsum(np.concatenate([counts, counts[: window - 1]]))])
    sums: NDArray[np.int64] = cumulative[window:] - cumulative[: len(cumulative) - window]
    return sums


@njit(cache=True)
def _group(
    lower: NDArray[np.float64], upper: NDArray[np.float64], kept: NDArray[np.bool_], blur: float
) -> NDArray[np.int64]:
    """Give every bin the number of its group, rising; −1 to bins that are left out."""
    groups = np.full(len(lower), -1, np.int64)
    group, width, delay = -1, 0.0, 0.0
    for k in range(len(lower)):
        own = upper[k] - lower[k]
        if kept[k]:
            joined = k > 0 and kept[k - 1] and abs(lower[k] - upper[k - 1]) < 1e-6 * own
            if not joined or width + own > _BIN_SHARE * (delay - width - blur):
                group += 1
                width = 0.0
            groups[k] = group
            width += own
        delay += own
    return groups
