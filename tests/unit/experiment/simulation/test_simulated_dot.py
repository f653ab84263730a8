import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.simulation.emission_states import EmissionState
from qdcomp.experiment.simulation.intensity_fluctuation import FluctuationSequence
from qdcomp.experiment.simulation.simulated_dot import FastTrap, IntensityFluctuation, SimulatedDot
from qdcomp.experiment.simulation.switching import ExponentialDwell, Switching

BRIGHT = EmissionState("bright", 10.0, 1.0)


def test_photodarkening_leaves_seventy_percent_at_t70():
    dot = SimulatedDot((BRIGHT,), t70_s=90.0)
    np.testing.assert_allclose(dot.compute_slow_intensity(np.array([0.0, 90.0])), [1.0, 0.7])


def test_drift_never_makes_light_negative():
    dot = SimulatedDot((BRIGHT,), drift_per_s=-0.1)
    times = np.array([0.0, 5.0, 20.0])
    np.testing.assert_allclose(dot.compute_slow_intensity(times), [1.0, 0.5, 0.0])


def test_fluctuation_has_its_width_and_correlation_time():
    sequence = FluctuationSequence(IntensityFluctuation(0.1, 0.02), np.random.SeedSequence(1))
    sequence.advance(0, int(4e14))
    x = (sequence.levels - 1) / 0.1
    assert abs(x.mean()) < 4 / np.sqrt(10_000)
    np.testing.assert_allclose(x.var(), 1.0, atol=4 * np.sqrt(2 / 20_000))
    np.testing.assert_allclose(np.mean(x[20:] * x[:-20]), np.exp(-1), atol=0.03)
    assert sequence.levels.max() <= sequence.ceiling


def test_fluctuation_does_not_depend_on_pieces():
    whole, pieces = (
        FluctuationSequence(IntensityFluctuation(0.1, 0.02), np.random.SeedSequence(1))
        for _ in range(2)
    )
    whole.advance(0, int(1e12))
    for border in range(10**11, 10**12 + 1, 10**11):
        pieces.advance(border - 10**11, border)
    first = pieces.first
    assert first > 0
    np.testing.assert_array_equal(pieces.levels, whole.levels[first:])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SimulatedDot(()), "at least one state"),
        (lambda: SimulatedDot((BRIGHT, BRIGHT)), "2 states but dwell times of 1"),
        (
            lambda: SimulatedDot((BRIGHT,), Switching((ExponentialDwell(1),) * 2)),
            "1 states but dwell times of 2",
        ),
        (lambda: SimulatedDot((BRIGHT,), t70_s=0.0), "T70"),
        (lambda: SimulatedDot((BRIGHT,), drift_per_s=float("nan")), "drift"),
        (lambda: FastTrap(0.0, 1e4), "amplitude of a trap"),
        (lambda: FastTrap(0.1, -1.0), "rate of a trap"),
        (lambda: IntensityFluctuation(0.3, 1.0), "at most 0.2"),
        (lambda: IntensityFluctuation(0.1, 0.0), "correlation time"),
    ],
)
def test_impossible_dots_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
