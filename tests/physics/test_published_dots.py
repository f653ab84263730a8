"""Dots simulated from the numbers that the papers print come back with them.

D'Amato et al. 2023: 10.2 and 1.3 ns, bunching 1.18; Mi et al. 2025: the 4.5 nm dots of PEA and DDA.
What is compared with is the truth of the simulated minute, which scatters about the printed number.
"""

import pytest

from qdcomp.experiment.photon_analysis import analyse_photons
from qdcomp.experiment.simulation.simulated_presets import (
    make_damato_preset,
    make_mi_dda_preset,
    make_mi_pea_preset,
)
from qdcomp.experiment.simulation.simulated_source import SimulatedSource, simulate_photons
from qdcomp.experiment.simulation.simulation_truth import compute_simulation_truth

pytestmark = pytest.mark.slow

DURATION_S = 60.0
SEED = 3


def analyse(preset):
    source = SimulatedSource(preset.dot, preset.experiment, DURATION_S, seed=SEED)
    stream = simulate_photons(preset.dot, preset.experiment, DURATION_S, SEED)
    return analyse_photons(stream), compute_simulation_truth(source)


def agrees(found, truth, sigmas=3.0, slack=0.0):
    return abs(found.value - truth) < sigmas * found.error + slack


def test_damatos_dot():
    preset = make_damato_preset()
    found, truth = analyse(preset)
    windows = {one.window.name: one for one in found.decay.windows}
    bright = windows["bright"].fit.components[0].lifetime_ns
    grey = windows["dark"].fit.components[-1].lifetime_ns
    assert agrees(bright, preset.printed["bright_lifetime_ns"])
    assert agrees(grey, preset.printed["grey_lifetime_ns"])
    assert found.decay.blinking_type.verdict == "A"
    assert agrees(found.g2.zero_delay, truth.g2_zero_with_background)
    assert agrees(found.g2.corrected_zero_delay, truth.g2_zero)
    delays = found.g2.long_delay
    assert delays.g2[0] == pytest.approx(truth.short_delay_g2, abs=3 * delays.error[0] + 0.01)
    assert agrees(found.g2.bunching.amplitude, truth.bunching_amplitude, slack=0.005)
    assert agrees(found.g2.bunching.rate_per_s, truth.bunching_rate_per_s)
    assert agrees(found.blinking.mandel.gaussian, preset.printed["mandel_q"])


@pytest.mark.parametrize("make_preset", [make_mi_pea_preset, make_mi_dda_preset])
def test_the_dots_of_mi_et_al(make_preset):
    found, truth = analyse(make_preset())
    blinking = found.blinking
    # A bin in which the dot switches belongs to one state only.
    assert blinking.states.on_fraction.value == pytest.approx(truth.on_fraction, abs=0.01)
    assert agrees(blinking.states.on_fraction, truth.expected_on_fraction)
    assert agrees(blinking.mandel.gaussian, truth.mandel_q)
    assert agrees(found.g2.zero_delay, truth.g2_zero_with_background)
