import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.simulation.simulated_experiment import (
    CwExcitation,
    PulsedExcitation,
    SimulatedExperiment,
    TimingResponse,
    make_timing_response,
)


def test_background_is_split_like_light_and_dark_counts_are_not():
    experiment = SimulatedExperiment(
        CwExcitation(1e6), splitter_share=0.25, background_per_s=400.0, dark_counts_per_s=(7.0, 9.0)
    )
    assert experiment.flat_rates_per_s == (107.0, 309.0)


def test_period_is_whole_picoseconds():
    assert PulsedExcitation(3e6, 1.0).period_ps == 333333


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"efficiency": 0.0}, "efficiency of 0.0"),
        ({"splitter_share": 1.2}, "share of channel 0"),
        ({"afterpulse_probability": 0.7}, "no detector does that"),
        ({"background_per_s": -1.0}, "background is -1.0"),
        ({"dark_counts_per_s": (0.0, float("nan"))}, "dark count rate of channel 1"),
        ({"dead_time_ns": -5.0}, "dead time"),
        ({"microtime_resolution_ps": 0}, "microtime tick"),
        ({"scatter_per_pulse": 0.1}, "use background_per_s"),
    ],
)
def test_impossible_experiments_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        SimulatedExperiment(CwExcitation(1e6), **change)


def test_impossible_excitations_and_responses_are_refused():
    with pytest.raises(InputError, match="repetition rate"):
        PulsedExcitation(0.0, 1.0)
    with pytest.raises(InputError, match="number of excitons"):
        PulsedExcitation(1e6, -1.0)
    with pytest.raises(InputError, match="excitation rate"):
        CwExcitation(float("inf"))
    with pytest.raises(InputError, match="width of the response"):
        TimingResponse(-0.1)
    with pytest.raises(InputError, match="one border more"):
        make_timing_response([0.0, 1.0], [1.0, 2.0])
    with pytest.raises(InputError, match="do not rise"):
        make_timing_response([0.0, 0.0], [1.0])
    with pytest.raises(InputError, match="all zero"):
        make_timing_response([0.0, 1.0], [0.0])
