from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from qdcomp.errors import InputError
from qdcomp.experiment.simulation.simulated_spectrum import (
    SimulatedCamera,
    SimulatedLine,
    SpectralWandering,
    compute_line_photons,
    simulate_spectral_series,
    simulate_spectrum,
)
from qdcomp.experiment.spectra.spectrum import HC_EV_NM

AXIS = np.linspace(400.0, 700.0, 1024)
LINE = SimulatedLine(HC_EV_NM / 512.0, 2e5, (0.02, 0.015), (0.01, 0.005))
LORENTZIAN = SimulatedLine(2.42, 1e5, (0.0, 0.0), (0.03, 0.02))


def test_half_widths_of_pure_lines_are_known():
    np.testing.assert_allclose(LORENTZIAN.hwhm_ev, (0.03, 0.02))
    gaussian = replace(LINE, gaussian_sd_ev=(0.02, 0.03), lorentzian_hwhm_ev=(0.0, 0.0))
    np.testing.assert_allclose(gaussian.hwhm_ev, np.sqrt(2 * np.log(2)) * np.array([0.02, 0.03]))


def test_sides_meet_at_the_peak_and_halve_at_their_widths():
    red, blue = LINE.hwhm_ev
    assert red > blue
    offsets = np.array([-red, -1e-12, 0.0, blue])
    density = LINE.compute_density(LINE.peak_ev + offsets)
    np.testing.assert_allclose(density / density[2], [0.5, 1.0, 1.0, 0.5], rtol=1e-9)


def test_line_is_normalised_to_its_photons():
    gaussian = replace(LINE, lorentzian_hwhm_ev=(0.0, 0.0))
    np.testing.assert_allclose(compute_line_photons(gaussian, AXIS).sum(), 2e5, rtol=1e-5)


def test_peak_on_the_wavelength_axis_is_moved_by_the_jacobian():
    # I_λ = I_E hc/λ² peaks at higher energy than I_E: by about 2σ²/E for a Gaussian
    gaussian = replace(LINE, gaussian_sd_ev=(0.03, 0.03), lorentzian_hwhm_ev=(0.0, 0.0))
    fine = np.linspace(500.0, 520.0, 4001)
    top = HC_EV_NM / fine[np.argmax(compute_line_photons(gaussian, fine))]
    np.testing.assert_allclose(top - gaussian.peak_ev, 2 * 0.03**2 / gaussian.peak_ev, rtol=0.1)


def test_counts_have_photon_and_read_out_noise():
    camera = SimulatedCamera(2.0, background_per_s=50.0, read_noise=6.0, offset=300.0)
    shots = [simulate_spectrum(LINE, AXIS, 0.5, seed, camera=camera) for seed in range(200)]
    counts = np.array([shot.spectrum.counts for shot in shots])
    expected = shots[0].expected_counts
    variance = 2.0 * (expected - 300.0) + 36.0 + 1 / 12  # gain · counts, read-out, rounding
    pulls = (counts.mean(axis=0) - expected) / np.sqrt(variance / 200)
    assert stats.kstest(pulls, "norm").pvalue > 1e-3
    np.testing.assert_allclose(np.mean(counts.var(axis=0, ddof=1) / variance), 1.0, atol=0.015)
    assert shots[0].spectrum.exposure_s == 0.5


def test_cosmic_rays_fall_on_the_marked_pixels_only():
    camera = SimulatedCamera(cosmic_rays_per_s=2.0, cosmic_ray_counts=1e5)
    with_rays = simulate_spectrum(LINE, AXIS, 5.0, 3, camera=camera)
    excess = with_rays.spectrum.counts - with_rays.expected_counts
    hit = with_rays.cosmic_pixels
    assert 1 <= hit.sum() < 25
    assert np.abs(excess[~hit]).max() < 6 * np.sqrt(with_rays.expected_counts.max())


def test_camera_saturates():
    bright = replace(LINE, photons_per_s=1e8)
    shot = simulate_spectrum(bright, AXIS, 1.0, 1, camera=SimulatedCamera(saturation=65535.0))
    assert shot.spectrum.counts.max() == 65535.0


def test_series_wanders_jumps_and_shifts():
    wandering = SpectralWandering(0.003, 5.0, 0.05, 0.02, blue_shift_ev_per_h=0.5)
    short_axis = AXIS[::64]
    found = [
        simulate_spectral_series(LINE, short_axis, 1.0, 400, seed, wandering=wandering)
        for seed in range(25)
    ]
    jumps = np.concatenate([series.jump_frames for series in found])
    assert abs(jumps.mean() - 0.05) < 4 * np.sqrt(0.05 / len(jumps))
    ends = np.array([series.peaks_ev[-1] - LINE.peak_ev for series in found])
    sd = np.sqrt(0.003**2 + 20 * 0.02**2)
    assert abs(ends.mean() - 0.5 * 399 / 3600) < 4 * sd / 5
    steps = np.concatenate([np.diff(s.peaks_ev)[~s.jump_frames[1:]] for s in found])
    np.testing.assert_allclose(steps.std(), 0.003 * np.sqrt(2 * (1 - np.exp(-0.2))), rtol=0.05)


def test_series_without_wandering_stands_still():
    series = simulate_spectral_series(LINE, AXIS, 2.0, 4, 1)
    np.testing.assert_array_equal(series.peaks_ev, LINE.peak_ev)
    np.testing.assert_array_equal(series.series.times_s, [0.0, 2.0, 4.0, 6.0])
    other = simulate_spectral_series(LINE, AXIS, 2.0, 4, 1)
    np.testing.assert_array_equal(series.series.spectra[3].counts, other.series.spectra[3].counts)
    assert np.any(series.series.spectra[0].counts != series.series.spectra[1].counts)


def test_falling_axis_gives_the_same_spectrum():
    rising = simulate_spectrum(LINE, AXIS, 1.0, 4)
    falling = simulate_spectrum(LINE, AXIS[::-1], 1.0, 4)
    np.testing.assert_array_equal(rising.spectrum.counts, falling.spectrum.counts)


def test_impossible_lines_cameras_and_series_are_refused():
    with pytest.raises(InputError, match="peak"):
        replace(LINE, peak_ev=0.0)
    with pytest.raises(InputError, match="none below zero and one above"):
        replace(LINE, gaussian_sd_ev=(0.0, 0.01), lorentzian_hwhm_ev=(0.0, 0.01))
    with pytest.raises(InputError, match="counts per photon"):
        SimulatedCamera(0.0)
    with pytest.raises(InputError, match="read-out noise"):
        SimulatedCamera(read_noise=-1.0)
    with pytest.raises(InputError, match="below zero"):
        SpectralWandering(jumps_per_s=-1.0)
    with pytest.raises(InputError, match="diffusion time"):
        SpectralWandering(diffusion_time_s=0.0)
    with pytest.raises(InputError, match="0 frames"):
        simulate_spectral_series(LINE, AXIS, 1.0, 0, 1)
    with pytest.raises(InputError, match="exposure"):
        simulate_spectrum(LINE, AXIS, 0.0, 1)
    with pytest.raises(InputError, match="turn back"):
        simulate_spectrum(LINE, np.r_[AXIS, 500.0], 1.0, 1)
