"""The line of a spectrum or of a series, with its size and its wandering."""

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.spectra.spectrum import make_spectral_series, make_spectrum
from qdcomp.experiment.spectra.spectrum_analysis import (
    SpectrumSettings,
    add_spectra,
    analyse_spectra,
)

WAVELENGTHS = np.linspace(470.0, 560.0, 512)
HC = 1239.841984


def draw_spectrum(rng, peak_nm=500.0, height=800.0, fwhm_ev=0.07):
    offsets = HC / WAVELENGTHS - HC / peak_nm
    line = height / (1 + (2 * offsets / fwhm_ev) ** 2)
    return make_spectrum(WAVELENGTHS, rng.poisson(line + 20.0), exposure_s=1.0)


def test_one_spectrum_has_a_line_and_a_size_but_no_wandering():
    found = analyse_spectra(
        make_spectral_series((draw_spectrum(np.random.default_rng(1)),), np.array([0.0]))
    )
    fit = found.fit
    assert fit.peak_energy_ev.value == pytest.approx(HC / 500, abs=5 * fit.peak_energy_ev.error)
    assert found.size.edge_nm.value == pytest.approx(7.1, abs=1.5)
    assert found.track is None
    assert any("no series" in text for text in found.absent)
    assert {one.model for one in found.comparison.fits} >= {"lorentzian", "voigt"}


def test_a_series_is_added_up_and_followed():
    rng = np.random.default_rng(2)
    frames = [draw_spectrum(rng, 500.0 - (3.0 if k >= 12 else 0.0)) for k in range(24)]
    found = analyse_spectra(
        make_spectral_series(tuple(frames), 60.0 * np.arange(24)), SpectrumSettings(model="voigt")
    )
    assert found.n_frames == 24
    assert found.spectrum.exposure_s == pytest.approx(24.0)
    assert len(found.jumps.sizes_mev) == 1
    assert found.jumps.frames[0] == 12
    assert found.blue_shift.rate_nm_per_hour.value > 3.0
    assert found.diffusion.standard_deviation_mev.value > 5.0


def test_the_sum_has_all_counts():
    rng = np.random.default_rng(3)
    frames = tuple(draw_spectrum(rng) for _ in range(5))
    total = add_spectra(make_spectral_series(frames, np.arange(5.0)))
    np.testing.assert_array_equal(total.counts, sum(frame.counts for frame in frames))


def test_a_dot_beyond_the_sizing_curve_has_no_size():
    series = make_spectral_series((draw_spectrum(np.random.default_rng(4), 525.0),), np.zeros(1))
    found = analyse_spectra(series)
    assert found.size.edge_nm is None
    assert any("Size" in text and "larger than" in text for text in found.absent)
    assert analyse_spectra(series, SpectrumSettings(sizing_curve=None)).size is None


def test_a_full_pixel_of_one_frame_is_refused():
    rng = np.random.default_rng(5)
    frames = (draw_spectrum(rng), draw_spectrum(rng, height=5000.0))
    with pytest.raises(InputError, match="saturated"):
        analyse_spectra(
            make_spectral_series(frames, np.arange(2.0)), SpectrumSettings(saturation_counts=3000.0)
        )
