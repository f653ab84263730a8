import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.experiment.spectra.peak_track import PeakTrack, make_peak_track
from qdcomp.experiment.spectra.spectral_series import (
    compute_spectral_diffusion,
    find_spectral_jumps,
    fit_blue_shift,
)
from qdcomp.experiment.spectra.spectrum import HC_EV_NM

FIT_ERROR_EV = 0.001


def make_track(
    rng: np.random.Generator,
    levels_ev: np.ndarray,
    diffusion_ev: float = 0.0,
    step_s: float = 1.0,
) -> PeakTrack:
    errors = FIT_ERROR_EV * rng.uniform(0.7, 1.3, len(levels_ev))
    energies = levels_ev + rng.normal(0.0, np.hypot(errors, diffusion_ev))
    return make_peak_track(step_s * np.arange(len(levels_ev)), energies, errors)


@pytest.mark.parametrize("remove_trend", [False, True])
def test_diffusion_is_free_of_the_errors_of_the_fits(remove_trend: bool) -> None:
    rng = np.random.default_rng(1)
    slope = 2e-4 * np.arange(40) if remove_trend else np.zeros(40)
    found = [
        compute_spectral_diffusion(
            make_track(rng, 2.42 + slope, 0.002), remove_trend=remove_trend
        ).variance_mev2
        for _ in range(400)
    ]
    values = np.array([estimate.value for estimate in found])
    errors = np.array([estimate.error for estimate in found])
    assert abs(values.mean() - 4.0) < 2.0 * values.std() / np.sqrt(200)
    assert 0.62 < np.mean(np.abs(values - 4.0) < errors) < 0.74


def test_a_still_dot_has_no_diffusion_and_says_why() -> None:
    rng = np.random.default_rng(2)
    results = [compute_spectral_diffusion(make_track(rng, np.full(40, 2.42))) for _ in range(200)]
    absent = [result for result in results if result.standard_deviation_mev is None]
    assert len(absent) > 190
    assert "does not stand out" in absent[0].reason
    values = np.array([result.variance_mev2.value for result in results])
    assert abs(values.mean()) < 2.5 * values.std() / np.sqrt(len(values))


def test_a_series_without_jumps_seldom_shows_one() -> None:
    rng = np.random.default_rng(3)
    false = sum(
        len(find_spectral_jumps(make_track(rng, np.full(60, 2.42), 0.001)).sizes_mev) > 0
        for _ in range(300)
    )
    # 1 % of 300, and what the noise found from 60 peaks adds
    assert false <= 12


def test_a_jump_is_found_where_and_as_large_as_it_was() -> None:
    rng = np.random.default_rng(4)
    levels = np.full(80, 2.420)
    levels[30:] += 0.004
    levels[55:] -= 0.006
    pulls, exact = [], 0
    for _ in range(200):
        jumps = find_spectral_jumps(make_track(rng, levels))
        assert len(jumps.sizes_mev) >= 2
        if len(jumps.sizes_mev) == 2:
            exact += jumps.frames.tolist() == [30, 55]
            pulls.append((jumps.sizes_mev[0].value - 4.0) / jumps.sizes_mev[0].error)
    assert len(pulls) > 180
    assert exact > 150
    assert 0.62 < np.mean(np.abs(pulls) < 1.0) < 0.78


def test_times_of_jumps_are_those_of_the_first_frame_after() -> None:
    levels = np.full(20, 2.42)
    levels[8:] = 2.45
    jumps = find_spectral_jumps(make_track(np.random.default_rng(5), levels, step_s=10.0))
    assert jumps.times_s.tolist() == [80.0]
    assert jumps.levels_ev[1].value == pytest.approx(2.45, abs=0.001)


@pytest.mark.parametrize("diffusion_ev", [0.0, 0.002])
def test_the_blue_shift_per_hour_is_unbiased_and_its_error_honest(diffusion_ev: float) -> None:
    # D'Amato: a spectrum every 5 minutes for an hour
    rng = np.random.default_rng(6)
    hours = np.arange(13) / 12.0
    pulls = []
    for _ in range(400):
        track = make_track(rng, 2.42 + 0.015 * hours, diffusion_ev, step_s=300.0)
        rate = fit_blue_shift(track).rate_mev_per_hour
        pulls.append((rate.value - 15.0) / rate.error)
    assert abs(np.mean(pulls)) < 2.0 * np.std(pulls) / 20.0
    assert 0.62 < np.mean(np.abs(pulls) < 1.0) < 0.74


def test_a_shift_to_shorter_wavelength_is_positive() -> None:
    hours = np.arange(13) / 12.0
    energies = HC_EV_NM / (514.0 - 3.5 * hours)
    shift = fit_blue_shift(make_peak_track(3600.0 * hours, energies, np.full(13, 1e-4)))
    assert shift.rate_nm_per_hour.value == pytest.approx(3.5, abs=1e-9)
    assert shift.rate_mev_per_hour.value == pytest.approx(1e3 * 3.5 * HC_EV_NM / 512.2**2, rel=0.01)
    assert shift.duration_s == pytest.approx(3600.0)


def test_too_few_peaks_are_said_to_be() -> None:
    track = make_peak_track([0.0, 1.0], [2.42, 2.43], [0.001, 0.001])
    for function in (compute_spectral_diffusion, find_spectral_jumps, fit_blue_shift):
        with pytest.raises(InputError, match="frames have a peak"):
            function(track)
