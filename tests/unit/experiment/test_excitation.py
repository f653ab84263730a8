import math

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.estimate import Estimate
from qdcomp.experiment.excitation import (
    compute_emitted_rate,
    compute_excitation,
    find_detection_efficiency,
)

# Mi et al., Methods: ⟨N⟩ = 0.2 at 27.4 W/cm² and 2 MHz, a fluence of 13.7 µJ/cm².
SPOT_CM2 = math.pi * (475e-7) ** 2
MI = {
    "power_w": Estimate(27.4 * SPOT_CM2, 0.0),
    "wavelength_nm": 405.0,
    "cross_section_cm2": Estimate(3.58e-15, 0.0),
    "repetition_hz": 2e6,
    "spot_radius_nm": Estimate(475.0, 0.0),
}


def test_the_fluence_of_mi_follows_from_its_power_density():
    assert compute_excitation(**MI).fluence_uj_per_cm2.value == pytest.approx(13.7)


def test_the_excitation_of_mi_follows_from_a_cross_section_of_its_size():
    # 13.7 µJ/cm² are 2.79e13 photons/cm²; twice that times σ is 0.2.
    assert compute_excitation(**MI).excitons_per_pulse.value == pytest.approx(0.2, rel=0.01)


def test_excitation_goes_with_the_square_of_the_radius():
    wide = {**MI, "spot_radius_nm": Estimate(950.0, 0.0)}
    ratio = compute_excitation(**MI).excitons_per_pulse.value
    assert ratio / compute_excitation(**wide).excitons_per_pulse.value == pytest.approx(4.0)


def test_errors_of_power_radius_and_cross_section_add_in_squares():
    power = MI["power_w"].value
    measured = {
        "power_w": Estimate(power, 0.03 * power),
        "spot_radius_nm": Estimate(475.0, 0.05 * 475.0),
        "cross_section_cm2": Estimate(3.58e-15, 0.2 * 3.58e-15),
    }
    found = compute_excitation(**{**MI, **measured}).excitons_per_pulse
    assert found.error / found.value == pytest.approx(math.sqrt(0.03**2 + 0.1**2 + 0.2**2))


@pytest.mark.parametrize("name", ["wavelength_nm", "repetition_hz"])
def test_numbers_that_are_not_positive_are_refused(name):
    with pytest.raises(InputError, match="positive"):
        compute_excitation(**{**MI, name: 0.0})


def test_mi_emits_20_mhz_when_1_6_mhz_are_detected_at_515_nm():
    efficiency = find_detection_efficiency(512.0)
    emitted = compute_emitted_rate(Estimate(1.6e6, 1e3), Estimate(efficiency.efficiency, 0.0))
    assert emitted.value == pytest.approx(20e6)
    assert "Mi et al." in efficiency.source


def test_the_error_of_an_emitted_rate_is_its_spread():
    rng = np.random.default_rng(1)
    spread = np.std(
        (5e4 + 500 * rng.standard_normal(300_000)) / (0.08 + 0.002 * rng.standard_normal(300_000))
    )
    found = compute_emitted_rate(Estimate(5e4, 500.0), Estimate(0.08, 0.002))
    assert found.error == pytest.approx(spread, rel=0.02)


def test_no_efficiency_is_made_up_between_the_published_ones():
    with pytest.raises(InputError, match="580"):
        find_detection_efficiency(580.0)


def test_an_efficiency_above_one_is_refused():
    with pytest.raises(InputError, match="efficiency"):
        compute_emitted_rate(Estimate(1e4, 1.0), Estimate(8.0, 0.0))
