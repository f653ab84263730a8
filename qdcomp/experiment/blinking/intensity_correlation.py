"""Autocorrelation of the intensity of a blinking trace.

    G(τ) = ⟨I(t) I(t + τ)⟩ / (⟨I(t)⟩ ⟨I(t + τ)⟩) − 1

at lags of one bin and more, where counting noise does not enter. Errors are the scatter between
stretches of the trace of what each bin adds to G, means included,

    I(t) I(t + τ)/⟨I⟩⟨I⟩ − (1 + G) [I(t)/⟨I⟩ + I(t + τ)/⟨I⟩ − 1],

widened by the Student factor of their number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from qdcomp.errors import InputError
from qdcomp.experiment.block_jackknife import ONE_SIGMA
from qdcomp.experiment.intensity_trace import BlinkingTrace

STRETCHES = 20
"""Stretches of the trace that the error comes from."""

FEWEST_BINS = 100


@dataclass(frozen=True)
class IntensityCorrelation:
    """Autocorrelation of the intensity.

    Attributes
    ----------
    lags_s
        τ [s], shape ``(n_lags,)``.
    correlation, error
        G(τ) and its standard error, shape ``(n_lags,)``.
    """

    lags_s: NDArray[np.float64]
    correlation: NDArray[np.float64]
    error: NDArray[np.float64]


def compute_intensity_correlation(
    trace: BlinkingTrace, lags_per_decade: int = 8
) -> IntensityCorrelation:
    """Correlate the counts of a trace with themselves at logarithmic lags up to 1/20 of it.

    Parameters
    ----------
    trace
        Blinking trace of at least `FEWEST_BINS` bins.
    lags_per_decade
        Density of the lags.

    Raises
    ------
    InputError
        If the trace is too short or holds no photon.
    """
    if len(trace) < FEWEST_BINS:
        raise InputError(f"{len(trace)} bins; an autocorrelation needs {FEWEST_BINS}")
    if trace.counts.sum() == 0:
        raise InputError("the trace holds no photon, so it has no autocorrelation")
    longest = len(trace) // STRETCHES
    decades = math.log10(longest)
    lags = np.unique(
        np.round(np.logspace(0.0, decades, math.ceil(decades * lags_per_decade) + 1)).astype(int)
    )
    counts = trace.counts.astype(np.float64)
    found = [_correlate(counts, int(lag)) for lag in lags]
    return IntensityCorrelation(
        lags_s=lags * trace.bin_s,
        correlation=np.array([value for value, _ in found]),
        error=np.array([error for _, error in found]),
    )


def _correlate(counts: NDArray[np.float64], lag: int) -> tuple[float, float]:
    early, late = counts[:-lag], counts[lag:]
    norm = float(early.mean() * late.mean())
    ratio = float((early * late).mean()) / norm
    added = early * late / norm - ratio * (early / early.mean() + late / late.mean() - 1.0)
    parts = np.array([part.mean() for part in np.array_split(added, STRETCHES)])
    error = float(parts.std(ddof=1)) / STRETCHES**0.5 * float(stdtrit(STRETCHES - 1, ONE_SIGMA))
    return ratio - 1.0, error
