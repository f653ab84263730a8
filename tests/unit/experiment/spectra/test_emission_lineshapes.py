import numpy as np
import pytest
from scipy.integrate import quad
from scipy.signal import fftconvolve

from qdcomp.experiment.spectra.emission_lineshapes import (
    compute_emission_area,
    compute_half_widths,
    evaluate_emission_model,
    gaussian_shape,
    lorentzian_shape,
    voigt_area,
    voigt_shape,
)

OFFSETS = np.linspace(-0.4, 0.4, 8001)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 0.99, 1.0])
def test_a_voigt_has_the_width_and_height_that_it_is_given(share: float) -> None:
    shape = voigt_shape(OFFSETS, 0.08, share)
    half = np.interp(0.5, shape[:4001], OFFSETS[:4001])
    assert shape.max() == pytest.approx(1.0)
    assert -2.0 * half == pytest.approx(0.08, rel=3e-4)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_the_area_is_the_integral(share: float) -> None:
    area, _ = quad(lambda x: float(voigt_shape(np.array([x]), 1.0, share)[0]), 0.0, np.inf)
    assert voigt_area(1.0, share) == pytest.approx(2.0 * area, rel=1e-6)


def test_a_voigt_ends_in_a_gaussian_and_in_a_lorentzian() -> None:
    np.testing.assert_allclose(
        voigt_shape(OFFSETS, 0.1, 0.0), gaussian_shape(OFFSETS, 0.1), atol=1e-9
    )
    np.testing.assert_allclose(voigt_shape(OFFSETS, 0.1, 1.0), lorentzian_shape(OFFSETS, 0.1))
    np.testing.assert_allclose(
        voigt_shape(OFFSETS, 0.1, 1.0 - 1e-9), lorentzian_shape(OFFSETS, 0.1), atol=1e-6
    )


def test_a_voigt_is_the_convolution_of_the_two() -> None:
    x = np.linspace(-4.0, 4.0, 80_001)
    both = fftconvolve(gaussian_shape(x, 0.06), lorentzian_shape(x, 0.04), mode="same")
    both /= both.max()
    width = 0.5346 * 0.04 + np.sqrt(0.2166 * 0.04**2 + 0.06**2)
    near = np.abs(x) < 0.2
    np.testing.assert_allclose(voigt_shape(x, width, 0.04 / width)[near], both[near], atol=3e-4)


def test_two_half_voigts_share_the_peak_and_keep_their_sides() -> None:
    parameters = np.array([1000.0, 2.42, 0.050, 0.6, 0.035, 0.3])
    energies = 2.42 + OFFSETS
    line = evaluate_emission_model("double_half_voigt", parameters, energies)
    assert line.max() == pytest.approx(1000.0)
    assert energies[np.argmax(line)] == pytest.approx(2.42)
    low = np.interp(500.0, line[:4001], energies[:4001])
    high = np.interp(500.0, line[4000:][::-1], energies[4000:][::-1])
    assert 2.42 - low == pytest.approx(0.050, rel=3e-4)
    assert high - 2.42 == pytest.approx(0.035, rel=3e-4)
    assert compute_half_widths("double_half_voigt", parameters) == (0.050, 0.035)


def test_equal_halves_make_one_voigt() -> None:
    energies = 2.42 + OFFSETS
    halves = np.array([10.0, 2.42, 0.04, 0.5, 0.04, 0.5])
    whole = np.array([10.0, 2.42, 0.08, 0.5])
    np.testing.assert_allclose(
        evaluate_emission_model("double_half_voigt", halves, energies),
        evaluate_emission_model("voigt", whole, energies),
    )
    assert compute_emission_area("double_half_voigt", halves) == pytest.approx(
        compute_emission_area("voigt", whole)
    )
