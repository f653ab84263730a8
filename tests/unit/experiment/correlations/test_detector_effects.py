"""Dead time and afterpulses: what they do to an autocorrelation, found and taken off."""

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.correlations.afterpulsing import estimate_afterpulsing
from qdcomp.experiment.correlations.cw_g2 import compute_cw_g2
from qdcomp.experiment.correlations.detector_effects import (
    DetectorEffects,
    compare_with_steady_light,
    expect_afterpulses,
    find_afterpulse_errors,
)
from qdcomp.experiment.correlations.long_delay_g2 import compute_long_delay_g2
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.photon_stream import make_photon_stream
from qdcomp.experiment.simulation.emission_states import EmissionState
from qdcomp.experiment.simulation.simulated_dot import FastTrap, SimulatedDot
from qdcomp.experiment.simulation.simulated_experiment import (
    CwExcitation,
    PulsedExcitation,
    SimulatedExperiment,
)
from qdcomp.experiment.simulation.simulated_source import simulate_photons

DEAD_NS, CHANCE, TIME_NS = 80.0, 0.02, 60.0
TRUTH = DetectorEffects(DEAD_NS, Estimate(CHANCE, 0.0), Estimate(TIME_NS, 0.0))
BRIGHT = EmissionState("bright", 5.0, 1.0)


def simulate(seed, *, trap=None, rate=1e6, duration=4.0, channels=0.5, excitation=None):
    experiment = SimulatedExperiment(
        excitation or CwExcitation(rate),
        efficiency=0.2,
        splitter_share=channels,
        dead_time_ns=DEAD_NS,
        afterpulse_probability=CHANCE,
        afterpulse_time_ns=TIME_NS,
    )
    return simulate_photons(SimulatedDot((BRIGHT,), trap=trap), experiment, duration, seed)


def find_pulls(found):
    return (found.g2 - 1.0) / found.error


def test_every_false_count_comes_once():
    edges = np.array([0.0, DEAD_NS, 1e3, 1e6])
    expected = expect_afterpulses(TRUTH, 0.0, edges)
    assert expected[0] == 0.0
    assert expected.sum() == pytest.approx(CHANCE / (1 - CHANCE))


def test_errors_of_probability_and_time_reach_the_bins():
    edges = np.array([0.0, 1e6])
    measured = DetectorEffects(DEAD_NS, Estimate(CHANCE, 0.002), Estimate(TIME_NS, 5.0))
    error = find_afterpulse_errors(measured, 0.0, edges)
    assert error[0] == pytest.approx(0.002 / (1 - CHANCE) ** 2, rel=0.01)
    within = find_afterpulse_errors(measured, 0.0, np.array([DEAD_NS, DEAD_NS + TIME_NS]))
    by_time = CHANCE * np.exp(-1) * 5.0 / TIME_NS
    by_chance = 0.002 * (1 - np.exp(-1))
    assert within[0] == pytest.approx(np.hypot(by_time, by_chance), rel=0.02)


def test_steady_light_recovers_from_a_count_and_forgets_it():
    edges = np.concatenate([[0.0], np.linspace(DEAD_NS, 30 * DEAD_NS, 200), [1e5, 1e6]])
    shape = compare_with_steady_light(DEAD_NS, 1e6, edges)
    assert shape[0] == 0.0
    assert shape[1] == pytest.approx(1 / (1 - 1e6 * DEAD_NS * 1e-9), rel=0.01)
    assert shape[-1] == pytest.approx(1.0, abs=1e-6)
    # Counts less those expected tend to half the squared dead time, Cox's renewal theorem.
    excess = np.sum((shape - 1) * np.diff(edges)) * 1e-3
    light = 1e-3 / (1 - 1e-3 * DEAD_NS)
    mean, variance = DEAD_NS + 1 / light, 1 / light**2
    assert excess == pytest.approx((variance - mean**2) / (2 * mean**2), rel=0.01)


def test_dead_time_and_afterpulses_are_found():
    found = [estimate_afterpulsing(simulate(seed), seed % 2) for seed in range(16)]
    for name, truth in (("afterpulse_probability", CHANCE), ("afterpulse_time_ns", TIME_NS)):
        values = np.array([getattr(one, name).value for one in found])
        errors = np.array([getattr(one, name).error for one in found])
        assert abs(values.mean() - truth) < 3 * values.std() / np.sqrt(16), name
        assert values.std() == pytest.approx(errors.mean(), rel=0.4), name
    assert np.array([one.dead_time_ns for one in found]) == pytest.approx(DEAD_NS, abs=0.1)


@pytest.mark.parametrize("excitation", [None, PulsedExcitation(5e6, 0.3)])
def test_bunching_is_not_taken_for_afterpulses_where_there_is_a_second_detector(excitation):
    trap = FastTrap(amplitude=0.5, rate_per_s=5e6)
    stream = simulate(3, trap=trap, excitation=excitation)
    found = estimate_afterpulsing(stream, 0, dead_time_ns=DEAD_NS)
    chance = found.afterpulse_probability
    assert abs(chance.value - CHANCE) < 3.5 * chance.error + 0.001
    assert chance.error < 0.003


def test_a_detector_without_afterpulses_has_none():
    rng = np.random.default_rng(1)
    stream = make_photon_stream(
        np.sort(rng.integers(0, 10**12, 200_000)), 1e-12, channels=rng.integers(0, 2, 200_000)
    )
    with pytest.raises(InputError, match="afterpulses"):
        estimate_afterpulsing(stream, 0, dead_time_ns=0.0)
    with pytest.raises(InputError, match="no photon on channel 5"):
        estimate_afterpulsing(stream, 5)


def test_the_autocorrelation_of_steady_light_is_one_once_the_detector_is_known():
    pulls, raw = [], []
    for seed in range(6):
        stream = simulate(seed, channels=1.0)
        found = compute_long_delay_g2(stream, (0, 0), detector=TRUTH, longest_s=0.1)
        assert found.edges_s[0] >= DEAD_NS * 1e-9
        pulls.append(find_pulls(found))
        raw.append(compute_long_delay_g2(stream, (0, 0), longest_s=0.1).g2)
    pulls = np.array(pulls)
    assert np.mean(np.abs(pulls) < 3) >= 0.95
    assert np.abs(pulls.mean(axis=0)).max() < 4 / np.sqrt(6)
    raw = np.mean(raw, axis=0)
    assert raw[0] == 0.0 and raw[10:].max() > 1.3


def test_the_short_delays_of_one_detector():
    pulls = []
    for seed in range(6):
        found = compute_cw_g2(
            simulate(seed, channels=1.0), (0, 0), range_ns=600.0, bin_ns=4.0, detector=TRUTH
        )
        assert found.delays_ns[0] > DEAD_NS
        pulls.append(find_pulls(found))
    pulls = np.array(pulls)
    assert np.mean(np.abs(pulls) < 3) >= 0.95
    assert np.abs(pulls.mean(axis=0)).max() < 4.5 / np.sqrt(6)
    assert pulls.std() == pytest.approx(1.0, abs=0.1)
    plain = compute_cw_g2(simulate(0, channels=1.0), (0, 0), range_ns=600.0, bin_ns=4.0)
    assert plain.delays_ns[0] > 0 and plain.g2.max() > 2.0


def test_bunching_in_the_autocorrelation_is_that_of_the_cross_correlation():
    trap = FastTrap(amplitude=0.3, rate_per_s=2e5)
    stream = simulate(5, trap=trap)
    detector = estimate_afterpulsing(stream, 0)
    options = {"shortest_s": 1e-7, "longest_s": 1e-3, "bins_per_decade": 5}
    own = compute_long_delay_g2(stream, (0, 0), detector=detector, **options)
    cross = compute_long_delay_g2(stream, (0, 1), **options)
    same = np.isin(cross.edges_s[:-1], own.edges_s[:-1]) & np.isin(
        cross.edges_s[1:], own.edges_s[1:]
    )
    mine = np.isin(own.edges_s[:-1], cross.edges_s[:-1][same])
    pulls = (own.g2[mine] - cross.g2[same]) / np.hypot(own.error[mine], cross.error[same])
    assert np.abs(pulls).max() < 3.5 and len(pulls) > 10


def test_detectors_that_cannot_be_are_refused():
    for wrong in (
        {"dead_time_ns": -1.0},
        {"afterpulse_probability": Estimate(1.0, 0.0)},
        {"afterpulse_time_ns": Estimate(0.0, 0.0)},
    ):
        with pytest.raises(InputError):
            DetectorEffects(**wrong)
    with pytest.raises(InputError, match="dead time in ns"):
        compare_with_steady_light(80.0, 2e7, np.array([0.0, 100.0]))
