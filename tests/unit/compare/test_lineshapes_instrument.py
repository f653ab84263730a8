import numpy as np
import pytest

from qdcomp.compare.instrument_line import convolve_with_instrument, make_measured_instrument
from qdcomp.errors import InputError
from qdcomp.experiment import make_spectrum

LAMP = np.linspace(530.0, 560.0, 601)


def make_lamp(shape: np.ndarray, background: float = 0.0):
    return make_spectrum(LAMP, shape + background)


def gaussian(center_nm: float, fwhm_nm: float) -> np.ndarray:
    return 1e4 * np.exp(-4.0 * np.log(2.0) * ((LAMP - center_nm) / fwhm_nm) ** 2)


@pytest.mark.parametrize("background", [0.0, 300.0])
def test_a_lamp_line_is_as_wide_in_energy_as_at_the_dot(background):
    # 0.8 nm at 546 nm stays 0.8 nm at the dot's 2.4 eV: hc dλ/λ²
    instrument = make_measured_instrument(make_lamp(gaussian(546.1, 0.8), background), 2.4)
    assert instrument.fwhm_ev == pytest.approx(0.8 * 2.4**2 / 1239.842, rel=2e-3)
    assert instrument.measured
    assert np.trapezoid(instrument.density, instrument.offsets_ev) == pytest.approx(1.0)
    assert abs(np.trapezoid(instrument.density * instrument.offsets_ev, instrument.offsets_ev)) < (
        0.01 * instrument.fwhm_ev
    )


def test_a_line_with_a_red_tail_keeps_it_on_the_low_energy_side():
    tail = gaussian(546.0, 0.8) + np.where(
        LAMP > 546.0, 3e3 * np.exp(-np.maximum(LAMP - 546.0, 0.0) / 0.8), 0.0
    )
    instrument = make_measured_instrument(make_lamp(tail), 2.4)
    mean = np.trapezoid(instrument.density * instrument.offsets_ev, instrument.offsets_ev)
    assert mean < -0.1 * instrument.fwhm_ev
    energies = np.linspace(2.3, 2.5, 2001)
    sharp = np.exp(-0.5 * ((energies - 2.4) / 0.003) ** 2)
    shown_at, shown = convolve_with_instrument(energies, sharp, instrument)
    assert np.trapezoid(shown * shown_at, shown_at) == pytest.approx(2.4 + mean, abs=5e-5)


@pytest.mark.parametrize(
    "counts",
    [np.full(601, 10.0), np.linspace(0.0, 1e3, 601), gaussian(560.0, 3.0)],
    ids=["flat", "ramp", "cut in half"],
)
def test_a_spectrum_without_a_whole_line_is_refused(counts):
    with pytest.raises(InputError, match="does not fall to half its height"):
        make_measured_instrument(make_lamp(counts), 2.4)
