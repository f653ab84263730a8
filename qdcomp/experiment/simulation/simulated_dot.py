"""A dot whose truth is known: its states, its blinking, and what dims it slowly.

    intensity(t) = (1 + drift t) · 0.7^(t/T70) · (1 + σ x(t)) · trap(t) · yield of the state

x is a stationary Gaussian process with ⟨x(0) x(τ)⟩ = exp(−|τ|/τ_c). A fast dark trap takes the
emission away at one rate and gives it back at another; with A and Γ,

    g2(τ) = 1 + A exp(−Γ τ),    off-rate = Γ A/(1 + A),    on-rate = Γ/(1 + A).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.simulation.emission_states import EmissionState
from qdcomp.experiment.simulation.switching import Switching

STEPS_PER_CORRELATION_TIME = 20
"""Values of the fluctuating intensity that are drawn per correlation time."""

FLUCTUATION_LIMIT = 5.0
"""Standard deviations at which the fluctuation is cut, so that a largest intensity exists."""


@dataclass(frozen=True)
class FastTrap:
    """A dark state that is entered and left within microseconds: bunching.

    Attributes
    ----------
    amplitude
        A of g2(τ) = 1 + A exp(−Γ τ): time in the trap over time out of it.
    rate_per_s
        Γ, the sum of the rates in and out [1/s].
    """

    amplitude: float
    rate_per_s: float

    def __post_init__(self) -> None:
        """Refuse what is no trap."""
        for what, value in (("amplitude", self.amplitude), ("rate", self.rate_per_s)):
            if not (math.isfinite(value) and value > 0.0):
                raise InputError(f"the {what} of a trap is {value}; expected a positive number")

    @property
    def emitting_share(self) -> float:
        """Share of the time out of the trap."""
        return 1.0 / (1.0 + self.amplitude)


@dataclass(frozen=True)
class IntensityFluctuation:
    """A bright level that is not one: Gaussian, correlated in time.

    Attributes
    ----------
    relative_sd
        σ, standard deviation over mean; at most 0.2, where five of them reach zero.
    correlation_time_s
        τ_c [s].
    """

    relative_sd: float
    correlation_time_s: float

    def __post_init__(self) -> None:
        """Refuse fluctuations below zero intensity."""
        if not 0.0 < self.relative_sd <= 1.0 / FLUCTUATION_LIMIT:
            raise InputError(
                f"a fluctuation of {self.relative_sd} of the mean; expected above 0 and at most "
                f"{1.0 / FLUCTUATION_LIMIT}: use states for larger changes"
            )
        if not (math.isfinite(self.correlation_time_s) and self.correlation_time_s > 0.0):
            raise InputError(f"a correlation time of {self.correlation_time_s} s is not positive")


@dataclass(frozen=True)
class SimulatedDot:
    """A dot of known properties.

    Attributes
    ----------
    states
        States between which it blinks, or its only one.
    switching
        How; None with one state.
    trap
        Fast dark state, independent of the blinking.
    fluctuation
        Fluctuation of the intensity.
    drift_per_s
        Linear change of the intensity over that of the start [1/s].
    t70_s
        Time after which photodarkening leaves 70 % of the intensity [s]; None without it.
    name
        What to call it.
    """

    states: tuple[EmissionState, ...]
    switching: Switching | None = None
    trap: FastTrap | None = None
    fluctuation: IntensityFluctuation | None = None
    drift_per_s: float = 0.0
    t70_s: float | None = None
    name: str = "simulated dot"

    def __post_init__(self) -> None:
        """Refuse states and dwell times that do not belong together."""
        if not self.states:
            raise InputError("a dot needs at least one state")
        dwelling = 1 if self.switching is None else len(self.switching.dwells)
        if dwelling != len(self.states):
            raise InputError(
                f"{len(self.states)} states but dwell times of {dwelling}; give `switching` one "
                "for each state"
            )
        if not math.isfinite(self.drift_per_s):
            raise InputError(f"a drift of {self.drift_per_s} per s is not a number")
        if self.t70_s is not None and not self.t70_s > 0.0:
            raise InputError(f"T70 is {self.t70_s} s; expected a positive time or None")

    @property
    def time_shares(self) -> NDArray[np.float64]:
        """Expected share of the time in each state, shape ``(n_states,)``."""
        return np.ones(1) if self.switching is None else self.switching.time_shares

    @property
    def expected_on_fraction(self) -> float:
        """Expected share of the time in states that count as ON."""
        return float(sum(self.time_shares[[state.is_on for state in self.states]]))

    @property
    def emitting_share(self) -> float:
        """Share of the time out of the trap."""
        return 1.0 if self.trap is None else self.trap.emitting_share

    @property
    def darkening_per_s(self) -> float:
        """Rate at which photodarkening takes the intensity [1/s]."""
        return 0.0 if self.t70_s is None else -math.log(0.7) / self.t70_s

    @property
    def fluctuation_sd(self) -> float:
        """Standard deviation of the intensity's fluctuation over its mean."""
        return 0.0 if self.fluctuation is None else self.fluctuation.relative_sd

    def compute_slow_intensity(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Drift and photodarkening at these times [s], over the intensity of the start."""
        faded = (1.0 + self.drift_per_s * times_s) * np.exp(-self.darkening_per_s * times_s)
        intensity: NDArray[np.float64] = np.maximum(faded, 0.0)
        return intensity
