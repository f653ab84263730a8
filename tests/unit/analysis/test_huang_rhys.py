import time

import numpy as np
import pytest

from qdcomp.analysis import BandDefinition, compute_huang_rhys_spectrum
from qdcomp.errors import InputError
from qdcomp.units import BOLTZMANN_EV_PER_K, HBAR_EV_FS, PLANCK_EV_FS

TEMPERATURE, STEP, N = 10.0, 10.0, 1000
KT = BOLTZMANN_EV_PER_K * TEMPERATURE
BIN = PLANCK_EV_FS / (N * STEP)


def line(energy, huang_rhys_factor, n=N, step=STEP, phase=0.4):
    amplitude = np.sqrt(4.0 * huang_rhys_factor * energy * KT)
    return 2.0 + amplitude * np.cos(energy / HBAR_EV_FS * step * np.arange(n) + phase)


@pytest.mark.parametrize("window", ["hann", "rectangular"])
def test_a_single_line_is_equation_one_of_the_paper(window):
    # S = |F|² / 4ħωkT, F the amplitude of the cosine.
    spectrum = compute_huang_rhys_spectrum(line(17 * BIN, 8.4), STEP, TEMPERATURE, window=window)
    inside = np.abs(spectrum.energies_ev - 17 * BIN) < 2.5 * BIN
    energy = (spectrum.spectral_density[inside].sum()) * spectrum.energy_step_ev
    assert energy / (17 * BIN) == pytest.approx(8.4, rel=1e-9)
    assert spectrum.reorganization_energy_ev == pytest.approx(8.4 * 17 * BIN, rel=1e-9)
    assert spectrum.spectral_density == pytest.approx(
        spectrum.energies_ev * spectrum.huang_rhys_density
    )


@pytest.mark.parametrize("padding", [1, 3, 8])
@pytest.mark.parametrize("n", [1000, 997])
def test_the_sum_over_bins_is_the_variance_at_any_padding(padding, n):
    gap = 2.0 + 0.02 * np.random.default_rng(1).normal(size=n)
    spectrum = compute_huang_rhys_spectrum(
        gap, STEP, TEMPERATURE, window="rectangular", zero_padding=padding
    )
    total = spectrum.power_density.sum() * spectrum.energy_step_ev
    assert total == pytest.approx(gap.var(), rel=1e-12)
    assert spectrum.reorganization_energy_ev == pytest.approx(gap.var() / (2 * KT), rel=1e-12)
    assert spectrum.variance_ev2 == pytest.approx(gap.var(), rel=1e-12)


def test_bands_share_out_the_whole_and_keep_it():
    gap = line(0.002, 20.0) + line(0.007, 6.0) + line(0.017, 0.5) + line(0.045, 0.1)
    spectrum = compute_huang_rhys_spectrum(gap, STEP, TEMPERATURE)
    bands = spectrum.bands
    assert [band.name for band in bands] == ["2 meV", "7 meV", "17 meV"]
    assert [band.huang_rhys_factor for band in bands] == pytest.approx([20.0, 6.0, 0.5], rel=0.04)
    assert spectrum.unassigned_reorganization_energy_ev == pytest.approx(0.0045, rel=0.03)
    total = sum(b.reorganization_energy_ev for b in bands)
    total += spectrum.unassigned_reorganization_energy_ev
    assert total == pytest.approx(spectrum.reorganization_energy_ev, rel=1e-12)


def test_what_is_too_slow_to_resolve_is_in_the_first_band_and_in_no_huang_rhys_factor():
    gap = 2.0 + 0.01 * np.hanning(N)
    spectrum = compute_huang_rhys_spectrum(gap, STEP, TEMPERATURE)
    assert spectrum.huang_rhys_density[0] == 0.0
    assert spectrum.zero_bin_reorganization_energy_ev > 0.0
    assert spectrum.bands[0].reorganization_energy_ev == pytest.approx(
        spectrum.reorganization_energy_ev, rel=1e-5
    )


def test_bands_are_a_parameter():
    spectrum = compute_huang_rhys_spectrum(
        line(20 * BIN, 3.0), STEP, TEMPERATURE, bands=[BandDefinition(0.008, 0.005, 0.010)]
    )
    (band,) = spectrum.bands
    assert band.reorganization_energy_ev == pytest.approx(60 * BIN, rel=1e-6)
    with pytest.raises(InputError, match="edges"):
        compute_huang_rhys_spectrum(
            line(20 * BIN, 3.0), STEP, TEMPERATURE, bands=[BandDefinition(0.008, 0.010, 0.005)]
        )


def test_a_longer_trajectory_shrinks_the_error():
    generator = np.random.default_rng(3)
    errors = []
    for n in (1000, 16_000):
        energies = generator.uniform(0.001, 0.02, 400)
        amplitudes = generator.normal(size=(2, 400)) * 1e-3
        phase = np.outer(STEP * np.arange(n), energies / HBAR_EV_FS)
        gap = 2.0 + np.cos(phase) @ amplitudes[0] + np.sin(phase) @ amplitudes[1]
        spectrum = compute_huang_rhys_spectrum(gap, STEP, TEMPERATURE)
        errors.append(spectrum.reorganization_energy_error_ev / spectrum.reorganization_energy_ev)
    # 400 lines: they, not time, limit the second one (1/√400 is 0.05).
    assert errors[1] < 0.5 * errors[0]


def test_a_million_samples_take_less_than_a_second():
    gap = 2.0 + 0.01 * np.random.default_rng(4).normal(size=1_000_000)
    start = time.process_time()
    compute_huang_rhys_spectrum(gap, 1.0, TEMPERATURE)
    assert time.process_time() - start < 1.0


def test_a_closed_gap_is_told():
    gap = line(17 * BIN, 8.4)
    gap[300:303] = 0.02
    warnings = compute_huang_rhys_spectrum(gap, STEP, TEMPERATURE).warnings
    assert any(
        "closed" in text and "3 of 1000" in text and "frame 300" in text for text in warnings
    )


def test_a_drifting_gap_is_told():
    gap = 2.0 + 0.01 * np.random.default_rng(1).normal(size=N) + np.linspace(0.0, 0.05, N)
    warnings = compute_huang_rhys_spectrum(gap, STEP, TEMPERATURE).warnings
    assert any("drifts" in text for text in warnings)


def test_a_trajectory_too_short_for_two_mev_is_told():
    short = compute_huang_rhys_spectrum(line(0.007, 5.0, n=400), STEP, TEMPERATURE)
    assert any("too coarse for the 2 meV band" in text for text in short.warnings)
    long = compute_huang_rhys_spectrum(line(0.007, 5.0, n=1000), STEP, TEMPERATURE)
    assert not any("too coarse" in text for text in long.warnings)


def test_a_gap_too_fast_for_the_time_step_is_told():
    warnings = compute_huang_rhys_spectrum(line(0.2, 0.1), STEP, TEMPERATURE).warnings
    assert any("Nyquist" in text for text in warnings)


def test_nonsense_options():
    with pytest.raises(InputError, match="no window"):
        compute_huang_rhys_spectrum(line(0.007, 5.0), STEP, TEMPERATURE, window="hanning")
    with pytest.raises(InputError, match="zero padding"):
        compute_huang_rhys_spectrum(line(0.007, 5.0), STEP, TEMPERATURE, zero_padding=0)


def test_a_band_that_the_spectrum_does_not_reach_has_no_coupling_rather_than_none_at_all():
    gap = 2.0 + 0.01 * np.cos(0.03 * np.arange(16) * 10.0)
    spectrum = compute_huang_rhys_spectrum(gap, 10.0, 10.0)  # bins of 26 meV
    known = [np.isfinite(band.huang_rhys_factor) for band in spectrum.bands]
    assert known == [True, False, False]
    assert np.isnan(spectrum.bands[1].huang_rhys_factor_error)
    assert any("7 meV, 17 meV band" in text for text in spectrum.warnings)
    assert spectrum.unassigned_reorganization_energy_ev == pytest.approx(
        spectrum.reorganization_energy_ev - spectrum.bands[0].reorganization_energy_ev
    )
