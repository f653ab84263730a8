import numpy as np
import pytest
from builders.emission_spectra import count_photons, expected_counts, make_line

from qdcomp.errors import InputError
from qdcomp.experiment.spectra.peak_track import make_peak_track, track_peaks
from qdcomp.experiment.spectra.spectrum import make_spectral_series, make_spectrum


def test_peaks_of_a_moving_line_are_followed_past_a_dark_frame() -> None:
    rng = np.random.default_rng(1)
    peaks = 2.42 + 0.01 * np.sin(np.arange(12))
    frames = [
        count_photons(expected_counts("lorentzian", make_line("lorentzian", 5_000.0, peak)), rng)
        for peak in peaks
    ]
    axis = frames[0].wavelengths_nm
    frames[5] = make_spectrum(axis, rng.poisson(10.0, len(axis)))
    track = track_peaks(make_spectral_series(tuple(frames), 60.0 * np.arange(12)))
    assert [frame for frame, _ in track.failed] == [5]
    assert 5 not in track.frames
    np.testing.assert_allclose(track.times_s, 60.0 * track.frames)
    pulls = (track.energies_ev - peaks[track.frames]) / track.energy_errors_ev
    assert np.max(np.abs(pulls)) < 4.0
    assert track.fits[0].model == "lorentzian"


def test_given_peaks_must_be_peaks() -> None:
    with pytest.raises(InputError, match="do not rise"):
        make_peak_track([0.0, 0.0], [2.4, 2.4], [0.001, 0.001])
    with pytest.raises(InputError, match="not positive"):
        make_peak_track([0.0, 1.0], [2.4, 2.4], [0.001, 0.0])
    with pytest.raises(InputError, match="not finite"):
        make_peak_track([0.0, 1.0], [2.4, np.nan], [0.001, 0.001])
    with pytest.raises(InputError, match="shapes"):
        make_peak_track([0.0, 1.0], [2.4], [0.001])
