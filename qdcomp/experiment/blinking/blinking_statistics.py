"""Blinking of many dots: a line of numbers for each, and the averages over all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.blinking.blinking_analysis import BlinkingAnalysis
from qdcomp.experiment.blinking.power_law import PowerLawFit, fit_power_law
from qdcomp.experiment.estimate import Estimate


@dataclass(frozen=True)
class BlinkingSummary:
    """Numbers of one dot; None where the data do not give one.

    Attributes
    ----------
    on_fraction
        Share of the time that is ON.
    mandel_q, mandel_q_on_bins, mandel_q_all_bins
        Mandel's Q of the Gaussian, of the ON bins, and of all bins.
    on_exponent, off_exponent
        Of the power laws of the durations.
    t70_s
        Time to 70 % of the first brightness [s].
    longer_than_s
        Time for which the dot stayed above that, where it did to the end [s].
    mean_rate_per_s
        Photons per second.
    switches_per_s
        Changes between ON and OFF.
    """

    on_fraction: Estimate | None
    mandel_q: Estimate | None
    mandel_q_on_bins: Estimate | None
    mandel_q_all_bins: Estimate | None
    on_exponent: Estimate | None
    off_exponent: Estimate | None
    t70_s: Estimate | None
    longer_than_s: float | None
    mean_rate_per_s: float
    switches_per_s: float | None


@dataclass(frozen=True)
class DotAverage:
    """Average of a number over dots.

    Attributes
    ----------
    mean
        Mean over the dots that have the number, with the standard error of the mean.
    spread
        Standard deviation from dot to dot; NaN of a single one.
    n_dots
        Dots that have it.
    """

    mean: Estimate
    spread: float
    n_dots: int


@dataclass(frozen=True)
class BlinkingAverages:
    """Blinking of many dots.

    Attributes
    ----------
    averages
        By the names of the fields of `BlinkingSummary`; what no dot has is left out.
    median_t70_s
        Time by which half of the dots fell to 70 % [s], dots that had not by their end included
        (Kaplan and Meier, J. Am. Stat. Assoc. 53, 457 (1958)); None where fewer than half did.
    n_dots
        Dots.
    """

    averages: dict[str, DotAverage]
    median_t70_s: float | None
    n_dots: int


AVERAGED = (
    "on_fraction",
    "mandel_q",
    "mandel_q_on_bins",
    "mandel_q_all_bins",
    "on_exponent",
    "off_exponent",
)
"""Numbers that are averaged; a mean of T70 would leave out the most stable dots."""


def summarise_blinking(analysis: BlinkingAnalysis) -> BlinkingSummary:
    """Take the numbers of one dot from its analysis."""
    states, mandel, dark = analysis.states, analysis.mandel, analysis.photodarkening
    return BlinkingSummary(
        on_fraction=None if states is None else states.on_fraction,
        mandel_q=None if mandel is None else mandel.gaussian,
        mandel_q_on_bins=None if mandel is None else mandel.on_bins,
        mandel_q_all_bins=None if mandel is None else mandel.all_bins,
        on_exponent=None if analysis.on_law is None else analysis.on_law.exponent,
        off_exponent=None if analysis.off_law is None else analysis.off_law.exponent,
        t70_s=None if dark is None else dark.t70_s,
        longer_than_s=None if dark is None else dark.longer_than_s,
        mean_rate_per_s=analysis.trace.mean_rate_per_s,
        switches_per_s=None if states is None else states.switches / analysis.trace.duration_s,
    )


def average_blinking(summaries: Sequence[BlinkingSummary]) -> BlinkingAverages:
    """Average over dots.

    Every dot counts the same, whatever its error: dots differ by more than that.

    Raises
    ------
    InputError
        If there is no dot.
    """
    if not summaries:
        raise InputError("there is no dot to average over")
    averages = {}
    for name in AVERAGED:
        found = [getattr(one, name) for one in summaries]
        known = np.array([one.value for one in found if one is not None])
        if len(known):
            averages[name] = _average(known)
    return BlinkingAverages(averages, find_median_t70_s(summaries), len(summaries))


def find_median_t70_s(summaries: Sequence[BlinkingSummary]) -> float | None:
    """Time by which half of the dots fell to 70 % [s]; None where fewer than half did."""
    ends = [(one.t70_s.value, True) for one in summaries if one.t70_s is not None]
    ends += [(one.longer_than_s, False) for one in summaries if one.longer_than_s is not None]
    left, surviving = len(ends), 1.0
    for time, fell in sorted(ends, key=lambda end: (end[0], not end[1])):
        if fell:
            surviving *= 1.0 - 1.0 / left
            if surviving <= 0.5 + 1e-12:
                return time
        left -= 1
    return None


def fit_pooled_power_laws(analyses: Sequence[BlinkingAnalysis]) -> tuple[PowerLawFit, PowerLawFit]:
    """Power laws of the ON and of the OFF durations of all dots together.

    Raises
    ------
    InputError
        If no dot has states, or the dots have different time bins.
    """
    states = [one.states for one in analyses if one.states is not None]
    on = fit_power_law([one.on_durations for one in states])
    return on, fit_power_law([one.off_durations for one in states])


def _average(values: NDArray[np.float64]) -> DotAverage:
    spread = float(values.std(ddof=1)) if len(values) > 1 else math.nan
    mean = Estimate(float(values.mean()), spread / math.sqrt(len(values)))
    return DotAverage(mean, spread, len(values))
