"""Histogram of the counts per bin, with what Poisson's and Gauss's laws say of the ON peak."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, pdtr

from qdcomp.errors import InputError
from qdcomp.experiment.blinking.blinking import BlinkingStates
from qdcomp.experiment.blinking.mandel import MandelQ
from qdcomp.experiment.intensity_trace import BlinkingTrace

MOST_BARS = 60


@dataclass(frozen=True)
class IntensityHistogram:
    """How often each number of counts came.

    Attributes
    ----------
    edges
        Borders of the bars [counts per bin], midway between whole numbers, shape ``(n_bars + 1,)``.
    bins
        Time bins in each bar, int64 with shape ``(n_bars,)``.
    poisson
        Time bins that would be there if the ON bins had Poisson statistics about their mean, shape
        ``(n_bars,)``; None where no bin is ON.
    gaussian
        Time bins by the Gaussian fitted to the ON peak, shape ``(n_bars,)``, scaled to those in
        the range of the fit; None where there is no such fit.
    """

    edges: NDArray[np.float64]
    bins: NDArray[np.int64]
    poisson: NDArray[np.float64] | None
    gaussian: NDArray[np.float64] | None


def compute_intensity_histogram(
    trace: BlinkingTrace,
    states: BlinkingStates | None = None,
    mandel: MandelQ | None = None,
    width: int | None = None,
) -> IntensityHistogram:
    """Count the time bins by their counts.

    Parameters
    ----------
    trace
        Blinking trace.
    states
        Its bins told apart, for Poisson's law.
    mandel
        Its Mandel Q, for the Gaussian.
    width
        Width of a bar [counts per bin]; if absent, the least with `MOST_BARS` bars at most.

    Raises
    ------
    InputError
        If the width is less than 1, or the trace has no bin.
    """
    if len(trace) == 0:
        raise InputError("a trace without a bin has no histogram")
    top = int(trace.counts.max())
    if width is None:
        width = math.ceil((top + 1) / MOST_BARS)
    if width < 1:
        raise InputError(f"bars {width} counts wide; expected 1 or more")
    edges = np.arange(0, top + width + 1, width).astype(np.float64) - np.float64(0.5)
    bins, _ = np.histogram(trace.counts, edges)
    return IntensityHistogram(
        edges=edges,
        bins=bins.astype(np.int64),
        poisson=None if states is None else _expect_poisson(edges, trace, states),
        gaussian=None if mandel is None else _expect_gaussian(edges, trace, mandel),
    )


def _expect_poisson(
    edges: NDArray[np.float64], trace: BlinkingTrace, states: BlinkingStates
) -> NDArray[np.float64] | None:
    if states.on_level is None:
        return None
    below = np.where(edges < 0.0, 0.0, pdtr(np.maximum(edges - 0.5, 0.0), states.on_level))
    expected: NDArray[np.float64] = int(states.on.sum()) * np.diff(below)
    return expected


def _expect_gaussian(
    edges: NDArray[np.float64], trace: BlinkingTrace, mandel: MandelQ
) -> NDArray[np.float64] | None:
    if mandel.peak_mean is None or mandel.peak_width is None or mandel.fitted_range is None:
        return None
    mean, width = mandel.peak_mean.value, mandel.peak_width.value
    low, high = mandel.fitted_range
    fitted = np.count_nonzero((trace.counts > low) & (trace.counts < high))
    share = float(ndtr((high - mean) / width) - ndtr((low - mean) / width))
    expected: NDArray[np.float64] = fitted / share * np.diff(ndtr((edges - mean) / width))
    return expected
