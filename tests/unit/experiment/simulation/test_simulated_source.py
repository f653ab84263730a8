import numpy as np
import pytest
from scipy import stats

from qdcomp.errors import InputError
from qdcomp.experiment.photon_stream import compute_arrival_times
from qdcomp.experiment.simulation.emission_states import EmissionState, compute_cw_g2
from qdcomp.experiment.simulation.simulated_dot import FastTrap, IntensityFluctuation, SimulatedDot
from qdcomp.experiment.simulation.simulated_experiment import (
    CwExcitation,
    PulsedExcitation,
    SimulatedExperiment,
    TimingResponse,
    make_timing_response,
)
from qdcomp.experiment.simulation.simulated_source import SimulatedSource, simulate_photons
from qdcomp.experiment.simulation.simulation_truth import compute_simulation_truth
from qdcomp.experiment.simulation.switching import ExponentialDwell, PowerLawDwell, Switching

BRIGHT = EmissionState("bright", 10.2, 1.0, biexciton_lifetime_ns=0.3, biexciton_yield=0.1)
GREY = EmissionState("grey", 1.3, 0.13, is_on=False)
DARK = EmissionState("dark", 1.0, 0.0, is_on=False)
PULSED = PulsedExcitation(2.5e6, 1.0)
CW = CwExcitation(2.5e6)
BLINKING = SimulatedDot(
    (BRIGHT, GREY, DARK),
    Switching((PowerLawDwell(1.5, 0.01, 1.0), ExponentialDwell(0.05), ExponentialDwell(0.02))),
    FastTrap(0.2, 3e4),
    IntensityFluctuation(0.1, 0.02),
    drift_per_s=-0.01,
    t70_s=100.0,
)
STEADY = SimulatedDot((BRIGHT,))


def make_full_experiment(excitation):
    return SimulatedExperiment(
        excitation,
        efficiency=0.05,
        splitter_share=0.6,
        background_per_s=800.0,
        dark_counts_per_s=(200.0, 300.0),
        scatter_per_pulse=0.001 if excitation is PULSED else 0.0,
        response=TimingResponse(sigma_ns=0.4),
        pulse_delay_ns=0.5,
        dead_time_ns=90.0,
        afterpulse_probability=0.02,
    )


def list_intervals_ns(stream, channel):
    return np.diff(np.sort(compute_arrival_times(stream)[stream.channels == channel])) * 1e-3


@pytest.mark.parametrize("excitation", [PULSED, CW])
def test_photons_depend_on_the_seed_and_not_on_the_chunks(excitation):
    experiment = make_full_experiment(excitation)
    whole = simulate_photons(BLINKING, experiment, 6.0, 7)
    source = SimulatedSource(BLINKING, experiment, 6.0, 7, chunk_s=0.0317)
    for _ in range(2):
        chunks = list(source.iterate_chunks())
        assert len(chunks) == 190
        for name in ("macrotimes", "channels") + (("microtimes",) if excitation is PULSED else ()):
            pieces = np.concatenate([getattr(chunk, name) for chunk in chunks])
            np.testing.assert_array_equal(pieces, getattr(whole, name))
    assert source.header == whole.header
    other = simulate_photons(BLINKING, experiment, 6.0, 8)
    assert len(other) != len(whole) or np.any(other.macrotimes != whole.macrotimes)


@pytest.mark.parametrize("excitation", [PULSED, CW])
def test_stream_is_ordered_and_its_header_true(excitation):
    stream = simulate_photons(BLINKING, make_full_experiment(excitation), 4.0, 1)
    header = stream.header
    assert header.mode == ("T3" if excitation is PULSED else "T2")
    counts = {c: int(np.sum(stream.channels == c)) for c in (0, 1)}
    assert dict(header.photons_per_channel) == counts
    assert np.all(np.diff(compute_arrival_times(stream)) >= 0)
    assert stream.macrotimes[0] >= 0
    assert stream.macrotimes[-1] * header.macrotime_resolution_s < header.duration_s == 4.0
    if excitation is PULSED:
        assert header.sync_period_ns == pytest.approx(400.0)
        assert stream.microtimes.max() < header.microtime_bins == 6250


@pytest.mark.parametrize("excitation", [PULSED, CW])
@pytest.mark.parametrize("dot", [STEADY, BLINKING], ids=["steady", "blinking"])
def test_count_rate_is_the_truth(excitation, dot):
    experiment = SimulatedExperiment(
        excitation, 0.03, background_per_s=500.0, dark_counts_per_s=(100.0, 0.0)
    )
    excess = []
    for seed in range(12):
        source = SimulatedSource(dot, experiment, 4.0, seed)
        truth = compute_simulation_truth(source)
        excess.append(source.header.photons / 4.0 / truth.rate_per_s - 1)
    assert abs(np.mean(excess)) < 4 * stats.sem(excess)
    assert stats.sem(excess) < 0.01


def test_beam_splitter_and_dark_counts_go_to_their_channels():
    experiment = SimulatedExperiment(
        PULSED, 0.03, splitter_share=0.3, dark_counts_per_s=(0.0, 2e4), background_per_s=1e4
    )
    stream = simulate_photons(STEADY, experiment, 4.0, 2)
    light = 4.0 * (2.5e6 * 0.03 * (1 - np.exp(-1) + 0.1 * (1 - 2 * np.exp(-1))) + 1e4)
    for channel, expected in ((0, 0.3 * light), (1, 0.7 * light + 8e4)):
        seen = stream.header.photons_per_channel[channel]
        assert abs(seen - expected) < 4 * np.sqrt(expected)


def test_one_detector_gets_all_light():
    experiment = SimulatedExperiment(PULSED, 0.03, splitter_share=1.0)
    assert simulate_photons(STEADY, experiment, 1.0, 2).header.channels == (0,)


def test_decay_of_a_lone_exciton_is_exponential():
    dot = SimulatedDot((EmissionState("bright", 10.2, 1.0),))
    experiment = SimulatedExperiment(
        PulsedExcitation(2.5e6, 1e-3), 0.9, pulse_delay_ns=0.0, microtime_resolution_ps=1
    )
    stream = simulate_photons(dot, experiment, 20.0, 3)
    assert len(stream) > 4e4
    delays = stream.microtimes * 1e-3
    assert stats.kstest(delays, stats.expon(scale=10.2).cdf).pvalue > 1e-3


def test_decay_after_a_biexciton_is_the_cascade():
    state = EmissionState("bright", 8.0, 1.0, biexciton_lifetime_ns=2.0, biexciton_yield=0.6)
    experiment = SimulatedExperiment(
        PulsedExcitation(2.5e6, 40.0), 0.01, pulse_delay_ns=0.0, microtime_resolution_ps=1
    )
    stream = simulate_photons(SimulatedDot((state,)), experiment, 2.0, 3)

    def cumulative(t):
        # 0.6 photons with the biexciton's decay and 1 with the sum of both
        first = 1 - np.exp(-t / 2.0)
        both = 1 - (8 * np.exp(-t / 8) - 2 * np.exp(-t / 2)) / 6
        return (0.6 * first + both) / 1.6

    assert stats.kstest(stream.microtimes * 1e-3, cumulative).pvalue > 1e-3


def test_late_photons_fall_after_the_next_pulse():
    # of a decay as long as the period a share 1/e outlives it
    slow = SimulatedDot((EmissionState("bright", 100.0, 1.0),))
    experiment = SimulatedExperiment(
        PulsedExcitation(1e7, 0.01), 0.5, pulse_delay_ns=0.0, microtime_resolution_ps=1
    )
    delays = simulate_photons(slow, experiment, 2.0, 1).microtimes * 1e-3

    def cumulative(t):
        return np.expm1(-t / 100.0) / np.expm1(-1.0)

    assert stats.kstest(delays, cumulative).pvalue > 1e-3


def test_pulsed_g2_zero_by_coincidences_is_the_truth():
    experiment = SimulatedExperiment(
        PulsedExcitation(2.5e6, 1.0), 0.3, splitter_share=0.4, background_per_s=2e5
    )
    dot = SimulatedDot(
        (BRIGHT, GREY),
        Switching((ExponentialDwell(0.05), ExponentialDwell(0.05))),
        FastTrap(1, 1e3),
    )
    source = SimulatedSource(dot, experiment, 10.0, 11)
    stream = simulate_photons(dot, experiment, 10.0, 11)
    first, second = (
        np.bincount(stream.macrotimes[stream.channels == c], minlength=25_000_000) for c in (0, 1)
    )
    zero = int(first @ second)
    sides = np.mean([first[lag:] @ second[:-lag] for lag in (1, 2, 3, 4)])
    expected = compute_simulation_truth(source).g2_zero_with_background
    assert abs(zero / sides - expected) < 4 * expected / np.sqrt(zero)


def test_pulsed_g2_zero_of_the_dot_alone_is_the_truth():
    experiment = SimulatedExperiment(PULSED, 0.4)
    stream = simulate_photons(STEADY, experiment, 5.0, 12)
    first, second = (
        np.bincount(stream.macrotimes[stream.channels == c], minlength=12_500_000) for c in (0, 1)
    )
    zero = int(first @ second)
    truth = compute_simulation_truth(SimulatedSource(STEADY, experiment, 5.0, 12)).g2_zero
    assert abs(zero / (first[1:] @ second[:-1]) - truth) < 4 * truth / np.sqrt(zero)


def test_cw_g2_is_that_of_the_ladder():
    state = EmissionState("bright", 20.0, 1.0, biexciton_lifetime_ns=4.0, biexciton_yield=0.2)
    excitation = CwExcitation(2e7)
    stream = simulate_photons(SimulatedDot((state,)), SimulatedExperiment(excitation, 0.2), 0.5, 5)
    times = compute_arrival_times(stream) * 1e-3
    first, second = times[stream.channels == 0], times[stream.channels == 1]
    edges = np.arange(-100.0, 101.0, 10.0)
    below = np.array([np.searchsorted(second, first + edge) for edge in edges])
    counts = np.diff(below, axis=0).sum(axis=1)
    uncorrelated = len(first) * len(second) * 10.0 / 0.5e9
    fine = compute_cw_g2(state, 0.02, np.linspace(-100, 100, 20_001)[:-1] + 0.005)
    expected = fine.reshape(20, 1000).mean(axis=1) * uncorrelated
    assert expected.min() < 0.6 * uncorrelated  # a dip is there to be found
    assert stats.chi2.sf(np.sum((counts - expected) ** 2 / expected), 20) > 1e-3


def test_bright_cw_dot_keeps_its_rate_at_full_efficiency():
    # the state between photons matters most where every photon is seen
    state = EmissionState("bright", 10.0, 1.0, biexciton_lifetime_ns=5.0, biexciton_yield=1.0)
    dot, experiment = SimulatedDot((state,)), SimulatedExperiment(CwExcitation(1e8), 1.0)
    source = SimulatedSource(dot, experiment, 0.01, 5)
    expected = compute_simulation_truth(source).rate_per_s * 0.01
    assert abs(source.header.photons - expected) < 4 * np.sqrt(expected)


@pytest.mark.parametrize("excitation", [PULSED, CW])
def test_trap_bunches_with_its_amplitude_and_rate(excitation):
    dot = SimulatedDot((BRIGHT,), trap=FastTrap(0.5, 2e4))
    experiment = SimulatedExperiment(excitation, 0.1)
    stream = simulate_photons(dot, experiment, 6.0, 3)
    step = 5e-6
    counts = np.bincount((compute_arrival_times(stream) // round(step * 1e12)).astype(int))
    lags = np.array([2, 5, 10, 20, 60])
    g2 = np.array([counts[lag:] @ counts[:-lag] for lag in lags])
    g2 = g2 / (counts.mean() ** 2 * (len(counts) - lags))
    spread = 2 * (np.cosh(2e4 * step) - 1) / (2e4 * step) ** 2  # two bins of finite width
    np.testing.assert_allclose(g2, 1 + 0.5 * spread * np.exp(-2e4 * step * lags), atol=0.012)


def test_drift_and_photodarkening_dim_the_light():
    dot = SimulatedDot((BRIGHT,), drift_per_s=0.02, t70_s=5.0)
    stream = simulate_photons(dot, SimulatedExperiment(PULSED, 0.05), 20.0, 3)
    per_s = np.bincount(stream.macrotimes // 2_500_000, minlength=20)
    times = np.arange(20) + 0.5
    start = 2.5e6 * 0.05 * (1 - np.exp(-1) + 0.1 * (1 - 2 * np.exp(-1)))
    expected = start * (1 + 0.02 * times) * 0.7 ** (times / 5.0)
    assert stats.chi2.sf(np.sum((per_s - expected) ** 2 / expected), 20) > 1e-3


def test_gaussian_response_spreads_scattered_light():
    dark = SimulatedDot((DARK,))
    experiment = SimulatedExperiment(
        PULSED,
        scatter_per_pulse=0.02,
        response=TimingResponse(sigma_ns=0.3),
        pulse_delay_ns=5.0,
        microtime_resolution_ps=1,
    )
    stream = simulate_photons(dark, experiment, 1.0, 3)
    law = stats.norm(5.0, 0.3).cdf
    assert stats.kstest(stream.microtimes * 1e-3 + 5e-4, law).pvalue > 1e-3
    per_pulse = np.bincount(np.bincount(stream.macrotimes, minlength=2_500_000), minlength=3)[:3]
    expected = 2.5e6 * stats.poisson.pmf([0, 1, 2], 0.02)
    assert np.all(np.abs(per_pulse - expected) < 4 * np.sqrt(expected))


def test_given_response_is_drawn_from():
    response = make_timing_response([-1.0, 0.0, 1.0, 4.0], [1.0, 0.0, 3.0])
    experiment = SimulatedExperiment(
        PULSED,
        scatter_per_pulse=0.02,
        response=response,
        pulse_delay_ns=0.2,
        microtime_resolution_ps=1,
    )
    stream = simulate_photons(SimulatedDot((DARK,)), experiment, 1.0, 3)
    delays = (compute_arrival_times(stream) + 1_000) % 400_000 * 1e-3 - 1.2
    share = np.array([0.0, 0.25, 0.25, 1.0])
    law = stats.kstest(delays, lambda t: np.interp(t, [-1, 0, 1, 4], share))
    assert law.pvalue > 1e-3


def test_dead_time_takes_its_share_of_poisson_light():
    rate, dead = 4e5, 100e-9
    experiment = SimulatedExperiment(
        CW, splitter_share=1.0, background_per_s=rate, dead_time_ns=dead * 1e9
    )
    stream = simulate_photons(SimulatedDot((DARK,)), experiment, 5.0, 4)
    expected = 5 * rate / (1 + rate * dead)
    assert abs(len(stream) - expected) < 4 * np.sqrt(expected)
    assert list_intervals_ns(stream, 0).min() >= 100.0


def test_no_channel_counts_twice_after_one_pulse_within_its_dead_time():
    state = EmissionState("bright", 10.0, 1.0, biexciton_yield=1.0)
    experiment = SimulatedExperiment(PulsedExcitation(2.5e6, 5.0), 0.3, dead_time_ns=90.0)
    stream = simulate_photons(SimulatedDot((state,)), experiment, 0.5, 4)
    for channel in (0, 1):
        assert list_intervals_ns(stream, channel).min() >= 90.0
    first, second = (
        np.bincount(stream.macrotimes[stream.channels == c], minlength=1_250_000) for c in (0, 1)
    )
    assert first @ second > 1e4  # the other channel sees the second photon


def test_afterpulses_follow_counts_with_their_chance_and_delay():
    experiment = SimulatedExperiment(
        CW,
        splitter_share=1.0,
        background_per_s=2e3,
        dead_time_ns=50.0,
        afterpulse_probability=0.05,
        afterpulse_time_ns=40.0,
    )
    stream = simulate_photons(SimulatedDot((DARK,)), experiment, 200.0, 4)
    intervals = list_intervals_ns(stream, 0)
    after = intervals[intervals < 1000.0] - 50.0
    false = 0.05 * len(stream)
    by_chance = len(stream) * 2e3 * 950e-9
    assert abs(len(after) - false - by_chance) < 5 * np.sqrt(false + by_chance)
    soon = after[after < 160.0]
    assert stats.kstest(soon, lambda t: np.expm1(-t / 40) / np.expm1(-4)).pvalue > 1e-3


def test_dark_dot_without_background_gives_no_photon():
    stream = simulate_photons(SimulatedDot((DARK,)), SimulatedExperiment(PULSED), 3.0, 1)
    assert len(stream) == 0
    assert stream.header.photons_per_channel == {}
    assert stream.header.duration_s == 3.0


def test_bad_measurements_are_refused():
    experiment = SimulatedExperiment(PULSED)
    for duration in (0.0, -1.0, float("nan"), 1e12):
        with pytest.raises(InputError, match="duration"):
            simulate_photons(STEADY, experiment, duration, 1)
    with pytest.raises(InputError, match="shorter than one tick"):
        simulate_photons(STEADY, experiment, 1e-7, 1)
    with pytest.raises(InputError, match="chunk"):
        SimulatedSource(STEADY, experiment, 1.0, 1, chunk_s=0.0)
    growing = SimulatedDot((BRIGHT,), drift_per_s=1.0)
    with pytest.raises(InputError, match="above 1; lower one"):
        simulate_photons(growing, SimulatedExperiment(PULSED, 0.5), 10.0, 1)
