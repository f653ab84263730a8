"""What an analysis of a simulated stream should find: numbers that are known, not estimated.

They are computed from the parameters of dot and experiment and from the states that the dot was
in, which the seed fixes; no photon is counted. Intensities of emission (drift, photodarkening,
fluctuation) enter through their mean and mean square over the measurement.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdcomp.errors import InputError
from qdcomp.experiment.photon_stream import PICOSECONDS
from qdcomp.experiment.simulation.emission_states import (
    EmissionState,
    compute_cw_g2_modes,
    compute_cw_moments,
    compute_pulse_moments,
)
from qdcomp.experiment.simulation.simulated_dot import SimulatedDot
from qdcomp.experiment.simulation.simulated_experiment import PulsedExcitation, SimulatedExperiment
from qdcomp.experiment.simulation.simulated_source import SimulatedSource
from qdcomp.experiment.simulation.state_trajectory import StateTrajectory, compute_state_trajectory

_SLOW_POINTS = 1001
"""Times at which drift and photodarkening are averaged."""


@dataclass(frozen=True)
class SimulationTruth:
    """Known numbers of a simulated measurement.

    Attributes
    ----------
    trajectory
        States that the dot was in, from beginning to end.
    on_fraction
        Share of the measurement in ON states.
    expected_on_fraction
        Its mean over all seeds.
    lifetimes_ns
        Lifetime of the exciton in each state [ns].
    biexciton_lifetimes_ns
        Lifetime of the biexciton in each state [ns].
    g2_zero
        g2(0) of the dot's light alone, over the side pulses next to zero delay: what is left once
        the background is taken off. None if the dot gives no light.
    g2_zero_with_background
        g2(0) of all counts of the two channels. None without light on both.
    mandel_q
        Mandel Q of the counts of both channels in bins within ON states. None if no state is ON
        or ON gives no counts.
    mandel_q_bin_s
        The bins' length [s].
    dot_rates_per_s
        Counts of the dot's light per second in each state, both channels, at the intensity of the
        start; before dead time and afterpulses, trap included.
    background_rate_per_s
        Background, dark and scatter counts per second, both channels.
    rate_per_s
        Mean of all counts per second over the measurement, before dead time and afterpulses.
    short_delay_g2
        g2 at delays far below the trap's and the blinking's times, yet above lifetimes. None
        without counts.
    bunching_amplitude
        Part of it that falls off with the trap's rate; zero without a trap.
    bunching_rate_per_s
        That rate Γ [1/s]; None without a trap.
    t70_s
        Time to 70 % of the intensity by photodarkening [s]; None without it.
    """

    trajectory: StateTrajectory
    on_fraction: float
    expected_on_fraction: float
    lifetimes_ns: Mapping[str, float]
    biexciton_lifetimes_ns: Mapping[str, float]
    g2_zero: float | None
    g2_zero_with_background: float | None
    mandel_q: float | None
    mandel_q_bin_s: float
    dot_rates_per_s: Mapping[str, float]
    background_rate_per_s: float
    rate_per_s: float
    short_delay_g2: float | None
    bunching_amplitude: float
    bunching_rate_per_s: float | None
    t70_s: float | None


@dataclass(frozen=True)
class ExpectedLight:
    """Rates and coincidences in each state of a dot, out of its trap.

    Attributes
    ----------
    rates
        Counts per second of the dot's light, both channels [1/s], shape ``(n_states,)``.
    pairs
        Rate of coincident pairs, rate² g2(0) [1/s²], shape ``(n_states,)``.
    flat
        Background and dark counts of either channel [1/s].
    scatter
        Scattered light of either channel, as counts per second.
    emitting_share
        Share of the time out of the trap.
    mean_intensity, mean_square_intensity
        Of drift, photodarkening and fluctuation, over the intensity of the start.
    """

    rates: NDArray[np.float64]
    pairs: NDArray[np.float64]
    flat: tuple[float, float]
    scatter: tuple[float, float]
    emitting_share: float
    mean_intensity: float
    mean_square_intensity: float

    @property
    def background(self) -> tuple[float, float]:
        """Counts of either channel beside the dot's light [1/s]."""
        return self.flat[0] + self.scatter[0], self.flat[1] + self.scatter[1]


def compute_simulation_truth(
    source: SimulatedSource, *, mandel_q_bin_s: float = 0.01
) -> SimulationTruth:
    """Known numbers of the stream that `source` gives.

    Parameters
    ----------
    source
        The simulated measurement.
    mandel_q_bin_s
        Length of the bins of Mandel's Q [s].

    Raises
    ------
    InputError
        If the bin is not a positive time.
    """
    if not (math.isfinite(mandel_q_bin_s) and mandel_q_bin_s > 0.0):
        raise InputError(f"bins of {mandel_q_bin_s} s have no Mandel Q; give a positive time")
    dot, experiment = source.dot, source.experiment
    trajectory = compute_state_trajectory(dot, source.duration_ps, source.seed)
    shares = trajectory.time_shares
    light = compute_expected_light(dot, experiment, source.duration_ps / PICOSECONDS)
    emitted = float(shares @ light.rates) * light.emitting_share * light.mean_intensity
    bunching = compute_bunching(light, shares)
    names = [state.name for state in dot.states]
    return SimulationTruth(
        trajectory=trajectory,
        on_fraction=trajectory.on_fraction,
        expected_on_fraction=dot.expected_on_fraction,
        lifetimes_ns={state.name: state.lifetime_ns for state in dot.states},
        biexciton_lifetimes_ns={state.name: state.biexciton_lifetime_ns for state in dot.states},
        g2_zero=compute_g2_zero(light, shares),
        g2_zero_with_background=compute_measured_g2_zero(light, shares, experiment.channel_shares),
        mandel_q=compute_on_mandel_q(dot, experiment, light, mandel_q_bin_s),
        mandel_q_bin_s=mandel_q_bin_s,
        dot_rates_per_s=dict(
            zip(names, (light.rates * light.emitting_share).tolist(), strict=True)
        ),
        background_rate_per_s=sum(light.background),
        rate_per_s=emitted + sum(light.background),
        short_delay_g2=None if bunching is None else bunching[0],
        bunching_amplitude=0.0 if bunching is None else bunching[1],
        bunching_rate_per_s=None if dot.trap is None else dot.trap.rate_per_s,
        t70_s=dot.t70_s,
    )


def compute_expected_light(
    dot: SimulatedDot, experiment: SimulatedExperiment, duration_s: float
) -> ExpectedLight:
    """Rates and coincidences in each state over a measurement of `duration_s`."""
    excitation, efficiency = experiment.excitation, experiment.efficiency
    scatter_rate = 0.0
    if isinstance(excitation, PulsedExcitation):
        per_s = PICOSECONDS / excitation.period_ps
        mean = excitation.excitons_per_pulse
        moments = [compute_pulse_moments(s, mean, efficiency) for s in dot.states]
        scatter_rate = experiment.scatter_per_pulse * per_s
    else:
        per_s = 1e9
        rate = excitation.rate_per_ns
        moments = [compute_cw_moments(s, rate, efficiency) for s in dot.states]
    slow = dot.compute_slow_intensity(np.linspace(0.0, duration_s, _SLOW_POINTS))
    first, second = experiment.channel_shares
    return ExpectedLight(
        rates=np.array([moment[0] for moment in moments]) * per_s,
        pairs=np.array([moment[1] for moment in moments]) * per_s**2,
        flat=experiment.flat_rates_per_s,
        scatter=(first * scatter_rate, second * scatter_rate),
        emitting_share=dot.emitting_share,
        mean_intensity=float(np.mean(slow)),
        mean_square_intensity=float(np.mean(slow**2)) * (1.0 + dot.fluctuation_sd**2),
    )


def compute_g2_zero(light: ExpectedLight, time_shares: NDArray[np.float64]) -> float | None:
    """g2(0) of the dot's light: Σ w I² g2(0) / Σ w I², the side pulses in the same state.

    None if the dot gives no light.
    """
    sides = float(time_shares @ light.rates**2)
    return float(time_shares @ light.pairs) / sides if sides > 0.0 else None


def compute_measured_g2_zero(
    light: ExpectedLight,
    time_shares: NDArray[np.float64],
    channel_shares: tuple[float, float],
) -> float | None:
    """g2(0) of all counts on two channels, over the side pulses next to zero delay.

    None if one of the channels counts nothing.
    """
    first, second = channel_shares
    both = first * second
    dark_first, dark_second = light.background
    on = light.emitting_share
    crossed = (first * dark_second + second * dark_first) * light.mean_intensity * on * light.rates
    alone = dark_first * dark_second
    squares = both * light.mean_square_intensity * on
    zero = float(time_shares @ (squares * light.pairs + crossed)) + alone
    sides = float(time_shares @ (squares * light.rates**2 + crossed)) + alone
    return zero / sides if sides > 0.0 else None


def compute_bunching(
    light: ExpectedLight, time_shares: NDArray[np.float64]
) -> tuple[float, float] | None:
    """g2 of all counts at short delays, and the part of it that the trap makes.

        g2(τ) = ⟨I(0) I(τ)⟩/⟨I⟩²,    ⟨I²⟩ = Σ w R² ⟨a²⟩ p² (1 + A e^(−Γτ)) + …

    with p the share of time out of the trap, A = (1 − p)/p, and background in I. None without
    counts.
    """
    on = light.emitting_share
    background = sum(light.background)
    mean = float(time_shares @ light.rates) * on * light.mean_intensity
    square = float(time_shares @ light.rates**2) * on**2 * light.mean_square_intensity
    total = mean + background
    if total <= 0.0:
        return None
    amplitude = square * (1.0 / on - 1.0) / total**2
    steady = (square + 2.0 * mean * background + background**2) / total**2
    return steady + amplitude, amplitude


def compute_on_mandel_q(
    dot: SimulatedDot, experiment: SimulatedExperiment, light: ExpectedLight, bin_s: float
) -> float | None:
    """Mandel Q = σ²/μ − 1 of bins within ON states, at the intensity of the start.

    With R and b the counts per second of dot and background, T the bin,

        Q (R + b) T = ∫∫ R² (g2 − 1) + R² σ² 2 h(T, 1/τ_c) + R² A 2 h(T, Γ) + detectors,
        h(T, r) = T/r − (1 − e^(−rT))/r²

    where the first is the antibunching. Afterpulses add 2 p counts. Dead time takes from channel c
    R_c T (1 − 1/(1 + R_c t_dead)²), as from a Poisson stream, or the pairs of one pulse where it
    ends before the next pulse. Good to products of these small terms. With
    several ON states the mean of each one's, weighted by time. None if no state is ON.
    """
    on = np.array([state.is_on for state in dot.states])
    weights = np.where(on, dot.time_shares, 0.0)
    background = sum(light.background)
    if weights.sum() <= 0.0 or not np.any(light.rates[on] + background > 0.0):
        return None
    total = 0.0
    for state, weight, rate, pairs in zip(
        dot.states, weights / weights.sum(), light.rates, light.pairs, strict=True
    ):
        if weight > 0.0:
            excess = _compute_excess(dot, experiment, state, (rate, pairs), light, bin_s)
            mean = (rate * light.emitting_share + background) * bin_s
            total += weight * (excess / mean if mean > 0.0 else 0.0)
    return float(total)


def _compute_excess(
    dot: SimulatedDot,
    experiment: SimulatedExperiment,
    state: EmissionState,
    emission: tuple[float, float],
    light: ExpectedLight,
    bin_s: float,
) -> float:
    """Variance less mean of the counts in a bin of one state."""
    rate, pairs = emission
    share = light.emitting_share
    excitation = experiment.excitation
    excess = 0.0
    if rate > 0.0 and isinstance(excitation, PulsedExcitation):
        period_s = excitation.period_ps / PICOSECONDS
        excess += share * (pairs - rate**2) * period_s * bin_s
    elif rate > 0.0 and not isinstance(excitation, PulsedExcitation):
        decays, amplitudes = compute_cw_g2_modes(state, excitation.rate_per_ns)
        excess += share * rate**2 * 2.0 * bin_s * float(np.sum(amplitudes / decays)) * 1e-9
    steady = (rate * share) ** 2
    if dot.trap is not None:
        excess += steady * dot.trap.amplitude * 2.0 * _overlap(bin_s, dot.trap.rate_per_s)
    if dot.fluctuation is not None:
        slow = _overlap(bin_s, 1.0 / dot.fluctuation.correlation_time_s)
        excess += steady * dot.fluctuation_sd**2 * 2.0 * slow
    return excess + _compute_detector_excess(experiment, emission, light, bin_s)


def _compute_detector_excess(
    experiment: SimulatedExperiment,
    emission: tuple[float, float],
    light: ExpectedLight,
    bin_s: float,
) -> float:
    rate, pairs = emission
    share = light.emitting_share
    counts = (rate * share + sum(light.background)) * bin_s
    excess = 2.0 * experiment.afterpulse_probability * counts
    dead_s = experiment.dead_time_ns * 1e-9
    excitation = experiment.excitation
    for part, background in zip(experiment.channel_shares, light.background, strict=True):
        if isinstance(excitation, PulsedExcitation) and dead_s < excitation.period_ps / PICOSECONDS:
            period_s = excitation.period_ps / PICOSECONDS
            excess -= part**2 * share * pairs * period_s * bin_s if dead_s > 0.0 else 0.0
        else:
            counted = part * rate * share + background
            excess -= counted * bin_s * (1.0 - 1.0 / (1.0 + counted * dead_s) ** 2)
    return excess


def _overlap(bin_s: float, rate_per_s: float) -> float:
    """∫_0^T (T − τ) e^(−rτ) dτ [s²]."""
    return bin_s / rate_per_s + math.expm1(-rate_per_s * bin_s) / rate_per_s**2
