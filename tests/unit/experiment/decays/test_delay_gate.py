from dataclasses import replace

import numpy as np
import pytest
from builders.decays import draw_decay, draw_stream

from qdcomp.errors import InputError
from qdcomp.experiment.decays.decay import compute_decay, make_decay
from qdcomp.experiment.decays.delay_gate import choose_gate, tabulate_gated_delays


def test_the_background_in_the_gate_is_that_of_the_measurement():
    stream = draw_stream(
        np.random.default_rng(1),
        np.zeros(500, int),
        np.array([10_000.0]),
        np.array([10.0]),
        background_per_s=1000.0,
    )
    gate = choose_gate(compute_decay(stream))
    expected = 1000.0 * gate.length_ns / 200.0
    assert gate.background_per_s == pytest.approx(expected, rel=0.06)
    assert gate.length_ns > 190.0


def test_delays_run_round_the_end_of_the_period():
    decay = replace(draw_decay(np.random.default_rng(2), [(5000, 10.0)]), duration_s=1.0)
    gate = choose_gate(decay, start_ns=150.0, background_per_s=0.0)
    header = draw_stream(
        np.random.default_rng(3), np.zeros(5, int), np.array([5000.0]), np.array([10.0])
    ).header
    delays = tabulate_gated_delays(header, replace(gate, length_ns=120.0))
    centres = np.minimum((np.arange(3125) + 0.5) * 0.064, 200.0)
    np.testing.assert_allclose(delays[100], 50.0 + centres[100])
    np.testing.assert_allclose(delays[2500], centres[2500] - 150.0)
    assert np.all(delays[1100:2340] == -1.0)


def test_a_range_that_ends_early_ends_the_gate():
    decay = draw_decay(np.random.default_rng(4), [(50_000, 20.0)], background=5000)
    cut = make_decay(decay.counts[:1300], period_ns=200.0, bin_ns=0.064, duration_s=10.0)
    gate = choose_gate(cut, start_ns=6.4, background_per_s=10.0)
    assert gate.start_ns + gate.length_ns == pytest.approx(1300 * 0.064, abs=0.2)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [({"start_ns": -1.0}, "outside"), ({"background_per_s": -5.0}, "rate")],
)
def test_senseless_gates_are_refused(keywords, message):
    decay = replace(draw_decay(np.random.default_rng(5), [(500, 10.0)]), duration_s=1.0)
    with pytest.raises(InputError, match=message):
        choose_gate(decay, **keywords)


def test_a_decay_without_a_duration_has_no_background_rate():
    with pytest.raises(InputError, match="duration"):
        choose_gate(draw_decay(np.random.default_rng(6), [(500, 10.0)]))
