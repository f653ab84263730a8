"""Linewidth against emission energy over many dots, as Mi et al. 2025 (Fig. 6d, SI Fig. 34)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.straight_line import StraightLine, fit_straight_line

FEWEST_DOTS = 3


@dataclass(frozen=True)
class LinewidthBin:
    """Dots of similar energy.

    Attributes
    ----------
    energies_ev
        The bin (from, to) [eV].
    n_dots
        Dots in it.
    width_mev
        Mean width and its standard error [meV]; None of a bin without dots, the error NaN of one
        dot without an error of its own.
    standard_deviation_mev
        Of the widths of its dots [meV]; None of fewer than two dots.
    """

    energies_ev: tuple[float, float]
    n_dots: int
    width_mev: Estimate | None
    standard_deviation_mev: float | None


@dataclass(frozen=True)
class LinewidthStatistics:
    """Width against energy.

    Attributes
    ----------
    bins
        In order of energy.
    line
        Width [meV] against energy from `pivot_ev` [eV], weighted, with the scatter from dot to dot.
    pivot_ev
        Mean energy, at which the line's intercept is the width [eV].
    correlation
        Pearson's r of width and energy; None where all are the same.
    mean_width_mev
        Mean over all dots with its standard error [meV].
    standard_deviation_mev
        Of the widths of all dots [meV].
    n_dots
        Number of dots.
    """

    bins: tuple[LinewidthBin, ...]
    line: StraightLine
    pivot_ev: float
    correlation: float | None
    mean_width_mev: Estimate
    standard_deviation_mev: float
    n_dots: int


def compute_linewidth_statistics(
    peak_energies_ev: ArrayLike,
    widths_mev: ArrayLike,
    width_errors_mev: ArrayLike | None = None,
    *,
    bin_edges_ev: ArrayLike | None = None,
    n_bins: int = 5,
) -> LinewidthStatistics:
    """Compute means in bins of energy, and the straight line through all dots.

    Errors of the energies are left out: they are far smaller than the bins.

    Parameters
    ----------
    peak_energies_ev
        One energy a dot [eV], shape ``(n_dots,)``.
    widths_mev
        Its width, full or of one side [meV], shape ``(n_dots,)``.
    width_errors_mev
        Standard errors of the widths [meV], shape ``(n_dots,)``; the same and unknown if absent.
    bin_edges_ev
        Borders of the bins [eV], rising; `n_bins` of equal width over all dots if absent.
    n_bins
        Number of bins.

    Raises
    ------
    InputError
        If there are fewer than 3 dots, shapes differ, a number is not finite, a width or error is
        not positive, all energies are the same, or the borders do not rise.
    """
    energies = np.asarray(peak_energies_ev, dtype=np.float64)
    widths = np.asarray(widths_mev, dtype=np.float64)
    if energies.ndim != 1 or energies.shape != widths.shape:
        raise InputError(f"energies and widths have shapes {energies.shape} and {widths.shape}")
    if len(energies) < FEWEST_DOTS:
        raise InputError(f"{len(energies)} dots; a statistic needs at least {FEWEST_DOTS}")
    if not (np.all(np.isfinite(energies)) and np.all(np.isfinite(widths))):
        raise InputError("an energy or a width is not finite; leave dots without a fit out")
    if np.any(widths <= 0.0):
        raise InputError(f"a width of {widths.min():g} meV is not positive")
    edges = _choose_edges(energies, bin_edges_ev, n_bins)
    pivot = float(energies.mean())
    deviation = float(widths.std(ddof=1))
    return LinewidthStatistics(
        bins=tuple(
            _summarise_bin(energies, widths, (float(low), float(high)), last=high == edges[-1])
            for low, high in pairwise(edges)
        ),
        line=fit_straight_line(energies - pivot, widths, width_errors_mev),
        pivot_ev=pivot,
        correlation=float(np.corrcoef(energies, widths)[0, 1]) if deviation > 0.0 else None,
        mean_width_mev=Estimate(float(widths.mean()), deviation / math.sqrt(len(widths))),
        standard_deviation_mev=deviation,
        n_dots=len(widths),
    )


def _choose_edges(
    energies: NDArray[np.float64], given: ArrayLike | None, n_bins: int
) -> NDArray[np.float64]:
    if given is None:
        if n_bins < 1:
            raise InputError(f"{n_bins} bins; expected 1 or more")
        if np.ptp(energies) == 0.0:
            raise InputError(f"all {len(energies)} dots emit at {energies[0]:g} eV")
        return np.linspace(float(energies.min()), float(energies.max()), n_bins + 1)
    edges = np.asarray(given, dtype=np.float64)
    if edges.ndim != 1 or len(edges) < 2 or not np.all(np.diff(edges) > 0.0):
        raise InputError("the borders of the bins do not rise, or are fewer than two")
    return edges


def _summarise_bin(
    energies: NDArray[np.float64],
    widths: NDArray[np.float64],
    borders: tuple[float, float],
    *,
    last: bool,
) -> LinewidthBin:
    low, high = borders
    inside = widths[(energies >= low) & ((energies <= high) if last else (energies < high))]
    if len(inside) == 0:
        return LinewidthBin(borders, 0, None, None)
    if len(inside) == 1:
        return LinewidthBin(borders, 1, Estimate(float(inside[0]), math.nan), None)
    deviation = float(inside.std(ddof=1))
    mean = Estimate(float(inside.mean()), deviation / math.sqrt(len(inside)))
    return LinewidthBin(borders, len(inside), mean, deviation)
