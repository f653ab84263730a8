import numpy as np
import pytest

from qdcomp.experiment.simulation.simulated_presets import (
    make_damato_preset,
    make_mi_dda_preset,
    make_mi_pea_preset,
)
from qdcomp.experiment.simulation.simulated_source import SimulatedSource
from qdcomp.experiment.simulation.simulation_truth import (
    compute_expected_light,
    compute_simulation_truth,
)
from qdcomp.experiment.simulation.state_trajectory import compute_state_trajectory


@pytest.mark.parametrize("make", [make_mi_pea_preset, make_mi_dda_preset])
def test_mi_dots_have_their_printed_truth(make):
    preset = make()
    source = SimulatedSource(preset.dot, preset.experiment, preset.duration_s, 1)
    truth = compute_simulation_truth(source)
    assert truth.expected_on_fraction == pytest.approx(preset.printed["on_fraction"], abs=1e-6)
    assert truth.mandel_q == pytest.approx(preset.printed["mandel_q"], abs=1e-6)
    # weighted with the time that this seed spent ON
    assert truth.g2_zero == pytest.approx(preset.printed["g2_zero"], rel=0.01)
    background = truth.background_rate_per_s / truth.dot_rates_per_s["bright"]
    assert background == pytest.approx(0.02 / 0.98, rel=1e-3)


def test_damato_dot_has_its_printed_truth():
    preset = make_damato_preset()
    printed = preset.printed
    source = SimulatedSource(preset.dot, preset.experiment, preset.duration_s, 1)
    truth = compute_simulation_truth(source)
    assert truth.lifetimes_ns == {"bright": 10.2, "grey": 1.3}
    assert truth.g2_zero == pytest.approx(printed["g2_zero"], rel=0.01)
    assert truth.short_delay_g2 == pytest.approx(printed["short_delay_g2"], abs=0.005)
    assert truth.mandel_q == pytest.approx(printed["mandel_q"], abs=1e-3)
    on = truth.dot_rates_per_s["bright"] + truth.background_rate_per_s
    assert on == pytest.approx(printed["on_rate_per_s"], rel=1e-2)
    assert truth.expected_on_fraction > 0.9
    assert 1e-5 < 1 / truth.bunching_rate_per_s < 1e-4


def test_sixty_seconds_of_the_mi_dots_scatter_about_the_printed_on_fraction():
    for make, scatter in ((make_mi_pea_preset, 0.02), (make_mi_dda_preset, 0.08)):
        preset = make()
        seen = [
            compute_state_trajectory(preset.dot, int(6e13), seed).on_fraction for seed in range(200)
        ]
        assert abs(np.mean(seen) - preset.printed["on_fraction"]) < 4 * np.std(seen) / np.sqrt(200)
        assert np.std(seen) < scatter


def test_mi_dot_gives_the_order_of_the_printed_cw_rate():
    # tens to 300 kcps (Mi, SI Table 2): from 42 W/cm², 13.7 µJ/cm² per 0.2 excitons and η = 0.09
    preset = make_mi_pea_preset()
    light = compute_expected_light(preset.dot, preset.experiment, 60.0)
    np.testing.assert_allclose(light.rates[0], 42 * 0.2 / 13.7e-6 * 0.09, rtol=0.01)


@pytest.mark.parametrize("make", [make_damato_preset, make_mi_pea_preset, make_mi_dda_preset])
def test_every_preset_says_where_it_is_from(make):
    preset = make()
    assert all(":" in source for source in preset.sources)
    assert preset.assumptions
