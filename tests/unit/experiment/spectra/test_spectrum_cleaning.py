import numpy as np
import pytest
from builders.emission_spectra import count_photons, expected_counts, make_line

from qdcomp.errors import InputError
from qdcomp.experiment.spectra.spectrum import Spectrum, make_spectral_series, make_spectrum
from qdcomp.experiment.spectra.spectrum_cleaning import (
    find_saturated_pixels,
    measure_noise,
    remove_cosmic_rays,
    remove_cosmic_rays_of_series,
    require_clean_counts,
    subtract_background,
)

AXIS = np.linspace(480.0, 560.0, 401)


def make_dot(seed: int, counts: float = 20_000.0, background: float = 20.0) -> Spectrum:
    line = make_line("voigt", counts)
    return count_photons(expected_counts("voigt", line, background), np.random.default_rng(seed))


def test_a_clipped_spectrum_is_saturated() -> None:
    dot = make_dot(1, counts=1e7)
    clipped = make_spectrum(dot.wavelengths_nm, np.minimum(dot.counts, 65535.0))
    full = find_saturated_pixels(clipped)
    np.testing.assert_array_equal(full, np.flatnonzero(dot.counts >= 65535.0))
    with pytest.raises(InputError, match=r"saturated.*shorter exposure"):
        require_clean_counts(clipped)


def test_a_flat_top_at_another_level_is_saturated_too() -> None:
    dot = make_dot(1, counts=1e7)
    clipped = make_spectrum(dot.wavelengths_nm, np.minimum(dot.counts, 31_234.0))
    assert len(find_saturated_pixels(clipped)) >= 3


def test_unclipped_spectra_are_not_saturated() -> None:
    for seed in range(50):
        require_clean_counts(make_dot(seed))
    assert len(find_saturated_pixels(make_dot(1), saturation_counts=200.0)) > 0


def test_negative_counts_need_a_subtracted_background() -> None:
    counts = np.random.default_rng(2).normal(0.0, 5.0, 401)
    with pytest.raises(InputError, match="negative counts"):
        require_clean_counts(make_spectrum(AXIS, counts))
    require_clean_counts(make_spectrum(AXIS, counts, background_subtracted=True))


def test_a_detector_that_reads_nothing_is_said_to() -> None:
    with pytest.raises(InputError, match="all 401 pixels read 7"):
        require_clean_counts(make_spectrum(AXIS, np.full(401, 7.0)))


def test_a_linear_background_comes_off_within_its_error() -> None:
    rng = np.random.default_rng(4)
    truth = 50.0 + 0.4 * (AXIS - 520.0)
    line = 400.0 * np.exp(-0.5 * ((AXIS - 520.0) / 4.0) ** 2)
    spectrum = make_spectrum(AXIS, rng.poisson(truth + line))
    result = subtract_background(spectrum, [(480.0, 500.0), (540.0, 560.0)], "linear")
    assert result.slope_counts_per_nm is not None
    assert abs(result.slope_counts_per_nm.value - 0.4) < 3.0 * result.slope_counts_per_nm.error
    assert abs(result.level_counts.value - 50.0) < 3.0 * result.level_counts.error
    assert result.spectrum.background_subtracted
    assert result.spectrum.subtracted_counts is not None
    np.testing.assert_allclose(
        result.spectrum.counts + result.spectrum.subtracted_counts, spectrum.counts
    )


def test_the_error_of_a_constant_background_is_honest() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(400):
        spectrum = make_spectrum(AXIS, rng.poisson(30.0, 401))
        level = subtract_background(spectrum, [(480.0, 490.0)]).level_counts
        hits += abs(level.value - 30.0) < level.error
    assert 0.62 < hits / 400 < 0.74


def test_background_ranges_without_pixels_are_refused() -> None:
    spectrum = make_spectrum(AXIS, np.arange(401.0))
    with pytest.raises(InputError, match="expected at least 3"):
        subtract_background(spectrum, [(600.0, 610.0)])
    with pytest.raises(InputError, match="is empty"):
        subtract_background(spectrum, [(500.0, 490.0)])


def test_cosmic_rays_are_found_and_only_they() -> None:
    dot = make_dot(6)
    counts = dot.counts.copy()
    hit = [40, 200, 201, 400]
    counts[hit] += [900.0, 1500.0, 700.0, 3000.0]
    removal = remove_cosmic_rays(make_spectrum(dot.wavelengths_nm, counts))
    assert removal.pixels.tolist() == hit
    assert "4 pixels" in removal.spectrum.warnings[-1]
    off = removal.spectrum.counts[hit] - dot.counts[hit]
    assert np.all(np.abs(off) < 6.0 * np.sqrt(dot.counts[hit]))


def test_clean_spectra_lose_next_to_no_pixel() -> None:
    lost = [len(remove_cosmic_rays(make_dot(seed)).pixels) for seed in range(100)]
    assert sum(lost) <= 1


def test_a_series_counts_its_hits_frame_by_frame() -> None:
    frames = [make_dot(seed) for seed in range(3)]
    counts = frames[1].counts.copy()
    counts[100] += 2000.0
    series = make_spectral_series(
        (frames[0], make_spectrum(frames[1].wavelengths_nm, counts), frames[2]), [0.0, 1.0, 2.0]
    )
    assert remove_cosmic_rays_of_series(series).pixels_per_frame.tolist() == [0, 1, 0]


def test_noise_is_measured_beside_a_line() -> None:
    rng = np.random.default_rng(8)
    line = 500.0 * np.exp(-0.5 * ((AXIS - 520.0) / 5.0) ** 2)
    assert measure_noise(line + rng.normal(0.0, 3.0, 401)) == pytest.approx(3.0, rel=0.15)
