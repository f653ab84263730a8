import numpy as np
import pytest

from qdcomp.analysis import (
    compute_emission_lineshape,
    compute_huang_rhys_spectrum,
    compute_mode_lineshape,
)
from qdcomp.errors import InputError
from qdcomp.units import BOLTZMANN_EV_PER_K, FWHM_PER_SIGMA

ENERGIES = np.array([0.002, 0.007, 0.017])
FACTORS = np.array([7.0, 1.9, 1.7])


@pytest.mark.parametrize("kind", ["emission", "absorption"])
@pytest.mark.parametrize("temperature", [4.0, 77.0, 300.0])
def test_moments_are_exact(kind, temperature):
    shape = compute_mode_lineshape(
        ENERGIES, FACTORS, temperature, kind=kind, vertical_energy_ev=2.4
    )
    reorganization = FACTORS @ ENERGIES
    mean = 2.4 - (2 * reorganization if kind == "emission" else 0.0)
    coth = 1 / np.tanh(ENERGIES / (2 * BOLTZMANN_EV_PER_K * temperature))
    variance = FACTORS @ (ENERGIES**2 * coth) + (0.001 / FWHM_PER_SIGMA) ** 2
    assert shape.mean_energy_ev == pytest.approx(mean, rel=1e-6)
    assert shape.variance_ev2 == pytest.approx(variance, rel=1e-6)
    assert shape.expected_mean_energy_ev == pytest.approx(mean, rel=1e-12)
    assert shape.expected_variance_ev2 == pytest.approx(variance, rel=1e-12)
    area = shape.intensity.sum() * (shape.energies_ev[1] - shape.energies_ev[0])
    assert area == pytest.approx(1.0, abs=1e-6)


def test_emission_is_the_mirror_image_of_absorption_about_the_zero_phonon_line():
    emission = compute_mode_lineshape(ENERGIES, FACTORS, 20.0, vertical_energy_ev=2.4)
    absorption = compute_mode_lineshape(
        ENERGIES, FACTORS, 20.0, kind="absorption", vertical_energy_ev=2.4
    )
    zero_phonon = emission.zero_phonon_energy_ev
    assert zero_phonon == pytest.approx(2.4 - FACTORS @ ENERGIES)
    mirrored = np.interp(
        2 * zero_phonon - emission.energies_ev[::-1],
        absorption.energies_ev,
        absorption.intensity,
        left=0.0,
        right=0.0,
    )
    error = np.abs(mirrored - emission.intensity[::-1]).max()
    assert error < 5e-3 * emission.intensity.max()
    assert absorption.mean_energy_ev - emission.mean_energy_ev == pytest.approx(
        emission.stokes_shift_ev
    )


def test_at_low_temperature_the_weights_are_poissonian():
    # One mode at T → 0: lines at E_zpl − n ħω with weight e^{−S} S^n / n!.
    shape = compute_mode_lineshape([0.017], [1.3], 1.0, vertical_energy_ev=2.0)
    step = shape.energies_ev[1] - shape.energies_ev[0]
    for n, poisson in enumerate(np.exp(-1.3) * np.array([1.0, 1.3, 1.3**2 / 2, 1.3**3 / 6])):
        near = np.abs(shape.energies_ev - (shape.zero_phonon_energy_ev - n * 0.017)) < 0.008
        assert shape.intensity[near].sum() * step == pytest.approx(poisson, rel=1e-4)
    assert shape.zero_phonon_weight == pytest.approx(np.exp(-1.3))


def test_strong_coupling_at_room_temperature_is_gaussian():
    # Broader than the 1 meV comb on which all sums of these three energies fall.
    shape = compute_mode_lineshape(ENERGIES, 50.0 * FACTORS, 300.0, broadening_ev=0.004)
    assert shape.fwhm_ev == pytest.approx(
        FWHM_PER_SIGMA * np.sqrt(shape.expected_variance_ev2), rel=1e-3
    )
    assert shape.half_width_low_ev == pytest.approx(shape.half_width_high_ev, rel=0.03)


@pytest.mark.parametrize("temperature", [10.0, 300.0])
def test_width_does_not_depend_on_the_time_grid(temperature):
    plain = compute_mode_lineshape(ENERGIES, FACTORS, temperature)
    span = plain.energies_ev[-1] - plain.energies_ev[0]
    assert span > 4 * plain.fwhm_ev
    fine = compute_mode_lineshape(ENERGIES, FACTORS, temperature, time_step_fs=0.4)
    finer = compute_mode_lineshape(ENERGIES, FACTORS, temperature, time_step_fs=0.1)
    longer = compute_mode_lineshape(ENERGIES, FACTORS, temperature, duration_fs=50_000.0)
    for other in (fine, finer, longer):
        assert other.fwhm_ev == pytest.approx(plain.fwhm_ev, rel=1e-3)
        assert other.peak_energy_ev == pytest.approx(plain.peak_energy_ev, abs=1e-5)
        assert other.half_width_low_ev == pytest.approx(plain.half_width_low_ev, rel=1e-3)


def test_the_low_energy_side_of_cold_emission_is_the_wider_one():
    shape = compute_mode_lineshape([0.007], [1.5], 10.0, broadening_ev=0.012)
    assert shape.half_width_low_ev > 1.2 * shape.half_width_high_ev
    assert shape.half_width_low_ev + shape.half_width_high_ev == pytest.approx(shape.fwhm_ev)


def test_the_broadening_is_the_width_of_an_uncoupled_line():
    shape = compute_mode_lineshape([0.007], [0.0], 10.0, broadening_ev=0.003)
    assert shape.fwhm_ev == pytest.approx(0.003, rel=1e-4)
    assert shape.zero_phonon_weight == 1.0


def test_slow_variance_adds_classically():
    shape = compute_mode_lineshape(ENERGIES, FACTORS, 300.0, static_reorganization_energy_ev=0.02)
    plain = compute_mode_lineshape(ENERGIES, FACTORS, 300.0)
    added = shape.variance_ev2 - plain.variance_ev2
    assert added == pytest.approx(2 * 0.02 * BOLTZMANN_EV_PER_K * 300.0, rel=1e-6)
    assert plain.mean_energy_ev - shape.mean_energy_ev == pytest.approx(0.04)


def test_many_merged_bins_give_the_line_of_a_few():
    gap = 2.0 + 0.01 * np.cos(0.007 / 0.6582119569 * np.arange(40_000.0))
    long = compute_emission_lineshape(compute_huang_rhys_spectrum(gap, 1.0, 10.0), 300.0)
    short = compute_emission_lineshape(compute_huang_rhys_spectrum(gap[::8], 8.0, 10.0), 300.0)
    assert long.fwhm_ev == pytest.approx(short.fwhm_ev, rel=1e-3)
    assert long.stokes_shift_ev == pytest.approx(short.stokes_shift_ev, rel=1e-3)


def test_a_broadening_finer_than_the_bins_is_told():
    gap = 2.0 + 0.01 * np.random.default_rng(1).normal(size=400)
    spectrum = compute_huang_rhys_spectrum(gap, 10.0, 10.0)
    shape = compute_emission_lineshape(spectrum, 300.0, broadening_ev=2e-4)
    assert any("artefact" in text for text in shape.warnings)


def test_impossible_arguments():
    with pytest.raises(InputError, match="positive"):
        compute_mode_lineshape([0.0, 0.007], [1.0, 1.0], 10.0)
    with pytest.raises(InputError, match="broadening"):
        compute_mode_lineshape(ENERGIES, FACTORS, 10.0, broadening_ev=0.0)
    with pytest.raises(InputError, match="does not hold this line"):
        compute_mode_lineshape(ENERGIES, FACTORS, 10.0, time_step_fs=50.0)
    with pytest.raises(InputError, match="does not hold this line"):
        compute_mode_lineshape(ENERGIES, FACTORS, 10.0, duration_fs=100.0)
    with pytest.raises(InputError, match="emission"):
        compute_mode_lineshape(ENERGIES, FACTORS, 10.0, kind="Emission")
    with pytest.raises(InputError, match="Huang-Rhys factors has 2 frames"):
        compute_mode_lineshape(ENERGIES, FACTORS[:2], 10.0)
