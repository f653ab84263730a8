"""Fits of counted spectra of a known line: unbiased, and their errors honest."""

import numpy as np
import pytest
from builders.emission_spectra import count_photons, expected_counts, make_line

from qdcomp.experiment.spectra.emission_fit import fit_emission_spectrum
from qdcomp.experiment.spectra.emission_lineshapes import EmissionModel, compute_half_widths

REPEATS = 400

LARGEST_BIAS = 2.0 / np.sqrt(200)
"""In standard deviations of one fit: two standard errors of the mean of 200."""

AXIS = np.linspace(470.0, 560.0, 256)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "counts", "background", "gain", "read_noise", "given", "seed"),
    [
        ("lorentzian", 3_000.0, 2.0, 1.0, 0.0, 1.0, 2),
        ("gaussian", 20_000.0, 10.0, 1.0, 0.0, None, 3),
        ("voigt", 20_000.0, 10.0, 4.0, 12.0, None, 4),
        ("double_half_voigt", 20_000.0, 10.0, 1.0, 0.0, None, 5),
        ("double_half_voigt", 20_000.0, 10.0, 4.0, 12.0, None, 6),
    ],
)
def test_lines_are_unbiased_and_their_errors_honest(
    model: EmissionModel,
    counts: float,
    background: float,
    gain: float,
    read_noise: float,
    given: float | None,
    seed: int,
) -> None:
    line = make_line(model, counts)
    spectrum = expected_counts(model, line, background, AXIS)
    low, high = compute_half_widths(model, line)
    rng = np.random.default_rng(seed)
    fits = [
        fit_emission_spectrum(
            count_photons(spectrum, rng, gain, read_noise), model, counts_per_photon=given
        )
        for _ in range(REPEATS)
    ]
    truth = {
        "peak_energy_ev": 2.42,
        "hwhm_low_mev": 1e3 * low,
        "hwhm_high_mev": 1e3 * high,
        "fwhm_mev": 1e3 * (low + high),
        "area_counts": counts * gain,
    }
    for name, value in truth.items():
        estimates = [getattr(fit, name) for fit in fits]
        values = np.array([estimate.value for estimate in estimates])
        errors = np.array([estimate.error for estimate in estimates])
        bias = (values.mean() - value) / values.std(ddof=1)
        coverage = np.mean(np.abs(values - value) < errors)
        assert abs(bias) < LARGEST_BIAS, (name, bias)
        assert 0.62 < coverage < 0.74, (name, coverage)
