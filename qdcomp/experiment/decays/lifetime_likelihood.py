"""The likelihood of a decay: parameters to expected counts, first guesses, the maximum.

Parameters, in this order: ln τ of every component, N of every component, β, B and the start.
Those that are not fitted have equal bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qdcomp.experiment.decays.decay import Decay
from qdcomp.experiment.decays.decay_models import DecayShape
from qdcomp.experiment.decays.decay_start import FitBins
from qdcomp.experiment.decays.instrument_response import Response, compute_response_cumulative
from qdcomp.experiment.poisson_likelihood import LikelihoodFit, maximise_likelihood

Model = Literal["mono", "bi", "stretched"]

LONGEST_PERIODS = 20.0
"""Longest lifetime looked for, in periods; beyond it a decay cannot be told from background."""

_STRETCHING_BOUNDS = (0.3, 2.0)
_GRID_LIFETIMES = 12
_GRID_STARTS = 8
_GRID_ROUNDS = 25
_LOG_STEP = 1e-4
_STRETCHING_STEP = 1e-4
_START_STEP = 1e-3


@dataclass(frozen=True)
class DecayFit:
    """A model at its maximum.

    Attributes
    ----------
    model
        Its name.
    shapes
        Components.
    photons
        N of every component, shape ``(n_components,)``.
    background_per_ns
        B [counts/ns].
    start_ns
        Start or shift [ns].
    fit
        The maximum, in the parameters of this module.
    n_parameters
        Number of fitted parameters.
    expected
        Expected counts of the whole decay, shape ``(n_decay_bins,)``.
    """

    model: Model
    shapes: tuple[DecayShape, ...]
    photons: NDArray[np.float64]
    background_per_ns: float
    start_ns: float
    fit: LikelihoodFit
    n_parameters: int
    expected: NDArray[np.float64]


@dataclass(frozen=True)
class _Expectation:
    """Expected counts in some bins, whose borders are among `borders`."""

    borders: NDArray[np.float64]
    lower: NDArray[np.int64]
    upper: NDArray[np.int64]
    period: float
    response: Response | None
    n_components: int
    fits_stretching: bool

    @property
    def widths(self) -> NDArray[np.float64]:
        widths: NDArray[np.float64] = self.borders[self.upper] - self.borders[self.lower]
        return widths

    def compute_share(
        self, log_lifetime: float, stretching: float, start: float
    ) -> NDArray[np.float64]:
        shape = DecayShape(float(np.exp(log_lifetime)), stretching)
        cumulative = compute_response_cumulative(
            shape, self.borders, start, self.period, self.response
        )
        share: NDArray[np.float64] = np.maximum(cumulative[self.upper] - cumulative[self.lower], 0)
        return share

    def __call__(
        self, point: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        n = self.n_components
        logs, photons = point[:n], point[n : 2 * n]
        stretching, background, start = (float(v) for v in point[2 * n :])
        slopes = np.zeros((len(self.lower), len(point)))
        for i in range(n):
            log, number = float(logs[i]), float(photons[i])
            slopes[:, n + i] = self.compute_share(log, stretching, start)
            slopes[:, i] = (
                number
                * (
                    self.compute_share(log + _LOG_STEP, stretching, start)
                    - self.compute_share(log - _LOG_STEP, stretching, start)
                )
                / (2.0 * _LOG_STEP)
            )
            if self.fits_stretching:
                step = _STRETCHING_STEP
                slopes[:, 2 * n] += (
                    number
                    * (
                        self.compute_share(log, stretching + step, start)
                        - self.compute_share(log, stretching - step, start)
                    )
                    / (2.0 * step)
                )
            if self.response is not None:
                shift = _START_STEP * sum(self.response.reach_ns)
                slopes[:, 2 * n + 2] += (
                    number
                    * (
                        self.compute_share(log, stretching, start + shift)
                        - self.compute_share(log, stretching, start - shift)
                    )
                    / (2.0 * shift)
                )
        slopes[:, 2 * n + 1] = self.widths
        expected = slopes[:, n : 2 * n] @ photons + background * slopes[:, 2 * n + 1]
        return expected, slopes


def fit_components(
    decay: Decay,
    bins: FitBins,
    model: Model,
    start_ns: float,
    rise_ns: float,
    response: Response | None,
    background_per_ns: float | None,
    single: DecayFit | None,
) -> DecayFit:
    """Fit one model to the bins.

    Parameters
    ----------
    decay
        Decay that the bins are of.
    bins
        Bins to fit.
    model
        What to fit.
    start_ns
        Start or shift; the latest that is looked at where it is fitted [ns].
    rise_ns
        How far before `start_ns` it may be [ns].
    response
        Instrument response; with one the start is fitted.
    background_per_ns
        Background to keep [counts/ns]; fitted if absent.
    single
        Fit of one exponential to begin with; looked for if absent.
    """
    n = 2 if model == "bi" else 1
    borders, places = np.unique(np.concatenate([bins.lower_ns, bins.upper_ns]), return_inverse=True)
    expectation = _Expectation(
        borders,
        places[: len(bins.counts)],
        places[len(bins.counts) :],
        decay.period_ns,
        response,
        n,
        fits_stretching=model == "stretched",
    )
    shortest = _find_shortest(decay, response)
    longest = LONGEST_PERIODS * decay.period_ns
    if single is None:
        starts = np.array([start_ns])
        if response is not None:
            starts = start_ns - np.linspace(-0.1, 1.0, _GRID_STARTS) * rise_ns
        point = _guess(bins, expectation, starts, 1, shortest, decay.period_ns)
    elif n == 2:
        point = _guess(bins, expectation, np.array([single.start_ns]), 2, shortest, decay.period_ns)
    else:
        point = single.fit.parameters.copy()
    room = 0.0 if response is None else rise_ns + sum(response.reach_ns)
    lower = np.array(
        [np.log(shortest)] * n + [0.0] * n + [1.0, background_per_ns or 0.0, point[-1] - room]
    )
    upper = np.array(
        [np.log(longest)] * n
        + [np.inf] * n
        + [1.0, np.inf if background_per_ns is None else background_per_ns, point[-1] + room]
    )
    if model == "stretched":
        lower[2 * n], upper[2 * n] = _STRETCHING_BOUNDS
    fit = maximise_likelihood(bins.counts, expectation, point, lower, upper)
    return _unpack(decay, expectation, model, fit, int(np.count_nonzero(lower < upper)))


def _unpack(
    decay: Decay, expectation: _Expectation, model: Model, fit: LikelihoodFit, n_parameters: int
) -> DecayFit:
    n = expectation.n_components
    stretching, background, start = (float(v) for v in fit.parameters[2 * n :])
    shapes = tuple(DecayShape(float(np.exp(log)), stretching) for log in fit.parameters[:n])
    photons = fit.parameters[n : 2 * n]
    expected = background * np.diff(decay.edges_ns)
    for shape, number in zip(shapes, photons, strict=True):
        cumulative = compute_response_cumulative(
            shape, decay.edges_ns, start, decay.period_ns, expectation.response
        )
        expected = expected + number * np.diff(cumulative)
    return DecayFit(model, shapes, photons, background, start, fit, n_parameters, expected)


def _find_shortest(decay: Decay, response: Response | None) -> float:
    """Shortest lifetime looked for [ns]: a fast component is no faster than the bins show."""
    if response is not None and response.sigma_ns is not None:
        return max(0.1 * decay.bin_ns, 0.1 * response.sigma_ns)
    return 0.25 * decay.bin_ns


def _guess(
    bins: FitBins,
    expectation: _Expectation,
    starts: NDArray[np.float64],
    n_components: int,
    shortest: float,
    period: float,
) -> NDArray[np.float64]:
    """Best of a grid of lifetimes and starts, amplitudes by expectation maximisation.

    A grid finds the right hill where a single first guess may not: two exponentials have more.
    """
    lowest = max(shortest, 3e-4 * period)
    logs = np.linspace(np.log(lowest), np.log(2.0 * period), _GRID_LIFETIMES)
    choices = list(combinations(range(len(logs)), n_components))
    counts, widths = bins.counts, expectation.widths
    best, best_likelihood = np.empty(0), -np.inf
    for start in starts:
        shares = np.array([expectation.compute_share(log, 1.0, float(start)) for log in logs])
        parts = np.stack(
            [np.vstack([shares[list(choice)], widths / widths.sum()]) for choice in choices]
        )
        numbers = np.full(parts.shape[:2], counts.sum() / parts.shape[1])
        reach = np.maximum(parts.sum(axis=2), 1e-12)
        for _ in range(_GRID_ROUNDS):
            mean = np.maximum(np.einsum("cp,cpb->cb", numbers, parts), 1e-12)
            numbers = numbers * np.einsum("cb,cpb->cp", counts / mean, parts) / reach
        mean = np.maximum(np.einsum("cp,cpb->cb", numbers, parts), 1e-12)
        likelihoods = np.log(mean) @ counts - mean.sum(axis=1)
        k = int(np.argmax(likelihoods))
        if likelihoods[k] > best_likelihood:
            best_likelihood = float(likelihoods[k])
            background = numbers[k, -1] / widths.sum()
            best = np.array(
                [*logs[list(choices[k])], *numbers[k, :-1], 1.0, background, float(start)]
            )
    return best
