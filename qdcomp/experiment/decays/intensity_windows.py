"""Decays of a dot's bright, grey and dark time, told apart by the counts of each time bin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.decays.decay import (
    Decay,
    bin_microtimes,
    require_microtimes,
)
from qdcomp.experiment.decays.decay_start import find_start
from qdcomp.experiment.decays.lifetime import LifetimeFit, fit_lifetime
from qdcomp.experiment.decays.lifetime_likelihood import Model
from qdcomp.experiment.photon_stream import PhotonSource, require_channels
from qdcomp.experiment.time_bins import count_time_bins, iterate_binned_photons

WINDOW_SHARES = (0.2, 0.5)
"""Borders of dark, grey and bright as shares of the brightest smoothed level: a CsPbBr3 dot with a
trion emits under 20 % of the maximum (Mi et al. 2025), ON is above 50 %."""

_SMOOTHED_BINS = 5


@dataclass(frozen=True)
class IntensityWindow:
    """A range of intensities.

    Attributes
    ----------
    name
        What to call it.
    lowest
        Fewest counts in a time bin.
    below
        Counts that are too many; infinite for the brightest window.
    """

    name: str
    lowest: float
    below: float


@dataclass(frozen=True)
class WindowDecay:
    """Decay of the time that a dot spent in one window.

    Attributes
    ----------
    window
        Range of intensities.
    n_bins
        Time bins in the window.
    time_share
        Their share of the measurement.
    decay
        Histogram of the microtimes of their photons.
    fit
        Lifetimes; None where they could not be fitted.
    reason
        Why there is no fit; empty where there is one.
    """

    window: IntensityWindow
    n_bins: int
    time_share: float
    decay: Decay
    fit: LifetimeFit | None
    reason: str


def choose_intensity_windows(
    counts: NDArray[np.int64], shares: Sequence[float] = WINDOW_SHARES
) -> tuple[IntensityWindow, ...]:
    """Dark, grey and bright windows from the counts of the time bins.

    Parameters
    ----------
    counts
        Counts per time bin, shape ``(n_bins,)``.
    shares
        Two borders as shares of the highest mean of five neighbouring bins.

    Raises
    ------
    InputError
        If the shares are not two rising numbers between 0 and 1, or there are no counts.
    """
    if len(shares) != 2 or not 0.0 < shares[0] < shares[1] < 1.0:
        raise InputError(f"shares {tuple(shares)}; expected two rising numbers between 0 and 1")
    if len(counts) == 0 or counts.sum() == 0:
        raise InputError("no photons, so no bright, grey or dark time")
    width = min(_SMOOTHED_BINS, len(counts))
    smoothed = np.convolve(counts, np.full(width, 1.0 / width), mode="valid")
    low, high = (float(share * smoothed.max()) for share in shares)
    return (
        IntensityWindow("bright", high, float(np.inf)),
        IntensityWindow("grey", low, high),
        IntensityWindow("dark", 0.0, low),
    )


def fit_intensity_windows(
    source: PhotonSource,
    windows: Sequence[IntensityWindow],
    *,
    bin_s: float = 0.01,
    channels: Sequence[int] | None = None,
    ticks_per_bin: int = 1,
    model: Model | Literal["auto"] = "auto",
    response: Decay | float | None = None,
    start_ns: float | None = None,
) -> tuple[WindowDecay, ...]:
    """Decay and lifetimes of each range of intensities, as D'Amato et al. (2023) tell the states.

    One pass over the photons. Photons tell the window of their bin and their lifetime by
    different things, so choosing by counts does not bias the lifetimes; bins that hold a switch of
    the state mix two.

    Parameters
    ----------
    source
        Photons of mode T3.
    windows
        Ranges of counts per time bin; see `choose_intensity_windows`.
    bin_s
        Width of the time bins [s]; the last one, in part, is dropped.
    channels
        Detectors to use; all if absent.
    ticks_per_bin
        Microtime ticks in one bin of the decays.
    model, response, start_ns
        For `fit_lifetime`. Without a start that of the decay of all windows holds for each.

    Raises
    ------
    InputError
        If the stream is of mode T2, a channel does not exist, or there is no whole time bin.
    """
    header = source.header
    _, resolution_ns, ticks = require_microtimes(header)
    wanted = require_channels(header, channels)
    n_bins = count_time_bins(header.duration_s, bin_s)
    histograms = np.zeros((len(windows), ticks), np.int64)
    spent = np.zeros(len(windows), np.int64)
    everything = np.zeros(ticks, np.int64)

    for part in iterate_binned_photons(source, n_bins, bin_s, wanted if channels else None):
        everything += np.bincount(part.microtimes, minlength=ticks)
        for k, window in enumerate(windows):
            chosen = (part.counts >= window.lowest) & (part.counts < window.below)
            spent[k] += np.count_nonzero(chosen)
            photons = part.microtimes[np.repeat(chosen, part.counts)]
            histograms[k] += np.bincount(photons, minlength=ticks)

    def make(counts: NDArray[np.int64], bins: int) -> Decay:
        return bin_microtimes(
            header, counts, ticks_per_bin, bins * bin_s, resolution_ns, len(wanted)
        )

    whole = make(everything, n_bins)
    begin, note = start_ns, ""
    if start_ns is None and response is None and whole.photons >= 30:
        begin = find_start(whole)
        note = f"the fit starts at {begin:.4g} ns, found from the peak of the decay of all windows"
    decays = []
    for k, window in enumerate(windows):
        decay = replace(make(histograms[k], int(spent[k])), recorded_ns=whole.recorded_ns)
        fit, reason = _try_fit(decay, model, response, begin)
        if fit is not None and note:
            fit = replace(fit, warnings=(*fit.warnings, note))
        share = float(spent[k] / n_bins)
        decays.append(WindowDecay(window, int(spent[k]), share, decay, fit, reason))
    return tuple(decays)


def _try_fit(
    decay: Decay,
    model: Model | Literal["auto"],
    response: Decay | float | None,
    start_ns: float | None,
) -> tuple[LifetimeFit | None, str]:
    try:
        return fit_lifetime(decay, model, response=response, start_ns=start_ns), ""
    except InputError as refused:
        return None, str(refused)
