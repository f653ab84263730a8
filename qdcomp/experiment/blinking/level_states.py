"""ON and OFF from change points: no time bin hides what is shorter than itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from qdcomp.errors import InputError
from qdcomp.experiment.blinking.blinking import ON_SHARE, Durations, find_durations
from qdcomp.experiment.blinking.change_points import ChangePoints
from qdcomp.experiment.block_jackknife import BLOCKS, ONE_SIGMA
from qdcomp.experiment.estimate import Estimate

BRIGHT_PHOTONS = 100
"""Photons of a stretch whose rate counts for the bright level: it is known to 10 %."""

DURATION_UNIT_S = 1e-6
"""Durations are whole numbers of this [s]."""


@dataclass(frozen=True)
class LevelStates:
    """Stretches between change points told apart into ON and OFF.

    Attributes
    ----------
    threshold_per_s
        Rate above which a stretch is ON [1/s].
    bright_per_s
        Greatest rate of a stretch of `BRIGHT_PHOTONS` and more [1/s].
    on
        Whether each stretch is ON, shape ``(n_stretches,)``.
    on_fraction
        Share of the time that is ON, with the error of the scatter between parts of the
        measurement; NaN where the dot never switched.
    switches
        Changes of state.
    on_durations, off_durations
        How long either state lasted, in units of `DURATION_UNIT_S`.
    """

    threshold_per_s: float
    bright_per_s: float
    on: NDArray[np.bool_]
    on_fraction: Estimate
    switches: int
    on_durations: Durations
    off_durations: Durations


def classify_levels(points: ChangePoints, share: float = ON_SHARE) -> LevelStates:
    """Tell ON from OFF between change points.

    Parameters
    ----------
    points
        Change points.
    share
        Threshold as a share of the bright level.

    Raises
    ------
    InputError
        If the share is not between 0 and 1, or there is no photon.
    """
    if not 0.0 < share < 1.0:
        raise InputError(
            f"a threshold of {share} of the bright level; expected one between 0 and 1"
        )
    if points.photons.sum() == 0:
        raise InputError("there is no photon, so no bright level")
    rates = points.rates_per_s
    known = points.photons >= min(BRIGHT_PHOTONS, int(points.photons.max()))
    bright = float(rates[known].max())
    on = rates > share * bright
    ends = np.rint(np.cumsum(points.durations_s) / DURATION_UNIT_S).astype(np.int64)
    return LevelStates(
        threshold_per_s=share * bright,
        bright_per_s=bright,
        on=on,
        on_fraction=_estimate_on_fraction(on, points.durations_s),
        switches=int(np.count_nonzero(on[1:] != on[:-1])),
        on_durations=_find_level_durations(on, ends, True),
        off_durations=_find_level_durations(on, ends, False),
    )


def _find_level_durations(on: NDArray[np.bool_], ends: NDArray[np.int64], state: bool) -> Durations:
    """As `find_durations`, but of stretches that are not equally long."""
    places = np.flatnonzero(on[1:] != on[:-1])
    if len(places) == 0:
        return find_durations(on, state, DURATION_UNIT_S)
    borders = ends[places]
    of_state = on[places[:-1] + 1] == state
    last = int(ends[-1] - borders[-1]) if bool(on[-1]) == state else None
    return Durations(np.diff(borders)[of_state], last, DURATION_UNIT_S, int(ends[-1]))


def _estimate_on_fraction(on: NDArray[np.bool_], durations_s: NDArray[np.float64]) -> Estimate:
    ends = np.concatenate([[0.0], np.cumsum(durations_s)])
    lit = np.concatenate([[0.0], np.cumsum(durations_s * on)])
    value = float(lit[-1] / ends[-1])
    if on.all() or not on.any():
        return Estimate(value, float("nan"))
    parts = np.linspace(0.0, ends[-1], BLOCKS + 1)
    shares = np.diff(np.interp(parts, ends, lit)) / np.diff(parts)
    error = float(shares.std(ddof=1)) / BLOCKS**0.5 * float(stdtrit(BLOCKS - 1, ONE_SIGMA))
    return Estimate(value, error)
