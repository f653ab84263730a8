"""Photons of one simulated measurement, in order, as far as they are asked for."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.simulation.detection import (
    DetectorTable,
    count_photons,
    draw_flat_counts,
)
from qdcomp.experiment.simulation.emission_kernels import (
    Dimming,
    Optics,
    PulseTable,
    TrapRates,
    WaitTable,
    emit_after_pulses,
    emit_continuously,
    scatter_pulses,
    start_trap,
)
from qdcomp.experiment.simulation.emission_states import (
    compute_cw_moments,
    compute_cw_waiting,
    compute_pulse_moments,
    compute_pulse_outcomes,
)
from qdcomp.experiment.simulation.intensity_fluctuation import FluctuationSequence
from qdcomp.experiment.simulation.simulated_dot import SimulatedDot
from qdcomp.experiment.simulation.simulated_experiment import PulsedExcitation, SimulatedExperiment
from qdcomp.experiment.simulation.switching import StateSequence

PER_PS = 1e-12
"""1/s in 1/ps."""


class PhotonSequence:
    """State of a simulation between two pieces of time.

    Photons are integers, 2 · arrival time [ps] + channel.

    Parameters
    ----------
    dot, experiment
        What is simulated.
    duration_ps
        Length of the measurement [ps].
    seed
        Of the random numbers.

    Raises
    ------
    InputError
        If drift and fluctuation would need more than every photon detected.
    """

    def __init__(
        self, dot: SimulatedDot, experiment: SimulatedExperiment, duration_ps: int, seed: int
    ) -> None:
        states, levels, light, flat, scatter, detectors = np.random.SeedSequence(seed).spawn(6)
        self._experiment = experiment
        self._states = StateSequence(dot.switching, states)
        self._levels = FluctuationSequence(dot.fluctuation, levels)
        self._light, self._flat, self._scatter, self._detectors = (
            np.random.default_rng(child) for child in (light, flat, scatter, detectors)
        )
        growth = max(1.0, 1.0 + dot.drift_per_s * duration_ps * PER_PS)
        self._ceiling = growth * self._levels.ceiling
        self._drift = dot.drift_per_s * PER_PS
        self._darkening = dot.darkening_per_s * PER_PS
        efficiency = experiment.efficiency * self._ceiling
        if efficiency > 1.0:
            raise InputError(
                f"an efficiency of {experiment.efficiency} times a largest intensity of "
                f"{self._ceiling:.3g} (drift and fluctuation) is above 1; lower one of them"
            )
        self._table = _tabulate_states(dot, experiment, efficiency)
        self._trap = _tabulate_trap(dot)
        self._optics = _tabulate_optics(experiment)
        self._detector = DetectorTable(
            dead_ps=round(experiment.dead_time_ns * 1e3),
            afterpulse_chance=experiment.afterpulse_probability,
            afterpulse_ps=experiment.afterpulse_time_ns * 1e3,
        )
        self._light_rate = _find_largest_rate(dot, experiment, efficiency) * PER_PS
        self._flat_rate = sum(experiment.flat_rates_per_s) * PER_PS
        trapped, trap_end = start_trap(self._light, self._trap)
        self._carry = np.array([0, -1, trapped, trap_end, 0, 0], np.int64)
        self._flat_carry = np.array([_draw_gap(self._flat, self._flat_rate)]).astype(np.int64)
        self._scatter_carry = np.array([_draw_gap(self._scatter, experiment.scatter_per_pulse)])
        self._waiting: NDArray[np.int64] = np.empty(0, np.int64)
        self._afterpulses: NDArray[np.int64] = np.empty(0, np.int64)
        self._blind_until = np.zeros(2, np.int64)
        self._reached = 0

    @property
    def largest_rate_per_ps(self) -> float:
        """Counts per picosecond of the brightest state with background."""
        period = getattr(self._table, "period_ps", 1)
        scatter = self._experiment.scatter_per_pulse / period
        return self._light_rate + self._flat_rate + scatter

    def advance(self, border: int) -> NDArray[np.int64]:
        """Return the counts before `border` [ps] that were not given before, in order."""
        # photons of later pulses may arrive before the border
        earliest = self._optics.offset_ps + self._experiment.response.earliest_ns * 1e3
        until = border + math.ceil(max(0.0, -earliest)) + 1
        parts = [self._waiting, self._emit(until)]
        if self._flat_rate > 0.0:
            parts.append(self._draw_flat(border))
        if self._experiment.scatter_per_pulse > 0.0:
            parts.append(self._draw_scatter(until))
        self._reached = until
        keys = np.concatenate(parts)
        keys.sort()
        if len(keys) and keys[0] < 0:  # jitter put it before the start of the measurement
            keys = keys[np.searchsorted(keys, 0) :]
        due = int(np.searchsorted(keys, 2 * border))
        self._waiting = keys[due:].copy()
        if self._detector.dead_ps == 0 and self._detector.afterpulse_chance == 0.0:
            return keys[:due]
        counts: NDArray[np.int64]
        counts, self._afterpulses = count_photons(
            self._detectors,
            keys[:due],
            border,
            self._blind_until,
            self._afterpulses,
            self._detector,
        )
        return counts

    def _emit(self, until: int) -> NDArray[np.int64]:
        states, ends = self._states.advance(until)
        self._levels.advance(int(self._carry[0]), until)
        dimming = Dimming(
            constant=self._drift == 0.0 and self._darkening == 0.0 and self._ceiling == 1.0,
            ceiling=self._ceiling,
            drift=self._drift,
            darkening=self._darkening,
            levels=self._levels.levels,
            first=self._levels.first,
            step_ps=self._levels.step_ps,
        )
        emit = emit_after_pulses if isinstance(self._table, PulseTable) else emit_continuously
        keys: NDArray[np.int64] = emit(
            self._light,
            self._carry,
            until,
            states,
            ends,
            self._table,
            self._trap,
            dimming,
            self._optics,
            self._foresee(self._light_rate, until),
        )
        return keys

    def _draw_flat(self, until: int) -> NDArray[np.int64]:
        share = self._experiment.flat_rates_per_s[0] * PER_PS / self._flat_rate
        expected = self._foresee(self._flat_rate, until)
        keys: NDArray[np.int64] = draw_flat_counts(
            self._flat, self._flat_carry, until, self._flat_rate, share, expected
        )
        return keys

    def _draw_scatter(self, until: int) -> NDArray[np.int64]:
        assert isinstance(self._table, PulseTable)
        period, mean = self._table.period_ps, self._experiment.scatter_per_pulse
        keys: NDArray[np.int64] = scatter_pulses(
            self._scatter,
            self._scatter_carry,
            until,
            period,
            mean,
            self._optics,
            self._foresee(mean / period, until),
        )
        return keys

    def _foresee(self, rate: float, until: int) -> int:
        mean = rate * (until - self._reached)
        return int(mean + 6.0 * math.sqrt(mean)) + 16


def _draw_gap(generator: np.random.Generator, rate: float) -> float:
    return float(generator.standard_exponential() / rate) if rate > 0.0 else 0.0


def _tabulate_states(
    dot: SimulatedDot, experiment: SimulatedExperiment, efficiency: float
) -> PulseTable | WaitTable:
    excitation = experiment.excitation
    if isinstance(excitation, PulsedExcitation):
        mean = excitation.excitons_per_pulse
        outcomes = np.array([compute_pulse_outcomes(s, mean, efficiency) for s in dot.states])
        return PulseTable(
            period_ps=excitation.period_ps,
            log_miss=np.log1p(-np.minimum(outcomes.sum(axis=1), 1.0 - 1e-15)),
            cumulative=np.cumsum(outcomes, axis=1),
            lifetimes_ps=1e3
            * np.array([(s.lifetime_ns, s.biexciton_lifetime_ns) for s in dot.states]),
        )
    waits = [compute_cw_waiting(s, excitation.rate_per_ns, efficiency) for s in dot.states]
    return WaitTable(
        rates=np.array([wait.rates for wait in waits]) * 1e-3,
        survival=np.array([wait.survival for wait in waits]),
        biexciton=np.array([wait.biexciton for wait in waits]) * 1e-3,
    )


def _tabulate_trap(dot: SimulatedDot) -> TrapRates:
    if dot.trap is None:
        return TrapRates(0.0, 0.0)
    rate = dot.trap.rate_per_s * PER_PS
    return TrapRates(rate * (1.0 - dot.emitting_share), rate * dot.emitting_share)


def _tabulate_optics(experiment: SimulatedExperiment) -> Optics:
    response = experiment.response
    pulsed = isinstance(experiment.excitation, PulsedExcitation)
    return Optics(
        share=experiment.splitter_share,
        offset_ps=experiment.pulse_delay_ns * 1e3 if pulsed else 0.0,
        sigma_ps=response.sigma_ns * 1e3,
        edges_ps=response.edges_ns * 1e3,
        cumulative=response.cumulative,
    )


def _find_largest_rate(
    dot: SimulatedDot, experiment: SimulatedExperiment, efficiency: float
) -> float:
    """Find how many counts per second the brightest state gives."""
    excitation = experiment.excitation
    if isinstance(excitation, PulsedExcitation):
        mean = excitation.excitons_per_pulse
        period_s = excitation.period_ps * PER_PS
        return max(compute_pulse_moments(s, mean, efficiency)[0] for s in dot.states) / period_s
    rate = excitation.rate_per_ns
    return max(compute_cw_moments(s, rate, efficiency)[0] for s in dot.states) * 1e9
