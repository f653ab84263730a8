"""ON and OFF: which bins of a trace are bright, how often, and for how long.

ON is above a share of the maximum of the smoothed counts, 50 % in Mi et al. 2025 (20 % is usual
where only trions are to be told apart); the ON fraction is the share of the time spent there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.block_jackknife import jackknife_blocks
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.intensity_trace import BlinkingTrace, find_bright_level

ON_SHARE = 0.5
"""Threshold as a share of the bright level (Mi et al. 2025)."""


@dataclass(frozen=True)
class Durations:
    """Stretches of one state.

    Attributes
    ----------
    bins
        Lengths in time bins, in order, without the first stretch of the trace, whose beginning
        nobody saw, and without the last, whose end nobody saw; shape ``(n_durations,)``.
    unfinished_bins
        Length of the last stretch of the trace if it is of this state, so far [bins]; else None.
    bin_s
        Width of a time bin [s].
    trace_bins
        Length of the trace that they are cut out of [bins]; None where they are so many of a
        number that was chosen, and not all that a time held.
    """

    bins: NDArray[np.int64]
    unfinished_bins: int | None
    bin_s: float
    trace_bins: int | None = None

    @property
    def durations_s(self) -> NDArray[np.float64]:
        """Lengths [s], shape ``(n_durations,)``."""
        return np.asarray(self.bins * self.bin_s, np.float64)


@dataclass(frozen=True)
class BlinkingStates:
    """Bins of a trace told apart into ON and OFF.

    Attributes
    ----------
    threshold
        Counts per bin above which a bin is ON.
    bright_level
        Maximum of the smoothed counts [counts per bin].
    on
        Whether each bin is ON, shape ``(n_bins,)``.
    on_fraction
        Share of the time that is ON. The error is that of a longer measurement of the same dot,
        from a jackknife over stretches of time; NaN where the dot never switched.
    on_level, off_level
        Mean counts per bin of either state; None of a state that does not occur.
    switches
        Changes of state.
    on_durations, off_durations
        Stretches of either state.
    warnings
        What the user should know.
    """

    threshold: float
    bright_level: float
    on: NDArray[np.bool_]
    on_fraction: Estimate
    on_level: float | None
    off_level: float | None
    switches: int
    on_durations: Durations
    off_durations: Durations
    warnings: tuple[str, ...]


def classify_blinking(
    trace: BlinkingTrace, share: float = ON_SHARE, *, threshold: float | None = None
) -> BlinkingStates:
    """Tell ON from OFF by a threshold.

    Parameters
    ----------
    trace
        Blinking trace.
    share
        Threshold as a share of the bright level.
    threshold
        Threshold itself [counts per bin], instead.

    Raises
    ------
    InputError
        If the share is not between 0 and 1, the threshold is negative, or there is no photon.
    """
    if threshold is None and not 0.0 < share < 1.0:
        raise InputError(
            f"a threshold of {share} of the bright level; expected one between 0 and 1"
        )
    if threshold is not None and not (np.isfinite(threshold) and threshold >= 0.0):
        raise InputError(f"a threshold of {threshold} counts per bin; expected 0 or more")
    bright = find_bright_level(trace)
    limit = share * bright if threshold is None else float(threshold)
    on = trace.counts > limit
    switches = int(np.count_nonzero(on[1:] != on[:-1]))
    return BlinkingStates(
        threshold=limit,
        bright_level=bright,
        on=on,
        on_fraction=_estimate_on_fraction(on, switches),
        on_level=float(trace.counts[on].mean()) if on.any() else None,
        off_level=float(trace.counts[~on].mean()) if not on.all() else None,
        switches=switches,
        on_durations=find_durations(on, True, trace.bin_s),
        off_durations=find_durations(on, False, trace.bin_s),
        warnings=_warn(limit, switches),
    )


def find_durations(on: NDArray[np.bool_], state: bool, bin_s: float) -> Durations:
    """Find the stretches of one state.

    Parameters
    ----------
    on
        Whether each bin is ON, shape ``(n_bins,)``.
    state
        True for the stretches that are ON.
    bin_s
        Width of a time bin [s].
    """
    borders = np.flatnonzero(on[1:] != on[:-1]) + 1
    if len(borders) == 0:
        return Durations(np.empty(0, np.int64), None, bin_s, len(on))
    lengths = np.diff(borders)
    of_state = on[borders[:-1]] == state
    last = len(on) - int(borders[-1]) if bool(on[-1]) == state else None
    return Durations(lengths[of_state].astype(np.int64), last, bin_s, len(on))


def _estimate_on_fraction(on: NDArray[np.bool_], switches: int) -> Estimate:
    share = float(on.mean())
    if switches == 0:
        return Estimate(share, float("nan"))
    ones = on.astype(np.float64)
    return jackknife_blocks(len(on), lambda kept: np.array([ones[kept].mean()]))[0]


def _warn(limit: float, switches: int) -> tuple[str, ...]:
    warnings = []
    if limit < 9.0:
        warnings.append(
            f"the threshold is {limit:.2g} counts per bin: counting noise alone crosses it; use "
            "longer bins"
        )
    if switches == 0:
        warnings.append("the dot never switched: the ON fraction has no error, and no durations")
    return tuple(warnings)
