import numpy as np
import pytest
from builders.emission_spectra import LINES, count_photons, expected_counts, make_line

from qdcomp.errors import InputError
from qdcomp.experiment.spectra.emission_fit import compare_emission_models, fit_emission_spectrum
from qdcomp.experiment.spectra.emission_lineshapes import EmissionModel
from qdcomp.experiment.spectra.spectrum import HC_EV_NM, make_spectrum
from qdcomp.experiment.spectra.spectrum_cleaning import subtract_background


@pytest.mark.parametrize("model", LINES)
def test_a_line_without_noise_comes_back(model: EmissionModel) -> None:
    fit = fit_emission_spectrum(expected_counts(model, make_line(model, 20_000.0)), model)
    assert fit.peak_energy_ev.value == pytest.approx(2.42, abs=1e-6)
    assert fit.fwhm_mev.value == pytest.approx(80.0, rel=1e-5)
    assert fit.area_counts.value == pytest.approx(20_000.0, rel=1e-4)
    assert fit.background_counts is not None
    assert fit.background_counts.value == pytest.approx(10.0, abs=0.01)


def test_the_widths_in_energy_and_wavelength_belong_together() -> None:
    fit = fit_emission_spectrum(
        expected_counts("double_half_voigt", make_line("double_half_voigt", 2e4))
    )
    assert fit.hwhm_low_mev.value == pytest.approx(45.0, rel=1e-4)
    assert fit.hwhm_high_mev.value == pytest.approx(35.0, rel=1e-4)
    assert fit.peak_wavelength_nm.value == pytest.approx(HC_EV_NM / 2.42)
    assert fit.fwhm_nm.value == pytest.approx(HC_EV_NM / 2.375 - HC_EV_NM / 2.455, rel=1e-4)
    assert fit.fwhm_nm.value == pytest.approx(HC_EV_NM / 2.42**2 * 0.080, rel=0.01)


def test_the_error_of_the_width_takes_the_covariance_of_the_sides() -> None:
    spectrum = count_photons(
        expected_counts("double_half_voigt", make_line("double_half_voigt", 2e4)),
        np.random.default_rng(1),
    )
    fit = fit_emission_spectrum(spectrum)
    # a peak that moves takes from one side what it gives to the other
    assert fit.fwhm_mev.error < 0.8 * np.hypot(fit.hwhm_low_mev.error, fit.hwhm_high_mev.error)


def test_the_noise_of_the_detector_is_found() -> None:
    spectrum = count_photons(
        expected_counts("voigt", make_line("voigt", 2e5), background=0.5),
        np.random.default_rng(3),
        gain=4.0,
        read_noise=20.0,
    )
    fit = fit_emission_spectrum(spectrum, "voigt")
    assert fit.counts_per_photon == pytest.approx(4.0, rel=0.25)
    assert fit.noise_floor_counts == pytest.approx(20.0, rel=0.2)
    assert fit.reduced_chi2 == pytest.approx(1.0, abs=0.15)


def test_a_background_taken_off_still_makes_noise() -> None:
    spectrum = count_photons(
        expected_counts("gaussian", make_line("gaussian", 5_000.0), background=200.0),
        np.random.default_rng(4),
    )
    whole = fit_emission_spectrum(spectrum, "gaussian", counts_per_photon=1.0)
    cleaned = subtract_background(spectrum, [(470.0, 485.0), (545.0, 560.0)]).spectrum
    rest = fit_emission_spectrum(cleaned, "gaussian", counts_per_photon=1.0)
    assert rest.peak_energy_ev.error == pytest.approx(whole.peak_energy_ev.error, rel=0.02)
    assert rest.peak_energy_ev.value == pytest.approx(whole.peak_energy_ev.value, abs=1e-5)


@pytest.mark.parametrize("model", ["lorentzian", "gaussian", "double_half_voigt"])
def test_the_criteria_choose_the_shape_that_made_the_counts(model: EmissionModel) -> None:
    line = make_line(model, 50_000.0)
    if model == "double_half_voigt":
        line[[2, 4]] = 0.06, 0.03
    rng = np.random.default_rng(6)
    chosen = [
        compare_emission_models(count_photons(expected_counts(model, line), rng)).best_by_bic
        for _ in range(6)
    ]
    assert chosen.count(model) >= 5


def test_a_share_at_its_limit_has_no_error_and_is_named() -> None:
    spectrum = expected_counts("gaussian", make_line("gaussian", 1e5))
    fit = fit_emission_spectrum(spectrum, "voigt")
    assert fit.lorentz_shares[0].value == pytest.approx(0.0, abs=1e-3)
    assert np.isnan(fit.lorentz_shares[0].error)
    assert any("at its limit" in note for note in fit.warnings)


def test_a_shape_that_does_not_fit_is_said_not_to() -> None:
    rng = np.random.default_rng(8)
    spectrum = expected_counts("lorentzian", make_line("lorentzian", 1e5))
    wrong, right = 0, 0
    for _ in range(40):
        counted = count_photons(spectrum, rng)
        wrong += "go together" in str(fit_emission_spectrum(counted, "gaussian").warnings)
        right += "go together" in str(fit_emission_spectrum(counted, "lorentzian").warnings)
    assert wrong == 40
    assert right == 0


def test_a_window_leaves_out_another_line() -> None:
    dot = expected_counts("lorentzian", make_line("lorentzian", 20_000.0))
    laser = 5_000.0 * np.exp(-0.5 * ((dot.wavelengths_nm - 475.0) / 0.5) ** 2)
    both = make_spectrum(dot.wavelengths_nm, dot.counts + laser)
    fit = fit_emission_spectrum(both, "lorentzian", window_nm=(482.0, 560.0))
    assert fit.peak_energy_ev.value == pytest.approx(2.42, abs=1e-5)


def test_a_dark_dot_has_no_line() -> None:
    rng = np.random.default_rng(7)
    axis = np.linspace(470.0, 560.0, 512)
    refused = 0
    for _ in range(20):
        try:
            fit_emission_spectrum(make_spectrum(axis, rng.poisson(50.0, 512)), "gaussian")
        except InputError as error:
            refused += "no emission line" in str(error) or "edge of the window" in str(error)
    assert refused >= 15


def test_bad_counts_and_arguments_say_what_is_wrong() -> None:
    dot = expected_counts("gaussian", make_line("gaussian", 1e4))
    negative = make_spectrum(dot.wavelengths_nm, dot.counts - 20.0)
    with pytest.raises(InputError, match="negative"):
        fit_emission_spectrum(negative)
    with pytest.raises(InputError, match="saturated"):
        fit_emission_spectrum(dot, saturation_counts=50.0)
    with pytest.raises(InputError, match="expected one of"):
        fit_emission_spectrum(dot, "sech")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="pixels in the window"):
        fit_emission_spectrum(dot, window_nm=(511.0, 512.0))
    with pytest.raises(InputError, match="is empty"):
        fit_emission_spectrum(dot, window_nm=(520.0, 510.0))
    with pytest.raises(InputError, match="counts per photon"):
        fit_emission_spectrum(dot, counts_per_photon=0.0)


def test_lines_that_cannot_be_resolved_carry_a_warning() -> None:
    axis = np.linspace(470.0, 560.0, 64)
    line = make_line("gaussian", 1e5)
    line[2] = 0.010
    narrow = fit_emission_spectrum(
        expected_counts("gaussian", line, wavelengths_nm=axis), "gaussian"
    )
    assert any("pixels wide" in note for note in narrow.warnings)
    wide = fit_emission_spectrum(
        expected_counts("gaussian", make_line("gaussian", 1e5)),
        "gaussian",
        window_nm=(500.0, 525.0),
    )
    assert any("cannot be told apart" in note for note in wide.warnings)
