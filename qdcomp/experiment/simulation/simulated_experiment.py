"""What excites a simulated dot and what detects its photons.

The light goes to two detectors behind a beam splitter. Each adds dark counts, is blind for a dead
time after every count, and may count again after it (afterpulse). Pulsed excitation is recorded
in mode T3, continuous excitation in mode T2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdcomp.errors import InputError


@dataclass(frozen=True)
class PulsedExcitation:
    """Laser pulses, recorded in mode T3.

    Attributes
    ----------
    repetition_rate_hz
        Pulses per second; the period is rounded to whole picoseconds.
    excitons_per_pulse
        ⟨N⟩, the mean of a Poisson distribution.
    """

    repetition_rate_hz: float
    excitons_per_pulse: float

    def __post_init__(self) -> None:
        """Refuse what is no train of pulses."""
        _require_positive("repetition rate", self.repetition_rate_hz, "Hz")
        _require_not_negative("mean number of excitons", self.excitons_per_pulse)

    @property
    def period_ps(self) -> int:
        """Time from pulse to pulse [ps]."""
        return round(1e12 / self.repetition_rate_hz)


@dataclass(frozen=True)
class CwExcitation:
    """A continuous laser, recorded in mode T2.

    Attributes
    ----------
    rate_per_s
        Excitations per second of a dot in its ground state; one with an exciton is excited to the
        biexciton at the same rate.
    """

    rate_per_s: float

    def __post_init__(self) -> None:
        """Refuse a rate below zero."""
        _require_not_negative("excitation rate", self.rate_per_s)

    @property
    def rate_per_ns(self) -> float:
        """Excitation rate [1/ns]."""
        return self.rate_per_s * 1e-9


@dataclass(frozen=True)
class TimingResponse:
    """Distribution of the error of an arrival time.

    Attributes
    ----------
    sigma_ns
        Standard deviation of a Gaussian [ns]; not used if `edges_ns` is given.
    edges_ns
        Borders of the bins of a given response [ns], rising; or empty.
    cumulative
        Share of it before each border, from 0 to 1; or empty.
    """

    sigma_ns: float = 0.0
    edges_ns: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    cumulative: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        """Refuse a negative width."""
        _require_not_negative("width of the response", self.sigma_ns)

    @property
    def earliest_ns(self) -> float:
        """Time before which no photon is moved [ns]: −10 σ, or where a given response begins."""
        return float(self.edges_ns[0]) if len(self.edges_ns) else -10.0 * self.sigma_ns


def make_timing_response(edges_ns: ArrayLike, weights: ArrayLike) -> TimingResponse:
    """Response of any shape, flat within bins.

    Parameters
    ----------
    edges_ns
        Borders of the bins [ns], rising, shape ``(n_bins + 1,)``.
    weights
        Counts or any other weights of the bins, shape ``(n_bins,)``.

    Raises
    ------
    InputError
        If borders do not rise, weights are negative or all zero, or the lengths do not match.
    """
    edges = np.asarray(edges_ns, dtype=np.float64)
    shares = np.asarray(weights, dtype=np.float64)
    if edges.ndim != 1 or shares.shape != (max(len(edges) - 1, 0),):
        raise InputError(
            f"borders of shape {edges.shape} and weights of shape {shares.shape}; expected one "
            "border more than weights"
        )
    if not np.all(np.isfinite(edges)) or np.any(np.diff(edges) <= 0.0):
        raise InputError("the borders of the response are not finite or do not rise")
    if not np.all(np.isfinite(shares)) or np.any(shares < 0.0) or shares.sum() <= 0.0:
        raise InputError("the weights of the response are negative, not finite or all zero")
    cumulative = np.append(0.0, np.cumsum(shares) / shares.sum())
    cumulative[-1] = 1.0
    return TimingResponse(edges_ns=edges, cumulative=cumulative)


@dataclass(frozen=True)
class SimulatedExperiment:
    """Excitation, detectors and what they count beside the dot's light.

    Attributes
    ----------
    excitation
        Pulsed or continuous.
    efficiency
        Probability that an emitted photon is detected.
    splitter_share
        Share of the light that goes to channel 0, the rest to channel 1; 1 for one detector.
    background_per_s
        Counts per second of light that is constant in time, both channels together.
    dark_counts_per_s
        Dark counts per second of channel 0 and channel 1.
    scatter_per_pulse
        Mean counts per pulse of light that comes with the pulse, both channels together.
    response
        Timing error of laser and detectors.
    pulse_delay_ns
        Time from sync to laser pulse [ns].
    dead_time_ns
        Time after a count in which its channel counts nothing [ns].
    afterpulse_probability
        Chance that a count is followed by a false one, after the dead time.
    afterpulse_time_ns
        Mean delay of the false one after the dead time [ns], exponential.
    microtime_resolution_ps
        Tick of the microtimes [ps].
    time_tick_ps
        Tick of the arrival times in mode T2 [ps].
    """

    excitation: PulsedExcitation | CwExcitation
    efficiency: float = 0.05
    splitter_share: float = 0.5
    background_per_s: float = 0.0
    dark_counts_per_s: tuple[float, float] = (0.0, 0.0)
    scatter_per_pulse: float = 0.0
    response: TimingResponse = field(default_factory=TimingResponse)
    pulse_delay_ns: float = 2.0
    dead_time_ns: float = 0.0
    afterpulse_probability: float = 0.0
    afterpulse_time_ns: float = 50.0
    microtime_resolution_ps: int = 64
    time_tick_ps: int = 1

    def __post_init__(self) -> None:
        """Refuse what no experiment can have."""
        if not 0.0 < self.efficiency <= 1.0:
            raise InputError(f"an efficiency of {self.efficiency}; expected above 0 and up to 1")
        for name, share in (
            ("share of channel 0", self.splitter_share),
            ("probability of an afterpulse", self.afterpulse_probability),
        ):
            if not 0.0 <= share <= 1.0:
                raise InputError(f"the {name} is {share}; expected 0 to 1")
        if self.afterpulse_probability > 0.5:
            raise InputError("more than half of the counts make another one: no detector does that")
        for name, value in (
            ("background", self.background_per_s),
            ("dark count rate of channel 0", self.dark_counts_per_s[0]),
            ("dark count rate of channel 1", self.dark_counts_per_s[1]),
            ("scattered light per pulse", self.scatter_per_pulse),
            ("pulse delay", self.pulse_delay_ns),
            ("dead time", self.dead_time_ns),
            ("afterpulse time", self.afterpulse_time_ns),
        ):
            _require_not_negative(name, value)
        for name, tick in (
            ("microtime tick", self.microtime_resolution_ps),
            ("time tick", self.time_tick_ps),
        ):
            if tick < 1 or int(tick) != tick:
                raise InputError(f"a {name} of {tick} ps; expected a whole number above 0")
        if isinstance(self.excitation, CwExcitation) and self.scatter_per_pulse > 0.0:
            raise InputError(
                "scattered light comes with pulses, but the excitation is continuous; "
                "use background_per_s"
            )

    @property
    def channel_shares(self) -> tuple[float, float]:
        """Shares of the light of channel 0 and channel 1."""
        return self.splitter_share, 1.0 - self.splitter_share

    @property
    def flat_rates_per_s(self) -> tuple[float, float]:
        """Background and dark counts of channel 0 and channel 1 [1/s]."""
        first, second = (
            share * self.background_per_s + dark
            for share, dark in zip(self.channel_shares, self.dark_counts_per_s, strict=True)
        )
        return first, second


def _require_positive(name: str, value: float, unit: str) -> None:
    if not (math.isfinite(value) and value > 0.0):
        raise InputError(f"the {name} is {value} {unit}; expected a positive number")


def _require_not_negative(name: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 0.0):
        raise InputError(f"the {name} is {value}; expected zero or more")
