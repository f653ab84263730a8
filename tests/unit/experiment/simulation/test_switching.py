import numpy as np
import pytest
from scipy import integrate, stats

from qdcomp.errors import InputError
from qdcomp.experiment.simulation.emission_states import EmissionState
from qdcomp.experiment.simulation.simulated_dot import SimulatedDot
from qdcomp.experiment.simulation.state_trajectory import compute_state_trajectory
from qdcomp.experiment.simulation.switching import (
    ExponentialDwell,
    PowerLawDwell,
    StateSequence,
    Switching,
)

STATES = (EmissionState("on", 10.0, 1.0), EmissionState("off", 1.0, 0.1, is_on=False))


def draw_dwells(switching, duration_s, seed):
    dot = SimulatedDot(STATES, switching)
    return compute_state_trajectory(dot, round(duration_s * 1e12), seed)


@pytest.mark.parametrize(
    "dwell",
    [
        PowerLawDwell(1.5, 0.01, 1.0),
        PowerLawDwell(1.0, 0.01, 1.0),
        PowerLawDwell(2.0, 0.001, 10.0),
        PowerLawDwell(1.2, 0.01, 100.0, cutoff_s=0.3),
        ExponentialDwell(0.05),
    ],
)
def test_dwell_times_follow_their_law(dwell):
    durations = draw_dwells(Switching((dwell, ExponentialDwell(0.01))), 600.0, 4).on_durations_s
    if isinstance(dwell, ExponentialDwell):
        law = stats.expon(scale=dwell.mean_s).cdf
    else:
        times = np.geomspace(dwell.shortest_s, dwell.longest_s, 20_001)
        density = times**-dwell.exponent * np.exp(-times / (dwell.cutoff_s or np.inf))
        share = integrate.cumulative_simpson(density, x=times, initial=0)

        def law(t):
            return np.interp(t, times, share / share[-1])

    assert stats.kstest(durations, law).pvalue > 1e-3
    np.testing.assert_allclose(durations.mean(), dwell.mean_s, atol=4 * stats.sem(durations))


def test_power_law_exponent_comes_back_by_maximum_likelihood():
    switching = Switching((PowerLawDwell(1.7, 0.001, 1e4), PowerLawDwell(1.4, 0.001, 0.1)))
    durations = draw_dwells(switching, 2e4, 1).on_durations_s
    exponent = 1 + len(durations) / np.log(durations / 0.001).sum()
    assert abs(exponent - 1.7) < 4 * 0.7 / np.sqrt(len(durations))


@pytest.mark.parametrize(
    "dwells",
    [
        (PowerLawDwell(1.5, 0.01, 5.0), PowerLawDwell(1.5, 0.01, 2.0)),
        (PowerLawDwell(1.2, 0.01, 50.0, cutoff_s=1.0), ExponentialDwell(0.2)),
    ],
)
def test_on_fraction_is_stationary_whatever_the_length(dwells):
    # a process that began with a full dwell time would fall short in the first second
    switching = Switching(dwells)
    expected = switching.time_shares[0]
    for duration in (0.3, 10.0):
        seen = [draw_dwells(switching, duration, seed).on_fraction for seed in range(600)]
        assert abs(np.mean(seen) - expected) < 4 * stats.sem(seen)


def test_time_shares_are_mean_times_weighted_with_visits():
    dwells = (ExponentialDwell(1.0), ExponentialDwell(0.5), ExponentialDwell(0.25))
    exits = ((0.0, 0.7, 0.3), (1.0, 0.0, 0.0), (1.0, 0.0, 0.0))
    switching = Switching(dwells, exits)
    expected = np.array([1.0, 0.7 * 0.5, 0.3 * 0.25])
    np.testing.assert_allclose(switching.time_shares, expected / expected.sum())
    states = (*STATES, EmissionState("dark", 1.0, 0.0, is_on=False))
    trajectory = compute_state_trajectory(SimulatedDot(states, switching), int(3e15), 2)
    np.testing.assert_allclose(trajectory.time_shares, switching.time_shares, atol=0.02)
    after_bright = trajectory.states[1:][trajectory.states[:-1] == 0]
    assert abs(np.mean(after_bright == 1) - 0.7) < 4 * np.sqrt(0.21 / len(after_bright))
    assert not np.any((trajectory.states[1:] > 0) & (trajectory.states[:-1] > 0))


def test_off_times_join_neighbouring_off_states_and_leave_out_cut_ones():
    states = (*STATES, EmissionState("dark", 1.0, 0.0, is_on=False))
    switching = Switching(tuple(ExponentialDwell(0.1) for _ in range(3)))
    trajectory = compute_state_trajectory(SimulatedDot(states, switching), int(1e15), 3)
    on, off = trajectory.on_durations_s, trajectory.off_durations_s
    assert abs(len(on) - len(off)) <= 1
    # OFF ends with probability 1/2 at each exit of one of its two states
    np.testing.assert_allclose(off.mean(), 0.2, rtol=0.05)
    assert 0 < 1000.0 - on.sum() - off.sum() < 5.0


def test_sequence_does_not_depend_on_how_far_it_is_asked_at_a_time():
    switching = Switching((PowerLawDwell(1.5, 0.01, 5.0), PowerLawDwell(1.5, 0.01, 2.0)))
    seed = np.random.SeedSequence(5)
    whole = StateSequence(switching, seed).advance(int(1e14))
    pieces = StateSequence(switching, seed)
    ends = {}
    for until in np.linspace(0, 1e14, 37).astype(np.int64)[1:]:
        states, stops = pieces.advance(int(until))
        ends |= dict(zip(stops.tolist(), states.tolist(), strict=True))
    assert ends == dict(zip(whole[1].tolist(), whole[0].tolist(), strict=True))


def test_impossible_dwell_times_and_exits_are_refused():
    with pytest.raises(InputError, match="shortest_s < longest_s"):
        PowerLawDwell(1.5, 1.0, 0.5)
    with pytest.raises(InputError, match="both finite"):
        PowerLawDwell(2.5, 0.1, float("inf"))
    with pytest.raises(InputError, match="cut-off"):
        PowerLawDwell(1.5, 0.1, 1.0, cutoff_s=0.0)
    with pytest.raises(InputError, match="mean dwell time"):
        ExponentialDwell(-1.0)
    two = (ExponentialDwell(1.0), ExponentialDwell(1.0))
    with pytest.raises(InputError, match="at least two states"):
        Switching(two[:1])
    with pytest.raises(InputError, match="probabilities"):
        Switching(two, ((0.5, 0.5), (1.0, 0.0)))
