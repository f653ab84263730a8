import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.spectra.spectrum import (
    HC_EV_NM,
    compute_air_refractive_index,
    convert_to_energy,
    convert_to_vacuum,
    make_spectral_series,
    make_spectrum,
)

AXIS = np.linspace(480.0, 560.0, 401)


def test_the_jacobian_keeps_the_counts() -> None:
    counts = np.random.default_rng(1).poisson(1000.0, 401)
    spectrum = convert_to_energy(make_spectrum(AXIS, counts))
    assert np.sum(spectrum.counts_per_ev * spectrum.pixel_widths_ev) == pytest.approx(counts.sum())
    assert np.all(np.diff(spectrum.energies_ev) > 0.0)


def test_light_that_is_flat_in_wavelength_falls_as_lambda_squared_in_energy() -> None:
    spectrum = convert_to_energy(make_spectrum(AXIS, np.full(401, 20.0)))
    wavelengths = HC_EV_NM / spectrum.energies_ev
    # 20 counts per pixel of 0.2 nm
    np.testing.assert_allclose(spectrum.counts_per_ev, 100.0 * wavelengths**2 / HC_EV_NM, rtol=1e-9)


def test_an_emission_peak_moves_to_lower_energy_by_the_jacobian() -> None:
    in_wavelength = np.exp(-0.5 * ((AXIS - 512.0) / 12.0) ** 2)
    spectrum = convert_to_energy(make_spectrum(AXIS, in_wavelength))
    peak = HC_EV_NM / spectrum.energies_ev[np.argmax(spectrum.counts_per_ev)]
    # the maximum of exp(-(λ-λ0)²/2s²) λ² lies 2 s²/λ0 further, 0.56 nm
    assert peak == pytest.approx(512.0 + 2.0 * 12.0**2 / 512.0, abs=0.2)


def test_refractive_index_of_air_is_that_of_edlen() -> None:
    # 2.7897e-4 by Edlén, Metrologia 2, 71 (1966)
    assert float(compute_air_refractive_index(500.0)) - 1.0 == pytest.approx(2.7897e-4, rel=2e-4)


def test_the_mercury_line_in_air_is_that_in_vacuum() -> None:
    # NIST: Hg I 546.0750 nm in air, 546.2268 nm in vacuum
    axis = 546.0750 + 0.1 * np.arange(-3, 4)
    vacuum = convert_to_vacuum(make_spectrum(axis, np.ones(7), medium="air"))
    assert vacuum.wavelengths_nm[3] == pytest.approx(546.2268, abs=2e-4)
    assert vacuum.medium == "vacuum"
    assert convert_to_vacuum(vacuum) is vacuum


def test_air_wavelengths_give_energies_lower_by_0_7_mev() -> None:
    in_air = convert_to_energy(make_spectrum(AXIS, np.ones(401), medium="air"))
    in_vacuum = convert_to_energy(make_spectrum(AXIS, np.ones(401)))
    shift = in_vacuum.energies_ev - in_air.energies_ev
    assert shift.mean() == pytest.approx(0.00066, rel=0.05)


@pytest.mark.parametrize(
    ("axis", "counts", "complaint"),
    [
        ([500, 501, 502], [1, 2, 3], "no spectrum"),
        ([500, 501, 502, 503, 504], [1, 2, 3, 4], "5 wavelengths but 4 counts"),
        ([500, 501, 502, 502, 504], [1, 2, 3, 4, 5], "turn back"),
        ([500, 501, 499, 502, 504], [1, 2, 3, 4, 5], "turn back"),
        ([500, 501, 502, 503, 504], [1, np.nan, 3, 4, 5], "1 of 5 counts are not finite.*number 2"),
        ([500, 501, np.inf, 503, 504], [1, 2, 3, 4, 5], "wavelengths are not finite"),
        ([-1, 0, 1, 2, 3], [1, 2, 3, 4, 5], "not positive"),
        ([[500, 501]], [[1, 2]], "shape"),
        (["a", "b"], [1, 2], "not numbers"),
    ],
)
def test_columns_that_are_no_spectrum_are_refused(axis, counts, complaint) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=complaint):
        make_spectrum(axis, counts)


def test_a_series_has_one_axis_and_rising_times() -> None:
    spectrum = make_spectrum(AXIS, np.ones(401))
    series = make_spectral_series((spectrum, spectrum), [10.0, 12.0])
    np.testing.assert_allclose(series.times_s, [0.0, 2.0])
    with pytest.raises(InputError, match="do not rise"):
        make_spectral_series((spectrum, spectrum), [1.0, 1.0])
    with pytest.raises(InputError, match="another wavelength axis"):
        make_spectral_series((spectrum, make_spectrum(AXIS + 1.0, np.ones(401))), [0.0, 1.0])
    with pytest.raises(InputError, match="at least one"):
        make_spectral_series((), [])
