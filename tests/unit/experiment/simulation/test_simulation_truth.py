import numpy as np
import pytest
from scipy import stats

from qdcomp.errors import InputError
from qdcomp.experiment.simulation.emission_states import EmissionState
from qdcomp.experiment.simulation.simulated_dot import FastTrap, IntensityFluctuation, SimulatedDot
from qdcomp.experiment.simulation.simulated_experiment import (
    CwExcitation,
    PulsedExcitation,
    SimulatedExperiment,
)
from qdcomp.experiment.simulation.simulated_source import SimulatedSource, simulate_photons
from qdcomp.experiment.simulation.simulation_truth import compute_simulation_truth
from qdcomp.experiment.simulation.switching import ExponentialDwell, Switching

BRIGHT = EmissionState("bright", 10.0, 1.0, biexciton_yield=0.08)
DARK = EmissionState("dark", 1.0, 0.0, is_on=False)
BLINK = Switching((ExponentialDwell(0.3), ExponentialDwell(0.1)))
PULSED = PulsedExcitation(2.5e6, 1.0)


def compute_truth(dot, experiment, duration_s=10.0, seed=1):
    return compute_simulation_truth(SimulatedSource(dot, experiment, duration_s, seed))


def count_bins(stream, bin_s):
    bins = round(stream.header.duration_s / bin_s)
    ticks = round(bin_s / stream.header.macrotime_resolution_s)
    return np.bincount(stream.macrotimes // ticks, minlength=bins)


ANTIBUNCHED = SimulatedDot((BRIGHT,))
BLANK = SimulatedDot((EmissionState("blank", 1.0, 0.0),))


@pytest.mark.parametrize(
    ("dot", "experiment", "bin_s"),
    [
        (ANTIBUNCHED, SimulatedExperiment(PULSED, 0.8), 2e-4),
        (ANTIBUNCHED, SimulatedExperiment(CwExcitation(2e7), 0.3), 5e-5),
        (
            BLANK,
            SimulatedExperiment(CwExcitation(0.0), background_per_s=8e5, dead_time_ns=400.0),
            2e-4,
        ),
        (ANTIBUNCHED, SimulatedExperiment(PULSED, 0.05, afterpulse_probability=0.05), 2e-3),
        (
            SimulatedDot((BRIGHT,), trap=FastTrap(0.2, 3e4)),
            SimulatedExperiment(PULSED, 0.04),
            2e-3,
        ),
        (
            SimulatedDot((BRIGHT,), fluctuation=IntensityFluctuation(0.15, 0.02)),
            SimulatedExperiment(PULSED, 0.04, background_per_s=5e3),
            2e-3,
        ),
    ],
    ids=[
        "pulsed antibunching",
        "cw antibunching",
        "dead time",
        "afterpulse",
        "trap",
        "fluctuation",
    ],
)
def test_mandel_q_of_the_counts_is_the_truth(dot, experiment, bin_s):
    found = []
    for seed in range(12):
        counts = count_bins(simulate_photons(dot, experiment, 3000 * bin_s, seed), bin_s)
        found.append(counts.var(ddof=1) / counts.mean() - 1)
    source = SimulatedSource(dot, experiment, 3000 * bin_s, 1)
    truth = compute_simulation_truth(source, mandel_q_bin_s=bin_s).mandel_q
    assert abs(truth) > 4 * stats.sem(found)
    # neighbouring bins are correlated: the scatter of their mean takes a part of the variance
    assert abs(np.mean(found) - truth) < 4 * stats.sem(found) + 0.01 * abs(truth)


def test_on_fraction_is_that_of_the_states():
    dot = SimulatedDot((BRIGHT, DARK), BLINK)
    truth = compute_truth(dot, SimulatedExperiment(PULSED, 0.04), 100.0)
    stream = simulate_photons(dot, SimulatedExperiment(PULSED, 0.04), 100.0, 1)
    counts = count_bins(stream, 0.002)
    assert truth.expected_on_fraction == pytest.approx(0.75)
    np.testing.assert_allclose(np.mean(counts > counts.max() / 4), truth.on_fraction, atol=0.005)
    assert truth.on_fraction == truth.trajectory.on_fraction


def test_g2_zero_of_an_on_off_dot_is_that_of_its_light():
    alone = compute_truth(SimulatedDot((BRIGHT,)), SimulatedExperiment(PULSED)).g2_zero
    blinking = SimulatedDot((BRIGHT, DARK), BLINK, FastTrap(0.3, 1e4))
    assert compute_truth(blinking, SimulatedExperiment(PULSED)).g2_zero == pytest.approx(alone)


def test_background_raises_g2_zero_by_the_known_amount():
    # with share s of signal, g2 = 1 − s²(1 − g2_dot)  (Brouri et al., Opt. Lett. 25, 1294)
    dot = SimulatedDot((BRIGHT,))
    truth = compute_truth(dot, SimulatedExperiment(PULSED, 0.04, background_per_s=1e4))
    share = 1 - 1e4 / truth.rate_per_s
    expected = 1 - share**2 * (1 - truth.g2_zero)
    assert truth.g2_zero_with_background == pytest.approx(expected)


def test_short_delay_g2_of_blinking_and_trap_multiply():
    dot = SimulatedDot((BRIGHT, DARK), BLINK, FastTrap(0.3, 1e4))
    truth = compute_truth(dot, SimulatedExperiment(PULSED, 0.04))
    assert truth.short_delay_g2 == pytest.approx(1.3 / truth.on_fraction)
    assert truth.bunching_amplitude == pytest.approx(0.3 / truth.on_fraction)
    assert truth.bunching_rate_per_s == 1e4


def test_what_does_not_exist_is_absent():
    truth = compute_truth(SimulatedDot((DARK,)), SimulatedExperiment(PULSED, 0.04))
    assert truth.g2_zero is None
    assert truth.g2_zero_with_background is None
    assert truth.mandel_q is None
    assert truth.short_delay_g2 is None
    assert truth.bunching_rate_per_s is None
    assert truth.t70_s is None
    assert truth.on_fraction == 0.0
    assert truth.rate_per_s == 0.0


def test_bin_must_be_a_time():
    source = SimulatedSource(SimulatedDot((BRIGHT,)), SimulatedExperiment(PULSED), 1.0, 1)
    with pytest.raises(InputError, match="bins of 0"):
        compute_simulation_truth(source, mandel_q_bin_s=0.0)
