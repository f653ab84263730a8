"""g2(0) of photons that come late after their pulse."""

from dataclasses import replace

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.correlations.gated_g2 import (
    choose_gates,
    compute_gated_g2,
    find_pulse_start,
)
from qdcomp.experiment.correlations.pulsed_g2 import compute_pulsed_g2
from qdcomp.experiment.decays.decay import compute_decay
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.photon_stream import make_photon_stream
from qdcomp.experiment.simulation.emission_states import EmissionState
from qdcomp.experiment.simulation.simulated_dot import SimulatedDot
from qdcomp.experiment.simulation.simulated_experiment import (
    PulsedExcitation,
    SimulatedExperiment,
    TimingResponse,
)
from qdcomp.experiment.simulation.simulated_source import simulate_photons

EXCITON_NS, BIEXCITON_NS, YIELD, MEAN, SEEN = 20.0, 2.0, 0.8, 0.7, 0.05
STATE = EmissionState("bright", EXCITON_NS, 1.0, BIEXCITON_NS, YIELD)
GATES_NS = np.array([0.0, 1.024, 3.072, 6.016, 10.048])
EXPERIMENT = SimulatedExperiment(
    PulsedExcitation(5e6, MEAN), efficiency=SEEN, background_per_s=5000.0, pulse_delay_ns=12.8
)


def simulate(seed, duration=4.0, experiment=EXPERIMENT):
    return simulate_photons(SimulatedDot((STATE,)), experiment, duration, seed)


def find_truth(gates, background_per_pulse):
    """g2 of clicks after each gate, with and without constant background.

    Of photons it is ⟨n(n − 1)⟩/⟨n⟩²; every fourth pair falls on one detector as one click.
    """
    two = 1 - np.exp(-MEAN) * (1 + MEAN)
    exciton, biexciton = np.exp(-gates / EXCITON_NS), np.exp(-gates / BIEXCITON_NS)
    second = (EXCITON_NS * exciton - BIEXCITON_NS * biexciton) / (EXCITON_NS - BIEXCITON_NS)
    lone = MEAN * np.exp(-MEAN) * exciton
    mean = SEEN * (lone + two * (YIELD * biexciton + second))
    pairs = 2 * SEEN**2 * two * YIELD * biexciton
    flat = background_per_pulse * (1 - gates / 200.0)
    with_flat = pairs + 2 * mean * flat + flat**2
    return with_flat / (mean + flat - with_flat / 4) ** 2, pairs / (mean - pairs / 4) ** 2


def test_g2_falls_from_the_biexcitons_to_the_excitons_with_the_gate():
    found = [
        compute_gated_g2(
            simulate(seed), GATES_NS, start_ns=12.8, background_per_s=Estimate(5000.0, 0.0)
        )
        for seed in range(16)
    ]
    for name, truth in zip(
        ("zero_delay", "without_background"), find_truth(GATES_NS, 1e-3), strict=True
    ):
        values = np.array([[gate.value for gate in getattr(one, name)] for one in found])
        errors = np.array([[gate.error for gate in getattr(one, name)] for one in found])
        pulls = (values.mean(axis=0) - truth) / (values.std(axis=0) / np.sqrt(16))
        assert np.abs(pulls).max() < 3.5, name
        np.testing.assert_allclose(values.std(axis=0), errors.mean(axis=0), rtol=0.5)
        assert values.mean(axis=0)[0] > 4 * values.mean(axis=0)[-1]


def test_a_gate_that_lets_all_through_is_the_pulsed_g2():
    stream = simulate(1, 1.0)
    found = compute_gated_g2(stream, [0.0, 20.032])
    np.testing.assert_array_equal(found.coincidences[0], compute_pulsed_g2(stream).coincidences)
    assert found.photon_shares[0] == 1.0
    later = np.mean(stream.microtimes * 0.064 >= 20.032 - 1e-6)
    assert found.photon_shares[1] == pytest.approx(later, abs=1e-12)
    assert np.all(found.coincidences[1] < found.coincidences[0])


def test_light_before_the_start_is_late_light_of_the_pulse_before():
    """The same photons with the start of the period moved give the same pairs."""
    stream = simulate(2, 1.0)
    ticks, shift = 3125, 300
    times = stream.macrotimes * ticks + stream.microtimes.astype(np.int64) - 200 + ticks - shift
    moved = make_photon_stream(
        times // ticks,
        2e-7,
        channels=stream.channels,
        microtimes=times % ticks,
        microtime_resolution_ns=0.064,
    )
    start = (ticks - shift) * 0.064
    found = compute_gated_g2(moved, GATES_NS, start_ns=start)
    same = compute_gated_g2(stream, GATES_NS, start_ns=12.8)
    np.testing.assert_array_equal(found.coincidences, same.coincidences)


@pytest.mark.parametrize("photons", [7, 1000])
def test_chunks_do_not_matter(photons):
    stream = simulate(3, 0.05)

    class Pieces:
        header = stream.header

        def iterate_chunks(self):
            for first in range(0, len(stream), photons):
                part = slice(first, first + photons)
                yield replace(
                    stream,
                    macrotimes=stream.macrotimes[part],
                    channels=stream.channels[part],
                    microtimes=stream.microtimes[part],
                )

    whole = compute_gated_g2(stream, GATES_NS, start_ns=12.8)
    np.testing.assert_array_equal(
        compute_gated_g2(Pieces(), GATES_NS, start_ns=12.8).coincidences, whole.coincidences
    )


def test_the_usual_gates_start_at_the_rise_and_let_their_shares_through():
    experiment = replace(EXPERIMENT, response=TimingResponse(sigma_ns=0.1), background_per_s=0.0)
    stream = simulate(4, 1.0, experiment)
    decay = compute_decay(stream)
    start = find_pulse_start(decay)
    assert 11.5 < start < 12.8
    gates = choose_gates(decay, (1.0, 0.5, 0.2))
    found = compute_gated_g2(stream, gates, start_ns=start)
    assert found.photon_shares == pytest.approx([1.0, 0.5, 0.2], abs=0.01)


def test_gates_without_pairs_are_absent_and_what_cannot_be_is_refused():
    stream = simulate(5, 0.02)
    found = compute_gated_g2(stream, [0.0, 180.0])
    assert found.zero_delay[0] is not None and found.zero_delay[1] is None
    assert found.without_background == (None, None)
    for gates, options, reason in (
        ([2.0, 1.0], {}, "rise"),
        ([], {}, "rise"),
        ([0.0, 500.0], {}, "outside the period"),
        ([0.0], {"start_ns": -1.0}, "outside the period"),
        ([0.0], {"channels": (0, 0)}, "two different"),
        ([0.0], {"keep": lambda chunk: chunk.macrotimes < 3}, "no coincidences"),
    ):
        with pytest.raises(InputError, match=reason):
            compute_gated_g2(stream, gates, **options)
