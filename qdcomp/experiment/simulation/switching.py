"""Blinking of a simulated dot: states whose dwell times are drawn one after another.

Dwell times are exponential, or follow a power law between two ends with or without an exponential
cut-off, p(t) ∝ t^(−k) exp(−t/t_c). The first state and what is left of its dwell time are drawn
from the stationary process, so that the expected time share of every state is the same at all
times. All times are whole picoseconds from the start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import integrate

from qdcomp.errors import InputError

FOREVER_PS = np.int64(2**62)
"""A time after the end of any measurement, 53 days."""

_EXPONENTIAL, _POWER_LAW = 0.0, 1.0


@dataclass(frozen=True)
class ExponentialDwell:
    """Dwell times of a state that is left at a constant rate.

    Attributes
    ----------
    mean_s
        Mean dwell time [s].
    """

    mean_s: float

    def __post_init__(self) -> None:
        """Refuse a mean that is no time."""
        if not (math.isfinite(self.mean_s) and self.mean_s > 0.0):
            raise InputError(f"a mean dwell time of {self.mean_s} s is not a positive time")


@dataclass(frozen=True)
class PowerLawDwell:
    """Dwell times with p(t) ∝ t^(−k) exp(−t/t_c) between two ends.

    Attributes
    ----------
    exponent
        k.
    shortest_s
        Lower end [s].
    longest_s
        Upper end [s]; finite, so that the mean exists.
    cutoff_s
        Exponential cut-off t_c [s]; None for a pure power law.
    """

    exponent: float
    shortest_s: float
    longest_s: float
    cutoff_s: float | None = None

    def __post_init__(self) -> None:
        """Refuse ends and cut-offs that leave no distribution."""
        if not (math.isfinite(self.longest_s) and 0.0 < self.shortest_s < self.longest_s):
            raise InputError(
                f"dwell times from {self.shortest_s} s to {self.longest_s} s: expected "
                "0 < shortest_s < longest_s, both finite"
            )
        if not math.isfinite(self.exponent):
            raise InputError(f"a power law needs a finite exponent, got {self.exponent}")
        if self.cutoff_s is not None and not self.cutoff_s > 0.0:
            raise InputError(f"a cut-off of {self.cutoff_s} s is not a positive time")

    @property
    def mean_s(self) -> float:
        """Mean dwell time [s]."""
        return self._moment(1.0) / self._moment(0.0)

    def _moment(self, order: float) -> float:
        cutoff = math.inf if self.cutoff_s is None else self.cutoff_s

        def per_log_time(x: float) -> float:
            return math.exp((order + 1.0 - self.exponent) * x - math.exp(x) / cutoff)

        ends = math.log(self.shortest_s), math.log(self.longest_s)
        return float(integrate.quad(per_log_time, *ends, limit=200)[0])


Dwell = ExponentialDwell | PowerLawDwell


@dataclass(frozen=True)
class Switching:
    """How a dot goes from state to state.

    Attributes
    ----------
    dwells
        Dwell times of each state, in the order of the dot's states.
    exits
        Probability to go from state i to state j, one row per state, the diagonal zero; None for
        equal probabilities.
    """

    dwells: tuple[Dwell, ...]
    exits: tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        """Refuse probabilities that are none."""
        if len(self.dwells) < 2:
            raise InputError("switching needs at least two states; a dot with one has none")
        matrix = self.exit_matrix
        if matrix.shape != (len(self.dwells), len(self.dwells)):
            raise InputError(f"{len(self.dwells)} dwell times but exits of shape {matrix.shape}")
        rows_fail = np.abs(matrix.sum(axis=1) - 1.0) > 1e-9
        if np.any(matrix < 0.0) or np.any(np.diag(matrix) != 0.0) or np.any(rows_fail):
            raise InputError(
                "exits are probabilities: no row may have a negative one, one on the diagonal, or "
                "a sum other than 1"
            )

    @property
    def exit_matrix(self) -> NDArray[np.float64]:
        """Probabilities to go from row to column, shape ``(n_states, n_states)``."""
        if self.exits is not None:
            return np.array(self.exits, dtype=np.float64)
        n = len(self.dwells)
        return (np.ones((n, n)) - np.eye(n)) / (n - 1)

    @property
    def time_shares(self) -> NDArray[np.float64]:
        """Expected share of the time in each state, shape ``(n_states,)``."""
        n = len(self.dwells)
        equations = np.vstack([self.exit_matrix.T - np.eye(n), np.ones(n)])
        visits = np.linalg.lstsq(equations, np.append(np.zeros(n), 1.0), rcond=None)[0]
        times = visits * np.array([dwell.mean_s for dwell in self.dwells])
        shares: NDArray[np.float64] = times / times.sum()
        return shares


class StateSequence:
    """Dwells of one dot, drawn as far as they are asked for.

    Parameters
    ----------
    switching
        The process; None for a dot that stays in its only state.
    seed
        Of the random numbers.
    """

    def __init__(self, switching: Switching | None, seed: np.random.SeedSequence) -> None:
        self._generator = np.random.default_rng(seed)
        self._states = np.zeros(1, np.int64)
        self._ends = np.array([FOREVER_PS])
        if switching is None:
            return
        self._table = np.array([_tabulate(dwell) for dwell in switching.dwells])
        self._cumulative = np.cumsum(switching.exit_matrix, axis=1)
        first = self._generator.choice(len(switching.dwells), p=switching.time_shares)
        left = _draw_first_dwell(self._generator, self._table[first])
        self._states = np.array([first], np.int64)
        self._ends = np.array([_to_picoseconds(left)], np.int64)

    def advance(self, until_ps: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """States and ends [ps] of the dwells from the last one known to the one at `until_ps`."""
        if self._ends[-1] < until_ps:
            self._states, self._ends = _draw_dwells(
                self._generator,
                self._states[-1],
                self._ends[-1],
                until_ps,
                self._table,
                self._cumulative,
            )
        else:
            self._states, self._ends = self._states[-1:], self._ends[-1:]
        return self._states, self._ends


def _tabulate(dwell: Dwell) -> list[float]:
    """Kind, mean or exponent, ends and cut-off, for the compiled loop."""
    if isinstance(dwell, ExponentialDwell):
        return [_EXPONENTIAL, dwell.mean_s, 0.0, 0.0, 0.0]
    cutoff = math.inf if dwell.cutoff_s is None else dwell.cutoff_s
    # e^-40 of them are longer: drawing those only to refuse them would take most of the time
    longest = min(dwell.longest_s, dwell.shortest_s + 40.0 * cutoff)
    return [_POWER_LAW, dwell.exponent, dwell.shortest_s, longest, cutoff]


@njit(cache=True)
def _draw_power_law(rng, exponent, shortest, longest, cutoff):  # type: ignore[no-untyped-def]
    power = 1.0 - exponent
    while True:
        u = rng.random()
        if abs(power) < 1e-9:
            time = shortest * (longest / shortest) ** u
        else:
            low = shortest**power
            time = (low + u * (longest**power - low)) ** (1.0 / power)
        if rng.random() < math.exp(-(time - shortest) / cutoff):
            return time


@njit(cache=True)
def _draw_dwell(rng, row):  # type: ignore[no-untyped-def]
    if row[0] == _EXPONENTIAL:
        return rng.standard_exponential() * row[1]
    return _draw_power_law(rng, row[1], row[2], row[3], row[4])


@njit(cache=True)
def _draw_first_dwell(rng, row):  # type: ignore[no-untyped-def]
    # A time falls into a dwell with probability ∝ t p(t), and anywhere within it. For a power law
    # t p(t) is one too, with an exponent less by one.
    if row[0] == _EXPONENTIAL:
        return rng.standard_exponential() * row[1]
    return rng.random() * _draw_power_law(rng, row[1] - 1.0, row[2], row[3], row[4])


@njit(cache=True)
def _to_picoseconds(time_s):  # type: ignore[no-untyped-def]
    return np.int64(min(max(time_s * 1e12, 1.0), 2.0**61))


@njit(cache=True)
def _draw_dwells(rng, state, end, until, table, cumulative):  # type: ignore[no-untyped-def]
    states = np.empty(64, np.int64)
    ends = np.empty(64, np.int64)
    states[0], ends[0] = state, end
    n = 1
    while end < until:
        u = rng.random()
        row = cumulative[state]
        state = 0
        while state < len(row) - 1 and u >= row[state]:
            state += 1
        end += _to_picoseconds(_draw_dwell(rng, table[state]))
        if n == len(states):
            states = np.concatenate((states, np.empty(n, np.int64)))
            ends = np.concatenate((ends, np.empty(n, np.int64)))
        states[n], ends[n] = state, end
        n += 1
    return states[:n], ends[:n]
