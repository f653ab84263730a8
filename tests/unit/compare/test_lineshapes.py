from dataclasses import replace

import numpy as np
import pytest

from qdcomp.analysis import Lineshape, compute_mode_lineshape
from qdcomp.compare.instrument_line import convolve_with_instrument, make_gaussian_instrument
from qdcomp.compare.lineshapes import compare_lineshape, compute_published_lineshape
from qdcomp.compare.published import find_coupling_row
from qdcomp.errors import InputError
from qdcomp.experiment import Estimate, Spectrum, make_spectrum
from qdcomp.experiment.spectra.spectrum import HC_EV_NM, convert_to_energy
from qdcomp.units import FWHM_PER_SIGMA

AXIS = np.linspace(460.0, 580.0, 400)


def make_shape(scale: float = 1.0, **options: float) -> Lineshape:
    return compute_mode_lineshape(
        [0.002, 0.007, 0.017],
        scale * np.array([4.0, 1.0, 0.4]),
        300.0,
        broadening_ev=0.002,
        **{"vertical_energy_ev": 2.3, **options},
    )


def expose(shape: Lineshape, shift: float, photons: float = 1e5, background: float = 20.0):
    """Give the spectrum of a line without noise, on a wavelength axis."""
    grid = convert_to_energy(make_spectrum(AXIS, np.zeros(len(AXIS))))
    density = np.interp(
        grid.energies_ev, shape.energies_ev + shift, shape.intensity, left=0.0, right=0.0
    )
    return make_spectrum(AXIS, (photons * density * grid.pixel_widths_ev)[::-1] + background)


def count(mean: Spectrum, seed: int = 1) -> Spectrum:
    counts = np.random.default_rng(seed).poisson(mean.counts)
    return make_spectrum(AXIS, counts.astype(float))


def show(shape: Lineshape, fwhm_ev: float) -> Lineshape:
    """Give the line as a Gaussian instrument shows it."""
    energies, intensity = convolve_with_instrument(
        shape.energies_ev, shape.intensity, make_gaussian_instrument(fwhm_ev)
    )
    return replace(shape, energies_ev=energies, intensity=intensity)


def test_a_line_laid_over_itself_leaves_noise_only():
    shape = make_shape()
    result = compare_lineshape(
        shape, count(expose(shape, 0.2)), background=Estimate(20.0, 0.0), counts_per_photon=1.0
    )
    assert abs(result.shift_ev.value - 0.2) < 4 * result.shift_ev.error
    assert abs(result.amplitude_counts.value - 1e5) < 4 * result.amplitude_counts.error
    # 1/√N of the width and of the counts is all that can be known
    assert result.shift_ev.error == pytest.approx(np.sqrt(shape.variance_ev2 / 1e5), rel=0.3)
    assert result.amplitude_counts.error == pytest.approx(np.sqrt(1e5), rel=0.3)
    assert result.reduced_chi2 == pytest.approx(1.0, abs=4 * np.sqrt(2 / 398))
    assert np.mean(result.residuals**2) == pytest.approx(1.0, abs=0.3)
    assert result.share.value == pytest.approx(1.0, abs=4 * result.share.error)
    assert not any("χ²" in note for note in result.notes)
    shown = np.interp(result.energies_ev, result.curve_energies_ev, result.curve_counts_per_ev)
    np.testing.assert_allclose(
        shown * result.pixel_widths_ev + 20.0, result.fitted_counts, atol=1.0, rtol=2e-3
    )


def test_the_jacobian_is_in_the_line():
    # a flat line in energy would fall as 1/λ² in wavelength: without it the shift is off by
    # 2 σ²/E, here 0.7 meV, fifty times what noiseless counts leave
    shape = make_shape()
    result = compare_lineshape(
        shape, expose(shape, 0.2, 1e7, 0.0), background="none", counts_per_photon=1.0
    )
    assert 2 * shape.variance_ev2 / 2.4 > 5e-4
    assert result.shift_ev.value == pytest.approx(0.2, abs=1e-5)
    assert result.amplitude_counts.value == pytest.approx(1e7, rel=1e-4)


@pytest.mark.parametrize("instrument_ev", [0.003, 0.02, 0.06])
def test_the_share_is_that_before_the_instrument(instrument_ev):
    full = make_shape()
    # the measured line is the calculated one stretched by 1/0.7, then shown by the instrument
    stretched = replace(
        full,
        energies_ev=2.4 + (full.energies_ev - full.peak_energy_ev) / 0.7,
        intensity=0.7 * full.intensity,
    )
    measured = expose(show(stretched, instrument_ev), 0.0, 1e7, 100.0)
    result = compare_lineshape(
        full, measured, instrument_fwhm_ev=instrument_ev, counts_per_photon=1.0
    )
    # the half-Voigts are 1 % wider than this line with the shoulders of its 17 meV mode
    assert result.share.value == pytest.approx(0.7, rel=0.013)
    assert result.share.calculated_fwhm_ev == pytest.approx(full.fwhm_ev, rel=1e-6)
    assert result.share.measured_fwhm_ev == pytest.approx(full.fwhm_ev / 0.7, rel=0.013)
    assert result.instrument_fwhm_ev == instrument_ev


def test_with_a_sharp_instrument_the_share_is_the_ratio_of_the_widths():
    shape = make_shape()
    result = compare_lineshape(shape, count(expose(make_shape(2.0), 0.2)))
    assert result.share.value == pytest.approx(shape.fwhm_ev / result.measured.fwhm_ev, rel=1e-6)
    assert result.share.value == pytest.approx(np.sqrt(0.5), abs=0.03)
    assert result.share.error == pytest.approx(
        result.share.value * result.measured.fwhm_error_ev / result.measured.fwhm_ev, rel=1e-3
    )
    assert any("sharp" in note for note in result.notes)


def test_the_error_of_the_coupling_goes_with_the_calculated_widths():
    shape = make_shape()
    error = 0.2 * shape.reorganization_energy_ev
    result = compare_lineshape(
        shape, count(expose(shape, 0.2)), reorganization_energy_error_ev=error
    )
    calculated = result.calculated
    assert calculated.fwhm_error_ev == pytest.approx(0.1 * shape.fwhm_ev, rel=1e-3)
    assert calculated.half_width_low_error_ev == pytest.approx(
        0.1 * shape.half_width_low_ev, rel=1e-2
    )
    assert result.share.calculated_error == pytest.approx(0.1 * result.share.value, rel=1e-6)
    assert result.share.error == pytest.approx(
        np.hypot(result.share.measured_error, result.share.calculated_error)
    )
    # the distance of low/high from 1 goes as the skewness, 1/√Λ
    stronger = make_shape(1.2)
    moved = stronger.half_width_low_ev / stronger.half_width_high_ev - calculated.asymmetry
    assert abs(moved) == pytest.approx(calculated.asymmetry_error, rel=0.3)


def test_without_an_error_of_the_coupling_the_calculated_widths_have_none():
    result = compare_lineshape(make_shape(), count(expose(make_shape(), 0.2)))
    assert result.calculated.fwhm_error_ev is None
    assert result.calculated.asymmetry_error is None
    assert result.share.calculated_error is None
    assert any("Λ came without an error" in note for note in result.notes)
    assert any("estimated from their scatter" in note for note in result.notes)


def test_a_broad_instrument_takes_the_error_out_of_the_width():
    shape = make_shape()
    error = 0.2 * shape.reorganization_energy_ev
    result = compare_lineshape(
        shape,
        count(expose(show(shape, 0.06), 0.2)),
        instrument_fwhm_ev=0.06,
        reorganization_energy_error_ev=error,
    )
    # Γ² = Γ_line² + Γ_instrument² for lines that are nearly Gaussian
    expected = 0.1 * shape.fwhm_ev**2 / np.hypot(shape.fwhm_ev, 0.06)
    assert result.calculated.fwhm_error_ev == pytest.approx(expected, rel=0.02)
    assert result.calculated.fwhm_ev == pytest.approx(np.hypot(shape.fwhm_ev, 0.06), rel=0.01)


def test_a_line_of_another_shape_is_told():
    result = compare_lineshape(make_shape(), count(expose(make_shape(3.0), 0.2)))
    assert result.reduced_chi2 > 10
    assert any("another shape" in note for note in result.notes)


def test_sidebands_broader_than_the_line_are_told():
    result = compare_lineshape(make_shape(2.0), count(expose(make_shape(), 0.2)))
    assert result.share.value == pytest.approx(np.sqrt(2.0), abs=0.05)
    assert any("above 1" in note for note in result.notes)


def test_the_shift_is_no_result_where_the_calculation_has_no_gap():
    measured = count(expose(make_shape(), 0.2))
    without = compare_lineshape(make_shape(vertical_energy_ev=0.0), measured)
    with_gap = compare_lineshape(make_shape(), measured)
    assert without.shift_ev.value == pytest.approx(with_gap.shift_ev.value + 2.3, abs=1e-6)
    assert any("relative to the gap" in note for note in without.notes)
    assert any("not at the measured peak" in note for note in with_gap.notes)


def test_given_errors_weigh_the_pixels():
    shape = make_shape()
    measured = count(expose(shape, 0.2))
    true = np.sqrt(expose(shape, 0.2).counts)
    base = Estimate(20.0, 0.0)
    plain = compare_lineshape(shape, measured, count_errors=true, background=base)
    wide = compare_lineshape(shape, measured, count_errors=3.0 * true, background=base)
    assert wide.shift_ev.error == pytest.approx(3.0 * plain.shift_ev.error, rel=1e-3)
    assert wide.reduced_chi2 == pytest.approx(plain.reduced_chi2 / 9.0, rel=1e-3)
    assert not any("scatter" in note for note in plain.notes)
    # the errors are in the order of the pixels, which the energies turn round
    blue = np.where(AXIS < 515.0, 1e9, 1.0) * true
    assert compare_lineshape(
        shape, measured, count_errors=blue, background=base
    ).count_errors == pytest.approx(blue[::-1])


def test_an_uncertain_background_widens_the_error_of_the_amplitude():
    shape = make_shape()
    measured = count(expose(shape, 0.2))
    known, vague = (
        compare_lineshape(shape, measured, background=Estimate(20.0, error)) for error in (0.0, 5.0)
    )
    shifted = compare_lineshape(shape, measured, background=Estimate(25.0, 0.0))
    moved = shifted.amplitude_counts.value - known.amplitude_counts.value
    assert vague.amplitude_counts.error == pytest.approx(
        np.hypot(known.amplitude_counts.error, moved), rel=0.05
    )


def test_a_window_is_kept():
    shape = make_shape()
    measured = count(expose(shape, 0.2))
    result = compare_lineshape(shape, measured, window_nm=(480.0, 560.0))
    assert HC_EV_NM / result.energies_ev[0] <= 560.0
    assert HC_EV_NM / result.energies_ev[-1] >= 480.0
    errors = np.sqrt(expose(shape, 0.2).counts)
    cut = compare_lineshape(shape, measured, window_nm=(480.0, 560.0), count_errors=errors)
    inside = (AXIS >= 480.0) & (AXIS <= 560.0)
    assert cut.count_errors == pytest.approx(errors[inside][::-1])


def test_the_published_line_has_the_published_width():
    row = find_coupling_row(4)
    shape = compute_published_lineshape(row, vertical_energy_ev=2.6)
    assert 1e3 * shape.fwhm_ev == pytest.approx(164.0, rel=0.01)
    assert shape.mean_energy_ev == pytest.approx(2.6 - 2 * row.reorganization_energy_ev)
    assert shape.broadening_ev == 0.002


def test_a_line_narrower_than_the_instrument_is_refused():
    shape = make_shape()
    measured = count(expose(shape, 0.2))
    with pytest.raises(InputError, match="cannot be narrower than the instrument"):
        compare_lineshape(shape, measured, instrument_fwhm_ev=1.1 * shape.fwhm_ev)


def test_a_spectrum_that_does_not_cover_the_line_is_refused():
    shape = make_shape()
    middle = HC_EV_NM / (shape.peak_energy_ev + 0.2)
    measured = count(expose(shape, 0.2))
    with pytest.raises(InputError, match="does not cover the line: on the high-energy side"):
        compare_lineshape(shape, measured, window_nm=(middle - 14.0, 580.0))
    with pytest.raises(InputError, match="does not cover the line: on the low-energy side"):
        compare_lineshape(shape, measured, window_nm=(460.0, middle + 14.0))


def test_too_few_pixels_on_the_line_are_refused():
    shape = make_shape()
    mean = expose(shape, 0.2, 1e6, 20.0)
    coarse = np.arange(380.0, 680.0, 7.0)
    counts = np.interp(coarse, AXIS, mean.counts, left=20.0, right=20.0)
    with pytest.raises(InputError, match="needs at least 5"):
        compare_lineshape(shape, make_spectrum(coarse, counts), counts_per_photon=1.0)
    with pytest.raises(InputError, match="needs at least 11"):
        compare_lineshape(shape, mean, window_nm=(505.0, 507.0))


def test_no_line_is_refused():
    flat = make_spectrum(AXIS, np.random.default_rng(1).poisson(50.0, len(AXIS)).astype(float))
    with pytest.raises(InputError, match=r"no emission line|edge of the window"):
        compare_lineshape(make_shape(), flat, counts_per_photon=1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"instrument_fwhm_ev": 0.0}, "expected a positive number"),
        ({"instrument_fwhm_ev": float("nan")}, "expected a positive number"),
        ({"instrument_fwhm_ev": 0.002, "instrument_line": make_spectrum(AXIS, AXIS)}, "both"),
        ({"count_errors": np.ones(5)}, "one per pixel"),
        ({"count_errors": np.zeros(400)}, "not positive"),
        ({"reorganization_energy_error_ev": -0.01}, "reorganization energy"),
        ({"measured_temperature_k": 200.0}, "calculate the lineshape at that temperature"),
        ({"measured_temperature_k": float("nan")}, "measured at nan K"),
        ({"background": Estimate(float("nan"), 1.0)}, "the background is nan"),
    ],
)
def test_impossible_arguments_are_refused(options, message):
    shape = make_shape()
    with pytest.raises(InputError, match=message):
        compare_lineshape(shape, expose(shape, 0.2), counts_per_photon=1.0, **options)


def test_absorption_and_a_line_without_coupling_are_refused():
    shape = make_shape()
    measured = expose(shape, 0.2)
    with pytest.raises(InputError, match="absorption"):
        compare_lineshape(make_shape(kind="absorption"), measured)
    with pytest.raises(InputError, match="no coupling"):
        compare_lineshape(make_shape(0.0), measured, reorganization_energy_error_ev=0.01)


def test_the_temperature_is_assumed_aloud():
    shape = make_shape()
    measured = count(expose(shape, 0.2))
    assert any("taken to be at 300 K" in n for n in compare_lineshape(shape, measured).notes)
    told = compare_lineshape(shape, measured, measured_temperature_k=298.0)
    assert not any("taken to be at" in note for note in told.notes)
    assert told.temperature_k == 300.0


def test_the_variance_of_a_convolution_is_the_sum():
    shape = make_shape()
    for fwhm in (0.0005, 0.005, 0.05, 0.3):
        energies, intensity = convolve_with_instrument(
            shape.energies_ev, shape.intensity, make_gaussian_instrument(fwhm)
        )
        mean = np.trapezoid(intensity * energies, energies)
        variance = np.trapezoid(intensity * (energies - mean) ** 2, energies)
        assert np.trapezoid(intensity, energies) == pytest.approx(1.0)
        assert mean == pytest.approx(shape.mean_energy_ev, abs=1e-6)
        assert variance == pytest.approx(
            shape.variance_ev2 + (fwhm / FWHM_PER_SIGMA) ** 2, rel=1e-4
        )
