"""Dots of the papers, simulated from what is printed about them.

Each preset says where its numbers stand (`sources`), and what had to be assumed because no paper
prints it (`assumptions`). What one number does not fix is set so that the truth of the simulation
is the printed number: the biexciton yield gives g2(0), the fluctuation gives Mandel's Q.

D'Amato et al., Nano Lett. 23, 10228 (2023). Mi et al., Nat. Commun. (2025).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from scipy import optimize

from qdcomp.experiment.simulation.emission_states import (
    EmissionState,
    compute_cw_moments,
    compute_pulse_moments,
)
from qdcomp.experiment.simulation.simulated_dot import FastTrap, IntensityFluctuation, SimulatedDot
from qdcomp.experiment.simulation.simulated_experiment import (
    CwExcitation,
    PulsedExcitation,
    SimulatedExperiment,
    TimingResponse,
)
from qdcomp.experiment.simulation.simulation_truth import (
    compute_bunching,
    compute_expected_light,
    compute_g2_zero,
    compute_on_mandel_q,
)
from qdcomp.experiment.simulation.switching import PowerLawDwell, Switching

MANDEL_BIN_S = 0.01
"""Bins of the papers' blinking traces [s]: 10 ms."""

BACKGROUND_SHARE = 0.02
"""Background over all counts, "usually 2.0 %" (Mi, Methods)."""

FLUCTUATION_TIME_S = 0.1
"""Correlation time of the bright level [s]: far above the bins, far below the measurement."""


@dataclass(frozen=True)
class SimulatedPreset:
    """A published dot and how it was measured.

    Attributes
    ----------
    dot, experiment
        What to simulate.
    duration_s
        Length of the published measurement [s].
    printed
        Numbers that the paper prints and that an analysis of the simulation should find.
    sources
        Where those, and what they were made of, are printed.
    assumptions
        What is not printed.
    """

    dot: SimulatedDot
    experiment: SimulatedExperiment
    duration_s: float
    printed: Mapping[str, float]
    sources: tuple[str, ...]
    assumptions: tuple[str, ...]


def make_damato_preset() -> SimulatedPreset:
    """Typical Zn-treated CsPbBr3 dot of 12 nm at its saturation power (D'Amato, Figs 3 and 4)."""
    printed = {
        "bright_lifetime_ns": 10.2,
        "grey_lifetime_ns": 1.3,
        "short_delay_g2": 1.18,
        "g2_zero": 0.08,
        "mandel_q": 3.0,
        "on_rate_per_s": 60e3,
    }
    grey = EmissionState("grey", 1.3, 1.3 / 10.2, is_on=False)
    excitation = PulsedExcitation(2.5e6, excitons_per_pulse=1.0)
    off = PowerLawDwell(1.5, 0.01, 0.1)
    on = _fit_longest(1.5, 0.5, off.mean_s * 0.98 / 0.02)
    background = BACKGROUND_SHARE * printed["on_rate_per_s"]
    trap = FastTrap(amplitude=printed["short_delay_g2"] - 1.0, rate_per_s=1.0 / 30e-6)
    bright = EmissionState("bright", 10.2, 1.0, biexciton_lifetime_ns=0.1)
    dot = SimulatedDot(
        (bright, grey), Switching((on, off)), trap, name="D'Amato 2023, 12 nm Zn-treated CsPbBr3"
    )
    experiment = SimulatedExperiment(
        excitation,
        background_per_s=background,
        response=TimingResponse(sigma_ns=0.1),
        dead_time_ns=90.0,
        microtime_resolution_ps=128,
    )
    per_s = 1e12 / excitation.period_ps
    for _ in range(4):  # each number hardly moves the others
        dot = _fit_biexciton_yield(dot, experiment, printed["g2_zero"])
        counted = compute_pulse_moments(dot.states[0], 1.0)[0] * per_s * dot.emitting_share
        efficiency = (printed["on_rate_per_s"] - background) / counted
        experiment = replace(experiment, efficiency=efficiency)
        dot = _fit_fluctuation(dot, experiment, printed["mandel_q"])
        dot = _fit_trap(dot, experiment, printed["short_delay_g2"])
    return SimulatedPreset(
        dot=dot,
        experiment=experiment,
        duration_s=600.0,
        printed=printed,
        sources=(
            "lifetimes of high and low intensity 10.2 and 1.3 ns: D'Amato, Blinking analysis, "
            "Fig. 4b",
            "g2 of 1.18 below 10 µs that falls to 1 above 100 µs: D'Amato, Fig. 4d",
            "g2(0) = 0.08 without background: D'Amato, Fig. 3c",
            "405 nm, 2.5 MHz, saturation power (one exciton per pulse), 600 s, 10 ms bins: "
            "D'Amato, Figs 4 and 5 and SI section III",
            "60 kcps, ON above 90 %, Q = 3: Mi SI Table 2, row of 12 nm, 2.5 MHz and 600 s",
        ),
        assumptions=(
            "that row of Mi's table is this paper: its reference number is lost in our text",
            "ON for 98 % of the time, power laws of exponent 1.5, OFF 10 to 100 ms",
            "yield of the grey state in proportion to its lifetime (blinking of type A)",
            "the fast flickering is into a dark state, its rate 1/(30 µs) between the two delays",
            "biexciton lifetime 0.1 ns, timing error 0.1 ns, dead time 90 ns, background 2 %",
            "microtime ticks of 128 ps, the instrument's multiple of 4 ps next to the 126 ps "
            "printed",
        ),
    )


def make_mi_pea_preset() -> SimulatedPreset:
    """CsPbBr3 dot of 4.5 nm under PEA, nearly without blinking (Mi, Fig. 2b and h)."""
    printed = {"on_fraction": 0.986, "mandel_q": 0.3, "g2_zero": 0.013}
    off = PowerLawDwell(1.2, 0.01, 0.1)
    on_mean = off.mean_s * printed["on_fraction"] / (1.0 - printed["on_fraction"])
    on = _fit_shortest(2.0, 60.0, on_mean)
    dot, experiment = _build_mi_dot("Mi 2025, 4.5 nm CsPbBr3, PEA", on, off, printed)
    return SimulatedPreset(
        dot=dot,
        experiment=experiment,
        duration_s=60.0,
        printed=printed,
        sources=(
            "ON 98.6 % over 60 s, Q = 0.3 at 10 ms: Mi, main text and Fig. 2b",
            "g2(0) = 0.013 without background: Mi, Fig. 2h",
            "exponents of ON and OFF times 2.0 and 1.2: Mi, main text and Fig. 2i",
            *_MI_SOURCES,
        ),
        assumptions=("OFF for 10 to 100 ms, ON up to 60 s: no ends are printed", *_MI_ASSUMPTIONS),
    )


def make_mi_dda_preset() -> SimulatedPreset:
    """CsPbBr3 dot of 4.5 nm under DDA, which blinks (Mi, Fig. 2d)."""
    printed = {"on_fraction": 0.554, "mandel_q": 7.3, "g2_zero": 0.054}
    on = PowerLawDwell(1.5, 0.05, 2.0)
    off_mean = on.mean_s * (1.0 - printed["on_fraction"]) / printed["on_fraction"]
    off = _fit_longest(1.5, 0.05, off_mean)
    dot, experiment = _build_mi_dot("Mi 2025, 4.5 nm CsPbBr3, DDA", on, off, printed)
    return SimulatedPreset(
        dot=dot,
        experiment=experiment,
        duration_s=60.0,
        printed=printed,
        sources=(
            "ON 55.4 % over 60 s, Q = 7.3 at 10 ms: Mi, main text and Fig. 2d",
            "exponents of about 1.5 of typical dots: Mi, main text",
            "g2(0) = 0.054, the mean of dots below 7 nm: Mi, SI Fig. 31",
            *_MI_SOURCES,
        ),
        assumptions=(
            "ON for 50 ms to 2 s, OFF from 50 ms: no ends are printed",
            "g2(0) of this dot is not printed",
            "no photodarkening within the 60 s: it is printed for after 120 s",
            *_MI_ASSUMPTIONS,
        ),
    )


_MI_SOURCES = (
    "continuous excitation at 42 W/cm²: Mi, Fig. 2; 13.7 µJ/cm² make 0.2 excitons: Mi, Methods",
    "detection efficiency 0.09, exciton decay 200 MHz: Mi, SI Note 8",
    "biexciton lifetime 20 ps: Mi, SI Note 9; background 2.0 % of the counts: Mi, Methods",
)

_MI_ASSUMPTIONS = (
    "OFF is a grey state of yield 0.1 and lifetime 0.25 ns (printed: trions below 20 %)",
    "timing error 0.05 ns, dead time 80 ns",
    "Q is that of the bright level, which fluctuates with a correlation time of 0.1 s",
)


def _build_mi_dot(
    name: str, on: PowerLawDwell, off: PowerLawDwell, printed: Mapping[str, float]
) -> tuple[SimulatedDot, SimulatedExperiment]:
    bright = EmissionState("bright", 5.0, 1.0, biexciton_lifetime_ns=0.02)
    grey = EmissionState("grey", 0.25, 0.1, biexciton_lifetime_ns=0.02, is_on=False)
    excitation = CwExcitation(rate_per_s=42.0 * 0.2 / 13.7e-6)
    dot = SimulatedDot((bright, grey), Switching((on, off)), name=name)
    detected = 0.09 * 1e9 * compute_cw_moments(bright, excitation.rate_per_ns)[0]
    experiment = SimulatedExperiment(
        excitation,
        efficiency=0.09,
        background_per_s=detected * BACKGROUND_SHARE / (1.0 - BACKGROUND_SHARE),
        response=TimingResponse(sigma_ns=0.05),
        dead_time_ns=80.0,
    )
    dot = _fit_biexciton_yield(dot, experiment, printed["g2_zero"])
    return _fit_fluctuation(dot, experiment, printed["mandel_q"]), experiment


def _fit_biexciton_yield(
    dot: SimulatedDot, experiment: SimulatedExperiment, g2_zero: float
) -> SimulatedDot:
    """Give the first state the biexciton yield with which the dot has this g2(0)."""

    def change(value: float) -> SimulatedDot:
        return replace(dot, states=(replace(dot.states[0], biexciton_yield=value), *dot.states[1:]))

    def compute_error(value: float) -> float:
        light = compute_expected_light(change(value), experiment, 1.0)
        return (compute_g2_zero(light, dot.time_shares) or 0.0) - g2_zero

    return change(_find_root(compute_error, 0.0, 0.5))


def _fit_fluctuation(
    dot: SimulatedDot, experiment: SimulatedExperiment, mandel_q: float
) -> SimulatedDot:
    """Give the dot the fluctuation with which its ON counts have this Mandel Q."""

    def change(value: float) -> SimulatedDot:
        return replace(dot, fluctuation=IntensityFluctuation(value, FLUCTUATION_TIME_S))

    def compute_error(value: float) -> float:
        changed = change(value)
        light = compute_expected_light(changed, experiment, 1.0)
        return (compute_on_mandel_q(changed, experiment, light, MANDEL_BIN_S) or 0.0) - mandel_q

    return change(_find_root(compute_error, 1e-6, 0.2))


def _fit_trap(dot: SimulatedDot, experiment: SimulatedExperiment, g2: float) -> SimulatedDot:
    """Give the dot's trap the amplitude with which g2 has this value at short delays."""
    assert dot.trap is not None
    trap = dot.trap

    def change(value: float) -> SimulatedDot:
        return replace(dot, trap=replace(trap, amplitude=value))

    def compute_error(value: float) -> float:
        light = compute_expected_light(change(value), experiment, 1.0)
        bunching = compute_bunching(light, dot.time_shares)
        return (math.nan if bunching is None else bunching[0]) - g2

    return change(_find_root(compute_error, 1e-6, 10.0))


def _fit_shortest(exponent: float, longest_s: float, mean_s: float) -> PowerLawDwell:
    """Power law of this mean with its lower end found."""

    def compute_error(value: float) -> float:
        return PowerLawDwell(exponent, value, longest_s).mean_s - mean_s

    shortest = _find_root(compute_error, 1e-6 * longest_s, 0.999 * longest_s)
    return PowerLawDwell(exponent, shortest, longest_s)


def _fit_longest(exponent: float, shortest_s: float, mean_s: float) -> PowerLawDwell:
    """Power law of this mean with its upper end found."""

    def compute_error(value: float) -> float:
        return PowerLawDwell(exponent, shortest_s, value).mean_s - mean_s

    longest = _find_root(compute_error, 1.001 * shortest_s, 1e6 * shortest_s)
    return PowerLawDwell(exponent, shortest_s, longest)


def _find_root(compute_error: Callable[[float], float], low: float, high: float) -> float:
    return float(optimize.brentq(compute_error, low, high, xtol=1e-12))
