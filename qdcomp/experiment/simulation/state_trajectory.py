"""States that a simulated dot was in: the truth that blinking analyses look for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.experiment.photon_stream import PICOSECONDS
from qdcomp.experiment.simulation.simulated_dot import SimulatedDot
from qdcomp.experiment.simulation.switching import StateSequence


@dataclass(frozen=True)
class StateTrajectory:
    """Dwells of a dot, one after another.

    Attributes
    ----------
    names
        Names of the dot's states.
    is_on
        True for each state that counts as ON, shape ``(n_states,)``.
    states
        State of each dwell, by its place in `names`, shape ``(n_dwells,)``.
    ends_s
        End of each dwell [s], the last one that of the measurement, shape ``(n_dwells,)``.
    """

    names: tuple[str, ...]
    is_on: NDArray[np.bool_]
    states: NDArray[np.int64]
    ends_s: NDArray[np.float64]

    @property
    def durations_s(self) -> NDArray[np.float64]:
        """Length of each dwell [s]; the first and the last one are cut by the measurement."""
        return np.diff(self.ends_s, prepend=0.0)

    @property
    def time_shares(self) -> NDArray[np.float64]:
        """Share of the measurement in each state, shape ``(n_states,)``."""
        times = np.bincount(self.states, self.durations_s, minlength=len(self.names))
        shares: NDArray[np.float64] = times / times.sum()
        return shares

    @property
    def on_fraction(self) -> float:
        """Share of the measurement in ON states."""
        return float(self.time_shares[self.is_on].sum())

    @property
    def on_durations_s(self) -> NDArray[np.float64]:
        """Lengths of the times ON that began and ended within the measurement [s]."""
        return self._collect_durations(on=True)

    @property
    def off_durations_s(self) -> NDArray[np.float64]:
        """Lengths of the times OFF that began and ended within the measurement [s]."""
        return self._collect_durations(on=False)

    def _collect_durations(self, *, on: bool) -> NDArray[np.float64]:
        flags = self.is_on[self.states]
        last = np.append(np.flatnonzero(flags[1:] != flags[:-1]), len(flags) - 1)
        durations = np.diff(self.ends_s[last], prepend=0.0)
        complete: NDArray[np.float64] = durations[1:-1][flags[last][1:-1] == on]
        return complete


def compute_state_trajectory(dot: SimulatedDot, duration_ps: int, seed: int) -> StateTrajectory:
    """States of the dot in the measurement of this length [ps] and seed."""
    sequence = StateSequence(dot.switching, np.random.SeedSequence(seed).spawn(6)[0])
    states, ends = sequence.advance(duration_ps)
    return StateTrajectory(
        names=tuple(state.name for state in dot.states),
        is_on=np.array([state.is_on for state in dot.states]),
        states=states,
        ends_s=np.minimum(ends, duration_ps) / PICOSECONDS,
    )
