"""Are the estimates for single dots unbiased, and their errors honest? On simulated dots.

Each case simulates so many dots of a known truth and analyses them. A row gives the mean of the
estimate less the truth, over its standard error, and the share of the 68 % intervals that hold the
truth: within ±2, and 62 to 74 %, with 200 dots. ``python -m benchmarks.estimator_table [DOTS]``
prints all rows; it fails if one is out.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from qdcomp.experiment import (
    Estimate,
    SimulatedDot,
    SimulatedExperiment,
    SimulatedSource,
    classify_blinking,
    compute_blinking_trace,
    compute_cw_g2,
    compute_decay,
    compute_long_delay_g2,
    compute_mandel_q,
    compute_pulsed_g2,
    fit_antibunching,
    fit_bunching,
    fit_emission_spectrum,
    fit_lifetime,
    fit_power_law,
    fit_saturation,
    simulate_photons,
    simulate_spectrum,
)
from qdcomp.experiment.correlations.pulsed_g2 import (
    PulsedG2,
    subtract_background_coincidences,
    subtract_pulsed_background,
)
from qdcomp.experiment.simulation.emission_states import EmissionState
from qdcomp.experiment.simulation.simulated_dot import FastTrap, IntensityFluctuation
from qdcomp.experiment.simulation.simulated_experiment import CwExcitation, PulsedExcitation
from qdcomp.experiment.simulation.simulated_spectrum import SimulatedCamera, SimulatedLine
from qdcomp.experiment.simulation.simulation_truth import compute_simulation_truth
from qdcomp.experiment.simulation.switching import ExponentialDwell, PowerLawDwell, Switching

DOTS = 200
LARGEST_BIAS = 2.0
COVERAGE = (0.62, 0.74)

Measured = Mapping[str, tuple[Estimate, float]]
"""Estimates of one dot with their truths."""

BRIGHT = EmissionState("bright", 20.0, 1.0, biexciton_lifetime_ns=0.5, biexciton_yield=0.15)
DARK = EmissionState("dark", 2.0, 0.02, is_on=False)


@dataclass(frozen=True)
class Row:
    """One estimator on one kind of dot.

    Attributes
    ----------
    case, name
        The dots, and what was estimated.
    truth, mean, sd
        Mean truth; mean and standard deviation of the estimate.
    bias
        Mean of estimate less truth, in its standard errors.
    coverage
        Share of the dots whose truth lies within one error.
    dots
        Dots with an estimate.
    """

    case: str
    name: str
    truth: float
    mean: float
    sd: float
    bias: float
    coverage: float
    dots: int

    @property
    def is_honest(self) -> bool:
        """Whether bias and coverage are what those of a right estimator are."""
        return abs(self.bias) < LARGEST_BIAS and COVERAGE[0] <= self.coverage <= COVERAGE[1]


def measure_steady(seed: int) -> Measured:
    """Measure a steady dot with pulses: lifetime, Q, g2(0) and both corrections of it."""
    dot = SimulatedDot((BRIGHT,), fluctuation=IntensityFluctuation(0.05, 0.05))
    experiment = SimulatedExperiment(
        PulsedExcitation(5e6, 0.2), efficiency=0.04, background_per_s=2000.0
    )
    source = SimulatedSource(dot, experiment, 10.0, seed)
    truth = compute_simulation_truth(source)
    stream = simulate_photons(dot, experiment, 10.0, seed)
    trace = compute_blinking_trace(stream)
    mandel = compute_mandel_q(trace, classify_blinking(trace))
    lifetime = fit_lifetime(compute_decay(stream, ticks_per_bin=4), "bi", start_ns=2.048)
    pulsed = compute_pulsed_g2(stream)
    measured = {
        "lifetime of the exciton [ns]": (lifetime.components[0].lifetime_ns, 20.0),
        "g2(0) as measured": (pulsed.zero_delay, truth.g2_zero_with_background),
        "g2(0), decay's background taken off": (
            subtract_pulsed_background(pulsed, lifetime.background_share),
            truth.g2_zero,
        ),
        "g2(0), correction as D'Amato prints it": (
            correct_as_damato(pulsed, 2000.0 / trace.mean_rate_per_s),
            truth.g2_zero,
        ),
        "Mandel Q, ON bins": (mandel.on_bins, truth.mandel_q),
        "Mandel Q, Gaussian": (mandel.gaussian, truth.mandel_q),
    }
    return {name: pair for name, pair in measured.items() if pair[0] is not None}


def correct_as_damato(pulsed: PulsedG2, background_share: float) -> Estimate:
    """g2(0) with M + M_b − 2 √(M M_b) for the coincidences of zero delay and of the others."""
    middle = len(pulsed.coincidences) // 2
    zero = float(pulsed.coincidences[middle])
    side = (float(pulsed.coincidences.sum()) - zero) / (2 * middle)
    background = Estimate(background_share**2 * pulsed.uncorrelated, 0.0)
    top = subtract_background_coincidences(Estimate(zero, math.sqrt(max(zero, 1.0))), background)
    below = subtract_background_coincidences(
        Estimate(side, math.sqrt(side / (2 * middle))), background
    )
    ratio = top.value / below.value
    return Estimate(ratio, math.hypot(top.error, ratio * below.error) / below.value)


def measure_blinking(seed: int) -> Measured:
    """Measure a dot that blinks exponentially, with pulses: ON fraction, g2(0)."""
    switching = Switching((ExponentialDwell(0.6), ExponentialDwell(0.3)))
    dot = SimulatedDot((BRIGHT, DARK), switching)
    experiment = SimulatedExperiment(
        PulsedExcitation(5e6, 0.2), efficiency=0.03, background_per_s=1500.0
    )
    source = SimulatedSource(dot, experiment, 30.0, seed)
    truth = compute_simulation_truth(source)
    stream = simulate_photons(dot, experiment, 30.0, seed)
    trace = compute_blinking_trace(stream)
    states = classify_blinking(trace)
    pulsed = compute_pulsed_g2(stream)
    background = 1500.0 / trace.mean_rate_per_s
    return {
        "ON fraction": (states.on_fraction, truth.expected_on_fraction),
        "g2(0) as measured": (pulsed.zero_delay, truth.g2_zero_with_background),
        "g2(0), known background taken off": (
            subtract_pulsed_background(pulsed, Estimate(background, 0.0)),
            truth.g2_zero,
        ),
    }


def measure_power_laws(seed: int) -> Measured:
    """Measure a dot whose ON and OFF times are power laws: exponents, with fine and coarse bins.

    A dwell is at least 10 ms. Bins of 2 ms see all of them and are told apart halfway between the
    two levels. Bins of 10 ms with the usual threshold, half of the brightest level, and the usual
    shortest duration, three bins, are what `qdcomp photons` takes where nothing is said.
    """
    switching = Switching((PowerLawDwell(2.0, 0.01, 100.0), PowerLawDwell(2.3, 0.01, 100.0)))
    dot = SimulatedDot((BRIGHT, DARK), switching)
    experiment = SimulatedExperiment(PulsedExcitation(5e6, 0.2), efficiency=0.06)
    stream = simulate_photons(dot, experiment, 30.0, seed)
    found = {}
    for bins, bin_s, fewest in (("2 ms", 0.002, 7), ("10 ms", 0.01, 3)):
        trace = compute_blinking_trace(stream, bin_s)
        states = classify_blinking(trace)
        on, off = states.on_level, states.off_level
        if bin_s < 0.01 and on is not None and off is not None:
            states = classify_blinking(trace, threshold=0.5 * (on + off))
        for name, durations, truth in (
            ("ON", states.on_durations, 2.0),
            ("OFF", states.off_durations, 2.3),
        ):
            fit = fit_power_law(durations, minimum_bins=fewest, cutoff=False, goodness=False)
            if fit.exponent is not None:
                found[f"exponent of {name} times, bins of {bins}"] = (fit.exponent, truth)
    return found


def measure_continuous(seed: int) -> Measured:
    """Measure a dot under continuous light: depth and time of the dip."""
    rate = 5e6
    state = EmissionState("bright", 20.0, 1.0)
    experiment = SimulatedExperiment(CwExcitation(rate), efficiency=0.1, background_per_s=3e4)
    stream = simulate_photons(SimulatedDot((state,)), experiment, 0.8, seed)
    dip = fit_antibunching(compute_cw_g2(stream))
    light = 0.1 * rate / (1.0 + rate * 20e-9)
    signal = light / (light + 3e4)
    return {
        "g2(0) of the dip": (dip.zero_delay, 1.0 - signal**2),
        "time of the dip [ns]": (dip.time_ns, 1.0 / (1.0 / 20.0 + rate * 1e-9)),
    }


def measure_bunching(seed: int) -> Measured:
    """Measure a dot with a fast trap: amplitude and rate of its bunching."""
    dot = SimulatedDot((EmissionState("bright", 20.0, 1.0),), trap=FastTrap(0.25, 3e4))
    experiment = SimulatedExperiment(CwExcitation(2e6), efficiency=0.05, background_per_s=4e3)
    truth = compute_simulation_truth(SimulatedSource(dot, experiment, 5.0, seed))
    stream = simulate_photons(dot, experiment, 5.0, seed)
    found = fit_bunching(compute_long_delay_g2(stream, longest_s=1e-2), longest_s=1e-3)
    return {
        "bunching amplitude": (found.amplitude, truth.bunching_amplitude),
        "bunching rate [1/s]": (found.rate_per_s, 3e4),
    }


def measure_saturation(seed: int) -> Measured:
    """Measure a dot at ten powers: the saturation power, one exciton per pulse."""
    powers = np.geomspace(0.1, 4.0, 10)
    dot = SimulatedDot((EmissionState("bright", 20.0, 1.0),))
    rates = [
        simulate_photons(
            dot,
            SimulatedExperiment(PulsedExcitation(5e6, float(power)), efficiency=0.01),
            0.1,
            1000 * seed + k,
        ).header.photons
        / 0.1
        for k, power in enumerate(powers)
    ]
    fit = fit_saturation(powers, rates, exposure_s=0.1)
    return {"saturation power": (fit.saturation_power, 1.0)}


def measure_line(seed: int) -> Measured:
    """Measure a line with two widths: peak and half widths of either side."""
    line = SimulatedLine(2.42, 30_000.0, (0.025, 0.018), (0.012, 0.008))
    camera = SimulatedCamera(background_per_s=10.0)
    exposed = simulate_spectrum(line, np.linspace(470.0, 560.0, 256), 1.0, seed, camera=camera)
    fit = fit_emission_spectrum(exposed.spectrum, "double_half_voigt", counts_per_photon=1.0)
    red, blue = line.hwhm_ev
    return {
        "peak [eV]": (fit.peak_energy_ev, 2.42),
        "HWHM below the peak [meV]": (fit.hwhm_low_mev, 1e3 * red),
        "HWHM above the peak [meV]": (fit.hwhm_high_mev, 1e3 * blue),
    }


CASES: dict[str, Callable[[int], Measured]] = {
    "steady, pulsed": measure_steady,
    "blinking, pulsed": measure_blinking,
    "power laws": measure_power_laws,
    "continuous": measure_continuous,
    "fast trap": measure_bunching,
    "ten powers": measure_saturation,
    "spectrum": measure_line,
}

NOT_ESTIMATORS = ("g2(0), correction as D'Amato prints it",)
"""A formula that is applied as printed: how far it misses the truth is shown."""


def tabulate_case(case: str, dots: int = DOTS) -> tuple[Row, ...]:
    """Simulate and analyse the dots of a case."""
    found = [CASES[case](seed) for seed in range(dots)]
    names = list(dict.fromkeys(name for one in found for name in one))
    return tuple(
        _summarise(case, name, [one[name] for one in found if name in one]) for name in names
    )


def _summarise(case: str, name: str, pairs: Sequence[tuple[Estimate, float]]) -> Row:
    values = np.array([estimate.value for estimate, _ in pairs])
    errors = np.array([estimate.error for estimate, _ in pairs])
    truths = np.array([truth for _, truth in pairs])
    misses = values - truths
    return Row(
        case=case,
        name=name,
        truth=float(truths.mean()),
        mean=float(values.mean()),
        sd=float(misses.std(ddof=1)),
        bias=float(misses.mean() / (misses.std(ddof=1) / math.sqrt(len(pairs)))),
        coverage=float(np.mean(np.abs(misses) < errors)),
        dots=len(pairs),
    )


def main(dots: int = DOTS) -> dict[str, object]:
    """Print the table and keep it beside the benchmarks."""
    rows: list[Row] = []
    print(f"{'case':17}{'estimate':41}{'truth':>11}{'mean':>11}{'bias':>7}{'holds':>7}{'dots':>6}")
    for case in CASES:
        start = perf_counter()
        for row in tabulate_case(case, dots):
            rows.append(row)
            said = "" if row.is_honest else "  <- out"
            print(
                f"{row.case:17}{row.name:41}{row.truth:11.5g}{row.mean:11.5g}{row.bias:7.2f}"
                f"{100 * row.coverage:6.1f}%{row.dots:6}{said}",
                flush=True,
            )
        print(f"{'':17}({perf_counter() - start:.0f} s)", flush=True)
    out = [row for row in rows if not row.is_honest and row.name not in NOT_ESTIMATORS]
    results = {"rows": [row.__dict__ for row in rows], "out": len(out)}
    target = Path(__file__).parent / "results" / "estimators.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    return results


if __name__ == "__main__":
    sys.exit(int(main(*map(int, sys.argv[1:2]))["out"] > 0))
